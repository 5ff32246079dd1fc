"""Jackknife over clusters of points that belong together: an image with all its texts is left out at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.types import Number

CHUNK = 4096


def clusters(sizes: list[int], links: np.ndarray) -> list[np.ndarray]:
    """Cluster of each image and of each text: what links join is one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, m = sizes
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1] + n)), shape=(n + m, n + m))
    _, labels = connected_components(graph, directed=False)
    return [labels[:n], labels[n:]]


def with_interval(value: float, without: np.ndarray | None, null: float, n: int, unit: str = "",
            low: float = -math.inf, high: float = math.inf) -> Number:
    """A number with the interval that its values without each cluster give."""
    if without is None or len(without) < 3 or not np.isfinite(without).all() or not math.isfinite(value):
        return Number(value, null=null, n=n, unit=unit)
    c = len(without)
    half = student(c - 1) * math.sqrt((c - 1) / c * float(((without - without.mean()) ** 2).sum()))
    return Number(value, max(value - half, low), min(value + half, high), null, n, unit)


def student(freedom: int) -> float:
    """97.5 % point of Student's distribution with ``freedom`` degrees of freedom, at least 1."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


@dataclass(frozen=True)
class ClusterSums:
    """Sum of the rows of each cluster, as far as statistics of means need it."""

    whole: np.ndarray
    counts: np.ndarray
    with_whole: np.ndarray
    squares: np.ndarray
    rows: Callable[[int, int], np.ndarray]


def cluster_sums(x: np.ndarray, cluster: np.ndarray, n_clusters: int) -> ClusterSums:
    from scipy.sparse import csr_array

    member = csr_array((np.ones(len(x), dtype=x.dtype), (cluster, np.arange(len(x)))), shape=(n_clusters, len(x)))
    whole = x.sum(axis=0, dtype=np.float64)
    with_whole, squares = np.empty(n_clusters), np.empty(n_clusters)

    def rows(start: int, stop: int) -> np.ndarray:
        return np.asarray(member[start:stop] @ x, dtype=np.float64)

    for start in range(0, n_clusters, CHUNK):
        part = rows(start, start + CHUNK)
        with_whole[start:start + CHUNK] = part @ whole
        squares[start:start + CHUNK] = (part * part).sum(axis=1)
    return ClusterSums(whole, np.bincount(cluster, minlength=n_clusters), with_whole, squares, rows)
