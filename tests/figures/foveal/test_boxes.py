"""Figures of boxes and of heat say what was scored: coordinates, colours, titles and tables are read back."""

from __future__ import annotations

import html

import numpy as np
import pytest
from PIL import Image

from core.attention.regions import Box
from core.figures import theme
from core.figures.foveal.boxes import boxes, margins, scores_table
from core.figures.foveal.heat import heat, heat_table

PLACES = (Box(2, 10, 30, 60), Box(40, 4, 78, 50), Box(60, 30, 79, 59))
NAMES = ("left <b>", "middle", "right")
SCORES = np.array([0.11, 0.31, 0.26], dtype=np.float32)


def title(figure) -> str:
    return html.unescape(figure.layout.title.text.replace("<br>", " ")).replace("\u00a0", " ")


def corners(trace) -> tuple[float, float, float, float]:
    return min(trace.x), min(trace.y), max(trace.x), max(trace.y)


@pytest.mark.parametrize("dark", [False, True])
def test_boxes_lie_where_they_are_coloured_by_score_and_the_winner_is_named(dark: bool):
    figure = boxes(Image.new("RGB", (80, 60)), PLACES, NAMES, SCORES, "a red cube", "crop", truth=2, dark=dark)
    drawn = [t for t in figure.data if t.hoveron == "fills" and not t.showlegend]
    assert [corners(t) for t in drawn] == [(b.left, b.top, b.right, b.bottom) for b in (PLACES[0], PLACES[2],
                                                                                        PLACES[1])]
    scale = ["#{:02x}{:02x}{:02x}".format(*c) for c in theme.sequence(dark).tolist()]
    assert (drawn[0].line.color, drawn[-1].line.color) == (scale[0], scale[-1])
    assert drawn[-1].line.width > drawn[0].line.width and "the winner" in drawn[-1].text
    meant = next(t for t in figure.data if t.name == "the box that is meant")
    assert corners(meant) == (60, 30, 79, 59)
    said = title(figure)
    assert "“a red cube” is middle, and right is meant: 0.310, 0.050 above right" in said and "33.3 %" in said
    assert list(figure.layout.xaxis.range) == [0, 80] and list(figure.layout.yaxis.range) == [60, 0]
    assert not any("<b>" in note.text for note in figure.layout.annotations)


def test_hundreds_of_boxes_are_drawn_and_few_are_named():
    places = [Box(i % 20 * 4, i // 20 * 4, i % 20 * 4 + 4, i // 20 * 4 + 4) for i in range(300)]
    figure = boxes(Image.new("RGB", (80, 60)), places, [f"box {i}" for i in range(300)], np.linspace(0, 1, 300), "x",
                   "crop")
    assert sum(t.hoveron == "fills" for t in figure.data) == 300 and len(figure.layout.annotations) == 6
    one = boxes(Image.new("RGB", (1, 9)), [Box(0, 0, 1, 9)], ["all"], np.array([0.2]), "x", "crop")
    assert "100 %" in title(one) and "above" not in title(one)


def test_the_table_has_the_winner_of_each_method_and_its_margin():
    scores = {"crop": SCORES, "none": SCORES[::-1]}
    table = scores_table(NAMES, scores).set_index("box")
    assert table.loc["winner", "crop"] == "middle" and table.loc["margin", "crop"] == "0.0500"
    assert table.loc["right", "none"] == "0.1100"
    figure = margins(NAMES, {"crop": SCORES, "none": np.array([0.5, 0.1, 0.2])}, truth=1)
    np.testing.assert_allclose(figure.data[0].x, [0.05, 0.3], atol=1e-6)
    colours = figure.data[0].marker.color
    assert colours[0] != colours[1]
    assert "1 of 2 methods" in title(figure)


def test_boxes_that_score_alike_have_no_winner():
    alike = np.full(3, 0.2)
    assert scores_table(NAMES, {"none": alike}).set_index("box").loc["winner", "none"] == "none: all alike"
    assert title(margins(NAMES, {"none": alike})) == "No method names a box"
    assert margins(NAMES, {"none": alike, "crop": SCORES}).data[0].text == ("none: all alike", "middle")
    figure = boxes(Image.new("RGB", (80, 60)), PLACES, NAMES, alike, "x", "no prompt")
    assert "is none of 3 boxes more than another (no prompt)" in title(figure)


def test_heat_lies_over_what_the_model_sees_of_the_picture():
    values = np.arange(12, dtype=np.float64).reshape(3, 4)
    figure = heat(Image.new("RGB", (80, 60)), values, Box(20, 0, 60, 20), "a red cube", seen=(10.0, 0.0, 70.0, 60.0),
                  truth=Box(30, 0, 60, 20), overlap=0.75, chance=0.2)
    drawn = figure.data[0]
    assert (drawn.x0, drawn.dx, drawn.y0, drawn.dy) == (17.5, 15.0, 10.0, 20.0)
    np.testing.assert_array_equal(drawn.z, values)
    assert corners(next(t for t in figure.data if t.name == "found")) == (20, 0, 60, 20)
    assert corners(next(t for t in figure.data if t.name == "meant")) == (30, 0, 60, 20)
    assert "intersection over union 0.75 (a window at random 0.20)" in title(figure)
    table = heat_table(values, (10.0, 0.0, 70.0, 60.0))
    assert tuple(table.iloc[5]) == (32.5, 30.0, 5.0)
