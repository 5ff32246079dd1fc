"""Paths with known properties, for the tests of this wing."""

from __future__ import annotations

import numpy as np

from core.geometry.directions import unit
from core.geometry.films.trajectory import Trajectory


def trajectory(x: np.ndarray, rate: float = 2.0) -> Trajectory:
    return Trajectory(unit(np.asarray(x, np.float64)).astype(np.float32), np.arange(len(x)) / rate, "made")


def great_circle(n: int = 40, step: float = 0.05, d: int = 8) -> Trajectory:
    at = step * np.arange(n)
    return trajectory(np.stack([np.cos(at), np.sin(at), *np.zeros((d - 2, n))], axis=1))


def noise(n: int, d: int = 16, seed: int = 0) -> Trajectory:
    return trajectory(np.random.default_rng(seed).normal(size=(n, d)))


def shots_of(scenes: str, *, frames: int = 12, d: int = 16, drift: float = 0.01, seed: int = 0
             ) -> tuple[Trajectory, np.ndarray]:
    """A film of one shot a letter, the same scene for the same letter, and where its shots begin."""
    rng = np.random.default_rng(seed)
    centre = {letter: rng.normal(size=d) for letter in sorted(set(scenes))}
    drifts = [np.cumsum(rng.normal(size=(frames, d)) * drift * np.sqrt(d), axis=0) for _ in scenes]
    x = np.concatenate([centre[letter] + moved for letter, moved in zip(scenes, drifts)])
    return trajectory(x), np.arange(len(scenes)) * frames
