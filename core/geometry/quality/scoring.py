"""How many of the copies that are known to be there are dropped: F1 and recall over groups of copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.scores import Score


@dataclass(frozen=True, eq=False)
class Dropped:
    """What was dropped of each true group of copies; an image without copies is a group of its own.

    Attributes
    ----------
    sizes : (g,) int64, of the groups.
    dropped : (g,) int64, how many of each were dropped.
    """

    sizes: np.ndarray
    dropped: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, groups: np.ndarray) -> Dropped:
        """From the rows that are dropped, and the true group of each row: (n,) int or strings."""
        _, label, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        return cls(sizes, np.bincount(label.ravel()[rows], minlength=len(sizes)))

    @property
    def hits(self) -> np.ndarray:
        """(g,) dropped rightly: all but one of a group; where all are dropped, a good image is lost."""
        return np.minimum(self.dropped, self.sizes - 1)

    def f1(self) -> Score:
        """F1 of what is dropped, against all but one of each group; by chance: of as many images at random."""
        n, k, there = int(self.sizes.sum()), int(self.dropped.sum()), int((self.sizes - 1).sum())
        steps = np.arange(self.sizes.max(initial=1))
        all_gone = np.cumprod(np.maximum(k - steps, 0) / np.maximum(n - steps, 1))[self.sizes - 1]
        by_chance = 2 * float((self.sizes * k / n - all_gone).sum()) / max(k + there, 1)
        return self._ratio(2 * self.hits, self.dropped + self.sizes - 1, "F1", by_chance)

    def recall(self, size: int | None = None) -> Score:
        """Share of the copies too many that are dropped, of groups of one size or of all; ShapeError without any."""
        there = self.sizes > 1 if size is None else self.sizes == size
        if not there.any():
            raise ShapeError("groups of copies" if size is None else f"groups of {size} copies", "none")
        return self._ratio(self.hits[there], (self.sizes - 1)[there], "share of copies")

    def _ratio(self, above: np.ndarray, below: np.ndarray, unit: str, by_chance: float | None = None) -> Score:
        whole, parts = above.sum(), below.sum()
        value = float(whole / parts) if parts else 1.0
        without = (whole - above) / np.maximum(parts - below, 1) if parts else np.ones(len(above))
        return Score(value, without, by_chance, max(int((self.sizes > 1).sum()), 1), unit)
