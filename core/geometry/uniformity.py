"""How evenly points lie on the sphere: the log mean Gaussian potential of their pairs (Wang and Isola 2020)."""

from __future__ import annotations

import math

import numpy as np

from core.geometry.jackknife import with_interval
from core.types import Number


def uniformity(x: np.ndarray, cluster: np.ndarray, t: float = 2.0) -> Number:
    """Log mean of exp(-t |u - v|^2) over pairs of the (n, d) unit rows, n >= 2; ``cluster`` (n,) belong together."""
    n, d = x.shape
    value, without = log_potential_without(x, cluster, t)
    return with_interval(value, without, uniformity_by_chance(d, t), n, low=-2 * t * n / (n - 1), high=0)


def log_potential_without(x: np.ndarray, cluster: np.ndarray, t: float = 2.0) -> tuple[float, np.ndarray | None]:
    """The value of `uniformity`, and those without each of c clusters: (c,) float64; None where nothing is left."""
    _, cluster = np.unique(cluster, return_inverse=True)
    value, without = _kernel_means(x, cluster, x, cluster, int(cluster.max()) + 1, t)
    return math.log(value), None if without is None else np.log(without)


def joint_uniformity(x: np.ndarray, of_x: np.ndarray, y: np.ndarray, of_y: np.ndarray, t: float = 2.0) -> Number:
    """Uniformity of two modalities, at least two rows each, that weigh the same whatever their numbers."""
    n, m = len(x), len(y)
    _, cluster = np.unique(np.concatenate([of_x, of_y]), return_inverse=True)
    of_x, of_y, c = cluster[:n], cluster[n:], int(cluster.max()) + 1
    parts = [_kernel_means(*two, c, t) for two in ((x, of_x, x, of_x), (y, of_y, y, of_y), (x, of_x, y, of_y))]
    weights = (0.25, 0.25, 0.5)
    value = sum(weight * mean for weight, (mean, _) in zip(weights, parts))
    left = [part for _, part in parts if part is not None]
    without = np.log(sum(weight * part for weight, part in zip(weights, left))) if len(left) == 3 else None
    fewest = min(n, m)
    return with_interval(math.log(value), without, uniformity_by_chance(x.shape[1], t), n + m,
                         low=-2 * t * fewest / (fewest - 1), high=0)


def _kernel_means(x: np.ndarray, of_x: np.ndarray, y: np.ndarray, of_y: np.ndarray, c: int,
                  t: float) -> tuple[float, np.ndarray | None]:
    """Mean of exp(-t |u - v|^2) over pairs of a row of x and another of y, and without each of c clusters."""
    same, n, m = x is y, len(x), len(y)
    rows, columns, own = np.empty(n), np.zeros(m), np.empty(n)
    for start in range(0, n, 1024):
        part = slice(start, start + 1024)
        kernel = np.exp((2 * t) * (np.clip(x[part] @ y.T, -1, 1) - 1))
        if same:
            kernel[np.arange(len(kernel)), np.arange(n)[part]] = 0
        rows[part] = kernel.sum(axis=1, dtype=np.float64)
        columns += kernel.sum(axis=0, dtype=np.float64)
        own[part] = (kernel * (of_x[part, None] == of_y)).sum(axis=1, dtype=np.float64)
    left_x, left_y = n - np.bincount(of_x, minlength=c), m - np.bincount(of_y, minlength=c)
    count, left = n * (m - same), left_x * (left_y - same)
    if left.min() <= 0:
        return rows.sum() / count, None
    sums = (rows.sum() - np.bincount(of_x, rows, c) - np.bincount(of_y, columns, c) + np.bincount(of_x, own, c))
    return rows.sum() / count, sums / left


def uniformity_by_chance(d: int, t: float = 2.0) -> float:
    """Log mean of exp(-t |u - v|^2) over random directions in ``d`` dimensions: log 0F1(; d/2; t^2) - 2 t."""
    term = total = 1.0
    for k in range(1, 200):
        term *= t * t / (k * (d / 2 + k - 1))
        total += term
    return math.log(total) - 2 * t
