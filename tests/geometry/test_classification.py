"""Classes by the highest score: accuracy against a naive count, confusions, and odd numbers of classes."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.classification import Classification, probabilities


def made(n: int = 200, k: int = 7, seed: int = 0) -> Classification:
    rng = np.random.default_rng(seed)
    truth = rng.integers(-1, k, n)
    logits = rng.normal(size=(n, k)).astype(np.float32)
    logits[np.arange(n), np.maximum(truth, 0)] += 1.2
    return Classification(tuple("abcdefghij"[:k]), logits, truth)


def test_accuracy_confusions_and_wrong_ones_are_those_of_a_loop():
    found = made()
    first, fifth, by_class, pairs, wrong = [], [], {}, {}, []
    for row, (scores, true) in enumerate(zip(found.logits, found.truth)):
        if true < 0:
            continue
        order = np.argsort(-scores)
        first.append(order[0] == true)
        fifth.append(true in order[:5])
        by_class.setdefault(int(true), []).append(order[0] == true)
        if order[0] != true:
            wrong.append(row)
            pairs[int(true), int(order[0])] = pairs.get((int(true), int(order[0])), 0) + 1
    accuracy, top = found.accuracy(), found.accuracy(5)
    assert accuracy.value == pytest.approx(np.mean(first)) and accuracy.null == pytest.approx(1 / 7)
    assert top.value == pytest.approx(np.mean(fifth)) and top.null == pytest.approx(5 / 7)
    assert accuracy.n == len(first) < 200 and accuracy.low < accuracy.value < accuracy.high
    assert {k: v.value for k, v in found.by_class().items()} == pytest.approx(
        {k: np.mean(v) for k, v in by_class.items()})
    assert sorted(found.wrong.tolist()) == wrong
    margin = found.logits.max(axis=1)[found.wrong] - found.logits[found.wrong, found.truth[found.wrong]]
    assert (np.diff(margin) <= 0).all()
    assert {(a, b): c for a, b, c in found.confused(100)} == pairs
    whole = found.confusion(range(7))
    assert whole.sum() == len(first) and np.trace(whole) == sum(first)
    assert found.confusion([2, 0])[0, 1] == pairs.get((2, 0), 0)


def test_one_class_no_truth_equal_scores_and_impossible_classes():
    one = Classification(("a",), np.zeros((3, 1), np.float32), np.array([0, -1, 0]))
    assert one.accuracy().value == 1 and one.accuracy(5).null == 1 and not len(one.wrong)
    none = Classification(("a", "b"), np.zeros((2, 2), np.float32), np.array([-1, -1]))
    assert none.accuracy() is None and none.by_class() == {} and none.confused() == [] and np.isnan(none.largest)
    level = Classification(("a", "b"), np.zeros((4, 2), np.float32), np.array([0, 1, 1, 1]))
    assert level.accuracy().value == 0.5 and level.largest == 0.75
    for classes, truth in ((("a", "a"), [0, 0]), (("a",), [0, 0]), (("a", "b"), [0, 2]), (("a", "b"), [0])):
        with pytest.raises(ShapeError):
            Classification(classes, np.zeros((2, 2), np.float32), np.array(truth))


def test_probabilities_are_a_softmax_and_a_temperature_flattens_them():
    logits = np.log(np.array([[1.0, 2.0, 5.0]])) + 700
    np.testing.assert_allclose(probabilities(logits), [[0.125, 0.25, 0.625]])
    np.testing.assert_allclose(probabilities(logits, 0.5), [[1 / 30, 4 / 30, 25 / 30]])
    with pytest.raises(ShapeError, match="temperature above 0"):
        probabilities(logits, 0.0)
