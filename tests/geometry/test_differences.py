"""Differences on the same items: hand-made tables, exact tests, how often nothing is called something."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_rel

from core.errors import ShapeError
from core.geometry.differences import (
    FLIPS,
    MOST_FLIPPED,
    Difference,
    Verdict,
    by_student,
    hits_differ,
    holm,
    means_differ,
    statistics_differ,
)
from core.geometry.directions import unit
from core.geometry.gap.landscape import landscape
from core.geometry.gap.paired import models_differ
from core.geometry.pairs import Pairs
from core.geometry.retrieval import hits_of
from core.geometry.shift import shifted
from core.types import Number


@pytest.fixture(scope="module")
def coco(reference) -> Pairs:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return Pairs.row_by_row(unit(data["image"]), unit(data["text"]))


def table(gained: int, lost: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    before = np.concatenate([np.zeros(gained), np.ones(lost), np.ones(n - gained - lost)])
    after = np.concatenate([np.ones(gained), np.zeros(lost), np.ones(n - gained - lost)])
    return before, after


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (3, 20), (25, 67), (10, 10), (6, 0)])
def test_hits_on_the_same_queries_are_mcnemar(gained, lost):
    found = hits_differ(*table(gained, lost, 200))
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert found.p == pytest.approx(expected)
    assert found.change.value == pytest.approx((gained - lost) / 200)
    assert found.change.low <= found.change.value <= found.change.high
    assert found.verdict is (Verdict.NOT_TOLD_APART if expected > 0.05 else
                             Verdict.LOWER if lost > gained else Verdict.HIGHER)


def test_the_first_hundred_pairs_of_coco_lose_by_closing(coco):
    """Intervals side by side overlap here (0.71 and 0.54 of 100); the pairs themselves tell the two apart."""
    first = coco.part(np.arange(100), np.arange(100))
    found = models_differ(first, shifted(first, 0.5))["r1_text_to_image"]
    hits = [hits_of(p.texts, p.images)[1].mean() for p in (first, shifted(first, 0.5))]
    assert hits == pytest.approx([0.71, 0.54])
    assert round(found.p, 4) == 0.0005
    closed = landscape(first).closed
    assert closed["r1_text_to_image"].p == pytest.approx(2 * found.p)   # of two directions; the loss has two batches
    assert closed["r1_text_to_image"].verdict is closed["r1_image_to_text"].verdict is Verdict.LOWER
    assert closed["loss"].verdict is Verdict.NOT_MEASURABLE


def test_a_quarter_of_a_shift_of_coco_loses_67_and_gains_25(coco):
    found = models_differ(coco, shifted(coco, 0.25))["r1_image_to_text"]
    assert found.test == "exact McNemar, 25 gained and 67 lost"
    assert found.p == pytest.approx(1.4e-5, rel=0.02)


def test_several_queries_of_one_item_are_flipped_together():
    """Against all 2^10 signs."""
    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 2, (2, 30)).astype(float)
    after[:12] = 1
    together = np.arange(30) // 3
    sums = np.bincount(together, after - before)
    every = np.array([abs(np.dot(signs, sums)) for signs in itertools.product((-1, 1), repeat=10)])
    exact = (every >= abs(sums.sum()) - 1e-9).mean()
    found = hits_differ(before, after, together)
    assert found.p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / FLIPS) + 1e-4)
    off = sums - 3 * found.change.value
    assert found.change.high - found.change.value == pytest.approx(
        2.2622 * math.sqrt(10 / 9 * (off**2).sum()) / 30, rel=3e-3)
    assert found.p == hits_differ(before, after, together).p


def test_many_items_are_flipped_by_their_normal_limit():
    rng = np.random.default_rng(1)
    steps = rng.choice([-1.0, 0, 1.0], MOST_FLIPPED + 800, p=[0.35, 0.25, 0.4])
    before = np.full(len(steps), 0.5)
    many, few = (hits_differ(before[:n], before[:n] + 0.1 * steps[:n]) for n in (len(steps), 1000))
    assert many.p == pytest.approx(math.erfc(abs(steps.sum()) / math.sqrt(2 * (steps**2).sum())))
    assert few.p == pytest.approx(math.erfc(abs(steps[:1000].sum()) / math.sqrt(2 * (steps[:1000] ** 2).sum())),
                                  abs=0.02)


def test_queries_asked_more_often_count_more():
    before, after, asked = np.zeros(8), np.array([1, 0.5, 0, 0, 0, 0, 0, 1]), np.array([1, 2, 3, 4, 1, 1, 1, 1])
    found = hits_differ(before, after, asked=asked)
    assert found.change.value == pytest.approx((1 + 1 + 1) / asked.sum())


@pytest.mark.parametrize("together", [False, True], ids=["queries", "items"])
def test_nothing_is_rarely_called_something(together):
    rng, called = np.random.default_rng(2), 0
    for seed in range(200):
        before, after = (rng.random((2, 60)) < 0.6).astype(float)
        labels = np.arange(60) // 2 if together else None
        called += hits_differ(before, after, labels, seed=seed).verdict is not Verdict.NOT_TOLD_APART
    assert called <= 16


def test_means_and_statistics_are_paired():
    rng = np.random.default_rng(3)
    before = rng.normal(size=12) * 5
    after = before + 0.3 + 0.1 * rng.normal(size=12)
    found = means_differ(before, after)
    expected = ttest_rel(after, before)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.change.low, found.change.high) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-3)
    left = [(np.delete(v, i).mean()) for v in (before, after) for i in range(12)]
    jack = statistics_differ(before.mean(), after.mean(), np.array(left[:12]), np.array(left[12:]))
    assert jack.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert jack.verdict is Verdict.HIGHER


def test_not_measurable_is_an_answer_of_its_own():
    assert hits_differ(np.zeros(5), np.ones(5)).verdict is Verdict.NOT_MEASURABLE
    assert hits_differ(np.zeros(6), np.ones(6)).verdict is Verdict.HIGHER
    assert hits_differ(np.zeros(30), np.ones(30), np.arange(30) % 5).verdict is Verdict.NOT_MEASURABLE
    assert means_differ(np.zeros(2), np.ones(2)).verdict is Verdict.NOT_MEASURABLE
    assert statistics_differ(0.0, 1.0, np.full(9, math.nan), np.ones(9)).verdict is Verdict.NOT_MEASURABLE
    assert by_student(math.nan, 1.0, 5, n=6).verdict is Verdict.NOT_MEASURABLE
    same = means_differ(np.ones(9), np.ones(9))
    assert same.verdict is Verdict.NOT_TOLD_APART and same.p == 1
    with pytest.raises(ShapeError, match="the same items before and after, one or more"):
        hits_differ(np.zeros(5), np.zeros(6))


def test_families_are_corrected_by_holm_by_hand():
    def of(p: float | None) -> Difference:
        return Difference(Number(1.0), p)

    found = holm({"a": of(0.01), "b": of(0.04), "c": of(0.03), "d": of(None), "e": of(0.9)})
    assert [found[k].p for k in "abcde"] == [pytest.approx(v) if v is not None else None
                                             for v in (0.04, 0.09, 0.09, None, 0.9)]
    assert found["a"].verdict is Verdict.HIGHER
    assert found["c"].verdict is Verdict.NOT_TOLD_APART
    assert found["d"].verdict is Verdict.NOT_MEASURABLE
    assert holm({"a": of(0.01)}, among=60)["a"].p == pytest.approx(0.6)


def gap_by_hand(pairs: Pairs, left: int | None = None) -> float:
    keep_x = np.arange(len(pairs.images)) != (-1 if left is None else left)
    keep_y = ~np.isin(np.arange(len(pairs.texts)), pairs.links[pairs.links[:, 0] == left, 1])
    return float(np.linalg.norm(pairs.images[keep_x].mean(axis=0) - pairs.texts[keep_y].mean(axis=0)))


def test_the_gaps_of_two_models_differ_by_a_jackknife_over_images_with_their_texts():
    rng = np.random.default_rng(4)
    links = np.stack([np.arange(40) // 2, np.arange(40)], axis=1)

    def model(move: float, d: int) -> Pairs:
        x, y = rng.normal(size=(20, d)) + 0.5, rng.normal(size=(40, d)) - move
        return Pairs(unit(x), unit(y), links)

    a, b = model(0.3, 6), model(0.8, 9)
    found = models_differ(a, b)
    left = [[gap_by_hand(p, i) for i in range(20)] for p in (a, b)]
    meant = statistics_differ(gap_by_hand(a), gap_by_hand(b), *np.array(left))
    assert found["centroid_gap"].change.value == pytest.approx(meant.change.value)
    assert found["centroid_gap"].p == pytest.approx(meant.p, rel=1e-6)
    assert found["r1_text_to_image"].test == "sign flips over 20 items"
    with pytest.raises(ShapeError, match="the same items from both models"):
        models_differ(a, Pairs(b.images, b.texts, links[:-1]))
