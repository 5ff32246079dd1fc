"""Made-up films that differ in the order of their shots alone: four places, each visited twice, in eight shots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.geometry.directions import unit
from core.geometry.films.trajectory import Trajectory

D = 24
ORDERS = {"loop": (0, 1, 2, 3, 0, 1, 2, 3), "duets": (0, 1, 0, 1, 2, 3, 2, 3), "arch": (0, 1, 2, 3, 2, 1, 0, 3)}


@dataclass(frozen=True)
class Made:
    """A film and what is known of it."""

    path: Trajectory
    starts: np.ndarray
    of_frames: np.ndarray
    kind: str


def made(kind: str, seed: int = 0, *, noise: float = 0.01, d: int = D) -> Made:
    """Shots of 11 to 14 frames that drift; the second visit of a place goes on where the first left it."""
    rng = np.random.default_rng((seed, list(ORDERS).index(kind)))
    places, ways = unit(rng.normal(size=(4, d))), 0.35 * unit(rng.normal(size=(4, d)))
    at, points, of_frames, starts = np.zeros(4), [], [], []
    for place in ORDERS[kind]:
        n = int(rng.integers(11, 15))
        starts.append(len(points))
        for _ in range(n):
            at[place] += 1 / 14
            points.append(places[place] + at[place] * ways[place] + noise * rng.normal(size=d))
            of_frames.append(place)
    x = unit(np.array(points)).astype(np.float32)
    return Made(Trajectory(x, np.arange(len(x)) / 12, f"{kind} {seed}"), np.array(starts), np.array(of_frames), kind)


def films(each: int = 10, *, seed: int = 0, noise: float = 0.01) -> list[Made]:
    """So many films of each kind."""
    return [made(kind, seed + i, noise=noise) for i in range(each) for kind in ORDERS]
