"""Camera angles against embedding angles: symmetric views, jumps, and whether intervals hold, on made-up sheets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import fibonacci, unit
from core.geometry.objects.equivariance import equivariance, too_fast, turned, view_neighbours

RING = np.stack([np.cos(np.arange(12) * math.pi / 6), np.sin(np.arange(12) * math.pi / 6), np.zeros(12)], axis=1)


def sheet(directions: np.ndarray, *, even: bool = False, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Vectors that follow the camera; with ``even``, opposite cameras see the same."""
    rng = np.random.default_rng(11)
    first, second = rng.normal(size=(3, 20)), rng.normal(size=(9, 20))
    squares = np.einsum("ni,nj->nij", directions, directions).reshape(-1, 9)
    x = (0 if even else directions @ first) + squares @ second
    return unit(x + noise * np.random.default_rng(seed).normal(size=x.shape))


def test_a_copy_of_the_directions_moves_as_the_camera_does():
    found = equivariance(RING, RING)
    np.testing.assert_allclose(found.embedding, found.camera, atol=1e-7)
    assert found.rank_correlation.value == pytest.approx(1)
    assert found.symmetric.value == 0
    np.testing.assert_allclose(found.curve.values, found.places, atol=1e-7)
    np.testing.assert_allclose(found.rates, 1, atol=1e-6)
    assert not found.jumps.any()
    assert found.bar == pytest.approx(math.pi / 6)
    assert found.rank_correlation.low is None, "a ring is no sample of views"


def test_opposite_views_of_a_symmetric_object_are_found():
    half = unit(np.random.default_rng(2).normal(size=(30, 3)))
    directions = np.concatenate([half, -half])
    others = unit(np.random.default_rng(5).normal(size=(40, 20)))
    found = equivariance(sheet(directions, even=True), directions, others)
    listed = {tuple(pair) for pair in found.pairs[found.alike].tolist()}
    assert {(i, i + 30) for i in range(30)} <= listed
    assert (found.camera[found.alike] >= found.far).all()
    assert (found.embedding[found.alike] <= found.bar).all()
    assert found.null_of == "other objects"
    assert found.symmetric.low > found.symmetric.null
    plain = equivariance(sheet(directions), directions, others)
    assert plain.symmetric.value < found.symmetric.value
    assert (plain.symmetric.low is None) == (plain.alike.sum() < 5)
    assert equivariance(sheet(directions), directions).null_of == "shuffled views"


def test_shuffled_views_follow_nothing():
    directions = unit(np.random.default_rng(2).normal(size=(60, 3)))
    found = equivariance(sheet(directions)[np.random.default_rng(0).permutation(60)], directions)
    assert found.rank_correlation.low < 0 < found.rank_correlation.high
    np.testing.assert_allclose(found.curve.null, found.embedding.mean())
    inner = found.curve.values[2:-2]
    assert (np.abs(inner - found.embedding.mean()) < 0.1).all()


@pytest.mark.parametrize(("n", "noise"), [(16, 0.2), (32, 1.0)])
def test_nearly_all_intervals_hold_the_truth(n, noise):
    rng = np.random.default_rng(2)
    many = unit(rng.normal(size=(300, 3)))
    truth = equivariance(sheet(many, noise=noise), many).rank_correlation.value
    held = []
    for seed in range(40):
        directions = unit(rng.normal(size=(n, 3)))
        number = equivariance(sheet(directions, noise=noise, seed=seed), directions).rank_correlation
        held.append(number.low <= truth <= number.high)
    assert np.mean(held) >= 0.85   # 0.95 less two and a half standard deviations of 40


def test_a_jump_is_where_the_sheet_is_torn():
    torn = np.arange(12)[:, None] >= 8
    x = np.concatenate([np.where(torn, 0, RING), np.where(torn, RING, 0)], axis=1)
    found = equivariance(x, RING)
    assert {tuple(step) for step in found.steps[found.jumps].tolist()} == {(7, 8), (0, 11)}


def test_steps_of_like_distribution_seldom_jump():
    rng = np.random.default_rng(8)
    fast = [too_fast(np.exp(0.4 * rng.normal(size=20)), seed=i).any() for i in range(150)]
    assert np.mean(fast) < 0.12   # 0.05 plus four standard deviations


@pytest.mark.parametrize("directions", [RING, turned(RING, np.array([1.0, 1, 0]), 0.7)])
def test_a_ring_has_the_neighbours_of_a_ring(directions):
    wanted = {tuple(sorted((i, (i + 1) % 12))) for i in range(12)}
    order = np.random.default_rng(1).permutation(12)
    assert {tuple(e) for e in view_neighbours(directions).tolist()} == wanted
    found = {tuple(sorted((int(order[i]), int(order[j])))) for i, j in view_neighbours(directions[order])}
    assert found == wanted


def test_a_sphere_of_views_has_the_edges_of_its_hull():
    edges = view_neighbours(fibonacci(100))
    assert len(edges) == 3 * 100 - 6   # Euler
    assert np.bincount(edges.ravel()).min() >= 3


def test_turning_either_sphere_changes_nothing():
    directions, x = fibonacci(30), sheet(fibonacci(30), noise=0.3)
    by = np.linalg.qr(np.random.default_rng(3).normal(size=(20, 20)))[0]
    one, two = equivariance(x, directions), equivariance(x @ by, turned(directions, np.array([1.0, 2, 3]), 1.1))
    np.testing.assert_allclose(one.camera, two.camera, atol=1e-6)
    np.testing.assert_allclose(one.embedding, two.embedding, atol=1e-6)
    assert one.rank_correlation.value == pytest.approx(two.rank_correlation.value, abs=1e-4)


def test_two_views_from_one_place_are_refused():
    with pytest.raises(ShapeError, match="views from different directions; got views 3 and 4 from one"):
        equivariance(RING[[0, 1, 2, 3, 3, 5, 6]], RING[[0, 1, 2, 3, 3, 5, 6]])
    with pytest.raises(ShapeError, match="at least 6 views"):
        equivariance(RING[:5], RING[:5])
