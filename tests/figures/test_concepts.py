"""Figures of concept words: what is drawn is what the report says; titles state it."""

from __future__ import annotations

import numpy as np
import pytest

from core.figures import concepts as figures
from core.geometry.concepts import concept_axes, explain
from core.geometry.directions import unit

NAMES = [f"word {i}" for i in range(30)]
NAMES[4], NAMES[9] = "<b>striped</b>", "red"


@pytest.fixture(scope="module")
def two():
    rng = np.random.default_rng(0)
    axes = concept_axes(unit(rng.normal(size=(30, 24))))
    a, b = (unit(3 * axes[i] + rng.normal(size=(50, 24))) for i in (4, 9))
    return explain(a, b, axes, kind="difference", draws=20), explain(b, a, axes, kind="difference", draws=20)


def test_bars_are_the_weights_and_the_second_side_goes_left(two):
    figure = figures.words(two, NAMES, ("A", "B"))
    for trace, one, sign in zip(figure.data, two, (1, -1)):
        shown = one.order[:figures.MOST_SHOWN // 2]
        np.testing.assert_allclose(sign * np.array(trace.x), one.weights[shown])
        assert trace.text[0] == "100 %"
    assert figure.layout.xaxis.title.text == "weight in the sum"
    title = " ".join(figure.layout.title.text.split("<br>"))
    assert "&lt;b&gt;striped" in title and "by chance" in title and "Towards B: red" in title
    assert figures.words(two[:1], NAMES, ("A",), dark=True).layout.showlegend is False


def test_the_curve_is_the_sweep_beside_chance(two):
    figure = figures.curve(two[:1], ("A",))
    there = two[0].sweep.counts >= 1
    np.testing.assert_allclose(figure.data[0].x, two[0].sweep.counts[there])
    np.testing.assert_allclose(figure.data[0].y, two[0].sweep.cosines[there])
    assert figure.data[1].line.dash == "dot" and figure.layout.yaxis.title.text == "cosine of their sum"
    assert list(figure.data[2].x) == [len(two[0].order)]


def test_tables_hold_what_is_drawn_and_nothing_is_said_of_nothing(two):
    table = figures.table(two, NAMES, ("A", "B"), ["kind"] * 30)
    assert len(table) == len(two[0].order) + len(two[1].order)
    assert table["weight"][0] == two[0].weights.max() and table["kind"].eq("kind").all()
    assert len(figures.curve_table(two, ("A", "B"))) == 2 * len(two[0].sweep.penalties)

    axes = concept_axes(unit(np.random.default_rng(1).normal(size=(30, 24))))
    silent = explain(unit(np.random.default_rng(2).normal(size=(1, 24))), np.zeros((1, 24)) + 0.01, axes, penalty=0.95)
    title = " ".join(figures.words([silent], NAMES, ("A",)).layout.title.text.split("<br>"))
    assert "no word reaches the penalty 0.95" in title.lower()
    assert figures.table([silent], NAMES, ("A",)).empty
