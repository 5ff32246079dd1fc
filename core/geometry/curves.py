"""A number along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.types import Number


@dataclass(frozen=True, eq=False)
class Curve:
    """A number along an axis, with its 95 % interval.

    Attributes
    ----------
    title, unit : of the number.
    values : (s,) float64.
    low, high : (s,) float64, or None where no interval is known.
    null : the number by chance, or None.
    """

    title: str
    values: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    null: float | None = None
    unit: str = ""

    @classmethod
    def of(cls, title: str, numbers: Sequence[Number]) -> Curve:
        """The curve through numbers; with an interval where all of them have one."""
        known = all(n.low is not None and n.high is not None for n in numbers)
        low = np.array([n.low for n in numbers], dtype=np.float64) if known else None
        high = np.array([n.high for n in numbers], dtype=np.float64) if known else None
        first = numbers[0] if numbers else Number(0.0)
        return cls(title, np.array([n.value for n in numbers]), low, high, first.null, first.unit)
