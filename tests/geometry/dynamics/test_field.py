"""Fields on the sphere: known divergence and curl, transport, and the laws of the smoothed field."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.density import heat_kernel
from core.geometry.directions import fibonacci, log_map, unit
from core.geometry.dynamics.field import KernelField, divergence_and_curl, transported
from core.geometry.dynamics.flow import Flow, displacement
from tests.geometry.dynamics.planted import random_turn, turned

PLACES = fibonacci(200)
OMEGA = np.array([0.3, -0.5, 0.7])


def random_flow(n: int = 80, seed: int = 0) -> Flow:
    rng = np.random.default_rng(seed)
    x = unit(rng.normal(size=(n, 3)))
    v = rng.normal(size=(n, 3)) * 0.2
    return Flow(x, v - x * (x * v).sum(1, keepdims=True), np.arange(n))


def source(place: np.ndarray):
    """A field that flows away from a place, as fast as the sine of the distance: divergence 2 cos(distance)."""
    return lambda p: -(place - p * (p @ place)[:, None])


def test_a_rotation_has_curl_and_no_divergence():
    spread, turn = divergence_and_curl(lambda p: np.cross(OMEGA, p), PLACES)
    size = np.linalg.norm(OMEGA)
    assert np.abs(turn - 2 * PLACES @ OMEGA).max() < 0.01 * 2 * size
    assert np.abs(spread).max() < 0.01 * size


def test_a_planted_source_has_the_divergence_it_was_given_and_no_curl():
    place = unit(np.array([[0.2, 0.5, -0.8]]))[0]
    spread, turn = divergence_and_curl(source(place), PLACES)
    np.testing.assert_allclose(spread, 2 * PLACES @ place, atol=1e-6)
    assert np.abs(turn).max() < 1e-6
    smoothed = KernelField(Flow(PLACES, source(place)(PLACES), np.arange(len(PLACES))), 15)
    assert smoothed.divergence_and_curl(place[None])[0][0] > 1.5
    assert smoothed.divergence_and_curl(-place[None])[0][0] < -1.5


@pytest.mark.parametrize("degrees", [8, 20, 45])
def test_the_closed_form_is_the_derivative_of_the_smoothed_field(degrees):
    field = KernelField(random_flow(), degrees)
    exact, differences = field.divergence_and_curl(PLACES), divergence_and_curl(field, PLACES, step=2e-3)
    for a, b in zip(exact, differences):
        np.testing.assert_allclose(a, b, atol=0.02 * np.abs(a).max())


def test_the_smoothed_field_is_a_naive_mean_of_transported_vectors():
    flow, kernel = random_flow(12), heat_kernel(3, 25)
    field, places = KernelField(flow, 25), PLACES[:7]
    for p, found, mass in zip(places, field(places), field.mass(places)):
        weights = [np.exp(kernel.log(np.array(x @ p))) for x in flow.base]
        carried = [transported(v, x, p) for v, x in zip(flow.vectors, flow.base)]
        np.testing.assert_allclose(found, sum(w * c for w, c in zip(weights, carried)) / sum(weights), atol=1e-12)
        assert mass == pytest.approx(sum(weights))
        assert abs(found @ p) < 1e-12


def test_transport_keeps_lengths_and_carries_a_geodesic_along_itself():
    x, y = unit(np.random.default_rng(1).normal(size=(2, 30, 3)).reshape(-1, 3)).reshape(2, 30, 3)
    v = random_flow(30).vectors
    v = v - x * (x * v).sum(1, keepdims=True)
    carried = transported(v, x, y)
    np.testing.assert_allclose(np.linalg.norm(carried, axis=1), np.linalg.norm(v, axis=1), atol=1e-12)
    assert np.abs((carried * y).sum(1)).max() < 1e-12
    np.testing.assert_allclose(transported(log_map(x, y), x, y), -log_map(y, x), atol=1e-9)


def test_the_kernel_slope_is_the_derivative_of_its_logarithm():
    cosines = np.linspace(-0.9, 0.999, 40)
    for d in (3, 64):
        kernel = heat_kernel(d, 30)
        numeric = (kernel.log(cosines + 1e-4) - kernel.log(cosines - 1e-4)) / 2e-4
        np.testing.assert_allclose(kernel.slope(cosines), numeric, rtol=0.02)


def test_a_turn_of_everything_turns_the_field_and_the_order_of_points_does_not_matter():
    flow, q = random_flow(), random_turn(3)
    field = KernelField(flow, 20)
    other = KernelField(Flow(flow.base @ q.T, flow.vectors @ q.T, flow.rows), 20)
    np.testing.assert_allclose(other(PLACES @ q.T), field(PLACES) @ q.T, atol=1e-10)
    order = np.random.default_rng(5).permutation(len(flow))
    mixed = KernelField(flow.part(order), 20)
    for a, b, c in zip(field.divergence_and_curl(PLACES), other.divergence_and_curl(PLACES @ q.T),
                       mixed.divergence_and_curl(PLACES)):
        np.testing.assert_allclose(a, b, atol=1e-9)
        np.testing.assert_allclose(a, c, atol=1e-9)
    np.testing.assert_allclose(mixed(PLACES), field(PLACES), atol=1e-12)


def test_a_finite_turn_of_points_is_seen_as_rotation():
    x = fibonacci(400).astype(np.float32)
    omega = np.array([0, 0, 0.1])
    field = KernelField(displacement(x, turned(x, omega)), 10)
    turn = field.divergence_and_curl(np.array([[0, 0, 1.0], [0, 0, -1.0]]))[1]
    np.testing.assert_allclose(turn, [0.2, -0.2], rtol=0.1)


def test_far_from_all_points_nothing_is_known():
    near = unit(np.array([0, 0, 1.0]) + 0.1 * np.random.default_rng(0).normal(size=(30, 3)))
    field = KernelField(displacement(near, near), 12)
    np.testing.assert_array_equal(field.known(np.array([[0, 0, 1.0], [0, 0, -1.0], [1, 0, 0.0]])),
                                  [True, False, False])
    crowd = KernelField(displacement(*[np.repeat(near[:1], 900, axis=0)] * 2), 12)
    edge = np.cross(near[:1], [1.0, 0, 0])
    beside = near[:1] * np.cos(0.5) + edge / np.linalg.norm(edge) * np.sin(0.5)
    assert crowd.mass(beside)[0] > 3 and not crowd.known(beside)[0], "29 degrees from a crowd nothing is known"
    assert np.isfinite(field(np.array([[0, 0, -1.0]]))).all()


def test_what_cannot_be_smoothed_is_said():
    with pytest.raises(ShapeError, match="8 to 45 degrees"):
        KernelField(random_flow(), 60)
    with pytest.raises(ShapeError, match="in 3 dimensions"):
        KernelField(displacement(np.eye(4), np.eye(4)), 20)
