"""How well scores tell what is sought from the rest: AUC and average precision, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, statistics_differ
from core.geometry.jackknife import bounded
from core.types import Number

Worse = Literal["high", "low"]
TRIALS = 3   # for each item that is wrong: with more the interval of an AUC of few wrong items covers 77 % (simulated)


@dataclass(frozen=True, eq=False)
class Score:
    """A score in [0, 1], and what it is without each item.

    Attributes
    ----------
    value : of all items.
    without : (items,) float64, without each item or group, in their order.
    chance : the same of scores that say nothing; None where there is no such thing.
    wrong : how many items, or groups of copies, there are to be found.
    unit : what it is.
    """

    value: float
    without: np.ndarray
    chance: float | None
    wrong: int
    unit: str

    @cached_property
    def number(self) -> Number:
        """With a 95 % interval over items, which covers 92 to 97 % (simulated), and n items."""
        return bounded(self.value, self.without, self.chance, most=TRIALS * self.wrong, unit=self.unit)

    def over(self, other: Score) -> Difference:
        """This less the other on the same items, by the jackknife of the difference."""
        return statistics_differ(other.value, self.value, other.without, self.without, unit=self.unit)


def mean_of(scores: Sequence[Score]) -> Score:
    """The mean over several sets, each item left out of its own.

    Raises
    ------
    ShapeError
        If there is no set.
    """
    if not scores:
        raise ShapeError("one score or more", "none")
    k, value = len(scores), float(np.mean([s.value for s in scores]))
    without = np.concatenate([value + (s.without - s.value) / k for s in scores])
    chances = [s.chance for s in scores if s.chance is not None]
    return Score(value, without, float(np.mean(chances)) if len(chances) == k else None, sum(s.wrong for s in scores),
                 scores[0].unit)


def roc_auc(scores: np.ndarray, truth: np.ndarray, worse: Worse = "high") -> Score:
    """How often what is wrong has a worse score than what is right; equal scores count half.

    Parameters
    ----------
    scores : (n,) floats; NaN is least suspicious.
    truth : (n,) bool, what is wrong; two or more on either side.
    worse : which end is bad.

    Raises
    ------
    ShapeError
        If the lengths differ, or fewer than two are wrong or right.
    """
    s, truth = _suspicion(scores, truth, worse)
    bad, good = s[truth], s[~truth]
    of_bad = _below(np.sort(good), bad)
    of_good = 1 - _below(np.sort(bad), good)
    value, without = float(of_bad.mean()), np.empty(len(s))
    without[truth] = (value * len(bad) - of_bad) / (len(bad) - 1)
    without[~truth] = (value * len(good) - of_good) / (len(good) - 1)
    return Score(value, without, 0.5, len(bad), "AUC")


def average_precision(scores: np.ndarray, truth: np.ndarray, worse: Worse = "high") -> Score:
    """Mean, over what is wrong, of the share of wrong items among those at least as suspicious.

    Parameters, errors : as of `roc_auc`. By chance it is the share of what is wrong.
    """
    s, truth = _suspicion(scores, truth, worse)
    order = np.argsort(-s, kind="stable")
    s, hits = s[order], truth[order]
    without = np.empty(len(s))
    for i in range(len(s)):
        without[order[i]] = _precision(np.delete(s, i), np.delete(hits, i))
    return Score(_precision(s, hits), without, float(truth.mean()), int(truth.sum()), "average precision")


def _suspicion(scores: np.ndarray, truth: np.ndarray, worse: Worse) -> tuple[np.ndarray, np.ndarray]:
    s, truth = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=bool)
    if s.ndim != 1 or s.shape != truth.shape or min(truth.sum(), (~truth).sum()) < 2:
        raise ShapeError("a score of each item, two or more of them wrong, and two or more right",
                         f"{s.shape} scores, {int(truth.sum())} of {truth.shape} wrong")
    s = s if worse == "high" else -s
    return np.where(np.isnan(s), -np.inf, s), truth


def _below(among: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of sorted numbers below each value, equal ones counted half."""
    return (np.searchsorted(among, values, "left") + np.searchsorted(among, values, "right")) / (2 * len(among))


def _precision(falling: np.ndarray, hits: np.ndarray) -> float:
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    found = np.cumsum(hits)[last]
    return float((np.diff(found, prepend=0) * found / (last + 1)).sum() / found[-1])
