"""Items far from their nearest others."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.directions import angle, unit
from core.geometry.quality.finding import Finding
from core.geometry.quality.neighbours import Neighbours, Progress, Stop, nearest_others
from core.geometry.quality.structureless import WORDS, structureless

SHARE, MOST, PLAIN = 0.1, 30, 10
FENCE, FEWEST = 2.0, 8
MOST_BY_CHANCE = 2000
UNIT = "distances of the quartiles above the median angle"
_CHUNK = 4096
_LEAST_SPREAD = 0.01   # degrees


def outlying(x: np.ndarray, *, neighbours: Neighbours | None = None, k: int | None = None, seed: int = 0,
             on_progress: Progress | None = None, should_stop: Stop | None = None) -> Finding:
    """How much farther each image lies from its nearest others than the rest of the set does, by two angles.

    The plain angle tells what lies outside of all. What a model does not know it puts into the middle of all that it
    knows, where every image is near: there tells the angle between whitened vectors, whose directions count by how far
    the set spreads along them. But where outliers are many for so few images, they are that spread, and the plain angle
    tells. So of both the one counts that is the odder in its set: the angle less its median, in distances of the
    quartiles.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    neighbours
        Of these rows by plain cosines, where they are known already.
    k
        Which neighbour: up to k images that are alike, but like no other, are still found. By default a tenth of the
        images, at most 30, and of the plain angle at most 10; all others where there are fewer.
    seed
        Of the search and of the data by chance.
    on_progress, should_stop
        As `nearest_others` takes them.

    Returns
    -------
    Scores are NaN for a single image. The threshold is 2, which is Tukey's upper fence where the quartiles lie evenly
    about the median; beyond all scores of fewer than 8 images, whose quartiles tell nothing. Null: the same of up to
    2,000 vectors with the same mean and covariance, otherwise random.

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
    near = nearest_others(x, min(k, PLAIN), seed=seed, should_stop=should_stop) if neighbours is None else neighbours
    white = whitened(x)
    far = nearest_others(white, k, seed=seed, on_progress=on_progress, should_stop=should_stop)
    if not far.k:
        nothing = np.full(n, np.nan, np.float32)
        return Finding("outliers", "image", nothing, "high", FENCE, UNIT, partners=np.full(n, -1, np.int64))
    plain, weighed = _kth(x, near, min(k, PLAIN)), _kth(white, far, k)
    drawn = np.concatenate(list(structureless(x, min(n, MOST_BY_CHANCE), np.random.default_rng(seed))))
    pale = whitened(drawn)
    by_chance = np.maximum(*map(_beyond, (_kth(drawn, nearest_others(drawn, min(k, PLAIN)), min(k, PLAIN)),
                                          _kth(pale, nearest_others(pale, k), k))))
    said = tuple(f"{a:.1f}° to the {_nth(min(k, PLAIN, near.k))} nearest image, {b:.1f}° to the {_nth(min(k, far.k))} "
                 "with all directions weighed alike" for a, b in zip(plain.tolist(), weighed.tolist()))
    scores = np.maximum(_beyond(plain), _beyond(weighed))
    threshold = FENCE if n >= FEWEST else max(FENCE, 1.1 * float(scores.max()))
    return Finding("outliers", "image", scores, "high", threshold, UNIT, by_chance, WORDS, near.rows[:, 0],
                   evidence=said)


def _kth(x: np.ndarray, near: Neighbours, k: int) -> np.ndarray:
    """(n,) degrees to the k-th nearest other row, or to the last one known."""
    to = near.rows[:, min(k, near.k) - 1]
    return np.concatenate([np.degrees(angle(x[i:i + _CHUNK], x[to[i:i + _CHUNK]])) for i in range(0, len(x), _CHUNK)])


def _beyond(degrees: np.ndarray) -> np.ndarray:
    """(n,) float32, how far above the median, in distances of the quartiles."""
    low, middle, high = np.quantile(degrees, [0.25, 0.5, 0.75])
    return ((degrees - middle) / max(high - low, _LEAST_SPREAD)).astype(np.float32)


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
    white = np.empty((n, d), np.float32)
    for start in range(0, n, _CHUNK):
        white[start:start + _CHUNK] = _directions((x[start:start + _CHUNK] - mean.astype(np.float32)) @ by)
    return white


def _directions(rows: np.ndarray) -> np.ndarray:
    """Unit rows; what lies in the middle itself points along the first axis."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    middle = np.eye(1, rows.shape[1], dtype=np.float32)
    return unit(np.where(lengths > 1e-4, rows, middle))


def _nth(k: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th") if k % 100 not in (11, 12, 13) else "th"
    return f"{k}{ending}"
