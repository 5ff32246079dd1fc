"""Figures of closing the gap: held out beside in sample, named without overlap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.figures import theme
from core.figures.frame import share
from core.figures.gap import closing
from core.geometry.gap.closing import CLOSINGS
from core.types import Number
from tests.figures.gap import reports as made
from tests.figures.gap.test_shift import title


def points(figure, mode: str) -> dict[str, tuple[float, float]]:
    """Place of each method's marker, filled ("circle") or hollow ("circle-open")."""
    return {hover.split("<br>")[0]: (x, y) for t in figure.data if t.mode == "markers" and t.marker.symbol == mode
            and t.hovertext for hover, x, y in zip(t.hovertext, t.x, t.y)}


@pytest.mark.parametrize("way", closing.WAYS)
def test_each_method_stands_at_its_gap_and_its_held_out_score(way):
    report = made.closings()
    figure = closing.closing(report, way=way)
    filled, hollow = points(figure, "circle"), points(figure, "circle-open")
    for row in report.rows:
        name = CLOSINGS[row.method].title
        assert filled[name] == pytest.approx((row.gap.value, 100 * row.held_out[way].value))
        if CLOSINGS[row.method].fits == "nothing":
            assert name not in hollow
        else:
            assert hollow[name] == pytest.approx((row.gap.value, 100 * row.in_sample[way].value))
    assert len(filled) == len(report.rows)


def test_intervals_go_both_ways():
    report = made.closings()
    for trace in (t for t in closing.closing(report).data if t.marker.symbol == "circle"):
        for i, hover in enumerate(trace.hovertext):
            row = next(r for r in report.rows if CLOSINGS[r.method].title == hover.split("<br>")[0])
            number = row.held_out["r1_image_to_text"]
            assert trace.y[i] + trace.error_y.array[i] == pytest.approx(100 * number.high)
            assert trace.y[i] - trace.error_y.arrayminus[i] == pytest.approx(100 * number.low)
            assert trace.x[i] + trace.error_x.array[i] == pytest.approx(row.gap.high)
            assert trace.x[i] - trace.error_x.arrayminus[i] == pytest.approx(row.gap.low)


def test_a_line_joins_each_hollow_marker_to_its_filled_one():
    figure = closing.closing(made.closings())
    filled, hollow = points(figure, "circle"), points(figure, "circle-open")
    joins = next(t for t in figure.data if t.mode == "lines" and t.line.color == theme.palette().muted)
    ends = {(joins.x[i], *sorted(joins.y[i:i + 2])) for i in range(0, len(joins.x), 3)}
    for name, (x, y) in hollow.items():
        assert any(np.allclose(end, (x, *sorted((y, filled[name][1])))) for end in ends)


def test_names_do_not_overlap_and_stand_in_the_order_of_the_scores():
    report = made.closings()
    figure = closing.closing(report)
    names = {note.text: note.y for note in figure.layout.annotations}
    assert set(names) == {CLOSINGS[row.method].title for row in report.rows}
    low, high = figure.layout.yaxis.range
    room = figure.layout.height - figure.layout.margin.t - 110   # axis and a legend of two lines
    apart = np.diff(sorted(names.values())) / (high - low) * room
    assert apart.min() >= 12
    scores = {CLOSINGS[r.method].title: r.held_out["r1_image_to_text"].value for r in report.rows}
    ordered = sorted(names, key=names.get)
    assert (np.diff([scores[name] for name in ordered]) >= -1e-12).all()


def test_colours_tell_what_a_method_is_fitted_on():
    figure = closing.closing(made.closings(), dark=True)
    colours = {t.name: t.marker.color for t in figure.data if t.marker.symbol == "circle"}
    assert set(colours) == set(closing.FITS.values()) and len(set(colours.values())) == 3
    for note in figure.layout.annotations:
        key = next(k for k, m in CLOSINGS.items() if m.title == note.text)
        assert note.font.color == colours[closing.FITS[CLOSINGS[key].fits]]
        assert theme.contrast(note.font.color, theme.DARK.background) >= 4.5


def test_the_title_tells_the_best_and_the_trap():
    report = made.closings()
    way = "r1_image_to_text"
    said = title(closing.closing(report))
    untouched = report.rows[0].held_out[way]
    assert f"untouched {share(untouched)}" in said
    best = max((r for r in report.rows if abs(r.held_out[way].value - untouched.value) > 1e-9),
               key=lambda r: r.held_out[way].value)
    gain = best.change[way].change
    assert (f"best {CLOSINGS[best.method].title} {100 * gain.value:+.0f} points "
            f"({100 * gain.low:+.0f} to {100 * gain.high:+.0f})") in said
    trap = max(report.rows[1:], key=lambda r: (CLOSINGS[r.method].fits != "nothing")
               * (r.in_sample[way].value - r.held_out[way].value))
    assert (f"{CLOSINGS[trap.method].title} {share(trap.in_sample[way])} on the pairs it was fitted on, "
            f"{share(trap.held_out[way])} on others") in said
    assert f"{report.repeats} splits, {report.n_scored} pairs scored" in said


def test_where_nothing_is_better_the_title_says_so():
    report, way = made.closings(), "r1_image_to_text"
    worse = tuple(replace(r, held_out={**r.held_out, way: Number(0.1 + 0.01 * i)}, change={})
                  for i, r in enumerate(report.rows[1:]))
    said = title(closing.closing(replace(report, rows=(report.rows[0], *worse))))
    assert f"none better, next {CLOSINGS[worse[-1].method].title} {10 + len(worse) - 1} %" in said
    assert ", best " not in said


def test_the_untouched_score_alone_is_drawn_too():
    report = made.closings()
    figure = closing.closing(replace(report, rows=report.rows[:1]))
    assert points(figure, "circle") and not points(figure, "circle-open")


def test_without_pairs_there_is_no_retrieval_to_draw():
    with pytest.raises(ShapeError, match=r"pairs that belong together, to score retrieval on; got none\. Open"):
        closing.closing(made.closings(False))
    with pytest.raises(ChoiceError, match="way of retrieval to be one of r1_image_to_text, r1_text_to_image"):
        closing.closing(made.closings(), way="up")
    table = closing.closing_table(made.closings(False))
    assert "gap" in table and not any("held out" in column for column in table)


def test_the_table_has_every_number_with_its_interval():
    report = made.closings()
    table = closing.closing_table(report)
    assert table["method"].tolist() == [r.method for r in report.rows]
    for i, row in list(enumerate(report.rows))[1:]:
        assert table["gap"][i] == row.gap.value
        assert table["r1_text_to_image in sample low"][i] == row.in_sample["r1_text_to_image"].low
        assert table["r1_image_to_text change"][i] == row.change["r1_image_to_text"].change.value
        assert table["r1_image_to_text after"][i] == row.change["r1_image_to_text"].verdict.value
        assert table["zero-shot accuracy"][i] == row.accuracy.value
    assert set(table["pairs fitted on"]) == {report.n_fit}


def test_the_curve_over_fit_size_is_drawn_with_the_untouched_score():
    report = made.closings()
    figure = closing.fit_size(report)
    named = {t.name: t for t in figure.data}
    for method, curve in report.by_fit_size.items():
        trace = named[CLOSINGS[method].title]
        np.testing.assert_allclose(trace.x, report.fit_sizes)
        np.testing.assert_allclose(trace.y, 100 * curve.values)
    assert set(named["untouched"].y) == {100 * report.rows[0].held_out["r1_image_to_text"].value}
    assert list(figure.layout.xaxis.tickvals) == report.fit_sizes.tolist()
    table = closing.fit_size_table(report)
    assert len(table) == len(report.by_fit_size) * len(report.fit_sizes)
    with pytest.raises(ShapeError, match=r"curves over the number of fitted pairs; got none\. Choose a method"):
        closing.fit_size(replace(report, by_fit_size={}))


def test_a_number_without_interval_has_no_bar():
    report = made.closings()
    rows = [replace(r, gap=Number(r.gap.value)) for r in report.rows]
    figure = closing.closing(replace(report, rows=tuple(rows)))
    assert all(not any(t.error_x.array) for t in figure.data if t.marker.symbol == "circle")
