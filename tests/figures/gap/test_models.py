"""Figures of several models: over training, before training, side by side."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import spoken
from core.figures.gap import models
from core.figures.gap.shift import KINDS, kind_colour
from core.geometry.curves import Curve
from core.geometry.gap.measures import MEASURES
from core.types import Number
from tests.figures.gap import reports as made
from tests.figures.gap.test_shift import heights, title

STEPS = np.array([0, 10, 100, 1000])
GAP = Curve("Gap", np.array([1.1, 0.9, 0.7, 0.6]), np.array([1.0, 0.8, 0.6, 0.5]), np.array([1.2, 1.0, 0.8, 0.7]), 0.1)
WIDTHS = [Curve("Images, width", np.array([1.0, 2, 3, 4]), unit="degrees"), Curve("Texts, width", np.arange(4.0)),
          Curve("Both", np.arange(4.0) + 9), Curve("Pair", np.arange(4.0) + 5), Curve("No pair", np.arange(4.0) + 6)]
NAMES = ["one", "two", "three"]
CKA = [[Number(1.0), Number(0.4, 0.3, 0.5), Number(0.1)], [Number(0.4, 0.3, 0.5), Number(1.0), Number(0.9, 0.8, 0.95)],
       [Number(0.1), Number(0.9, 0.8, 0.95), Number(1.0)]]
OVERLAP = [[Number(n.value / 2) for n in row] for row in CKA]


def test_curves_over_training_stand_at_their_steps():
    figure = models.over_training(STEPS, {"Gap": [GAP], "Widths": WIDTHS})
    named = {t.name: t for t in figure.data}
    assert figure.layout.xaxis2.type == "log"
    for curve, row in ((GAP, "y"), *((c, "y2") for c in WIDTHS)):
        trace = named[curve.title]
        np.testing.assert_allclose(trace.y, curve.values)
        np.testing.assert_allclose(trace.x, [5, 10, 100, 1000])   # 0 stands left of the first step, and is called 0
        assert trace.customdata.tolist() == STEPS.tolist()
        assert trace.yaxis == row
    assert figure.layout.xaxis2.ticktext == ("0", "10", "100", "1,000")
    assert figure.layout.xaxis2.tickvals == (5, 10, 100, 1000)
    assert set(named["Gap, by chance"].y) == {0.1}
    kinds = theme.palette().kinds
    assert named["Images, width"].line.color == kinds["image"]
    assert named["Texts, width"].line.color == kinds["text"]
    assert named["Pair"].line.color == kind_colour("matched")
    assert named["No pair"].line.color == kind_colour("unmatched")
    assert len({t.line.color for t in figure.data if t.yaxis == "y2"}) == 5
    assert (figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text) == ("no unit", "degrees")
    assert title(figure) == "Gap: 1.10 (1.00 to 1.20) at step 0, 0.60 (0.50 to 0.70) at step 1,000"


def test_steps_that_lie_close_are_drawn_evenly():
    figure = models.over_training([5, 10, 15, 20], {"Gap": [GAP]})
    np.testing.assert_allclose(figure.data[1].x, [5, 10, 15, 20])
    assert figure.layout.xaxis.type != "log"


def test_training_refuses_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"curves of 3 steps, one or more; got others \(Gap\)"):
        models.over_training(STEPS[:3], {"Gap": [GAP]})
    with pytest.raises(ShapeError, match="one curve or more in each panel; got a panel without"):
        models.over_training(STEPS, {"Gap": []})
    with pytest.raises(ShapeError, match="one curve or more in each panel; got no panel"):
        models.over_training(STEPS, {})


def test_the_table_over_training_has_each_step_of_each_curve():
    table = models.over_training_table(STEPS, {"Gap": [GAP], "Widths": WIDTHS})
    assert len(table) == 24
    own = table[table["curve"] == "Gap"]
    assert own["step"].tolist() == STEPS.tolist() and own["low"].tolist() == GAP.low.tolist()


def test_cones_are_the_histograms_of_both_models_over_one_axis():
    trained, untrained = made.histograms(), made.histograms(0.25)
    figure = models.cones(trained, untrained)
    for kind, words in KINDS.items():
        for report, axis in ((trained, "y"), (untrained, "y2")):
            (trace,) = [t for t in figure.data if t.name == words and t.yaxis == axis]
            np.testing.assert_allclose(heights(trace, report.edges), 100 * report.shares[kind], atol=1e-12)
        early, late = (spoken(report.mean.numbers[kind]).split()[0] for report in (untrained, trained))
        assert f"{words} {early} → {late}" in title(figure)
    assert figure.layout.xaxis.matches == "x2"
    table = models.cones_table(trained, untrained)
    np.testing.assert_allclose(table.groupby(["model", "kind"])["share"].sum(), 1)


def test_models_stand_in_each_panel_with_interval_and_null():
    table = made.models()
    titles = {key: MEASURES[key].title for key in ("centroid_gap", "rmg", "r1_image_to_text")}
    figure = models.models_compared(table, titles=titles)
    headings = [note.text for note in figure.layout.annotations]
    assert headings == ["Gap", "Relative gap", "R@1, image to text<br>(share, gallery kept)"]
    values = [t for t in figure.data if t.legendgroup == "value"]
    nulls = [t for t in figure.data if t.legendgroup == "null"]
    assert len({(t.xaxis, t.yaxis) for t in values}) == 3
    assert [(t.xaxis, t.yaxis) for t in nulls] == [(t.xaxis, t.yaxis) for t in values]
    for trace, null, key in zip(values, nulls, titles):
        numbers = [numbers[key] for numbers in table.values()]
        np.testing.assert_allclose(trace.x, [n.value for n in numbers])
        np.testing.assert_allclose(np.array(trace.x) + trace.error_x.array, [n.high for n in numbers])
        np.testing.assert_allclose(np.array(trace.x) - trace.error_x.arrayminus, [n.low for n in numbers])
        np.testing.assert_allclose(null.x, [n.null for n in numbers if n.null is not None])
        assert list(trace.y) == ["built-in", "&lt;b&gt;other&lt;/b&gt;", "third"]
    gaps = {name: numbers["centroid_gap"] for name, numbers in table.items()}
    low, high = min(gaps, key=lambda m: gaps[m].value), max(gaps, key=lambda m: gaps[m].value)
    assert f"Gap: {gaps[low].value:.2f} ({gaps[low].low:.2f} to" in title(figure)
    assert f"for {low}" in title(figure) and f"for {high} (3 models" in title(figure)


def test_a_number_that_a_model_has_not_is_left_out():
    table = {"a": {"gap": Number(0.5), "r1": Number(0.3)}, "b": {"gap": Number(0.7)}}
    figure = models.models_compared(table)
    values = [t for t in figure.data if t.legendgroup == "value"]
    assert [list(t.y) for t in values] == [["a", "b"], ["a"]]
    assert len(models.models_compared_table(table)) == 3
    with pytest.raises(ShapeError, match="models with one number or more to compare; got none"):
        models.models_compared({"a": {}})


@pytest.mark.parametrize("dark", [False, True])
def test_agreement_writes_each_number_on_its_cell_so_that_it_can_be_read(dark):
    figure = models.agreement(NAMES, CKA, OVERLAP, dark=dark)
    np.testing.assert_allclose(figure.data[0].z, [[n.value for n in row] for row in CKA])
    np.testing.assert_allclose(figure.data[1].z, [[100 * n.value for n in row] for row in OVERLAP])
    colours = theme.sequence(dark, steps=101)
    written = [note for note in figure.layout.annotations if note.xref in ("x", "x2") and note.yref in ("y", "y2")]
    assert len(written) == 18
    for note in written:
        row, column = list(figure.data[0].y).index(note.y), "ABC".index(note.x)
        first = note.yref == "y"
        value = CKA[row][column].value if first else 100 * OVERLAP[row][column].value
        assert note.text == (f"{value:.2f}" if first else f"{value:.0f}")
        behind = "#{:02x}{:02x}{:02x}".format(*colours[round(value * (100 if first else 1))])
        assert theme.contrast(note.font.color, behind) >= 4.5
    assert "0.40 (0.30 to 0.50)" in np.ravel(figure.data[0].hovertext)
    assert title(figure) == ("Most alike: two and three, CKA 0.90 (0.80 to 0.95), 0.45 of the 10 nearest neighbours "
                             "shared; least alike: CKA 0.10")


def test_agreement_refuses_tables_that_are_not_square():
    with pytest.raises(ShapeError, match="a square table of numbers for 2 to 26 models; got 2 names, rows of 3, 3, 3"):
        models.agreement(NAMES[:2], CKA, OVERLAP)
    table = models.agreement_table(NAMES, CKA, OVERLAP)
    assert table[["model", "other"]].to_numpy().tolist() == [["one", "two"], ["one", "three"], ["two", "three"]]
    assert table["cka"].tolist() == [0.4, 0.1, 0.9] and table["cka high"][2] == 0.95
