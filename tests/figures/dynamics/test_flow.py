"""Figures of a flow: heat, lines, marks, speeds, islands and plane are what the reports say, chance beside them."""

from __future__ import annotations

import html
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.figures.dynamics import flow, islands, plane
from core.figures.scenes.globe import sphere
from core.geometry.directions import exp_map, unit
from core.geometry.dynamics.flow import Flow, speeds
from core.geometry.dynamics.islands import islands as islands_of
from core.geometry.dynamics.look import GRID, QUANTITIES, FlowLook, look_at
from core.geometry.dynamics.plane import plane as plane_of
from tests.geometry.dynamics.planted import CLASSES, EACH, gathering

N = 300


@lru_cache(maxsize=1)
def moved() -> tuple[np.ndarray, np.ndarray]:
    """Points around +z that flow away from it, and noise around."""
    rng = np.random.default_rng(0)
    x = unit(np.array([0, 0, 1.0]) + 0.4 * rng.normal(size=(N, 3)))
    v = -0.4 * (np.array([0, 0, 1.0]) - x * x[:, 2:]) + 0.02 * rng.normal(size=(N, 3))
    return x, exp_map(x, v - x * (x * v).sum(1, keepdims=True))


@lru_cache(maxsize=1)
def looked() -> FlowLook:
    return look_at(*moved(), (10, 30), degrees=18, shuffles=59)


def title(figure) -> str:
    return " ".join(html.unescape(figure.layout.title.text).replace("<br>", " ").replace("\u00a0", " ").split())


def scene(what: str, **given):
    return flow.flow_scene(looked(), what, moved()[0], np.zeros(N), ["<b>x</b>"] * N, who="images", **given)


@pytest.mark.parametrize("what", list(QUANTITIES))
def test_heat_is_the_quantity_where_it_is_known_and_nothing_elsewhere(what):
    look, drawn = looked(), scene(what)
    values, known = look.values[what], np.isfinite(look.values[what])
    assert values.shape == GRID and 0.02 < look.known < 0.9
    low, high = drawn.heat_range
    back = low + (high - low) * drawn.heat
    inside = known & (np.abs(np.nan_to_num(values)) <= high)
    np.testing.assert_allclose(back[inside], values[inside], atol=1e-9)
    assert np.abs(back[~known]).max() < 1e-9
    assert drawn.heat_two_way is (what != "speed")
    assert (low == 0) is (what == "speed")
    assert flow.UNITS[what] == drawn.heat_title


def test_a_planted_source_is_marked_and_told_with_its_p_and_n():
    drawn = scene("divergence")
    assert looked().marks.count("source") >= 1
    assert "source" in drawn.title and "beyond chance from step 10 to 30 (p = 0.017, n = 300 images)" in drawn.title
    assert any(mark.label.startswith("source +") and mark.place[2] > 0.8 for mark in drawn.marks)
    assert "smoothed over 18°" in drawn.note and "59 fields of shuffled displacements" in drawn.note
    table = flow.marks_table(looked())
    assert len(table) == len(looked().marks.found)
    first = table[table["kind"].str.startswith("source")].iloc[0]
    assert first["divergence"] > first["95 % of shuffled fields within"]
    assert len(flow.field_table(looked())) == np.isfinite(looked().values["speed"]).sum()


def test_lines_have_heads_and_arrows_lead_where_points_went():
    drawn = scene("curl")
    assert len(drawn.lines) == len(drawn.arrows) == len(looked().lines) > 5
    for line, arrow in zip(drawn.lines, drawn.arrows):
        np.testing.assert_allclose(arrow[1], line[-1])
    ways = scene("curl", lines=False)
    assert ways.lines == ()
    np.testing.assert_allclose(ways.arrows, np.stack(moved(), axis=1), atol=1e-9)
    for dark in (False, True):
        figure = sphere(drawn, dark)
        assert {"lines", "arrow heads", "marks"} <= {trace.name for trace in figure.data}


def test_what_is_not_looked_at_turns_grey_and_opposite_points_are_said():
    some = np.arange(N) < 100
    drawn = scene("speed", looked_at=some, groups=["a"] * N, note="A map.")
    np.testing.assert_array_equal(drawn.selected, some)
    assert drawn.note.endswith("A map.") and drawn.colouring.groups == ("a",) * N
    look = looked()
    left = replace(look, flow=Flow(look.flow.base, look.flow.vectors, look.flow.rows, 3))
    assert "3 points went to within 5° of their antipode" in flow.flow_scene(
        left, "curl", moved()[0], np.zeros(N), [""] * N).note


def test_points_too_few_or_unmoved_are_told_and_a_look_can_be_stopped():
    x, y = moved()
    few = look_at(x[:2], y[:2], (0, 1), degrees=10, shuffles=19)
    assert "too few in any place" in flow.finding(few, "images")
    assert flow.marks_table(few).empty and flow.field_table(few).empty
    still = look_at(x, x, (0, 1), degrees=18, shuffles=19)
    assert flow.finding(still).startswith("No source, sink or rotation beyond chance")
    assert flow.flow_scene(still, "divergence", x, np.zeros(N), [""] * N).lines == ()
    with pytest.raises(Cancelled):
        look_at(x, y, (0, 1), degrees=18, should_stop=lambda: True)
    with pytest.raises(ShapeError, match="the first before the second"):
        look_at(x, y, (5, 5), degrees=18)
    with pytest.raises(ShapeError, match="their antipodes"):
        look_at(x, -x, (0, 1), degrees=18)


def test_speeds_are_drawn_with_bands_and_where_they_slow():
    record = gathering(7)
    label = np.repeat(np.arange(CLASSES), EACH)
    report = speeds(record.images, record.steps, {"images": np.arange(CLASSES * EACH)}, label)
    figure = flow.speeds(report, at=(10, 30))
    drawn = {t.name: t for t in figure.data}
    np.testing.assert_allclose(drawn["images"].y, report.curves["images"].values)
    np.testing.assert_allclose(drawn["images"].x, report.middles)
    assert drawn["slow from here on"].x[0] == report.middles[2]
    assert f"images from step {report.slow_from['images']}" in title(figure)
    assert "degrees a step" in figure.layout.yaxis.title.text
    table = flow.speeds_table(report)
    assert table["slow from then on"].sum() == 4 and {"low", "high"} <= set(table)


def test_islands_are_drawn_beside_chance():
    record = gathering(6)
    report = islands_of(record.images, record.steps, record.probe.labels, shuffles=19)
    figure = islands.islands(report, at=20)
    drawn = {t.name: t for t in figure.data if t.yaxis == "y"}
    np.testing.assert_allclose(drawn[f"{CLASSES} classes"].y, report.separation.values)
    np.testing.assert_allclose(drawn["shuffled classes, 95 % below"].y, report.separation.null)
    np.testing.assert_allclose(drawn["groups found"].y, report.firmness.values)
    assert f"{CLASSES} groups in {CLASSES * EACH} points ({report.counts_by_chance[-1]:.0f} in structureless ones, " \
        "but less firm from step" in title(figure)
    assert f"{CLASSES} classes: separation {report.separation.values[-1]:.2f}" in title(figure)
    assert len(islands.table(report)) == len(record)
    bare = islands_of(record.images, record.steps, [""] * (CLASSES * EACH), shuffles=19)
    assert "classes are not known" in title(islands.islands(bare, dark=True))


def test_the_plane_is_a_path_with_intervals_at_both_ends():
    record = gathering(5)
    path = plane_of(record.images, record.texts, record.probe.links, record.steps)
    figure = plane.plane({"run": path}, at=20)
    images = next(t for t in figure.data if t.name == "images")
    np.testing.assert_allclose(images.x, path.uniformity["images"].values)
    np.testing.assert_allclose(images.y, path.alignment.values)
    ends = [t for t in figure.data if t.name and t.name.startswith("images, step")]
    assert [t.marker.symbol for t in ends] == ["circle-open", "circle"]
    assert all(t.error_x.array[0] > 0 and t.error_y.array[0] > 0 for t in ends)
    assert f"Alignment {path.alignment.values[0]:.2f} → {path.alignment.values[-1]:.2f} (difference −" in title(figure)
    two = plane.plane({"a": path, "b": path}, dark=True)
    assert {"a", "b"} <= {t.name for t in two.data}
    assert len(plane.table({"a": path, "b": path})) == 2 * len(record)
