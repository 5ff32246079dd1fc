"""Figures of shots, islands and moves say what their reports say: coordinates, frames to click, titles, tables."""

from __future__ import annotations

import html

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures.films import islands as draw_islands
from core.figures.films import shots as draw_shots
from core.figures.films import transitions as draw_transitions
from core.geometry.directions import unit
from core.geometry.films.islands import islands
from core.geometry.films.shots import find_shots
from core.geometry.films.trajectory import Trajectory
from core.geometry.films.transitions import transitions
from tests.geometry.films.made_places import D, walk

PLACES, CUTS = [0, 1, 2, 0, 1, 1, 0], [8, 16, 24, 32, 48]


def title(figure) -> str:
    return html.unescape(figure.layout.title.text.replace("<br>", " ")).replace("\u00a0", " ")


@pytest.fixture(scope="module")
def path() -> Trajectory:
    """Seven stays, of which two follow each other at one place, with a flash at frame 3."""
    made, _ = walk(PLACES)
    points = made.points.copy()
    points[3] = unit(np.ones((1, D)))[0]
    return Trajectory(points, made.times)


def test_cuts_flashes_and_other_detectors_stand_at_their_frames(path):
    report = find_shots(path)
    figure = draw_shots.shots(report, path.times, others={"A <detector>": np.array([0, 9, 30])})
    by_name = {t.name: t for t in figure.data}
    np.testing.assert_allclose(by_name["step"].y, np.degrees(report.steps))
    assert list(by_name["cut"].customdata) == report.starts[1:].tolist() == CUTS
    np.testing.assert_allclose(by_name["cut"].x, path.times[CUTS])
    assert list(by_name["flash, no cut"].customdata) == [3]
    assert list(by_name["A &lt;detector&gt;"].customdata) == [9, 30]
    assert title(figure).startswith("6 shots in 56 frames, 1 flash left out; A <detector> 3 (F1 0.29, by chance 0.")
    same = title(draw_shots.shots(report, path.times, truth=np.array([0, *CUTS[:4], 47])))
    assert "truth 6 (F1 1.00, by chance 0." in same
    one = Trajectory(path.points[:3], path.times[:3])
    assert "A 1 (no cut by either)" in title(draw_shots.shots(find_shots(one), one.times, others={"A": np.array([0])}))
    found = draw_shots.table(report, path.times)
    assert found["cut"].sum() == 5 and found["flash"].tolist().index(True) == 3 and len(found) == 56
    one = path.part(slice(1))
    assert title(draw_shots.shots(find_shots(one), one.times)) == "One frame: one shot"
    noise = Trajectory(unit(np.random.default_rng(1).normal(size=(60, D))).astype(np.float32), np.arange(60.0))
    assert "too far apart to tell cuts" in title(draw_shots.shots(find_shots(noise), noise.times))
    with pytest.raises(ShapeError, match="56 times"):
        draw_shots.shots(report, path.times[:-1])


def test_visits_are_bars_over_time(path):
    report = islands(path, np.arange(0, 56, 8))
    figure = draw_islands.islands(report, names=["a <b>", "", "c"], dark=True)
    *rows, dwell = figure.data
    for k, bars in enumerate(rows):
        own = [v for v in report.visits if v.island == k]
        np.testing.assert_allclose(bars.base, [v.start for v in own])
        np.testing.assert_allclose(bars.x, [v.seconds for v in own])
        assert list(bars.customdata) == [v.first for v in own] and set(bars.y) == {k}
    np.testing.assert_allclose(dwell.x, report.dwell)
    assert list(dwell.customdata) == report.medoids.tolist() and dwell.hovertext[0] == "3 visits"
    assert figure.layout.yaxis.ticktext[0] == "island 1: a &lt;b&gt;"
    assert title(figure) == ("7 shots on 3 islands (cut at 30°), 6 visits: it comes back 3 times, after a median of "
                             "4.0 s away")
    found = draw_islands.table(report)
    assert len(found) == 6 and found["seconds"].sum() == pytest.approx(14)
    with pytest.raises(ShapeError, match="3 names"):
        draw_islands.islands(report, names=["a"])


def test_many_islands_stay_light():
    path, _ = walk(list(range(60)), 3)
    report = islands(path, np.arange(0, 180, 3))
    figure = draw_islands.islands(report)
    assert len(report) == 60 and len(figure.data) == draw_islands.MOST_ROWS + 2
    assert "never comes back" in title(figure)
    assert sum(len(t.x) for t in figure.data[:-1]) == 60
    assert sum(figure.data[-1].x) == pytest.approx(report.dwell.sum())
    assert report.of_frames[figure.data[-1].customdata[-1]] == 24, "the others are stood for by the first of them"
    moves = draw_transitions.transitions(transitions(report, draws=499))
    assert np.shape(moves.data[0].z) == (40, 40) and "the 40 busiest of 60 islands are drawn" in title(moves)


def test_moves_are_counted_in_their_cells(path):
    report = transitions(islands(path, find_shots(path).starts), draws=499)
    figure = draw_transitions.transitions(report)
    shown = np.array(figure.data[0].z, dtype=float)
    np.testing.assert_array_equal(np.nan_to_num(shown), report.counts)
    points = figure.data[1]
    assert points.customdata.tolist() == [[y, x] for x, y in zip(points.x, points.y)]
    assert len(points.x) == (report.counts > 0).sum() and points.hovertext[0].startswith("island 1 to island 2: ")
    back = report.tests["revisits"]
    assert f"{100 * back.value.value:.0f} % of visits come back ({100 * back.low:.0f} to " in title(figure)
    assert title(figure).startswith("5 moves between 3 islands, entropy rate 0.40 bits (whole shots shuffled: ")
    found = draw_transitions.table(report, ["x", "y", "z"])
    assert found["moves"].sum() == 5
    assert set(found["rate"].dropna()) == {"entropy rate", "revisit rate", "there and back"}
    few = draw_transitions.transitions(transitions(islands(path, np.array([0, 8])), draws=499))
    graph = draw_transitions.graph(report, np.array([4.0, 1.0, 2.0]), names=["sea", "", "land"])
    *arrows, dots = graph.data
    assert len(arrows) == (report.counts > 0).sum() and "5 moves along" in title(graph)
    for arrow, (a, b) in zip(arrows, np.argwhere(report.counts > 0)):
        start, end = (np.array([dots.x[i], dots.y[i]]) for i in (a, b))
        first, last = (np.array([arrow.x[i], arrow.y[i]]) for i in (0, -1))
        assert np.linalg.norm(first - start) < np.linalg.norm(first - end)
        assert np.linalg.norm(last - end) < np.linalg.norm(last - start), "an arrow points where the film goes"
    assert dots.text[0] == "island 1: sea" and dots.marker.size[0] > dots.marker.size[2] > dots.marker.size[1]
    assert "not measurable" in title(few)
