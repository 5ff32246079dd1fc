"""The noun of a path: checked when made, read-only, known by its content."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.films.trajectory import Trajectory

SQUARE = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)


@pytest.mark.parametrize(("points", "times", "message"), [
    (SQUARE, [0, 1], "3 times, one for each point"), (SQUARE, [0, 1, 1], "strictly increase"),
    (SQUARE, [0, 1, np.nan], "not finite"), (SQUARE * 2, [0, 1, 2], "unit rows")])
def test_paths_refuse_what_is_wrong(points: np.ndarray, times: list[float], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        Trajectory(points, np.array(times))


def test_paths_are_read_only_and_equal_by_what_they_say() -> None:
    path = Trajectory(SQUARE, np.arange(3.0), "a")
    with pytest.raises(ValueError, match="read-only"):
        path.points[0] = 0
    assert SQUARE.flags.writeable
    assert path.fingerprint == Trajectory(SQUARE, np.arange(3.0), "a").fingerprint
    assert path.fingerprint != Trajectory(SQUARE, np.arange(3.0), "b").fingerprint
    assert path.fingerprint != Trajectory(SQUARE, np.arange(3.0) * 2).fingerprint
    assert path.part(np.array([0, 2])).times.tolist() == [0, 2]
