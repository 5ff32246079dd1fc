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
    One Number a share. Its interval is Woodruff's: the values between which Wilson's interval of the share lies; none
    where the values are too few for their ends to bound it.

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
        if min(p, 1 - p) <= 0 or worth < math.log(_OUTSIDE) / math.log(1 - min(p, 1 - p)):
            out.append(Number(at, null=by_chance, n=len(values), unit=unit))
            continue
        bounds = proportion(p * worth, worth)
        assert bounds.low is not None and bounds.high is not None
        low, high = np.quantile(ordered, [bounds.low, bounds.high])
        out.append(Number(at, float(low), float(high), by_chance, len(values), unit))
    return out


def _worth(hits: np.ndarray, p: float, together: np.ndarray | None) -> float:
    """How many independent values these are worth for a share: at most all, at least the number of items."""
    n = len(hits)
    if together is None or not 0 < p < 1:
        return float(n)
    labels = np.unique(together, return_inverse=True)[1]
    c = int(labels.max()) + 1
    if not 1 < c < n:
        return float(max(c, 1))
    off = np.bincount(labels, hits - hits.mean())
    alike = float(off @ off) * c / (c - 1) / n**2 / (p * (1 - p) / n)
    return n / min(max(alike, 1.0), n / c)
