"""Principal angles and Grassmann distances: by hand, symmetric, exact at both ends, and a map of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.objects.angles import (
    distance_by_chance,
    distance_map,
    distance_matrix,
    grassmann_distance,
    principal_angles,
    random_subspaces,
)
from core.geometry.objects.subspaces import Subspace, fit_span
from tests.geometry.objects.made import objects, rotation


def plane(*rows: tuple[float, ...]) -> Subspace:
    basis = np.array(rows)
    return Subspace(basis, np.ones(len(basis)), np.zeros(basis.shape[1]), len(basis))


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-5, 0.3, math.pi / 2 - 1e-9, math.pi / 2])
def test_two_planes_that_share_a_line(angle):
    a = plane((1, 0, 0), (0, 1, 0))
    b = plane((1, 0, 0), (0, math.cos(angle), math.sin(angle)))
    np.testing.assert_allclose(principal_angles(a, b), [0, angle], atol=1e-15)
    assert grassmann_distance(a, b) == pytest.approx(angle, abs=1e-15)


def test_unequal_ranks_cost_a_right_angle_for_each_direction_that_is_missing():
    line, space = plane((math.cos(0.4), 0, math.sin(0.4))), plane((1, 0, 0), (0, 1, 0))
    np.testing.assert_allclose(principal_angles(line, space), [0.4])
    expected = math.sqrt(math.pi**2 / 4 + 0.4**2)
    assert grassmann_distance(line, space) == pytest.approx(expected)
    assert grassmann_distance(space, line) == pytest.approx(expected)


def test_distances_are_symmetric_zero_for_the_same_and_unchanged_by_a_rotation():
    views, by = objects(), rotation()
    fitted = [fit_span(views.of(i), 2 + i % 3) for i in range(6)]
    turned = [fit_span(views.of(i) @ by, 2 + i % 3) for i in range(6)]
    found = distance_matrix(fitted)
    np.testing.assert_allclose(found, found.T)
    np.testing.assert_allclose(distance_matrix(turned), found, atol=1e-9)
    assert grassmann_distance(fitted[0], fit_span(views.of(0)[::-1], 2)) == pytest.approx(0, abs=1e-9)
    for a in fitted:
        for b in fitted:
            np.testing.assert_allclose(principal_angles(a, b), principal_angles(b, a), atol=1e-12)
            assert (np.diff(principal_angles(a, b)) >= -1e-12).all()


def test_objects_lie_nearer_than_random_subspaces():
    views = objects(rank=3)
    found = distance_matrix([fit_span(views.of(i), 3) for i in range(6)])
    assert found[np.triu_indices(6, 1)].max() < distance_by_chance(3, 3, 40)
    with pytest.raises(ShapeError, match="in the same dimensions"):
        principal_angles(plane((1, 0)), plane((1, 0, 0)))


def test_lines_in_one_plane_are_mapped_as_they_lie():
    at = [0.0, 0.2, 0.5, 0.9]
    found = distance_map([plane((math.cos(a), math.sin(a), 0)) for a in at])
    np.testing.assert_allclose(np.abs(np.diff(found.coords[:, 0])), np.diff(at), atol=1e-7)
    np.testing.assert_allclose(found.coords[:, 1], 0, atol=1e-7)
    assert found.fidelity.value == pytest.approx(1)
    assert found.fidelity.n == 6
    assert found.fidelity.null < 1


def test_random_subspaces_have_the_ranks_asked_for():
    made = random_subspaces((1, 4), 9, seed=3)
    assert [s.rank for s in made] == [1, 4]
    with pytest.raises(ShapeError, match="at least 3 objects for a map; got 2"):
        distance_map(made)
