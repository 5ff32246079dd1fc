"""Islands of a training: how far classes lie apart and how many groups there are, step by step, and from when on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, ShapeError
from core.geometry.clusters import hdbscan
from core.geometry.curves import Curve
from core.geometry.directions import angles
from core.geometry.jackknife import student, with_interval
from core.geometry.maps.chance import structureless
from core.geometry.samples import spread_sample
from core.geometry.threads import one_thread
from core.types import Number

SHUFFLES, DRAWS, LEVEL = 99, 19, 0.95
MOST_COUNTED, MOST_POINTS = 13, 600
_BATCH, _NO_ANGLE = 33, 1e-12


@dataclass(frozen=True, eq=False)
class Islands:
    """What a training makes of the points of one modality.

    Attributes
    ----------
    steps : (s,) int64.
    separation : (s,) mean silhouette of the classes in angles, in [-1, 1], with 95 % intervals; its null is what 95 %
        of shuffled classes stay below at that step, all steps taken together. None where fewer than two classes have
        two points.
    apart_from : the step from which on the classes lie farther apart than shuffled ones at every snapshot; or None.
    halfway : the step at which the separation has gone half of its way from the first step to its highest; or None
        where it does not rise beyond chance.
    counted : (k,) int64, steps at which groups were counted.
    counts, counts_by_chance : (k,) groups that HDBSCAN finds, and on average in as many points about the same mean and
        without other structure: it finds groups in these too, and often more.
    firmness : (k,) mean silhouette of the groups found, points of no group counting 0; its null is what 95 % of the
        structureless points stay below at that step, all of these steps taken together.
    formed : the step from which on the groups are firmer than that at every snapshot that was counted; or None.
    classes, n, shuffles, draws, seed : how many there are of each, and what drew them.
    """

    steps: np.ndarray
    separation: Curve | None
    apart_from: int | None
    halfway: Number | None
    counted: np.ndarray
    counts: np.ndarray
    counts_by_chance: np.ndarray
    firmness: Curve
    formed: int | None
    classes: int
    n: int
    shuffles: int
    draws: int
    seed: int


def islands(x: np.ndarray, steps: np.ndarray, labels: Sequence[str], *, shuffles: int = SHUFFLES, draws: int = DRAWS,
            seed: int = 0, on_progress: Callable[[float, str], None] | None = None,
            should_stop: Callable[[], bool] = lambda: False) -> Islands:
    """Separation of the classes at each snapshot, groups at up to 13 of them, both beside chance.

    Parameters
    ----------
    x
        (s, n, d) floats, unit rows: the same points at each snapshot, of one modality.
    steps
        (s,) ints, growing.
    labels
        (n,) a class of each point, "" where it has none.
    shuffles
        Of the classes among the points that have one, the same at each step; at least 19.
    draws
        Of structureless points, at least 19.

    Returns
    -------
    Islands, of at most 600 of the points. The silhouette of a point is (b - a) / max(a, b) of its mean angle a to the
    others of its class and b to the class that is nearest beside it. Intervals are Student's, of a jackknife over
    points.

    Raises
    ------
    Cancelled
        If it was stopped.

    References
    ----------
    Rousseeuw, Journal of Computational and Applied Mathematics 20, 1987; Campello, Moulavi and Sander, PAKDD 2013.
    """
    x, steps = np.asarray(x), np.asarray(steps, dtype=np.int64)
    if x.ndim != 3 or steps.shape != (len(x),) or len(labels) != x.shape[1]:
        raise ShapeError("snapshots of shape (s, n, d), a step of each and a class of each point",
                         f"shape {x.shape}, {len(steps)} steps and {len(labels)} classes")
    if min(shuffles, draws) < 19:
        raise ShapeError("at least 19 shuffles and draws, for 95 %", f"{shuffles} and {draws}")
    chosen = np.sort(spread_sample(x[-1], MOST_POINTS, seed=seed))
    x, said = x[:, chosen], np.array([label or "" for label in labels])[chosen]
    names, sizes = np.unique(said[said != ""], return_counts=True)
    rows = np.flatnonzero(np.isin(said, names[sizes > 1]))
    of = np.unique(said[rows], return_inverse=True)[1]
    classes = int(of.max()) + 1 if len(rows) else 0
    counted = np.array(sorted({round(i) for i in np.linspace(0, len(x) - 1, MOST_COUNTED)}))
    whole = len(x) * (classes > 1) + len(counted)

    def said_done(done: int, what: str) -> None:
        if should_stop():
            raise Cancelled(f"{done} of {whole} snapshots")
        if on_progress is not None:
            on_progress(done / whole, what)

    with one_thread():
        separation, apart, halfway = None, None, None
        if classes > 1:
            separation, apart, halfway = _separation(x[:, rows], steps, of, shuffles, seed, said_done)
        counts, by_chance, firmness = _groups_over_time(x[counted], draws, seed, lambda k: said_done(
            whole - len(counted) + k, f"Groups at step {steps[counted[k]]:,}, and by chance"))
    assert firmness.null is not None
    formed = _from_when(firmness.values > firmness.null)
    return Islands(steps, separation, None if apart is None else int(steps[apart]), halfway, steps[counted], counts,
                   by_chance, firmness, None if formed is None else int(steps[counted[formed]]), classes, x.shape[1],
                   shuffles, draws, seed)


def silhouettes(between: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Silhouette of each point from (n, n) angles and (n,) classes from 0, each of at least two points: (n,)."""
    sums, sizes = _sums(between, of)
    return _silhouettes(sums, sizes, of)


def _sums(between: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.bincount(of)
    return between @ np.eye(len(sizes))[of], sizes


def _silhouettes(sums: np.ndarray, sizes: np.ndarray, of: np.ndarray) -> np.ndarray:
    """From (n, c) sums of angles to classes of (c,) points."""
    rows = np.arange(len(of))
    a = sums[rows, of] / (sizes[of] - 1)
    others = sums / sizes
    others[rows, of] = np.inf
    b = others.min(axis=1)
    return (b - a) / np.maximum(np.maximum(a, b), _NO_ANGLE)


def _without_each(between: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Mean silhouette without each point: (n,) float64; who is left alone in its class counts 0."""
    sums, sizes = _sums(between, of)
    n, rows, left = len(of), np.arange(len(of)), sizes[of] - 1
    own, others = sums[rows, of], sums / sizes
    others[rows, of] = np.inf
    first = others.argmin(axis=1)
    best = others[rows, first].copy()
    others[rows, first] = np.inf
    second = others.min(axis=1)
    same = of[:, None] == of
    a = np.where(same, (own[:, None] - between) / np.maximum(left - 1, 1)[:, None], (own / left)[:, None])
    shrunk = (sums[:, of] - between) / left
    b = np.where(same, best[:, None],
                 np.minimum(np.where(first[:, None] == of, second[:, None], best[:, None]), shrunk))
    values = (b - a) / np.maximum(np.maximum(a, b), _NO_ANGLE)
    values[same & (left < 2)[:, None]] = 0
    values[rows, rows] = 0
    return values.sum(axis=0) / (n - 1)


def _separation(x: np.ndarray, steps: np.ndarray, of: np.ndarray, shuffles: int, seed: int,
                said_done: Callable[[int, str], None]) -> tuple[Curve, int | None, Number | None]:
    rng = np.random.default_rng(seed)
    mixed = [rng.permutation(of) for _ in range(shuffles)]
    n = len(of)
    values, without, null = np.empty(len(x)), np.empty((len(x), n)), np.empty((shuffles, len(x)))
    for t, points in enumerate(x):
        said_done(t, f"How far classes lie apart at step {steps[t]:,}")
        between = angles(points, points)
        np.fill_diagonal(between, 0)
        values[t], without[t] = silhouettes(between, of).mean(), _without_each(between, of)
        null[:, t] = _shuffled(between, mixed)
    limit = _limit(values, null)
    numbers = [with_interval(float(v), w, None, n, "silhouette", low=-1, high=1) for v, w in zip(values, without)]
    curve = Curve.of("separation", numbers)
    curve = Curve(curve.title, curve.values, curve.low, curve.high, limit, "silhouette")
    return curve, _from_when(values > limit), _halfway(values, without, steps)


def _shuffled(between: np.ndarray, mixed: list[np.ndarray]) -> np.ndarray:
    """Mean silhouettes of shuffled classes, from one product for many of them."""
    c = int(mixed[0].max()) + 1
    sizes, out = np.bincount(mixed[0]), []
    for start in range(0, len(mixed), _BATCH):
        some = mixed[start:start + _BATCH]
        sums = (between @ np.concatenate([np.eye(c)[of] for of in some], axis=1)).reshape(len(between), len(some), c)
        out += [_silhouettes(sums[:, k], sizes, of).mean() for k, of in enumerate(some)]
    return np.array(out)


def _halfway(values: np.ndarray, without: np.ndarray, steps: np.ndarray) -> Number | None:
    """The first step past the middle between the first and the highest value, with where its interval leaves it."""
    top, n = int(values.argmax()), without.shape[1]

    def half_width(left: np.ndarray) -> np.ndarray:
        spread: np.ndarray = ((left - left.mean(-1, keepdims=True)) ** 2).sum(-1)
        return student(n - 1) * np.sqrt((n - 1) / n * spread)

    if values[top] - values[0] <= half_width(without[top] - without[0]):
        return None
    past = values - (values[0] + values[top]) / 2
    wide = half_width(without - (without[0] + without[top]) / 2)
    first = int(np.argmax(past >= 0))
    low, high = int(np.argmax(past + wide >= 0)), int(np.argmax(past - wide >= 0))
    high = high if past[high] - wide[high] >= 0 else top
    return Number(float(steps[first]), float(steps[low]), float(steps[high]), None, n, "step")


def _groups_over_time(x: np.ndarray, draws: int, seed: int,
                      said_done: Callable[[int], None]) -> tuple[np.ndarray, np.ndarray, Curve]:
    """Groups at each snapshot and on average by chance, and how firm they are."""
    counts, values = np.empty(len(x), dtype=np.int64), np.empty(len(x))
    null_counts, null = np.empty((draws, len(x))), np.empty((draws, len(x)))
    rng = np.random.default_rng(seed)
    for k, points in enumerate(x):
        said_done(k)
        counts[k], values[k] = _groups(points)
        mean = points.mean(axis=0, dtype=np.float64)
        for draw in range(draws):
            null_counts[draw, k], null[draw, k] = _groups(structureless(mean, len(points), rng))
    return counts, null_counts.mean(axis=0), Curve("firmness", values, null=_limit(values, null), unit="silhouette")


def _groups(points: np.ndarray) -> tuple[int, float]:
    """How many HDBSCAN finds, and their mean silhouette, points of no group counting 0."""
    of = hdbscan(points)
    inside = of >= 0
    if of.max(initial=-1) < 1:
        return int(of.max(initial=-1)) + 1, 0.0
    between = angles(points[inside], points[inside])
    np.fill_diagonal(between, 0)
    return int(of.max()) + 1, float(silhouettes(between, of[inside]).sum() / len(of))


def _limit(values: np.ndarray, null: np.ndarray) -> np.ndarray:
    """What 95 % of (b, s) draws stay below at all of s steps, in deviations of the draws and the (s,) true values."""
    every = np.concatenate([values[None], null])
    middle, scale = every.mean(axis=0), np.maximum(every.std(axis=0), _NO_ANGLE)
    largest = np.sort(((every - middle) / scale).max(axis=1))
    limit: np.ndarray = middle + scale * largest[math.ceil(LEVEL * len(every)) - 1]
    return limit


def _from_when(beyond: np.ndarray) -> int | None:
    """Index from which on all are true; None where the last is not."""
    if not len(beyond) or not beyond[-1]:
        return None
    back = np.flatnonzero(~beyond)
    return int(back[-1]) + 1 if len(back) else 0
