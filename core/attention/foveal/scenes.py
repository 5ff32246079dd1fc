"""Scenes of the built-in world whose boxes are known, with a sentence for each solid."""

from __future__ import annotations

from itertools import count as counting

import numpy as np

from core.errors import ShapeError
from core.sources.foveal.boxed import BoxedPictures, Reference
from core.sources.solids.captions import prompt
from core.sources.solids.render import render
from core.sources.solids.scene import Scene, sample_scene
from core.sources.solids.world import SceneImages

SIZE = 128
LEAST_SEEN = 8.0        # narrowest side of what is seen of a solid, in pixels of a picture of SIZE: half a patch
BATCH = 256


def world_references(n: int, seed: int, *, objects: int = 3, by_name: bool = False, held_out: bool | None = False,
                     size: int = SIZE) -> BoxedPictures:
    """Scenes of two or three solids, no two alike in both solid and colour, each of which is seen.

    Parameters
    ----------
    n : scenes, at least 1; each has as many sentences as solids.
    seed : scene i depends on the seed, the number of objects and what scenes came before.
    objects : solids in a scene, 2 or 3.
    by_name : "a cube" for "a red cube", in scenes whose solids are all of different kinds.
    held_out : False for combinations of solid, colour and style that the built-in model was trained on, True for the
        others, None for all.
    size : of the pictures, px.

    Returns
    -------
    BoxedPictures whose references are the solids in order: rows of scene i begin at ``i * objects``.

    Raises
    ------
    ShapeError
        If n < 1 or objects is neither 2 nor 3.
    """
    if n < 1 or objects not in (2, 3):
        raise ShapeError("one scene or more of 2 or 3 objects", f"{n} of {objects}")
    scenes: list[Scene] = []
    boxes: list[np.ndarray] = []
    drawn = counting()
    while len(scenes) < n:
        some: list[Scene] = []
        while len(some) < min(BATCH, n - len(scenes) + 8):
            scene = sample_scene(np.random.default_rng((seed, objects, next(drawn))), count=objects, held_out=held_out)
            kinds = {s.shape if by_name else (s.shape, s.colour) for s in scene.solids}
            if len(kinds) == objects:
                some.append(scene)
        for scene, found in zip(some, render(some, size).boxes[:, :objects].astype(np.float64)):
            sides = found[:, 2:] - found[:, :2]
            if np.isfinite(found).all() and sides.min() >= LEAST_SEEN * size / SIZE and len(scenes) < n:
                scenes.append(scene)
                boxes.append(found)
    references = [Reference(i, prompt(solid=s.shape) if by_name else prompt(solid=s.shape, colour=s.colour), k)
                  for i, scene in enumerate(scenes) for k, s in enumerate(scene.solids)]
    what = "named by their solids" if by_name else "named by colour and solid"
    return BoxedPictures(f"{n:,} scenes of {objects} solids, {what}, seed {seed}",
                         tuple(f"scene {i}" for i in range(n)), SceneImages(scenes, size), tuple(boxes),
                         tuple(references))
