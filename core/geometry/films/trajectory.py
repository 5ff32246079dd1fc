"""A path on the sphere: unit vectors one after another, with their times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import ShapeError, check_vectors
from core.types import fingerprint


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A path on the sphere, as a film takes it.

    Attributes
    ----------
    points : (n, d) float32, unit rows, read-only.
    times : (n,) float64, strictly increasing; seconds, or the strength of a change.
    name : what a user calls it.

    Raises
    ------
    ShapeError
        If the points are no unit rows, or the times do not fit them or do not increase.
    """

    points: np.ndarray
    times: np.ndarray
    name: str = ""

    def __post_init__(self) -> None:
        points, times = np.asarray(self.points, dtype=np.float32), np.asarray(self.times, dtype=np.float64)
        check_vectors(points, what="points of a path", unit=True)
        if times.shape != (len(points),):
            raise ShapeError(f"{len(points)} times, one for each point", f"shape {times.shape}")
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise ShapeError("times that strictly increase", "times that stand still, go back or are not finite")
        for name, array in (("points", points), ("times", times)):
            array = array.view()
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) of points, times and name: what is told of a path has its name on it."""
        return fingerprint("trajectory", self.points, self.times, self.name)

    def part(self, keep: np.ndarray) -> Trajectory:
        """The points of a mask, slice or rising index."""
        return Trajectory(self.points[keep], self.times[keep], self.name)
