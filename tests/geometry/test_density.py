"""Heat kernels against other ways to compute them, densities that are known, heat over the sphere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry import density
from core.geometry.directions import angle, fibonacci, unit


def time_of(d: int, degrees: float) -> float:
    return -math.log(math.cos(math.radians(degrees))) / (d - 1)


@pytest.mark.parametrize("degrees", [12, 30, 60])
def test_on_the_ordinary_sphere_it_is_the_legendre_series(degrees):
    from scipy.special import eval_legendre

    t, c = time_of(3, degrees), np.linspace(0.2, 1, 50)
    series = np.sum([(2 * order + 1) * math.exp(-order * (order + 1) * t) * eval_legendre(order, np.append(c, 1))
                     for order in range(200)], axis=0)
    kernel = density.heat_kernel(3, degrees)
    keep = series[:-1] > 1e-9 * series[-1]
    np.testing.assert_allclose(kernel.log(c)[keep], np.log(series[:-1] / series[-1])[keep], atol=5e-4)
    assert kernel.log_peak == pytest.approx(math.log(series[-1]))


def test_in_eight_dimensions_it_is_the_gegenbauer_series():
    from scipy.special import eval_gegenbauer

    d, degrees = 8, 50
    t, c = time_of(d, degrees), np.linspace(0.0, 1, 30)
    series = np.sum([math.exp(-order * (order + d - 2) * t) * (2 * order + d - 2) / (d - 2)
                     * eval_gegenbauer(order, d / 2 - 1, np.append(c, 1)) for order in range(60)], axis=0)
    np.testing.assert_allclose(density.heat_kernel(d, degrees).log(c), np.log(series[:-1] / series[-1]), atol=1e-4)


@pytest.mark.parametrize(("d", "degrees"), [(3, 20), (20, 40), (512, 50)])
def test_heat_is_conserved_and_its_mean_cosine_is_that_of_the_smoothing_angle(d, degrees):
    kernel = density.heat_kernel(d, degrees)
    theta = np.linspace(1e-4, np.pi - 1e-4, 40_001)
    with np.errstate(divide="ignore"):
        logs = kernel.log(np.cos(theta)) + kernel.log_peak + (d - 2) * np.log(np.sin(theta))
    area = math.lgamma(d / 2) - math.lgamma((d - 1) / 2) - 0.5 * math.log(math.pi)
    mass = np.exp(logs + area)
    whole = np.trapezoid(mass, theta)
    assert whole == pytest.approx(1, rel=2e-3)
    assert np.trapezoid(mass * np.cos(theta), theta) / whole == pytest.approx(math.cos(math.radians(degrees)), abs=2e-3)


def test_it_falls_with_the_angle_and_never_underflows_in_512_dimensions():
    kernel = density.heat_kernel(512, 45)
    logs = kernel.log(np.linspace(1, -1, 400))
    assert np.isfinite(logs).all()
    assert (np.diff(logs) <= 0).all()
    assert logs[0] == pytest.approx(0, abs=1e-9)
    assert logs[100] < -100


def test_the_tail_of_the_kernel_is_that_of_the_series_summed_all_the_way(monkeypatch):
    tail = density.heat_kernel(64, 30.0)
    monkeypatch.setattr(density, "_SUMMED", 1000.0)
    series = density.heat_kernel.__wrapped__(64, 30.0)
    angles = np.radians([135, 140, 150, 160, 170])
    assert (series.log(np.cos(angles)) < -560).all()
    np.testing.assert_allclose(tail.log(np.cos(angles)), series.log(np.cos(angles)), atol=0.1)


def test_two_outliers_have_their_own_densities_at_the_far_end_of_the_sphere():
    rng = np.random.default_rng(6)
    d = 512
    crowd = unit(np.eye(d)[0] + 0.006 * rng.normal(size=(60, d)))
    angles = np.radians([75, 88])
    out = np.zeros((2, d))
    out[:, 0], out[[0, 1], [1, 2]] = np.cos(angles), np.sin(angles)
    x = np.concatenate([crowd, out])
    found = density.log_density(x, degrees=20.0)
    kernel = density.heat_kernel(d, 20.0)
    for row in (60, 61):
        logs = kernel.log(np.delete(x, row, axis=0) @ x[row])
        top = logs.max()
        by_hand = (top + np.log(np.exp(logs - top).mean()) + kernel.log_peak) / math.log(10)
        assert found[row] == pytest.approx(by_hand, abs=1e-6)
    assert found[:60].min() > 0 > found[60] > found[61] + 100


def test_density_of_even_points_is_that_of_the_uniform_sphere():
    found = density.log_density(fibonacci(3000), degrees=20)
    np.testing.assert_allclose(found, 0, atol=0.02)


def test_density_equals_a_naive_loop_and_is_high_in_the_crowd():
    rng = np.random.default_rng(0)
    x = unit(np.concatenate([rng.normal(size=(40, 5)) * 0.2 + 1, rng.normal(size=(20, 5))]))
    kernel = density.heat_kernel(5, 30)
    naive = [np.log10(np.mean([np.exp(kernel.log(x[i] @ x[j])) for j in range(60) if j != i])) for i in range(60)]
    found = density.log_density(x, degrees=30)
    np.testing.assert_allclose(found, np.array(naive) + kernel.log_peak / math.log(10), atol=1e-9)
    assert found[:40].min() > np.median(found[40:])


def test_a_rotation_and_another_order_change_no_density():
    rng = np.random.default_rng(1)
    x = unit(rng.normal(size=(200, 64)) + 0.5)
    turn, _ = np.linalg.qr(rng.normal(size=(64, 64)))
    order = rng.permutation(200)
    first = density.log_density(x)
    np.testing.assert_allclose(density.log_density(unit(x @ turn)), first, atol=1e-4)
    np.testing.assert_allclose(density.log_density(x[order]), first[order], atol=1e-6)


def test_the_natural_smoothing_is_the_angle_to_the_tenth_neighbour():
    x = unit(np.random.default_rng(2).normal(size=(300, 16)))
    tenth = [sorted(angle(x[i], x))[10] for i in range(300)]
    assert density.natural_smoothing(x) == pytest.approx(np.degrees(np.median(tenth)), abs=1e-6)
    assert density.natural_smoothing(x[:1]) == 45
    assert density.natural_smoothing(np.repeat(x[:1], 20, axis=0)) == density.NARROWEST


def test_heat_is_hottest_where_the_weight_is_and_cold_without_weight():
    coords = fibonacci(500)
    weights = np.zeros(500)
    weights[123] = 2.0
    heat = density.heat_over_sphere(coords, weights)
    assert heat.shape == (64, 128)
    assert heat.max() == 1
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    latitude, longitude = np.radians(-90 + 180 * row / 63), np.radians(-180 + 360 * column / 127)
    there = np.array([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)])
    assert np.degrees(angle(there, coords[123])) < 3
    assert density.heat_over_sphere(coords, 0 * weights).max() == 0


def test_few_and_equal_points():
    x = unit(np.random.default_rng(3).normal(size=(6, 8)))
    assert np.isnan(density.log_density(x[:1])).all()
    assert np.isfinite(density.log_density(x[:2])).all()
    same = density.log_density(np.repeat(x[:1], 5, axis=0), degrees=30)
    np.testing.assert_allclose(same, density.heat_kernel(8, 30).log_peak / math.log(10))


def test_errors_say_what_is_wrong():
    with pytest.raises(ShapeError, match="at least three dimensions for a heat kernel; got 2 dimensions"):
        density.heat_kernel(2, 30)
    with pytest.raises(ShapeError, match="a smoothing from 8 to 89 degrees; got 3 degrees"):
        density.heat_kernel(3, 3)
    with pytest.raises(ShapeError, match="2 weights, none below 0"):
        density.heat_over_sphere(fibonacci(2), np.array([1.0, -1]))
