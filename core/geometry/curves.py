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
    null : (s,) float64, the number by chance; one number stands for all; None where it is not known.
    """

    title: str
    values: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    null: np.ndarray | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if self.null is not None:
            null = np.broadcast_to(np.asarray(self.null, dtype=np.float64), np.shape(self.values))
            object.__setattr__(self, "null", null)

    def at(self, i: int) -> Number:
        """The number at a place of the axis."""
        low, high, null = (None if v is None else float(v[i]) for v in (self.low, self.high, self.null))
        return Number(float(self.values[i]), low, high, null, unit=self.unit)

    @classmethod
    def of(cls, title: str, numbers: Sequence[Number]) -> Curve:
        """The curve through numbers; with an interval where all of them have one."""
        known = all(n.low is not None and n.high is not None for n in numbers)
        low = np.array([n.low for n in numbers], dtype=np.float64) if known else None
        high = np.array([n.high for n in numbers], dtype=np.float64) if known else None
        nulls = [n.null for n in numbers if n.null is not None]
        null = np.array(nulls) if nulls and len(nulls) == len(numbers) else None
        return cls(title, np.array([n.value for n in numbers]), low, high, null, numbers[0].unit if numbers else "")
