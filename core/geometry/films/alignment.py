"""Two paths laid along each other: dynamic time warping and the discrete Fréchet distance, on angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.directions import angles
from core.geometry.films.trajectory import Trajectory

FRAMES = 200
MOST_FRAMES = 4000
_STEP = 2.0**-20   # costs are multiples of it, so that sums of as many are exact and equal ways count as equal
_PAIR = 2.0**-34   # less than a step for as many pairs as a way can have


@dataclass(frozen=True, eq=False)
class Alignment:
    """How two films go along each other.

    Attributes
    ----------
    names : of both films.
    rows : for each film, (k,) int64, the frames that were compared, evenly in time.
    times : for each film, (k,) float64, their seconds.
    cost : (k, m) float32, radians, angles between the frames of the first (rows) and the second (columns).
    way : (pairs, 2) int64, the aligned pairs of rows and columns of ``cost``, in order.
    warped : radians, mean angle of the aligned pairs (dynamic time warping).
    frechet : radians, the largest angle of the pairs where that is smallest (discrete Fréchet distance).
    """

    names: tuple[str, str]
    rows: tuple[np.ndarray, np.ndarray]
    times: tuple[np.ndarray, np.ndarray]
    cost: np.ndarray
    way: np.ndarray
    warped: float
    frechet: float


def evenly_in_time(path: Trajectory, frames: int = FRAMES) -> np.ndarray:
    """Frames nearest to times that are evenly spread over a film.

    Even in time, not along the path: a film that dwells counts its dwelling, and films of unsteady frame rate compare.

    Parameters
    ----------
    path
        n frames.
    frames
        How many, from 1 to 4,000; of a shorter film some are taken more than once.

    Returns
    -------
    (frames,) int64, not falling.
    """
    if not 1 <= frames <= MOST_FRAMES:
        raise ShapeError(f"from 1 to {MOST_FRAMES:,} frames to compare", f"{frames:,}")
    wanted = np.linspace(path.times[0], path.times[-1], frames)
    return np.searchsorted((path.times[:-1] + path.times[1:]) / 2, wanted).astype(np.int64)


def costs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles between unit rows, to a millionth of a radian: (k, d), (m, d) -> (k, m) float64."""
    a, b = (np.asarray(x, dtype=np.float64) for x in (a, b))
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return np.round(angles(a, b) / _STEP) * _STEP


def align(a: Trajectory, b: Trajectory, *, frames: int = FRAMES) -> Alignment:
    """Lay two films along each other.

    Parameters
    ----------
    a, b
        Films by the same model.
    frames
        Of each film that are compared at most, evenly in time; time and memory grow with their square.

    Returns
    -------
    Alignment; the same both ways round, zero for a film with itself, and the same after a rotation of the sphere.

    Raises
    ------
    ShapeError
        If the films lie on spheres of different dimension.

    References
    ----------
    Sakoe and Chiba, IEEE Trans. ASSP 26, 1978; Eiter and Mannila, TU Wien CD-TR 94/64, 1994.
    """
    if a.points.shape[1] != b.points.shape[1]:
        raise ShapeError("two films by one model", f"{a.points.shape[1]} and {b.points.shape[1]} dimensions",
                         "Embed both with the same model.")
    rows = tuple(evenly_in_time(path, min(frames, len(path))) for path in (a, b))
    cost = costs(a.points[rows[0]], b.points[rows[1]])
    way = _way(cost)
    return Alignment((a.name, b.name), (rows[0], rows[1]), (a.times[rows[0]], b.times[rows[1]]),
                     cost.astype(np.float32), way, float(cost[way[:, 0], way[:, 1]].mean()),
                     float(frechet_distances(cost[None])[0]))


def warped_distances(cost: np.ndarray) -> np.ndarray:
    """Mean angle of aligned pairs, for several pairs of films at once.

    Parameters
    ----------
    cost : (p, k, m) float64, radians, as `costs` gives them.

    Returns
    -------
    (p,) float64: the least sum of angles along a way from the first pair of frames to the last, each step going on in
    one film or in both, over the number of pairs on it, the fewest where several ways cost the same.
    """
    last = _accumulated(cost)[-1][0]
    total = np.round(last / _STEP) * _STEP
    return total / np.round((last - total) / _PAIR)


def frechet_distances(cost: np.ndarray) -> np.ndarray:
    """Discrete Fréchet distances, for several pairs of films at once: (p, k, m) -> (p,) float64, radians."""
    return _accumulated(cost, largest=True)[-1][0]


def _accumulated(cost: np.ndarray, *, largest: bool = False, keep: bool = False) -> list[np.ndarray]:
    """Least sums (or least largest costs) up to the cells of each anti-diagonal, from its first row on.

    Sums count a `_PAIR` for each cell as well, less than any angle: of ways that cost the same the shortest is least.
    Cell (i, j) of anti-diagonal i + j is reached from (i - 1, j) and (i, j - 1) of the one before it, and from
    (i - 1, j - 1) of the one before that; row i + 1 of a buffer is row i, so that row 0 lies outside. Returned are
    (cells, p) float64, of the last anti-diagonal alone unless ``keep``. Pairs of films stand last: 0.15 ms a pair of
    200 frames where 32 go together, 2.7 ms one by one.
    """
    p, k, m = cost.shape
    cells = cost.transpose(1, 2, 0).astype(np.float64, order="C", copy=True).reshape(k * m, p)
    if not largest:
        cells += _PAIR
    before, last, now = (np.full((k + 1, p), np.inf) for _ in range(3))
    kept: list[np.ndarray] = []
    for d in range(k + m - 1):
        low, high = max(0, d - m + 1), min(k - 1, d)
        first = low * m + d - low
        here = cells[first:first + (high - low) * (m - 1) + 1:max(m - 1, 1)]
        now[:] = np.inf
        out = now[low + 1:high + 2]
        np.minimum(last[low:high + 1], last[low + 1:high + 2], out=out)
        np.minimum(out, before[low:high + 1], out=out)
        if d == 0:
            out[:] = 0
        (np.maximum if largest else np.add)(out, here, out=out)
        if keep or d == k + m - 2:
            kept.append(out.copy())
        before, last, now = last, now, before
    return kept


def _way(cost: np.ndarray) -> np.ndarray:
    """The aligned pairs of one pair of films, back from the end: (pairs, 2) int64."""
    k, m = cost.shape
    kept = _accumulated(cost[None], keep=True)

    def at(i: int, j: int) -> float:
        return np.inf if i < 0 or j < 0 else float(kept[i + j][i - max(0, i + j - m + 1), 0])

    i, j = k - 1, m - 1
    way = [(i, j)]
    while (i, j) != (0, 0):
        i, j = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda cell: at(*cell))
        way.append((i, j))
    return np.array(way[::-1], dtype=np.int64)
