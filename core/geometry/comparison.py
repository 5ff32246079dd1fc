"""How alike two models see the same items: CKA and neighbour overlap, each beside chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.jackknife import with_interval
from core.geometry.rounding import rounding
from core.types import Number

NEIGHBOURS = 10
LEAST_ITEMS = 5
_BLOCK = 1024


@dataclass(frozen=True)
class Comparison:
    """What a number that compares two models is called, and what it says."""

    title: str
    explanation: str


COMPARISONS: dict[str, Comparison] = {
    "cka": Comparison("CKA", "Do the two models find the same items alike? Correlation of all their similarities "
                             "(linear CKA, debiased): 1 the same up to rotation and scale, 0 by chance."),
    "overlap": Comparison("Neighbour overlap", f"Share of an item's {NEIGHBOURS} nearest items that both models agree "
                                               "on (mutual k-NN): looks at near items only, where CKA looks at all."),
}


def linear_cka(a: np.ndarray, b: np.ndarray) -> Number:
    """Linear centred kernel alignment of two models on the same items, debiased.

    The naive form grows with dimensions over items, and is near 1 for unrelated vectors of n < d; here both HSIC terms
    are unbiased, so that shuffled items have 0 on average in the numerator, exactly.

    Parameters
    ----------
    a, b : (n, p) and (n, q) floats, n >= 5; row i of both is the same item. Dimensions and units may differ.

    Returns
    -------
    Number, at most about 1, slightly negative by chance; the interval is that of leaving out each item; null 0.
    NaN where one of the sets is a single point, n times.

    Raises
    ------
    ShapeError
        If the numbers of items differ or are below 5.

    References
    ----------
    Kornblith et al., 2019, arXiv:1905.00414 (CKA); Song et al., JMLR 2012 (unbiased HSIC); Nguyen et al., 2021,
    arXiv:2010.15327, and Murphy et al., 2024, arXiv:2405.01012 (its use in CKA).
    """
    n = _same_items(a, b)
    x, y = (_centred(part) for part in (a, b))
    (xy, xx, yy), without = zip(*(_hsic(u, v) for u, v in ((x, y), (x, x), (y, y))))
    least = max(rounding(part) for part in (a, b)) ** 2
    value = _ratio(least, np.array([xy]), np.array([xx]), np.array([yy]))[0]
    return with_interval(float(value), _ratio(least, *without), 0.0, n, high=1.0)


def neighbour_overlap(a: np.ndarray, b: np.ndarray, k: int = NEIGHBOURS, *, seed: int = 0) -> Number:
    """Share of the k nearest items, by cosine, that two models agree on; mean over items.

    Parameters
    ----------
    a, b : (n, p) and (n, q) unit rows, n > k + 1; row i of both is the same item.
    k : neighbours of an item, >= 1; the item itself is none.
    seed : of the order in which equally near items are taken, so that copies of an item are not mistaken for agreement.

    Returns
    -------
    Number in [0, 1]; the null is that of shuffled items, k / (n - 1). No interval: a jackknife is 1.6 times as wide as
    the number varies, and one over items as if they were independent too narrow.

    Raises
    ------
    ShapeError
        If the numbers of items differ or are too small for ``k``.

    References
    ----------
    Huh et al., 2024, arXiv:2405.07987 (mutual k-nearest neighbours).
    """
    n = _same_items(a, b)
    if k < 1 or n < k + 3:
        raise ShapeError(f"at least {k + 3} items to compare {k} neighbours of each", str(n), "Take more items.")
    rng = np.random.default_rng(seed)
    near_a, near_b = (_nearest(part, k, rng) for part in (a, b))
    shared = (near_a[:, :, None] == near_b[:, None, :]).sum()
    return Number(float(shared) / (k * n), null=k / (n - 1), n=n, unit="share")


def _same_items(a: np.ndarray, b: np.ndarray) -> int:
    for name, part in (("the first model", a), ("the second model", b)):
        check_vectors(part, what=f"vectors of {name}", at_least=LEAST_ITEMS)
    if len(a) != len(b):
        raise ShapeError("the same items from both models", f"{len(a)} and {len(b)} vectors",
                         "Compare models on the same pairs.")
    return len(a)


def _centred(x: np.ndarray) -> np.ndarray:
    """Rows about their mean, of mean squared length 1; zeros where all rows are one point."""
    least = rounding(x, x.shape[1]) * float(np.abs(x).max())
    x = x - x.mean(axis=0, dtype=np.float64)
    scale = math.sqrt(float((x * x).sum(axis=1).mean()))
    return np.zeros_like(x) if scale <= least else x / scale


def _hsic(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Unbiased HSIC of two linear kernels, and (n,) the same without each item; in O(n p q)."""
    n = len(x)
    cross = x.T @ y
    own_x, own_y = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
    sum_x, sum_y = x.sum(axis=0), y.sum(axis=0)
    row_x, row_y = x @ sum_x - own_x, y @ sum_y - own_y
    both = own_x * own_y
    trace = (cross ** 2).sum() - both.sum()
    total_x, total_y, rows = row_x.sum(), row_y.sum(), float(row_x @ row_y)
    with_each = np.einsum("ij,ij->i", x @ cross, y) - both
    rows_left = (rows - row_x * row_y
                 - (np.einsum("ij,j->i", y, row_x @ y) - row_x * own_y)
                 - (np.einsum("ij,j->i", x, row_y @ x) - row_y * own_x) + with_each)
    whole = _unbiased(np.array(trace), np.array(total_x), np.array(total_y), np.array(rows), n)
    left = _unbiased(trace - 2 * with_each, total_x - 2 * row_x, total_y - 2 * row_y, rows_left, n - 1)
    return float(whole), left


def _unbiased(trace: np.ndarray, total_x: np.ndarray, total_y: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Song's estimator from sums over kernels with empty diagonals."""
    return (trace + total_x * total_y / ((n - 1) * (n - 2)) - 2 * rows / (n - 2)) / (n * (n - 3))


def _ratio(least: float, xy: np.ndarray, xx: np.ndarray, yy: np.ndarray) -> np.ndarray:
    known = (xx > least) & (yy > least)
    return np.where(known, xy / np.sqrt(np.where(known, xx * yy, 1.0)), math.nan)


def _nearest(x: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """(n, k) the nearest other rows, nearest first; equal ones in random order."""
    n = len(x)
    out = np.empty((n, k), dtype=np.int64)
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        cosines = np.round(x[start:stop].astype(np.float64) @ x.T, 6)
        cosines[np.arange(stop - start), np.arange(start, stop)] = -np.inf
        least = np.partition(cosines, n - k, axis=1)[:, n - k]
        for i, row in enumerate(cosines):
            candidates = rng.permutation(np.flatnonzero(row >= least[i]))
            out[start + i] = candidates[np.argsort(-row[candidates], kind="stable")[:k]]
    return out
