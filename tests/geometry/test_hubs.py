"""Hubs against loops: who is found how often, with equal vectors that share their places."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import skew

from core.geometry.directions import unit
from core.geometry.hubs import hubness, hubs_among, same_vectors, times_found
from core.geometry.pairs import Pairs


def made_up(n: int = 60, d: int = 8, *, noise: float = 0.5) -> Pairs:
    rng = np.random.default_rng(0)
    base = rng.normal(size=(n, d))
    offset = 0.8 * np.eye(d)[0] * math.sqrt(d)
    x, y = (unit((base + noise * rng.normal(size=(n, d)) + side * offset).astype(np.float32)) for side in (1, -1))
    return Pairs.row_by_row(x, y)


def naive_hubness(queries: np.ndarray, gallery: np.ndarray, k: int) -> float:
    found = np.zeros(len(gallery))
    for q in queries:
        found[np.argsort(-(gallery @ q))[:k]] += 1
    return float(skew(found))


def test_hubness_equals_a_loop():
    pairs = made_up(130, d=20)
    number = hubness(pairs.images, pairs.texts)
    assert number.value == pytest.approx(naive_hubness(pairs.images, pairs.texts, 10), abs=1e-6)
    assert (number.low, number.n) == (None, 130)


def test_hubness_of_neighbours_at_random_is_its_null():
    rng = np.random.default_rng(0)
    x, y = (unit(rng.normal(size=(600, 600))) for _ in range(2))
    number = hubness(x, y)
    assert number.value == pytest.approx(number.null, abs=0.3)
    mean = unit(y - 0.04)
    hubs = hubness(unit(x - 0.04), np.concatenate([mean[:590], unit(-np.ones((10, 600)) / 20 + 0.9 * y[590:])]))
    assert hubs.value > 3 * number.value


def test_equal_captions_share_what_falls_to_them():
    pairs = made_up(60)
    assert hubness(pairs.images, np.repeat(pairs.texts[:1], 60, axis=0)) is None
    twice = np.repeat(pairs.texts[:30], 2, axis=0)
    order = np.random.default_rng(0).permutation(60)
    one = hubness(pairs.images, twice, k=4)
    assert one.value == pytest.approx(hubness(pairs.images, twice[order], k=4).value)
    assert one.value == pytest.approx(naive_hubness(pairs.images, pairs.texts[:30], 2), abs=1e-6)
    near = twice + 1e-7 * np.random.default_rng(1).normal(size=twice.shape).astype(np.float32)
    assert len(np.unique(near, axis=0)) > 40   # no longer equal to the last bit
    for k in (4, 5):
        value = hubness(pairs.images, twice, k=k).value
        assert hubness(pairs.images, near, k=k).value == pytest.approx(value)


def test_hubs_among_captions_given_once_twice_or_thrice_equal_a_loop_that_fills_the_places():
    pairs, k = made_up(60), 5
    copies = np.arange(20) % 3 + 1
    found = np.zeros(20)
    for x in pairs.images:
        places = k
        for j in np.argsort(-(pairs.texts[:20] @ x)):
            found[j] += min(places, copies[j]) / copies[j]
            places -= min(places, copies[j])
    gallery = np.repeat(pairs.texts[:20], copies, axis=0)
    number = hubness(pairs.images, gallery, k=k)
    assert number.value == pytest.approx(float(skew(np.repeat(found, copies))), abs=1e-6)


def test_hubness_of_few():
    pairs = made_up(12, d=30)
    texts = np.repeat(pairs.images, 100, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(1200, 30))
    number = hubness(pairs.images, unit(texts.astype(np.float32)))
    assert math.isfinite(number.value)
    assert math.isfinite(hubness(pairs.images[:9], pairs.texts[:9], k=3).value)
    assert hubness(pairs.images[:1], pairs.texts, k=3) is None
    chance = 10 / 1200
    assert number.null == pytest.approx((1 - 2 * chance) / math.sqrt(12 * chance * (1 - chance)))


def test_equal_rows_are_told_from_different_ones():
    x = made_up(50).images
    rows = np.concatenate([x, x[:20], x[3:4]])
    labels = same_vectors(rows)
    assert np.array_equal(labels[50:70], labels[:20])
    assert labels[70] == labels[3]
    assert len(np.unique(labels)) == 50


def test_times_found_add_up_and_scores_take_the_place_of_cosines():
    pairs = made_up(40)
    found = times_found(pairs.images, pairs.texts, k=3)
    assert found.sum() == pytest.approx(120)
    cosines = pairs.images @ pairs.texts.T
    np.testing.assert_array_equal(times_found(pairs.images, pairs.texts, k=3, scores=cosines), found)
    far = times_found(pairs.images, pairs.texts, k=3, scores=-cosines)
    assert not np.array_equal(far, found) and far.sum() == pytest.approx(120)
    assert times_found(pairs.images, pairs.texts[:2], k=3).tolist() == [40, 40]


def test_a_hub_is_what_chance_would_not_give_and_at_random_there_is_hardly_one():
    rng = np.random.default_rng(4)
    queries, gallery = (unit(rng.normal(size=(n, 300))) for n in (400, 300))
    none = hubs_among(queries, gallery, k=5)
    assert len(none.rows) <= 4 and none.expected == pytest.approx(400 * 5 / 300)
    assert none.never.value == pytest.approx(none.never.null, abs=0.02)
    gallery[7] = unit(queries.mean(axis=0)[None])[0]
    hubs = hubs_among(queries, gallery, k=5)
    assert hubs.rows[0] == 7 and hubs.found[7] > hubs.most and hubs.skew.value > 3 * none.skew.value
    assert len(hubs_among(queries, gallery[:3], k=5).rows) == 0
