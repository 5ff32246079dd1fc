"""Hubs: items of a gallery that are among the nearest of more queries than chance would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.geometry.rounding import rounding
from core.types import Number


def times_found(queries: np.ndarray, gallery: np.ndarray, *, k: int = 10, scores: np.ndarray | None = None
                ) -> np.ndarray:
    """How often each item of a gallery is among the ``k`` nearest of the queries.

    Equal vectors share what would fall to them, so that their order does not matter.

    Parameters
    ----------
    queries, gallery
        (q, d) and (m, d) unit rows.
    k
        Neighbours, >= 1.
    scores
        (q, m) larger is nearer, in place of cosines; then the gallery tells only which of its rows are equal.

    Returns
    -------
    (m,) float64; they add up to q times k, or to q times m where there are no more than ``k``.
    """
    same = same_vectors(gallery)
    copies, first = np.bincount(same), np.unique(same, return_index=True)[1]
    near = _nearest(queries, gallery[first], min(len(copies), k), None if scores is None else scores[:, first])
    taken = copies[near]
    got = np.clip(k - (np.cumsum(taken, axis=1) - taken), 0, taken)
    return (np.bincount(near.ravel(), got.ravel(), len(copies)) / copies)[same]


def hubness(queries: np.ndarray, gallery: np.ndarray, *, k: int = 10, scores: np.ndarray | None = None
            ) -> Number | None:
    """Skew of how often an item of the gallery is among the ``k`` nearest of the queries, as `times_found` counts.

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
    value = _skew(times_found(queries, gallery, k=k, scores=scores))
    chance = k / m
    return None if np.isnan(value) else Number(value, null=float((1 - 2 * chance) / np.sqrt(q * chance * (1 - chance))),
                                               n=q)


@dataclass(frozen=True, eq=False)
class Hubs:
    """Who is found how often.

    Attributes
    ----------
    found : (m,) how often each item of the gallery is among the ``k`` nearest of the queries.
    rows : the hubs, most found first: found more often than by chance any of the m would be once in 20 galleries.
    expected, most : how often an item is found by chance, and that bar.
    never : share of items that are never found; the null is that of neighbours at random.
    skew : of ``found``, as `hubness`.
    queries, k : how many ask, and how many each finds.
    """

    found: np.ndarray
    rows: np.ndarray
    expected: float
    most: float
    never: Number
    skew: Number | None
    queries: int
    k: int


def hubs_among(queries: np.ndarray, gallery: np.ndarray, *, k: int = 10, scores: np.ndarray | None = None) -> Hubs:
    """The hubs of a gallery; arguments as in `times_found`, with one query or more."""
    from scipy.stats import binom

    q, m = len(queries), len(gallery)
    k = min(k, m)
    found = times_found(queries, gallery, k=k, scores=scores)
    most = float(binom.ppf(0.95 ** (1 / m), q, k / m))
    over = np.flatnonzero(found > most)
    rows = over[np.argsort(-found[over], kind="stable")]
    never = Number(float((found == 0).mean()), null=(1 - k / m) ** q, n=m, unit="share")
    return Hubs(found, rows, q * k / m, most, never, hubness(queries, gallery, k=k, scores=scores), q, k)


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


def _nearest(queries: np.ndarray, gallery: np.ndarray, k: int, scores: np.ndarray | None) -> np.ndarray:
    """The k nearest of the gallery, nearest first: (q, k) int64."""
    out = np.empty((len(queries), k), dtype=np.int64)
    for start in range(0, len(queries), 512):
        rows = slice(start, start + 512)
        far = -(queries[rows] @ gallery.T if scores is None else scores[rows])
        some = np.argpartition(far, k - 1, axis=1)[:, :k] if k < len(gallery) else np.tile(np.arange(k), (len(far), 1))
        order = np.argsort(np.take_along_axis(far, some, axis=1), axis=1, kind="stable")
        out[rows] = np.take_along_axis(some, order, axis=1)
    return out


def _skew(values: np.ndarray) -> float:
    mean = values.mean()
    spread = ((values - mean) ** 2).mean()
    if spread <= (rounding(values, len(values)) * mean) ** 2:
        return float("nan")
    return float(((values - mean) ** 3).mean() / spread**1.5)
