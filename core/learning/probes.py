"""What the labels of frozen features of a model teach: linear probes on several sets, all asked the same items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, ShapeError, check_vectors
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.intervals import proportion
from core.learning.comparing import Learned, chance_of_classes
from core.learning.records.classes import LEAST_OF_CLASS
from core.types import Number

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]
MOST_FITTED = 5_000
C = 0.316
ZERO_SHOT = "the model, zero-shot"
_ITERATIONS = 300


@dataclass(frozen=True, eq=False)
class Fitted:
    """A set whose features are learnt from.

    Attributes
    ----------
    name : what it is called.
    parts : one (n, d) float32 of images with n labels, or one for each draw; rows without a label are left out.
    beside : the set it is compared with, "" for none.
    """

    name: str
    parts: tuple[tuple[np.ndarray, tuple[str, ...]], ...]
    beside: str = ""


def linear_probe(x: np.ndarray, labels: Sequence[str], asked: np.ndarray, *, seed: int = 0,
                 most: int = MOST_FITTED) -> list[str]:
    """The class of each item that is asked, by multinomial logistic regression on frozen features.

    Parameters
    ----------
    x : (n, d) floats, unit rows.
    labels : n strings; rows with "" are left out.
    asked : (a, d) floats, unit rows.
    seed, most : of more than so many rows, as many are drawn at random.

    Returns
    -------
    a names. Features are scaled to a mean square of 1, the regularisation is C = 0.316 with 300 iterations of L-BFGS.

    Raises
    ------
    ShapeError
        If no row has a label.

    References
    ----------
    Radford et al., 2021, arXiv:2103.00020, appendix A.3, and the example of its code, from which C is taken.
    """
    check_vectors(asked, what="vectors that are asked")
    rows = np.array([row for row, label in enumerate(labels) if label], dtype=np.int64)
    if not len(rows):
        raise ShapeError("at least one item with a label to train on", "none")
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    own = [labels[row] for row in rows.tolist()]
    if len(set(own)) == 1:
        return [own[0]] * len(asked)
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.utils._testing import ignore_warnings

    scale = float(np.sqrt(x.shape[1]))
    model = LogisticRegression(C=C, max_iter=_ITERATIONS)
    ignore_warnings(category=ConvergenceWarning)(model.fit)(scale * x[rows], own)
    return [str(name) for name in model.predict(scale * asked)]


def compare_probes(sets: Sequence[Fitted], asked: np.ndarray, labels: Sequence[str], *,
                   zero_shot: np.ndarray | None = None, seed: int = 0, notes: Sequence[str] = (),
                   on_progress: Progress | None = None, should_stop: Stop | None = None) -> Learned:
    """Linear probes on each set, all asked the same items.

    Parameters
    ----------
    sets : that are learnt from; one whose draws differ is told by their mean.
    asked, labels : (a, d) float32, unit rows, and a labels of the items that are asked, none of them "".
    zero_shot : (a,) in [0, 1], whether the model itself names each item right; None where it cannot.
    seed : of what is drawn of large sets, and of sign flips.
    notes : what is to be said beside what was found.
    on_progress, should_stop : told the share done; asked between fits.

    Returns
    -------
    Learned, with intervals over the items that are asked (Wilson), differences paired over them, and the share of the
    largest class of the first set as what chance gives. A set without a label is told in a note.

    Raises
    ------
    ShapeError
        If the items that are asked are of fewer than two classes.
    Cancelled
        When ``should_stop`` says so.
    """
    names = sorted(set(labels))
    if len(names) < 2 or "" in names:
        raise ShapeError("items of two classes or more to ask", f"{len(names)} among {len(labels)} items",
                         "Bring more items of each class, or choose another column of labels.")
    told = list(notes)
    hits: dict[str, np.ndarray] = {} if zero_shot is None else {ZERO_SHOT: zero_shot[None]}
    trained: dict[str, int] = {} if zero_shot is None else {ZERO_SHOT: 0}
    parts = [(one, k) for one in sets for k in range(len(one.parts))]
    for done, (one, k) in enumerate(parts):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{done} of {len(parts)} probes were fitted")
        if on_progress is not None:
            on_progress(done / len(parts), f"Probe {done + 1} of {len(parts)}: {one.name}")
        x, own = one.parts[k]
        if not any(own):
            continue
        said = linear_probe(x, own, asked, seed=seed)
        right = np.array([a == b for a, b in zip(said, labels)], np.float64)
        hits[one.name] = np.concatenate([hits.get(one.name, np.zeros((0, len(labels)))), right[None]])
        trained.setdefault(one.name, min(sum(map(bool, own)), MOST_FITTED))
    told += [f"{one.name} has no labels to train on." for one in sets if one.name not in hits]
    if not set(hits) - {ZERO_SHOT}:
        raise ShapeError("labels to train on", "none in any set", "Take out an action, or choose another column.")
    first = next(one for one in sets if one.name in hits)
    common = [label for label in first.parts[0][1] if label]
    majority = max(set(common), key=common.count)
    chance = sum(label == majority for label in labels) / len(labels)
    beside = {one.name: one.beside for one in sets if one.beside} or (
        {first.name: ZERO_SHOT} if zero_shot is not None else {})
    return _of_hits(hits, labels, beside, trained, chance, seed, told)


def _of_hits(hits: dict[str, np.ndarray], labels: Sequence[str], beside: dict[str, str], trained: dict[str, int],
             chance: float, seed: int, notes: Sequence[str]) -> Learned:
    of = np.array(labels, dtype=object)
    names = sorted(set(labels))
    sizes = {name: int((of == name).sum()) for name in names}
    worst_by_chance = chance_of_classes(list(sizes.values()), seed=seed).get("worst_class")
    numbers: dict[tuple[str, str], Number] = {}
    runs: dict[tuple[str, str], np.ndarray] = {}
    classes: dict[tuple[str, str], Number] = {}
    judged = [name for name in names if sizes[name] >= LEAST_OF_CLASS]
    for name, found in hits.items():
        mean = found.mean(axis=0)
        numbers[name, "accuracy"] = proportion(float(mean.sum()), len(mean), null=chance)
        runs[name, "accuracy"] = found.mean(axis=1)
        for label in names:
            classes[name, label] = proportion(float(mean[of == label].sum()), sizes[label], null=1 / len(names))
        if len(judged) > 1:
            by_class = np.stack([found[:, of == label].mean(axis=1) for label in judged])
            runs[name, "worst_class"] = by_class.min(axis=0)
            value = float(min(mean[of == label].mean() for label in judged))
            numbers[name, "worst_class"] = Number(value, null=worst_by_chance, n=len(mean), unit="share")
    family: dict[tuple[str, str], Difference] = {
        (name, "accuracy"): hits_differ(hits[other].mean(axis=0), hits[name].mean(axis=0), seed=seed)
        for name, other in beside.items() if name in hits and other in hits}
    measures = tuple(key for key in ("accuracy", "worst_class") if (next(iter(hits)), key) in numbers)
    return Learned("a linear probe on frozen features", tuple(hits), beside, trained, len(labels), measures, numbers,
                   runs, classes, holm(family), "over the items that are asked", tuple(notes))
