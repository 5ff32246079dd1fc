"""Which object does a view show? By the subspaces, means or nearest views of other views, or by a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.curves import Curve
from core.geometry.differences import Difference, holm
from core.geometry.objects.reports import RecognitionReport
from core.geometry.objects.shares import Cases, share, shares_differ
from core.geometry.objects.subspaces import fit_span
from core.geometry.objects.views import ObjectViews
from core.geometry.retrieval import chance_of_a_hit
from core.geometry.threads import one_thread
from core.types import Number

METHODS: dict[str, str] = {
    "subspace": "subspace of the views",
    "mean": "nearest mean view",
    "nearest": "nearest view",
    "zero_shot": "prompt, nothing fitted",
}
RANKS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 30)
MOST_FOLDS = 16


@dataclass(frozen=True, eq=False)
class Recognised:
    """Which left-out views were told right.

    Attributes
    ----------
    hits : by key of METHODS, (q,) float64 in [0, 1]; "zero_shot" only where there are prompts.
    hits_at_rank : (r, q) float64, hits of the subspace at each of ``ranks``.
    ranks : (r,) int64; a rank above the number of fitted vectors is that number.
    chosen : (f,) int64, for each left-out view, the rank that was chosen inside the fitted views.
    cases : the object and the view of each query.
    n_views : that were fitted of each object, each in every style.
    chance : 1 / objects.
    """

    hits: dict[str, np.ndarray]
    hits_at_rank: np.ndarray
    ranks: np.ndarray
    chosen: np.ndarray
    cases: Cases
    n_views: int
    chance: float


def recognise(views: ObjectViews, n_views: int, *, prompts: np.ndarray | None = None, ranks: Sequence[int] = RANKS,
              seed: int = 0) -> Recognised:
    """Leave each view out, fit on others, and tell its object from its vector.

    Parameters
    ----------
    views
        At least 2 objects, which share their views; rows of an object that the others lack are used where they are.
    n_views
        How many of the other views are fitted, chosen at random for each left-out one, 1 to views - 1; a view counts
        once, whatever the number of its styles.
    prompts
        (objects, d) unit rows, the text of each object; or None.
    ranks
        Of the subspace, growing, >= 1. The one that "subspace" uses is chosen inside the fitted views: the smallest
        with the most hits when each of them is left out in turn; the smallest of all for a single view.
    seed
        Of what is fitted, and of which 16 views are left out where there are more.

    Returns
    -------
    Hits on all vectors of the left-out views, of all methods on the same queries.

    Raises
    ------
    ShapeError
        With fewer than 2 objects, or too few views.
    """
    labels, objects = np.unique(views.views), np.unique(views.objects)
    if len(objects) < 2:
        raise ShapeError("at least 2 objects to tell apart", str(len(objects)), "Bring another object.")
    if not 1 <= n_views < len(labels):
        raise ShapeError(f"1 to {len(labels) - 1} fitted views", str(n_views))
    if prompts is not None:
        check_vectors(prompts, what="prompts", unit=True)
        if len(prompts) != len(views.names):
            raise ShapeError(f"{len(views.names)} prompts, one an object", str(len(prompts)))
    rng = np.random.default_rng(seed)
    left_out = labels if len(labels) <= MOST_FOLDS else np.sort(rng.choice(labels, MOST_FOLDS, replace=False))
    sizes = np.asarray(sorted(set(ranks)), dtype=np.int64)
    hits: dict[str, list[np.ndarray]] = {key: [] for key in METHODS if key != "zero_shot" or prompts is not None}
    at_rank, chosen, query_objects, query_views = [], [], [], []
    for label in left_out.tolist():
        others = labels[labels != label]
        fitted = views.seen_from(rng.choice(others, n_views, replace=False))
        asked = views.seen_from([label])
        known = np.isin(asked.objects, fitted.objects)
        asked = asked.part(known)
        truth = np.searchsorted(objects, asked.objects)
        scores = _subspace_scores(fitted, objects, asked.vectors, sizes)
        by_rank = np.stack([_hits(s, truth) for s in scores])
        best = _best_rank(fitted, objects, sizes)
        at_rank.append(by_rank)
        chosen.append(sizes[best])
        hits["subspace"].append(by_rank[best])
        hits["mean"].append(_hits(_mean_scores(fitted, objects, asked.vectors), truth))
        hits["nearest"].append(_hits(_nearest_scores(fitted, objects, asked.vectors), truth))
        if prompts is not None:
            hits["zero_shot"].append(_hits(asked.vectors @ prompts[objects].T, truth))
        query_objects.append(asked.objects)
        query_views.append(asked.views)
    whose, where = np.concatenate(query_objects), np.concatenate(query_views)
    together = np.unique(np.stack([whose, where], axis=1), axis=0, return_inverse=True)[1].ravel()
    return Recognised({key: np.concatenate(h) for key, h in hits.items()}, np.concatenate(at_rank, axis=1), sizes,
                      np.array(chosen), Cases(whose, together), n_views, 1 / len(objects))


def recognition_report(sets: Sequence[ObjectViews], *, prompts: np.ndarray | None = None,
                       n_views: Sequence[int] = (1, 2, 4, 8), ranks: Sequence[int] = RANKS, seed: int = 0,
                       on_progress: Callable[[float, str], None] | None = None) -> RecognitionReport:
    """`recognise` over numbers of fitted views and over ranks, on one or several sets of views of the same objects.

    Parameters
    ----------
    sets : views of the same objects under the same names, each set fitted and asked by itself.
    prompts, ranks, seed : as in `recognise`.
    n_views : numbers of fitted views; those that leave no view out are left out, and all but one is added.

    Returns
    -------
    Intervals are over objects (`shares.share`), differences to the nearest mean leave each object out of both.
    """
    most = min(len(np.unique(s.views)) for s in sets) - 1
    numbers = sorted({n for n in n_views if 1 <= n < most} | {most})
    found: dict[int, list[Recognised]] = {}
    for step, n in enumerate(numbers):
        if on_progress is not None:
            on_progress(step / len(numbers), f"Recognising by {n} views of each object")
        with one_thread():
            found[n] = [recognise(s, n, prompts=prompts, ranks=ranks, seed=seed + i) for i, s in enumerate(sets)]
    cases = Cases.joined([r.cases for r in found[most]])
    chance, keys = found[most][0].chance, list(found[most][0].hits)
    hits = {(key, n): np.concatenate([r.hits[key] for r in found[n]]) for key in keys for n in numbers}
    shares = {key: {n: share(hits[key, n], cases, null=chance) for n in numbers} for key in keys}
    change: dict[tuple[str, int], Difference] = holm({
        (key, n): shares_differ(hits["mean", n], hits[key, n], cases) for key in keys if key != "mean"
        for n in numbers})
    sizes = found[most][0].ranks

    def over_ranks(n: int) -> Curve:
        at_rank = np.concatenate([r.hits_at_rank for r in found[n]], axis=1)
        named: list[Number] = [share(h, cases, null=chance) for h in at_rank]
        return Curve.of(f"{n} views", named)

    few = next((n for n in numbers if n >= 4), numbers[0])
    return RecognitionReport(
        {key: METHODS[key] for key in keys}, np.array(numbers),
        {key: Curve.of(METHODS[key], list(shares[key].values())) for key in keys}, sizes,
        {n: over_ranks(n) for n in sorted({few, most})}, shares, change,
        {n: float(np.median(np.concatenate([r.chosen for r in found[n]]))) for n in numbers}, len(cases),
        len(np.unique(sets[0].objects)), len(np.unique(sets[0].styles)), len(sets))


def _subspace_scores(fitted: ObjectViews, objects: np.ndarray, x: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """(ranks, n, objects) squared length of each vector's part in the span of each object at each rank."""
    out = np.full((len(ranks), len(x), len(objects)), -np.inf)
    for k, number in enumerate(objects.tolist()):
        of_object = fitted.of(number)
        if len(of_object):
            basis = fit_span(of_object, int(ranks[-1])).basis
            energies = np.cumsum((x.astype(np.float64) @ basis.T) ** 2, axis=1)
            out[:, :, k] = energies[:, np.minimum(ranks, len(basis)) - 1].T
    return out


def _mean_scores(fitted: ObjectViews, objects: np.ndarray, x: np.ndarray) -> np.ndarray:
    means = np.stack([fitted.of(k).mean(axis=0, dtype=np.float64) if (fitted.objects == k).any()
                      else np.full(x.shape[1], np.nan) for k in objects.tolist()])
    scores = x.astype(np.float64) @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
    return np.where(np.isfinite(scores), scores, -1.0)


def _nearest_scores(fitted: ObjectViews, objects: np.ndarray, x: np.ndarray) -> np.ndarray:
    cosines = x.astype(np.float64) @ fitted.vectors.astype(np.float64).T
    return np.stack([cosines[:, fitted.objects == k].max(axis=1, initial=-1.0) for k in objects.tolist()], axis=1)


def _hits(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return chance_of_a_hit(np.asarray(scores, dtype=np.float64), np.arange(len(truth)), truth, (1,))[:, 0]


def _best_rank(fitted: ObjectViews, objects: np.ndarray, ranks: np.ndarray) -> int:
    """Index of the smallest rank with the most hits when each fitted view is left out of the fit in turn."""
    labels = np.unique(fitted.views)
    if len(labels) < 2:
        return 0
    found = np.zeros(len(ranks))
    for label in labels[:MOST_FOLDS].tolist():
        inner, asked = fitted.part(fitted.views != label), fitted.seen_from([label])
        asked = asked.part(np.isin(asked.objects, inner.objects))
        if len(asked):
            truth = np.searchsorted(objects, asked.objects)
            scores = _subspace_scores(inner, objects, asked.vectors, ranks)
            found += [float(_hits(s, truth).sum()) for s in scores]
    return int(np.argmax(found >= found.max() - 1e-9))
