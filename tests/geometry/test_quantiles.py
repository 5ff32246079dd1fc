"""Quantiles and shares: their intervals cover, also where several values come from one item, or there are none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import bdtr
from scipy.stats import norm

from core.errors import ShapeError
from core.geometry.quantiles import quantiles, share_of

SETS = 400


@pytest.mark.parametrize(("n", "p"), [(30, 0.5), (60, 0.7), (100, 0.05), (400, 0.99)])
def test_the_interval_of_a_quantile_covers(n, p):
    rng = np.random.default_rng(0)
    found = [quantiles(rng.normal(size=n), [p])[0] for _ in range(SETS)]
    assert 0.92 < np.mean([q.low <= norm.ppf(p) <= q.high for q in found]) < 0.995


def test_it_is_between_the_ordered_values_that_binomial_counts_name():
    x = np.random.default_rng(1).permutation(200).astype(float)
    (found,) = quantiles(x, [0.3], null=[7.0], unit="u")
    counts = bdtr(np.arange(201), 200, 0.3)
    low, high = np.searchsorted(counts, 0.025), np.searchsorted(counts, 0.975) + 1
    assert (found.low, found.high) == (low - 1, high - 1) and found.value == np.quantile(x, 0.3)
    assert (found.null, found.n, found.unit) == (7.0, 200, "u")


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_values_of_one_item_count_as_fewer(p):
    rng, together = np.random.default_rng(0), np.repeat(np.arange(120), 5)
    truth, covered, plain = norm.ppf(p) * np.sqrt(1.25), [], []
    shares, t = [], 0.5
    for _ in range(SETS):
        values = (rng.normal(size=(120, 1)) + 0.5 * rng.normal(size=(120, 5))).ravel()
        for told, numbers in ((covered, quantiles(values, [p], together)), (plain, quantiles(values, [p]))):
            told.append(numbers[0].low <= truth <= numbers[0].high)
        share = share_of(values <= t, together)
        shares.append(share.low <= norm.cdf(t / np.sqrt(1.25)) <= share.high)
    assert np.mean(covered) > 0.92 and np.mean(shares) > 0.92
    assert np.mean(plain) < 0.85, "as if all were apart, it would not"


def test_few_values_have_no_interval_and_none_is_an_error():
    assert quantiles(np.arange(20.0), [0.01])[0].low is None
    assert quantiles(np.arange(400.0), [0.01], np.repeat(np.arange(80), 5))[0].low is None, "80 items, not 400"
    assert quantiles(np.ones(1), [0.5])[0].low is None and quantiles(np.ones(50), [0.5])[0].high == 1
    assert [q.value for q in quantiles(np.arange(5.0), [0, 1])] == [0, 4]
    assert share_of(np.ones(6, bool), np.zeros(6)).low == share_of(np.ones(1, bool)).low, "six of one item are one"
    with pytest.raises(ShapeError, match="shares between 0 and 1"):
        quantiles(np.zeros(0), [0.5])
