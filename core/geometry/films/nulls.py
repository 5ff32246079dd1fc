"""What chance gives for the measures of a path: frames or whole shots shuffled, or a random walk of the same steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from core.geometry.directions import angles
from core.geometry.films.against import (
    DRAWS,
    LEAST_SHUFFLED,
    NULLS,
    AgainstNull,
    check_draws,
    checked_starts,
    compared,
    corrected,
    shuffled_orders,
    too_few,
)
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
from core.geometry.threads import one_thread

MOST_FRAMES, MOST_WALKED, MOST_CENTRES = 2000, 500, 240
_BLOCK = 1 << 23


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
    check_draws(draws)
    tests: dict[tuple[str, str], AgainstNull] = {}
    frames = {}
    for number, null in enumerate(NULLS):
        rng = np.random.default_rng([seed, number])
        rows = thinned(len(path), MOST_WALKED if null == "walk" else MOST_FRAMES)
        frames[null] = len(rows)
        part = path if len(rows) == len(path) else path.part(rows)
        if null == "walk":
            with one_thread():
                seen, drawn, units = *_walked(part, radius, draws, rng), LEAST_SHUFFLED
        else:
            shot_of = np.searchsorted(starts, rows, side="right") - 1 if null == "shots" else np.arange(len(rows))
            units = len(np.unique(shot_of))
            seen, drawn = _shuffled(part, shot_of, radius, draws, rng)
        found = corrected({key: compared(of, NULLS[null], seen[key], drawn[key], n=len(rows), few=too_few(units, null))
                           for key, of in MEASURES.items()})
        tests |= {(null, key): test for key, test in found.items()}
    return NullsReport(path.name, tests, len(starts), radius, frames, len(path),
                       len(thinned(len(path), MOST_CENTRES)), draws, seed)


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
    x = np.ascontiguousarray(walks[:, centres])
    gram = np.stack([walk @ walk.T for walk in x])
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
