"""Measures, recurrences and leads beside their nulls: what is drawn is what the reports say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.figures.films import measures, recurrence, themes
from core.geometry.differences import Verdict
from core.geometry.films.nulls import nulls_report
from core.geometry.films.paths import MEASURES
from tests.figures.films import made_reports as made


def test_each_panel_shows_the_film_beside_its_nulls() -> None:
    report = made.nulls()
    figure = measures.measures(report)
    shown = [key for key in MEASURES if any(report.tests[null, key].p is not None for null in ("shots", "frames",
                                                                                               "walk"))]
    heads = [note.text for note in figure.layout.annotations]
    assert len(heads) == len(shown) and heads[0] == "path length (degrees)"
    row = shown.index("length") + 1
    test = report.tests["frames", "length"]
    drawn = [t for t in figure.data if t.yaxis == ("y" if row == 1 else f"y{row}")]
    film = [t for t in drawn if t.mode == "markers" and t.hovertext]
    assert len(film) == 3 and all(t.x[0] == pytest.approx(math.degrees(test.value.value)) for t in film)
    bar = next(t for t in drawn if t.mode == "lines" and t.y[0] == 1)
    np.testing.assert_allclose(bar.x, np.degrees([test.low, test.high]))
    assert {t.y[0]: t.marker.symbol for t in film}[1] == "circle"
    assert list(figure.layout.yaxis.ticktext)[1] == "frames shuffled"
    low, high = figure.layout.xaxis.range
    assert low < min(bar.x) and high > max(bar.x)


def test_titles_say_what_differs_from_whole_shots_shuffled() -> None:
    told = [t for (null, _), t in made.nulls().tests.items() if null == "shots"]
    differ = [t for t in told if t.difference.verdict in (Verdict.HIGHER, Verdict.LOWER)]
    said = made.title(measures.measures(made.nulls()))
    assert ("beside whole shots shuffled it" in said) == bool(differ) and "8 shots" in said
    assert all(f"p {t.p:.3f}" in said for t in differ)
    one = nulls_report(made.PATH, np.array([0]))
    assert made.title(measures.measures(one)).endswith("nothing can be told from whole shots shuffled (1 shot)")


def test_where_nothing_is_measurable_there_is_a_word_and_no_axis() -> None:
    figure = measures.small_multiples({}, "nothing")
    assert [note.text for note in figure.layout.annotations] == ["Nothing is measurable."]
    assert not figure.data and not figure.layout.xaxis.visible and not figure.layout.yaxis.visible


def test_tables_have_all_tests_in_the_units_that_are_shown() -> None:
    table = measures.table(made.nulls())
    assert len(table) == 3 * len(MEASURES)
    row = table[(table["null"] == "frames shuffled") & (table["measure"] == "path length")].iloc[0]
    test = made.nulls().tests["frames", "length"]
    assert row["value"] == pytest.approx(math.degrees(test.value.value)) and row["unit"] == "degrees"
    assert row["p (Holm)"] == test.p and row["by chance"] == pytest.approx(math.degrees(test.value.null))
    summary = measures.summary(made.path()).set_index("measure")
    assert summary.loc["time in the fullest cap", "value"] == pytest.approx(25) and \
        summary.loc["time in the fullest cap", "unit"] == "%"


def test_the_recurrence_plot_tells_both_frames_of_a_point() -> None:
    report = made.recurrence()
    heat = recurrence.recurrence(report).data[0]
    assert np.array_equal(np.isfinite(heat.z), report.between < report.threshold)
    i, j = np.argwhere(report.recurs)[5]
    assert heat.z[i, j] == pytest.approx(math.degrees(report.between[i, j]), rel=1e-5)
    assert heat.customdata[i, j].tolist() == [report.rows[j], report.rows[i]], "x first"
    assert heat.x[j] == report.times[j] and heat.y[i] == report.times[i]
    assert f"{100 * report.numbers['rate'].value:.1f} %" in made.title(recurrence.recurrence(report, dark=True))
    pairs = recurrence.pairs_table(report)
    assert len(pairs) == report.recurs.sum() / 2 and (pairs["frame"] < pairs["other"]).all()
    assert len(recurrence.recurrence_measures(report).layout.annotations) == 6
    assert len(recurrence.table(report)) == 12 and len(recurrence.summary(report)) == 6


def test_leads_stand_beside_prompts_shuffled_within_shots() -> None:
    report = made.themes()
    figure = themes.leads(report)
    film = {int(t.y[0]): t for t in figure.data if t.mode == "markers" and t.hovertext}
    for k in range(3):
        assert film[2 - k].x[0] == pytest.approx(100 * report.tests[k, "share"].value.value)
    assert "by chance 33 %" in made.title(figure) and "8 shots" in made.title(figure)
    assert themes.leads(report, measure="longest").layout.annotations[0].text == "longest lead (s)"
    table = themes.table(report)
    assert table["time leading (share)"].sum() == pytest.approx(1)
