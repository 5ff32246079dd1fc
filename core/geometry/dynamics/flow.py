"""Where points went between moments of a training, how fast, and from when on they are slow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.curves import Curve
from core.geometry.directions import angle, log_map
from core.geometry.jackknife import with_interval

OPPOSITE = 175.0
"""Degrees beyond which a point went so nearly to its antipode that the direction it took says nothing."""
SLOW = 0.5
"""Share of its highest speed below which a group is called slow."""


@dataclass(frozen=True, eq=False)
class Flow:
    """Displacements of points on S^(d-1) between two moments.

    Attributes
    ----------
    base : (n, d) float64, unit rows: where the points were.
    vectors : (n, d) float64, radians: tangent at ``base``, along the great circle to where each went, as long as the
        angle to it.
    rows : (n,) int64, the points' rows among those that were given.
    opposite : how many were left out because they went to within 5 degrees of their antipode.
    """

    base: np.ndarray
    vectors: np.ndarray
    rows: np.ndarray
    opposite: int = 0

    def __len__(self) -> int:
        return len(self.base)

    def part(self, chosen: np.ndarray) -> Flow:
        """Some of the points, by their rows here."""
        return Flow(self.base[chosen], self.vectors[chosen], self.rows[chosen], self.opposite)


def displacement(before: np.ndarray, after: np.ndarray) -> Flow:
    """v_i = Log_{x_i}(x_i') of points at two moments.

    Parameters
    ----------
    before, after
        (n, d) floats, unit rows; row i of both is one point.

    Raises
    ------
    ShapeError
        If there are not as many points after as before.
    """
    before, after = np.asarray(before), np.asarray(after)
    for x in (before, after):
        check_vectors(x, what="points", at_least=0, unit=True)
    if before.shape != after.shape:
        raise ShapeError(f"points of shape {before.shape} at both moments", f"{after.shape} at the second")
    base = before / np.linalg.norm(before.astype(np.float64), axis=1, keepdims=True)
    there = after / np.linalg.norm(after.astype(np.float64), axis=1, keepdims=True)
    rows = np.flatnonzero(angle(base, there) <= math.radians(OPPOSITE))
    return Flow(base[rows], log_map(base[rows], there[rows]), rows, len(before) - len(rows))


@dataclass(frozen=True, eq=False)
class Speeds:
    """How fast groups of points move.

    Attributes
    ----------
    steps : (s,) int64, of the snapshots.
    curves : by group, (s - 1,) mean angle gone from one snapshot to the next over the steps between them, degrees a
        step, with 95 % intervals.
    counts : points by group.
    slow_from : by group, the step from which on it is slower than half of its highest speed, at every later snapshot
        beyond chance; None where there is none.
    """

    steps: np.ndarray
    curves: Mapping[str, Curve]
    counts: Mapping[str, int]
    slow_from: Mapping[str, int | None]

    @property
    def middles(self) -> np.ndarray:
        """(s - 1,) float64: the step midway between two snapshots."""
        return (self.steps[1:] + self.steps[:-1]) / 2


def speeds(x: np.ndarray, steps: np.ndarray, groups: Mapping[str, np.ndarray],
           cluster: np.ndarray | None = None) -> Speeds:
    """Mean angular speed of groups of points between snapshots, and where it slows.

    Parameters
    ----------
    x
        (s, n, d) floats, unit rows: the same points at each of s >= 2 snapshots.
    steps
        (s,) ints, growing.
    groups
        By name, (k,) rows of its points, k >= 1.
    cluster
        (n,) ints: points that move together, as the images of one caption; each for itself where None, or where a
        group is one cluster alone.

    Returns
    -------
    Speeds. Intervals are Student's, of a jackknife over clusters. ``slow_from`` looks at the difference to half of the
    highest speed, in pairs, one-sided at 5 % for all later snapshots and all groups together (Bonferroni).

    Raises
    ------
    ShapeError
        If there are fewer than two snapshots, or steps do not fit.
    """
    x, steps = np.asarray(x), np.asarray(steps, dtype=np.int64)
    if x.ndim != 3 or len(x) < 2 or steps.shape != (len(x),):
        raise ShapeError("at least two snapshots of shape (s, n, d), and a step of each",
                         f"shape {x.shape} and {len(steps)} steps")
    gone = np.degrees(angle(x[:-1], x[1:])) / np.diff(steps)[:, None]
    cluster = np.arange(x.shape[1]) if cluster is None else np.asarray(cluster)
    curves, slow = {}, {}
    for name, rows in groups.items():
        own = np.unique(cluster[rows], return_inverse=True)[1]
        own = own if own.max(initial=0) > 0 else np.arange(len(rows))
        mean, without = _means(gone[:, rows], own)
        curves[name] = Curve.of(name, [with_interval(float(value), left, None, len(rows), "degrees a step", low=0)
                                       for value, left in zip(mean, without)])
        at = _slow_from(mean, without, len(groups))
        slow[name] = None if at is None else int(steps[at])
    return Speeds(steps, curves, {name: len(rows) for name, rows in groups.items()}, slow)


def _means(values: np.ndarray, cluster: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of (s, k) values over k points, (s,), and those without each of c clusters, (s, c)."""
    sizes = np.bincount(cluster)
    sums = np.stack([np.bincount(cluster, row) for row in values])
    whole = values.sum(axis=1)
    left = np.maximum(len(cluster) - sizes, 1)
    return whole / len(cluster), (whole[:, None] - sums) / left


def _slow_from(mean: np.ndarray, without: np.ndarray, groups: int) -> int | None:
    """First interval after the fastest from which on all are slower than half of it, beyond chance among groups."""
    from scipy.special import stdtrit

    top, c = int(mean.argmax()), without.shape[1]
    later = len(mean) - top - 1
    if later < 1 or c < 3:
        return None
    apart = mean - SLOW * mean[top]
    left = without - SLOW * without[top]
    error = np.sqrt((c - 1) / c * ((left - left.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))
    slow = apart + float(stdtrit(c - 1, 1 - 0.05 / (later * groups))) * error < 0
    fast = np.flatnonzero(~slow[top + 1:])
    first = top + 1 + (int(fast[-1]) + 1 if len(fast) else 0)
    return first if first < len(mean) else None
