"""Sets that share items: when A against B is meaningless, and what was kept against random subsets instead."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.kernels import median_distance
from core.geometry.quality.against import PERMUTATIONS, Measure, Statistic, corrected
from core.geometry.quality.distances import distances_from_whole
from core.geometry.quality.manifolds import BALL
from core.geometry.quality.neighbours import nearest_others
from core.geometry.quality.relabelled import Progress, Stop, Watch, dealt, in_random_order
from core.geometry.rounding import rounding

SHARED_AT_MOST = 0.01
MOST, LEAST = 10_000, 2 * BALL
FROM_WHOLE: dict[str, Measure] = {
    "cmmd": Measure("CMMD to the whole", "1000 times the squared distance of the mean of what is kept from that of "
                                         "all, in the space of a Gaussian kernel of bandwidth 10.", "", "both"),
    "mmd": Measure("MMD² to the whole", "The same with a Gaussian kernel as wide as the median distance of two items: "
                                        "it sees more than means.", "", "both"),
    "coverage": Measure("dropped items covered", f"Share of the dropped items that have a kept one among their {BALL} "
                                                 "nearest.", "share", "both"),
}


@dataclass(frozen=True)
class Shared:
    """Items that two sets have in common.

    Attributes
    ----------
    count : how many different ones.
    of_a, of_b : share of the items of A and of B that the other has too.
    meaningless : whether comparing the sets says nothing of what they were drawn from.
    reason : in a sentence, with what to ask instead; "" where the comparison stands.
    """

    count: int
    of_a: float
    of_b: float
    meaningless: bool
    reason: str


def shared_items(a: Sequence[Hashable], b: Sequence[Hashable]) -> Shared:
    """Whether A against B is meaningless because they share items, as a set and what was kept of it do.

    Statistics of two samples take the two as independent. Shared items are equal in both: they draw every distance
    towards 0, beyond what two halves of one set have, and a p says nothing. Where they are few (up to 1 % of each set)
    they may stand, as one group each (`together` of `compare`).

    Parameters
    ----------
    a, b
        What each item is: content hash or id.
    """
    in_a, in_b = set(a), set(b)
    both = in_a & in_b
    of_a, of_b = (sum(item in both for item in side) / max(len(side), 1) for side in (a, b))
    if max(of_a, of_b) <= SHARED_AT_MOST:
        return Shared(len(both), of_a, of_b, False, "")
    return Shared(len(both), of_a, of_b, True,
                  f"A and B share {len(both):,} items ({100 * of_a:.0f} % of A, {100 * of_b:.0f} % of B): they are not "
                  "two samples. Compare what was dropped with what was kept, or what was kept with random subsets of "
                  "its size.")


@dataclass(frozen=True, eq=False)
class AgainstRandom:
    """What was kept of a set beside random subsets of its size.

    Attributes
    ----------
    n : items of the set that were looked at.
    kept : how many of these were kept.
    statistics : by key of `FROM_WHOLE`; by chance is what random subsets have. Empty where nothing is measurable.
    draws : random subsets.
    notes : what a reader must know, in sentences.
    reason : why nothing is measurable, or "".
    """

    n: int
    kept: int
    statistics: dict[str, Statistic]
    draws: int
    notes: tuple[str, ...] = ()
    reason: str = ""


def against_random(kept: np.ndarray, whole: np.ndarray, draws: int = PERMUTATIONS, seed: int = 0, *,
                   together: np.ndarray | None = None, on_progress: Progress | None = None,
                   should_stop: Stop | None = None) -> AgainstRandom:
    """How well what was kept stands for the whole, beside random subsets of its size.

    Kept items are part of the whole, so that two-sample statistics do not apply; a random subset shares as many items,
    and whatever sharing does to a number it does to both.

    Parameters
    ----------
    kept
        (N,) bool.
    whole
        (N, d) floats, unit rows, the items before anything was dropped.
    draws
        Random subsets.
    seed
        Of the subsets, and of the 10,000 items that are looked at where there are more.
    together
        (N,) int, groups of items that belong together; random subsets take whole groups of the sizes that were kept.
    on_progress, should_stop
        Called between blocks; a request to stop raises Cancelled.

    Raises
    ------
    ShapeError
        If the mask or the groups do not fit.
    """
    kept, whole = np.asarray(kept, dtype=bool), np.ascontiguousarray(whole, dtype=np.float32)
    check_vectors(whole, at_least=0, unit=True)
    if kept.shape != (len(whole),) or (together is not None and len(together) != len(whole)):
        raise ShapeError(f"a mask and groups of {len(whole)} items", f"shape {kept.shape}"
                         + ("" if together is None else f", {len(together)} groups"))
    rng, watch = np.random.default_rng(seed), Watch(on_progress, should_stop)
    rows = np.sort(in_random_order(len(whole), together, rng)[:MOST])
    z, mask, group = whole[rows], kept[rows], None if together is None else np.asarray(together)[rows]
    n, left = len(z), int(mask.sum())
    reason = _not_measurable(z, left)
    if reason:
        return AgainstRandom(n, left, {}, draws, reason=reason)
    masks = np.concatenate([mask[None], dealt(mask, group, draws, rng)])
    values = distances_from_whole(z, masks, median_distance(z), watch.part(0, 0.7))
    near = nearest_others(z, BALL, on_progress=watch.part(0.7, 0.95)).rows
    values["coverage"] = np.array([m[near[~m]].any(axis=1).mean() for m in masks])
    watch(1, "Random subsets")
    cut = f"{n:,} random items of {len(whole):,} are looked at, of which {left:,} were kept."
    return AgainstRandom(n, left, corrected(FROM_WHOLE, values, left, {}, {}), draws, (cut,) if n < len(whole) else ())


def _not_measurable(z: np.ndarray, left: int) -> str:
    if len(z) < LEAST:
        return f"there are {len(z):,} items: at least {LEAST} are needed"
    if not 0 < left < len(z):
        return "nothing was dropped" if left else "nothing was kept"
    return "all items are one point" if float(np.abs(z - z[0]).max()) <= rounding(z) else ""
