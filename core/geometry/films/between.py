"""How far films lie apart: in order and out of it, as a tree and as a map, and what the order of their shots adds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, ShapeError
from core.geometry.differences import Difference, holm
from core.geometry.directions import angles, unit
from core.geometry.films.alignment import FRAMES, costs, evenly_in_time, frechet_distances, warped_distances
from core.geometry.films.trajectory import Trajectory
from core.geometry.maps.classical import classical_scaling, distances_kept
from core.geometry.threads import one_thread
from core.types import Number

MEASURES: dict[str, str] = {
    "warped": "dynamic time warping",
    "frechet": "Fréchet distance",
    "order_free": "order forgotten",
}
MOST_FILMS = 100
ALL_PAIRS_OF = 10
FEWER = 100
DRAWS = 20
_TOGETHER = 32
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Arranged:
    """Films by one of the distances, as a tree and in a plane.

    Attributes
    ----------
    tree : (n - 1, 4) float64, average linkage as scipy writes it; heights in radians.
    leaves : (n,) int64, the films in an order that brings like to like.
    tree_fidelity : correlation of the heights at which films meet with their distances.
    coords : (n, 2) float64, radians, by classical scaling.
    map_fidelity : Spearman's correlation of distances in the plane with the distances.

    The nulls are the same fits on as many random directions of as many dimensions, mean of 20 draws; NaN where all
    distances are equal.
    """

    tree: np.ndarray
    leaves: np.ndarray
    tree_fidelity: Number
    coords: np.ndarray
    map_fidelity: Number


@dataclass(frozen=True, eq=False)
class OrderAdds:
    """Whether two films are nearer in the order of their shots than with their shots shuffled.

    Attributes
    ----------
    pair : the films.
    warped : radians, dynamic time warping of the films as they are, on up to 100 frames.
    shuffled : radians, its mean when whole shots of both are shuffled, and the middle 95 % of the shuffles.
    p : chance of so small a distance for shots in random order; None where neither film has two shots.
    corrected : the same by Holm, among the pairs that were tried.
    """

    pair: tuple[int, int]
    warped: float
    shuffled: Number
    p: float | None
    corrected: float | None


@dataclass(frozen=True, eq=False)
class FilmDistances:
    """Distances of all pairs of films.

    Attributes
    ----------
    names : of the n films.
    frames : of each film that were aligned, evenly in time; up to 100 of them were transported and shuffled.
    distances : by key of MEASURES, (n, n) float64, radians, 0 on the diagonal.
    unmatched : (n, n) float64, radians, mean angle of all pairs of their frames: what no matching at all would give.
    arranged : by key of MEASURES.
    order : what order adds to pairs of films: all pairs up to 10 films, else each film with the nearest when order is
        forgotten (so that the choice knows nothing of order); empty without shots.
    order_together : radians, mean over these pairs of the distance as it is less that of shuffled shots; its interval
        is the middle 95 % of what it is for films in random order.
    order_p : chance of so small a mean for films whose shots are in random order.
    draws : shuffles.
    """

    names: tuple[str, ...]
    frames: int
    distances: dict[str, np.ndarray]
    unmatched: np.ndarray
    arranged: dict[str, Arranged]
    order: tuple[OrderAdds, ...]
    order_together: Number | None
    order_p: float | None
    draws: int


def film_distances(paths: Sequence[Trajectory], starts: Sequence[np.ndarray] | None = None, *, frames: int = FRAMES,
                   draws: int = 999, seed: int = 0, on_progress: Progress | None = None,
                   should_stop: Callable[[], bool] | None = None) -> FilmDistances:
    """Compare films in order (dynamic time warping, Fréchet) and out of it.

    The distance that forgets order is the exact optimal transport of the frames of one film to those of the other: the
    mean angle between frames that are matched one to one, whatever their order, so that the mean is least (Wasserstein
    distance of order 1). It counts how long a film dwells, which warping forgives: neither is a bound of the other, and
    what order adds is asked of warping alone, beside its own shuffles of whole shots.

    Parameters
    ----------
    paths
        2 to 100 films by one model.
    starts
        For each film, the frames at which its shots begin; None: what order adds is not asked.
    frames
        Of each film that are compared, evenly in time.
    draws, seed
        Shuffles of whole shots.
    on_progress, should_stop
        Called now and then; a request to stop raises Cancelled.

    Raises
    ------
    ShapeError
        If there are too few or too many films, or of different dimensions.

    References
    ----------
    Sakoe and Chiba, IEEE Trans. ASSP 26, 1978; Eiter and Mannila, TU Wien CD-TR 94/64, 1994; Villani, Optimal
    Transport, 2009.
    """
    n = len(paths)
    dimensions = {path.points.shape[1] for path in paths}
    if not 2 <= n <= MOST_FILMS or len(dimensions) > 1 or (starts is not None and len(starts) != n):
        raise ShapeError(f"2 to {MOST_FILMS} films by one model, with the starts of the shots of each",
                         f"{n} films, {len(dimensions)} kinds of dimensions"
                         + ("" if starts is None else f", {len(starts)} lists of starts"), "Choose other films.")
    if draws < 1:
        raise ShapeError("1 shuffle of shots or more", str(draws))
    rows = [evenly_in_time(path, frames) for path in paths]
    x = [path.points[r] for path, r in zip(paths, rows)]
    watch = _Watch(on_progress, should_stop)
    with one_thread():
        distances, unmatched = _all_pairs(x, watch)
        chance = _by_chance(n, dimensions.pop(), seed)
        arranged = {key: _arranged(d, chance) for key, d in distances.items()}
        order: tuple[OrderAdds, ...] = ()
        together = p = None
        if starts is not None:
            some = _fewer(frames)
            shots = [np.searchsorted(np.asarray(s), r[some], side="right") for s, r in zip(starts, rows)]
            order, together, p = _what_order_adds([v[some] for v in x], shots, _chosen(distances["order_free"]), draws,
                                                  seed, watch)
    names = tuple(path.name or f"film {i + 1}" for i, path in enumerate(paths))
    return FilmDistances(names, frames, distances, unmatched, arranged, order, together, p, draws)


def transported(cost: np.ndarray) -> float:
    """Mean cost of the one-to-one matching that costs least: (k, k) floats -> a number in their unit."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean())


def shots_shuffled(shots: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Frames with whole shots in another order: (k,) shot of each frame, not falling -> (k,) int64, the frames."""
    parts = np.split(np.arange(len(shots)), np.flatnonzero(np.diff(shots)) + 1)
    return np.concatenate([parts[i] for i in rng.permutation(len(parts))])


@dataclass(frozen=True)
class _Watch:
    on_progress: Progress | None
    should_stop: Callable[[], bool] | None

    def __call__(self, share: float, text: str) -> None:
        if self.should_stop is not None and self.should_stop():
            raise Cancelled(f"{100 * share:.0f} % of the comparison")
        if self.on_progress is not None:
            self.on_progress(share, text)


def _all_pairs(x: list[np.ndarray], watch: _Watch) -> tuple[dict[str, np.ndarray], np.ndarray]:
    n, k = len(x), len(x[0])
    distances = {key: np.zeros((n, n)) for key in MEASURES}
    unmatched = np.zeros((n, n))
    some = _fewer(k)
    pairs = [(i, j) for i in range(n) for j in range(i)]
    for i in range(n):
        unmatched[i, i] = costs(x[i], x[i]).mean()
    for at in range(0, len(pairs), _TOGETHER):
        watch(0.5 * at / len(pairs), "Comparing films")
        part = pairs[at:at + _TOGETHER]
        cost = np.stack([costs(x[i], x[j]) for i, j in part])
        found = {"warped": warped_distances(cost), "frechet": frechet_distances(cost),
                 "order_free": np.array([transported(c[np.ix_(some, some)]) for c in cost])}
        i, j = np.array(part).T
        for key, values in found.items():
            distances[key][i, j] = distances[key][j, i] = values
        unmatched[i, j] = unmatched[j, i] = cost.mean(axis=(1, 2))
    return distances, unmatched


def _fewer(k: int) -> np.ndarray:
    return np.linspace(0, k - 1, min(FEWER, k)).round().astype(np.int64)


def _by_chance(n: int, d: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    draws = [unit(rng.normal(size=(n, d))) for _ in range(DRAWS)]
    return [angles(x, x) * (1 - np.eye(n)) for x in draws]


def _arranged(distances: np.ndarray, chance: list[np.ndarray]) -> Arranged:
    tree, leaves, kept = _tree(distances)
    coords = classical_scaling(distances)
    pairs = len(distances) * (len(distances) - 1) // 2
    return Arranged(
        tree, leaves, Number(kept, null=float(np.mean([_tree(c)[2] for c in chance])), n=pairs, unit="correlation"),
        coords, Number(distances_kept(distances, coords), n=pairs, unit="Spearman",
                       null=float(np.mean([distances_kept(c, classical_scaling(c)) for c in chance]))))


def _tree(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    from scipy.cluster.hierarchy import cophenet, leaves_list, linkage

    flat = distances[np.triu_indices(len(distances), 1)]
    tree = linkage(flat, "average", optimal_ordering=len(flat) > 1)
    heights = cophenet(tree)
    varied = len(flat) > 1 and np.ptp(flat) > 0 and np.ptp(heights) > 0
    return tree, leaves_list(tree).astype(np.int64), float(np.corrcoef(flat, heights)[0, 1]) if varied else math.nan


def _chosen(order_free: np.ndarray) -> list[tuple[int, int]]:
    n = len(order_free)
    if n <= ALL_PAIRS_OF:
        return [(i, j) for i in range(n) for j in range(i + 1, n)]
    nearest = (order_free + np.diag(np.full(n, np.inf))).argmin(axis=1).tolist()
    return sorted({(min(i, j), max(i, j)) for i, j in enumerate(nearest)})


def _what_order_adds(x: list[np.ndarray], shots: list[np.ndarray], pairs: list[tuple[int, int]], draws: int,
                     seed: int, watch: _Watch) -> tuple[tuple[OrderAdds, ...], Number | None, float | None]:
    """In each draw every film has one order of its shots, so that the mean over pairs has a null of its own."""
    rng = np.random.default_rng(seed)
    orders = [np.stack([shots_shuffled(s, rng) for _ in range(draws)]) for s in shots]
    seen, null = np.empty(len(pairs)), np.empty((len(pairs), draws))
    for q, (i, j) in enumerate(pairs):
        cost = costs(x[i], x[j])
        seen[q] = warped_distances(cost[None])[0]
        for at in range(0, draws, _TOGETHER):
            a, b = orders[i][at:at + _TOGETHER], orders[j][at:at + _TOGETHER]
            null[q, at:at + _TOGETHER] = warped_distances(cost[a[:, :, None], b[:, None, :]])
        watch(0.5 + 0.5 * (q + 1) / len(pairs), "Shuffling shots")
    movable = np.array([max(len(np.unique(shots[i])), len(np.unique(shots[j]))) > 1 for i, j in pairs])
    p = (1 + (null <= seen[:, None] + 1e-9).sum(axis=1)) / (1 + draws)
    corrected = iter(_holm(p[movable]))
    low, high = np.quantile(null, (0.025, 0.975), axis=1)
    found = tuple(OrderAdds(pair, float(seen[q]), Number(float(null[q].mean()), float(low[q]), float(high[q]), n=draws,
                                                         unit="radians"),
                            float(p[q]) if movable[q] else None, next(corrected) if movable[q] else None)
                  for q, pair in enumerate(pairs))
    if not movable.any():
        return found, None, None
    usual = null[movable].mean(axis=1)
    together = float((seen[movable] - usual).mean())
    by_draw = (null[movable] - usual[:, None]).mean(axis=0)
    ends = np.quantile(by_draw, (0.025, 0.975))
    return found, Number(together, float(ends[0]), float(ends[1]), 0.0, int(movable.sum()), "radians"), float(
        (1 + (by_draw <= together + 1e-9).sum()) / (1 + draws))


def _holm(p: np.ndarray) -> list[float]:
    family = {i: Difference(Number(0.0), float(value)) for i, value in enumerate(p)}
    return [d.p for d in holm(family).values() if d.p is not None]
