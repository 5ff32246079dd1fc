"""Seeded samples of points."""

from __future__ import annotations

import numpy as np


def spread_sample(x: np.ndarray, size: int, *, seed: int = 0) -> np.ndarray:
    """Rows spread evenly from the most to the least typical, the same whatever their order or a rotation.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    size
        At most so many rows.
    seed
        Where in each stretch the row is taken.

    Returns
    -------
    (min(n, size),) int64, in order of their cosine to the mean.
    """
    x = np.asarray(x)
    key = x @ x.mean(axis=0, dtype=np.float64)
    order = np.argsort(key, kind="stable")
    if len(x) <= size:
        return order
    stretch = len(x) / size
    offset = np.random.default_rng(seed).uniform(0, stretch)
    return order[np.minimum((np.arange(size) * stretch + offset).astype(np.int64), len(x) - 1)]
