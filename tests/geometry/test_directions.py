"""Angles, arcs, means and grids on the sphere: cases by hand, laws, and errors."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry import directions as s2

RNG = np.random.default_rng(0)


def random_unit(n: int, d: int) -> np.ndarray:
    x = RNG.normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("true", [0.0, 1e-9, 1e-5, 0.3, np.pi / 2, np.pi - 1e-6, np.pi])
def test_angle_is_exact_at_both_ends(true):
    a, b = np.array([1.0, 0.0]), np.array([np.cos(true), np.sin(true)])
    assert s2.angle(a, b) == pytest.approx(true, abs=1e-15, rel=1e-9)


def test_angles_of_all_pairs_agree_with_single_ones():
    a, b = random_unit(7, 5), random_unit(4, 5)
    naive = [[s2.angle(u, v) for v in b] for u in a]
    np.testing.assert_allclose(s2.angles(a, b), naive, atol=1e-7)


def test_exp_undoes_log_and_log_is_as_long_as_the_angle():
    base, x = random_unit(50, 6), random_unit(50, 6)
    v = s2.log_map(base, x)
    np.testing.assert_allclose(np.linalg.norm(v, axis=1), s2.angle(base, x), atol=1e-12)
    np.testing.assert_allclose((v * base).sum(1), 0, atol=1e-12)
    np.testing.assert_allclose(s2.exp_map(base, v), x, atol=1e-12)
    assert np.all(s2.log_map(base, base) == 0)


def test_arcs_lie_on_the_sphere_between_their_ends_at_equal_steps():
    a, b = random_unit(20, 3), random_unit(20, 3)
    path = s2.arcs(a, b, steps=9)
    np.testing.assert_allclose(np.linalg.norm(path, axis=2), 1, atol=1e-12)
    np.testing.assert_allclose(path[:, 0], a, atol=1e-12)
    np.testing.assert_allclose(path[:, -1], b, atol=1e-12)
    np.testing.assert_allclose(s2.angle(path[:, :-1], path[:, 1:]), s2.angle(a, b)[:, None] / 8 * np.ones(8), atol=1e-9)


def test_an_arc_between_antipodes_is_a_half_circle():
    a = np.array([[0.0, 0.0, 1.0]])
    path = s2.arcs(a, -a, steps=5)[0]
    np.testing.assert_allclose(path[-1], -a[0], atol=1e-9)
    np.testing.assert_allclose(s2.angle(path[:-1], path[1:]), np.pi / 4, atol=1e-9)


def test_frechet_mean_of_a_symmetric_set_and_of_a_lopsided_one():
    t = np.array([-0.3, 0.1, 0.8])
    points = np.stack([np.cos(t), np.sin(t), 0 * t], axis=1)
    mean = s2.frechet_mean(points)
    assert np.arctan2(mean[1], mean[0]) == pytest.approx(t.mean(), abs=1e-9)
    direction = s2.mean_direction(points)
    assert np.arctan2(direction[1], direction[0]) != pytest.approx(t.mean(), abs=1e-4)


def test_kappa_by_hand_and_at_both_ends():
    x = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    r2 = 0.5
    assert s2.kappa(x) == pytest.approx(np.sqrt(r2) * (3 - r2) / (1 - r2))
    assert s2.kappa(np.array([[1.0, 0], [-1.0, 0]])) == 0
    assert s2.kappa(np.ones((4, 1))) == np.inf


def test_the_edge_of_a_cap_is_at_its_angle_and_closes():
    centre = s2.unit(np.array([[0.2, -0.5, 0.4]]))[0]
    edge = s2.circle(centre, 0.7)
    np.testing.assert_allclose(s2.angle(edge, centre), 0.7, atol=1e-12)
    np.testing.assert_allclose(edge[0], edge[-1], atol=1e-12)
    assert s2.inside_cap(edge, centre, 0.7 + 1e-9).all()
    assert not s2.inside_cap(edge, centre, 0.7 - 1e-9).any()


def test_fibonacci_points_are_even():
    x = s2.fibonacci(2000)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=2e-3)
    for centre in random_unit(5, 3):
        share = s2.inside_cap(x, centre, 0.5).mean()
        assert share == pytest.approx((1 - np.cos(0.5)) / 2, rel=0.05)


def test_the_graticule_has_meridians_through_the_poles_and_level_parallels():
    lines = s2.graticule(step=30)
    assert lines.shape == (12 + 5, 73, 3)
    np.testing.assert_allclose(np.linalg.norm(lines, axis=2), 1)
    np.testing.assert_allclose(lines[:12, 0], np.tile([0, 0, -1.0], (12, 1)), atol=1e-12)
    assert np.ptp(lines[12:, :, 2], axis=1).max() < 1e-12


def test_equal_area_keeps_areas_and_puts_the_centre_in_the_middle():
    centre = s2.unit(np.array([[0.3, 0.8, -0.1]]))[0]
    np.testing.assert_allclose(s2.equal_area(centre[None], centre), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(s2.equal_area(-centre[None], centre)), 2)
    flat = s2.equal_area(s2.fibonacci(20_000), centre)
    for radius in (0.5, 1.2, 1.9):
        assert (np.linalg.norm(flat, axis=1) < radius).mean() == pytest.approx((radius / 2) ** 2, abs=0.003)
    north = s2.equal_area(s2.exp_map(np.array([1.0, 0, 0]), np.array([0, 0, 0.1]))[None], np.array([1.0, 0, 0]))[0]
    assert north[0] == pytest.approx(0, abs=1e-12)
    assert north[1] > 0


def test_a_rotation_changes_no_angle():
    a, b = random_unit(30, 8), random_unit(30, 8)
    turn, _ = np.linalg.qr(RNG.normal(size=(8, 8)))
    np.testing.assert_allclose(s2.angle(a @ turn, b @ turn), s2.angle(a, b), atol=1e-12)


def test_unit_names_the_rows_without_direction():
    with pytest.raises(ShapeError, match=r"vectors with a direction; got 1 rows of length zero, the first at row 2"):
        s2.unit(np.array([[1.0, 0], [0, 2], [0, 0]]))
    with pytest.raises(ShapeError, match="NaN or infinity, the first at row 1"):
        s2.unit(np.array([[1.0, 0], [np.nan, 2]]))
    assert s2.unit(np.array([[3, 4]], dtype=np.float32)).dtype == np.float32


def test_vectors_that_cancel_have_no_mean_direction():
    with pytest.raises(ShapeError, match="vectors that cancel out"):
        s2.mean_direction(np.array([[1.0, 0], [-1.0, 0]]))
