"""What is told of a path in a few numbers: how it goes on and comes back, what its frames are in any order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np

from core.errors import ShapeError, check_choice
from core.geometry.directions import angle, angles, log_map, mean_direction, unit
from core.geometry.films.feature_names import LAGS, ORDER_FREE_FEATURES, PARTS, PATH_FEATURES
from core.geometry.films.trajectory import Trajectory
from core.geometry.samples import spread_sample
from core.geometry.spectrum import effective_rank
from core.geometry.threads import one_thread

MOST_PAIRED = 600
_MOST_OF_A_SHOT = 48
_LEAST = 1e-6   # radians that rounding to float32 may add


def path_features(path: Trajectory, starts: np.ndarray, of_frames: np.ndarray) -> dict[str, float]:
    """How a path goes on and comes back: what changes when its frames or shots are put in another order.

    Parameters
    ----------
    path : n frames.
    starts : (s,) int, frames at which a shot begins, rising, 0 first.
    of_frames : (n,) int, the island of each frame; -1 where it has none.

    Returns
    -------
    By key of PATH_FEATURES, in that order; NaN where a number is not defined, such as angles of shots 5 apart in a film
    of four. Lags count shots and parts count the whole film, so that neither speed nor length enters.

    Raises
    ------
    ShapeError
        If starts or islands do not fit the path.
    """
    starts, of_frames = _fitting(path, starts, of_frames)
    x = unit(path.points.astype(np.float64))
    found = dict.fromkeys(PATH_FEATURES, math.nan)
    with one_thread():
        found |= _angles_by_lag(x, starts) | _returns(_of_shots(of_frames, starts)) | _parts(x) | _motion(x)
    return found


def order_free_features(path: Trajectory, starts: np.ndarray | None = None,
                        of_frames: np.ndarray | None = None) -> dict[str, float]:
    """What the frames of a path are in any order: nothing changes when whole shots are put in another order.

    Parameters
    ----------
    path, starts, of_frames
        As in `path_features`; without shots or islands what is told of them is NaN.

    Returns
    -------
    By key of ORDER_FREE_FEATURES, in that order; NaN where a number is not defined.
    """
    found = dict.fromkeys(ORDER_FREE_FEATURES, math.nan)
    with one_thread():
        found |= _set(unit(path.points.astype(np.float64)))
    if of_frames is not None:
        of_frames = _fitting(path, np.zeros(1, np.int64), of_frames)[1]
        counts = np.unique(of_frames[of_frames >= 0], return_counts=True)[1]
        found |= {"islands": float(len(counts)), "evenness": _evenness(counts)}
    if starts is not None:
        found |= _shots(path, _fitting(path, starts, np.zeros(len(path), np.int64))[0])
    return found


def mean_step(path: Trajectory) -> float:
    """Mean angle from a frame to the next, radians; NaN for a single frame."""
    return float(angle(path.points[:-1], path.points[1:]).mean()) if len(path) > 1 else math.nan


def content_features(path: Trajectory) -> np.ndarray:
    """What a film shows, whatever the order: (d,) float64, its mean direction; NaN where the frames cancel out."""
    try:
        return mean_direction(path.points)
    except ShapeError:
        return np.full(path.points.shape[1], math.nan)


def feature_table(found: Sequence[Mapping[str, float]], keys: Sequence[str] | None = None) -> np.ndarray:
    """Features of several films as rows: (films, p) float64, columns in the order of ``keys``, else of the first film.

    Raises
    ------
    ChoiceError
        If a film lacks one of the features.
    """
    keys = list(found[0]) if keys is None and len(found) else list(keys or ())
    for film in found:
        for key in keys:
            check_choice("feature", key, film)
    return np.array([[film[key] for key in keys] for film in found], dtype=np.float64).reshape(len(found), len(keys))


def _fitting(path: Trajectory, starts: np.ndarray, of_frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts, of_frames, n = np.asarray(starts), np.asarray(of_frames), len(path)
    if starts.ndim != 1 or not len(starts) or starts[0] != 0 or (np.diff(starts) <= 0).any() or starts[-1] >= n:
        raise ShapeError(f"starts of shots that rise from 0 to below {n}", str(starts.tolist()[:8]))
    if of_frames.shape != (n,):
        raise ShapeError(f"an island for each of {n} frames", f"shape {of_frames.shape}")
    return starts.astype(np.int64), of_frames.astype(np.int64)


def _of_shots(of_frames: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The island on which most frames of each shot lie; shots that have none are passed over."""
    most = []
    for part in np.split(of_frames, starts[1:]):
        part = part[part >= 0]
        if len(part):
            most.append(int(np.bincount(part).argmax()))
    return np.array(most, dtype=np.int64)


def _medoid(x: np.ndarray) -> np.ndarray:
    """The frame nearest to all others, so that one odd frame does not count; of 48 frames at most."""
    some = x[np.linspace(0, len(x) - 1, min(len(x), _MOST_OF_A_SHOT)).round().astype(np.int64)]
    return some[angles(some, some).sum(axis=1).argmin()]


def _angles_by_lag(x: np.ndarray, starts: np.ndarray) -> dict[str, float]:
    s = len(starts)
    if s < 3:
        return {}
    middles = np.stack([_medoid(part) for part in np.split(x, starts[1:])])
    rows = np.random.default_rng(0).permutation(s)[:MOST_PAIRED]
    usual = _mean_of_pairs(middles[np.sort(rows)])
    if not usual > _LEAST:
        return {}
    return {f"angle_{k}": float(angle(middles[:-k], middles[k:]).mean()) / usual for k in LAGS if s > k}


def _mean_of_pairs(x: np.ndarray) -> float:
    """Mean angle of all pairs of unit rows."""
    n = len(x)
    return float(angles(x, x)[np.triu_indices(n, 1)].mean()) if n > 1 else math.nan


def _returns(labels: np.ndarray) -> dict[str, float]:
    s = len(labels)
    if s < 2:
        return {}
    found = {f"seen_{k}": float((labels[:-k] == labels[k:]).mean()) for k in LAGS if s > k}
    firsts = np.unique(labels, return_index=True)[1]
    islands = len(firsts)
    found["novelty"] = float((firsts[:, None] <= np.arange(s)).mean())
    last: dict[int, int] = {}
    lags = []
    for i, label in enumerate(labels.tolist()):
        if label in last and labels[i - 1] != label:
            lags.append(i - last[label])
        last[label] = i
    found["return_lag"] = float(np.mean(lags)) / s if lags else math.nan
    changes = {(a, b) for a, b in zip(labels[:-1].tolist(), labels[1:].tolist()) if a != b}
    if changes:
        found["reciprocity"] = float(np.mean([(b, a) in changes for a, b in changes]))
    if islands > 1:
        found["entropy_rate"] = _entropy_rate(labels) / math.log(islands)
    return found | _determinism(labels[:MOST_PAIRED])


def _entropy_rate(labels: np.ndarray) -> float:
    _, index = np.unique(labels, return_inverse=True)
    counts = np.zeros((index.max() + 1,) * 2)
    np.add.at(counts, (index[:-1], index[1:]), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    logs = np.log(np.where(shares > 0, shares, 1))
    return abs(float((counts * logs).sum() / counts.sum()))


def _determinism(labels: np.ndarray) -> dict[str, float]:
    """Share of recurrences that lie in a row of two or more (Marwan et al., Physics Reports 438, 2007)."""
    same = np.triu(labels[:, None] == labels, 1)
    if not same.any():
        return {}
    after, before = np.zeros_like(same), np.zeros_like(same)
    after[:-1, :-1], before[1:, 1:] = same[1:, 1:], same[:-1, :-1]
    return {"determinism": float((same & (after | before)).sum() / same.sum())}


def _parts(x: np.ndarray) -> dict[str, float]:
    n = len(x)
    usual = _mean_of_pairs(x[spread_sample(x, MOST_PAIRED)])
    if n < 4 or not usual > _LEAST:
        return {}
    found = {}
    for part in PARTS:
        lag = max(1, round(part * n))
        found[f"part_{round(1000 * part)}"] = float(angle(x[:-lag], x[lag:]).mean()) / usual
    length = float(angle(x[:-1], x[1:]).sum())
    if length > _LEAST * n:
        found["straightness"] = float(angle(x[0], x[-1])) / length
    with suppress(ShapeError):
        middle = mean_direction(x)
        halves = angle(mean_direction(x[:n // 2]), mean_direction(x[n // 2:]))
        found["drift"] = float(halves) / max(float(angle(x, middle).mean()), _LEAST)
    return found


def _motion(x: np.ndarray) -> dict[str, float]:
    from scipy.stats import rankdata

    steps = angle(x[:-1], x[1:])
    found: dict[str, float] = {}
    if len(steps) < 2 or steps.max() < _LEAST:
        return found
    found["step_variation"] = float(steps.std() / steps.mean())
    back, on = log_map(x[1:-1], x[:-2]), log_map(x[1:-1], x[2:])
    long = (np.linalg.norm(back, axis=1) > _LEAST) & (np.linalg.norm(on, axis=1) > _LEAST)
    if long.any():
        a, b = (v[long] / np.linalg.norm(v[long], axis=1, keepdims=True) for v in (-back, on))
        found["turning"] = float(angle(a, b).mean())
    a, b = rankdata(steps[:-1]), rankdata(steps[1:])
    if len(a) > 2 and np.ptp(a) > 0 and np.ptp(b) > 0:
        found["step_memory"] = float(np.corrcoef(a, b)[0, 1])
    return found


def _set(x: np.ndarray) -> dict[str, float]:
    if len(x) < 2:
        return {}
    some = x[spread_sample(x, MOST_PAIRED)]
    low, middle, high = np.quantile(angles(some, some)[np.triu_indices(len(some), 1)], (0.1, 0.5, 0.9))
    found = {"angle_low": float(low), "angle_middle": float(middle), "angle_high": float(high)}
    with suppress(ShapeError):
        found["spread"] = float(angle(x, mean_direction(x)).mean())
    if float(np.abs(some - some[0]).max()) > _LEAST:
        found["effective_rank"] = effective_rank(some)
    return found


def _evenness(counts: np.ndarray) -> float:
    if len(counts) < 2:
        return math.nan
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum() / math.log(len(counts)))


def _shots(path: Trajectory, starts: np.ndarray) -> dict[str, float]:
    found = {"shots": float(len(starts))}
    if len(path) < 2:
        return found
    usual = float(np.median(np.diff(path.times)))
    ends = np.append(starts[1:], len(path)) - 1
    low, middle, high = np.quantile(path.times[ends] - path.times[starts] + usual, (0.25, 0.5, 0.75))
    steps = np.delete(angle(path.points[:-1], path.points[1:]), starts[1:] - 1)
    return found | {"shot_low": float(low), "shot_middle": float(middle), "shot_high": float(high),
                    "duration": float(path.times[-1] - path.times[0]) + usual,
                    "step_inside": float(steps.mean()) if len(steps) else math.nan}
