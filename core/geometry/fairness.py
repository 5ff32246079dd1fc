"""Which groups of images zero-shot puts into classes that nobody wants, along the shift of the modality gap."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, holm
from core.geometry.intervals import proportion
from core.geometry.pairs import Classes, Pairs
from core.geometry.shift import shifted
from core.types import Number

SHIFTS = np.linspace(-0.5, 1, 13)
DRAWS = 1_999


@dataclass(frozen=True, eq=False)
class Fairness:
    """Shares of each group that go into unwanted classes, along the shift.

    Attributes
    ----------
    shifts : (s,) float64; 0 leaves the vectors as they are, 1/2 closes the gap.
    groups : names of the g groups.
    members : (n,) int64, group of each image; -1 where it has none.
    counted : (n,) bool, whether an image is of a group and of no unwanted class by its own label.
    unwanted : (n, s) bool, whether an image goes into an unwanted class.
    shares : (g,) lists of s Numbers, share of each group with Wilson's interval; null the share of all groups.
    differences : s; of two groups share of the first less that of the second, of more the largest less the smallest;
        p by shuffling the groups, of either sign, corrected by Holm over the shifts.
    accuracy : s Numbers, share of images with a wanted label that get it; empty where no image has one.
    right : (n, s) bool, whether an image gets its own, wanted label.
    gap : (s,) float64, length of the gap vector that is left.
    """

    shifts: np.ndarray
    groups: tuple[str, ...]
    members: np.ndarray
    counted: np.ndarray
    unwanted: np.ndarray
    shares: tuple[tuple[Number, ...], ...]
    differences: tuple[Difference, ...]
    accuracy: tuple[Number, ...]
    right: np.ndarray
    gap: np.ndarray


def fairness(pairs: Pairs, unwanted: np.ndarray, members: np.ndarray, groups: tuple[str, ...], *,
             shifts: np.ndarray = SHIFTS, seed: int = 0,
             on_progress: Callable[[float], None] = lambda share: None) -> Fairness:
    """The fairness curve of Mind the Gap.

    Parameters
    ----------
    pairs
        Images, the texts whose distance from them is the gap, and the classes, all of them, with each image's own
        (-1: not known). Class vectors move as texts do.
    unwanted
        (k,) bool, which classes nobody wants; at least one is, and one is not.
    members, groups
        (n,) int64, index of each image's group, -1 where it has none; names of two groups or more.
    shifts
        (s,) floats along the gap.
    seed
        Of the shuffled groups.
    on_progress
        Told the share done, in [0, 1]; may raise to stop.

    Returns
    -------
    Fairness. Images whose own label is an unwanted class are left out, such a class being right for them, and so are
    groups that have no others.

    Raises
    ------
    ShapeError
        If there are fewer than two such groups, or no class of one of the two kinds.

    References
    ----------
    Liang et al., NeurIPS 2022, arXiv:2203.02053, section 5.
    """
    unwanted, members = np.asarray(unwanted, dtype=bool), np.asarray(members, dtype=np.int64)
    classes = pairs.classes
    if classes is None or unwanted.shape != (len(classes.names),) or not unwanted.any() or unwanted.all():
        raise ShapeError("classes of which some, not all, are unwanted",
                         "none" if classes is None else f"{int(unwanted.sum())} of {len(classes.names)}",
                         "Write one class or more into each of the two lists.")
    truth = classes.truth
    counted = (members >= 0) & ~((truth >= 0) & unwanted[truth])
    present = np.bincount(members[counted], minlength=len(groups)) > 0
    if present.sum() < 2:
        raise ShapeError("two groups or more with images", f"{int(present.sum())}",
                         "Choose groups that have images whose own label is not an unwanted class.")
    members = np.where(members >= 0, np.where(present, np.cumsum(present) - 1, -1)[members], -1)
    groups = tuple(name for name, here in zip(groups, present) if here)
    sizes = np.bincount(members[counted])
    named = np.flatnonzero(counted & (truth >= 0))
    bad, right = (np.zeros((len(members), len(shifts)), dtype=bool) for _ in range(2))
    gaps = np.empty(len(shifts))
    for i, lam in enumerate(shifts.tolist()):
        guess, gaps[i] = _named(pairs, classes, lam)
        bad[:, i], right[:, i] = unwanted[guess], guess == truth
        on_progress(0.5 * (i + 1) / len(shifts))
    rows = np.flatnonzero(counted)
    hits, of = bad[rows], members[rows]
    counts = np.stack([hits[of == g].sum(axis=0) for g in range(len(groups))])
    shares = tuple(tuple(proportion(float(counts[g, i]), int(sizes[g]), null=float(hits[:, i].mean()))
                         for i in range(len(shifts))) for g in range(len(groups)))
    accuracy = tuple(proportion(float(right[named, i].sum()), len(named), null=1 / len(classes.names))
                     for i in range(len(shifts))) if len(named) else ()
    found = _differences(hits, of, sizes, counts, seed, lambda share: on_progress(0.5 + 0.5 * share))
    return Fairness(shifts, groups, members, counted, bad, shares, found, accuracy, right, gaps)


def shares_differ(a: int, n: int, b: int, m: int) -> Number:
    """Share a / n less share b / m of independent items, with the 95 % interval of Newcombe's hybrid score.

    References
    ----------
    Newcombe, Statistics in Medicine 17, 1998, method 10.
    """
    first, second = proportion(a, n), proportion(b, m)
    value = first.value - second.value
    ends = [first.low, first.high, second.low, second.high]
    low1, high1, low2, high2 = (0.0 if end is None else end for end in ends)
    return Number(value, value - math.hypot(first.value - low1, high2 - second.value),
                  value + math.hypot(high1 - first.value, second.value - low2), 0.0, n + m, "share")


def _named(pairs: Pairs, classes: Classes, lam: float) -> tuple[np.ndarray, float]:
    """Class of each image after a shift, and the gap that is left."""
    there = shifted(pairs, lam)
    assert there.classes is not None
    left = there.images.mean(axis=0, dtype=np.float64) - there.texts.mean(axis=0, dtype=np.float64)
    return (there.images @ there.classes.vectors.T).argmax(axis=1), float(np.linalg.norm(left))


def _differences(hits: np.ndarray, of: np.ndarray, sizes: np.ndarray, counts: np.ndarray, seed: int,
                 say: Callable[[float], None]) -> tuple[Difference, ...]:
    """What tells the groups apart at each shift, beside groups shuffled; all shifts see the same shuffles."""
    shares = counts / sizes[:, None]
    seen = shares.max(axis=0) - shares.min(axis=0)
    patterns, which = np.unique(hits, axis=0, return_inverse=True)
    which = which.reshape(-1)
    rng, k = np.random.default_rng(seed), len(patterns)
    as_much, total = np.zeros(hits.shape[1], dtype=np.int64), np.zeros(hits.shape[1])
    for draw in range(DRAWS):
        shuffled = rng.permutation(of)
        table = np.bincount(shuffled * k + which, minlength=len(sizes) * k).reshape(len(sizes), k)
        other = table @ patterns / sizes[:, None]
        apart = other.max(axis=0) - other.min(axis=0)
        as_much += apart >= seen - 1e-12
        total += apart
        if draw % 200 == 0:
            say(draw / DRAWS)
    found = {}
    for i in range(hits.shape[1]):
        if len(sizes) == 2:
            number = shares_differ(int(counts[0, i]), int(sizes[0]), int(counts[1, i]), int(sizes[1]))
        else:
            number = Number(float(seen[i]), null=float(total[i] / DRAWS), n=len(of), unit="share")
        found[i] = Difference(number, float((1 + as_much[i]) / (1 + DRAWS)), f"{DRAWS:,} shuffles of the groups")
    return tuple(holm(found).values())
