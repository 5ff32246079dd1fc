"""Shares over objects: how much an interval holds, by simulation, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.differences import Verdict
from core.geometry.objects.shares import Cases, share, shares_differ, shares_without


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simulated(kind: str, middle: float, apart: float, rng: np.random.Generator) -> tuple[np.ndarray, Cases]:
    """Hits of 10 objects of unequal difficulty, alone or in ordered pairs, in cells of 5 or 20 that are alike."""
    easy, also = apart * rng.normal(size=(2, 10))
    if kind == "alone":
        objects = np.repeat(np.arange(10), 60)[:, None]
        cell = np.repeat(np.arange(120), 5)
    else:
        objects = np.repeat(np.argwhere(~np.eye(10, dtype=bool)), 20, axis=0)
        cell = np.repeat(np.arange(90), 20)
        also = also[objects[:, 1]]
    logit = middle + easy[objects[:, 0]] + (also if kind != "alone" else 0) + apart * rng.normal(size=cell.max() + 1)[
        cell]
    return (rng.random(len(cell)) < sigmoid(logit)).astype(float), Cases(objects, cell)


@pytest.mark.parametrize(("kind", "middle", "apart"), [("alone", 0, 1.0), ("alone", 4, 1.0), ("pairs", 2, 1.0),
                                                      ("pairs", 5, 0.5)])
def test_nearly_all_intervals_hold_the_truth(kind, middle, apart):
    rng = np.random.default_rng(3)
    effects = 2 if kind == "alone" else 3
    truth = sigmoid(middle + apart * effects**0.5 * rng.normal(size=400_000)).mean()
    found = [share(*simulated(kind, middle, apart, rng)) for _ in range(150)]
    assert np.mean([n.low <= truth <= n.high for n in found]) >= 0.92


def test_leaving_an_object_out_takes_all_its_cases():
    cases = Cases(np.array([[0, 1], [1, 2], [2, 3], [3, 0]]), np.arange(4))
    np.testing.assert_allclose(shares_without(np.array([1.0, 0, 0, 1]), cases), [0, 0.5, 1, 0.5])


def test_all_right_still_has_an_interval_and_cells_count_once():
    objects = np.repeat(np.arange(10), 10)
    one = share(np.ones(100), Cases(objects, np.arange(100)), null=0.1)
    alike = share(np.ones(100), Cases(objects, objects), null=0.1)
    assert (one.value, one.high, one.null, one.n) == (1, 1, 0.1, 100)
    assert alike.low < one.low < 1


def test_two_objects_have_no_interval():
    number = share(np.array([1.0, 0]), Cases(np.array([0, 1]), np.arange(2)))
    assert (number.value, number.low) == (0.5, None)


def test_a_difference_is_taken_object_by_object():
    rng = np.random.default_rng(0)
    hits, cases = simulated("alone", 0, 2.0, rng)
    better = np.maximum(hits, rng.random(len(hits)) < 0.2)
    assert share(hits, cases).high > share(better, cases).low, "the intervals overlap"
    assert shares_differ(hits, better, cases).verdict is Verdict.HIGHER
    assert shares_differ(hits, hits, cases).verdict is Verdict.NOT_TOLD_APART


def test_what_does_not_differ_is_seldom_said_to():
    rng = np.random.default_rng(5)
    found = []
    for _ in range(200):
        hits, cases = simulated("alone", 2, 1.0, rng)
        easy = np.repeat([hits[cases.objects[:, 0] == k].mean() for k in range(10)], 60)
        found.append(shares_differ(*(rng.random((2, 600)) < easy).astype(float), cases).p < 0.05)
    assert np.mean(found) < 0.11   # 0.05 plus four standard deviations


def test_sets_are_joined_without_mixing_what_goes_together():
    one = Cases(np.array([0, 1]), np.array([0, 0]))
    joined = Cases.joined([one, one])
    assert joined.together.tolist() == [0, 0, 1, 1]
    assert joined.objects.ravel().tolist() == [0, 1, 0, 1]
    with pytest.raises(ShapeError, match="2 hits from 0 to 1"):
        share(np.array([0.0, 2.0]), one)
