"""Do numbers of films tell their genre? Each film is told by a model of all others, beside shuffled labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np

from core.errors import Cancelled
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.films.classified import (
    PERMUTATIONS,
    Classified,
    checked,
    classes_of,
    not_measurable,
    report_of,
    shuffled,
    sources_of,
    too_few,
)
from core.geometry.films.left_out import Fold, left_out
from core.geometry.threads import one_thread
from core.types import Number

_CHUNK = 128
Progress = Callable[[float, str], None]


def classify(features: np.ndarray, labels: Sequence[str], *, permutations: int = PERMUTATIONS, seed: int = 0,
             groups: Sequence[object] | None = None, on_progress: Progress | None = None,
             should_stop: Callable[[], bool] | None = None) -> Classified:
    """Tell the genre of each film by a linear model of all others, and the same with shuffled labels.

    The model is a regularised discriminant analysis: of the left-in films, numbers are standardised, undefined ones set
    to the mean, and the film goes to the genre whose mean is nearest in the metric of their shrunken covariance (Ledoit
    and Wolf), whatever the sizes of the genres. Covariance and shrinkage know no labels, so that a fit for other labels
    costs a few products: 999 of them are affordable, each in full.

    Parameters
    ----------
    features
        (n, p) floats, a film a row; what is not finite counts as undefined.
    labels
        Genre of each film.
    permutations
        Shuffles of the labels; of whole sources where all films of a source have one genre, else inside sources.
    seed
        Of the shuffles.
    groups
        Source of each film: films of one source are left out together. None: each film is its own.
    on_progress, should_stop
        Called between folds; a request to stop raises Cancelled.

    Returns
    -------
    Classified. Nothing is measurable, and ``reason`` says so, with fewer than 6 films, with one genre, with a genre of
    fewer than 2 films (or sources), or where no feature differs among the films.

    Raises
    ------
    ShapeError
        If labels or groups do not fit the features, or there are no permutations.

    References
    ----------
    Ledoit and Wolf, J. Multivariate Analysis 88, 2004; Ojala and Garriga, JMLR 11, 2010 (permutation tests).
    """
    features = checked(features, labels, groups, permutations)
    classes, y = classes_of(labels)
    sources = sources_of(groups, len(y))
    reason = too_few(classes, y, sources)
    films = None if reason else left_out(features, sources)
    if films is not None and films.constant == features.shape[1]:
        reason = "no feature differs among the films"
    if films is None or reason:
        return not_measurable(classes, y, reason, features.shape[1])
    rng = np.random.default_rng(seed)
    tried = np.stack([y, *(shuffled(y, sources, rng) for _ in range(permutations))])
    told = np.empty_like(tried)
    scores = np.empty((len(y), len(classes)))
    with one_thread():
        for i in range(len(films)):
            if should_stop is not None and should_stop():
                raise Cancelled(f"{i} of {len(films)} films")
            fold = films.fold(i)
            for at in range(0, len(tried), _CHUNK):
                part = _nearest_mean(fold, tried[at:at + _CHUNK], len(classes))
                if at == 0:
                    scores[fold.tested] = part[0]
                told[at:at + _CHUNK, fold.tested] = part.argmax(axis=2)
            if on_progress is not None:
                on_progress((i + 1) / len(films), "Telling genres")
    return report_of(classes, tried, told, scores, sources, films)


def told_apart(before: Classified, after: Classified, groups: Sequence[object] | None = None) -> Difference:
    """Whether films are told right more often by other features: exact McNemar over films (sign flips over sources)."""
    if before.reason or after.reason:
        return Difference(Number(math.nan, null=0.0, n=len(before.labels), unit="share"), None)
    together = None if groups is None else sources_of(groups, len(before.labels))
    return hits_differ(before.hits, after.hits, together)


def all_told_apart(found: Mapping[str, Classified], groups: Sequence[object] | None = None
                   ) -> dict[tuple[str, str], Difference]:
    """`told_apart` of all pairs of ways to tell the same films, (before, after) in their order, p corrected by Holm."""
    return holm({(a, b): told_apart(found[a], found[b], groups) for a, b in combinations(found, 2)})


def _nearest_mean(fold: Fold, tried: np.ndarray, k: int) -> np.ndarray:
    """Scores of the left-out films for each class and each labelling: (labellings, left out, k) float64."""
    fitted = tried[:, fold.fitted]
    members = (fitted.T[:, :, None] == np.arange(k)).astype(np.float64)
    counts = members.sum(axis=0)
    means = (members / np.maximum(counts, 1)).reshape(len(fold.fitted), -1)
    lengths = (means * (fold.among @ means)).sum(axis=0)
    scores = (fold.across @ means - lengths / 2).reshape(-1, len(tried), k).transpose(1, 0, 2)
    return np.where(counts[:, None] > 0, scores, -np.inf)
