"""The interval of a score over items: it covers where few are wrong, and is open where none is."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry.jackknife import bounded, share_by


@pytest.mark.parametrize(("wrong", "items"), [(0.05, 60), (0.2, 60), (0.2, 12)])
def test_the_interval_of_a_score_covers(wrong, items):
    rng = np.random.default_rng(0)

    def drawn(n: int) -> np.ndarray:
        return np.where(rng.random(n) < wrong, rng.uniform(0.6, 0.95, n), 1.0)

    truth, covered = drawn(1_000_000).mean(), []
    for _ in range(400):
        x = drawn(items)
        number = bounded(float(x.mean()), (x.sum() - x) / (items - 1), 0.0)
        covered.append(number.low <= truth <= number.high)
    assert np.mean(covered) > 0.89


def test_a_perfect_score_is_not_certain_and_a_negative_one_has_an_interval():
    perfect = bounded(1.0, np.ones(60), 0.2)
    assert perfect.high == 1 and 0.9 < perfect.low < 0.96 and perfect.null == 0.2
    below = bounded(-0.1, np.array([-0.1, -0.12, -0.08]), 0.0)
    assert below.low < -0.1 < below.high


def test_intervals_by_items_cover():
    rng, covered, tries = np.random.default_rng(5), 0, 400
    for _ in range(tries):     # hits on an item share its luck
        luck = rng.beta(6, 1.5, 80)
        hits = (rng.random((80, 3)) < luck[:, None]).astype(float)
        number = share_by(hits.reshape(-1), np.repeat(np.arange(80), 3), 1 / 3)
        covered += number.low <= 0.8 <= number.high
    assert 0.92 <= covered / tries <= 0.98


def test_a_share_of_none_is_not_certain():
    none = share_by(np.zeros(60), np.repeat(np.arange(20), 3), 0.5)
    assert (none.value, none.low, none.null, none.n) == (0, 0, 0.5, 60) and 0.1 < none.high < 0.2
