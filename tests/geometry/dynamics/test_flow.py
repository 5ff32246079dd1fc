"""Displacements between moments and speeds over time, on motion that is known."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import exp_map, unit
from core.geometry.dynamics.flow import displacement, speeds
from tests.geometry.dynamics.planted import CLASSES, EACH, gathering, random_turn


def test_a_displacement_leads_where_the_point_went_and_antipodes_are_left_out():
    rng = np.random.default_rng(0)
    x, y = unit(rng.normal(size=(50, 5))), unit(rng.normal(size=(50, 5)))
    y[7], y[9] = -x[7], x[9]
    flow = displacement(x, y)
    assert flow.opposite == 1
    assert 7 not in flow.rows
    np.testing.assert_allclose(exp_map(flow.base, flow.vectors), y[flow.rows], atol=1e-9)
    assert np.abs((flow.base * flow.vectors).sum(1)).max() < 1e-12
    assert not flow.vectors[flow.rows == 9].any()
    q = random_turn(1, 5)
    np.testing.assert_allclose(displacement(x @ q.T, y @ q.T).vectors, flow.vectors @ q.T, atol=1e-9)


def test_points_of_two_moments_must_be_the_same():
    with pytest.raises(ShapeError, match="at both moments"):
        displacement(np.eye(3), np.eye(3)[:2])


def test_speed_halves_where_the_way_left_halves():
    record = gathering(7)
    rows = np.arange(CLASSES * EACH)
    label = np.repeat(np.arange(CLASSES), EACH)
    found = speeds(record.images, record.steps, {"all": rows, "one class": rows[:EACH]}, label)
    values = found.curves["all"].values
    np.testing.assert_allclose(values[1:] / values[:-1], 0.5, rtol=0.02)
    assert found.slow_from["all"] == record.steps[2], "a quarter is below half; half itself is not beyond it"
    curve = found.curves["one class"]
    assert curve.low is not None and (curve.low < curve.values).all() and (curve.values < curve.high).all()
    assert found.counts == {"all": len(rows), "one class": EACH}
    np.testing.assert_array_equal(found.middles, record.steps[:-1] + 5)


def test_the_interval_of_speed_covers_the_mean_of_its_clusters():
    rng, covered = np.random.default_rng(0), 0
    for _ in range(200):
        of_cluster = np.abs(0.2 + 0.05 * rng.normal(size=12))
        along = np.repeat(of_cluster, 10) + 0.01 * rng.normal(size=120)
        x = np.zeros((2, 120, 3))
        x[0, :, 0], x[1, :, 0], x[1, :, 1] = 1, np.cos(along), np.sin(along)
        curve = speeds(x, np.array([0, 1]), {"all": np.arange(120)}, np.repeat(np.arange(12), 10)).curves["all"]
        covered += bool(curve.low[0] <= np.degrees(0.2) <= curve.high[0])
    assert 180 <= covered <= 199


def test_what_moves_evenly_never_slows_and_one_moment_has_no_speed():
    t = 0.05 * np.arange(8)
    still = unit(np.random.default_rng(0).normal(size=(20, 2)))
    x = np.stack([np.stack([still[:, 0] * np.cos(a) - still[:, 1] * np.sin(a),
                            still[:, 0] * np.sin(a) + still[:, 1] * np.cos(a)], axis=1) for a in t])
    assert speeds(x, np.arange(8), {"all": np.arange(20)}).slow_from["all"] is None
    with pytest.raises(ShapeError, match="two snapshots"):
        speeds(x[:1], np.array([0]), {"all": np.arange(20)})


@pytest.mark.parametrize("n", [4, 30])
def test_a_slowing_is_told_in_pairs_however_unlike_the_points_are_and_however_few(n):
    speed = np.linspace(0.02, 0.06, n)
    way = np.concatenate([[0], np.cumsum([0.5, 0.6, 0.7, 0.8, 0.9, 1, 0.47, 0.47])])[:, None] * speed
    x = np.stack([np.cos(way), np.sin(way)], axis=2)
    assert speeds(x, np.arange(9), {"all": np.arange(n)}).slow_from["all"] == 6
