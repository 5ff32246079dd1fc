"""Retrieval and classification by the largest score: is the right one among the first?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.intervals import proportion
from core.geometry.jackknife import clusters
from core.geometry.rounding import rounding
from core.types import Number

BLOCK = 1 << 24
KEPT = "share, gallery kept"   # the unit of a share whose interval is about other queries in the same gallery


@dataclass(frozen=True, eq=False)
class Answers:
    """Which answers of a gallery are right for which queries.

    Attributes
    ----------
    asked : (a,) int64, the queries that have a right answer, growing.
    place, right : (p,) int64 each: a position in ``asked`` and a row of the gallery.
    together : (a,) int64, the same for queries that share a right answer.
    size : of the gallery.
    """

    asked: np.ndarray
    place: np.ndarray
    right: np.ndarray
    together: np.ndarray
    size: int

    @classmethod
    def of(cls, links: np.ndarray, sizes: tuple[int, int]) -> Answers:
        """From rows (query, gallery), of so many queries and so large a gallery."""
        links = np.unique(np.asarray(links, dtype=np.int64).reshape(-1, 2), axis=0)
        if not len(links):
            raise ShapeError("queries with a right answer", "none", "Retrieval needs pairs that belong together.")
        if links.min() < 0 or (links.max(axis=0) >= sizes).any():
            raise ShapeError("links between the queries and the gallery at hand", "an index outside them")
        asked, place = np.unique(links[:, 0], return_inverse=True)
        answers, answer = np.unique(links[:, 1], return_inverse=True)
        labels = clusters([len(asked), len(answers)], np.stack([place, answer], axis=1))[0]
        return cls(asked, place, links[:, 1], np.unique(labels, return_inverse=True)[1], sizes[1])

    def share(self, hits: np.ndarray, k: int) -> Number:
        """The mean of ``hits`` ((a,) in [0, 1], one for each query asked) among the first k: interval and chance."""
        n, c = len(self.asked), int(self.together.max()) + 1
        counts = np.bincount(self.place)
        by_chance = float(any_right(np.full(n, k), np.full(n, self.size), counts).mean())
        number = replace(proportion(float(hits.sum()), n, null=by_chance), unit=KEPT)
        binomial = number.value * (1 - number.value) / n
        if not (1 < c < n and binomial > 0):
            return number
        off = np.bincount(self.together, hits - number.value)
        alike = float(off @ off) * c / (c - 1) / n**2 / binomial
        fewer = n / min(max(alike, 1.0), n / c)
        loose = proportion(number.value * fewer, fewer)
        return Number(number.value, loose.low, loose.high, by_chance, n, number.unit)


def recall_at(queries: np.ndarray, gallery: np.ndarray, links: np.ndarray | None = None, k: int = 1, *,
              scores: np.ndarray | None = None) -> Number:
    """Share of queries with a right answer among the ``k`` largest scores of the gallery.

    Equal scores stand in random order, and the value is its expectation: equal captions are neither lucky nor unlucky.

    Parameters
    ----------
    queries, gallery
        (q, d) and (m, d) unit rows.
    links
        (p, 2) rows (query, gallery) that are right; several a query are allowed, and queries with none are left out.
        None: row i of both belongs together.
    k
        How many are looked at, >= 1.
    scores
        (q, m) larger is nearer, in place of cosines; then the vectors are not looked at.

    Returns
    -------
    Share in [0, 1] with ``n`` the queries that have a right answer. The 95 % interval is Wilson's over queries with the
    gallery kept as it is; queries that share a right answer (captions of one image) count as fewer, by how alike they
    fare. The null is chance: the expected share when the gallery is in random order.

    Raises
    ------
    ShapeError
        If the shapes do not fit, ``k`` < 1 or no query has a right answer.
    """
    return recalls(queries, gallery, links, (k,), scores=scores)[k]


def recalls(queries: np.ndarray, gallery: np.ndarray, links: np.ndarray | None = None, ks: Sequence[int] = (1, 5), *,
            scores: np.ndarray | None = None) -> dict[int, Number]:
    """`recall_at` for several k in one pass: by k."""
    answers, hits = hits_of(queries, gallery, links, ks, scores=scores)
    return {k: answers.share(hits[:, i], k) for i, k in enumerate(ks)}


def hits_of(queries: np.ndarray, gallery: np.ndarray, links: np.ndarray | None = None, ks: Sequence[int] = (1,), *,
            scores: np.ndarray | None = None) -> tuple[Answers, np.ndarray]:
    """Which queries find a right answer among the first k, as `recall_at` takes them: (a, len(ks)) in [0, 1]."""
    if min(ks) < 1:
        raise ShapeError("k >= 1", str(min(ks)))
    sizes = _sizes(queries, gallery, scores)
    if links is None:
        if sizes[0] != sizes[1]:
            raise ShapeError(f"a gallery of {sizes[0]} rows, one a query", str(sizes[1]),
                             "Or say which belong together.")
        links = np.repeat(np.arange(sizes[0])[:, None], 2, axis=1)
    answers = Answers.of(links, sizes)
    hits = np.empty((len(answers.asked), len(ks)))
    step = max(1, BLOCK // sizes[1])
    for start in range(0, len(hits), step):
        rows = answers.asked[start:start + step]
        block = queries[rows] @ gallery.T if scores is None else scores[rows]
        own = (answers.place >= start) & (answers.place < start + step)
        hits[start:start + step] = chance_of_a_hit(block, answers.place[own] - start, answers.right[own], ks)
    return answers, hits


def ranks_of(queries: np.ndarray, gallery: np.ndarray, links: np.ndarray | None = None, *,
             scores: np.ndarray | None = None) -> tuple[Answers, np.ndarray]:
    """The place of the best right answer of each query that has one: (a,) float64, 1 is first; arguments as `recalls`.

    Among equal scores it is the middle one of the places that they share.
    """
    sizes = _sizes(queries, gallery, scores)
    answers = Answers.of(np.repeat(np.arange(sizes[0])[:, None], 2, axis=1) if links is None else links, sizes)
    ranks = np.empty(len(answers.asked))
    step = max(1, BLOCK // sizes[1])
    for start in range(0, len(ranks), step):
        rows = answers.asked[start:start + step]
        block = queries[rows] @ gallery.T if scores is None else scores[rows]
        own = (answers.place >= start) & (answers.place < start + step)
        best = np.full(len(rows), -np.inf, dtype=block.dtype)
        np.maximum.at(best, answers.place[own] - start, block[answers.place[own] - start, answers.right[own]])
        slack = block.dtype.type(rounding(block)) * np.maximum(block.max(axis=1), -block.min(axis=1))
        above = np.count_nonzero(block > (best + slack)[:, None], axis=1)
        level = np.count_nonzero(block >= (best - slack)[:, None], axis=1) - above
        ranks[start:start + step] = above + (level + 1) / 2
    return answers, ranks


def median_rank(queries: np.ndarray, gallery: np.ndarray, links: np.ndarray | None = None, *,
                scores: np.ndarray | None = None) -> Number:
    """Median place of the best right answer, 1 is first; arguments as `recalls`.

    Returns
    -------
    The 95 % interval is that between two order statistics (Thompson 1936), with the gallery kept; none where queries
    share right answers, or below 6 queries. The null is the median in random order.
    """
    answers, ranks = ranks_of(queries, gallery, links, scores=scores)
    n, ordered = len(ranks), np.sort(ranks)
    counts, ks = np.bincount(answers.place), np.arange(1, answers.size + 1)
    kinds, times = np.unique(counts, return_counts=True)
    reached = sum(t * any_right(ks, np.full(len(ks), answers.size), np.full(len(ks), c)) for c, t in zip(kinds, times))
    by_chance = float(ks[int(np.argmax(np.asarray(reached) >= n / 2))])
    low = high = None
    if n >= 6 and int(answers.together.max()) + 1 == n:
        from scipy.stats import binom

        before = int(binom.ppf(0.025, n, 0.5))
        low, high = float(ordered[before - 1]), float(ordered[n - before])
    return Number(float(np.median(ordered)), low, high, by_chance, n, f"place of {answers.size:,}")


def accuracy(images: np.ndarray, candidates: np.ndarray, truth: np.ndarray) -> Number:
    """Share of images whose nearest candidate is the true one; equally near candidates in random order.

    Parameters
    ----------
    images : (n, d) unit rows.
    candidates : (k, d), the same for all images, or (n, k, d), an image's own; unit rows.
    truth : (n,) int, index of the right candidate; -1 where none is, and the image is left out.

    Returns
    -------
    Number with Wilson's interval and chance, 1 / k, as null.

    Raises
    ------
    ShapeError
        If the shapes do not fit or no image has a right candidate.
    """
    check_vectors(images, unit=True)
    truth = np.asarray(truth)
    if len(images) != len(truth):
        raise ShapeError(f"{len(images)} true classes, one an image", str(len(truth)))
    known = np.flatnonzero(truth >= 0)
    if not len(known):
        raise ShapeError("images with a known class", "none")
    if candidates.ndim == 2:
        scores = images[known] @ candidates.T
    else:
        scores = np.einsum("nd,nkd->nk", images[known], candidates[known])
    hits = chance_of_a_hit(scores, np.arange(len(known)), truth[known], (1,))
    return proportion(float(hits.sum()), len(known), null=1 / scores.shape[1])


def chance_of_a_hit(scores: np.ndarray, rows: np.ndarray, columns: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """How likely each query finds a right answer among its first k, equal scores standing in random order.

    Parameters
    ----------
    scores
        (q, m) floats. Scores count as equal when they differ by no more than 8 units in the last place of the largest
        score of their row: products of equal vectors do differ by that much.
    rows, columns
        (p,) int each: where the right answers are, at least one a row.
    ks
        How many are looked at.

    Returns
    -------
    (q, len(ks)) float64 in [0, 1].
    """
    q = len(scores)
    right = scores[rows, columns]
    best = np.full(q, -np.inf, dtype=scores.dtype)
    np.maximum.at(best, rows, right)
    slack = scores.dtype.type(rounding(scores)) * np.maximum(scores.max(axis=1), -scores.min(axis=1))
    above = np.count_nonzero(scores > (best + slack)[:, None], axis=1)
    level = np.count_nonzero(scores >= (best - slack)[:, None], axis=1) - above
    right_level = np.bincount(rows, right >= (best - slack)[rows], q).astype(np.int64)
    return np.stack([any_right(k - above, level, right_level) for k in ks], axis=1)


def any_right(slots: np.ndarray, level: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Chance that of ``level`` items in random order one of ``right`` right ones is among the first ``slots``.

    (q,) int each; fewer than one slot is none.
    """
    slots, wrong = np.clip(slots, 0, level), level - right
    miss = np.ones(len(level))
    for drawn in range(int(slots.max(initial=0))):
        miss *= np.where(drawn < slots, np.maximum(wrong - drawn, 0) / np.maximum(level - drawn, 1), 1.0)
    return 1 - miss


def _sizes(queries: np.ndarray, gallery: np.ndarray, scores: np.ndarray | None) -> tuple[int, int]:
    if scores is not None:
        check_vectors(scores, what="scores")
        return scores.shape[0], scores.shape[1]
    check_vectors(queries, what="queries", unit=True)
    check_vectors(gallery, what="the gallery", unit=True)
    if queries.shape[1] != gallery.shape[1]:
        raise ShapeError(f"a gallery of {queries.shape[1]} dimensions", str(gallery.shape[1]))
    return len(queries), len(gallery)
