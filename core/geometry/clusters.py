"""Groups of points on the sphere: spherical k-means, and HDBSCAN for as many groups as there are."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.rounding import rounding
from core.geometry.samples import spread_sample

MOST_FITTED = 5000
_CHUNK = 8192


def spherical_kmeans(x: np.ndarray, k: int, *, seed: int = 0, starts: int = 3,
                     steps: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """k groups whose points have the largest cosines to the mean directions of their groups.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    k
        Groups, 1 <= k <= n.
    seed
        Of the first centres.
    starts
        Runs, of which the best is kept.
    steps
        At most so many in a run.

    Returns
    -------
    (n,) int64, groups from 0, the largest first, the same whatever the order of the rows; (k, d) float64, their mean
    directions.

    References
    ----------
    Dhillon and Modha, Machine Learning 42, 2001; Arthur and Vassilvitskii, SODA 2007 (the first centres).
    """
    x = np.asarray(x)
    check_vectors(x, unit=True)
    if not 1 <= k <= len(x):
        raise ShapeError(f"between 1 and {len(x)} groups", str(k))
    rng = np.random.default_rng(seed)
    rows = _by_content(x)
    runs = [_one_run(x[rows], k, rng, steps) for _ in range(starts)]
    found, centres, _ = max(runs, key=lambda run: run[2])
    labels = np.empty_like(found)
    labels[rows] = found
    order = np.argsort(-np.bincount(labels, minlength=k), kind="stable")
    return np.argsort(order)[labels], centres[order]


def _by_content(x: np.ndarray) -> np.ndarray:
    """Rows in an order that follows from what they hold alone: to the last bit the same whatever order they came in."""
    first = np.argsort(np.ascontiguousarray(x).view(f"V{x.itemsize * x.shape[1]}").ravel(), kind="stable")
    return first[spread_sample(x[first], len(x))]


def _one_run(x: np.ndarray, k: int, rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray, float]:
    centres = _first_centres(x, k, rng)
    labels = np.full(len(x), -1)
    for _ in range(steps):
        before = labels
        labels, cosines = _nearest(x, centres)
        if (labels == before).all():
            break
        sums = np.zeros((k, x.shape[1]))
        np.add.at(sums, labels, x)
        lengths = np.linalg.norm(sums, axis=1)
        good = lengths > rounding(x) * np.bincount(labels, minlength=k)
        centres[good] = sums[good] / lengths[good, None]
        empty = np.flatnonzero(np.bincount(labels, minlength=k) == 0)
        centres[empty] = x[np.argsort(cosines, kind="stable")[:len(empty)]]
    return labels, centres, float(cosines.mean())


def _first_centres(x: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    chosen = [int(rng.integers(len(x)))]
    far = _far(x, chosen[0])
    while len(chosen) < k:
        total = far.sum()
        chosen.append(int(rng.choice(len(x), p=far / total)) if total > 0 else int(rng.integers(len(x))))
        far = np.minimum(far, _far(x, chosen[-1]))
    return x[chosen].astype(np.float64)


def _far(x: np.ndarray, row: int) -> np.ndarray:
    """1 - the cosine of each row to that one; 0 where they are equal but for rounding."""
    far = (1 - x @ x[row]).astype(np.float64)
    return np.where(far > rounding(x, x.shape[1]), far, 0.0)


def _nearest(x: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = [x[i:i + _CHUNK] @ centres.T.astype(x.dtype) for i in range(0, len(x), _CHUNK)]
    least, most = rounding(x, x.shape[1]), [p.max(axis=1) for p in parts]
    first = [(p >= top[:, None] - least).argmax(axis=1) for p, top in zip(parts, most)]
    return np.concatenate(first), np.concatenate(most)


def hdbscan(x: np.ndarray, *, smallest: int | None = None, seed: int = 0) -> np.ndarray:
    """As many groups as there are dense places, by HDBSCAN on the chords between points.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    smallest
        Points that a group needs at least; about one in a hundred, at least 5, where None.
    seed
        Of the sample that is fitted where there are more than 5,000 points; others join their nearest fitted point.

    Returns
    -------
    (n,) int64, groups from 0, the largest first; -1 for points of no group.

    References
    ----------
    Campello, Moulavi and Sander, PAKDD 2013.
    """
    from sklearn.cluster import HDBSCAN

    x = np.asarray(x)
    check_vectors(x, unit=True)
    rows = spread_sample(x, MOST_FITTED, seed=seed)
    smallest = max(5, len(rows) // 100) if smallest is None else smallest
    if len(rows) < max(smallest, 2):
        return np.full(len(x), -1)
    found = HDBSCAN(min_cluster_size=smallest, copy=True).fit_predict(x[rows].astype(np.float64))
    labels = np.empty(len(x), dtype=np.int64)
    labels[rows] = found
    rest = np.setdiff1d(np.arange(len(x)), rows)
    for start in range(0, len(rest), _CHUNK):
        part = rest[start:start + _CHUNK]
        labels[part] = found[(x[part] @ x[rows].T).argmax(axis=1)]
    if labels.max() < 0:
        return labels
    order = np.argsort(-np.bincount(labels[labels >= 0]), kind="stable")
    return np.where(labels >= 0, np.argsort(order)[np.maximum(labels, 0)], -1)


def group_names(labels: np.ndarray) -> tuple[str, ...]:
    """Names of groups for people, counted from 1; empty for points of no group."""
    return tuple(f"group {label + 1}" if label >= 0 else "" for label in labels.tolist())
