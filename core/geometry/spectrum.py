"""How many directions vectors fill: the exponential of the entropy of a spectrum, and what it is without each item."""

from __future__ import annotations

import math

import numpy as np

from core.geometry.jackknife import CHUNK, with_interval
from core.geometry.rounding import rounding
from core.types import Number

ROWS_A_DIMENSION = 4   # from which on the interval covers


def effective_rank(x: np.ndarray) -> float:
    """Exp of the entropy of the shares of variance of the centred rows: (n, d) floats -> in [1, min(n - 1, d)]."""
    values, _ = spectrum(np.asarray(x))
    return float(np.exp(entropy(values)))


def spectrum(x: np.ndarray, *, centred: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of the scatter about the mean, or about 0, growing, and eigenvectors in columns."""
    mean = x.mean(axis=0, dtype=np.float64) if centred else np.zeros(x.shape[1])
    gram = np.zeros((x.shape[1], x.shape[1]))
    for start in range(0, len(x), 2 * CHUNK):
        rows = x[start:start + 2 * CHUNK].astype(np.float64) - mean
        gram += rows.T @ rows
    values, vectors = np.linalg.eigh(gram)
    return np.maximum(values, 0), vectors


def entropy(values: np.ndarray) -> float:
    """Of the shares of values, 0 or more, in their sum, in nats."""
    share = values / values.sum()
    share = share[share > 1e-15]
    return float(-(share * np.log(share)).sum())


def directions_filled(x: np.ndarray, cluster: np.ndarray, *, centred: bool = True, unit: str = "") -> Number | None:
    """Exp of the entropy of the spectrum, beside that of random directions.

    Parameters
    ----------
    x
        (n, d) floats, unit rows, n >= 1.
    cluster
        (n,) int, the same for rows that belong together.
    centred
        About the mean (effective rank), or about 0 (Vendi score with cosines: what is alike counts as one).
    unit
        Of the number.

    Returns
    -------
    With an interval where there are at least four clusters for a dimension, so that it covers; None where nothing is
    left about the mean.

    References
    ----------
    Roy and Vetterli, EUSIPCO 2007 (effective rank); Friedman and Dieng, TMLR 2023, arXiv:2210.02410 (Vendi score);
    Page, Phys. Rev. Lett. 71, 1993 (mean entropy of the spectrum of random directions).
    """
    n, d = x.shape
    _, cluster = np.unique(cluster, return_inverse=True)
    values, vectors = spectrum(x, centred=centred)
    if values.sum() <= rounding(x, d) ** 2 * n:
        return None
    free = n - centred
    most = min(free, d)
    chance = max(most * math.exp(-most / (2 * max(free, d))), 1.0)
    c = int(cluster.max()) + 1
    without = _without(x, cluster, c, values, vectors, centred) if c >= ROWS_A_DIMENSION * d else None
    return with_interval(math.exp(entropy(values)), without, chance, n, unit, low=1, high=most)


def _without(x: np.ndarray, cluster: np.ndarray, c: int, values: np.ndarray, vectors: np.ndarray,
             centred: bool) -> np.ndarray:
    """The number without each cluster, to first order in what the cluster adds to each eigenvalue."""
    mean = x.mean(axis=0, dtype=np.float64) if centred else np.zeros(x.shape[1])
    total, whole = float(values.sum()), entropy(values)
    slope = -(np.log(np.maximum(values / total, 1e-15)) + whole) / total
    added = np.empty(len(x))
    for start in range(0, len(x), CHUNK):
        along = (x[start:start + CHUNK] - mean.astype(x.dtype)) @ vectors.astype(x.dtype)
        added[start:start + CHUNK] = (along**2) @ slope
    return np.exp(whole) * (1 - np.bincount(cluster, weights=added, minlength=c))
