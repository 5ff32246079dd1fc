"""Are images and texts two samples of one distribution? Maximum mean discrepancy and linear separability."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.geometry.gap.parts import cluster_labels
from core.geometry.intervals import proportion
from core.geometry.jackknife import with_interval
from core.geometry.kernels import MOST_FOR_MEDIAN, kernel_sums, median_distance, squared_mmd
from core.geometry.pairs import Pairs
from core.geometry.rounding import rounding
from core.geometry.samples import spread_sample
from core.types import Number

FOLDS = 5
_ABOUT_MEDIAN = (0.45, 0.5, 0.55)
_STEP = 0.01


def mmd(pairs: Pairs) -> Number | None:
    """Unbiased squared MMD of images and texts at the median distance; None where it is not defined.

    What belongs together is alike whatever the modality: all pairs of points inside one cluster (an image with its
    texts) are left out, across the modalities and within each, so that pairs of one distribution have 0 in expectation.
    The 95 % interval is a jackknife over clusters, which also move the median distance; the null is 0, its expectation
    when image and text are swapped within pairs.
    """
    x, y = pairs.images, pairs.texts
    if min(len(x), len(y)) < 2 or (bandwidth := median_distance(x, y)) ** 2 < rounding(x, x.shape[1]):
        return None
    of_x, of_y, c = cluster_labels(pairs)
    total, left = 0.0, np.zeros(c)
    for a, b, of_a, of_b, factor in ((x, x, of_x, of_x, 1), (y, y, of_y, of_y, 1), (x, y, of_x, of_y, -2)):
        rows, columns, own = kernel_sums(a, b, bandwidth, of_a, of_b)
        inside = np.bincount(of_a, own, c)
        by_cluster = np.bincount(of_a, rows, c) + np.bincount(of_b, columns, c) - 2 * inside
        sizes_a, sizes_b = np.bincount(of_a, minlength=c), np.bincount(of_b, minlength=c)
        counts = sizes_a * (len(b) - sizes_b) + sizes_b * (len(a) - sizes_a)
        whole, count = by_cluster.sum() / 2, counts.sum() / 2
        if not count:
            return None
        total += factor * whole / count
        with np.errstate(all="ignore"):
            left += factor * (whole - by_cluster) / (count - counts)
    left += _by_bandwidth(x, y, of_x, of_y, c, bandwidth)
    return with_interval(float(total), left, 0.0, min(len(x), len(y)))


def _by_bandwidth(x: np.ndarray, y: np.ndarray, of_x: np.ndarray, of_y: np.ndarray, c: int,
                  bandwidth: float) -> np.ndarray:
    """What the MMD without each of c clusters has from the median distance without it, to first order: (c,)."""
    a, b = (spread_sample(part, MOST_FOR_MEDIAN) for part in (x, y))
    z, of = np.concatenate([x[a], y[b]]).astype(np.float64), np.concatenate([of_x[a], of_y[b]])
    cosines = z @ z.T
    low, middle, high = np.quantile(cosines[np.triu_indices(len(z), 1)], _ABOUT_MEDIAN)
    above = np.bincount(of, np.sign(cosines - middle).sum(axis=1), c)
    pairs_in_between = (_ABOUT_MEDIAN[2] - _ABOUT_MEDIAN[0]) * len(z) * (len(z) - 1) / 2
    moved = above / 2 * (high - low) / pairs_in_between / bandwidth
    near, far = (squared_mmd(x[a], y[b], bandwidth=bandwidth * (1 + way * _STEP)) for way in (-1, 1))
    return (far - near) / (2 * _STEP * bandwidth) * moved


def separability(pairs: Pairs, *, seed: int = 0) -> Number | None:
    """Share of held-out points that a linear boundary puts on the right side, both modalities weighing the same.

    Ridge regression onto the modality, fitted on four fifths of the clusters (an image with its texts) and scored on
    the last fifth, five times. None with fewer than five clusters, or no two points in a modality.

    Returns
    -------
    Share in [0, 1]; Wilson's interval over clusters; the null, 0.5, is that of shuffled labels.
    """
    x, y = pairs.images, pairs.texts
    of_x, of_y, c = cluster_labels(pairs)
    if c < FOLDS or min(len(x), len(y)) < 2:
        return None
    fold = np.random.default_rng(seed).permutation(c) % FOLDS
    z = np.concatenate([x, y])
    folds = np.concatenate([fold[of_x], fold[of_y]])
    side = np.repeat([1.0, -1.0], [len(x), len(y)])
    weight = np.repeat([0.5 / len(x), 0.5 / len(y)], [len(x), len(y)])
    parts = [_moments(z[folds == f], side[folds == f], weight[folds == f]) for f in range(FOLDS)]
    right = np.zeros(len(z))
    for f in range(FOLDS):
        direction, offset = _boundary([np.sum(p, axis=0) for p in zip(*(parts[g] for g in range(FOLDS) if g != f))],
                                      rounding(z))
        scores = z[folds == f] @ direction - offset
        right[folds == f] = np.where(np.abs(scores) < rounding(z), 0.5, np.sign(scores) == side[folds == f])
    value = float(right[:len(x)].mean() + right[len(x):].mean()) / 2
    n = min(len(x), len(y), c)
    return proportion(value * n, n, null=0.5)


def _moments(z: np.ndarray, side: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, ...]:
    z = z.astype(np.float64)
    weighted = z * weight[:, None]
    return weighted.T @ z, weighted.sum(axis=0), weighted.T @ side, weight.sum(), weight @ side


def _boundary(sums: list[Any], least: float) -> tuple[np.ndarray, float]:
    """Direction and offset; no direction where the two means are equal but for rounding."""
    squares, mean, with_side, total, side = sums
    mean, side = mean / total, side / total
    scatter = squares / total - np.outer(mean, mean)
    ridge = 1e-3 * max(np.trace(scatter) / len(mean), 1e-12)
    apart = with_side / total - side * mean
    apart = apart * (np.linalg.norm(apart) > least)
    direction = np.linalg.solve(scatter + ridge * np.eye(len(mean)), apart)
    return direction, float(mean @ direction - side)
