"""Where shots begin, told from the path alone: a step far longer than those about it, that does not at once go back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.directions import angle
from core.geometry.films.trajectory import Trajectory
from core.geometry.rounding import rounding

LOCAL, FACTOR, ALONE, FAR, FLOOR = 6, 4.0, 3.5, 0.9, float(np.radians(12))
LEAST_ALONE, FEWEST_MEDIANS, FEWEST_FOR_FAR = 1.4, 2.0, 8
FEWEST_A_SHOT = 3


@dataclass(frozen=True, eq=False)
class Shots:
    """Where shots begin, and what was looked at to find out.

    Attributes
    ----------
    starts : (s,) int64, frames at which a shot begins, rising, 0 first.
    steps : (n - 1,) float64, radians from each frame to the next.
    thresholds : (n - 1,) float64, radians that each step had to exceed.
    flashes : (f,) int64, lone frames between two long steps whose neighbours are alike: no shots.
    sparse : whether frames lie so far apart that cuts cannot be told from going on: two median steps lead as far as
        frames far apart in time mostly lie.
    """

    starts: np.ndarray
    steps: np.ndarray
    thresholds: np.ndarray
    flashes: np.ndarray
    sparse: bool

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def of_frames(self) -> np.ndarray:
        """(n,) int64, the shot of each frame, from 0."""
        return shot_of_frames(self.starts, len(self.steps) + 1)


def find_shots(path: Trajectory, *, times_local: int = LOCAL, factor: float = FACTOR, alone: float = ALONE,
               far: float = FAR, floor: float = FLOOR, flashes: bool = True) -> Shots:
    """Shots of a path: a cut is a step that exceeds its threshold.

    That is ``factor`` times the median of the steps about it, or ``alone`` times the longer of the two steps beside it
    where that is more, because a cut stands alone and a quick turn of the camera takes several steps. But no step leads
    farther than to something else altogether: a step of ``far`` times the median angle of frames a quarter to half of
    the film apart is a cut where it exceeds two medians of the steps about it and 1.4 times those beside it. Nothing
    below the floor is one. A lone frame between two long steps is a flash, and no shot, where the frames beside it are
    alike: where the angle between them would be no cut.

    The rule counts frames, not seconds: it works at any rate of frames at which shots mostly last several of them.
    Where each frame is a shot of its own the median step is itself a cut, no step exceeds two of it, and the report
    says ``sparse``. Of a dissolve over several frames no step stands out: it is not found, and its two shots are one. A
    shot of a single frame between two frames alike is taken for a flash.

    Parameters
    ----------
    path
        n frames.
    times_local
        Steps before and after each whose median it is held against, at least 1.
    factor, alone, far
        How many medians a cut is, above 0; how many of the longer step beside it, and how much of the way to frames far
        off, at least 0 (infinity: the way to frames far off does not count).
    floor
        Radians below which nothing is a cut, at least 0.
    flashes
        Whether flashes are told from shots.

    Raises
    ------
    ShapeError
        If a parameter is out of range.
    """
    if times_local < 1 or not factor > 0 or not min(floor, alone, far) >= 0:
        raise ShapeError("1 or more steps about each, a factor above 0, no other number below 0",
                         f"{times_local}, {factor}, {alone}, {far} and {floor}")
    x, n = path.points, len(path)
    steps = angle(x[:-1], x[1:])
    least = max(floor, rounding(x))
    usual = _local_median(steps, times_local)
    most = np.maximum(np.maximum(FEWEST_MEDIANS * usual, far * _far_off(x)), least)
    thresholds = np.minimum(np.maximum(factor * usual, least), most)
    lone = _lone(x, steps, thresholds, alone) if flashes else np.zeros(0, dtype=np.int64)
    without = steps.copy()
    without[lone - 1] = without[lone] = angle(x[lone - 1], x[(lone + 1) % n])
    beside = np.pad(without, 1)
    longer = np.maximum(beside[:-2], beside[2:])
    thresholds = np.maximum(thresholds, np.minimum(alone * longer, np.maximum(min(alone, LEAST_ALONE) * longer, most)))
    cuts = np.flatnonzero(without > thresholds) + 1
    middle = float(np.median(steps)) if len(steps) >= FEWEST_A_SHOT else 0.0
    sparse = bool(middle > floor and FEWEST_MEDIANS * middle > FAR * min(_far_off(x), np.pi / 2))
    return Shots(np.concatenate([[0], cuts]).astype(np.int64), steps, thresholds, lone, sparse)


def shot_starts(path: Trajectory, *, times_local: int = LOCAL, factor: float = FACTOR, alone: float = ALONE,
                far: float = FAR, floor: float = FLOOR, flashes: bool = True) -> np.ndarray:
    """The starts alone of what `find_shots` finds: (s,) int64, rising, 0 first."""
    return find_shots(path, times_local=times_local, factor=factor, alone=alone, far=far, floor=floor,
                      flashes=flashes).starts


def shot_of_frames(starts: np.ndarray, n: int) -> np.ndarray:
    """(n,) int64, the shot of each of n frames, from 0; ShapeError unless starts rise from 0 to below n."""
    starts = np.asarray(starts)
    if starts.ndim != 1 or not len(starts) or starts[0] != 0 or (np.diff(starts) <= 0).any() or starts[-1] >= n:
        raise ShapeError(f"starts of shots that rise from 0 to below {n:,}", str(starts.tolist()[:8]))
    return np.repeat(np.arange(len(starts)), np.diff([*starts.tolist(), n]))


@dataclass(frozen=True)
class Matched:
    """Cuts found beside cuts that are there, each used once.

    Attributes
    ----------
    hits, found, there : numbers of cuts.
    """

    hits: int
    found: int
    there: int

    @property
    def f1(self) -> float:
        """2 hits / (found + there); 1 where there is none and none was found."""
        return 2 * self.hits / (self.found + self.there) if self.found + self.there else 1.0


def match_cuts(found: np.ndarray, truth: np.ndarray, *, tolerance: int = 1) -> Matched:
    """How many cuts were found, at most ``tolerance`` frames off: as many pairs as can be made, each cut in one.

    Parameters
    ----------
    found, truth : (f,) and (t,) int, frames at which shots begin; a 0 is no cut and left out.
    tolerance : frames, at least 0.
    """
    found, truth = (np.unique(c[c > 0]) for c in map(np.asarray, (found, truth)))
    hits = i = 0
    for cut in truth.tolist():
        while i < len(found) and found[i] < cut - tolerance:
            i += 1
        if i < len(found) and found[i] <= cut + tolerance:
            hits, i = hits + 1, i + 1
    return Matched(hits, len(found), len(truth))


def f1_by_chance(cuts: int, truth: np.ndarray, n: int, rng: np.random.Generator, *, tolerance: int = 1,
                 draws: int = 20) -> float:
    """Mean F1 of so many cuts at random among n frames beside the cuts that are there, over draws."""
    drawn = [1 + rng.choice(n - 1, cuts, replace=False) for _ in range(draws)]
    return float(np.mean([match_cuts(places, truth, tolerance=tolerance).f1 for places in drawn]))


def _local_median(steps: np.ndarray, local: int) -> np.ndarray:
    """Median of the steps up to ``local`` before and after each, as far as there are some."""
    if not len(steps):
        return steps
    around = np.pad(steps, local, constant_values=np.nan)
    return np.nanmedian(np.lib.stride_tricks.sliding_window_view(around, 2 * local + 1), axis=1)


def _far_off(x: np.ndarray) -> float:
    """Median angle of frames a quarter, a third and half of the film apart; infinite where there are too few."""
    n = len(x)
    if n < FEWEST_FOR_FAR:
        return np.inf
    return float(np.median(np.concatenate([angle(x[:-lag], x[lag:]) for lag in (n // 4, n // 3, n // 2)])))


def _lone(x: np.ndarray, steps: np.ndarray, thresholds: np.ndarray, alone: float) -> np.ndarray:
    """Frames between two long steps that lead away and back, before or after which the path is quiet."""
    inner = np.arange(1, len(steps))
    across = angle(x[inner - 1], x[inner + 1])
    into, back = steps[:-1], steps[1:]
    around = np.pad(steps, 1)
    quiet = alone * np.minimum(around[inner - 1], around[inner + 2]) <= np.minimum(into, back)
    found = inner[(into > thresholds[:-1]) & (back > thresholds[1:]) & quiet
                  & (across <= np.minimum(thresholds[:-1], thresholds[1:]))]
    # Of frames in a row every other one: in A B A B the first B is a flash, the A after it is not.
    kept: list[int] = []
    for frame in found.tolist():
        if not kept or frame > kept[-1] + 1:
            kept.append(frame)
    return np.array(kept, dtype=np.int64)
