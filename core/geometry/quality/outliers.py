"""Items far from their nearest others."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.directions import angle
from core.geometry.quality.finding import Finding
from core.geometry.quality.neighbours import Neighbours, nearest_others
from core.geometry.quality.structureless import WORDS, nearest_by_chance

_CHUNK = 4096
_FENCE = 1.5


def outlying(x: np.ndarray, *, neighbours: Neighbours | None = None, k: int = 10, seed: int = 0) -> Finding:
    """How far each image lies from its k-th nearest other one.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    neighbours
        Of these rows, where they are known already; their k is taken if it is smaller.
    k
        Which neighbour: up to k images that are alike, but like no other, are still found. All others where there are
        fewer.
    seed
        Of the search and of the data by chance.

    Returns
    -------
    Scores in degrees, NaN for a single image. The threshold is Tukey's upper fence, the upper quartile and 1.5 times
    the distance of the quartiles.

    Raises
    ------
    ShapeError
        If the rows are no unit vectors, or the neighbours are of another number of rows.

    References
    ----------
    Ramaswamy, Rastogi and Shim, SIGMOD 2000 (distance to the k-th neighbour); Tukey, Exploratory Data Analysis, 1977.
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    check_vectors(x, at_least=0, unit=True)
    near = nearest_others(x, k, seed=seed) if neighbours is None else neighbours
    if len(near) != len(x):
        raise ShapeError(f"neighbours of {len(x)} rows", str(len(near)))
    at = min(k, near.k) - 1
    scores, partners = np.full(len(x), np.nan, np.float32), np.full(len(x), -1, np.int64)
    if at >= 0:
        partners = near.rows[:, 0]
        for start in range(0, len(x), _CHUNK):
            part = slice(start, start + _CHUNK)
            scores[part] = np.degrees(angle(x[part], x[near.rows[part, at]]))
    return Finding("outliers", "image", scores, "high", _fence(scores),
                   f"degrees to the {_nth(max(at + 1, 1))} nearest image",
                   degrees(nearest_by_chance(x, at + 1, seed=seed)[:, -1:].ravel()), WORDS, partners)


def degrees(cosines: np.ndarray) -> np.ndarray:
    """Angles of cosines, float32 degrees."""
    wide = cosines.astype(np.float64)
    return np.degrees(2 * np.arctan2(np.sqrt(1 - wide), np.sqrt(1 + wide))).astype(np.float32)


def _fence(scores: np.ndarray) -> float:
    known = scores[~np.isnan(scores)]
    if not len(known):
        return 180.0
    low, high = np.percentile(known, [25, 75])
    return float(min(high + _FENCE * max(high - low, 1e-3), 180.0))


def _nth(k: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th") if k % 100 not in (11, 12, 13) else "th"
    return f"{k}{ending}"
