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


def decimals(number: Number, without: int = 2) -> int:
    """Digits after the point that an interval leaves: half its width has one that counts, or two where it is below 2.

    At most four. ``without`` is taken where no interval is known, or it has no width.
    """
    if number.low is None or number.high is None or not 0 < number.high - number.low < math.inf:
        return without
    return min(max(-math.floor(math.log10((number.high - number.low) / 4) + 1e-9), 0), 4)


def above_chance(number: Number) -> bool | None:
    """Whether all of the interval lies above what chance gives; None where one of the two is not known."""
    return None if number.low is None or number.null is None else number.low > number.null
