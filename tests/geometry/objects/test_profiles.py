"""Reports on one object and on several: the numbers of the functions they are made of, each beside its null."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.objects import profiles
from core.geometry.objects.angles import grassmann_distance
from core.geometry.objects.subspaces import fit_span, fit_variation, membership
from tests.geometry.objects.made import D, objects

VIEWS = objects(n=5, styles=2, views=8)


def test_energies_stand_beside_those_of_random_directions():
    report = profiles.energy_report(VIEWS, 3)
    np.testing.assert_allclose(report.span.values, fit_span(VIEWS.of(3)).shares())
    np.testing.assert_allclose(report.variation.values, fit_variation(VIEWS.of(3)).shares())
    assert report.span.values[0] > report.span.null[0]
    assert report.variation_dimensions[0.95].value <= report.variation_dimensions[0.95].null
    assert (report.name, report.n) == ("object 3", 16)
    with pytest.raises(ShapeError, match="at least 2 views of object 0; got 1"):
        profiles.energy_report(VIEWS.part(np.arange(1)), 0)


def test_own_views_belong_more_than_those_of_others():
    captions = np.random.default_rng(77).normal(size=(50, D))
    report = profiles.membership_report(VIEWS, 1, rank=4, others={"captions": captions})
    rows = report.rows
    assert list(rows) == [profiles.OWN_VIEWS, profiles.LEFT_OUT, profiles.OTHER_OBJECTS, "captions"]
    assert rows[profiles.OWN_VIEWS].value > rows[profiles.LEFT_OUT].value > rows[profiles.OTHER_OBJECTS].value
    assert rows["captions"].value == pytest.approx(rows["captions"].null, rel=0.1)
    assert rows["captions"].null == pytest.approx((4 / D) ** 0.5)
    np.testing.assert_allclose(report.values["captions"], membership(fit_span(VIEWS.of(1), 4), captions))
    assert [rows[t].n for t in rows] == [16, 16, 64, 50]


def test_objects_stand_apart_less_than_random_subspaces():
    report = profiles.angles_report(VIEWS, rank=3, numbers=(4, 0, 2))
    assert report.names == ("object 4", "object 0", "object 2")
    wanted = grassmann_distance(fit_span(VIEWS.of(4), 3), fit_span(VIEWS.of(2), 3))
    assert report.distances[0, 2] == pytest.approx(wanted)
    assert report.smallest[0, 2] < wanted < report.by_chance
    assert report.ranks == (3, 3, 3)
    assert report.coords.shape == (3, 2)
