"""Subspaces of objects: laws of projectors, memberships by hand, dimensions and their nulls."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.objects.subspaces import (
    Subspace,
    dimensions,
    energy_by_chance,
    fit_span,
    fit_variation,
    left_out_memberships,
    membership,
    membership_by_chance,
    project,
)
from tests.geometry.objects.made import D, objects, rotation


def test_a_projector_is_idempotent_and_symmetric():
    x = objects().of(0)
    for fitted in (fit_span(x, 4), fit_variation(x, 4)):
        p = fitted.basis.T @ fitted.basis
        np.testing.assert_allclose(p @ p, p, atol=1e-12)
        np.testing.assert_allclose(p, p.T, atol=1e-12)
        once = project(fitted, x)
        np.testing.assert_allclose(project(fitted, once + fitted.centre), once, atol=1e-12)


def test_members_of_a_plane_by_hand():
    plane = fit_span(np.array([[1.0, 0, 0], [0, 1.0, 0]]))
    sixty = np.array([[math.cos(math.pi / 3), 0, math.sin(math.pi / 3)]])
    np.testing.assert_allclose(membership(plane, np.array([[0.6, 0.8, 0], [0, 0, 1.0]])), [1, 0], atol=1e-12)
    np.testing.assert_allclose(membership(plane, sixty), [0.5], atol=1e-12)
    np.testing.assert_allclose(membership(plane, 7 * sixty), [0.5], atol=1e-12)


def test_what_was_fitted_belongs():
    x = objects(noise=0.3).of(2)
    np.testing.assert_allclose(membership(fit_span(x), x), 1, atol=1e-9)
    np.testing.assert_allclose(membership(fit_variation(x), x), 1, atol=1e-9)
    assert np.isnan(membership(fit_variation(x), x.mean(axis=0, keepdims=True)))[0]


def test_random_directions_belong_by_the_root_of_rank_over_dimension():
    rng = np.random.default_rng(0)
    fitted = fit_span(rng.normal(size=(7, D)))
    found = membership(fitted, rng.normal(size=(4000, D)))
    assert np.sqrt((found**2).mean()) == pytest.approx(membership_by_chance(7, D), rel=0.01)
    assert membership_by_chance(50, D) == 1


def test_span_and_variation_of_points_on_a_line_beside_the_origin():
    x = np.array([[1.0, -1, 0], [1, 0, 0], [1, 1, 0]])
    span, variation = fit_span(x), fit_variation(x)
    np.testing.assert_allclose(span.energies, [3, 2, 0], atol=1e-12)
    np.testing.assert_allclose(variation.energies, [2, 0, 0], atol=1e-12)
    np.testing.assert_allclose(np.abs(variation.basis), [[0, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(variation.centre, [1, 0, 0])
    assert [span.dimension(s) for s in (0.6, 0.61, 1.0)] == [1, 2, 2]
    assert variation.dimension(0.99) == 1


def test_views_that_do_not_vary_have_no_variation():
    still = np.repeat(unit(np.arange(1.0, 5)[None]), 4, axis=0)
    assert fit_variation(still).rank == 0
    assert fit_variation(still).dimension(0.9) == 0
    assert fit_span(still).rank == 1


def test_turning_the_space_changes_no_number():
    x, by = objects().of(1), rotation()
    for fit in (fit_span, fit_variation):
        np.testing.assert_allclose(fit(x @ by).energies, fit(x).energies, atol=1e-12)
        np.testing.assert_allclose(membership(fit(x @ by, 3), objects().of(0) @ by),
                                   membership(fit(x, 3), objects().of(0)), atol=1e-10)


def test_dimensions_are_fewer_than_by_chance_and_say_their_n():
    x = objects(views=12, styles=1, rank=2, spread=0.1, noise=1e-3).of(0)
    found = dimensions(x, centred=True)
    assert [found[s].value for s in (0.9, 0.95, 0.99)] == [2, 2, 2]
    assert [found[s].n for s in found] == [12, 12, 12]
    assert found[0.9].null >= 9
    chance = energy_by_chance(12, D, centred=True)
    assert chance[0] > 1 / 11
    assert chance[-1] == pytest.approx(1)


def test_a_view_is_left_out_with_all_its_styles():
    rng = np.random.default_rng(1)
    views = np.repeat(np.arange(4), 2)
    x = unit(np.repeat(np.eye(4), 2, axis=0) + 1e-3 * rng.normal(size=(8, 4)))
    np.testing.assert_allclose(left_out_memberships(x, views, 3), 0, atol=0.01)
    assert membership(fit_span(x[1:], 4), x[:1])[0] > 0.99
    with pytest.raises(ShapeError, match="at least two views, to leave one out"):
        left_out_memberships(x[:2], views[:2], 1)


@pytest.mark.parametrize(("basis", "said"), [
    (np.array([[1.0, 1.0]]), "an orthonormal basis"),
    (np.array([[1.0, 0.0]]), "at least 1 energies"),
])
def test_what_is_no_subspace_is_refused(basis, said):
    with pytest.raises(ShapeError, match=said):
        Subspace(basis, np.zeros(0), np.zeros(2), 1)
    with pytest.raises(ShapeError, match="a rank of 1 or more; got 0"):
        fit_span(np.eye(2)).cut(0)
