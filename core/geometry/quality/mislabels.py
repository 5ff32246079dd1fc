"""Labels that the images contradict, by a model fitted on the other images or by texts of the classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.differences import Difference, Verdict, means_differ
from core.geometry.intervals import proportion
from core.geometry.quality.classes import called, classes_of
from core.geometry.quality.equal_rows import equal_rows
from core.geometry.quality.finding import Finding
from core.geometry.quality.logistic import Progress, left_out_probabilities
from core.types import Number

FOLDS = 5
LEAST = 2   # different images of a class that is judged
MOST_CLASSES = 1000
MOST_BY_CHANCE = 5000   # images whose labels are shuffled
LOGIT_SCALE = 100.0
UNLIKELY = 20   # times less likely than the most likely class is a label that is taken for wrong
WRONG = 0.1   # share of wrong labels that judges are compared at
_LEAST_CHANCE = np.float32(1e-30)
_UNIT = "probability of the label that it has"


@dataclass(frozen=True, eq=False)
class Mislabels(Finding):
    """Images whose label is unlikely.

    Attributes
    ----------
    names : of the k classes that are told apart.
    suggested : (n,) strings, the most likely class of each image; "" where none can be told.
    confidence : (n,) float32, probability of that; NaN where there is none.
    agrees : (n,) bool, whether the own label of an image is the most likely.
    agree : share of that among the judged images, with Wilson's interval; None where no image is judged. Null: labels
        shuffled.
    method : what judged, for users.
    """

    names: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    confidence: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    agrees: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    agree: Number | None = None
    method: str = ""


def mislabelled(x: np.ndarray, labels: Sequence[str], *, folds: int = FOLDS, seed: int = 0,
                on_progress: Progress | None = None, should_stop: Callable[[], bool] | None = None) -> Mislabels:
    """Images whose label a model fitted on other images finds unlikely (confident learning, self-confidence).

    The model is a logistic regression (C = 1) of the vectors times 8, fitted without the fold that an image is in. The
    threshold flags as many images as the confident joint counts labels to be wrong, and no more than have a label that
    is 20 times less likely than another: a model that tells the classes badly counts its own errors among the labels'.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    labels
        n strings; "" where an image has none. Empty: no image has one.
    folds
        Parts that are left out in turn, >= 2; every class of two images or more is in all fits.
    seed
        Of the folds and of the shuffled labels.
    on_progress, should_stop
        Told the share that is done; asked whether to stop.

    Returns
    -------
    Mislabels. An image is not judged, NaN, where it has no label, no other different image has that, its class is not
    among the 1,000 largest, or all have one class; classes are suggested for those too. Copies with one label are left
    out together. Null: the same with shuffled labels, of up to 5,000 images.

    Raises
    ------
    ShapeError
        If the labels do not fit or ``folds`` < 2.
    Cancelled
        Where ``should_stop`` says so.

    References
    ----------
    Northcutt, Jiang and Chuang, JAIR 70, 2021, arXiv:1911.00068; Kuan and Mueller, 2022 (self-confidence).
    """
    x = np.asarray(x)
    check_vectors(x, at_least=0, unit=True)
    if folds < 2:
        raise ShapeError("two folds or more", str(folds))
    classes, of, judged = _classes(labels, x)
    if len(classes) < 2:
        return _nothing(len(x), labels, classes)
    some = np.sort(np.random.default_rng(seed).permutation(judged)[:MOST_BY_CHANCE])
    share = len(judged) / (len(judged) + len(some))

    def part(first: float, size: float) -> Progress | None:
        return None if on_progress is None else lambda done, text: on_progress(first + size * done, text)

    found = left_out_probabilities(x, of, len(classes), folds=folds, seed=seed, on_progress=part(0.0, share),
                                   should_stop=should_stop)
    shuffled = np.random.default_rng(seed).permutation(of[some])
    by_chance = left_out_probabilities(x[some], shuffled, len(classes), folds=folds, seed=seed,
                                       on_progress=part(share, 1 - share), should_stop=should_stop)
    among = "" if len(some) == len(judged) else f" of {len(some):,} images"
    return _finding(found, of, judged, classes, labels, by_chance, shuffled, f"labels{among} shuffled",
                    f"logistic regression of the vectors, {folds} folds")


def judged_by(probabilities: np.ndarray, labels: Sequence[str], names: Sequence[str], method: str, *,
              seed: int = 0) -> Mislabels:
    """Images whose label is unlikely by (n, k) probabilities of k named classes that did not see the labels."""
    n = len(probabilities)
    place = {name: k for k, name in enumerate(names)}
    of = np.array([place.get(label, -1) for label in _one_each(labels, n)], dtype=np.int64)
    judged = np.flatnonzero(of >= 0)
    if len(names) < 2 or not len(judged):
        return _nothing(n, labels, names)
    shuffled = np.random.default_rng(seed).permutation(of[judged])
    return _finding(probabilities, of, judged, names, labels, probabilities[judged], shuffled, "labels shuffled",
                    method)


def better_of(fitted: Mislabels, zero_shot: Mislabels) -> tuple[Mislabels, Difference]:
    """Which of two judges finds the labels that the images have likelier, on the images that both judge.

    Neither saw the label that it judges, and most labels are right: so the one that gives them the higher mean log
    probability, one label in ten taken to be wrong, knows the classes better and says it with the right confidence.
    Where that is not told apart, or cannot be measured, the fitted one is taken unless it judges nothing.

    Returns
    -------
    The better one; how much higher the mean log probability (nats) by the zero-shot one is, by Student's paired test.
    """
    both = np.flatnonzero(~np.isnan(fitted.scores) & ~np.isnan(zero_shot.scores))
    if not len(both):
        nothing = Difference(Number(float("nan"), n=0, unit="nats"), None)
        return (zero_shot if np.isnan(fitted.scores).all() else fitted), nothing
    logs = (np.log((1 - WRONG) * judge.scores[both].astype(np.float64) + WRONG / len(judge.names))
            for judge in (fitted, zero_shot))
    change = means_differ(*logs, unit="nats")
    return (zero_shot if change.verdict is Verdict.HIGHER else fitted), change


def _one_each(labels: Sequence[str], n: int) -> list[str]:
    labels = list(labels) or [""] * n
    if len(labels) != n:
        raise ShapeError(f"{n} labels, one an image, or none", str(len(labels)))
    return labels


def _classes(labels: Sequence[str], x: np.ndarray) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names of the classes that are told apart, class of each image or -1, and rows of those that have one."""
    names, of = classes_of(_one_each(labels, len(x)))
    pairs = np.unique(np.stack([of, equal_rows(x)], axis=1)[of >= 0], axis=0)
    different = np.bincount(pairs[:, 0], minlength=len(names))
    kept = different >= LEAST
    if kept.sum() > MOST_CLASSES:
        kept[np.argsort(-different, kind="stable")[MOST_CLASSES:]] = False
    place = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)   # the last for those without a label
    of = place[of]
    return tuple(name for name, is_kept in zip(names, kept) if is_kept), of, np.flatnonzero(of >= 0)


def _softmax(x: np.ndarray, class_vectors: np.ndarray, scale: float) -> np.ndarray:
    logits = scale * (x @ class_vectors.T)
    if not logits.size:
        return logits
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def _nothing(n: int, labels: Sequence[str], names: Sequence[str]) -> Mislabels:
    why = "there is no other class to tell it from"
    said = tuple(why if label else "no label" for label in _one_each(labels, n))
    only_nan = np.full(n, np.nan, np.float32)
    return Mislabels("labels", "image", only_nan, "low", 0.0, _UNIT, evidence=said, names=tuple(names),
                     suggested=("",) * n, confidence=only_nan.copy(), agrees=np.zeros(n, bool))


def _finding(p: np.ndarray, of: np.ndarray, judged: np.ndarray, names: Sequence[str], labels: Sequence[str],
             p_by_chance: np.ndarray, shuffled: np.ndarray, chance: str, method: str) -> Mislabels:
    from cleanlab.count import num_label_issues
    from cleanlab.rank import get_self_confidence_for_each_label

    scores = np.full(len(p), np.nan, np.float32)
    scores[judged] = get_self_confidence_for_each_label(of[judged], p[judged])
    by_chance = np.asarray(get_self_confidence_for_each_label(shuffled, p_by_chance), np.float32)
    present, dense = np.unique(of[judged], return_inverse=True)
    wrong = 0
    if len(present) > 1:
        told = p[judged][:, present]
        told /= np.maximum(told.sum(axis=1, keepdims=True), _LEAST_CHANCE)
        wrong = min(int(num_label_issues(dense.ravel(), told)),
                    int((scores[judged] <= p[judged].max(axis=1) / UNLIKELY).sum()))
    edges = np.concatenate([[0.0], np.sort(scores[judged]).astype(np.float64), [1.0]])
    threshold = float(edges[wrong:wrong + 2].mean())   # between two scores, so that it can be rounded
    best, top = p.argmax(axis=1), p.max(axis=1).astype(np.float32)
    suggested = tuple(names[k] for k in best.tolist())
    agree = proportion(float((best[judged] == of[judged]).sum()), len(judged),
                       null=float((p_by_chance.argmax(axis=1) == shuffled).mean()))
    return Mislabels("labels", "image", scores, "low", threshold, _UNIT, by_chance, chance,
                     evidence=_evidence(scores, top, suggested, _one_each(labels, len(p))), names=tuple(names),
                     suggested=suggested, confidence=top, agrees=best == of, agree=agree, method=method)


def _evidence(scores: np.ndarray, top: np.ndarray, suggested: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    said, short = [], {name: called(name) for name in {*suggested, *labels}}
    for score, best, name, label in zip((100 * scores).tolist(), (100 * top).tolist(), map(short.get, suggested),
                                        map(short.get, labels)):
        if score != score:
            why = f"no other image tells what {label} is" if label else "no label"
            said.append(f"{why}; most likely {name} ({best:.0f} %)")
        elif name == label:
            said.append(f"{label} ({score:.0f} %) is the most likely")
        else:
            said.append(f"{label} ({score:.1f} %); rather {name} ({best:.0f} %)")
    return tuple(said)
