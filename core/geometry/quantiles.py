"""Quantiles of measured values with their intervals, where some values may come from one item."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.errors import ShapeError
from core.geometry.intervals import proportion
from core.types import Number

_OUTSIDE = 0.025


def share_of(hits: np.ndarray, together: np.ndarray | None = None, *, null: float | None = None) -> Number:
    """A share with Wilson's interval, values of one item counting as fewer by how alike they are.

    Parameters
    ----------
    hits : (n,) bool, n >= 1.
    together : (n,) int, the same for values of one item; None: each is its own.
    null : the share by chance.
    """
    hits = np.asarray(hits, dtype=bool)
    n = len(hits)
    number = proportion(float(hits.sum()), n, null=null)
    worth = _worth(hits, number.value, together)
    if worth == n:
        return number
    loose = proportion(number.value * worth, worth)
    return Number(number.value, loose.low, loose.high, null, n, "share")


def quantiles(values: np.ndarray, shares: Sequence[float], together: np.ndarray | None = None, *,
              null: Sequence[float] | None = None, unit: str = "") -> list[Number]:
    """Quantiles with 95 % intervals that hold whatever the values are distributed like.

    Parameters
    ----------
    values
        (n,) floats, n >= 1, finite.
    shares
        In [0, 1], of the values that lie below.
    together
        (n,) int, the same for values of one item, such as captions of one image; None: each is its own.
    null
        The same quantiles by chance.
    unit
        Of the values.

    Returns
    -------
    One Number a share. Its interval is between two of the ordered values, of ranks that binomial counts lie between,
    for as many values as those of several a item are worth (Woodruff); none where there are too few items for that.

    Raises
    ------
    ShapeError
        If there are no values or a share is out of range.

    References
    ----------
    Woodruff, JASA 47, 1952.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values) or not all(0 <= p <= 1 for p in shares):
        raise ShapeError("values, and shares between 0 and 1", f"{len(values)} values, shares {list(shares)}")
    ordered, out = np.sort(values), []
    for i, p in enumerate(shares):
        at, by_chance = float(np.quantile(ordered, p)), None if null is None else float(null[i])
        worth = _worth(values <= at, p, together)
        low, high = _ranks(p, int(worth))
        if not (low >= 1 and high <= int(worth)) or (together is not None and not _bounded(p, together)):
            out.append(Number(at, null=by_chance, n=len(values), unit=unit))
            continue
        first, last = math.floor(low / int(worth) * len(values)), math.ceil(high / int(worth) * len(values))
        out.append(Number(at, float(ordered[first - 1]), float(ordered[last - 1]), by_chance, len(values), unit))
    return out


def _ranks(p: float, n: int) -> tuple[int, int]:
    """Of the ordered values, from 1, that have the quantile between them with 95 %."""
    from scipy.special import bdtrik

    if not 0 < p < 1:
        return 0, 0
    low, high = (math.ceil(np.nan_to_num(bdtrik(q, n, p))) for q in (_OUTSIDE, 1 - _OUTSIDE))
    return low, high + 1


def _bounded(p: float, together: np.ndarray) -> bool:
    """Whether there are so many items that the quantile would have an interval with a value of each alone."""
    low, high = _ranks(p, n := len(np.unique(together)))
    return low >= 1 and high <= n


def _worth(hits: np.ndarray, p: float, together: np.ndarray | None) -> float:
    """How many independent values these are worth for a share: at most all, at least the number of items."""
    n = len(hits)
    if together is None:
        return float(n)
    labels = np.unique(together, return_inverse=True)[1]
    c = int(labels.max()) + 1
    if not (1 < c < n and 0 < p < 1):
        return float(c)
    off = np.bincount(labels, hits - hits.mean())
    alike = float(off @ off) * c / (c - 1) / n**2 / (p * (1 - p) / n)
    return n / min(max(alike, 1.0), n / c)
