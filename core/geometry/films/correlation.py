"""Whether a path moves with other signals of its film: rank correlation, with the film's own shifts as the null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, Verdict, holm
from core.geometry.films.against import checked_starts
from core.geometry.films.paths import PathReport, durations
from core.types import Number

LEAST_SHIFTS = 20
DIED = 0.2   # an autocorrelation below this has died away
_ALMOST_1 = 1 - 1e-9
LEAST_SHARED = 0.5   # of the frames that both have, at any shift


@dataclass(frozen=True)
class Correlation:
    """A measure of a path beside a signal.

    Attributes
    ----------
    measure, signal : what they are called.
    number : rank correlation (Spearman) in [-1, 1]; null 0 and n the frames that have both.
    low, high : the central 95 % of what shifts give; NaN where not measurable.
    shifts : how many shifts go beyond the autocorrelation, on both sides.
    freedom : how many of them are as good as independent, a lag apart.
    lag : frames after which the autocorrelations of both have died away.
    difference : of the correlation from 0; p two-sided, corrected for the table (Holm), None where not measurable.
    why : why not, or "".
    """

    measure: str
    signal: str
    number: Number
    low: float
    high: float
    shifts: int
    freedom: float
    lag: int
    difference: Difference
    why: str = ""

    @property
    def p(self) -> float | None:
        """Two-sided, corrected; None where not measurable."""
        return self.difference.p

    @property
    def words(self) -> str:
        """What can be said: "speed rises with motion (Spearman 0.41, p 0.002)"."""
        p = "" if self.p is None else f"p {self.p:.3f}" if self.p >= 0.001 else "p < 0.001"
        said = f"(Spearman {self.number.value:.2f}, {p})"
        match self.difference.verdict:
            case Verdict.HIGHER:
                return f"{self.measure} rises with {self.signal} {said}"
            case Verdict.LOWER:
                return f"{self.measure} falls with {self.signal} {said}"
            case Verdict.NOT_TOLD_APART:
                return f"{self.measure} is not told to move with {self.signal} {said}"
        return f"{self.measure} with {self.signal} is not measurable: {self.why}"


@dataclass(frozen=True, eq=False)
class CorrelationReport:
    """All measures of a path beside all signals.

    Attributes
    ----------
    name : of the path.
    times : (n,) float64, seconds.
    measures, signals : (n,) float64 each, one a frame, NaN where unknown, by what they are called.
    table : by measure and signal.
    """

    name: str
    times: np.ndarray
    measures: Mapping[str, np.ndarray]
    signals: Mapping[str, np.ndarray]
    table: Mapping[tuple[str, str], Correlation]


def per_frame(report: PathReport) -> dict[str, np.ndarray]:
    """Speed into each frame (degrees a second; NaN at the first) and turning at it (degrees): (n,) float64 each."""
    return {"speed": np.concatenate([[math.nan], np.degrees(report.speed)]), "turning": np.degrees(report.turning)}


def seconds_of_shots(times: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Seconds of the shot that each frame belongs to: (n,) times and (s,) starts -> (n,) float64."""
    shot_of = np.searchsorted(checked_starts(starts, len(times)), np.arange(len(times)), side="right") - 1
    return np.bincount(shot_of, durations(times))[shot_of]


def correlation_report(report: PathReport, signals: Mapping[str, np.ndarray]) -> CorrelationReport:
    """Speed and turning of a path beside signals of its film.

    Parameters
    ----------
    report
        Of the path; frames at equal distances in time, as the shifts of the null take them to be.
    signals
        (n,) floats each, one a frame, NaN where unknown, by what they are called; what belongs to two frames, such as
        motion, stands at the later one, as speed does.

    Returns
    -------
    CorrelationReport. The null shifts a signal against the path in a circle, which keeps both as they are but for when
    they happen; p is Student's, of the correlation over the spread of those at all shifts beyond the autocorrelation,
    with as many degrees of freedom as there are such shifts a lag apart; with fewer than 20 it is not measurable.

    Raises
    ------
    ShapeError
        If a signal does not fit the frames.
    """
    n, measures = len(report), per_frame(report)
    kept = {}
    for name, values in signals.items():
        values = np.asarray(values, dtype=np.float64)
        if values.shape != (n,):
            raise ShapeError(f"{n} values of {name}, one a frame", f"shape {values.shape}")
        kept[name] = np.where(np.isfinite(values), values, math.nan)
    found = {(measure, signal): correlation(x, y, measure=measure, signal=signal)
             for measure, x in measures.items() for signal, y in kept.items()}
    corrected = holm({key: test.difference for key, test in found.items()})
    return CorrelationReport(report.name, report.times, measures, kept,
                             {key: replace(test, difference=corrected[key]) for key, test in found.items()})


def correlation(x: np.ndarray, y: np.ndarray, *, measure: str = "x", signal: str = "y") -> Correlation:
    """Rank correlation of two series at equal steps, against circular shifts; p is not corrected.

    Parameters
    ----------
    x, y
        (n,) floats, NaN where unknown. Ranks are those among the known values of each.
    measure, signal
        What they are called.
    """
    known = np.isfinite(x) & np.isfinite(y)
    n, count = len(x), int(known.sum())

    def no(why: str, value: float = math.nan, shifts: int = 0, lag: int = 0) -> Correlation:
        number = Number(value, null=0.0, n=count, unit="Spearman")
        return Correlation(measure, signal, number, math.nan, math.nan, shifts, 0.0, lag, Difference(number, None), why)

    for name, values in ((measure, x), (signal, y)):
        if not np.isfinite(values).any():
            return no(f"{name} has no values")
    if count < 3 or min(np.ptp(x[known]), np.ptp(y[known])) == 0:
        return no("one of both does not vary" if count >= 3 else "fewer than 3 frames have both")
    a, b = _ranks(x), _ranks(y)
    at_shifts, shared = _correlations(a, b)
    value, lag = float(np.clip(at_shifts[0], -1, 1)), max(_lag(a), _lag(b))
    beyond = np.arange(lag, n - lag + 1) if n > 2 * lag else np.arange(0)
    beyond = beyond[(shared[beyond] >= LEAST_SHARED * count) & np.isfinite(at_shifts[beyond])]
    shifts, freedom = len(beyond), len(beyond) / lag
    if shifts < LEAST_SHIFTS or freedom < 1:
        return no(f"{shifts} shifts go beyond the autocorrelation of {lag} frames, of {LEAST_SHIFTS} that are needed",
                  value, shifts, lag)
    from scipy.special import stdtr

    z = np.arctanh(np.clip(np.append(at_shifts[beyond], value), -_ALMOST_1, _ALMOST_1))
    error = max(math.sqrt(float((z[:-1] ** 2).mean()) * (1 + 1 / freedom)), 1 - _ALMOST_1)
    p = 2 * float(stdtr(freedom, -abs(z[-1]) / error))
    low, high = np.quantile(at_shifts[beyond], (0.025, 0.975)).tolist()
    number = Number(value, null=0.0, n=count, unit="Spearman")
    return Correlation(measure, signal, number, low, high, shifts, freedom, lag,
                       Difference(number, p, f"circular shifts, Student's t, {freedom:.0f} degrees"))


def _ranks(x: np.ndarray) -> np.ndarray:
    """Ranks among the known values, about their mean; NaN where unknown."""
    from scipy.stats import rankdata

    out, known = np.full(len(x), math.nan), np.isfinite(x)
    out[known] = rankdata(x[known]) - (known.sum() + 1) / 2
    return out


def _correlations(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pearson's correlation of ``a`` with ``b`` shifted in a circle by 0 to n - 1, and how many frames have both."""
    n = len(a)
    u, v = (np.isfinite(s).astype(np.float64) for s in (a, b))
    a, b = np.nan_to_num(a), np.nan_to_num(b)

    def cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        return np.fft.irfft(np.fft.rfft(p) * np.conj(np.fft.rfft(q)), n)

    shared = np.maximum(np.round(cross(u, v)), 0)
    many = np.maximum(shared, 1)
    sum_a, sum_b = cross(a, v), cross(u, b)
    together = cross(a, b) - sum_a * sum_b / many
    spread_a, spread_b = cross(a * a, v) - sum_a**2 / many, cross(u, b * b) - sum_b**2 / many
    product = spread_a * spread_b
    least = 1e-12 * float((a * a).sum() * (b * b).sum())
    return np.where(product > least, together / np.sqrt(np.maximum(product, least)), math.nan), shared


def _lag(a: np.ndarray) -> int:
    """Frames after which the autocorrelation has died away; n where it never does."""
    padded = np.concatenate([a, np.full(len(a), math.nan)])   # against itself shifted, without a wrap
    own, _ = _correlations(padded, padded)
    own = own[1:len(a)]
    died = np.flatnonzero((own < DIED) | ~np.isfinite(own))
    return int(died[0]) + 1 if len(died) else len(a)
