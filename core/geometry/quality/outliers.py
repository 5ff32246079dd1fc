"""Items far from their nearest others."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.directions import angle, unit
from core.geometry.quality.finding import Finding
from core.geometry.quality.neighbours import Neighbours, Progress, Stop, nearest_others
from core.geometry.quality.structureless import WORDS, nearest_by_chance

SHARE, MOST = 0.1, 30
_CHUNK = 4096
_FENCE = 1.5


def outlying(x: np.ndarray, *, neighbours: Neighbours | None = None, k: int | None = None, seed: int = 0,
             on_progress: Progress | None = None, should_stop: Stop | None = None) -> Finding:
    """How far each image lies from its k-th nearest other one, all directions of the set weighed alike.

    What a model does not know it puts near the middle of all that it knows, where every image is near: by plain cosines
    such images are the last to be outliers. So directions count by how far the set spreads along them (whitening), as
    far as so many images can tell: d / n of the mean variance is added to each.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    neighbours
        Of these rows by plain cosines, where they are known already: the nearest is the partner of each.
    k
        Which neighbour: up to k images that are alike, but like no other, are still found. By default a tenth of the
        images, at most 30; all others where there are fewer.
    seed
        Of the search and of the data by chance.
    on_progress, should_stop
        As `nearest_others` takes them.

    Returns
    -------
    Scores in degrees between whitened vectors, NaN for a single image. The threshold is Tukey's upper fence, the upper
    quartile and 1.5 times the distance of the quartiles.

    Raises
    ------
    ShapeError
        If the rows are no unit vectors, the neighbours are of another number of rows, or k is below 1.
    Cancelled
        If asked to stop.

    References
    ----------
    Ramaswamy, Rastogi and Shim, SIGMOD 2000 (distance to the k-th neighbour); Tukey, Exploratory Data Analysis, 1977.
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    check_vectors(x, at_least=0, unit=True)
    n = len(x)
    if neighbours is not None and len(neighbours) != n:
        raise ShapeError(f"neighbours of {n} rows", str(len(neighbours)))
    k = max(1, min(MOST, round(SHARE * n))) if k is None else k
    white = whitened(x)
    near = nearest_others(white, k, seed=seed, on_progress=on_progress, should_stop=should_stop)
    at = min(k, near.k) - 1
    scores, partners = np.full(n, np.nan, np.float32), np.full(n, -1, np.int64)
    if at >= 0:
        partners = (near if neighbours is None else neighbours).rows[:, 0]
        for start in range(0, n, _CHUNK):
            part = slice(start, start + _CHUNK)
            scores[part] = np.degrees(angle(white[part], white[near.rows[part, at]]))
    return Finding("outliers", "image", scores, "high", _fence(scores),
                   f"degrees to the {_nth(max(at + 1, 1))} nearest image, directions weighed alike",
                   degrees(nearest_by_chance(white, at + 1, seed=seed)[:, -1:].ravel()), WORDS, partners)


def whitened(x: np.ndarray) -> np.ndarray:
    """Rows about their mean, of variance alike in all directions of which there is enough: (n, d) float32, unit.

    To each variance d / n of their mean is added: fewer rows tell less of how the set spreads.
    """
    n, d = x.shape
    if n < 2:
        return x
    mean, spread = x.mean(axis=0, dtype=np.float64), np.zeros((d, d))
    for start in range(0, n, _CHUNK):
        rows = x[start:start + _CHUNK] - mean
        spread += rows.T @ rows / n
    values, vectors = np.linalg.eigh(spread)
    by = (vectors / np.sqrt(np.maximum(values, 0) + d / n * max(values.mean(), 1e-12))).astype(np.float32)
    return np.concatenate([_directions((x[i:i + _CHUNK] - mean.astype(np.float32)) @ by) for i in range(0, n, _CHUNK)])


def _directions(rows: np.ndarray) -> np.ndarray:
    """Unit rows; what lies in the middle itself points along the first axis."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    middle = np.eye(1, rows.shape[1], dtype=np.float32)
    return unit(np.where(lengths > 1e-4, rows, middle))


def degrees(cosines: np.ndarray) -> np.ndarray:
    """Angles of cosines, float32 degrees."""
    wide = cosines.astype(np.float64)
    return np.degrees(2 * np.arctan2(np.sqrt(1 - wide), np.sqrt(1 + wide))).astype(np.float32)


def _fence(scores: np.ndarray) -> float:
    known = scores[~np.isnan(scores)]
    if not len(known):
        return 180.0
    low, high = np.percentile(known, [25, 75])
    return float(high + _FENCE * max(high - low, 1e-3))


def _nth(k: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th") if k % 100 not in (11, 12, 13) else "th"
    return f"{k}{ending}"
