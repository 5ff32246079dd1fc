"""Zero-shot and retrieval against loops, on vectors laid out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.intervals import proportion
from core.geometry.sphere import unit
from core.language.zero_shot import accuracy, class_vectors, recall_at


def circle(*degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)


def test_wilson_interval_by_hand() -> None:
    half = proportion(50, 100, null=0.1)
    assert (half.low, half.high) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
    assert (half.null, half.n, half.unit) == (0.1, 100, "share")
    assert proportion(10, 10).high == 1
    assert proportion(0, 10).low == 0
    with pytest.raises(ShapeError, match="0 <= successes <= n with n >= 1; got 3 of 2"):
        proportion(3, 2)


def test_class_vectors_point_between_their_prompts() -> None:
    both = class_vectors([circle(10, 50), circle(180)])
    assert np.allclose(both, circle(30, 180), atol=1e-6)


def test_accuracy_counts_the_nearest() -> None:
    images, classes = circle(5, 80, 170, 100), circle(0, 90, 180)
    result = accuracy(images, classes, np.array([0, 1, 2, 2]))
    assert result.value == 0.75
    assert result.null == pytest.approx(1 / 3)
    own = np.stack([circle(5, 60), circle(0, 80), circle(170, 0), circle(0, 100)])
    assert accuracy(images, own, np.array([0, 1, 0, 0])).value == 0.75


def test_recall_equals_a_loop() -> None:
    rng = np.random.default_rng(0)
    x = unit(rng.normal(size=(300, 8)))
    y = unit(x + 0.6 * unit(rng.normal(size=(300, 8))))
    for k in (1, 5):
        hits = 0
        for i in range(300):
            order = sorted(range(300), key=lambda j, i=i: -float(x[i] @ y[j]))
            hits += i in order[:k]
        assert recall_at(x, y, k).value == pytest.approx(hits / 300)
        assert recall_at(x, y, k).null == pytest.approx(k / 300)


def test_recall_does_not_depend_on_row_order_or_rotation() -> None:
    rng = np.random.default_rng(1)
    x = unit(rng.normal(size=(200, 6)))
    y = unit(x + 0.8 * unit(rng.normal(size=(200, 6))))
    order, (turn, _) = rng.permutation(200), np.linalg.qr(rng.normal(size=(6, 6)))
    value = recall_at(x, y).value
    assert recall_at(x[order], y[order]).value == value
    assert recall_at(unit(x @ turn), unit(y @ turn)).value == pytest.approx(value, abs=0.006)


def test_what_cannot_be_scored_is_told() -> None:
    with pytest.raises(ShapeError, match="vectors with a direction; got 1 rows of length zero"):
        class_vectors([circle(0), circle(90, -90, 0, 180)[:2] * np.float32(0)])
    with pytest.raises(ShapeError, match="2 true classes, one an image; got 1"):
        accuracy(circle(0, 1), circle(0, 9), np.array([0]))
    with pytest.raises(ShapeError, match=r"a gallery of shape \(2, 2\); got \(3, 2\)"):
        recall_at(circle(0, 1), circle(0, 1, 2))
