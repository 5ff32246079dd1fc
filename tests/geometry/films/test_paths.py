"""Laws of the measures of a path, and what they say of paths that are hardly any."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ortho_group

from core.errors import ShapeError
from core.geometry.directions import angle, angles
from core.geometry.films import paths
from core.geometry.films.paths import path_report, turning, turning_from_angles
from core.geometry.films.trajectory import Trajectory
from tests.geometry.films.made_paths import great_circle, noise, shots_of, trajectory

OF_SETS = ("spread", "dimension", "fullest")


def values(path: Trajectory, keys=paths.MEASURES, **options) -> list[float]:
    numbers = path_report(path, **options).numbers
    return [numbers[key].value for key in keys]


def test_a_great_circle_at_constant_speed_turns_nowhere() -> None:
    report = path_report(great_circle(step=0.05))
    assert np.nanmax(report.turning) < 2e-5
    np.testing.assert_allclose(report.speed, 0.1, atol=1e-6)
    assert report.numbers["length"].value == pytest.approx(39 * 0.05, abs=1e-5)
    assert report.numbers["straightness"].value == pytest.approx(1, abs=1e-5)
    assert report.numbers["detour"].value == pytest.approx(1, abs=1e-5)
    assert report.unturned == 0 and np.isnan(report.turning[[0, -1]]).all()


def test_a_path_that_goes_back_turns_by_half_a_circle_and_independent_frames_by_more_than_a_right_angle() -> None:
    there = great_circle(3, 0.3)
    back = trajectory(there.points[[0, 1, 2, 1, 0]])
    np.testing.assert_allclose(turning(back.points)[1:-1], [0, math.pi, 0], atol=1e-4)
    cone = np.random.default_rng(0).normal(size=(2000, 64)) + 1.0
    assert 108 < np.degrees(np.nanmean(turning(trajectory(cone).points))) < 120


def test_turning_from_angles_is_that_of_tangents() -> None:
    x = noise(60, 5).points.astype(np.float64)
    between = angles(x, x)
    i = np.arange(1, 59)
    found = turning_from_angles(between[i - 1, i], between[i, i + 1], between[i - 1, i + 1], least=1e-6)
    np.testing.assert_allclose(found, turning(x)[1:-1], atol=1e-6)


@pytest.mark.parametrize("path", [shots_of("ABACAB")[0], noise(50)], ids=["shots", "noise"])
def test_time_backwards_rotation_and_order_change_only_what_they_may(path: Trajectory) -> None:
    report = path_report(path)
    back = path_report(trajectory(path.points[::-1]))
    np.testing.assert_allclose(back.speed[::-1], report.speed, atol=1e-6)
    np.testing.assert_allclose(back.turning[::-1], report.turning, atol=1e-5)
    np.testing.assert_array_equal(back.visits[::-1], report.visits)
    np.testing.assert_allclose(values(trajectory(path.points[::-1])), values(path), rtol=1e-5, atol=1e-6)
    turned = trajectory(path.points @ ortho_group.rvs(path.points.shape[1], random_state=1))
    np.testing.assert_allclose(values(turned), values(path), rtol=1e-4, atol=1e-5)
    order = np.random.default_rng(2).permutation(len(path))
    np.testing.assert_allclose(values(trajectory(path.points[order]), OF_SETS), values(path, OF_SETS), rtol=1e-5)


def test_frames_shown_twice_keep_the_length_and_are_counted_where_turning_is_undefined() -> None:
    path = noise(30)
    twice = Trajectory(np.repeat(path.points, 2, axis=0), np.arange(60) / 4.0)
    report, one = path_report(twice), path_report(path)
    assert report.numbers["length"].value == pytest.approx(one.numbers["length"].value, rel=1e-9)
    assert report.unturned == 58 and report.numbers["turning"].n == 0
    assert math.isnan(report.numbers["turning"].value)
    np.testing.assert_allclose(report.dwell[::2], one.dwell, rtol=0.01)


def test_stays_visits_and_returns_are_those_of_a_film_of_known_scenes() -> None:
    path, _ = shots_of("ABACA", frames=10, drift=0.002)
    report = path_report(path)
    np.testing.assert_array_equal(report.visits, np.repeat([3, 1, 3, 1, 3], 10))
    np.testing.assert_allclose(report.dwell, np.repeat([15, 5, 15, 5, 15], 10))
    assert report.numbers["fullest"].value == pytest.approx(0.6)
    assert report.numbers["stay"].value == pytest.approx(5)
    assert report.numbers["returns"].value == pytest.approx(1.2)
    assert report.numbers["return_time"].value == pytest.approx(5.5)
    assert report.returns[:, 1:].tolist() == [[9, 20], [29, 40]]
    assert report.fullest in {*range(10), *range(20, 30), *range(40, 50)}


def test_a_path_that_wavers_at_the_edge_of_a_cap_has_not_left_it() -> None:
    at = np.radians([0, 29, 31, 29, 31, 29, 40, 29])
    path = trajectory(np.stack([np.cos(at), np.sin(at)], axis=1))
    found = paths.stays((path.points @ path.points[0])[None], math.radians(30), np.ones(8))
    assert found.visits.tolist() == [2] and found.longest.tolist() == [6] and found.dwell.tolist() == [5]


def test_a_path_between_the_cap_and_its_edge_is_inside_only_on_its_way_between_frames_inside() -> None:
    at = np.radians([0, 35, 60, 35, 0, 0, 60, 0])
    path = trajectory(np.stack([np.cos(at), np.sin(at)], axis=1))
    found = paths.stays((path.points @ path.points[0])[None], math.radians(30), np.ones(8))
    assert found.inside[0].tolist() == [True, False, False, False, True, True, False, True]
    assert paths.times_away(found.inside, np.arange(8.0)).tolist() == [4, 2]


def test_dimension_and_spread_of_simple_shapes() -> None:
    line = np.stack([np.ones(9), np.linspace(-0.01, 0.01, 9), np.zeros(9)], axis=1)
    assert paths.dimension(line) == pytest.approx(1)
    assert paths.dimension(np.eye(7)) == pytest.approx(6)
    assert paths.spread(np.array([[1.0, 0], [0, 1]])) == pytest.approx(math.pi / 4)
    assert paths.spread(np.array([[1.0, 0], [-1, 0]])) == math.pi / 2


def test_paths_that_are_hardly_any_are_measured_as_far_as_they_go() -> None:
    still = path_report(trajectory(np.tile([1.0, 0, 0], (6, 1))))
    assert still.numbers["length"].value == 0 and still.unturned == 4 and still.visits.tolist() == [1] * 6
    assert all(math.isnan(still.numbers[key].value) for key in ("turning", "straightness", "detour", "dimension"))
    opposite = path_report(trajectory(np.array([[1.0, 0], [-1, 0], [1, 0]])))
    assert opposite.numbers["length"].value == pytest.approx(2 * math.pi) and opposite.unturned == 1
    two = path_report(trajectory(np.eye(2)))
    assert two.numbers["length"].value == pytest.approx(math.pi / 2) == two.numbers["net"].value
    with pytest.raises(ShapeError, match="at least 2 frames; got 1"):
        path_report(trajectory(np.eye(2)[:1]))
    with pytest.raises(ShapeError, match="below 144 degrees"):
        path_report(trajectory(np.eye(2)), radius=3)


def test_a_long_path_has_caps_around_every_kth_frame() -> None:
    report = path_report(noise(2500, 4))
    assert np.diff(report.centres).tolist() == [3] * (len(report.centres) - 1) and len(report.centres) == 834
    np.testing.assert_allclose(report.dwell[:5] * 2, [(angle(report_x, noise(2500, 4).points) <= report.radius).sum()
                                                      for report_x in noise(2500, 4).points[report.centres[:5]]])
