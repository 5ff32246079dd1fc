"""Paths of one image under a change: smooth ones do not jump, broken ones do, and noise lifts the floor."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import exp_map, unit
from core.geometry.films.changes import FLOOR, change_report, local_rates
from core.geometry.films.trajectory import Trajectory
from tests.geometry.films.made_paths import great_circle, noise, trajectory


def smooth_curve(n: int, rng: np.random.Generator, *, waves: int = 3, d: int = 16) -> Trajectory:
    """A closed curve of a few waves in random directions."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)[:, None]
    x = rng.normal(size=d) * 1.5 + sum(np.sin(k * t + rng.uniform(0, 7)) * rng.normal(size=d) / k
                                       for k in range(1, waves + 1))
    return trajectory(x)


def test_smooth_curves_are_said_to_jump_nowhere() -> None:
    rng = np.random.default_rng(0)
    called = [change_report(smooth_curve(n, rng)).jumps.any() for n in (12, 20, 50, 200) for _ in range(25)]
    assert sum(called) == 0


def test_a_geodesic_is_straight_and_a_break_in_it_is_a_jump() -> None:
    even = change_report(great_circle(20, 0.04))
    assert even.smoothness.value == pytest.approx(1, abs=1e-5) and even.smoothness.null < 0.5
    assert even.farthest.value < 1e-6 and not even.jumps.any() and even.in_jumps.value == 0
    np.testing.assert_allclose(even.along, np.linspace(0, 1, 20), atol=1e-5)
    at = 0.04 * np.arange(20) + 0.5 * (np.arange(20) >= 8)
    broken = change_report(trajectory(np.stack([np.cos(at), np.sin(at), 0 * at], axis=1)))
    assert np.flatnonzero(broken.jumps).tolist() == [7]
    assert broken.in_jumps.value == pytest.approx(0.54 / (19 * 0.04 + 0.5), abs=1e-4)


def test_the_rate_is_per_unit_of_strength() -> None:
    path = great_circle(20, 0.04)
    uneven = np.r_[np.arange(10.0), 9 + 0.1 * np.arange(1, 11)]
    found = change_report(Trajectory(path.points, uneven))
    np.testing.assert_allclose(found.rates[:9], 0.04, atol=1e-6)
    np.testing.assert_allclose(found.rates[9:], 0.4, atol=1e-5)
    assert not found.jumps.any(), "a path that goes on faster has not jumped"
    close = np.arange(20.0)
    close[9:] -= 0.99
    assert np.flatnonzero(change_report(Trajectory(path.points, close)).jumps).tolist() == [8]
    at = 0.001 * np.arange(20) + 0.03 * (np.arange(20) >= 8)
    small = change_report(trajectory(np.stack([np.cos(at), np.sin(at)], axis=1)))
    assert not small.jumps.any() and (small.rates > 4 * small.local).sum() == 1, "shorter than the floor"


def test_noise_of_the_encoding_lifts_the_floor() -> None:
    path = great_circle(20, 0.04)
    away = np.zeros_like(path.points, np.float64)
    away[:, 2] = 0.05
    found = change_report(path, again=exp_map(path.points, away).astype(np.float32))
    assert found.noise == pytest.approx(0.05, abs=1e-5) and found.floor == pytest.approx(3 * found.noise)
    assert change_report(path).noise is None and change_report(path).floor == FLOOR
    with pytest.raises(ShapeError, match="second encodings of shape"):
        change_report(path, again=path.points[:3])


def test_changes_that_are_hardly_any() -> None:
    still = change_report(trajectory(np.tile([1.0, 0, 0], (5, 1))))
    assert math.isnan(still.smoothness.value) and math.isnan(still.farthest.value) and not still.jumps.any()
    there_and_back = unit(np.array([[1.0, 0, 0], [1, 1, 0], [1, 0, 0]]))
    assert math.isnan(change_report(trajectory(there_and_back)).farthest.value)
    assert not change_report(noise(4)).jumps.any()
    assert np.isinf(local_rates(np.ones(4))).all() and local_rates(np.ones(5)).tolist() == [1] * 5
    with pytest.raises(ShapeError, match="at least 3 frames"):
        change_report(noise(2))
