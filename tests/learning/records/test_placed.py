"""Places of a record's points: where they are in three dimensions, on one map and without a turn in others."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled
from core.geometry.directions import angle, unit
from core.learning.records.placed import placed
from core.learning.records.record import Record
from tests.geometry.dynamics.planted import gathering, random_turn


def lifted(d: int, *, turn: bool) -> Record:
    """The gathering record in d dimensions, turned anew at each step or not."""
    plain, wide = gathering(4), np.linalg.qr(np.random.default_rng(0).normal(size=(d, d)))[0][:3]
    turns = [random_turn(t, d) if turn else np.eye(d) for t in range(4)]
    sides = [np.stack([unit((x @ wide @ q).astype(np.float32)) for x, q in zip(side, turns)])
             for side in (plain.images, plain.texts)]
    return Record("lifted", plain.probe, plain.steps, *sides)


def test_three_dimensions_are_shown_as_they_are_and_two_on_the_equator():
    record = gathering(4)
    places = placed(record)
    np.testing.assert_array_equal(places.images, record.images)
    assert (places.aligned, places.map, places.said(0)) == (None, None, "")
    flat = Record("flat", record.probe, record.steps, *(
        unit(x[..., :2].reshape(-1, 2) + 1e-3).reshape(*x.shape[:2], 2) for x in (record.images, record.texts)))
    on_equator = placed(flat)
    assert not on_equator.images[..., 2].any()
    np.testing.assert_allclose(np.linalg.norm(on_equator.texts, axis=2), 1, atol=1e-6)


def test_turns_of_the_whole_space_leave_no_way_on_the_map_and_are_told():
    still, turned = placed(lifted(8, turn=False)), placed(lifted(8, turn=True))
    for places in (still, turned):
        assert places.images.shape == (4, 120, 3) and places.texts.shape == (4, 6, 3)
        assert places.map is not None and places.map.fidelity["spearman"].value > 0.99
    said = turned.said(0)
    assert "one orthogonal matrix for both towers" in said and "by chance" in said
    assert np.degrees(turned.aligned.turned[0]) > 30
    gone = np.degrees(angle(turned.texts[2], turned.texts[3]))
    assert gone.mean() < np.degrees(angle(lifted(8, turn=True).texts[2], lifted(8, turn=True).texts[3])).mean() / 3
    with pytest.raises(Cancelled):
        placed(lifted(8, turn=True), should_stop=lambda: True)
