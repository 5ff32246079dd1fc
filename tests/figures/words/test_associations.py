"""Figures of association tests and of the fairness curve: what they state, what they draw, their tables."""

from __future__ import annotations

import numpy as np
import pytest

from core.figures.words import associations as figures
from core.figures.words import unwanted
from core.geometry.association import parts_of_words, without_each_word
from core.geometry.differences import holm
from core.language.words.associated import Known, Lists, associate, known_of
from tests.geometry.test_association import planted
from tests.geometry.test_fairness import UNWANTED, fairness, made

LISTS = {"one": Lists("warm", ("w0", "w1", "w2", "w3"), "cold", ("w4", "w5", "w6", "<b>w7</b>"), "here"),
         "two": Lists("big", ("w0", "w1", "w4", "w5"), "small", ("w2", "w3", "w6", "w7"), "here")}
KNOWN = {key: Known(lists.a + lists.b, lists.a + lists.b, (True,) * 4 + (False,) * 4) for key, lists in LISTS.items()}


@pytest.fixture(scope="module")
def report():
    x, y = planted(2, 1.5)
    scores = np.concatenate([x, y])
    groups = {"<i>x</i>": np.arange(20), "y": np.arange(20, 40), "both": np.arange(15, 25)}
    return scores, groups, associate({"one": scores, "two": scores[:, [0, 1, 4, 5, 2, 3, 6, 7]]}, KNOWN, LISTS, groups)


def test_every_pair_is_tested_with_holm_and_what_both_hold_is_left_out(report):
    _, _, found = report
    assert len(found.tests) == 6 and len(found.singles) == 6
    assert found.sizes["<i>x</i>", "both", "one"] == (15, 5) and found.shared["<i>x</i>", "both", "one"] == 5
    assert {pair: d.p for pair, d in found.tests.items()} == {
        pair: d.p for pair, d in holm({p: _alone(found, p) for p in found.tests}).items()}
    figure = figures.forest(found)
    said = figure.layout.title.text.replace("<br>", " ")
    assert "tests hold at 5 % (Holm)".replace(" %", "\u00a0%") in said
    assert "&lt;i&gt;x&lt;/i&gt; leans more to warm" in said
    best = found.tests[figures.clearest(found)[0]]
    assert sum(symbol == "circle" for trace in figure.data for symbol in trace.marker.symbol) == sum(
        map(figures.holds, found.tests.values())) >= 1
    table = figures.table(found)
    assert len(table) == 6 and best.change.value in table["effect size"].to_list()
    assert set(table["sides"]) == {"one"} and len(figures.singles_table(found)) == 6


def _alone(found, pair):
    from dataclasses import replace

    return replace(found.tests[pair], p=found.alone[pair])


def test_groups_alone_and_the_words_that_drive_a_test(report):
    scores, groups, found = report
    bars = figures.singles(found, "one", dark=True).data[0]
    assert list(bars.y) == [found.singles[name, "one"].change.value for name in groups]
    pair, first = ("<i>x</i>", "y", "one"), np.array(KNOWN["one"].first)
    x, y = scores[:20], scores[20:]
    adds, without = parts_of_words(x, y, first), without_each_word(x, y, first)
    figure = figures.parts(KNOWN["one"], LISTS["one"], pair, adds, without)
    assert sum(sum(trace.x) for trace in figure.data) == pytest.approx(found.tests[pair].change.value)
    assert "&lt;b&gt;w7" in str(figure.layout.yaxis.ticktext)
    assert figures.parts_table(KNOWN["one"], LISTS["one"], adds, without)["adds"].sum() == pytest.approx(adds.sum())
    assert "one-sided" in figures.verdict(found, pair) and "n = 20 and 20" in figures.verdict(found, pair)


def test_words_in_both_lists_and_unknown_ones_are_left_out_with_a_reason():
    lists = Lists("a", ("red", "Blue", "red"), "b", ("blue", "odd", "green"), "")
    known = known_of(lists, "a {} thing", lambda texts: {i: "odd" for i, t in enumerate(texts) if "odd" in t})
    assert known.words == ("red", "green") and known.texts == ("a red thing", "a green thing")
    assert known.first == (True, False) and known.sizes == (1, 1)
    assert [refusal.name for refusal in known.left_out] == ["Blue", "blue", "odd"]


def test_the_curve_states_shares_and_cost_at_its_shift():
    pairs, members = made(pull=1.6)
    found = fairness(pairs, UNWANTED, members, ("a", "b", "c"))
    place = unwanted.at_shift(found, 0.5)
    figure = unwanted.curves(found, place, dark=True)
    said = figure.layout.title.text.replace("<br>", " ").replace("\u00a0", " ")
    most = max(numbers[place].value for numbers in found.shares)
    assert f"At shift 0.5: unwanted classes get {100 * most:.1f} % of" in said
    assert f"accuracy of the other classes {100 * found.accuracy[place].value:.1f} %" in said
    table = unwanted.table(found)
    assert len(table) == len(found.shifts) * 6
    rows = unwanted.shares_table(found, place)
    assert list(rows.columns) == ["", "n", "shift 0", "shift 0.5"] and len(rows) == 6
    assert len(unwanted.shares_table(found, unwanted.at_shift(found, 0.0)).columns) == 3
