"""Regions of two sets: places found without knowing whose an item is, and what of A and of B lies there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.geometry.clusters import group_names, spherical_kmeans
from core.geometry.quality.composition import Composition, composition
from core.geometry.quality.relabelled import Groups, Progress, Stop, Watch, in_random_order, two_sets

MOST_FITTED, MOST_REGIONS, FEWEST_IN_A_REGION = 2500, 24, 20
EXAMPLES = 8
_CHUNK = 8192


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions and what is in them.

    Attributes
    ----------
    of_a, of_b : (n_a,) and (n_b,) int64, region of each item.
    centres : (r, d) float64, unit, their mean directions.
    names : of the regions ("group 1", ...), as in ``composition``.
    composition : counts, shares, intervals and p of each region.
    examples_a, examples_b : for each region, rows of A and of B nearest to its centre; empty where it has none.
    """

    of_a: np.ndarray
    of_b: np.ndarray
    centres: np.ndarray
    names: tuple[str, ...]
    composition: Composition
    examples_a: tuple[np.ndarray, ...]
    examples_b: tuple[np.ndarray, ...]


def regions(a: np.ndarray, b: np.ndarray, *, count: int | None = None,
            together: Groups | None = None, examples: int = EXAMPLES, seed: int = 0,
            on_progress: Progress | None = None, should_stop: Stop | None = None) -> Regions:
    """Divide what both sets fill into regions and count A and B in each.

    Regions are fitted on as many items of A as of B, without their labels, so that p is right for them; every item then
    belongs to the nearest centre.

    Parameters
    ----------
    a, b
        (n_a, d) and (n_b, d) floats, unit rows, at least one each.
    count
        Regions; None: one for 20 items that are fitted, 1 to 24.
    together
        Groups of the items of A and of B that belong together, as in `composition`.
    examples
        Items of each set and region.
    seed
        Of cut, centres and dealt labels.
    on_progress, should_stop
        Called between steps; a request to stop raises Cancelled.

    Raises
    ------
    ShapeError
        If a set is empty, dimensions differ, or there are fewer items than regions.
    """
    a, b, together = two_sets(a, b, together)
    watch, rng = Watch(on_progress, should_stop), np.random.default_rng(seed)
    n = min(len(a), len(b), MOST_FITTED)
    fitted = np.concatenate([x[in_random_order(len(x), None, rng)[:n]] for x in (a, b)])
    count = min(max(len(fitted) // FEWEST_IN_A_REGION, 1), MOST_REGIONS) if count is None else count
    watch(0.0, "Regions of both sets")
    _, centres = spherical_kmeans(fitted, count, seed=seed, starts=1)
    watch(0.6, "Items of each region")
    (of_a, near_a), (of_b, near_b) = (_nearest(x, centres) for x in (a, b))
    names = group_names(np.arange(count))
    watch(0.8, "What is in the regions")
    parts = composition([names[i] for i in of_a], [names[i] for i in of_b], together=together, seed=seed)
    watch(1.0, "What is in the regions")
    return Regions(of_a, of_b, centres, names, parts, _examples(of_a, near_a, count, examples),
                   _examples(of_b, near_b, count, examples))


def _nearest(x: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = [x[i:i + _CHUNK] @ centres.T.astype(np.float32) for i in range(0, len(x), _CHUNK)]
    return np.concatenate([p.argmax(axis=1) for p in parts]), np.concatenate([p.max(axis=1) for p in parts])


def _examples(of: np.ndarray, near: np.ndarray, count: int, most: int) -> tuple[np.ndarray, ...]:
    order = np.lexsort((-near, of))
    starts = np.searchsorted(of[order], np.arange(count + 1)).tolist()
    return tuple(order[start:min(start + most, stop)] for start, stop in pairwise(starts))
