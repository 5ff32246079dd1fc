"""Calibration: a calibrated model is not told from its null, an overconfident one is, and its temperature is found."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.calibration import best_temperature, reliability, temperature_on_halves
from core.geometry.classification import probabilities


def calibrated(n: int, k: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and classes drawn with exactly the probabilities that they give."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * 1.5
    chance = rng.random(n)[:, None]
    return logits, (probabilities(logits).cumsum(axis=1) < chance).sum(axis=1)


def test_each_number_is_that_of_a_loop():
    logits, truth = calibrated(300)
    found = reliability(logits, truth, 0.7, bins=10)
    given = np.exp(logits / 0.7) / np.exp(logits / 0.7).sum(axis=1, keepdims=True)
    ece = 0.0
    for b in range(10):
        sure = given.max(axis=1)
        of = (sure > b / 10) & (sure <= (b + 1) / 10)
        if of.any():
            hit = (given.argmax(axis=1) == truth)[of].mean()
            ece += of.mean() * abs(hit - sure[of].mean())
            assert found.accuracy[b].value == pytest.approx(hit) and found.counts[b] == of.sum()
            assert found.confidence[b] == pytest.approx(sure[of].mean())
        else:
            assert found.accuracy[b] is None
    assert found.ece.value == pytest.approx(ece)
    assert found.brier.value == pytest.approx(np.mean([((g - np.eye(5)[t]) ** 2).sum() for g, t in zip(given, truth)]))
    assert found.nll.value == pytest.approx(np.mean([-np.log(g[t]) for g, t in zip(given, truth)]))
    assert found.brier.null == pytest.approx(0.8) and found.nll.null == pytest.approx(np.log(5))


def test_the_null_is_what_a_calibrated_model_gives():
    found = [reliability(*calibrated(250, seed=seed)) for seed in range(60)]
    mean = np.mean([r.ece.value for r in found])
    assert mean > 0.02       # of a calibrated model: its own chance, and not 0
    assert np.mean([r.ece.null for r in found]) == pytest.approx(mean, rel=0.1)
    assert sum(r.p < 0.05 for r in found) <= 9       # 3 are expected
    inside = sum(r.ece_by_chance[0] <= r.ece.value <= r.ece_by_chance[1] for r in found)
    assert inside >= 51
    assert reliability(calibrated(250)[0] * 4, calibrated(250)[1]).p < 0.01


def test_a_planted_temperature_is_found_on_one_half_and_helps_on_the_other():
    logits, truth = calibrated(2000)
    assert best_temperature(logits * 3, truth) == pytest.approx(3, rel=0.1)
    found = temperature_on_halves(logits * 3, truth)
    assert not set(found.fitted_on) & set(found.scored_on) and len(found.fitted_on) + len(found.scored_on) == 2000
    assert found.temperature == pytest.approx(3, rel=0.15) and not found.unbounded
    assert found.after.ece.value < found.before.ece.value / 2 and found.before.p < 0.01 < found.after.p
    assert found.nll.change.value == pytest.approx(found.after.nll.value - found.before.nll.value)
    assert found.nll.change.high < 0 and found.brier.change.high < 0
    right = np.eye(3)[np.arange(40) % 3] * 10
    for hopeless in (right, -right):
        none = temperature_on_halves(hopeless, np.arange(40) % 3)
        assert none.unbounded and none.temperature == 1 and none.nll.change.value == 0


def test_too_few_items_and_one_class_are_refused():
    with pytest.raises(ShapeError, match="20 items"):
        temperature_on_halves(np.zeros((19, 2)), np.zeros(19))
    with pytest.raises(ShapeError, match="two classes"):
        reliability(np.zeros((5, 1)), np.zeros(5))
    with pytest.raises(ShapeError, match="two classes"):
        reliability(np.zeros((0, 3)), np.zeros(0))
