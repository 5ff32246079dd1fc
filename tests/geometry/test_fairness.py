"""The fairness curve: shares counted by hand, groups that differ and groups that do not, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.fairness import fairness, shares_differ
from core.geometry.pairs import Classes, Pairs
from core.geometry.shift import gap_vector

NAMES = ("cat", "dog", "thief")
UNWANTED = np.array([False, False, True])
LAMS = np.array([0.0, 0.25, 0.5])


def made(seed: int = 0, n: int = 90, pull: float = 0.0) -> tuple[Pairs, np.ndarray]:
    """Images of two classes in three groups, the first pulled towards a third class; texts of a gap."""
    rng = np.random.default_rng(seed)
    classes = unit(rng.normal(size=(3, 12)).astype(np.float32))
    truth, members = np.arange(n) % 2, np.arange(n) % 3
    gap = np.r_[3.0, np.zeros(11)]
    images = classes[truth] + pull * (members == 0)[:, None] * classes[2] + 0.35 * rng.normal(size=(n, 12)) + gap
    texts = classes[truth] + 0.2 * rng.normal(size=(n, 12)) - gap
    return Pairs.row_by_row(unit(images.astype(np.float32)), unit(texts.astype(np.float32)),
                            Classes(NAMES, unit((classes - gap).astype(np.float32)), truth)), members


def test_shares_and_accuracy_are_counted_along_the_shift():
    pairs, members = made(pull=1.6)
    found = fairness(pairs, UNWANTED, members, ("a", "b", "c"), shifts=LAMS)
    for i, lam in enumerate(LAMS):
        step = lam * gap_vector(pairs)
        images, vectors = unit(pairs.images - step), unit(pairs.classes.vectors + step)
        guess = (images @ vectors.T).argmax(axis=1)
        for g in range(3):
            assert found.shares[g][i].value == pytest.approx(np.mean(guess[members == g] == 2))
            assert found.shares[g][i].n == 30 and found.shares[g][i].null == pytest.approx(np.mean(guess == 2))
        assert found.accuracy[i].value == pytest.approx(np.mean(guess == pairs.classes.truth))
        shares = [number[i].value for number in found.shares]
        assert found.differences[i].change.value == pytest.approx(max(shares) - min(shares))
    assert found.gap[0] == pytest.approx(np.linalg.norm(gap_vector(pairs)), rel=1e-5) and found.gap[2] < 0.2
    assert found.differences[0].p < 0.01 and found.shares[0][0].value > found.shares[1][0].value + 0.2
    assert found.differences[0].change.null > 0


def test_two_groups_have_a_signed_difference_whose_p_is_fishers():
    pairs, members = made(3, 80, pull=0.6)
    members = members % 2
    found = fairness(pairs, UNWANTED, members, ("a", "b"), shifts=np.array([0.0]))
    bad, sizes = found.unwanted[:, 0], np.bincount(members)
    table = [[int(bad[members == g].sum()), int((~bad[members == g]).sum())] for g in (0, 1)]
    assert found.differences[0].p == pytest.approx(fisher_exact(table).pvalue, abs=0.04)
    assert found.differences[0].change == shares_differ(table[0][0], sizes[0], table[1][0], sizes[1])
    assert shares_differ(56, 70, 48, 80).low == pytest.approx(0.0524, abs=1e-4)   # Newcombe's table II, method 10
    assert shares_differ(56, 70, 48, 80).high == pytest.approx(0.3339, abs=1e-4)


def test_an_image_whose_label_is_unwanted_is_left_out():
    pairs, members = made()
    truth = pairs.classes.truth.copy()
    truth[:6], truth[6:9] = 2, -1
    relabelled = Pairs(pairs.images, pairs.texts, pairs.links, Classes(NAMES, pairs.classes.vectors, truth))
    found = fairness(relabelled, UNWANTED, np.where(np.arange(90) == 89, -1, members), ("a", "b", "c"), shifts=LAMS)
    assert sum(number[0].n for number in found.shares) == 83 and found.accuracy[0].n == 80
    unlabelled = Pairs(pairs.images, pairs.texts, pairs.links, Classes(NAMES, pairs.classes.vectors, truth * 0 - 1))
    assert fairness(unlabelled, UNWANTED, members, ("a", "b", "c"), shifts=LAMS).accuracy == ()


def test_groups_that_do_not_differ_are_not_told_apart_and_bad_input_is_refused():
    pairs, members = made(7)
    found = fairness(pairs, UNWANTED, np.random.default_rng(1).permutation(members), ("a", "b", "c"), shifts=LAMS)
    assert all(difference.p > 0.05 for difference in found.differences)
    more = fairness(pairs, UNWANTED, np.where(members == 1, 3, members), ("a", "b", "c", "d"), shifts=LAMS)
    assert more.groups == ("a", "c", "d") and more.shares[2][0].n == 30
    for bad, groups, names in ((UNWANTED & False, members, ("a", "b", "c")), (UNWANTED | True, members, "abc"),
                               (UNWANTED, members * 0, ("a", "b"))):
        with pytest.raises(ShapeError):
            fairness(pairs, bad, groups, tuple(names), shifts=LAMS)
