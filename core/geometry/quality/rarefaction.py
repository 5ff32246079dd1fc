"""What counts of kinds would be among fewer items: kinds, and kinds met once, at one number for all sets."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from core.geometry.jackknife import student
from core.types import Number

_LEAST_GROUPS = 10
_ROUNDING = 1e-9


def expected_kinds(counts: np.ndarray, n: int) -> float:
    """Different kinds expected among n items drawn without replacement: (k,) int counts.

    References
    ----------
    Hurlbert, Ecology 52, 1971.
    """
    counts = counts[counts > 0]
    total = int(counts.sum())
    if n >= total:
        return float(len(counts))
    kinds = float((1 - np.exp(_log_choose(total - counts, n) - _log_choose(total, n))).sum())
    return min(kinds, float(n), float(len(counts)))


def expected_once(counts: np.ndarray, n: int) -> float:
    """Kinds of which one item is expected among n drawn without replacement."""
    counts = counts[counts > 0]
    total = int(counts.sum())
    if n >= total:
        return float((counts == 1).sum())
    return float((counts * np.exp(_log_choose(total - counts, n - 1) - _log_choose(total, n))).sum())


def jackknifed(counts: np.ndarray, by_group: np.ndarray, measure: Callable[[np.ndarray], float], n: int,
               unit: str) -> Number:
    """A measure of counts with Student's interval over groups of items that are left out in turn.

    Parameters
    ----------
    counts : (k,) int, of all items.
    by_group : (g, k) int, those of each group; no interval below ten, or where a group's absence changes nothing.
    measure : of counts.
    n, unit : of the Number.
    """
    value, g = measure(counts), len(by_group)
    if g < _LEAST_GROUPS or not math.isfinite(value):
        return Number(value, n=n, unit=unit)
    without = np.array([measure(counts - of_group) for of_group in by_group])
    half = student(g - 1) * math.sqrt((g - 1) / g * float(((without - without.mean()) ** 2).sum()))
    if not math.isfinite(half) or half <= _ROUNDING * abs(value):
        return Number(value, n=n, unit=unit)
    return Number(value, max(value - half, 0.0), value + half, None, n, unit)


def _log_choose(n: np.ndarray | int, k: int) -> np.ndarray:
    """Logarithm of n over k; minus infinity where k > n."""
    from scipy.special import gammaln

    n = np.asarray(n, dtype=np.float64)
    return np.where(n >= k, gammaln(n + 1) - gammaln(k + 1) - gammaln(np.maximum(n - k, 0) + 1), -np.inf)
