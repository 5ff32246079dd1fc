"""Jackknife over clusters of points that belong together: an image with all its texts is left out at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from core.geometry.intervals import proportion
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


def with_interval(value: float, without: np.ndarray | None, null: float | None, n: int, unit: str = "",
                  low: float = -math.inf, high: float = math.inf) -> Number:
    """A number with the interval that its values without each cluster give."""
    if without is None or len(without) < 3 or not np.isfinite(without).all() or not math.isfinite(value):
        return Number(value, null=null, n=n, unit=unit)
    c = len(without)
    half = student(c - 1) * math.sqrt((c - 1) / c * float(((without - without.mean()) ** 2).sum()))
    return Number(value, max(value - half, low), min(value + half, high), null, n, unit)


def bounded(value: float, without: np.ndarray, by_chance: float | None, *, most: float = math.inf,
            unit: str = "") -> Number:
    """A score that is at most 1, with Wilson's interval of as many independent trials as its jackknife error is worth.

    Few items are wrong, and those by much: where Student's interval of the jackknife covers 87 to 95 %, this one covers
    92 to 96 % (simulated, of 12 and 60 films), and a perfect score is not certain. Below 0 it is Student's.

    Parameters
    ----------
    value : of all items.
    without : (items,) floats, without each item.
    by_chance : the same by chance.
    most : trials that it can be worth at most, where few of the items decide.
    unit : of the score.
    """
    n = len(without)
    error = (n - 1) / n * float(((without - without.mean()) ** 2).sum())
    if value <= 0:
        return with_interval(value, without, by_chance, n, unit, low=-1, high=1)
    worth = max(value * (1 - value) / error, 1.0) if error > 0 and value < 1 else n
    worth = max(min(worth, most), 1.0)
    known = proportion(min(value, 1.0) * worth, worth)
    return Number(value, known.low, known.high, by_chance, n, unit)


def share_by(hits: np.ndarray, together: np.ndarray, chance: float) -> Number:
    """The mean of hits, with an interval by what belongs together.

    Parameters
    ----------
    hits : (q,) floats in [0, 1].
    together : (q,) int, the same for hits on one item, such as a picture.
    chance : the mean by chance.

    Returns
    -------
    Share with n = q; the interval is Wilson's of as many trials as the jackknife over items is worth.
    """
    labels = np.unique(together, return_inverse=True)[1]
    sums, counts = np.bincount(labels, hits), np.bincount(labels)
    without = (hits.sum() - sums) / np.maximum(len(hits) - counts, 1)
    if not hits.any():
        return replace(proportion(0, len(counts), null=chance), n=len(hits))
    number = bounded(float(hits.mean()), without, chance, most=len(hits), unit="share")
    return replace(number, n=len(hits))


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
