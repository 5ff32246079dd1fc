"""The ten solids of the built-in world seen from all round: sets of views on which objects are told apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.encoding.encoder import Encoder
from core.encoding.pipeline import embed
from core.encoding.store import Store
from core.errors import check_choice
from core.geometry.directions import unit
from core.geometry.objects.views import ObjectViews
from core.sources.solids.captions import prompt
from core.sources.solids.scene import Scene, Solid
from core.sources.solids.views import object_views
from core.sources.solids.vocabulary import COLOURS, SOLIDS, STYLES, TEXTURES
from core.sources.solids.world import SceneImages
from core.types import Dataset

VIEWS = 12
SIZE = 128


@dataclass(frozen=True)
class Kind:
    """A kind of set: what it is called, and what the ten solids look like."""

    title: str
    colours: tuple[str, ...]
    textures: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "hard": Kind("ten green plain solids", ("green",), ("plain",)),
    "easy": Kind("ten solids of nine colours and five textures", tuple(COLOURS), tuple(TEXTURES)),
}


def solid_scenes(kind: str, seed: int = 0, views: int = VIEWS) -> list[Scene]:
    """Ten solids in five styles from a ring of cameras; the seed turns each solid and chooses the grain of the ground.

    Parameters
    ----------
    kind : key of KINDS.
    seed : which set.
    views : cameras, evenly spaced over a full turn. (A solid with an n-fold axis looks the same from several.)

    Returns
    -------
    10 * 5 * views scenes, by solid, then style, then view.
    """
    check_choice("a kind of set", kind, KINDS)
    of_kind, rng = KINDS[kind], np.random.default_rng((seed, list(KINDS).index(kind)))
    scenes: list[Scene] = []
    for i, shape in enumerate(SOLIDS):
        solid = Solid(shape, of_kind.colours[i % len(of_kind.colours)], of_kind.textures[i % len(of_kind.textures)],
                      yaw=float(rng.uniform(0, 2 * math.pi)))
        scenes += object_views(solid, views, styles=tuple(STYLES), seed=seed)
    return scenes


def solid_views(kind: str, model: Encoder, store: Store, *, seed: int = 0, views: int = VIEWS,
                on_progress: Callable[[float, str], None] | None = None) -> ObjectViews:
    """The vectors of `solid_scenes`, rendered at 128 px; what the store has is not rendered again."""
    scenes = solid_scenes(kind, seed, views)
    ids = tuple(f"{i:04d}" for i in range(len(scenes)))
    none = pd.DataFrame(index=range(0))
    dataset = Dataset(KINDS[kind].title, ids, SceneImages(scenes, SIZE), (), (), np.zeros((0, 2), dtype=np.int64),
                      pd.DataFrame(index=range(len(scenes))), none)
    found = embed(dataset, model, store, on_progress=on_progress).images
    assert found is not None
    objects, styles, cameras = (part.ravel() for part in np.indices((len(SOLIDS), len(STYLES), views)))
    return ObjectViews(found.vectors, objects, cameras, styles, tuple(SOLIDS), tuple(STYLES))


def solid_prompts(model: Encoder) -> tuple[np.ndarray, np.ndarray]:
    """Unit text vectors of the ten solids ("a cube") and of the five styles ("a pencil sketch of a thing")."""
    return (unit(model.encode_texts([prompt(solid=s) for s in SOLIDS])),
            unit(model.encode_texts([prompt(style=s) for s in STYLES])))
