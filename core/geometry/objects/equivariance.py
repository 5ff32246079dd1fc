"""How the view of an object moves on the embedding sphere while the camera goes round it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.curves import Curve
from core.geometry.directions import angles, unit
from core.geometry.jackknife import with_interval
from core.types import Number

FAR = math.radians(45)
BINS = 12
MOST_GROUPS = 30
DRAWS = 2000
MOST_OF_RANDOM = 8.0   # of directions on S^2, of which random ones have 2
SMALLEST_ANGLE = 1e-6
LEVEL = 0.05
LEAST_SPREAD = 0.01
LEAST_ALIKE, LEAST_FOR_BAND = 5, 20


@dataclass(frozen=True, eq=False)
class Equivariance:
    """Camera angles beside embedding angles.

    Attributes
    ----------
    pairs : (p, 2) int64, rows of all pairs of views.
    camera, embedding : (p,) float64, radians in [0, pi].
    places : (b,) float64, mean camera angle in each bin, radians.
    curve : mean embedding angle (radians) in each bin; its null is the mean over all pairs.
    rank_correlation : Spearman's, of camera and embedding angle; null 0.
    alike : (p,) bool, pairs at least ``far`` apart by camera, yet no farther by embedding than neighbouring views are.
    bar : radians, the median embedding angle of neighbouring views, which is what "alike" means.
    symmetric : share of the far pairs that are alike; its null is the share among pairs of a view of this object and
        one of another, or, without others, among all pairs (views shuffled).
    null_of : "other objects" or "shuffled views".
    steps : (m, 2) int64, neighbouring views.
    rates : (m,) float64, embedding angle over camera angle of each step.
    jumps : (m,) bool, steps so fast that the fastest of m steps of like distribution is in 5 % of cases.
    far : radians.
    """

    pairs: np.ndarray
    camera: np.ndarray
    embedding: np.ndarray
    places: np.ndarray
    curve: Curve
    rank_correlation: Number
    alike: np.ndarray
    bar: float
    symmetric: Number
    null_of: str
    steps: np.ndarray
    rates: np.ndarray
    jumps: np.ndarray
    far: float


def view_neighbours(directions: np.ndarray) -> np.ndarray:
    """Views that lie next to each other: edges of the convex hull of the directions, or of their ring.

    Parameters
    ----------
    directions : (n, 3) floats, unit rows, n >= 3, all different.

    Returns
    -------
    (m, 2) int64, the smaller row first.
    """
    from scipy.spatial import ConvexHull

    directions = np.asarray(directions, dtype=np.float64)
    check_vectors(directions, what="view directions", at_least=3, unit=True)
    middle = directions.mean(axis=0)
    _, spread, axes = np.linalg.svd(directions - middle, full_matrices=False)
    if len(directions) < 4 or spread[2] < 1e-6 * spread[0]:
        order = np.argsort(np.arctan2(*((directions - middle) @ axes[:2].T).T))
        edges = np.stack([order, np.roll(order, -1)], axis=1)
    else:
        faces = ConvexHull(directions).simplices
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [0, 2]]])
    return np.unique(np.sort(edges, axis=1), axis=0)


def nearest_ratio_dimension(x: np.ndarray) -> float:
    """(n - 1) / sum log(r2 / r1) of the angles to the two nearest of each unit row: far above d - 1 on a lattice.

    Rows that lie on their nearest neighbour are left out; infinity where all others are as near as each other.

    References
    ----------
    Facco, d'Errico, Rodriguez and Laio, Scientific Reports 7, 2017.
    """
    between = angles(x, x)
    np.fill_diagonal(between, np.inf)
    first, second = np.partition(between, 1, axis=1)[:, :2].T
    known = first > SMALLEST_ANGLE
    total = float(np.log(second[known] / first[known]).sum())
    return (int(known.sum()) - 1) / total if total > 0 else math.inf


def equivariance(x: np.ndarray, directions: np.ndarray, others: np.ndarray | None = None, *, far: float = FAR,
                 bins: int = BINS, seed: int = 0) -> Equivariance:
    """Embedding angle against camera angle, views that look alike though far apart, and where the view jumps.

    Parameters
    ----------
    x
        (n, d) floats, unit rows: one object in one style, n >= 6 views.
    directions
        (n, 3) floats, unit rows, from the object to each camera, all different.
    others
        (m, d) floats, unit rows, views of other objects in the same style; or None.
    far
        Camera angle from which views count as far apart, radians.
    bins
        Of the curve, equal in camera angle; those without a pair are left out.
    seed
        Of the groups of views that the intervals leave out (30 at most), and of the random steps that a jump is
        compared with.

    Returns
    -------
    Intervals are those of leaving out views, with all their pairs, in up to 30 random groups; on made-up sheets with
    noise, seen from 12 to 64 random directions, 95 to 99 % of those of the correlation, 89 to 98 % of those of the
    share and 91 to 100 % of those of the curve held the value of new views
    (tests/geometry/objects/test_equivariance.py).
    None where the directions are a ring or another lattice, whose views are no sample: leaving one out may change
    nothing at all. None for a share of fewer than 5 pairs, or for a curve of fewer than 20 views.

    Raises
    ------
    ShapeError
        With fewer than 6 views, or where two have one direction.
    """
    check_vectors(x, what="views", at_least=6, unit=True)
    if len(directions) != len(x):
        raise ShapeError(f"{len(x)} directions, one a view", str(len(directions)))
    rows, columns = np.triu_indices(len(x), 1)
    pairs = np.stack([rows, columns], axis=1)
    between = angles(directions, directions)
    camera, embedding = between[rows, columns], angles(x, x)[rows, columns]
    if camera.min() < SMALLEST_ANGLE:
        i, j = pairs[camera.argmin()]
        raise ShapeError("views from different directions", f"views {i} and {j} from one")
    steps = view_neighbours(directions)
    place = np.zeros((len(x), len(x)), dtype=np.int64)
    place[rows, columns] = np.arange(len(pairs))
    near = place[steps[:, 0], steps[:, 1]]
    bar = float(np.median(embedding[near]))
    is_far = camera >= far
    alike = is_far & (embedding <= bar)
    if others is not None and len(others):
        null, null_of = float((angles(x, others) <= bar).mean()), "other objects"
    else:
        null, null_of = float((embedding <= bar).mean()), "shuffled views"
    groups = _groups(len(x), seed)
    lattice = nearest_ratio_dimension(directions) > MOST_OF_RANDOM
    kept = [(groups[rows] != g) & (groups[columns] != g) for g in range(groups.max() + 1)]

    def number(statistic: Callable[[np.ndarray], float], null: float, n: int, unit: str, low: float, high: float,
               covers: bool = True) -> Number:
        without = np.array([statistic(keep) for keep in kept]) if covers and not lattice else None
        return with_interval(statistic(np.ones(len(pairs), dtype=bool)), without, null, n, unit, low, high)

    correlation = number(lambda keep: _spearman(camera[keep], embedding[keep]), 0.0, len(x), "Spearman", -1.0, 1.0)
    enough = int(alike.sum()) >= LEAST_ALIKE
    symmetric = number(lambda keep: float(alike[keep].sum() / max(is_far[keep].sum(), 1)), null, int(is_far.sum()),
                       "share", 0.0, 1.0, enough)
    bin_of = np.minimum((camera / (math.pi / bins)).astype(np.int64), bins - 1)
    filled = [b for b in range(bins) if (bin_of == b).any()]
    numbers = [number(lambda keep, b=b: _mean(embedding[keep & (bin_of == b)]), float(embedding.mean()),  # type: ignore[misc]
                      int((bin_of == b).sum()), "radians", 0.0, math.pi, len(x) >= LEAST_FOR_BAND) for b in filled]
    places = np.array([camera[bin_of == b].mean() for b in filled])
    rates = embedding[near] / camera[near]
    return Equivariance(pairs, camera, embedding, places, _curve(numbers), correlation, alike, bar, symmetric, null_of,
                        steps, rates, too_fast(rates, seed=seed), far)


def too_fast(rates: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Which rates stand out above the others.

    Parameters
    ----------
    rates : (m,) floats, >= 0.
    seed : of 2,000 sets of m log-normal rates, of which 5 % have any that stands out.

    Returns
    -------
    (m,) bool: logarithms farther above the median, in median absolute deviations, than those sets allow.
    """
    if len(rates) < 5 or not (rates > 0).any():
        return np.zeros(len(rates), dtype=bool)
    logs = np.log(np.maximum(rates, rates[rates > 0].min()))
    allowed = np.quantile(_heights(np.random.default_rng(seed).normal(size=(DRAWS, len(rates)))).max(axis=1), 1 - LEVEL)
    return _heights(logs[None])[0] > allowed


def _heights(logs: np.ndarray) -> np.ndarray:
    """(s, m) rows above their medians, in median absolute deviations of at least a hundredth: rates alike to 1 %."""
    above = logs - np.median(logs, axis=1, keepdims=True)
    spread = np.median(np.abs(above), axis=1, keepdims=True)
    return above / np.maximum(spread, LEAST_SPREAD)


def _groups(n: int, seed: int) -> np.ndarray:
    count = min(n, MOST_GROUPS)
    return np.random.default_rng(seed).permutation(np.arange(n) % count)


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import rankdata

    ranks = [rankdata(np.round(v, 9)) for v in (a, b)]
    if min(np.ptp(r) for r in ranks) == 0:
        return math.nan
    return float(np.corrcoef(*ranks)[0, 1])


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _curve(numbers: list[Number]) -> Curve:
    """A curve whose band is absent (NaN) where a bin has too few views for an interval."""
    low, high = (np.array([math.nan if v is None else v for v in (getattr(n, end) for n in numbers)])
                 for end in ("low", "high"))
    values, null = np.array([n.value for n in numbers]), np.array([n.null for n in numbers])
    return Curve("embedding angle", values, low, high, null, "radians")


def turned(directions: np.ndarray, axis: np.ndarray, radians: float) -> np.ndarray:
    """Directions turned about an axis, by Rodrigues' formula: (n, 3), (3,) -> (n, 3) float64."""
    k = unit(np.asarray(axis, dtype=np.float64)[None])[0]
    directions = np.asarray(directions, dtype=np.float64)
    along = (directions @ k)[:, None] * k
    return along + math.cos(radians) * (directions - along) + math.sin(radians) * np.cross(k, directions)
