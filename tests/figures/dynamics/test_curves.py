"""Curves of a training: what is drawn is what the record says, chance beside it."""

from __future__ import annotations

import html
from dataclasses import replace

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures.dynamics import curves
from core.geometry.uniformity import uniformity_by_chance
from core.learning.records.measuring import interval_of, with_measures
from core.learning.records.record import MEASURES, Probe, Record
from core.types import Number
from tests.geometry.dynamics.planted import CLASSES, gathering


def title(figure) -> str:
    return " ".join(html.unescape(figure.layout.title.text).replace("<br>", " ").replace("\u00a0", " ").split())


@pytest.mark.parametrize("dark", [False, True])
def test_each_measure_is_drawn_over_its_steps_with_what_chance_gives(dark):
    record = gathering()
    figure = curves.curves([record], at=20, dark=dark)
    drawn = {t.meta: t for t in figure.data if t.meta != "chance"}
    assert set(drawn) == {"loss", "r1", "alignment", "uniformity", "gap", "temperature"}
    for key, trace in drawn.items():
        there = np.isfinite(record.measures[key])
        np.testing.assert_array_equal(trace.x, record.steps[there])
        np.testing.assert_allclose(trace.y, (100 if key == "r1" else 1) * record.measures[key][there])
    levels = {round(float(t.y[0]), 3) for t in figure.data if t.meta == "chance"}
    assert levels == {round(100 / CLASSES, 3), 2.0, round(uniformity_by_chance(3), 3)}
    assert [s.x0 for s in figure.layout.shapes if s.type == "line"] == [20] * 6
    assert figure.layout.xaxis6.title.text == "training step"
    assert f"R@1 of images {100 * record.measures['r1'][0]:.0f} → 100 % by step 50 (by chance 17 %" in title(figure)


def test_runs_have_names_and_colours_of_their_own():
    first = gathering()
    second = replace(first, name="<b>noisy</b> captions that go on and on", ended="it diverged at step 50")
    figure = curves.curves([first, second])
    losses = [t for t in figure.data if t.meta == "loss"]
    assert len({t.line.color for t in losses}) == 2
    said = [a.text for a in figure.layout.annotations]
    assert "gathering" in said
    assert not any("<b>" in text for text in said)
    assert "gathering 100 %" in title(figure)
    table = curves.table([first, second])
    assert len(table) == 2 * len(first)
    np.testing.assert_array_equal(table[MEASURES["loss"]][:len(first)], first.measures["loss"])
    assert "it diverged at step 50" in title(curves.curves([second]))


def test_a_run_that_has_just_begun_and_a_record_without_measures_are_drawn():
    begun = gathering().only([0])
    assert len(curves.curves([begun, begun], at=0).data) > 0
    bare = Record("bare", begun.probe, begun.steps, begun.images, begun.texts)
    assert title(curves.curves([bare])) == "bare: 1 snapshot, to step 0"
    with pytest.raises(ShapeError, match="at least one run"):
        curves.curves([])


def test_chance_of_retrieval_counts_each_own_caption():
    record = gathering().only([0])
    probe = Probe(("a", "b"), ("x", "y", "z"), np.array([[0, 0], [0, 1], [1, 2], [0, 0]]))
    two = Record("two", probe, np.array([0]), record.images[:, :2], record.texts[:, :3], {"r1": np.array([0.5])})
    assert curves.chance("r1", two) == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert curves.chance("loss", two) is None


def test_the_last_step_has_its_intervals():
    record = with_measures(Record("bare", gathering().probe, gathering().steps, gathering().images, gathering().texts))
    figure = curves.curves([record], ends=[interval_of(record)])
    ends = {t.meta.split()[0]: t for t in figure.data if t.meta.endswith(" end")}
    assert {"r1", "alignment", "gap"} <= set(ends)
    number = interval_of(record)["alignment"]
    assert ends["alignment"].y[0] == pytest.approx(record.measures["alignment"][-1], abs=1e-6)
    assert ends["alignment"].error_y.array[0] == pytest.approx(number.high - number.value)
    assert "→ 100.0 % (" in title(figure) and ends["r1"].y[0] == 100
    few = curves.curves([record], ends=[{"r1": Number(1, 0.8, 1, n=13)}])
    assert f"R@1 of images {13 * record.measures['r1'][0]:.1f}".rstrip("0").rstrip(".") + " of 13 → 13 of 13" in \
        title(few)
