"""Intervals of proportions and of means over items."""

from __future__ import annotations

import math

from core.errors import ShapeError
from core.types import Number

Z95 = 1.959963984540054


def proportion(successes: float, n: float, *, null: float | None = None) -> Number:
    """A share of independent trials with Wilson's 95 % interval.

    Parameters
    ----------
    successes, n : 0 <= successes <= n, n >= 1; fractions are expected or effective counts.
    null : the share expected by chance.

    Raises
    ------
    ShapeError
        If the counts are impossible.

    References
    ----------
    Wilson, JASA 1927.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ShapeError("0 <= successes <= n with n >= 1", f"{successes:g} of {n:g}")
    p = successes / n
    middle = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
    return Number(p, max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half)), null, round(n), "share")
