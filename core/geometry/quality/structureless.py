"""Data without structure, of the mean and covariance of what is looked at: what nearest items are like by chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

MOST_LOOKED_AT = 1000
_BLOCK = 8192

WORDS = "as many vectors with the same mean and covariance, otherwise random"


def structureless(x: np.ndarray, n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """n unit rows, some at a time, drawn from a normal distribution with the mean and covariance of (m, d) unit rows.

    Their length is made 1 after they are drawn.
    """
    mean = x.mean(axis=0, dtype=np.float64)
    spread = np.zeros((x.shape[1], x.shape[1]))
    for start in range(0, len(x), _BLOCK):
        rows = x[start:start + _BLOCK] - mean.astype(x.dtype)
        spread += rows.T @ rows
    values, vectors = np.linalg.eigh(spread / len(x))
    root = (vectors * np.sqrt(np.maximum(values, 0))).T.astype(np.float32)
    for start in range(0, n, _BLOCK):
        rows = rng.standard_normal((min(_BLOCK, n - start), x.shape[1]), dtype=np.float32) @ root
        rows += mean.astype(np.float32)
        yield rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12)


def nearest_by_chance(x: np.ndarray, k: int, *, seed: int = 0) -> np.ndarray:
    """Cosines to the k nearest of n structureless rows, of up to 1,000 of them: (m, k) float32, falling.

    Parameters
    ----------
    x
        (n, d) floats, unit rows; fewer than two give none.
    k
        All others where there are fewer.
    seed
        Of the rows that are drawn.
    """
    n = len(x)
    k = min(k, n - 1)
    if k < 1:
        return np.zeros((0, max(k, 0)), np.float32)
    looked, best = np.zeros((0, x.shape[1]), np.float32), np.zeros((min(n, MOST_LOOKED_AT), 0), np.float32)
    for turn, rows in enumerate(structureless(x, n, np.random.default_rng(seed))):
        if turn == 0:
            looked = rows[:MOST_LOOKED_AT]
        found = looked @ rows.T
        if turn == 0:
            found[np.arange(len(looked)), np.arange(len(looked))] = -np.inf
        best = np.concatenate([best, _largest(found, k)], axis=1)
    return np.clip(-np.sort(-best, axis=1)[:, :k], -1, 1)


def _largest(found: np.ndarray, k: int) -> np.ndarray:
    """The k largest of each row, in no order."""
    if k == 1:
        return found.max(axis=1, keepdims=True)
    width = found.shape[1]
    return np.partition(found, width - k, axis=1)[:, width - k:] if width > k else found
