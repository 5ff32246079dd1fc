"""Where a path comes back to: the recurrence plot, and what its lines say, against shuffled frames and shots."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.directions import angles
from core.geometry.films.against import (
    DRAWS,
    NULLS,
    AgainstNull,
    check_draws,
    checked_starts,
    compared,
    corrected,
    shuffled_orders,
    too_few,
)
from core.geometry.films.paths import Measure, check_frames, exact, thinned
from core.geometry.films.trajectory import Trajectory
from core.types import Number

MOST_FRAMES = 400
LOWEST = 0.1
RECURRENCE: Mapping[str, Measure] = {
    "rate": Measure("recurrence rate", "share", "comes back more", "comes back less"),
    "determinism": Measure("determinism", "share", "repeats its order more", "repeats its order less"),
    "laminarity": Measure("laminarity", "share", "rests more where it comes back", "rests less where it comes back"),
    "diagonal": Measure("mean diagonal line", "s", "repeats itself for longer", "repeats itself less long"),
    "vertical": Measure("mean vertical line", "s", "rests longer where it comes back",
                        "rests less long where it comes back"),
    "longest": Measure("longest diagonal line", "s", "has a longer passage that happens again",
                       "has no passage as long that happens again"),
}
SHUFFLES = ("shots", "frames")
_BLOCK = 1 << 24


@dataclass(frozen=True, eq=False)
class RecurrenceReport:
    """Recurrences of a path.

    Attributes
    ----------
    name : of the path.
    rows : (m,) int64, the frames that were used: every k-th, at most 400.
    times : (m,) float64, their seconds.
    between : (m, m) float32, radians between them.
    threshold : radians; frames that are closer recur.
    chosen : whether the threshold is the lowest tenth of the angles outside the window; then the rate says nothing.
    window : pairs of frames that are at most so many of ``rows`` apart are left out (Theiler's window).
    numbers : by the keys of `RECURRENCE`; NaN where nothing recurs. n is the pairs outside the window.
    tests : by "shots" or "frames" shuffled, and measure.
    of, draws, seed : frames of the path; draws of each null.
    """

    name: str
    rows: np.ndarray
    times: np.ndarray
    between: np.ndarray
    threshold: float
    chosen: bool
    window: int
    numbers: Mapping[str, Number]
    tests: Mapping[tuple[str, str], AgainstNull]
    of: int
    draws: int
    seed: int

    @property
    def recurs(self) -> np.ndarray:
        """(m, m) bool, pairs outside the window that are closer than the threshold."""
        return (self.between < self.threshold) & outside(len(self.rows), self.window)


def recurrence_report(path: Trajectory, starts: np.ndarray, *, threshold: float | None = None,
                      window: int | None = None, draws: int = DRAWS, seed: int = 0) -> RecurrenceReport:
    """Recurrence rate, determinism, laminarity and the mean lengths of lines, against shuffled shots and frames.

    Parameters
    ----------
    path
        At least 4 frames; of more than 400 every k-th is used.
    starts
        (s,) int, frames at which a shot begins, 0 first, rising.
    threshold
        Radians below which two frames recur; None for the lowest tenth of the angles outside the window.
    window
        Used frames around each that do not count; None for the length of the middle shot, at most a quarter of all.
    draws
        Of each null, at least 499.
    seed
        Of the draws.

    Returns
    -------
    RecurrenceReport. Determinism is the share of recurrences on diagonal lines of at least 2, laminarity that on
    vertical ones; the lengths of lines are in seconds. The longest diagonal line is the longest passage that happens
    again in the same order.

    Raises
    ------
    ShapeError
        With fewer than 4 frames or 499 draws, or where the window leaves no pair.

    References
    ----------
    Marwan, Romano, Thiel and Kurths, Physics Reports 438, 2007; Theiler, Physical Review A 34, 1986.
    """
    check_frames(path, 4)
    check_draws(draws)
    starts = checked_starts(starts, len(path))
    rows = thinned(len(path), MOST_FRAMES)
    shot_of = np.unique(np.searchsorted(starts, rows, side="right") - 1, return_inverse=True)[1]
    m = len(rows)
    if window is None:
        window = int(np.clip(np.median(np.bincount(shot_of)), 1, m // 4))
    if not 0 <= window < m - 1:
        raise ShapeError(f"a window of 0 to {m - 2} frames", str(window))
    x = exact(path.points[rows])
    between = angles(x, x).astype(np.float32)
    far = outside(m, window)
    chosen = threshold is None
    limit = float(np.quantile(between[far], LOWEST)) if threshold is None else float(threshold)
    gap = float(np.median(np.diff(path.times[rows])))
    close = between < limit
    seen = {key: float(v[0]) for key, v in _lines(close[None], far, gap).items()}
    pairs = int(far.sum()) // 2
    numbers = {key: Number(seen[key], n=pairs, unit=of.unit) for key, of in RECURRENCE.items()}
    tests: dict[tuple[str, str], AgainstNull] = {}
    for number, null in enumerate(SHUFFLES):
        units = shot_of if null == "shots" else np.arange(m)
        orders = shuffled_orders(units, draws, np.random.default_rng([seed, number]))
        step = max(1, _BLOCK // m**2)
        drawn = [_lines(np.stack([close[np.ix_(order, order)] for order in orders[start:start + step]]), far, gap)
                 for start in range(0, draws, step)]
        few = too_few(int(units.max()) + 1, null)
        tests |= {(null, key): test for key, test in corrected({
            key: compared(of, NULLS[null], seen[key], np.concatenate([part[key] for part in drawn]), n=m,
                          few=few or ("the threshold was chosen by it" if key == "rate" and chosen else ""))
            for key, of in RECURRENCE.items()}).items()}
    return RecurrenceReport(path.name, rows, path.times[rows], between, limit, chosen, window, numbers, tests,
                            len(path), draws, seed)


def outside(m: int, window: int) -> np.ndarray:
    """(m, m) bool, pairs more than ``window`` apart."""
    at = np.arange(m)
    return np.abs(at[:, None] - at) > window


def _lines(close: np.ndarray, far: np.ndarray, gap: float) -> dict[str, np.ndarray]:
    """The measures of (b, m, m) bool recurrences; lines have at least 2 points."""
    recurs = close & far
    points = recurs.sum(axis=(1, 2)).astype(np.float64)
    out = {"rate": points / far.sum()}
    padded = np.zeros((len(close), close.shape[1] + 2, close.shape[2] + 2), dtype=bool)
    padded[:, 1:-1, 1:-1] = recurs
    for share, length, before, after in (("determinism", "diagonal", padded[:, :-2, :-2], padded[:, 2:, 2:]),
                                         ("laminarity", "vertical", padded[:, :-2, 1:-1], padded[:, 2:, 1:-1])):
        on = (recurs & (before | after)).sum(axis=(1, 2)).astype(np.float64)
        lines = (recurs & ~before & after).sum(axis=(1, 2))
        out[share] = np.where(points > 0, on / np.maximum(points, 1), math.nan)
        out[length] = np.where(lines > 0, gap * on / np.maximum(lines, 1), math.nan)
    out["longest"] = np.where(points > 0, gap * _longest_diagonal(recurs), math.nan)
    return out


def _longest_diagonal(recurs: np.ndarray) -> np.ndarray:
    """Points on the longest diagonal line of each of (b, m, m) bool."""
    b, m = recurs.shape[:2]
    run, longest = np.zeros((b, m + 1), dtype=np.int32), np.zeros((b, m + 1), dtype=np.int32)
    for row in range(m):
        run[:, 1:] = (run[:, :-1] + 1) * recurs[:, row]
        np.maximum(longest, run, out=longest)
    return longest.max(axis=1)
