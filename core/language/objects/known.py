"""How often clouds of known shapes are called by their name, with and without a foveal mask on their depth pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.attention.masks import Steering
from core.encoding.encoder import Encoder
from core.errors import Cancelled
from core.geometry.differences import Difference, hits_differ
from core.geometry.directions import unit
from core.geometry.jackknife import student
from core.language.objects.classes import class_scores, pointed_scores, turned_shape
from core.sources.solids.clouds import solid_cloud
from core.sources.solids.shapes import DISTANCES
from core.types import Number

TILT = 25.0     # degrees at most, forwards and sideways


@dataclass(frozen=True, eq=False)
class KnownShapes:
    """What clouds of the built-in solids are called.

    Attributes
    ----------
    names : of the k solids.
    hits, pointed : (k, poses) bool, whether a solid in a pose is called by its name, without and with the mask.
    """

    names: tuple[str, ...]
    hits: np.ndarray
    pointed: np.ndarray

    @property
    def accuracy(self) -> tuple[Number, Number]:
        """Without and with the mask; by chance 1 / k, Student's interval over the solids, whose poses are not
        independent."""
        return self._mean(self.hits), self._mean(self.pointed)

    @property
    def difference(self) -> Difference:
        """With the mask less without it, by sign flips over the solids."""
        return hits_differ(self.hits.reshape(-1), self.pointed.reshape(-1),
                           np.repeat(np.arange(len(self.names)), self.hits.shape[1]))

    def _mean(self, hits: np.ndarray) -> Number:
        k = len(self.names)
        of_solids = hits.mean(axis=1)
        half = student(k - 1) * float(of_solids.std(ddof=1)) / math.sqrt(k)
        value = float(of_solids.mean())
        return Number(value, max(value - half, 0.0), min(value + half, 1.0), 1 / k, hits.size, "share")


def known_shapes(model: Encoder, steering: Steering, template: str = "a {}", *, poses: int = 4, cameras: str = "cube",
                 weights: Sequence[float] | None = None, seed: int = 0,
                 on_progress: Callable[[float, str], None] | None = None,
                 should_stop: Callable[[], bool] | None = None) -> KnownShapes:
    """Ask for the names of the built-in solids, each as a cloud in some random poses.

    Parameters
    ----------
    model : a model whose image tower is a ViT.
    steering : of the mask on the foreground.
    template : of the names, {} for the name.
    poses : of each solid: turned at random about its upright, and tipped by up to 25 degrees.
    cameras, weights : as in `class_scores`.
    seed : of the points and poses.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between poses; a request to stop raises Cancelled.

    Raises
    ------
    ModelError
        If the image tower of the model is no ViT.
    """
    names = tuple(DISTANCES)
    classes = unit(model.encode_texts([template.replace("{}", name) for name in names]))
    hits, pointed = (np.zeros((len(names), poses), dtype=bool) for _ in range(2))
    for k, name in enumerate(names):
        cloud = solid_cloud(name, seed=seed)
        for j in range(poses):
            if should_stop is not None and should_stop():
                raise Cancelled(f"{k * poses + j} of {hits.size} clouds")
            if on_progress is not None:
                on_progress((k * poses + j) / hits.size, f"Cloud {k * poses + j + 1} of {hits.size}: {name}")
            rng = np.random.default_rng((seed, k, j))
            shape = cloud
            for axis, most in (("y", 180.0), ("x", TILT), ("z", TILT)):
                turned = turned_shape(shape, axis, float(rng.uniform(-most, most)))
                shape = turned  # type: ignore[assignment]
            found = class_scores(shape, classes, model, cameras=cameras, weights=weights)
            hits[k, j] = found.best == k
            pointed[k, j] = pointed_scores(found, classes, model, steering, weights=weights).best == k
    return KnownShapes(names, hits, pointed)
