"""A against B: is one sample like the other, beside two halves of one set, and with p by dealing the labels anew."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import LEVEL, Difference, holm
from core.geometry.kernels import median_distance
from core.geometry.quality.distances import kernel_distances
from core.geometry.quality.manifolds import BALL, overlaps
from core.geometry.quality.relabelled import (
    Groups,
    Progress,
    Stop,
    Watch,
    chance_of,
    dealt,
    halved,
    in_random_order,
    one_of_each,
    two_sets,
)
from core.geometry.quality.told_apart import accuracies
from core.geometry.rounding import rounding
from core.types import Number

PERMUTATIONS, HALVES = 200, 20
MOST, LEAST, LEAST_PERMUTATIONS = 5000, 6, 19


@dataclass(frozen=True)
class Measure:
    """What a statistic is called, what it says, its unit, and which end tells of a difference."""

    title: str
    explanation: str
    unit: str = ""
    side: str = "high"


STATISTICS: dict[str, Measure] = {
    "cmmd": Measure("CMMD", "1000 times the squared distance of the means in the space of a Gaussian kernel of "
                            "bandwidth 10, as published: above 0 even for two samples of one distribution."),
    "kid": Measure("KID", "The same with a cubic kernel, without bias: 0 on average for two samples of one "
                          "distribution."),
    "mmd": Measure("MMD² at the median distance", "The same with a Gaussian kernel as wide as the median distance of "
                                                  "two points, without bias: it sees more than means."),
    "precision": Measure("precision", "Share of B that lies in the balls around the points of A, each out to its "
                                      f"{BALL}th nearest point of A.", "share", "both"),
    "recall": Measure("recall", "Share of A that lies in the balls around the points of B.", "share", "both"),
    "density": Measure("density", f"In how many balls of A a point of B lies, over {BALL}: 1 where B is as dense as A "
                                  "where A is.", "", "both"),
    "coverage": Measure("coverage", "Share of the balls of A that hold a point of B.", "share", "both"),
    "accuracy": Measure("classifier", "Share of left-out items of which a linear classifier tells the set: 50 % where "
                                      "nothing tells them apart.", "share"),
}


@dataclass(frozen=True, eq=False)
class Statistic:
    """One number of A against B.

    Attributes
    ----------
    number : with its 95 % interval where its coverage was simulated and items are independent; the null is the mean
        under dealt labels; n is that of each set.
    p : chance of a value as telling under dealt labels, corrected for all statistics (Holm); None where not measurable.
    p_alone : the same uncorrected.
    by_chance : (permutations,) the values under dealt labels.
    halves : (h,) the values between two halves of one set, each half of the same n; empty where no set has 2 n items.
    """

    number: Number
    p: float | None
    p_alone: float
    by_chance: np.ndarray
    halves: np.ndarray

    @property
    def told_apart(self) -> bool:
        """Whether A and B are told apart at 5 %, corrected."""
        return self.p is not None and self.p <= LEVEL

    @property
    def of_halves(self) -> Number | None:
        """Mean between two halves of one set, and the least and the largest seen; None without halves."""
        if not len(self.halves):
            return None
        return Number(float(self.halves.mean()), float(self.halves.min()), float(self.halves.max()),
                      n=self.number.n, unit=self.number.unit)


@dataclass(frozen=True, eq=False)
class Against:
    """A against B.

    Attributes
    ----------
    n : items of each set that were compared.
    sizes : items that A and B have.
    statistics : by key of `STATISTICS`; empty where nothing is measurable.
    halves_of : the sets of which halves were taken ("A", "B").
    permutations : how often labels were dealt.
    notes : what a reader must know, in sentences.
    reason : why nothing is measurable, or "".
    """

    n: int
    sizes: tuple[int, int]
    statistics: dict[str, Statistic]
    halves_of: tuple[str, ...]
    permutations: int
    notes: tuple[str, ...] = ()
    reason: str = ""


def compare(a: np.ndarray, b: np.ndarray, *, n: int | None = None, permutations: int = PERMUTATIONS,
            halves: int = HALVES, together: Groups | None = None, seed: int = 0,
            on_progress: Progress | None = None, should_stop: Stop | None = None) -> Against:
    """Whether two sets are samples of one distribution, by eight statistics at one n.

    A and B are cut to n items each at random, and so are the halves of one set that stand beside. p is the share of
    dealt labels of the same 2 n items that give a value as telling: right whatever the distribution, if the items (the
    groups, where some belong together) are independent. Items that both sets share make it meaningless: `shared_items`.

    Parameters
    ----------
    a, b
        (n_a, d) and (n_b, d) floats, unit rows, of one model and modality.
    n
        Items of each that are compared; None: as many as allow halves of that size, at most 5,000.
    permutations
        How often labels are dealt, at least 19; with fewer than 159 no p passes Holm's correction for eight.
    halves
        Random halves of one set, of A and B in equal parts where both are large enough; 0 for none.
    together
        Two arrays of int, a group of each item of A and of B, the same for items that belong together (captions of one
        image, an image and its copy): labels are dealt to whole groups, or one of each is compared where groups of A
        and B differ in size.
    seed
        Of cuts, labels, halves and folds.
    on_progress, should_stop
        Called between blocks; a request to stop raises Cancelled.

    Raises
    ------
    ShapeError
        If dimensions differ, or n or the groups do not fit.
    """
    if permutations < LEAST_PERMUTATIONS:
        raise ShapeError(f"at least {LEAST_PERMUTATIONS} dealt labels", str(permutations))
    a, b, together = two_sets(a, b, together, at_least=0)
    sizes = len(a), len(b)
    rng = np.random.default_rng(seed)
    thinned = None if together is None else one_of_each(together, rng)
    if together is not None and thinned is not None:
        a, b = a[thinned[0]], b[thinned[1]]
        together = together[0][thinned[0]], together[1][thinned[1]]
    fewest, most = min(len(a), len(b)), max(len(a), len(b))
    if n is not None and not LEAST <= n <= fewest:
        raise ShapeError(f"{LEAST} to {fewest} items of each set", str(n))
    n = min(fewest, most // 2, MOST) if n is None else n
    if n < LEAST:
        return Against(0, sizes, {}, (), permutations, reason=f"A has {len(a):,} and B {len(b):,} items: at least "
                       f"{LEAST} of each are needed, and {2 * LEAST} of one")
    watch = Watch(on_progress, should_stop)
    pool, group = _cut((a, b), n, together, rng)
    if float(np.abs(pool - pool[0]).max()) <= rounding(pool):
        return Against(n, sizes, {}, (), permutations, reason="all items are one point")
    bandwidth = median_distance(pool)
    first = np.arange(2 * n) < n
    labels = np.concatenate([first[None], dealt(first, group, permutations, rng)])
    whole = [i for i, x in enumerate((a, b)) if halves > 0 and len(x) >= 2 * n]
    share = 1 - 0.25 * len(whole)
    values, widths = _statistics(pool, labels, group, bandwidth, seed, watch.part(0, share))
    of_halves: dict[str, list[np.ndarray]] = {key: [] for key in values}
    for at, i in enumerate(whole):
        z, own = _cut(((a, b)[i],), 2 * n, None if together is None else (together[i],), rng)
        split = halved(2 * n, own, -(-halves // len(whole)), rng)
        found, _ = _statistics(z, split, own, bandwidth, seed, watch.part(share + 0.25 * at, share + 0.25 * (at + 1)))
        for key, drawn in found.items():
            of_halves[key].append(drawn)
    statistics = corrected(STATISTICS, values, n, widths if group is None else {}, of_halves)
    return Against(n, sizes, statistics, tuple("AB"[i] for i in whole), permutations,
                   _notes(pool, n, sizes, group, thinned is not None))


def _cut(sets: Sequence[np.ndarray], n: int, together: Sequence[np.ndarray] | None,
         rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
    """n random rows of each set under each other, and their groups."""
    rows = [np.sort(in_random_order(len(x), None if together is None else together[i], rng)[:n])
            for i, x in enumerate(sets)]
    group = None if together is None else np.concatenate([g[r] for g, r in zip(together, rows)])
    if group is not None and len(np.unique(group)) == len(group):
        group = None
    return np.concatenate([x[r] for x, r in zip(sets, rows)]), group


def _statistics(z: np.ndarray, labels: np.ndarray, group: np.ndarray | None, bandwidth: float, seed: int,
                watch: Watch) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    distances = kernel_distances(z, labels, bandwidth, watch.part(0, 0.5))
    values = distances.values | overlaps(z, labels, watch=watch.part(0.5, 0.9))
    watch(0.9, "A classifier for each labelling")
    values["accuracy"] = accuracies(z, labels, group, seed=seed)
    watch(1, "A classifier for each labelling")
    return {key: values[key] for key in STATISTICS if key in values}, distances.half_widths


def corrected(measures: Mapping[str, Measure], values: Mapping[str, np.ndarray], n: int,
              half_widths: Mapping[str, float], halves: Mapping[str, Sequence[np.ndarray]]) -> dict[str, Statistic]:
    """Statistics from what was seen (first) and what chance gave (the rest) of each, p corrected for all (Holm)."""
    family = {}
    for key, drawn in values.items():
        seen, null, half = float(drawn[0]), float(drawn[1:].mean()), half_widths.get(key)
        low, high = (None, None) if half is None else (seen - half, seen + half)
        number = Number(seen, low, high, null, n, measures[key].unit)
        family[key] = Difference(number, chance_of(seen, drawn[1:], measures[key].side), "dealt labels")
    after = holm(family)
    return {key: Statistic(alone.change, after[key].p, math.nan if alone.p is None else alone.p, values[key][1:],
                           np.concatenate(halves[key]) if halves.get(key) else np.zeros(0))
            for key, alone in family.items()}


def _notes(pool: np.ndarray, n: int, sizes: tuple[int, int], group: np.ndarray | None,
           thinned: bool) -> tuple[str, ...]:
    apart = pool[:n].mean(axis=0, dtype=np.float64) - pool[n:].mean(axis=0, dtype=np.float64)
    squared, d = float(apart @ apart), pool.shape[1]
    notes = [f"CMMD and KID are one number: on unit vectors CMMD is 10 times the squared distance of the two means "
             f"({10 * squared:.3g}) but for a hair, and KID 3/{d} of it less what chance gives. The MMD at the median "
             f"distance and the others see more than means."]
    if n < min(sizes):
        notes.append(f"{n:,} random items of each set are compared, of {sizes[0]:,} in A and {sizes[1]:,} in B, so "
                     "that halves of one set can have as many. Precision, recall, density and coverage stand for this "
                     "n: of more items they are lower, for balls shrink.")
    if thinned:
        notes.append("Items that belong together come in groups of other sizes in A than in B: one of each group is "
                     "compared.")
    if group is not None:
        notes.append(f"Labels were dealt to {len(np.unique(group)):,} groups of items that belong together, not to "
                     f"{len(pool):,} items.")
    return tuple(notes)
