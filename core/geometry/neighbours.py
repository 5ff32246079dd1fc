"""Nearest vectors, and how a cosine compares with those of pairs that do not belong together."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError, check_vectors

_BLOCK = 16_384


def nearest(query: np.ndarray, x: np.ndarray, k: int, *, leave_out: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The k rows of ``x`` with the largest cosine to one vector.

    Parameters
    ----------
    query
        (d,) unit.
    x
        (n, d) unit rows.
    k
        How many, >= 0; fewer come back where ``x`` has fewer.
    leave_out
        A row that does not count, such as the query itself.

    Returns
    -------
    indices (m,) int64 and cosines (m,) float32, largest first; equal cosines in the order of the rows.

    Raises
    ------
    ShapeError
        If the dimensions differ.
    """
    check_vectors(x, at_least=0)
    if query.shape != x.shape[1:]:
        raise ShapeError(f"a vector of {x.shape[1]} dimensions", f"shape {query.shape}")
    cosines = np.concatenate([x[i:i + _BLOCK] @ query for i in range(0, len(x), _BLOCK)] or [np.zeros(0, x.dtype)])
    if leave_out is not None:
        cosines[leave_out] = -np.inf
    k = min(k, len(x) - (leave_out is not None))
    if k <= 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    threshold = np.partition(cosines, len(cosines) - k)[len(cosines) - k]
    candidates = np.flatnonzero(cosines >= threshold)
    order = candidates[np.argsort(-cosines[candidates], kind="stable")][:k]
    return order, cosines[order].astype(np.float32)


def unmatched_cosines(a: np.ndarray, b: np.ndarray, links: np.ndarray | None = None, *, seed: int = 0,
                      size: int = 20_000) -> np.ndarray:
    """Sorted cosines of random pairs that do not belong together: what a cosine is to be compared with.

    Parameters
    ----------
    a, b
        (n, d) and (m, d) unit rows; the same array for pairs within one set, where a row is never paired with itself.
    links
        (p, 2) rows (index in a, index in b) that belong together and are left out.
    seed
        Of the sample.
    size
        Pairs to draw; all of them where there are no more.

    Returns
    -------
    (s,) float32, growing; empty where every pair belongs together.
    """
    check_vectors(a, at_least=0)
    check_vectors(b, at_least=0)
    if a.shape[1] != b.shape[1]:
        raise ShapeError("two sets of one dimension", f"{a.shape[1]} and {b.shape[1]} dimensions")
    n, m = len(a), len(b)
    if n * m == 0:
        return np.zeros(0, dtype=np.float32)
    if n * m <= size:
        rows, columns = (part.ravel() for part in np.indices((n, m)))
    else:
        rng = np.random.default_rng(seed)
        rows, columns = rng.integers(n, size=size), rng.integers(m, size=size)
    keep = rows != columns if a is b else np.ones(len(rows), dtype=bool)
    if links is not None and len(links):
        taken = np.unique(links[:, 0].astype(np.int64) * m + links[:, 1])
        keep &= ~np.isin(rows.astype(np.int64) * m + columns, taken)
    rows, columns = rows[keep], columns[keep]
    parts = [np.einsum("ij,ij->i", a[rows[i:i + _BLOCK]], b[columns[i:i + _BLOCK]])
             for i in range(0, len(rows), _BLOCK)]
    return np.sort(np.concatenate(parts or [np.zeros(0)]).astype(np.float32))


def percentile(value: float, among: np.ndarray) -> float:
    """Share of sorted numbers below ``value``, ties counted half, in percent; NaN where there are none."""
    if not len(among):
        return float("nan")
    below, up_to = np.searchsorted(among, value, "left"), np.searchsorted(among, value, "right")
    return 100.0 * float(below + up_to) / (2 * len(among))
