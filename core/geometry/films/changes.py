"""How the embedding of one image moves while the image changes continuously: where it is smooth, and where it jumps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.directions import angle
from core.geometry.films.nulls import random_walks
from core.geometry.films.paths import check_frames, exact
from core.geometry.films.trajectory import Trajectory
from core.geometry.rounding import rounding
from core.geometry.threads import one_thread
from core.types import Number

FACTOR = 4.0
FLOOR = math.radians(2)
OVER_NOISE = 3.0
LOCAL = 6
LEAST_BESIDE = 4
DRAWS = 199


@dataclass(frozen=True, eq=False)
class ChangeReport:
    """The path of an image under a change.

    Attributes
    ----------
    name : of the path.
    strengths : (n,) float64, rising, in the unit of the change.
    from_start : (n,) float64, radians from the first image.
    steps : (n - 1,) float64, radians between neighbours.
    rates : (n - 1,) float64, radians per unit of strength.
    local : (n - 1,) float64, median rate of up to 6 steps on either side, without the step itself.
    jumps : (n - 1,) bool, steps of more than 4 times the local rate that are longer than ``floor``.
    off_geodesic : (n,) float64, radians to the great circle through the first and the last image; NaN where these are
        the same or antipodes.
    along : (n,) float64, share of the way from first to last, as the nearest point of that circle has it.
    floor : radians below which no step is a jump: 2 degrees, or 3 times the noise.
    noise : largest angle (radians) between two encodings of the same image; None where it was not measured.
    length, net : radians.
    smoothness : net / length, 1 along a geodesic; null is the mean over 199 random walks of the same steps.
    in_jumps : share of the length that lies in jumps.
    farthest : largest ``off_geodesic``, radians.
    """

    name: str
    strengths: np.ndarray
    from_start: np.ndarray
    steps: np.ndarray
    rates: np.ndarray
    local: np.ndarray
    jumps: np.ndarray
    off_geodesic: np.ndarray
    along: np.ndarray
    floor: float
    noise: float | None
    length: Number
    net: Number
    smoothness: Number
    in_jumps: Number
    farthest: Number


def change_report(path: Trajectory, *, again: np.ndarray | None = None, seed: int = 0) -> ChangeReport:
    """Angles, rates and jumps along the path of an image under a continuous change.

    Parameters
    ----------
    path
        At least 3 images; its times are the strengths of the change.
    again
        (n, d) floats, unit rows: the same images encoded once more, whose angles to the first are noise; or None.
    seed
        Of the random walks.

    Returns
    -------
    ChangeReport. With fewer than 5 steps nothing is called a jump. On 100 smooth closed curves of random shape in 16
    dimensions, sampled at 12 to 200 strengths, no step was called a jump
    (tests/geometry/films/test_changes.py).

    Raises
    ------
    ShapeError
        With fewer than 3 images, or encodings that do not fit them.
    """
    check_frames(path, 3)
    x, noise = exact(path.points), None
    if again is not None:
        again = np.asarray(again)
        check_vectors(again, what="second encodings", unit=True)
        if again.shape != path.points.shape:
            raise ShapeError(f"second encodings of shape {path.points.shape}", f"shape {again.shape}")
        noise = float(angle(x, exact(again)).max())
    steps = angle(x[:-1], x[1:])
    rates = steps / np.diff(path.times)
    floor = max(FLOOR, OVER_NOISE * (noise or 0.0))
    around = local_rates(rates)
    jumps = (steps > floor) & (rates > FACTOR * around)
    off, along = _beside_geodesic(x, rounding(path.points))
    length, net, n = float(steps.sum()), float(angle(x[0], x[-1])), len(path)
    with one_thread():
        walks = random_walks(path, DRAWS, np.random.default_rng(seed))[:, -1]
    moves = length > rounding(path.points)
    by_chance = float(angle(walks, x[0]).mean()) / length if moves else None
    return ChangeReport(
        path.name, path.times, angle(x, x[0]), steps, rates, around, jumps, off, along, floor, noise,
        Number(length, n=n, unit="radians"), Number(net, n=n, unit="radians"),
        Number(net / length if moves else math.nan, null=by_chance, n=n, unit="net / length"),
        Number(float(steps[jumps].sum()) / length if moves else math.nan, n=n - 1, unit="share"),
        Number(float(off.max()), n=n, unit="radians"))


def local_rates(rates: np.ndarray) -> np.ndarray:
    """Median of up to 6 rates on either side of each, itself left out: (m,) -> (m,); infinite beside fewer than 4."""
    m = len(rates)
    padded = np.concatenate([np.full(LOCAL, math.nan), rates, np.full(LOCAL, math.nan)])
    beside = np.lib.stride_tricks.sliding_window_view(padded, 2 * LOCAL + 1)[:, [*range(LOCAL), *range(LOCAL + 1,
                                                                                                       2 * LOCAL + 1)]]
    out = np.full(m, math.inf)
    enough = np.isfinite(beside).sum(axis=1) >= LEAST_BESIDE
    out[enough] = np.nanmedian(beside[enough], axis=1)
    return out


def _beside_geodesic(x: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Angle of each row to the great circle from first to last, and how far along it lies; NaN where there is none."""
    towards = x[-1] - x[0] * (x[0] @ x[-1])
    size = float(np.linalg.norm(towards))
    if size <= least:
        return np.full(len(x), math.nan), np.full(len(x), math.nan)
    towards /= size
    forth, up = x @ x[0], x @ towards
    away = np.linalg.norm(x - forth[:, None] * x[0] - up[:, None] * towards, axis=1)
    return np.arctan2(away, np.hypot(forth, up)), np.arctan2(up, forth) / float(angle(x[0], x[-1]))
