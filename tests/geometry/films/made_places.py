"""Paths of a made-up film: shots of slow frames at known places, far from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.geometry.directions import unit
from core.geometry.films.trajectory import Trajectory

D = 32


def walk(places: Sequence[int], length: int = 8, *, step: float = 0.03, fps: float = 4.0, seed: int = 0,
         apart: float = 1.0) -> tuple[Trajectory, np.ndarray]:
    """A path that stays ``length`` frames at each place, and the place of each frame."""
    rng = np.random.default_rng(seed)
    centres = unit(np.eye(1, D) + apart * rng.normal(size=(max(places) + 1, D)) / np.sqrt(D))
    rows = np.repeat(places, length)
    x = unit(centres[rows] + np.cumsum(step / np.sqrt(D) * rng.normal(size=(len(rows), D)), axis=0))
    return Trajectory(x.astype(np.float32), np.arange(len(rows)) / fps), rows
