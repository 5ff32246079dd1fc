"""Figures of attention and of prompts: one trace for all heads, numbers at their places, titles that tell."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from core.attention.regions import Box, Region
from core.figures.foveal.attention import mosaic, mosaic_table, over, over_table, within, within_table
from core.figures.foveal.prompted import MOST_SHOWN, probabilities, probabilities_table
from core.figures.foveal.region import as_uri, taken


def title(figure) -> str:
    return figure.layout.title.text.replace("<br>", " ").replace("\u00a0", " ")


def test_the_mosaic_has_every_head_at_its_place_in_one_heatmap():
    values = np.random.default_rng(0).random((12, 12, 14, 14)).astype(np.float32)
    figure = mosaic(values, "x", chosen=(3, 5))
    heat, marks = figure.data
    assert (heat.type, marks.type) == ("heatmap", "scatter") and len(figure.layout.shapes) == 1
    tile = np.asarray(heat.z)[3 * 15:3 * 15 + 15, 5 * 15:5 * 15 + 15]
    np.testing.assert_array_equal(tile[:14, :14], values[3, 5])
    assert np.isnan(tile[14]).all() and np.isnan(tile[:, 14]).all()
    place = [list(pair) for pair in np.asarray(marks.customdata)].index([3, 5])
    assert (marks.x[place], marks.y[place]) == (5.5, 3.5)
    table = mosaic_table(values, values / 2)
    assert len(table) == values.size
    row = table.query("layer == 4 and head == 6 and row == 2 and column == 14").iloc[0]
    assert (row["before"], row["after"]) == (values[3, 5, 1, 13], values[3, 5, 1, 13] / 2)
    assert len(figure.to_json()) < 1_000_000


def test_a_change_has_colours_both_ways_about_nothing():
    values = np.array([[-2.0, 0.5], [0.0, 1.0]])
    figure = over(Image.new("RGB", (40, 20)), values, (10, 0, 30, 20), "x", change=True, token=(1, 0))
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (-2, 2) and list(heat.x) == [15, 25] and list(heat.y) == [5, 15]
    shape = figure.layout.shapes[0]
    assert (shape.x0, shape.y0, shape.x1, shape.y1) == (10, 10, 20, 20)
    assert over_table({"change": values})["change"].tolist() == [-2.0, 0.5, 0.0, 1.0]


def test_shares_inside_say_what_even_attention_would_give():
    before, after = np.array([[0.1, 0.3], [0.2, 0.2]]), np.array([[0.5, 0.7], [0.6, 0.6]])
    figure = within(before, after, 0.25)
    assert title(figure) == ("20 % of what the class token looks at lies in the region, 60 % with the mask (25 % of "
                             "the patches do; mean of 4 heads)")
    lines = {trace.name: list(trace.y) for trace in figure.data if trace.name}
    np.testing.assert_allclose(lines["with the mask"], [60, 60])
    np.testing.assert_allclose(lines["share of the patches"], [25, 25])
    assert within_table(before, after, 0.25)["by chance"].tolist() == [0.25] * 4
    assert len(within(before, None, 0.25).data) == 3


def test_the_prompt_that_rises_is_named_beside_the_mask_elsewhere():
    prompts = ("a", "b <i>b</i>", "c")
    before, after = np.array([0.2, 0.3, 0.5]), np.array([0.1, 0.8, 0.1])
    elsewhere = np.array([[0.2, 0.2, 0.6], [0.2, 0.4, 0.4]])
    figure = probabilities(prompts, before, after, elsewhere, turned=12.34, turned_elsewhere=np.array([5.0, 7.0]))
    said = title(figure)
    assert "“b &lt;i&gt;b&lt;/i&gt;” rises from 30 to 80 % (mask elsewhere 30 % on average)" in said
    assert "moves by 12.3° (elsewhere 6.0°, n = 2 places)" in said
    table = probabilities_table(prompts, before, after, elsewhere)
    assert table.loc[1].tolist() == ["b <i>b</i>", 0.3, 0.8, 0.30000000000000004, 0.2, 0.4]
    assert "No prompt gains or loses" in title(probabilities(prompts, before, before + 0.001))
    assert "falls from 50 to 10 %" in title(probabilities(prompts, before, before * np.array([1, 1, 0.2])))
    many = [f"p{i}" for i in range(40)]
    assert len(probabilities(many, np.full(40, 1 / 40), None).data[0].y) == MOST_SHOWN


def test_what_is_taken_and_what_is_cut_away_are_told():
    region = Region((Box(0, 0, 10, 10), Box(5, 5, 20, 20)))
    covered = np.zeros((4, 4))
    covered[:2, :2] = 1
    figure = taken(Image.new("RGB", (60, 40)), region, covered, covered > 0.5, (10, 0, 50, 40), (4, 4))
    assert title(figure) == "4 of 16 patches are covered; 33 % is cut away"
    assert len(figure.layout.shapes) == 2 and list(figure.data[0].x) == [15, 25, 35, 45]
    mask = np.zeros((40, 60), dtype=bool)
    mask[5:9, 5:9] = True
    assert taken(Image.new("RGB", (60, 40)), Region(mask=mask), covered, covered > 0.5, (10, 0, 50, 40),
                 (4, 4)).data[-1].type == "contour"
    nothing = taken(Image.new("RGB", (4, 4)), None, None, None, (0, 0, 4, 4), (4, 4))
    assert title(nothing) == "4 x 4 patches, no region yet"


def test_pictures_of_any_shape_are_drawn_in_bounds():
    for size, drawn in {(5000, 40): (1024, 8), (1, 3000): (1, 1024), (1, 1): (400, 400), (500, 60): (500, 60)}.items():
        uri = as_uri(Image.new("RGB", size, (9, 99, 200)))
        assert Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).size == drawn
