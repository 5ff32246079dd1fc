"""How far two ways of grouping the same frames agree."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError


def adjusted_rand(a: np.ndarray, b: np.ndarray) -> float:
    """Adjusted Rand index of two groupings: 1 where they are the same, 0 on average for groups drawn at random.

    Parameters
    ----------
    a, b : (n,) int, groups of the same n items, n at least 1.

    Raises
    ------
    ShapeError
        If they are not of the same items.

    References
    ----------
    Hubert and Arabie, Journal of Classification 2, 1985.
    """
    table = shared(a, b)
    both, rows, columns = (_pairs(v) for v in (table, table.sum(axis=1), table.sum(axis=0)))
    expected, most = rows * columns / max(_pairs(table.sum()), 1.0), (rows + columns) / 2
    return 1.0 if most == expected else float((both - expected) / (most - expected))


def shared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Items that each group of ``a`` (rows) shares with each of ``b`` (columns), both in rising order: int64."""
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ShapeError("two groupings of the same items, one or more", f"shapes {a.shape} and {b.shape}")
    rows, columns = (np.unique(v, return_inverse=True)[1] for v in (a, b))
    out = np.zeros((rows.max() + 1, columns.max() + 1), dtype=np.int64)
    np.add.at(out, (rows, columns), 1)
    return out


def _pairs(counts: np.ndarray) -> float:
    counts = np.asarray(counts, dtype=np.float64)
    return float((counts * (counts - 1) / 2).sum())
