"""Do images and texts agree on who is near whom? The order of neighbours."""

from __future__ import annotations

import numpy as np

from core.geometry.gap.parts import cluster_labels, one_text_each
from core.geometry.jackknife import with_interval
from core.geometry.pairs import Pairs
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


def _signs(row: np.ndarray) -> np.ndarray:
    """Signs of all differences: (m,) int -> (m, m) int8."""
    ranks = np.unique(row, return_inverse=True)[1].astype(np.int16)
    return np.greater.outer(ranks, ranks).view(np.int8) - np.less.outer(ranks, ranks).view(np.int8)


def _row_sums(signs: np.ndarray) -> np.ndarray:
    """Of a symmetric matrix of -1, 0 and 1: (m, m) int8 -> (m,) int64; summed in runs that one byte can hold."""
    runs = [np.add.reduce(signs[i:i + 127], axis=0, dtype=np.int8) for i in range(0, len(signs), 127)]
    return np.asarray(np.sum(runs, axis=0, dtype=np.int64))
