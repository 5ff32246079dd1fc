"""A measure of a path beside the draws of a null: p, the central range, and why it may not be measurable."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, Verdict, holm
from core.geometry.films.paths import Measure
from core.types import Number

NULLS: Mapping[str, str] = {"shots": "whole shots shuffled", "frames": "frames shuffled",
                            "walk": "a random walk of the same steps"}
DRAWS = LEAST_DRAWS = 499   # with fewer, no measure could differ at 5 % among all that are tested
LEAST_SHUFFLED = 5   # 4 have 24 orders, and the rarest of these has a two-sided chance above 5 %
KEPT = 1e-6   # a null that moves a measure by less than this part of it keeps it
_LEAST_DEFINED = 0.95
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class AgainstNull:
    """A measure of a path beside the same of a null.

    Attributes
    ----------
    measure : of the path, such as those of `MEASURES`.
    null : in words, such as those of `NULLS`.
    value : on the frames that the null used; its null is the mean of the null, n the number of frames.
    low, high : the central 95 % of the null.
    difference : value less mean of the null; p two-sided, corrected for all measures of this null (Holm); None where
        it cannot be measured.
    why : why it cannot be measured, or "".
    """

    measure: Measure
    null: str
    value: Number
    low: float
    high: float
    difference: Difference
    why: str = ""

    @property
    def p(self) -> float | None:
        """Two-sided, corrected; None where not measurable."""
        return self.difference.p

    @property
    def words(self) -> str:
        """What can be said: "longer than whole shots shuffled (p 0.002)"."""
        of, null = self.measure, self.null
        match self.difference.verdict:
            case Verdict.HIGHER:
                return f"{of.more} than {null} (p {self.p:.3f})"
            case Verdict.LOWER:
                return f"{of.less} than {null} (p {self.p:.3f})"
            case Verdict.NOT_TOLD_APART:
                return f"{of.title} not told apart from {null} (p {self.p:.3f})"
        return f"{of.title} not measurable against {null}: {self.why}"


def check_draws(draws: int) -> None:
    """Raise ShapeError where there are too few draws to tell anything."""
    if draws < LEAST_DRAWS:
        raise ShapeError(f"at least {LEAST_DRAWS} draws", str(draws))


def checked_starts(starts: np.ndarray, n: int) -> np.ndarray:
    """The starts of shots as int64; ShapeError unless they rise from 0 and lie within n frames."""
    starts = np.asarray(starts)
    if starts.ndim != 1 or not len(starts) or not np.issubdtype(starts.dtype, np.integer) or starts[0] != 0 \
            or (np.diff(starts) <= 0).any() or starts[-1] >= n:
        raise ShapeError(f"starts of shots that rise from 0 and lie within {n} frames",
                         f"{starts.dtype} of shape {starts.shape}")
    return starts.astype(np.int64)


def two_sided(value: float, drawn: np.ndarray) -> float:
    """Chance among draws and the value itself of lying as far out, on either side: p in (0, 1]."""
    least = KEPT * max(abs(value), float(np.abs(drawn).max(initial=0.0)))
    below, above = (drawn <= value + least).sum(), (drawn >= value - least).sum()
    return min(1.0, 2 * (1 + int(min(below, above))) / (1 + len(drawn)))


def corrected(tests: Mapping[_Key, AgainstNull]) -> dict[_Key, AgainstNull]:
    """The same tests, their p corrected for all of them (Holm); those not measurable do not count."""
    found = holm({key: test.difference for key, test in tests.items()})
    return {key: replace(test, difference=found[key]) for key, test in tests.items()}


def compared(measure: Measure, null: str, value: float, drawn: np.ndarray, *, n: int, few: str = "") -> AgainstNull:
    """A measure beside the draws of a null, (draws,) floats, NaN where a draw leaves it undefined; p is uncorrected."""
    unit = measure.unit
    known = drawn[np.isfinite(drawn)]
    if few or not math.isfinite(value) or len(known) < _LEAST_DEFINED * len(drawn):
        why = few or ("it is not defined on this path" if not math.isfinite(value)
                      else f"it is not defined in {100 * (1 - len(known) / len(drawn)):.0f} % of the draws")
        ends = (math.nan, math.nan) if few or not len(known) else tuple(np.quantile(known, (0.025, 0.975)).tolist())
        return AgainstNull(measure, null, Number(value, n=n, unit=unit), ends[0], ends[1],
                           Difference(Number(math.nan, n=n, unit=unit), None), why)
    low, high = np.quantile(known, (0.025, 0.975)).tolist()
    mean = float(known.mean())
    number = Number(value, null=mean, n=n, unit=unit)
    change = Number(value - mean, null=0.0, n=n, unit=unit)
    if float(np.abs(known - value).max()) <= KEPT * max(abs(value), KEPT):
        return AgainstNull(measure, null, number, low, high, Difference(change, None), "the null keeps it")
    return AgainstNull(measure, null, number, low, high,
                       Difference(change, two_sided(value, known), f"{len(known):,} draws"))


def shuffled_orders(shot_of: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Orders of frames in which whole shots change places: (n,) int of each frame's shot -> (draws, n) int64."""
    keys = rng.random((draws, int(shot_of.max()) + 1))
    return np.argsort(keys[:, shot_of], axis=1, kind="stable")


def too_few(units: int, of: str) -> str:
    """Why so many shots or frames are too few to shuffle, or ""."""
    return "" if units >= LEAST_SHUFFLED else f"{units} of the {LEAST_SHUFFLED} {of} that are needed"
