"""Scores of what was found: as written naively, without each item, by hand on groups, and intervals that cover."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.quality.scoring import Dropped
from core.geometry.scores import Score, average_precision, mean_of, roc_auc


def naive_auc(s: np.ndarray, wrong: np.ndarray) -> float:
    return float(np.mean([(a > b) + (a == b) / 2 for a in s[wrong] for b in s[~wrong]]))


def naive_precision(s: np.ndarray, wrong: np.ndarray) -> float:
    return float(np.mean([wrong[s >= at].mean() for at in s[wrong]]))


@pytest.mark.parametrize(("score", "naive"), [(roc_auc, naive_auc), (average_precision, naive_precision)])
def test_scores_are_what_they_say_with_ties_and_without_each_item(
        score: Callable[..., Score], naive: Callable[[np.ndarray, np.ndarray], float]) -> None:
    rng = np.random.default_rng(0)
    wrong = rng.random(60) < 0.3
    s = np.round(rng.normal(size=60) + wrong, 1)
    found = score(s, wrong)
    assert found.value == pytest.approx(naive(s, wrong))
    left = [naive(np.delete(s, i), np.delete(wrong, i)) for i in range(60)]
    np.testing.assert_allclose(found.without, left, atol=1e-12)
    assert score(-s, wrong, "low").value == pytest.approx(found.value)
    unknown = np.where(np.arange(60) == np.flatnonzero(wrong)[0], np.nan, s)
    assert score(unknown, wrong).value == pytest.approx(naive(np.where(np.isnan(unknown), -9, s), wrong))
    both = mean_of([found, score(s[::-1], wrong)])
    assert both.number.n == 120 and both.wrong == 2 * wrong.sum()
    np.testing.assert_allclose(both.without[:60] - both.value, (found.without - found.value) / 2)


def test_of_each_group_all_but_one_should_go() -> None:
    groups = np.array([*"aabbbcccccccccc", "d", "e"])
    assert Dropped.of(np.array([1, 3, 4, *range(6, 15)]), groups).f1().value == 1
    none = Dropped.of(np.array([], dtype=np.int64), groups)
    assert none.f1().value == 0 and none.recall().value == 0
    some = Dropped.of(np.array([0, 1, 3, 6, 15]), groups)   # one of a is lost for nothing, and d
    assert some.hits.sum() == 3 and some.f1().value == pytest.approx(2 * 3 / (5 + 12))
    assert [some.recall(k).value for k in (2, 3, 10)] == [1, 0.5, pytest.approx(1 / 9)]
    by_hand = [2 * 2 / (3 + 11), 2 * 2 / (4 + 10), 2 * 2 / (4 + 3), 2 * 3 / (4 + 12), 2 * 3 / (5 + 12)]
    np.testing.assert_allclose(some.f1().without, by_hand)
    rng = np.random.default_rng(0)
    at_random = [Dropped.of(rng.permutation(17)[:5], groups).f1().value for _ in range(4000)]
    assert some.f1().chance == pytest.approx(np.mean(at_random), abs=0.01)
    with pytest.raises(ShapeError, match="groups of 4 copies"):
        some.recall(4)


def test_a_better_finding_is_told_from_a_worse_one_on_the_same_items() -> None:
    rng = np.random.default_rng(1)
    wrong = np.arange(400) < 60
    good = rng.normal(size=400) + 3 * wrong
    worse = good + rng.normal(0, 1.5, 400)
    over = roc_auc(good, wrong).over(roc_auc(worse, wrong))
    assert over.p is not None and over.p < 0.01 and over.change.value > 0
    assert roc_auc(good, wrong).over(roc_auc(2 * good, wrong)).p == 1


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(ShapeError, match="two or more of them wrong"):
        roc_auc(np.zeros(5), np.arange(5) < 1)
    with pytest.raises(ShapeError, match="one score or more"):
        mean_of([])


@pytest.mark.parametrize(("score", "n", "share", "apart"), [
    (roc_auc, 900, 0.3, 3.0), (roc_auc, 900, 0.05, 3.5), (average_precision, 300, 0.1, 4.0)])
def test_intervals_cover(score: Callable[..., Score], n: int, share: float, apart: float) -> None:
    rng = np.random.default_rng(0)

    def drawn(size: int) -> Score:
        """A few of what is wrong look like what is right."""
        wrong = np.arange(size) < round(share * size)
        hidden = rng.random(size) < 0.03
        return score(rng.normal(size=size) + apart * (wrong & ~hidden), wrong)

    sets = [drawn(n) for _ in range(160)]
    truth = float(np.mean([s.value for s in sets]))   # of the mean of so many, known to a tenth of their spread
    covered = np.mean([s.number.low <= truth <= s.number.high for s in sets])  # type: ignore[operator]
    assert covered >= 0.89
    width = np.mean([s.number.high - s.number.low for s in sets])  # type: ignore[operator]
    assert width < 7 * np.std([s.value for s in sets]), "and are no wider than they need be"


def test_the_interval_of_f1_covers() -> None:
    rng = np.random.default_rng(2)
    sizes = np.array(60 * [1] + 10 * [2, 3, 10])

    def drawn() -> Score:
        found = rng.random(len(sizes)) < 0.93
        dropped = np.where(sizes > 1, np.where(found, sizes - 1, (sizes - 1) // 2), rng.random(len(sizes)) < 0.02)
        return Dropped(sizes, dropped).f1()

    sets = [drawn() for _ in range(400)]
    truth = float(np.mean([s.value for s in sets]))
    assert np.mean([s.number.low <= truth <= s.number.high for s in sets]) >= 0.89  # type: ignore[operator]
