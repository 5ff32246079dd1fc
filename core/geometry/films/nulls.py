"""What chance gives for the measures of a path: frames or whole shots shuffled, or a random walk of the same steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, Verdict, holm
from core.geometry.directions import angles
from core.geometry.films.paths import (
    MEASURES,
    RADIUS,
    check_frames,
    check_radius,
    dimension,
    durations,
    exact,
    spread,
    stays,
    thinned,
    times_away,
    turning_from_angles,
)
from core.geometry.films.trajectory import Trajectory
from core.geometry.rounding import rounding
from core.types import Number

NULLS: Mapping[str, str] = {"shots": "whole shots shuffled", "frames": "frames shuffled",
                            "walk": "a random walk of the same steps"}
DRAWS = LEAST_DRAWS = 499   # with fewer, no measure could differ at 5 % among all that are tested
MOST_FRAMES, MOST_WALKED, MOST_CENTRES = 2000, 500, 240
LEAST_SHUFFLED = 5   # 4 have 24 orders, and the rarest of these has a two-sided chance above 5 %
KEPT = 1e-6   # a null that moves a measure by less than this part of it keeps it
_LEAST_DEFINED = 0.95
_BLOCK = 1 << 23


@dataclass(frozen=True)
class AgainstNull:
    """A measure of a path beside the same of a null.

    Attributes
    ----------
    measure, null : keys of `MEASURES` and `NULLS`.
    value : on the frames that the null used; its null is the mean of the null, n the number of frames.
    low, high : the central 95 % of the null.
    difference : value less mean of the null; p two-sided, corrected for all measures of this null (Holm); None where
        it cannot be measured.
    why : why it cannot be measured, or "".
    """

    measure: str
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
        """What can be said: "slower than whole shots shuffled (p 0.002)"."""
        of, null = MEASURES[self.measure], NULLS[self.null]
        match self.difference.verdict:
            case Verdict.HIGHER:
                return f"{of.more} than {null} (p {self.p:.3f})"
            case Verdict.LOWER:
                return f"{of.less} than {null} (p {self.p:.3f})"
            case Verdict.NOT_TOLD_APART:
                return f"{of.title} not told apart from {null} (p {self.p:.3f})"
        return f"{of.title} not measurable against {null}: {self.why}"


@dataclass(frozen=True, eq=False)
class NullsReport:
    """The measures of a path against its nulls.

    Attributes
    ----------
    name : of the path.
    tests : by null and measure; all nulls have all measures.
    shots : how many were shuffled.
    radius : of the caps, radians.
    frames : by null, how many frames it used of ``of`` in the path: every k-th where fewer.
    centres : frames for dwell and returns.
    draws, seed : of each null.
    """

    name: str
    tests: Mapping[tuple[str, str], AgainstNull]
    shots: int
    radius: float
    frames: Mapping[str, int]
    of: int
    centres: int
    draws: int
    seed: int


def nulls_report(path: Trajectory, starts: np.ndarray, *, radius: float = RADIUS, draws: int = DRAWS, seed: int = 0
                 ) -> NullsReport:
    """Each measure of a path against its three nulls.

    Parameters
    ----------
    path
        At least 3 frames.
    starts
        (s,) int, frames at which a shot begins, 0 first, rising.
    radius
        Of the caps for dwell and returns, radians.
    draws
        Of each null, at least 499.
    seed
        Of the draws.

    Returns
    -------
    NullsReport. Shuffled frames take along their seconds, to the frame after and in all. Shuffles use at most 2,000
    frames and the random walk 500, every k-th of the path; dwell and returns at most 240 of these. A
    measure that a null keeps, as shuffling keeps the spread and the random walk the length, is not measurable; nor is
    any with fewer than 5 shots, or frames, to shuffle.

    Raises
    ------
    ShapeError
        With fewer than 3 frames or 499 draws, or starts that are none.
    """
    check_frames(path, 3)
    check_radius(radius)
    starts = checked_starts(starts, len(path))
    if draws < LEAST_DRAWS:
        raise ShapeError(f"at least {LEAST_DRAWS} draws", str(draws))
    tests: dict[tuple[str, str], AgainstNull] = {}
    frames = {}
    for number, null in enumerate(NULLS):
        rng = np.random.default_rng([seed, number])
        rows = thinned(len(path), MOST_WALKED if null == "walk" else MOST_FRAMES)
        frames[null] = len(rows)
        part = path if len(rows) == len(path) else path.part(rows)
        if null == "walk":
            seen, drawn, units = *_walked(part, radius, draws, rng), LEAST_SHUFFLED
        else:
            shot_of = np.searchsorted(starts, rows, side="right") - 1 if null == "shots" else np.arange(len(rows))
            units = len(np.unique(shot_of))
            seen, drawn = _shuffled(part, shot_of, radius, draws, rng)
        few = "" if units >= LEAST_SHUFFLED else f"{units} {null} to shuffle, of {LEAST_SHUFFLED} that are needed"
        found = {key: compared(key, null, seen[key], drawn[key], n=len(rows), few=few) for key in MEASURES}
        corrected = holm({key: test.difference for key, test in found.items()})
        for key, test in found.items():
            tests[null, key] = AgainstNull(key, null, test.value, test.low, test.high, corrected[key], test.why)
    return NullsReport(path.name, tests, len(starts), radius, frames, len(path),
                       len(thinned(len(path), MOST_CENTRES)), draws, seed)


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


def compared(measure: str, null: str, value: float, drawn: np.ndarray, *, n: int, few: str = "") -> AgainstNull:
    """A measure beside the draws of a null, (draws,) floats, NaN where a draw leaves it undefined; p is uncorrected."""
    unit = MEASURES[measure].unit
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


def random_walks(path: Trajectory, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Walks from the first point of a path, of its steps, each in a direction of its own: (draws, n, d) float32."""
    x = exact(path.points)
    steps = np.asarray(2 * np.arctan2(np.linalg.norm(np.diff(x, axis=0), axis=1),
                                      np.linalg.norm(x[1:] + x[:-1], axis=1)), np.float32)
    out = np.empty((draws, *x.shape), dtype=np.float32)
    out[:, 0] = at = np.broadcast_to(x[0].astype(np.float32), (draws, x.shape[1])).copy()
    for t, step in enumerate(steps, start=1):
        to = rng.standard_normal(at.shape, dtype=np.float32)
        to -= at * np.einsum("ij,ij->i", at, to)[:, None]
        to *= np.sin(step) / np.maximum(np.sqrt(np.einsum("ij,ij->i", to, to)), np.float32(1e-30))[:, None]
        at = np.cos(step) * at + to
        at /= np.sqrt(np.einsum("ij,ij->i", at, at))[:, None]
        out[:, t] = at
    return out


def _shuffled(path: Trajectory, shot_of: np.ndarray, radius: float, draws: int, rng: np.random.Generator
              ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    x = exact(path.points)
    between, centres = angles(x, x), thinned(len(x), MOST_CENTRES)
    cosines, seconds = path.points[centres] @ path.points[centres].T, durations(path.times[centres])
    place = np.full(len(x), -1)
    place[centres] = np.arange(len(centres))
    gaps = np.diff(path.times)
    gaps, least = np.append(gaps, np.median(gaps)), rounding(path.points)
    orders = np.concatenate([np.arange(len(x))[None], shuffled_orders(shot_of, draws, rng)])
    found: list[dict[str, np.ndarray]] = []
    for block in _blocks(draws + 1, len(centres) ** 2):
        order = orders[block]
        kept = place[order]
        kept = kept[kept >= 0].reshape(len(order), -1)
        found.append(_local(between[order[:, :-1], order[:, 1:]], between[order[:, :-2], order[:, 2:]],
                            between[order[:, 0], order[:, -1]], gaps[order[:, :-1]], least)
                     | _capped(cosines[:, kept].transpose(1, 0, 2), radius, seconds[kept]))
    return _split(found, {"spread": spread(x), "dimension": dimension(x)})


def _walked(path: Trajectory, radius: float, draws: int, rng: np.random.Generator
            ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    centres, gaps, least = thinned(len(path), MOST_CENTRES), np.diff(path.times), rounding(path.points)
    seconds = durations(path.times[centres])
    found = [_walk_measures(path.points[None], centres, seconds, gaps, radius, least)]
    for block in _blocks(draws, max(path.points.size, len(centres) ** 2)):
        walks = random_walks(path, block.stop - block.start, rng)
        found.append(_walk_measures(walks, centres, seconds, gaps, radius, least))
    return _split(found, {key: float(found[0].pop(key)[0]) for key in ("length", "speed")})


def _walk_measures(walks: np.ndarray, centres: np.ndarray, seconds: np.ndarray, gaps: np.ndarray, radius: float,
                   least: float) -> dict[str, np.ndarray]:
    out = _local(_between(walks[:, :-1], walks[:, 1:]), _between(walks[:, :-2], walks[:, 2:]),
                 _between(walks[:, 0], walks[:, -1]), gaps, least)
    x = walks[:, centres]
    gram = x @ x.transpose(0, 2, 1)
    out |= _capped(gram, radius, np.broadcast_to(seconds, (len(x), len(seconds))))
    mean = x.mean(axis=1)
    length = np.maximum(np.linalg.norm(mean, axis=1), least)
    out["spread"] = np.arccos(np.clip(np.einsum("bnd,bd->bn", x, mean) / length[:, None], -1, 1)).mean(axis=1)
    rows = gram.mean(axis=2)
    gram = gram - rows[:, :, None] - rows[:, None, :] + rows.mean(axis=1)[:, None, None]
    total, squares = np.trace(gram, axis1=1, axis2=2), np.einsum("bij,bij->b", gram, gram)
    out["dimension"] = np.where(total > len(centres) * least, total**2 / np.maximum(squares, least**2), np.nan)
    return out


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 2 * np.arctan2(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1)).astype(np.float64)


def _local(steps: np.ndarray, across: np.ndarray, net: np.ndarray, gaps: np.ndarray, least: float
           ) -> dict[str, np.ndarray]:
    length = steps.sum(axis=1)
    turned = turning_from_angles(steps[:, :-1], steps[:, 1:], across, least=least)
    defined = np.isfinite(turned)
    count = defined.sum(axis=1)
    mean = np.where(defined, turned, 0.0).sum(axis=1) / np.maximum(count, 1)
    return {"length": length, "net": net, "speed": np.median(steps / gaps, axis=1),
            "straightness": np.where(length > least, net / np.maximum(length, least), np.nan),
            "turning": np.where(count > 0, mean, np.nan)}


def _capped(cosines: np.ndarray, radius: float, seconds: np.ndarray) -> dict[str, np.ndarray]:
    found, times = stays(cosines, radius, seconds), np.cumsum(seconds, axis=1)
    away = [times_away(inside, at) for inside, at in zip(found.inside, times)]
    return {"fullest": found.dwell.max(axis=1) / seconds.sum(axis=-1), "stay": found.longest.max(axis=1),
            "returns": found.visits.mean(axis=1) - 1,
            "return_time": np.array([a.mean() if len(a) else np.nan for a in away])}


def _blocks(draws: int, size: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(size, 1))
    return (slice(start, min(start + step, draws)) for start in range(0, draws, step))


def _split(found: list[dict[str, np.ndarray]], kept: Mapping[str, float]
           ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """The first row, which is the path itself, and the draws; ``kept`` is the same in all."""
    rows = {key: np.concatenate([part[key] for part in found]).astype(np.float64) for key in found[0]}
    rows |= {key: np.full(len(rows["net"]), value) for key, value in kept.items()}
    return {key: float(v[0]) for key, v in rows.items()}, {key: v[1:] for key, v in rows.items()}
