"""Do numbers of films tell their genre? Each film is told by a model of all others, beside shuffled labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, ShapeError
from core.geometry.differences import Difference, hits_differ
from core.geometry.films.left_out import LeftOut, left_out
from core.geometry.intervals import proportion
from core.types import Number

FEWEST_FILMS = 6
FEWEST_OF_A_CLASS = 2
FEWEST_PERMUTATIONS = 999
_CHUNK = 128
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Classified:
    """How often the genre of a left-out film was told right.

    Attributes
    ----------
    classes : names of the k genres, sorted.
    labels, predictions : (n,) int64, of each film, in its order; predictions are -1 where nothing can be measured.
    scores : (n, k) float64, of each genre for each film; the highest is predicted.
    accuracy : share of the films told right; Wilson's interval over films (over sources, where films share one); its
        null is the mean of the same fit on shuffled labels.
    balanced : mean over genres of the share told right, with interval and null in the same way.
    p : chance of so high a balanced accuracy on shuffled labels, (1 + as high) / (1 + permutations); None where nothing
        can be measured.
    by_chance : the middle 95 % of the balanced accuracies on shuffled labels.
    permutations : shuffled labels that were tried.
    features : that went in; of which ``constant`` say nothing, being the same for all films or known of none.
    undefined : how many numbers were not defined and were set to the mean of the films fitted.
    reason : why nothing can be measured, "" where it can.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    predictions: np.ndarray
    scores: np.ndarray
    accuracy: Number
    balanced: Number
    p: float | None
    by_chance: tuple[float, float] | None
    permutations: int
    features: int = 0
    constant: int = 0
    undefined: int = 0
    reason: str = ""

    @property
    def hits(self) -> np.ndarray:
        """(n,) float64, 1 where the genre was told right."""
        return (self.labels == self.predictions).astype(np.float64)

    @property
    def confusion(self) -> np.ndarray:
        """(k, k) int64, films of each genre (rows) by what was predicted (columns)."""
        k = len(self.classes)
        out = np.zeros((k, k), dtype=np.int64)
        if not self.reason:
            np.add.at(out, (self.labels, self.predictions), 1)
        return out


def classify(features: np.ndarray, labels: Sequence[str], *, permutations: int = FEWEST_PERMUTATIONS, seed: int = 0,
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
    features = _checked(features, labels, groups, permutations)
    classes, y = _classes(labels)
    sources = _sources(groups, len(y))
    reason = _too_few(classes, y, sources)
    fold = None if reason else left_out(features, sources)
    if fold is not None and fold.constant == features.shape[1]:
        reason = "no feature differs among the films"
    if fold is None or reason:
        return _not_measurable(classes, y, reason, features.shape[1])
    rng = np.random.default_rng(seed)
    tried = np.stack([y, *(shuffled(y, sources, rng) for _ in range(permutations))])
    told = np.empty_like(tried)
    scores = np.empty((len(y), len(classes)))
    for i in range(len(fold)):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i} of {len(fold)} films")
        for at in range(0, len(tried), _CHUNK):
            part = _nearest_mean(fold, i, tried[at:at + _CHUNK], len(classes))
            if at == 0:
                scores[fold.tested[i]] = part[0]
            told[at:at + _CHUNK, fold.tested[i]] = part.argmax(axis=2)
        if on_progress is not None:
            on_progress((i + 1) / len(fold), "Telling genres")
    return _report(classes, tried, told, scores, sources, fold)


def told_apart(before: Classified, after: Classified, groups: Sequence[object] | None = None) -> Difference:
    """Whether films are told right more often by other features: exact McNemar over films (sign flips over sources)."""
    if before.reason or after.reason:
        return Difference(Number(math.nan, null=0.0, n=len(before.labels), unit="share"), None)
    together = None if groups is None else _sources(groups, len(before.labels))
    return hits_differ(before.hits, after.hits, together)


def from_scores(scores: np.ndarray, classes: Sequence[str], labels: Sequence[str], *,
                permutations: int = FEWEST_PERMUTATIONS, seed: int = 0,
                groups: Sequence[object] | None = None) -> Classified:
    """What is told without any fit, such as by prompts: the highest score wins, the null shuffles the labels.

    Parameters
    ----------
    scores : (n, k) floats, of each class for each film.
    classes : names of the k classes.
    labels : of each film, among the classes.
    permutations, seed, groups : as in `classify`.

    Raises
    ------
    ShapeError
        If scores, classes and labels do not fit, or a label is none of the classes.
    """
    scores = np.asarray(scores, dtype=np.float64)
    unknown = sorted(set(map(str, labels)) - set(map(str, classes)))
    if scores.shape != (len(labels), len(classes)) or len(set(classes)) != len(classes) or unknown:
        raise ShapeError(f"scores of {len(labels)} films for {len(classes)} different classes, and labels among these",
                         f"shape {scores.shape}" + (f", labels {', '.join(unknown[:3])}" if unknown else ""),
                         "Give each genre a prompt.")
    _checked(scores, labels, groups, permutations)
    order = np.argsort(np.asarray(classes, dtype=str), kind="stable")
    names = tuple(str(classes[i]) for i in order)
    y = np.array([names.index(str(label)) for label in labels], dtype=np.int64)
    sources = _sources(groups, len(y))
    reason = ("fewer than 6 films" if len(y) < FEWEST_FILMS else
              "one genre only" if len(np.unique(y)) < 2 else "")
    if reason:
        return _not_measurable(names, y, reason, 0)
    rng = np.random.default_rng(seed)
    tried = np.stack([y, *(shuffled(y, sources, rng) for _ in range(permutations))])
    return _report(names, tried, np.broadcast_to(scores[:, order].argmax(axis=1), tried.shape), scores[:, order],
                   sources, None)


def shuffled(y: np.ndarray, sources: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels in another order; whole sources change places where each has one label, else labels inside sources.

    Parameters
    ----------
    y : (n, ...) labels, a film a row.
    sources : (n,) int from 0, the source of each film.
    rng : draws the order.
    """
    first = np.unique(sources, return_index=True)[1]
    if len(first) == len(y):
        return y[rng.permutation(len(y))]
    if (y == y[first][sources]).all():
        return y[first][rng.permutation(len(first))][sources]
    out = y.copy()
    for source in range(len(first)):
        rows = np.flatnonzero(sources == source)
        out[rows] = y[rng.permutation(rows)]
    return out


def _nearest_mean(fold: LeftOut, i: int, tried: np.ndarray, k: int) -> np.ndarray:
    """Scores of the left-out films for each class and each labelling: (labellings, left out, k) float64."""
    fitted = tried[:, fold.fitted[i]]
    members = (fitted[:, :, None] == np.arange(k)).astype(np.float64)
    counts = members.sum(axis=1, keepdims=True)
    means = members / np.maximum(counts, 1)
    lengths = np.einsum("pnk,pnk->pk", means, fold.among[i] @ means)
    scores = fold.across[i] @ means - lengths[:, None] / 2
    return np.where(counts > 0, scores, -np.inf)


def _report(classes: tuple[str, ...], tried: np.ndarray, told: np.ndarray, scores: np.ndarray, sources: np.ndarray,
            fold: LeftOut | None) -> Classified:
    hits, n = tried == told, tried.shape[1]
    accuracies = hits.mean(axis=1)
    members = tried[:, :, None] == np.arange(len(classes))
    counts = members.sum(axis=1)
    recalls = (members & hits[:, :, None]).sum(axis=1) / np.maximum(counts, 1)
    seen = counts > 0
    balanced = (recalls * seen).sum(axis=1) / seen.sum(axis=1)
    least = balanced[0] - 1e-9
    units = len(np.unique(sources))
    worth = units * (seen[0].sum() ** 2 / (n * (1 / counts[0][seen[0]]).sum()))
    low, high = np.quantile(balanced[1:], (0.025, 0.975))
    return Classified(
        classes, tried[0], told[0].astype(np.int64), scores, _share(accuracies[0], units, accuracies[1:].mean(), n),
        _share(balanced[0], worth, balanced[1:].mean(), n), (1 + int((balanced[1:] >= least).sum())) / len(tried),
        (float(low), float(high)), len(tried) - 1, *((fold.features, fold.constant, fold.undefined) if fold else ()))


def _share(value: float, worth: float, null: float, n: int) -> Number:
    """A share that is worth so many independent films, with Wilson's interval."""
    known = proportion(min(float(value), 1.0) * worth, max(worth, 1.0))
    return Number(float(value), known.low, known.high, float(null), n, "share")


def _not_measurable(classes: tuple[str, ...], y: np.ndarray, reason: str, features: int) -> Classified:
    number = Number(math.nan, n=len(y), unit="share")
    return Classified(classes, y, np.full(len(y), -1), np.full((len(y), len(classes)), math.nan), number, number, None,
                      None, 0, features, reason=f"not measurable: {reason}")


def _checked(features: np.ndarray, labels: Sequence[str], groups: Sequence[object] | None,
             permutations: int) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    n = len(labels)
    if features.ndim != 2 or len(features) != n or (groups is not None and len(groups) != n):
        raise ShapeError(f"features of shape (films, p) and a source for each of {n} labels",
                         f"shape {features.shape}" + ("" if groups is None else f", {len(groups)} sources"))
    if permutations < 1:
        raise ShapeError("1 permutation or more", str(permutations))
    return features


def _classes(labels: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    names, y = np.unique(np.asarray([str(label) for label in labels], dtype=str), return_inverse=True)
    return tuple(names.tolist()), y.astype(np.int64)


def _sources(groups: Sequence[object] | None, n: int) -> np.ndarray:
    if groups is None:
        return np.arange(n)
    return np.unique([str(group) for group in groups], return_inverse=True)[1] if n else np.zeros(0, np.int64)


def _too_few(classes: tuple[str, ...], y: np.ndarray, sources: np.ndarray) -> str:
    if len(y) < FEWEST_FILMS:
        return f"{len(y)} films, fewer than {FEWEST_FILMS}"
    if len(classes) < 2:
        return "all films are of one genre"
    for c, name in enumerate(classes):
        if (own := len(np.unique(sources[y == c]))) < FEWEST_OF_A_CLASS:
            what = "film" if len(np.unique(sources)) == len(y) else "source"
            return f"“{name}” has {own} {what}, fewer than {FEWEST_OF_A_CLASS}"
    return ""
