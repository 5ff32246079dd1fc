"""How a path runs over the sphere: how fast, how far, where it turns, where it stays and where it comes back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.directions import angle
from core.geometry.films.trajectory import Trajectory
from core.geometry.rounding import rounding
from core.types import Number

RADIUS = math.radians(30)
LEAVE = 1.25   # times the radius: a path that wavers at the edge of a cap has not left it
MOST_CENTRES = 1000
_BLOCK = 1 << 21


@dataclass(frozen=True)
class Measure:
    """What a measure of a path is called, its unit, and the words for more and for less of it."""

    title: str
    unit: str
    more: str
    less: str


MEASURES: Mapping[str, Measure] = {
    "length": Measure("path length", "radians", "longer", "shorter"),
    "net": Measure("first to last frame", "radians", "ends farther away", "ends nearer"),
    "straightness": Measure("straightness", "net / length", "straighter", "less straight"),
    "speed": Measure("median speed", "radians/s", "faster", "slower"),
    "turning": Measure("mean turning", "radians", "turns more", "turns less"),
    "spread": Measure("spread", "radians", "wider", "narrower"),
    "dimension": Measure("effective dimension", "directions", "more directions", "fewer directions"),
    "fullest": Measure("time in the fullest cap", "share", "dwells more", "dwells less"),
    "stay": Measure("longest stay", "s", "stays longer", "stays less long"),
    "returns": Measure("returns to a frame", "returns", "comes back more", "comes back less"),
    "return_time": Measure("mean time away", "s", "stays away longer", "comes back sooner"),
}


@dataclass(frozen=True, eq=False)
class PathReport:
    """A path in numbers, and along time.

    Attributes
    ----------
    name : of the path.
    times : (n,) float64, seconds.
    middles : (n - 1,) float64, seconds, halfway between neighbouring frames: where steps stand on the time axis.
    steps : (n - 1,) float64, radians from each frame to the next.
    speed : (n - 1,) float64, radians a second.
    turning : (n,) float64, radians in [0, pi]; NaN at both ends and where a step of no length leaves it undefined.
    from_start : (n,) float64, radians from the first frame.
    unturned : inner frames at which turning is undefined.
    radius : of the caps, radians.
    centres : (c,) int64, rising, the frames that a cap was laid around: every k-th, so that there are at most 1,000.
    dwell : (c,) float64, seconds that the path is inside each cap.
    visits : (c,) int64, times that it enters the cap and leaves it again, or stays to an end: at least 1.
    returns : (r, 3) int64, centre, last frame inside before and first frame inside after it was away, of the centre
        that is visited most.
    numbers : by the keys of `MEASURES`, and "detour", the length over the net angle; NaN where undefined. Descriptions
        of this path, all frames of it, without an interval; `nulls` says what chance gives.
    """

    name: str
    times: np.ndarray
    middles: np.ndarray
    steps: np.ndarray
    speed: np.ndarray
    turning: np.ndarray
    from_start: np.ndarray
    unturned: int
    radius: float
    centres: np.ndarray
    dwell: np.ndarray
    visits: np.ndarray
    returns: np.ndarray
    numbers: Mapping[str, Number]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def fullest(self) -> int:
        """The frame around which the path spends most time."""
        return int(self.centres[int(np.argmax(self.dwell))])


@dataclass(frozen=True, eq=False)
class Stays:
    """Stays of paths in caps, for each cap (..., c).

    Attributes
    ----------
    dwell : float64, seconds inside.
    longest : float64, seconds of the longest stay.
    visits : int64, separate stays.
    inside : (..., c, n) bool, in the cap, or at its edge between two frames in it.
    """

    dwell: np.ndarray
    longest: np.ndarray
    visits: np.ndarray
    inside: np.ndarray


def path_report(path: Trajectory, *, radius: float = RADIUS) -> PathReport:
    """Speed, turning, lengths, spread, dwell and returns of a path.

    Parameters
    ----------
    path
        At least 2 frames.
    radius
        Of the caps for dwell and returns, radians in (0, pi / 1.25). A path has left a cap once it is 1.25 times as
        far.

    Raises
    ------
    ShapeError
        With fewer than 2 frames, or a radius that is no cap.
    """
    check_frames(path, 2)
    check_radius(radius)
    x = exact(path.points)
    steps = angle(x[:-1], x[1:])
    gaps = np.diff(path.times)
    speed, turned = steps / gaps, turning(path.points)
    length, net = float(steps.sum()), float(angle(x[0], x[-1]))
    seconds = durations(path.times)
    centres = thinned(len(path), MOST_CENTRES)
    dwell, longest, visits, away = _in_caps(path, centres, radius, seconds)
    most = int(np.argmax(visits))
    defined = np.isfinite(turned)
    values = {
        "length": (length, len(steps)), "net": (net, len(path)),
        "straightness": (net / length if length > 0 else math.nan, len(path)),
        "speed": (float(np.median(speed)), len(steps)),
        "turning": (float(turned[defined].mean()) if defined.any() else math.nan, int(defined.sum())),
        "spread": (spread(x), len(path)), "dimension": (dimension(x), len(path)),
        "fullest": (float(dwell.max() / seconds.sum()), len(centres)), "stay": (float(longest.max()), len(centres)),
        "returns": (float(visits.mean() - 1), len(centres)),
        "return_time": (float(away.mean()) if len(away) else math.nan, len(away)),
    }
    numbers = {key: Number(value, n=n, unit=MEASURES[key].unit) for key, (value, n) in values.items()}
    numbers["detour"] = Number(length / net if net > rounding(path.points) else math.nan, n=len(path),
                               unit="length / net")
    return PathReport(path.name, path.times, path.times[:-1] + gaps / 2, steps, speed, turned, angle(x, x[0]),
                      max(len(path) - 2, 0) - int(defined.sum()), radius, centres, dwell, visits,
                      _returns(x, int(centres[most]), radius), numbers)


def turning(points: np.ndarray) -> np.ndarray:
    """Angle between the direction in which a path comes and the one in which it goes on, at each frame.

    Parameters
    ----------
    points
        (n, d) floats, unit rows.

    Returns
    -------
    (n,) float64, radians in [0, pi]: 0 along a great circle, pi where the path goes back the way it came; between
    independent frames, which lie in a cone, 110 to 120 degrees. NaN at both ends, and where the frame before or after
    is the same or its antipode.
    """
    x, out = exact(points), np.full(len(points), np.nan)
    if len(x) < 3:
        return out
    least = rounding(np.asarray(points))
    come, go = (_tangents(x[1:-1], other, least) for other in (x[:-2], x[2:]))
    out[1:-1] = angle(-come, go)
    return out


def _tangents(base: np.ndarray, x: np.ndarray, least: float) -> np.ndarray:
    """Unit tangents at ``base`` towards ``x``; NaN where there is none."""
    across = x - base * (base * x).sum(-1, keepdims=True)
    length = np.linalg.norm(across, axis=-1, keepdims=True)
    return np.where(length > least, across / np.maximum(length, least), np.nan)


def turning_from_angles(before: np.ndarray, after: np.ndarray, across: np.ndarray, *, least: float) -> np.ndarray:
    """Turning from the three angles between a frame and its neighbours, and between these.

    Parameters
    ----------
    before, after, across
        (...) floats, radians: frame before to frame, frame to frame after, frame before to frame after.
    least
        Radians below which a step has no direction.

    Returns
    -------
    (...) float64, radians; NaN where a step has no direction (half-angle formula of the spherical triangle).
    """
    half = (before + after + across) / 2
    opposite = np.sin(np.clip(half - before, 0, None)) * np.sin(np.clip(half - after, 0, None))
    beside = np.sin(np.clip(half, 0, np.pi)) * np.sin(np.clip(half - across, 0, None))
    turned = np.pi - 2 * np.arctan2(np.sqrt(np.clip(opposite, 0, None)), np.sqrt(np.clip(beside, 0, None)))
    steps = np.stack([before, after])
    return np.where(((steps > least) & (steps < np.pi - least)).all(axis=0), turned, np.nan)


def spread(x: np.ndarray) -> float:
    """Mean angle (radians) of unit rows to their mean direction; pi / 2 where they cancel out."""
    mean = x.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    return math.pi / 2 if length < rounding(np.asarray(x, np.float32)) else float(angle(x, mean / length).mean())


def dimension(x: np.ndarray) -> float:
    """Effective dimension of a path about its mean: (sum of variances)^2 / sum of their squares; NaN without any.

    A straight line has 1, and n points that are all as far from each other n - 1 (participation ratio).
    """
    centred = np.asarray(x, np.float64) - x.mean(axis=0, dtype=np.float64)
    scatter = centred.T @ centred if len(x) > x.shape[1] else centred @ centred.T
    total, squares = float(np.trace(scatter)), float((scatter * scatter).sum())
    return total**2 / squares if total > len(x) * rounding(np.asarray(x, np.float32)) ** 2 else math.nan


def durations(times: np.ndarray) -> np.ndarray:
    """Seconds that each frame stands for, half of the gaps on both sides: (n,) float64; 1 for a single frame."""
    if len(times) < 2:
        return np.ones(len(times))
    gaps = np.diff(times)
    return (np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]])) / 2


def thinned(n: int, most: int) -> np.ndarray:
    """Every k-th of n rows, from the first, so that at most ``most`` are left: int64, rising."""
    return np.arange(0, n, -(-n // most), dtype=np.int64)


def exact(points: np.ndarray) -> np.ndarray:
    """The rows as float64, of length 1 to its precision."""
    x = np.asarray(points, dtype=np.float64)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def check_frames(path: Trajectory, least: int) -> None:
    """Raise ShapeError unless the path has so many frames."""
    if len(path) < least:
        raise ShapeError(f"a path of at least {least} frames", str(len(path)), "Take more frames a second.")


def check_radius(radius: float) -> None:
    """Raise ShapeError unless a path can leave a cap of this radius."""
    if not 0 < radius * LEAVE < math.pi:
        raise ShapeError("a radius above 0 and below 144 degrees", f"{math.degrees(radius):.1f} degrees")


def stays(cosines: np.ndarray, radius: float, seconds: np.ndarray) -> Stays:
    """Stays in caps around centres.

    Parameters
    ----------
    cosines
        (..., c, n) floats, of the angles from each centre to the frames in their order.
    radius
        Of the caps, radians.
    seconds
        (n,) or (..., n) floats, seconds that each frame stands for.

    Returns
    -------
    Stays. Frames at most 1.25 radii away count as inside where the path is inside before and after them.
    """
    near, far = cosines >= math.cos(radius), cosines < math.cos(min(radius * LEAVE, math.pi))
    n = cosines.shape[-1]
    place = np.arange(1, n + 1, dtype=np.int16 if n < np.iinfo(np.int16).max else np.int32)
    inside = _last_is_near(near, far, place)
    inside &= _last_is_near(near[..., ::-1], far[..., ::-1], place)[..., ::-1]
    visits = inside[..., 0] + (inside[..., 1:] & ~inside[..., :-1]).sum(axis=-1)
    weights = np.asarray(seconds, dtype=np.float32)[..., None, :]
    spent = np.cumsum(weights * inside, axis=-1, dtype=np.float32)
    before = np.maximum.accumulate(np.where(inside, np.float32(0), spent), axis=-1)
    return Stays(np.asarray((weights * near).sum(axis=-1), np.float64), np.asarray((spent - before).max(axis=-1)),
                 visits, inside)


def _last_is_near(near: np.ndarray, far: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Whether, of the frames so far that were near or far, the last was near."""
    return (np.maximum.accumulate(near * place, axis=-1) > np.maximum.accumulate(far * place, axis=-1))


def times_away(inside: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Seconds from the last frame inside to the first inside again, of all caps: (c, n) bool -> (r,) float64."""
    cap, frame = np.nonzero(inside)
    again = (cap[1:] == cap[:-1]) & (frame[1:] > frame[:-1] + 1)
    return times[frame[1:][again]] - times[frame[:-1][again]]


def _in_caps(path: Trajectory, centres: np.ndarray, radius: float, seconds: np.ndarray
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    found, away = [], []
    rows = max(1, _BLOCK // len(path))
    for start in range(0, len(centres), rows):
        block = stays(path.points[centres[start:start + rows]] @ path.points.T, radius, seconds)
        found.append((block.dwell, block.longest, block.visits))
        away.append(times_away(block.inside, path.times))
    dwell, longest, visits = (np.concatenate(part) for part in zip(*found))
    return dwell, longest, visits, np.concatenate(away)


def _returns(x: np.ndarray, centre: int, radius: float) -> np.ndarray:
    frames = np.flatnonzero(stays((x @ x[centre])[None], radius, np.ones(len(x))).inside[0])
    away = np.flatnonzero(np.diff(frames) > 1)
    return np.stack([np.full(len(away), centre), frames[away], frames[away + 1]], axis=1).astype(np.int64)
