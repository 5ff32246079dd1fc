"""Whether a number differs between two ways of treating the same items: one rule, and one answer for every sentence.

Two intervals that overlap say nothing of a difference on the same items. Here items are compared with themselves, and
what several items share (captions of one image, items of one batch) counts once. Families are corrected by `holm`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

import numpy as np

from core.errors import ShapeError
from core.geometry.jackknife import student
from core.geometry.rounding import rounding
from core.types import Number

LEVEL = 0.05
FLIPS = 19_999
MOST_FLIPPED = 1000   # with more, the sum of random signs is normal
LEAST_FLIPPED = 6   # with fewer, all going one way has a chance of more than 5 %
LEAST_GROUPS = 3
_Key = TypeVar("_Key", bound=Hashable)


class Verdict(Enum):
    """What can be said of a number after, beside the same number before."""

    HIGHER = "higher"
    LOWER = "lower"
    NOT_TOLD_APART = "not told apart"
    NOT_MEASURABLE = "not measurable"


@dataclass(frozen=True)
class Difference:
    """A number after less the same number before, on the same items.

    Attributes
    ----------
    change : with its 95 % interval where one is known; null 0.
    p : two-sided chance of so large a change where there is none, corrected for its family if it has one; None where it
        cannot be measured.
    test : how p was found, for users.
    """

    change: Number
    p: float | None
    test: str = ""

    @property
    def verdict(self) -> Verdict:
        """One of the four answers, at 5 %."""
        if self.p is None or not math.isfinite(self.change.value):
            return Verdict.NOT_MEASURABLE
        if self.p > LEVEL or self.change.value == 0:
            return Verdict.NOT_TOLD_APART
        return Verdict.HIGHER if self.change.value > 0 else Verdict.LOWER


def hits_differ(before: np.ndarray, after: np.ndarray, together: np.ndarray | None = None, *,
                asked: np.ndarray | None = None, seed: int = 0) -> Difference:
    """Shares of hits on the same queries, such as R@1 or accuracy.

    Parameters
    ----------
    before, after
        (q,) in [0, 1], whether (or how likely, among equals) each query finds a right answer.
    together
        (q,) int, the same for queries that are one item, such as captions of one image; None: each is its own.
    asked
        (q,) how often each query was asked, where ``before`` and ``after`` are shares of that; None: once.
    seed
        Of the sign flips.

    Returns
    -------
    Difference by the exact McNemar test, where each query is an item and hits are yes or no; else by sign flips over
    items. Not measurable below 6 items. The interval is Agresti and Min's for McNemar's table, else Student's over
    items; none where no item changes its part.

    References
    ----------
    McNemar, Psychometrika 1947; Agresti and Min, Statistics in Medicine 24, 2005.
    """
    before, after = _same_length(before, after)
    q = len(before)
    labels = np.arange(q) if together is None else np.unique(together, return_inverse=True)[1]
    items = int(labels.max()) + 1
    times = np.ones(q) if asked is None else np.asarray(asked, dtype=np.float64)
    steps = (after - before) * times
    value = float(steps.sum() / times.sum())
    if items < LEAST_FLIPPED:
        return Difference(Number(value, null=0.0, n=q, unit="share"), None)
    if asked is None and items == q and np.isin(np.concatenate([before, after]), (0.0, 1.0)).all():
        return _mcnemar(int((steps > 0).sum()), int((steps < 0).sum()), q)
    sums = np.bincount(labels, steps)
    off = np.bincount(labels, steps - value * times)
    half = student(items - 1) * math.sqrt(items / (items - 1) * float(off @ off)) / float(times.sum())
    change = Number(value, max(value - half, -1.0), min(value + half, 1.0), 0.0, q, "share")
    return Difference(change if half else Number(value, null=0.0, n=q, unit="share"), _flipped(sums, seed),
                      f"sign flips over {items:,} items")


def means_differ(before: np.ndarray, after: np.ndarray, weights: np.ndarray | None = None, *,
                 unit: str = "") -> Difference:
    """Means over independent items or batches of them, each with itself: Student's paired test.

    Parameters
    ----------
    before, after : (b,) floats.
    weights : (b,) how much each counts; None: the same.

    Returns
    -------
    Difference; not measurable below 3.
    """
    before, after = _same_length(before, after)
    b, steps = len(before), after - before
    weights = np.ones(b) if weights is None else np.asarray(weights, dtype=np.float64)
    value = float(np.average(steps, weights=weights))
    spread = float(np.average((steps - value) ** 2, weights=weights)) / max(b - 1, 1)
    return by_student(value, math.sqrt(spread) if b >= LEAST_GROUPS else math.nan, b - 1, n=b, unit=unit)


def statistics_differ(before: float, after: float, without_before: np.ndarray, without_after: np.ndarray, *,
                      unit: str = "") -> Difference:
    """Statistics of the same items, by the jackknife of their difference.

    Parameters
    ----------
    before, after : of all items.
    without_before, without_after : (c,) floats, the statistic without each item, in the same order.

    Returns
    -------
    Difference; not measurable below 3 items, or where the statistic is not defined without one.
    """
    left = np.subtract(*reversed(_same_length(without_before, without_after)))
    c = len(left)
    error = math.sqrt((c - 1) / c * float(((left - left.mean()) ** 2).sum())) if c >= LEAST_GROUPS else math.nan
    return by_student(after - before, error, c - 1, n=c, unit=unit)


def by_student(value: float, error: float, freedom: int, *, n: int, unit: str = "") -> Difference:
    """A difference with a standard error of so many degrees of freedom; not measurable where that is not finite."""
    if freedom < 1 or not (math.isfinite(error) and math.isfinite(value)):
        return Difference(Number(value, null=0.0, n=n, unit=unit), None)
    from scipy.special import stdtr

    half = student(freedom) * error
    p = 1.0 if value == 0 else 0.0 if error == 0 else 2 * float(stdtr(freedom, -abs(value) / error))
    return Difference(Number(value, value - half, value + half, 0.0, n, unit), p, f"Student's t, {freedom} degrees")


def holm(family: Mapping[_Key, Difference], *, among: int | None = None) -> dict[_Key, Difference]:
    """The same differences, their p corrected for how many are looked at together; what has none is not counted.

    Parameters
    ----------
    family : differences by any key.
    among : how many there were to choose from, where those given were chosen out of more.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    known = sorted((d.p, i) for i, d in enumerate(family.values()) if d.p is not None)
    count, highest, corrected = max(len(known), among or 0), 0.0, {}
    for rank, (p, i) in enumerate(known):
        highest = max(highest, min(1.0, p * (count - rank)))
        corrected[i] = highest
    return {key: replace(d, p=corrected.get(i)) for i, (key, d) in enumerate(family.items())}


def _mcnemar(gained: int, lost: int, n: int) -> Difference:
    from scipy.stats import binomtest

    p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    more, fewer, size = gained + 0.5, lost + 0.5, n + 2
    middle = (more - fewer) / size
    half = 1.959963984540054 * math.sqrt(max(more + fewer - (more - fewer) ** 2 / size, 0.0)) / size
    value = (gained - lost) / n
    change = Number(value, max(min(value, middle - half), -1.0), min(max(value, middle + half), 1.0), 0.0, n, "share")
    return Difference(change, p, f"exact McNemar, {gained:,} gained and {lost:,} lost")


def _flipped(sums: np.ndarray, seed: int) -> float:
    """Chance that sums of random sign add up to as much; one draw is the one seen."""
    sums = sums[sums != 0]
    if len(sums) > MOST_FLIPPED:
        return math.erfc(abs(float(sums.sum())) / math.sqrt(2 * float(sums @ sums)))
    least = rounding(sums, len(sums)) * float(np.abs(sums).sum())
    rng, seen, as_much = np.random.default_rng(seed), abs(float(sums.sum())) - least, 0
    step = max(1, (1 << 22) // max(len(sums), 1))
    for start in range(0, FLIPS, step):
        signs = rng.integers(0, 2, (min(step, FLIPS - start), len(sums)), dtype=np.int8)
        as_much += int((np.abs(2 * (signs @ sums) - sums.sum()) >= seen).sum())
    return (1 + as_much) / (1 + FLIPS)


def _same_length(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = (np.asarray(v, dtype=np.float64) for v in (a, b))
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ShapeError("the same items before and after, one or more", f"shapes {a.shape} and {b.shape}")
    return a, b
