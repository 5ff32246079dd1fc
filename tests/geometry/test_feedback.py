"""Rocchio by hand, the rest of the gallery against a loop, and automatic feedback on labels planted."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.geometry.feedback import AFTER, BEFORE, SHUFFLED, Rocchio, Round, moved_parts, of_unmarked, path, simulate
from core.geometry.queries import Part, composed


def test_rocchio_by_hand_round_by_round() -> None:
    gallery = np.eye(3, dtype=np.float32)
    query = [Part(np.array([0.6, 0.8, 0.0]), 5.0, "text")]
    rounds = [Round((0,), (1,)), Round((2,), ())]
    steps = path(query, gallery, "image", rounds, Rocchio(1, 0.5, 0.25))
    by_hand = [[0.6, 0.8, 0], [0.6 + 0.5, 0.8 - 0.25, 0], [0.6 + 0.25, 0.8 - 0.25, 0.25]]
    np.testing.assert_allclose(steps, unit(np.array(by_hand)), atol=1e-6)
    usual = composed(moved_parts(query, gallery, "image", rounds[:1]))
    np.testing.assert_allclose(usual, unit(np.array([[0.6 + 0.75, 0.8 - 0.15, 0]]))[0], atol=1e-6)
    np.testing.assert_allclose(path(query, gallery, "image", [Round()])[1], steps[0], atol=1e-6)
    with pytest.raises(ShapeError, match="cancel out"):
        path([Part(gallery[0], 1, "image")], gallery, "image", [Round((), (0,))], Rocchio(1, 0, 1))


def test_what_was_marked_does_not_count() -> None:
    scores, right = np.array([9.0, 8, 7, 6, 5]), np.array([True, False, True, False, True])
    found = of_unmarked(scores, right, [0], 2)
    assert (found["precision"].value, found["precision"].null, found["precision"].n) == (0.5, 0.5, 4)
    assert (found["recall"].value, found["recall"].null) == (0.5, 0.5)
    assert found["average_precision"].value == pytest.approx((1 / 2 + 2 / 4) / 2)
    orders = [np.random.default_rng(i).permutation(4) for i in range(4000)]
    by_chance = [of_unmarked(order, right[1:], [], 2)["average_precision"].value for order in orders]
    assert np.mean(by_chance) == pytest.approx(found["average_precision"].null, abs=0.01)
    assert of_unmarked(scores, right, [0, 2, 4], 2) == {}


@pytest.fixture(scope="module")
def planted() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    labels = np.arange(240) % 12
    return unit(np.eye(24)[labels] + 0.35 * rng.normal(size=(240, 24))).astype(np.float32), labels


def test_marks_find_more_of_what_is_right_and_shuffled_marks_less(planted) -> None:
    x, labels = planted
    own = np.arange(240)
    report = simulate(x, x, lambda i: labels == labels[i], itself=own, together=labels, k=8, marked=6)
    value = {key: number.value for key, number in report.numbers.items()}
    assert value["precision", AFTER] > value["precision", SHUFFLED] + 0.05
    assert value["precision", AFTER] > value["precision", BEFORE] + 0.1
    assert report.after["precision"].change.value == pytest.approx(
        value["precision", AFTER] - value["precision", BEFORE])
    assert (report.groups, report.marked) == (12, 6)
    number = report.numbers["precision", BEFORE]
    assert number.low is None and number.null is not None
    change = report.after["precision"]
    assert 0 < change.change.low < change.change.high and change.p < 0.05

    by_loop, chances = [], []
    for i in range(240):
        order = [j for j in np.argsort(-(x @ x[i]), kind="stable") if j != i]
        marked, rest = order[:6], order[6:]
        good = [j for j in marked if labels[j] == labels[i]]
        bad = [j for j in marked if labels[j] != labels[i]]
        moved = x[i].astype(float) + 0.75 * (x[good].mean(axis=0) if good else 0) \
            - 0.15 * (x[bad].mean(axis=0) if bad else 0)
        if (labels[rest] == labels[i]).any():
            first = sorted(rest, key=lambda j: -(x[j] @ moved))[:8]
            by_loop.append(np.mean(labels[first] == labels[i]))
            chances.append(np.mean(labels[rest] == labels[i]))
    assert value["precision", AFTER] == pytest.approx(np.mean(by_loop))
    assert report.numbers["precision", AFTER].null == pytest.approx(np.mean(chances))
    assert report.queries == len(by_loop)


def test_without_structure_marks_change_nothing() -> None:
    rng = np.random.default_rng(2)
    x, labels = unit(rng.normal(size=(120, 64))).astype(np.float32), np.arange(120) % 12
    report = simulate(x, x, lambda i: labels == labels[i], itself=np.arange(120), together=labels, k=5, marked=5,
                      rounds=2)
    assert report.after["precision"].p > 0.05 and report.rounds == 2
    assert report.numbers["precision", AFTER].value == pytest.approx(report.numbers["precision", AFTER].null, abs=0.04)


def test_what_cannot_be_measured_is_refused(planted) -> None:
    x, labels = planted
    with pytest.raises(ShapeError, match="more items than are marked"):
        simulate(x, x, lambda i: labels == labels[i], marked=240)
    with pytest.raises(ShapeError, match="something right is left"):
        simulate(x[:5], x, lambda i: labels == 99)
    with pytest.raises(Cancelled):
        simulate(x, x, lambda i: labels == labels[i], should_stop=lambda: True)
