"""Marks of a flow: what was planted is found, and shuffled displacements mark nothing in 95 %."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.directions import angle, unit
from core.geometry.dynamics.flow import Flow, displacement
from core.geometry.dynamics.marks import marks, shuffled
from tests.geometry.dynamics.planted import CLASSES, gathering, random_turn

SIZES = {"places": 150, "shuffles": 59}


def planted(n: int = 150, seed: int = 0) -> Flow:
    """Noise, with a source at +z, a sink at -z and a turn about +x."""
    rng = np.random.default_rng(seed)
    x = unit(rng.normal(size=(n, 3)))
    z, axis = np.array([0, 0, 1.0]), np.array([1.0, 0, 0])
    v = -(z - x * x[:, 2:]) * (np.abs(x[:, 2:]) > 0.7) + np.cross(axis, x) * (x @ axis > 0.7)[:, None]
    v = 0.3 * v + 0.02 * rng.normal(size=(n, 3))
    return Flow(x, v - x * (x * v).sum(1, keepdims=True), np.arange(n))


def test_planted_source_sink_and_rotation_are_marked_where_they_are():
    found = marks(planted(400), degrees=25, places=400)
    assert found.p <= 1 / 200
    nearest = {}
    for kind, place in (("source", [0, 0, 1]), ("sink", [0, 0, -1]), ("anticlockwise", [1, 0, 0])):
        own = [one for one in found.found if one.kind == kind]
        assert own, kind
        nearest[kind] = min(float(np.degrees(angle(one.place, np.array(place, float)))) for one in own)
        for one in own:
            assert (one.value > one.limit) if kind != "sink" else (one.value < one.limit)
            assert one.p <= 0.05 and one.near >= 3 and one.places >= 1
    assert max(nearest.values()) < 25


def test_points_that_gather_have_a_sink_at_each_place_they_gather_at():
    record = gathering()
    found = marks(displacement(record.images[3], record.images[-1]), degrees=15)
    sinks = np.array([one.place for one in found.found if one.kind == "sink"])
    near = np.degrees(angle(sinks[:, None], record.texts[0][None])).min(axis=0)
    assert (near < 25).sum() >= CLASSES - 1


def test_shuffled_displacements_mark_nothing_in_95_percent():
    flow, fields = planted(100), 120
    group = np.repeat([0, 1], [70, 30])
    rng = np.random.default_rng(1)
    false = sum(bool(marks(Flow(flow.base, shuffled(flow, group, rng), flow.rows), degrees=20, group=group, seed=k,
                           **SIZES).found) for k in range(fields))
    assert false <= 13, "of 120 fields 6 are expected, and more than 13 in one of 200 such tests"


def test_a_shuffle_stays_within_its_group_and_keeps_all_lengths():
    flow = planted(40)
    group = np.repeat([0, 1], [30, 10])
    mixed = shuffled(flow, group, np.random.default_rng(0))
    for rows in (slice(0, 30), slice(30, 40)):
        np.testing.assert_allclose(np.sort(np.linalg.norm(mixed[rows], axis=1)),
                                   np.sort(np.linalg.norm(flow.vectors[rows], axis=1)), atol=1e-12)
    assert np.abs((mixed * flow.base).sum(1)).max() < 1e-12


def test_the_same_seed_gives_the_same_marks_and_still_points_give_none():
    flow = planted()
    first, second = marks(flow, degrees=20, **SIZES), marks(flow, degrees=20, **SIZES)
    np.testing.assert_array_equal([one.place for one in first.found], [one.place for one in second.found])
    still = Flow(flow.base, np.zeros_like(flow.base), flow.rows)
    assert marks(still, degrees=20, **SIZES).found == ()
    few = marks(flow.part(np.arange(2)), degrees=10, **SIZES)
    assert (few.found, few.p, len(few.places)) == ((), 1.0, 0)


def test_divergence_turns_with_everything():
    flow, q = planted(400), random_turn(4)
    about = Flow(flow.base @ q.T, flow.vectors @ q.T, flow.rows)
    first, second = (marks(one, degrees=25, **SIZES) for one in (flow, about))
    assert first.count("source") == second.count("source") > 0


def test_it_can_be_stopped_and_says_how_far_it_is():
    seen = []
    with pytest.raises(Cancelled, match="50 of 59"):
        marks(planted(), degrees=20, **SIZES, on_progress=lambda share, text: seen.append(share),
              should_stop=lambda: bool(seen))
    assert seen == [50 / 59]
    with pytest.raises(ShapeError, match="at least 19"):
        marks(planted(), degrees=20, shuffles=10)
