"""Nulls of the measures of a path keep what they should, tell what is there, and cry wolf no more than they may."""

from __future__ import annotations

import math
from string import ascii_uppercase

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.differences import Verdict
from core.geometry.directions import angle
from core.geometry.films import nulls
from core.geometry.films.against import NULLS, shuffled_orders, two_sided
from core.geometry.films.nulls import nulls_report, random_walks
from core.geometry.films.paths import MEASURES, path_report
from core.geometry.films.trajectory import Trajectory
from tests.geometry.films.made_paths import great_circle, noise, shots_of, trajectory


@pytest.fixture(scope="module")
def alternating():
    path, starts = shots_of("ABABABABCDCDCDCD", frames=8)
    return path, starts, nulls_report(path, starts)


def test_what_a_null_keeps_is_not_measurable(alternating) -> None:
    path, starts, report = alternating
    for null in ("shots", "frames"):
        for key in ("spread", "dimension", "fullest"):
            test = report.tests[null, key]
            assert test.p is None and test.why == "the null keeps it", (null, key)
            assert test.value.value == pytest.approx(path_report(path).numbers[key].value, rel=1e-5)
    for key in ("length", "speed"):
        assert report.tests["walk", key].why == "the null keeps it"
    assert report.tests["shots", "spread"].words == \
        "spread not measurable against whole shots shuffled: the null keeps it"
    assert set(report.tests) == {(null, key) for null in NULLS for key in MEASURES}
    assert report.frames == {"shots": 128, "frames": 128, "walk": 128} and report.shots == len(starts)


def test_the_measures_of_a_short_path_are_those_of_its_report(alternating) -> None:
    path, _, report = alternating
    numbers = path_report(path).numbers
    for (null, key), test in report.tests.items():
        assert test.value.value == pytest.approx(numbers[key].value, rel=2e-3, abs=1e-3), (null, key)


def test_the_order_of_shots_is_told_and_corrected_for_all_measures(alternating) -> None:
    _, _, report = alternating
    away = report.tests["shots", "return_time"]
    assert away.difference.verdict is Verdict.LOWER and away.words.startswith("comes back sooner than whole shots")
    assert report.tests["frames", "length"].difference.verdict is Verdict.LOWER
    measured = [test.p for (null, _), test in report.tests.items() if null == "frames" and test.p is not None]
    assert min(measured) == pytest.approx(2 / 500 * len(measured))


def test_a_loop_comes_back_and_a_random_walk_does_not() -> None:
    at = np.linspace(0, 4 * np.pi, 120)
    loop = trajectory(np.stack([np.ones(120), np.cos(at), np.sin(at), *np.zeros((13, 120))], axis=1))
    tests = nulls_report(loop, np.array([0])).tests
    assert tests["walk", "returns"].difference.verdict is Verdict.HIGHER
    assert tests["walk", "net"].difference.verdict is Verdict.LOWER
    assert tests["walk", "turning"].difference.verdict is Verdict.LOWER
    assert tests["shots", "net"].why == "1 of the 5 shots that are needed"
    assert all(tests["shots", key].p is None for key in MEASURES)


@pytest.mark.parametrize("shot", [1, 4], ids=["frames of white noise", "shots of scenes in no order"])
def test_p_is_uniform_where_the_null_is_true(shot: int) -> None:
    """A level of 5 % and 20 % rejects about so many of 180 tests on 60 films."""
    p: list[float] = []
    for seed in range(60):
        path, _ = shots_of(ascii_uppercase[:12 if shot > 1 else 24], frames=shot, d=6, seed=seed)
        shot_of = np.arange(len(path)) // shot
        seen, drawn = nulls._shuffled(path, shot_of, nulls.RADIUS, 499, np.random.default_rng(seed))
        p += [two_sided(seen[key], drawn[key]) for key in ("length", "net", "turning")]
    assert np.mean(np.array(p) <= 0.05) < 0.12 and 0.08 < np.mean(np.array(p) <= 0.2) < 0.34
    assert 0.38 < np.mean(p) < 0.62


def test_random_walks_take_the_steps_and_shuffles_keep_the_shots() -> None:
    path, starts = shots_of("ABC", frames=4)
    walks = random_walks(path, 3, np.random.default_rng(0))
    for walk in walks:
        np.testing.assert_allclose(angle(walk[1:], walk[:-1]), path_report(path).steps, atol=2e-4)
        np.testing.assert_allclose(walk[0], path.points[0], atol=1e-6)
    shot_of = np.searchsorted(starts, np.arange(12), side="right") - 1
    orders = shuffled_orders(shot_of, 50, np.random.default_rng(0))
    for order in orders:
        assert sorted(order) == list(range(12)) and all((np.diff(order.reshape(3, 4), axis=1) == 1).ravel())
    assert len({tuple(order) for order in orders}) == 6


def test_frames_at_uneven_times_take_their_seconds_along() -> None:
    """Shots of one speed in frames of different lengths keep that speed in whatever order."""
    gaps = np.repeat([0.1, 0.5, 0.2, 1.0, 0.4, 0.3], 8)
    at = 0.1 * np.cumsum(gaps) + np.repeat(np.arange(6), 8)
    path = great_circle(48)
    points = np.stack([np.cos(at), np.sin(at), *np.zeros((6, 48))], axis=1).astype(path.points.dtype)

    uneven = Trajectory(points, np.cumsum(gaps))
    report = nulls_report(uneven, np.arange(6) * 8)
    speed = report.tests["shots", "speed"]
    assert [speed.value.value, speed.value.null, speed.low, speed.high] == pytest.approx([0.1] * 4, rel=1e-3)
    assert report.tests["shots", "fullest"].why == "the null keeps it"


def test_the_same_seed_gives_the_same_and_long_paths_are_thinned() -> None:
    path, starts = shots_of("ABCABC", frames=6, d=6)
    one, two = (nulls_report(path, starts, seed=3) for _ in range(2))
    assert [t.p for t in one.tests.values()] == [t.p for t in two.tests.values()]
    one = nulls_report(*shots_of("ABCAB" * 30, frames=16, d=6))
    assert one.frames == {"shots": 1200, "frames": 1200, "walk": 480} and one.of == 2400 and one.centres == 240


def test_paths_that_are_hardly_any_are_not_measurable_or_refused() -> None:
    still = nulls_report(trajectory(np.tile([1.0, 0, 0], (8, 1))), np.array([0, 2, 3, 5, 6]))
    assert all(test.p is None for test in still.tests.values())
    line = nulls_report(great_circle(3), np.array([0]))
    assert line.tests["frames", "length"].p is None and math.isfinite(line.tests["frames", "length"].value.value)
    opposite = np.array([[1.0, 0], [-1, 0]] * 4)
    assert nulls_report(trajectory(opposite), np.arange(8)).tests["frames", "turning"].p is None
    path = noise(9)
    for starts in (np.array([1, 2]), np.array([0, 9]), np.array([0, 3, 3]), np.array([0.0]), np.array([], int)):
        with pytest.raises(ShapeError, match="starts of shots that rise from 0"):
            nulls_report(path, starts)
    with pytest.raises(ShapeError, match="at least 499 draws"):
        nulls_report(path, np.array([0]), draws=50)
    with pytest.raises(ShapeError, match="at least 3 frames"):
        nulls_report(noise(2), np.array([0]))
