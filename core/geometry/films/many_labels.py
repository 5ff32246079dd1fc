"""Films of several genres at once: how well a film's genres stand out from the scores of a model of all others."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled
from core.geometry.differences import Difference, holm
from core.geometry.films.classified import (
    FEWEST_FILMS,
    FEWEST_OF_A_CLASS,
    PERMUTATIONS,
    checked,
    shuffled,
    sources_of,
)
from core.geometry.films.left_out import LeftOut, left_out
from core.geometry.threads import one_thread
from core.types import Number

_CHUNK = 64
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class LabelFound:
    """How well the films of one genre stand out.

    Attributes
    ----------
    name, films : of the genre, and how many films have it.
    precision : average precision; its null is the mean of the same fit on shuffled labels.
    p, corrected : chance of as much on shuffled labels, and the same by Holm among genres; None with a reason.
    reason : why it cannot be measured, "" where it can.
    """

    name: str
    films: int
    precision: Number
    p: float | None
    corrected: float | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class ManyClassified:
    """How well the genres of left-out films are ranked.

    Attributes
    ----------
    classes : names of the k genres, sorted.
    truth : (n, k) bool, which film has which.
    scores : (n, k) float64, of left-out films.
    labels : a row a genre.
    mean_precision : mean of the average precisions of the genres that can be measured (mAP); its null is the mean of
        the same fit on shuffled rows of labels; no interval.
    p : chance of so high a mean on shuffled labels; None with a reason.
    by_chance : the middle 95 % of the means on shuffled labels.
    permutations : shuffled labels that were tried.
    reason : why nothing can be measured, "" where it can.
    """

    classes: tuple[str, ...]
    truth: np.ndarray
    scores: np.ndarray
    labels: tuple[LabelFound, ...]
    mean_precision: Number
    p: float | None
    by_chance: tuple[float, float] | None
    permutations: int
    reason: str = ""


def classify_many(features: np.ndarray, labels: Sequence[Collection[str]], *, permutations: int = PERMUTATIONS,
                  seed: int = 0, groups: Sequence[object] | None = None, on_progress: Progress | None = None,
                  should_stop: Callable[[], bool] | None = None) -> ManyClassified:
    """Rank films for each genre by a linear model of all other films.

    The model is the ridge regression of each genre on the standardised features, in the metric of `left_out`; labels
    are shuffled by films, so that genres which go together still do.

    Parameters
    ----------
    features : (n, p) floats, a film a row; what is not finite counts as undefined.
    labels : the genres of each film, any number of them.
    permutations, seed, groups, on_progress, should_stop : as in `core.geometry.films.genres.classify`.

    Returns
    -------
    ManyClassified. A genre that fewer than 2 films (or sources) have, or lack, is not measurable.

    Raises
    ------
    ShapeError
        If labels or groups do not fit the features.
    """
    features = checked(features, [""] * len(labels), groups, permutations)
    n = len(labels)
    rows = [{genres} if isinstance(genres, str) else {str(g) for g in genres} for genres in labels]
    classes = tuple(sorted(set().union(*rows)))
    truth = np.array([[name in row for name in classes] for row in rows], dtype=bool).reshape(n, len(classes))
    sources = sources_of(groups, n)
    reasons = [_too_few(column, sources) for column in truth.T]
    films = left_out(features, sources) if n >= FEWEST_FILMS and "" in reasons else None
    reason = (f"{n} films, fewer than {FEWEST_FILMS}" if n < FEWEST_FILMS else
              "no genre that 2 films have and 2 lack" if films is None else
              "no feature differs among the films" if films.constant == features.shape[1] else "")
    if films is None or reason:
        return _not_measurable(classes, truth, reasons, reason)
    precisions = np.empty((1 + permutations, len(classes)))
    weights, rng = _weights(films), np.random.default_rng(seed)
    tried = [truth, *(shuffled(truth, sources, rng) for _ in range(permutations))]
    for at in range(0, len(tried), _CHUNK):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{at:,} of {permutations:,} shuffles")
        part = np.stack(tried[at:at + _CHUNK])
        precisions[at:at + _CHUNK] = average_precision(_scored(weights, part), part)
        if on_progress is not None:
            on_progress(min(1.0, (at + _CHUNK) / len(tried)), "Telling genres")
    return _report(classes, truth, reasons, _scored(weights, truth[None])[0], precisions)


def average_precision(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean over the right items of the share of right ones among those scored as high; equal scores count together.

    Parameters
    ----------
    scores : (..., n, k) floats.
    truth : (..., n, k) bool.

    Returns
    -------
    (..., k) float64 in [0, 1]; 0 where there is no right item.
    """
    order = np.argsort(-scores, axis=-2, kind="stable")
    ranked, right = np.take_along_axis(scores, order, -2), np.take_along_axis(truth, order, -2)
    n = scores.shape[-2]
    slack = 1e-9 * np.abs(scores).max(axis=-2, keepdims=True)
    ends = np.ones(ranked.shape, dtype=bool)
    ends[..., :-1, :] = ranked[..., :-1, :] - ranked[..., 1:, :] > slack
    at = np.where(ends, np.arange(n)[:, None], n)
    last = np.flip(np.minimum.accumulate(np.flip(at, -2), axis=-2), -2)
    precision = np.take_along_axis(np.cumsum(right, axis=-2), last, -2) / (last + 1)
    return (precision * right).sum(axis=-2) / np.maximum(right.sum(axis=-2), 1)


def _weights(films: LeftOut) -> np.ndarray:
    """(n, n) float64: what each film's label counts in the score of each left-out film; rows add up to 0."""
    out = np.zeros((len(films.values),) * 2)
    with one_thread():
        for i in range(len(films)):
            fold = films.fold(i)
            out[np.ix_(fold.tested, fold.fitted)] = fold.across - fold.across.mean(axis=1, keepdims=True)
    return out


def _scored(weights: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return weights @ truth.astype(np.float64)


def _too_few(column: np.ndarray, sources: np.ndarray) -> str:
    have, lack = len(np.unique(sources[column])), len(np.unique(sources[~column]))
    if min(have, lack) >= FEWEST_OF_A_CLASS:
        return ""
    return f"{have if have <= lack else lack} {'have' if have <= lack else 'lack'} it, fewer than {FEWEST_OF_A_CLASS}"


def _report(classes: tuple[str, ...], truth: np.ndarray, reasons: list[str], scores: np.ndarray,
            precisions: np.ndarray) -> ManyClassified:
    def p_of(values: np.ndarray) -> float:
        return (1 + int((values[1:] >= values[0] - 1e-9).sum())) / len(values)

    n, kept = len(truth), [c for c, reason in enumerate(reasons) if not reason]
    p = {c: p_of(precisions[:, c]) for c in kept}
    corrected = holm({c: Difference(Number(0.0), value) for c, value in p.items()})
    found = tuple(
        LabelFound(name, int(truth[:, c].sum()),
                   Number(float(precisions[0, c]), null=float(precisions[1:, c].mean()), n=n, unit="average precision")
                   if c in p else Number(math.nan, n=n, unit="average precision"),
                   p.get(c), corrected[c].p if c in p else None, reasons[c]) for c, name in enumerate(classes))
    means = precisions[:, kept].mean(axis=1)
    low, high = np.quantile(means[1:], (0.025, 0.975))
    return ManyClassified(classes, truth, scores, found,
                          Number(float(means[0]), null=float(means[1:].mean()), n=n, unit="mean average precision"),
                          p_of(means), (float(low), float(high)), len(precisions) - 1)


def _not_measurable(classes: tuple[str, ...], truth: np.ndarray, reasons: list[str], reason: str) -> ManyClassified:
    n, reason = len(truth), f"not measurable: {reason}"
    return ManyClassified(
        classes, truth, np.full(truth.shape, math.nan),
        tuple(LabelFound(name, int(truth[:, c].sum()), Number(math.nan, n=n, unit="average precision"), None, None,
                         reasons[c] or reason) for c, name in enumerate(classes)),
        Number(math.nan, n=n, unit="mean average precision"), None, None, 0, reason)
