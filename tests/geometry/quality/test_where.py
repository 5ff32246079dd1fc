"""Where A and B differ: planted places are found and nothing else, against naive loops; odd sets; parts of both."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import fisher_exact

from core.errors import Cancelled, ShapeError
from core.geometry.directions import angle, unit
from core.geometry.quality.composition import composition, nearest_class
from core.geometry.quality.regions import regions
from core.geometry.quality.where import where_apart


def clumps(counts: list[int], *, seed: int = 0, d: int = 24) -> np.ndarray:
    """So many items of each of several topics, a topic at each axis."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(counts)), counts)
    return unit((2.5 * np.eye(d)[of] + 0.3 * rng.normal(size=(len(of), d))).astype(np.float32))


@pytest.fixture(scope="module")
def planted():
    """150 items of four topics each; A has 40 of a fifth topic that B lacks."""
    a, b = clumps([40, 40, 40, 30, 40]), clumps([40, 40, 40, 70, 0], seed=1)
    return a, b, where_apart(a, b, k=20)


def test_shares_are_those_of_naive_neighbours(planted):
    a, b, found = planted
    z = np.concatenate([a, b])
    assert (found.n, found.k) == (190, 20)
    for i in (0, 50, 160, 189, 190, 300, 379):
        order = np.argsort(-(z @ z[i]), kind="stable")
        near = order[order != i][:20]
        share = found.share_a[i] if i < 190 else found.share_b[i - 190]
        assert share == pytest.approx((near < 190).mean())


def test_a_planted_topic_is_where_a_dominates(planted):
    _, _, found = planted
    assert (found.share_a[150:] > found.high).mean() > 0.9
    assert (found.share_a[:120] > found.high).mean() < 0.05
    assert found.low < 0.5 < found.high and found.by_chance.mean() == pytest.approx(0.5, abs=0.03)
    assert found.p["places"] <= 0.05 and found.told.null < 0.01 < found.told.value


def test_items_of_one_set_alone_are_found_with_the_angle_they_are_farther(planted):
    a, b, found = planted
    flagged = found.only_a.flagged()
    assert set(flagged) >= set(range(150, 190)) and len(flagged) <= 46
    assert found.p["only_a"] <= 0.05 < found.p["only_b"]
    for i in (0, 170):
        to_b, to_a = np.sort(angle(a[i], b)), np.sort(angle(a[i], np.delete(a, i, axis=0)))
        assert found.only_a.scores[i] == pytest.approx(math.degrees(to_b[0] - to_a[4]), abs=1e-3)
        assert found.only_a.partners[i] == angle(a[i], b).argmin()
    assert (found.only_a.by_chance >= found.only_a.threshold).mean() == pytest.approx(0.01, abs=0.005)
    assert found.only_a.fingerprint == where_apart(a, b, k=20).only_a.fingerprint


def test_an_item_alone_in_its_own_set_is_not_of_one_set_alone():
    a, b = clumps([60, 60]), clumps([60, 60], seed=1)
    a[0] = np.eye(24)[20]
    assert 0 not in where_apart(a, b, k=10).only_a.flagged()


def test_unequal_sets_are_compared_as_if_they_were_equal():
    a, b = clumps([100, 100]), clumps([900, 900], seed=1)
    found = where_apart(a, b)
    assert (len(found.share_a), len(found.share_b), found.n, found.k) == (200, 1800, 200, 20)
    assert found.share_b.mean() == pytest.approx(0.5, abs=0.05)
    assert found.p["places"] > 0.05


@pytest.mark.parametrize(("a", "b"), [
    (clumps([3, 3]), clumps([3, 3], seed=1)),
    (clumps([30]), clumps([30])),
    (np.repeat(clumps([1]), 30, axis=0), np.repeat(clumps([1]), 30, axis=0)),
    (unit(np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)),
     unit(np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32))),
], ids=["six items", "identical", "one point", "two dimensions"])
def test_odd_sets_have_no_place_of_their_own(a, b):
    found = where_apart(a, b)
    assert np.isfinite(np.concatenate([found.share_a, found.only_a.scores, found.only_b.scores])).all()
    assert min(found.p.values()) > 0.05
    assert math.isfinite(found.only_a.threshold)


def test_what_belongs_together_counts_once():
    a, b = (np.repeat(clumps([6, 6, 6], seed=s), 5, axis=0) for s in (0, 1))
    groups = np.repeat(np.arange(18), 5), 18 + np.repeat(np.arange(18), 5)
    single, together = (where_apart(a, b, k=4, together=t) for t in (None, groups))
    assert min(single.p.values()) <= 0.05 < min(together.p.values())
    assert where_apart(a, clumps([20, 20, 20], seed=1), together=(groups[0], 18 + np.arange(60))).n == 18


def test_errors_and_stopping():
    with pytest.raises(ShapeError, match="a group of each item, 10 of A and 10 of B; got 9 and 10"):
        where_apart(clumps([10]), clumps([10]), together=(np.arange(9), np.arange(10)))
    with pytest.raises(ShapeError, match="at least 6 vectors of B"):
        where_apart(clumps([10]), clumps([3]))
    with pytest.raises(ShapeError, match="fewer neighbours than both have"):
        where_apart(clumps([10]), clumps([10]), k=20)
    with pytest.raises(Cancelled):
        where_apart(clumps([10]), clumps([10]), should_stop=lambda: True)


def test_regions_know_what_is_where_and_show_it():
    a, b = clumps([60, 60, 60]), clumps([60, 100, 20], seed=1)
    found = regions(a, b, count=3)
    topic = np.repeat(np.arange(3), 60)
    assert all(len(set(found.of_a[topic == t])) == 1 for t in range(3))
    counts = {part.name: part.counts for part in found.composition.parts}
    assert sorted(counts.values()) == [(60, 20), (60, 60), (60, 100)]
    told = {part.counts: part.change.p <= 0.05 for part in found.composition.parts}
    assert told == {(60, 60): False, (60, 20): True, (60, 100): True}
    for r in range(3):
        assert (found.of_a[found.examples_a[r]] == r).all() and len(found.examples_a[r]) == 8
        cosines = a[found.examples_a[r]] @ found.centres[r]
        assert (np.diff(cosines) <= 1e-6).all() and cosines[0] == pytest.approx((a @ found.centres[r]).max(), abs=1e-6)
    lone = regions(a[:1], b[:3])
    assert len(lone.names) == 1 and lone.composition.parts[0].counts == (1, 3)


def test_parts_have_their_shares_and_p_by_fisher():
    found = composition(["cat"] * 30 + ["dog"] * 70, ["cat"] * 55 + ["dog"] * 40 + ["fox"] * 5 + [""] * 9)
    by_name = {part.name: part for part in found.parts}
    assert list(by_name) == ["dog", "cat", "fox"] and found.left_out == (0, 9)
    cat, fox = by_name["cat"], by_name["fox"]
    assert (cat.counts, cat.of_a.value, cat.of_b.value) == ((30, 55), 0.3, 0.55)
    assert cat.change.change.value == pytest.approx(-0.25)
    assert cat.change.change.low == pytest.approx(-0.373, abs=2e-3)
    assert cat.change.change.high == pytest.approx(-0.113, abs=2e-3)
    assert cat.change.p == pytest.approx(2 * fisher_exact([[30, 70], [55, 45]]).pvalue)
    assert fox.change.p == pytest.approx(fisher_exact([[0, 100], [5, 95]]).pvalue)
    assert found.distance.value == pytest.approx(0.3) and found.p <= 0.001 and 0 < found.distance.null < 0.15


def test_parts_of_one_kind_of_set_are_seldom_told_apart():
    rng = np.random.default_rng(0)
    names = np.array(list("abcdefghij"))
    p = [composition(names[rng.integers(0, 10, 80)], names[rng.integers(0, 10, 80)], draws=199).p for _ in range(100)]
    assert 0 < sum(v <= 0.05 for v in p) <= 11 and np.median(p) == pytest.approx(0.5, abs=0.2)


def test_parts_of_what_belongs_together_are_dealt_together():
    """Five items an object: as single items two sets of 20 objects would be told apart."""
    rng = np.random.default_rng(3)
    a, b = (np.repeat(rng.choice(["cat", "dog"], 20), 5) for _ in range(2))
    groups = np.repeat(np.arange(20), 5), 20 + np.repeat(np.arange(20), 5)
    single, together = composition(a, b, draws=499), composition(a, b, together=groups, draws=499)
    assert together.p > single.p and together.distance.null > 1.5 * single.distance.null
    assert together.parts[0].of_a.low is None and together.parts[0].change.change.low is None
    assert together.parts[0].change.test == "dealt labels" and together.note == ""
    other = composition(a, ["cat", "dog"] * 30, together=(groups[0], 20 + np.arange(60)))
    assert sum(part.counts[0] for part in other.parts) == 20 and "one of each group" in other.note


def test_parts_need_names_and_groups_that_fit():
    with pytest.raises(ShapeError, match="items with a name in A and in B; got 0 and 1"):
        composition(["", ""], ["cat"])
    with pytest.raises(ShapeError, match="a group of each item"):
        composition(["cat"], ["cat"], together=(np.arange(1), np.arange(2)))
    alike = composition(["cat"] * 3, ["cat"])
    assert alike.distance.value == 0 and alike.p == 1.0 and alike.parts[0].change.p == 1.0


def test_the_zero_shot_class_is_the_nearest():
    assert nearest_class(clumps([1, 2]), np.eye(24, dtype=np.float32)[:3], ["a", "b", "c"]) == ("a", "b", "b")
    with pytest.raises(ShapeError):
        nearest_class(clumps([1]), np.eye(24)[:2], ["a"])
