"""The orthogonal matrix between two sets of points: planted ones are found, what nothing is known of stays."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry.directions import unit
from core.geometry.procrustes import orthogonal, reflects, rotation_angles


def planted(d: int, seed: int = 0, *, reflection: bool = False) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))
    q = q * np.sign(np.diag(r))
    if (np.linalg.det(q) < 0) != reflection:
        q[:, 0] *= -1
    return q


@pytest.mark.parametrize(("d", "reflection"), [(2, False), (3, False), (3, True), (16, False), (64, True)])
def test_a_planted_matrix_is_found(d: int, reflection: bool) -> None:
    x, turn = unit(np.random.default_rng(1).normal(size=(4 * d, d))), planted(d, reflection=reflection)
    found = orthogonal(x.T @ (x @ turn), keep_rest=True)
    np.testing.assert_allclose(found, turn, atol=1e-6)
    assert reflects(found) is reflection


def test_no_other_matrix_does_better() -> None:
    rng = np.random.default_rng(2)
    x, y = unit(rng.normal(size=(40, 3))), unit(rng.normal(size=(40, 3)))
    found = orthogonal(x.T @ y)
    least = ((x @ found - y) ** 2).sum()
    assert all(((x @ planted(3, seed, reflection=bool(seed % 2)) - y) ** 2).sum() > least for seed in range(200))


def test_what_no_point_says_anything_of_stays_and_is_no_reflection() -> None:
    """Five points in a plane of 8 dimensions, turned by 0.7 in that plane: six dimensions stay as they are."""
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.normal(size=(8, 2)))[0]
    x = unit(rng.normal(size=(5, 2))) @ basis.T
    a = 0.7
    inside = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    turn = np.eye(8) + basis @ (inside - np.eye(2)) @ basis.T
    found = orthogonal(x.T @ (x @ turn), keep_rest=True)
    np.testing.assert_allclose(found, turn, atol=1e-6)
    np.testing.assert_allclose(rotation_angles(found), [0.7, 0, 0, 0], atol=1e-6)
    mirrored = x @ (np.eye(8) - 2 * np.outer(basis[:, 0], basis[:, 0]))
    found = orthogonal(x.T @ mirrored, keep_rest=True)
    assert not reflects(found), "a dimension that no point lies in takes the reflection"
    np.testing.assert_allclose(x @ found, mirrored, atol=1e-6)


def test_angles_are_those_of_its_planes() -> None:
    basis, matrix = planted(5), np.eye(5)
    for k, a in ((0, 0.3), (2, 2.5)):
        matrix[k:k + 2, k:k + 2] = [[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]
    np.testing.assert_allclose(rotation_angles(basis @ matrix @ basis.T), [2.5, 0.3], atol=1e-9)
    assert rotation_angles(np.diag([1.0, 1, -1]))[0] == pytest.approx(np.pi)
