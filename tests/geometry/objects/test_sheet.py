"""The dimension of a sheet of views, and the heat of a text over directions."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import fibonacci, unit
from core.geometry.objects.sheet import heat_of_text, sheet_dimension, two_nn


def random_sphere(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    return unit(rng.normal(size=(n, d)))


@pytest.mark.parametrize(("d", "n"), [(2, 60), (3, 100), (6, 200)])
def test_the_dimension_of_spheres_is_found_and_intervals_hold_it(d, n):
    rng = np.random.default_rng(d)
    found = [two_nn(random_sphere(n, d, rng)) for _ in range(60)]
    assert np.mean([f.value for f in found]) == pytest.approx(d - 1, rel=0.08)
    assert np.mean([f.low <= d - 1 <= f.high for f in found]) >= 0.85   # 0.95 less three standard deviations


def test_points_by_hand():
    """On a circle at 0, 1, 3 and their like: r1 and r2 are read off."""
    degrees = np.concatenate([k * 15 + np.array([0.0, 1, 3]) for k in range(8)])
    x = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)
    logs = np.log([3 / 1, 2 / 1, 3 / 2] * 8)
    assert two_nn(x).value == pytest.approx(23 / logs.sum(), rel=1e-6)
    twice = np.concatenate([x, x[:1]])
    assert two_nn(twice).n == 23, "points that lie on each other are left out"


def test_views_stand_beside_their_directions():
    rng = np.random.default_rng(0)
    directions = random_sphere(200, 3, rng)
    lifted = unit(np.concatenate([directions, 0.3 * directions**2], axis=1))
    views, of_directions = sheet_dimension(lifted, directions)
    assert views.null == of_directions.value == pytest.approx(2, abs=0.4)
    assert views.value == pytest.approx(of_directions.value, abs=0.3)
    around = np.stack([directions[:, 2], np.sqrt(1 - directions[:, 2]**2)], axis=1)
    cone, _ = sheet_dimension(around, directions)
    assert cone.value == pytest.approx(1, abs=0.25), "what turns into itself has one dimension"


def test_a_lattice_is_refused():
    with pytest.raises(ShapeError, match=r"views from random directions; got a lattice .*Render the object from"):
        sheet_dimension(fibonacci(128), fibonacci(128))
    with pytest.raises(ShapeError, match="at least 20 points"):
        two_nn(fibonacci(10))


def test_heat_lies_where_the_text_is_like_the_views():
    directions = fibonacci(80)
    found = heat_of_text(directions, directions, np.array([0.0, 0, 1]), shape=(19, 36))
    np.testing.assert_allclose(found.cosines, directions[:, 2])
    assert found.heat.shape == (19, 36)
    assert (found.heat.min(), found.heat.max()) == (0, 1)
    assert found.heat[-1].min() > 0.95 and found.heat[0].max() < 0.05
    assert found.spread.value > found.spread.null
    assert found.p == pytest.approx(1 / 200)
    assert found.ends[0] < -0.8 and found.ends[1] > 0.8


def test_a_text_that_finds_nothing_has_no_heat():
    rng = np.random.default_rng(4)
    found = heat_of_text(random_sphere(60, 30, rng), fibonacci(60), unit(rng.normal(size=(1, 30)))[0])
    assert found.p > 0.05
    same = heat_of_text(np.repeat(np.eye(4)[:1], 10, axis=0), fibonacci(10), np.eye(4)[0])
    assert not same.heat.any()
    assert same.p == 1
