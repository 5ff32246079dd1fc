"""The timeline shows each row over the same seconds, and each of its points tells a frame."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures.films import themes, timeline
from core.figures.films.timeline import Span
from core.geometry.films.paths import path_report
from tests.figures.films import made_reports as made
from tests.geometry.films.made_paths import trajectory


def test_rows_share_time_and_points_tell_frames() -> None:
    report, n = made.path(), len(made.PATH)
    bright = np.where(np.arange(n) % 5 == 0, np.nan, np.arange(n))
    spans = [Span(0.0, 4.0, "<i>sea</i>", 0), Span(4.0, 8.0, "land", 1), Span(8.0, 12.0, "sea", 0)]
    figure = timeline.timeline(report, nulls=made.nulls(), signals={"brightness": bright}, cuts=made.STARTS,
                               prompts=made.themes().curves, spans={"islands": spans},
                               lines=[Span(1.0, 2.5, "Hello <you>", -1)])
    by_name = {t.name: t for t in figure.data if t.name}
    np.testing.assert_allclose(by_name["speed"].y, np.degrees(report.speed))
    np.testing.assert_array_equal(by_name["speed"].customdata, np.arange(1, n))
    np.testing.assert_allclose(by_name["turning"].y, np.degrees(report.turning))
    np.testing.assert_array_equal(by_name["turning"].customdata, np.arange(n))
    np.testing.assert_array_equal(by_name["brightness"].y, bright)
    np.testing.assert_allclose(by_name["a dog"].y, made.themes().likeness[1])
    assert "a &lt;b&gt;cat&lt;/b&gt;" in by_name, "nothing that plotly would obey"
    islands = [t for t in figure.data if t.type == "bar" and "land" not in t.text and t.base[0] == 0]
    assert list(islands[0].customdata) == [0, 16] and list(islands[0].x) == [4.0, 4.0]
    subtitles = next(t for t in figure.data if t.type == "bar" and t.base[0] == 1.0)
    assert "Hello &lt;you&gt;" in subtitles.hovertext[0]
    cuts = [t for t in figure.data if t.name == "cuts"]
    assert sorted(set(cuts[0].x)) == [report.middles[start - 1] for start in made.STARTS[1:]]
    axes = [key for key in figure.layout.to_plotly_json() if key.startswith("xaxis")]
    assert len(axes) == 6 and sum(figure.layout[key].matches is None for key in axes) == 1
    assert "of 63 steps" in made.title(figure) and "whole shots shuffled" in made.title(figure)


def test_a_prompts_percentiles_are_said_under_the_mouse() -> None:
    report = made.themes()
    figure = timeline.timeline(made.path(), prompts=report.curves, percentiles=dict(zip(report.prompts,
                                                                                       report.percentiles)))
    dog = next(t for t in figure.data if t.name == "a dog")
    assert list(dog.text) == [f"{value:.0f}" for value in report.percentiles[1]] and "percentile" in dog.hovertemplate
    assert "mean percentile" not in themes.table(report), "among its own frames it is 50 for every film"


def test_the_leading_prompts_fill_the_film() -> None:
    spans = themes.leads_as_spans(made.themes())
    assert spans[0].start == -0.25 and spans[-1].end == pytest.approx(made.PATH.times[-1] + 0.25)
    assert all(a.end == pytest.approx(b.start) and a.name != b.name for a, b in pairwise(spans))
    led = sum(s.end - s.start for s in spans if s.colour == 0)
    assert led == pytest.approx((made.themes().leader == 0).sum() * 0.5)


def test_a_film_without_anything_else_and_one_that_stands_still() -> None:
    figure = timeline.timeline(made.path(), dark=True)
    assert [t.name for t in figure.data] == ["speed", "turning"]
    still = timeline.timeline(path_report(trajectory(np.tile([1.0, 0, 0], (4, 1)))), cuts=[0, 2])
    assert "turns nowhere measurable" in made.title(still)
    with pytest.raises(ShapeError, match="64 values of short"):
        timeline.timeline(made.path(), signals={"short": np.ones(3)})


def test_the_table_has_a_row_a_frame() -> None:
    table = timeline.table(made.path(), signals={"brightness": np.ones(64)}, prompts=made.themes().curves)
    assert len(table) == 64 and np.isnan(table["speed (degrees/s)"].iloc[-1])
    np.testing.assert_allclose(table["step (degrees)"][:-1], np.degrees(made.path().steps))
    np.testing.assert_allclose(table["likeness: a dog"], made.themes().likeness[1])
