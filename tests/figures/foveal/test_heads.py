"""Figures of heads say what their reports say: the head moved most, what carries the gain, and what texts explain."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.attention.foveal.heads import HeadGains, Sensitivity
from core.attention.foveal.spans import TextSpans
from core.figures.foveal import heads as figures
from core.geometry.differences import holm, means_differ
from core.types import Number


def moved(n: int) -> Sensitivity:
    rng = np.random.default_rng(0)
    values = 0.2 + 0.02 * rng.random((n, 2, 3))
    values[:, 1, 2] += 0.5
    return Sensitivity("foveal", values, np.full((n, 2, 3), 0.21))


def title(figure: object) -> str:
    return re.sub("<br>|\xa0", " ", figure.layout.title.text)


@pytest.mark.parametrize("dark", [False, True])
def test_the_matrix_names_the_head_that_is_moved_most(dark: bool) -> None:
    figure = figures.sensitivity(moved(12), chosen=(0, 1), dark=dark)
    assert title(figure).startswith("Foveal mask: layer 2, head 3 is moved most, by 0.71")
    assert ("elsewhere 0.210) of what it writes (12 pictures); 1 of 6 heads more than by the same elsewhere, 0 less"
            ) in title(figure)
    dots, rings, clicks = figure.data[1:]
    assert not len(rings.x)
    assert list(zip(dots.y, dots.x)) == [(1, 2)]
    assert clicks.customdata.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].y0) == (0.5, -0.5)
    table = figures.sensitivity_table(moved(12))
    assert list(table["layer"]) == [1, 1, 1, 2, 2, 2]
    assert {"change low", "change elsewhere", "p (Holm)", "pictures"} <= set(table.columns)
    one = figures.sensitivity(moved(1), dark=dark)
    assert "(1 picture)" in title(one)
    assert "heads more" not in title(one)
    filled = Sensitivity("crop", moved(1).moved, np.full((1, 2, 3), np.nan))
    assert "elsewhere" not in title(figures.sensitivity(filled))


def gained(n: int, heads: int = 4) -> HeadGains:
    rng = np.random.default_rng(1)
    none = np.zeros(n)
    steps = {(0, head): 0.01 * head * (head > 1) + 1e-3 * rng.standard_normal(n) for head in range(heads)}
    return HeadGains(means_differ(none, sum(steps.values()), unit="cosine"),
                     holm({pair: means_differ(none, step, unit="cosine") for pair, step in steps.items()}),
                     holm({pair: means_differ(none, step / 2, unit="cosine") for pair, step in steps.items()}), n, n)


def test_gains_are_sorted_and_filled_where_they_differ_from_nothing() -> None:
    figure = figures.gains(gained(20), 1)
    alone, lost = figure.data
    assert list(alone.marker.symbol) == ["circle", "circle", "circle-open", "circle-open"]
    assert list(alone.x) == sorted(alone.x, reverse=True)
    assert figure.layout.yaxis.ticktext[0] == "layer 1, head 4"
    assert lost.x[0] == pytest.approx(alone.x[0] / 2)
    assert "layer 1, head 4 alone by 0.0299" in title(figure)
    assert "2 of 4 heads carry some of it by themselves" in title(figure)
    assert "chance" not in title(figure)
    table = figures.gains_table(gained(20))
    assert len(table) == 5
    assert table["gained"][0] == pytest.approx(table["gained"][1:].sum(), abs=1e-9)
    assert "too few views for intervals" in title(figures.gains(gained(1), 0))
    assert figures.gains(gained(1), 0).layout.yaxis.ticktext[0].startswith("probe, head")
    assert len(figures.gains(gained(20, heads=30), 1).data[0].x) == figures.MOST_HEADS


def test_spans_show_each_text_beside_chance() -> None:
    shares = tuple(Number(v, v - 0.05, v + 0.05, v / 2, 100, "share") for v in (0.4, 0.6))
    found = TextSpans(("a <b>red</b> thing", "a cube"), shares, (0, 3), np.zeros((200, 2)), 1.5)
    figure = figures.spans(found, (2, 0))
    assert list(figure.data[0].x) == [40, 60]
    assert list(figure.data[1].x) == [20, 30]
    assert figure.layout.yaxis.ticktext[0] == "a &lt;b&gt;red&lt;/b&gt; thing"
    assert "2 texts explain 60 % (55 to 65; by chance 30)" in title(figure)
    assert list(figures.spans_table(found)["of 50 random draws as high"]) == [0, 3]
