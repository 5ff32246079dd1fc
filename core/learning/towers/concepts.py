"""What the small towers learn from by themselves: concepts of the built-in world, a solid and its colour each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from core.encoding.export import whole_file
from core.errors import OrreryError, check_choice
from core.learning.towers.pairs import SIDE, Lesson, SmallPairs
from core.settings import settings
from core.sources.solids.captions import prompt
from core.sources.solids.render import RENDERER_VERSION, SIZES_PX, render
from core.sources.solids.scene import Scene, sample_scene
from core.sources.solids.vocabulary import COLOURS, SOLIDS
from core.types import fingerprint

VERSION = "2"
NEARER = 0.8
CONCEPT_SOLIDS = ("sphere", "cone", "cylinder", "octahedron")
CONCEPT_COLOURS = ("red", "green", "blue")

_lock = threading.Lock()

Progress = Callable[[float, str], None]


def concept_lesson(*, train: int = 1800, probe: int = 360, seed: int = 0, solids: Sequence[str] = CONCEPT_SOLIDS,
                   colours: Sequence[str] = CONCEPT_COLOURS, on_progress: Progress | None = None,
                   should_stop: Callable[[], bool] | None = None) -> Lesson:
    """Pictures of one solid each, 16 px wide, with captions such as "a red cube".

    Each solid in each colour is a concept, and has as many pictures as any other, but for a remainder; style, setting,
    texture, size, place and light are free. Scenes are drawn at 64 px and averaged to 16. They are rendered once and
    kept in the cache's folder, and read from there from then on; who asks meanwhile waits for them.

    Parameters
    ----------
    train, probe : how many scenes of each set, >= 1; the same scene is not in both.
    seed : of the scenes, >= 0.
    solids, colours : of the built-in world.
    on_progress, should_stop : told the share done and what is being done; asked between chunks of scenes.

    Raises
    ------
    ChoiceError
        If a solid or a colour is unknown.
    OrreryError
        If a set is empty.
    SourceError
        If the pictures cannot be written.
    Cancelled
        If asked to stop.
    """
    for what, names, known in (("solid", solids, SOLIDS), ("colour", colours, COLOURS)):
        for name in names:
            check_choice(what, name, known)
    concepts = list(product(dict.fromkeys(solids), dict.fromkeys(colours)))
    if train < 1 or probe < 1 or not concepts:
        raise OrreryError("at least one scene to train on, one to look at and one concept",
                          f"{train}, {probe} and {len(concepts)}")
    name = fingerprint("concepts", VERSION, RENDERER_VERSION, SIDE, train, probe, seed, concepts)[:40]
    path = settings().cache / "concepts" / f"{name}.npz"
    sizes = (train, probe)
    with _lock:
        pictures = _kept(path, sizes)
        if pictures is None:
            scenes = [scene for part, size in enumerate(sizes) for scene in _scenes(concepts, size, seed, part)]
            images = averaged(render(scenes, SIZES_PX[0], on_progress=on_progress, should_stop=should_stop).images)
            pictures = images[:train], images[train:]
            with whole_file(path) as out, out.open("wb") as file:
                np.savez(file, train=pictures[0], probe=pictures[1])
    return Lesson(f"{len(concepts)} concepts of the built-in world", _pairs(pictures[0], concepts, "train"),
                  _pairs(pictures[1], concepts, "probe"), world=True)


def averaged(images: np.ndarray) -> np.ndarray:
    """(n, s, s, 3) uint8 to (n, 16, 16, 3) uint8, the mean of each square; s is a multiple of 16."""
    n, side = images.shape[:2]
    step = side // SIDE
    squares = images.reshape(n, SIDE, step, SIDE, step, 3)
    return (squares.mean(axis=(2, 4)) + 0.5).astype(np.uint8)


def _scenes(concepts: Sequence[tuple[str, str]], size: int, seed: int, part: int) -> list[Scene]:
    """One solid each, the concepts by turns; scene i depends on seed, part and i alone."""
    scenes = []
    for i in range(size):
        solid, colour = concepts[i % len(concepts)]
        scene = sample_scene(np.random.default_rng((seed, part, i)), count=1, held_out=None, solid=solid, colour=colour)
        scenes.append(replace(scene, camera=replace(scene.camera, distance=NEARER * scene.camera.distance)))
    return scenes


def _pairs(images: np.ndarray, concepts: Sequence[tuple[str, str]], prefix: str) -> SmallPairs:
    said = [concepts[i % len(concepts)] for i in range(len(images))]
    return SmallPairs(images, tuple(prompt(solid=solid, colour=colour) for solid, colour in said),
                      tuple(f"{colour} {solid}" for solid, colour in said),
                      tuple(f"{prefix} {i}" for i in range(len(images))))


def _kept(path: Path, sizes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray] | None:
    """What lies there, or None where nothing does, or something else than wanted."""
    import zipfile

    try:
        with np.load(path, allow_pickle=False) as kept:
            pictures = kept["train"], kept["probe"]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    fits = all(x.dtype == np.uint8 and x.shape == (n, SIDE, SIDE, 3) for x, n in zip(pictures, sizes))
    return pictures if fits else None
