"""Retrieval and classification against loops, on vectors laid out by hand, with ties and several right answers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.intervals import proportion
from core.geometry.retrieval import accuracy, recall_at, recalls


def circle(*degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)


def noisy_pairs(seed: int, n: int, d: int = 8, noise: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = unit(rng.normal(size=(n, d)))
    return x, unit(x + noise * unit(rng.normal(size=(n, d))))


def by_hand(scores: np.ndarray, right: list[set[int]], k: int) -> float:
    """Share of hits over all orders of equal scores, tried one by one."""
    chances = []
    for row, answers in zip(scores, right):
        if not answers:
            continue
        orders = [sorted(range(len(row)), key=lambda j, o=o, row=row: (-row[j], o[j]))
                  for o in itertools.permutations(range(len(row)))]
        chances.append(np.mean([bool(answers & set(order[:k])) for order in orders]))
    return float(np.mean(chances))


def test_wilson_interval_by_hand() -> None:
    half = proportion(50, 100, null=0.1)
    assert (half.low, half.high) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
    assert (half.null, half.n, half.unit) == (0.1, 100, "share")
    assert proportion(10, 10).high == 1
    assert proportion(0, 10).low == 0
    assert proportion(2.5, 10).value == 0.25
    with pytest.raises(ShapeError, match="0 <= successes <= n with n >= 1; got 3 of 2"):
        proportion(3, 2)


def test_accuracy_counts_the_nearest() -> None:
    images, classes = circle(5, 80, 170, 100), circle(0, 90, 180)
    result = accuracy(images, classes, np.array([0, 1, 2, 2]))
    assert result.value == 0.75
    assert result.null == pytest.approx(1 / 3)
    own = np.stack([circle(5, 60), circle(0, 80), circle(170, 0), circle(0, 100)])
    assert accuracy(images, own, np.array([0, 1, 0, 0])).value == 0.75


def test_accuracy_leaves_out_images_without_a_class_and_halves_what_two_equal_classes_share() -> None:
    images = circle(5, 80, 170, 100)
    result = accuracy(images, circle(0, 90, 180), np.array([0, -1, 2, -1]))
    assert (result.value, result.n) == (1.0, 2)
    assert accuracy(images, circle(0, 0, 180), np.array([0, 1, 2, -1])).value == pytest.approx(2 / 3)
    own = np.stack([circle(5, 60), circle(0, 80), circle(170, 0), circle(0, 100)])
    assert accuracy(images, own, np.array([0, -1, 1, -1])).value == 0.5
    with pytest.raises(ShapeError, match="images with a known class; got none"):
        accuracy(images, circle(0, 90), np.array([-1, -1, -1, -1]))


def test_recall_equals_a_loop() -> None:
    x, y = noisy_pairs(0, 300)
    for k in (1, 5):
        hits = 0
        for i in range(300):
            order = sorted(range(300), key=lambda j, i=i: -float(x[i] @ y[j]))
            hits += i in order[:k]
        assert recall_at(x, y, k=k).value == pytest.approx(hits / 300)
        assert recall_at(x, y, k=k).null == pytest.approx(k / 300)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_ties_and_several_right_answers_equal_all_orders_tried_one_by_one(k: int) -> None:
    rng = np.random.default_rng(k)
    for _ in range(20):
        scores = rng.integers(0, 3, size=(6, 5)).astype(np.float32)
        links = np.argwhere(rng.random((6, 5)) < 0.35)
        right = [{int(j) for i, j in links if i == q} for q in range(6)]
        if not len(links):
            continue
        assert recall_at(scores, scores, links, k, scores=scores).value == pytest.approx(by_hand(scores, right, k))


def test_chance_with_several_right_answers_is_that_of_a_random_order() -> None:
    links = np.array([[0, 0], [0, 1], [1, 2], [2, 3], [2, 4], [2, 5]])
    scores = np.random.default_rng(0).normal(size=(3, 7))
    for k in (1, 3, 7):
        chance = np.mean([1 - math.comb(7 - r, k) / math.comb(7, k) for r in (2, 1, 3)])
        assert recall_at(scores, scores, links, k, scores=scores).null == pytest.approx(chance)


def test_one_caption_for_all_is_neither_lucky_nor_unlucky() -> None:
    x, y = noisy_pairs(2, 60)
    same = np.repeat(y[:1], 60, axis=0)
    assert recall_at(x, same).value == pytest.approx(1 / 60)
    assert recall_at(same, x).value == pytest.approx(1 / 60)
    assert recall_at(x, same, k=5).value == pytest.approx(5 / 60)
    one_text = np.stack([np.arange(60), np.zeros(60, dtype=int)], axis=1)
    only = recall_at(x, y[:1], one_text)
    assert (only.value, only.null) == (1.0, 1.0)


def test_pairs_given_twice_are_found_half_of_the_time() -> None:
    x, y = noisy_pairs(3, 40, noise=0.01)
    assert recall_at(x, y).value == 1
    twice = np.tile(np.arange(40), 2)
    assert recall_at(x[twice], y[twice]).value == pytest.approx(0.5)
    assert recall_at(x[twice], y[twice], k=2).value == pytest.approx(1)
    for way in (slice(None), slice(None, None, -1)):   # which of the two comes first is of no account
        order = np.arange(80)[way]
        assert recall_at(x[twice][order].astype(np.float32), y[twice][order].astype(np.float32)).value == 0.5


def test_several_captions_an_image_and_queries_without_any() -> None:
    images, texts = circle(0, 90, 200), circle(10, 80, 100, 45, 300)
    links = np.array([[0, 0], [1, 1], [1, 2], [0, 3]])
    there = recall_at(images, texts, links)
    assert (there.value, there.n) == (1.0, 2)
    back = recall_at(texts, images, links[:, ::-1])
    assert (back.value, back.n) == (pytest.approx(0.875), 4)   # 45 degrees is as near to either image
    missed = recall_at(texts, images, np.array([[0, 2], [1, 1]]))
    assert missed.value == 0.5


def test_captions_of_one_image_count_as_fewer_queries_by_how_alike_they_fare() -> None:
    rng = np.random.default_rng(4)
    x = unit(rng.normal(size=(100, 4)))
    y = unit(x + 0.5 * rng.normal(size=(100, 4)))
    links = np.stack([np.arange(500), np.arange(500) // 5], axis=1)
    one = recall_at(y, x)
    alike = recall_at(np.repeat(y, 5, axis=0), x, links)
    assert alike.value == pytest.approx(one.value)
    assert (alike.low, alike.high) == (pytest.approx(one.low, abs=1e-6), pytest.approx(one.high, abs=1e-6))
    apart = recall_at(unit(np.repeat(x, 5, axis=0) + 0.5 * rng.normal(size=(500, 4))), x, links)
    assert apart.high - apart.low < 0.75 * (alike.high - alike.low)


def test_the_interval_with_three_captions_an_image_by_hand() -> None:
    found = np.array([1, 1, 0, 1, 0, 0, 1, 1, 1])   # two of the first image, one of the second, all of the third
    links = np.array([[q, q // 3] for q in range(9)])
    scores = np.zeros((9, 4), dtype=np.float32)
    scores[np.arange(9), np.where(found, links[:, 1], 3)] = 1
    number = recall_at(scores, scores, links, scores=scores)
    assert number.value == pytest.approx(6 / 9)
    off = np.array([2 - 2, 1 - 2, 3 - 2])
    alike = (off**2).sum() * 3 / 2 / 81 / (2 / 9 / 9)
    assert 1 < alike < 3
    by_hand = proportion(9 / alike * 2 / 3, 9 / alike)
    assert (number.low, number.high) == (pytest.approx(by_hand.low), pytest.approx(by_hand.high))


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = noisy_pairs(5, 50)
    links = np.argwhere(np.random.default_rng(5).random((50, 50)) < 0.03)
    whole = recalls(x, y, links)
    monkeypatch.setattr("core.geometry.retrieval.BLOCK", 7 * 50)
    assert recalls(x, y, links) == whole
    assert set(whole) == {1, 5}


def test_recall_does_not_depend_on_row_order_or_rotation() -> None:
    x, y = noisy_pairs(1, 200, 6, 0.8)
    rng = np.random.default_rng(1)
    order, (turn, _) = rng.permutation(200), np.linalg.qr(rng.normal(size=(6, 6)))
    value = recall_at(x, y).value
    assert recall_at(x[order], y[order]).value == value
    assert recall_at(unit(x @ turn), unit(y @ turn)).value == value


def test_more_answers_than_the_gallery_holds_is_always_a_hit() -> None:
    assert recall_at(circle(0, 90), circle(90, 0), k=5).value == 1


def test_what_cannot_be_scored_is_told() -> None:
    with pytest.raises(ShapeError, match="2 true classes, one an image; got 1"):
        accuracy(circle(0, 1), circle(0, 9), np.array([0]))
    with pytest.raises(ShapeError, match=r"a gallery of 2 rows, one a query; got 3\. Or say which belong together"):
        recall_at(circle(0, 1), circle(0, 1, 2))
    with pytest.raises(ShapeError, match=r"queries with a right answer; got none\. Retrieval needs pairs"):
        recall_at(circle(0, 1), circle(0, 1, 2), np.zeros((0, 2)))
    with pytest.raises(ShapeError, match="links between the queries and the gallery at hand; got an index outside"):
        recall_at(circle(0, 1), circle(0, 1, 2), np.array([[2, 0]]))
    with pytest.raises(ShapeError, match="k >= 1; got 0"):
        recall_at(circle(0, 1), circle(0, 1), k=0)
    with pytest.raises(ShapeError, match="a gallery of 2 dimensions; got 3"):
        recall_at(circle(0, 1), np.eye(3)[:2])
    with pytest.raises(ShapeError, match="queries with unit rows"):
        recall_at(2 * circle(0, 1), circle(0, 1))
    with pytest.raises(ShapeError, match="finite scores"):
        recall_at(circle(0, 1), circle(0, 1), scores=np.full((2, 2), np.nan))
