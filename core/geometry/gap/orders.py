"""Do images and texts agree on who is near whom? Neighbour orders, and hubs among neighbours."""

from __future__ import annotations

import numpy as np

from core.geometry.gap.parts import cluster_labels, one_text_each
from core.geometry.jackknife import with_interval
from core.geometry.pairs import Pairs
from core.geometry.rounding import rounding
from core.geometry.samples import spread_sample
from core.types import Number

MOST_FOR_ORDERS = 500


def kendall_tau(pairs: Pairs, *, seed: int = 0) -> Number | None:
    """How far the order of neighbours around an image is the order of neighbours around its text.

    For each pair, the other pairs are ordered by the cosine of their images to this image and of their texts to this
    text; the value is the mean over pairs of Kendall's tau-a of the two orders (equal cosines count neither for nor
    against). Up to 500 pairs are looked at, all triples of them; of several texts an image the first.

    Returns
    -------
    In [-1, 1] with the jackknife's 95 % interval; the null, 0, is that of shuffled pairs. None for fewer than 4 pairs.

    References
    ----------
    Schrodi et al., 2024, arXiv:2404.07983.
    """
    links = one_text_each(pairs)
    if len(links) > MOST_FOR_ORDERS:
        links = links[np.sort(spread_sample(pairs.images[links[:, 0]], MOST_FOR_ORDERS, seed=seed))]
    s = len(links)
    if s < 4:
        return None
    sides = []
    for vectors in (pairs.images[links[:, 0]], pairs.texts[links[:, 1]]):
        cosines = (vectors.astype(np.float64) @ vectors.T.astype(np.float64)).round(6)
        sides.append(np.unique(cosines, return_inverse=True)[1].reshape(s, s).astype(np.int32))
    of_member = np.zeros((s, s))
    for i in range(s):
        others = np.arange(s) != i
        of_images, of_texts = (_signs(side[i, others]) for side in sides)
        of_member[i, others] = _row_sums(np.multiply(of_images, of_texts, out=of_images))
    of_anchor = of_member.sum(axis=1)
    triples = s * (s - 1) * (s - 2)
    without = (of_anchor.sum() - of_anchor - 2 * of_member.sum(axis=0)) / ((s - 1) * (s - 2) * (s - 3))
    groups = cluster_labels(pairs)[0][links[:, 0]]
    independent = len(np.unique(groups)) == s
    return with_interval(float(of_anchor.sum() / triples), without if independent else None, 0.0, s, low=-1, high=1)


def hubness(queries: np.ndarray, gallery: np.ndarray, *, k: int = 10) -> Number | None:
    """Skew of how often an item of the gallery is among the ``k`` nearest of the queries.

    Equal vectors share what would fall to them, so that their order does not matter.

    Parameters
    ----------
    queries, gallery
        (q, d) and (m, d) unit rows.
    k
        Neighbours.

    Returns
    -------
    0 where all are found equally often; large where a few hubs are near to everything. The null is the skew when
    neighbours are drawn at random. No interval: a skew hangs on its few largest counts, and no interval was found that
    covers. None for fewer than 2 queries, or where all are found equally often, as in a gallery of no more than ``k``.

    References
    ----------
    Radovanovic et al., JMLR 2010.
    """
    q, m = len(queries), len(gallery)
    if q < 2:
        return None
    same = same_vectors(gallery)
    copies = np.bincount(same)
    near = _nearest(queries, gallery[np.unique(same, return_index=True)[1]], min(len(copies), k))
    taken = copies[near]
    got = np.clip(k - (np.cumsum(taken, axis=1) - taken), 0, taken)
    value = _skew(np.bincount(near.ravel(), got.ravel(), len(copies)) / copies, copies)
    chance = k / m
    return None if np.isnan(value) else Number(value, null=float((1 - 2 * chance) / np.sqrt(q * chance * (1 - chance))),
                                               n=q)


def same_vectors(x: np.ndarray) -> np.ndarray:
    """A number for each row of ``x`` ((n, d) floats), the same for rows equal but for rounding: (n,) int64."""
    least = rounding(x)
    key = x @ x.mean(axis=0, dtype=np.float64)
    order = np.argsort(key, kind="stable")
    apart = np.ones(len(x), dtype=bool)
    close = np.flatnonzero(np.diff(key[order]) < least) + 1
    apart[close] = np.linalg.norm(x[order[close]] - x[order[close - 1]], axis=1) > least
    labels = np.empty(len(x), dtype=np.int64)
    labels[order] = np.cumsum(apart) - 1
    return labels


def _nearest(queries: np.ndarray, gallery: np.ndarray, k: int) -> np.ndarray:
    """The k nearest of the gallery, nearest first: (q, k) int64."""
    out = np.empty((len(queries), k), dtype=np.int64)
    for start in range(0, len(queries), 512):
        far = -(queries[start:start + 512] @ gallery.T)
        some = np.argpartition(far, k - 1, axis=1)[:, :k] if k < len(gallery) else np.tile(np.arange(k), (len(far), 1))
        order = np.argsort(np.take_along_axis(far, some, axis=1), axis=1, kind="stable")
        out[start:start + 512] = np.take_along_axis(some, order, axis=1)
    return out


def _signs(row: np.ndarray) -> np.ndarray:
    """Signs of all differences: (m,) int -> (m, m) int8."""
    ranks = np.unique(row, return_inverse=True)[1].astype(np.int16)
    return np.greater.outer(ranks, ranks).view(np.int8) - np.less.outer(ranks, ranks).view(np.int8)


def _row_sums(signs: np.ndarray) -> np.ndarray:
    """Of a symmetric matrix of -1, 0 and 1: (m, m) int8 -> (m,) int64; summed in runs that one byte can hold."""
    runs = [np.add.reduce(signs[i:i + 127], axis=0, dtype=np.int8) for i in range(0, len(signs), 127)]
    return np.asarray(np.sum(runs, axis=0, dtype=np.int64))


def _skew(values: np.ndarray, weights: np.ndarray) -> float:
    mean = np.average(values, weights=weights)
    spread = np.average((values - mean) ** 2, weights=weights)
    if spread <= (rounding(values, len(values)) * mean) ** 2:
        return float("nan")
    return float(np.average((values - mean) ** 3, weights=weights) / spread**1.5)
