"""Flags by two sets of prompts: odds by hand, error rates by a loop, the curve through every threshold."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.flagging import Flagged, flag_odds


def test_odds_are_those_of_the_mean_exponentials_however_many_prompts_a_set_has():
    logits = np.log(np.array([[1.0, 3.0, 4.0], [9.0, 9.0, 1.0]])) + 300
    flagging = np.array([True, True, False])
    np.testing.assert_allclose(flag_odds(logits, flagging), np.log([2 / 4, 9 / 1]))
    np.testing.assert_allclose(flag_odds(logits[:, [0, 0, 1, 1, 2]], flagging[[0, 0, 1, 1, 2]]),
                               flag_odds(logits, flagging))
    for bad in ([True] * 3, [False] * 3, [True, False]):
        with pytest.raises(ShapeError, match="prompts on both sides"):
            flag_odds(logits, np.array(bad))


def test_error_rates_and_the_curve_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    truth = rng.integers(-1, 2, 300)
    odds = np.round(rng.normal(size=300) + truth, 1)
    found = Flagged(odds, truth, 0.6)
    flagged = [1 / (1 + np.exp(-o)) >= 0.6 for o in odds]
    good, bad = ([f for f, t in zip(flagged, truth) if t == side] for side in (0, 1))
    assert found.false_positives.value == pytest.approx(np.mean(good)) and found.false_positives.n == len(good)
    assert found.false_negatives.value == pytest.approx(1 - np.mean(bad)) and found.false_negatives.n == len(bad)
    assert found.share.value == pytest.approx(np.mean(flagged)) and found.share.n == 300
    both = np.mean(good + bad)
    assert found.false_positives.null == pytest.approx(both) and found.false_negatives.null == pytest.approx(1 - both)
    assert found.precision.value == pytest.approx(sum(bad) / (sum(bad) + sum(good)))
    pairs = [(b > g) + 0.5 * (b == g) for b in odds[truth == 1] for g in odds[truth == 0]]
    assert found.auc.value == pytest.approx(np.mean(pairs)) and found.auc.null == 0.5
    false, true, at = found.curve()
    assert np.trapezoid(true, false) == pytest.approx(found.auc.value)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1) and np.isinf(at[0])
    for f, t, threshold in list(zip(false, true, at))[1::7]:
        here = Flagged(odds, truth, threshold - 1e-12)
        assert (here.false_positives.value, 1 - here.false_negatives.value) == pytest.approx((f, t))


def test_without_truth_there_is_a_share_and_no_rate():
    found = Flagged(np.array([-1.0, 2.0]), np.array([-1, -1]))
    assert found.share.value == 0.5 and found.flagged.tolist() == [False, True]
    assert found.false_positives is found.false_negatives is found.auc is found.precision is None
    with pytest.raises(ShapeError, match="should be flagged"):
        found.curve()
    one_sided = Flagged(np.array([-1.0, 2.0]), np.array([1, 1]))
    assert one_sided.false_positives is None and one_sided.false_negatives.value == 0.5 and one_sided.auc is None
