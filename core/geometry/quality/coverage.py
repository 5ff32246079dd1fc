"""How much of the sphere items cover: their cone, and how many cells of the region they span hold any of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.directions import angle, mean_direction, unit
from core.geometry.jackknife import with_interval
from core.geometry.quality.structureless import structureless
from core.geometry.rounding import rounding
from core.geometry.samples import spread_sample
from core.types import Number

MOST_ITEMS = 4000
ITEMS_A_CELL = 2
INSIDE = 0.95
FULLEST = 0.1
_CHUNK = 8192
_FEW_FOR_RANKS = 100
_SMALLEST = 1e-200

TITLES = {"cells": "Cells that hold an item", "fullest": "Items in the fullest tenth of the cells",
          "holes": "Reach of the holes", "cone": "Cone", "area": "Area of the cone"}
EXPLANATIONS = {
    "cells": "Cells are drawn in the region that the items span, about random vectors of their mean and covariance: "
             "what lies in clumps leaves more of them empty than chance does.",
    "fullest": "As evenly as chance would have it, or crowded in few cells.",
    "holes": "Angle within which an item lies of 95 % of the random vectors about which the cells are drawn.",
    "cone": "Angle about the mean that holds 95 % of the items; beside that of random directions.",
    "area": "Share of the sphere's area within this angle, as a power of ten.",
}


@dataclass(frozen=True, eq=False)
class Coverage:
    """What items cover of the sphere.

    Attributes
    ----------
    numbers : by the keys of TITLES; what is not defined is left out.
    cell_of : (n,) int64, cell of each item that was looked at.
    rows : (n,) int64, which items these are.
    counts : (cells,) int64, items of each cell.
    by_chance : (cells,) int64, items of each cell for as many random vectors of the same mean and covariance.
    """

    numbers: dict[str, Number]
    cell_of: np.ndarray
    rows: np.ndarray
    counts: np.ndarray
    by_chance: np.ndarray

    def members(self, cell: int) -> np.ndarray:
        """Rows of the items in a cell, in their order."""
        return np.sort(self.rows[self.cell_of == cell])


def coverage(x: np.ndarray, *, reference: np.ndarray | None = None, cells: int | None = None, n: int | None = None,
             seed: int = 0) -> Coverage:
    """How much of the sphere items cover.

    Parameters
    ----------
    x
        (m, d) floats, unit rows.
    reference
        (r, d) floats, unit rows, in whose region the cells are drawn, such as the whole dataset where x is a part of
        it; x where None.
    cells
        How many; half as many as items where None.
    n
        At how many rows it is measured, so that sets can be compared, taken evenly from the most to the least
        typical; at most 4,000 where None.
    seed
        Of the cells, of the rows and of the chance.

    Raises
    ------
    ShapeError
        If the rows are no unit vectors, or of two dimensions, or ``cells`` or ``n`` is below 1.
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    check_vectors(x, at_least=0, unit=True)
    region = x if reference is None else np.asarray(reference, dtype=np.float32)
    check_vectors(region, what="reference vectors", at_least=0, unit=True)
    if region.shape[1] != x.shape[1]:
        raise ShapeError("two sets of one dimension", f"{x.shape[1]} and {region.shape[1]} dimensions")
    if min(v for v in (cells, n, 1) if v is not None) < 1:
        raise ShapeError("at least 1 cell and 1 item to measure at", str(cells if n is None or n > 0 else n))
    n = MOST_ITEMS if n is None else n
    rows = np.sort(spread_sample(x, n, seed=seed)) if len(x) > n else np.arange(len(x))
    x = x[rows]
    if not len(x) or not len(region):
        none = np.zeros(0, np.int64)
        return Coverage({}, none, none, none, none)
    m = max(len(x) // ITEMS_A_CELL, 1) if cells is None else cells
    places = np.concatenate(list(structureless(region, m, np.random.default_rng((seed, 0)))))
    cell_of, nearest = _in_cells([x], places)
    of_chance, nearest_by_chance = _in_cells(structureless(x, len(x), np.random.default_rng((seed, 1))), places)
    counts, by_chance = (np.bincount(of, minlength=m) for of in (cell_of, of_chance))
    numbers = {
        "cells": _occupied(counts, by_chance),
        "fullest": Number(_in_fullest(counts), null=_in_fullest(by_chance), n=len(x), unit="share"),
        "holes": Number(_reach(nearest), null=_reach(nearest_by_chance), n=len(x), unit="degrees"),
        **_cone(x, seed)}
    return Coverage(numbers, cell_of, rows, counts, by_chance)


def _in_cells(parts: Iterable[np.ndarray], places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest place of each row, and the largest cosine of a row to each place."""
    found, nearest = [], np.full(len(places), -1, np.float32)
    for part in parts:
        for start in range(0, len(part), _CHUNK):
            cosines = part[start:start + _CHUNK] @ places.T
            found.append(cosines.argmax(axis=1))
            np.maximum(nearest, cosines.max(axis=0), out=nearest)
    return np.concatenate(found), np.clip(nearest, -1, 1)


def _occupied(counts: np.ndarray, by_chance: np.ndarray) -> Number:
    """Share of cells that hold an item, with the jackknife over items: only one that is alone leaves its cell empty."""
    m, n, alone = len(counts), int(counts.sum()), int((counts == 1).sum())
    occupied = int((counts > 0).sum())
    without = np.full(n, occupied / m)
    without[:alone] = (occupied - 1) / m
    return with_interval(occupied / m, without if n > _FEW_FOR_RANKS else None, float((by_chance > 0).mean()), n,
                         "share of cells", low=0, high=1)


def _in_fullest(counts: np.ndarray) -> float:
    return float(np.sort(counts)[::-1][:max(round(FULLEST * len(counts)), 1)].sum() / counts.sum())


def _reach(cosines: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.quantile(cosines.astype(np.float64), 1 - INSIDE))))


def _cone(x: np.ndarray, seed: int) -> dict[str, Number]:
    """The angle about the mean that holds 95 % of the rows, and its share of the sphere's area."""
    n, d = x.shape
    if n < 2 or np.linalg.norm(x.mean(axis=0, dtype=np.float64)) < rounding(x, n):
        return {}
    angles = _about_mean(x)
    drawn = unit(np.random.default_rng((seed, 2)).standard_normal((min(n, 2000), d)))
    value, null = (float(np.quantile(a, INSIDE)) for a in (angles, _about_mean(drawn)))
    low, high = _ranks(angles)
    found = {"cone": _converted(math.degrees, value, low, high, null, n, "degrees")}
    if value > 0:
        found["area"] = _converted(lambda v: log_area(v, d), value, low, high, null, n,
                                   "power of ten of the sphere's area")
    return found


def _converted(to: Callable[[float], float], value: float, low: float | None, high: float | None, null: float, n: int,
               unit_of: str) -> Number:
    ends = (None, None) if low is None or high is None else (to(low), to(high))
    return Number(to(value), ends[0], ends[1], to(null), n, unit_of)


def _about_mean(x: np.ndarray) -> np.ndarray:
    mean = mean_direction(x)
    return np.concatenate([angle(x[i:i + _CHUNK], mean) for i in range(0, len(x), _CHUNK)])


def _ranks(values: np.ndarray) -> tuple[float | None, float | None]:
    """Order statistics that hold a quantile in 95 of 100 samples, none where there are too few values."""
    n = len(values)
    half = 1.96 * math.sqrt(n * INSIDE * (1 - INSIDE))
    low, high = math.floor(n * INSIDE - half) - 1, math.ceil(n * INSIDE + half)
    if n < _FEW_FOR_RANKS or low < 0 or high >= n:
        return None, None
    ordered = np.sort(values)
    return float(ordered[low]), float(ordered[high])


def log_area(radius: float, d: int) -> float:
    """Log10 of the share of the area of S^(d-1), d >= 2, that lies within an angle (radians) of a point.

    Half of the regularised incomplete beta function of sin^2 at (d - 1) / 2 and 1/2; where that is too small for a
    float, as in 512 dimensions it soon is, its series in logarithms.

    References
    ----------
    Li, Concise formulas for the area and volume of a hyperspherical cap, Asian J. Math. Stat. 4, 2011.
    """
    from scipy.special import betainc, betaln, hyp2f1

    if radius <= 0:
        return -math.inf
    if radius > math.pi / 2:
        return math.log10(1 - 10 ** log_area(math.pi - radius, d))
    a, z = (d - 1) / 2, math.sin(radius) ** 2
    inside = float(betainc(a, 0.5, z)) / 2
    if inside > _SMALLEST:
        return math.log10(inside)
    log = a * math.log(z) + math.log(1 - z) / 2 - math.log(2 * a) - float(betaln(a, 0.5))
    return (log + math.log(float(hyp2f1(a + 0.5, 1, a + 1, z)))) / math.log(10)
