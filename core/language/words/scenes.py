"""The scenes of the built-in world on which the text side is scored: combinations held out of training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from core.language.world_evaluation import Encoder, image_vectors
from core.sources.solids.captions import attributes
from core.sources.solids.scene import Scene, sample_scenes
from core.types import fingerprint

SCORED, TUNED = 60_000, 61_000
MOST_KEPT = 6


@dataclass(frozen=True, eq=False)
class Looked:
    """Scenes and their images on the sphere.

    Attributes
    ----------
    scenes : n scenes.
    images : (n, d) float32 unit vectors.
    says : the attributes of each scene by name (those of its first solid), and its count.
    """

    scenes: tuple[Scene, ...]
    images: np.ndarray
    says: tuple[dict[str, str], ...]

    @property
    def key(self) -> str:
        """Fingerprint of the images."""
        return fingerprint("looked", self.images)


_known: WeakKeyDictionary[Encoder, dict[tuple[int, int, int | None], Looked]] = WeakKeyDictionary()


def look(model: Encoder, n: int, seed: int, *, count: int | None = 1,
         on_progress: Callable[[float], None] = lambda share: None) -> Looked:
    """Encode seeded scenes of combinations of solid, colour and style that training never showed.

    The six looked at last are kept for as long as the model is: several figures are of the same scenes.

    Parameters
    ----------
    model : anything that encodes images.
    n : how many, >= 1.
    seed : which; what is scored has ``SCORED`` + seed, what is tuned on ``TUNED`` + seed.
    count : solids in each, 1 to 3; mixed when None.
    on_progress : told the share done, in [0, 1].
    """
    kept = _known.setdefault(model, {})
    asked = n, seed, count
    if asked not in kept:
        scenes = sample_scenes(n, seed, count=count, held_out=True)
        found = Looked(tuple(scenes), image_vectors(model, scenes, on_progress), tuple(map(attributes, scenes)))
        for old in list(kept)[:1 - MOST_KEPT]:
            kept.pop(old, None)
        kept[asked] = found
        return found
    return kept[asked]
