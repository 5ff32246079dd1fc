"""Figures of what sets taught: what is plotted is what was found, and titles say what can be said."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.figures.quality import learning as figures
from core.learning.comparing import ALL, KEPT, RANDOM, Learned, Scores, compared


def report(gain: float, *, seeds: int = 5, classes: int = 3, sets: tuple[str, ...] = (ALL, KEPT, RANDOM)) -> Learned:
    rng = np.random.default_rng(0)
    runs = {}
    for name in sets:
        up = gain * (name == KEPT)
        runs[name] = [Scores({"r1": 0.4 + up + rng.normal(0, 0.01), "gap": rng.normal(0.5, 0.01)},
                             {f"class {k}": min(0.3 + up + rng.normal(0, 0.02), 1) for k in range(classes)})
                      for _ in range(seeds)]
    beside = {KEPT: RANDOM} if KEPT in sets else {}
    return compared("two towers", runs, beside, dict.fromkeys(sets, 100), 50, {"r1": 0.02, "zero_shot": 1 / 3})


def test_the_figure_shows_runs_means_intervals_and_chance():
    found = report(0.2)
    figure = figures.learning(found)
    for key, axis, factor in (("r1", "x", 100), ("gap", "x2", 1)):
        large = [t for t in figure.data if t.xaxis == axis and t.error_x.array is not None]
        assert [t.name for t in large] == [ALL, KEPT, RANDOM]
        for trace, name in zip(large, found.sets):
            number = found.numbers[name, key]
            assert trace.x[0] == pytest.approx(factor * number.value)
            assert trace.error_x.array[0] == pytest.approx(factor * (number.high - number.value))
        small = [t for t in figure.data if t.xaxis == axis and t.error_x.array is None]
        np.testing.assert_allclose(sorted(np.concatenate([t.x for t in small])),
                                   sorted(factor * np.concatenate([found.runs[name, key] for name in found.sets])))
    assert [shape.x0 for shape in figure.layout.shapes] == [pytest.approx(2)]
    assert figure.layout.title.text.replace("<br>", " ").startswith("kept beside as many at random: R@1 of images +")
    assert figure.layout.xaxis.range[0] < 0 < 60 < figure.layout.xaxis.range[1]


def test_titles_say_no_more_than_can_be_told():
    assert "not told apart from as many at random" in figures.finding(report(0.0))
    alone = report(0.3, sets=(ALL,))
    assert re.match(r"all: R@1 of images [\d.]+ % \([\d.]+ to [\d.]+; by chance 2", figures.finding(alone))
    assert re.search(r"classes: from \d+\s% \(.+\) to \d+\s% \(.+\), by chance 33\s%",
                     figures.by_class(alone).layout.title.text.replace("<br>", " "))
    assert "at random" not in figures.caption(report(0.0, sets=(ALL,)))
    assert "Dots are values" in figures.caption(report(0.1, seeds=1, sets=(ALL,)))


def test_tables_have_every_number_and_many_classes_are_thinned():
    found = report(0.2, classes=40)
    table = figures.learning_table(found).set_index(["set", "measure"])
    row = table.loc[KEPT, "R@1 of images: their caption is first"]
    step = found.differences[KEPT, "r1"]
    assert row["difference"] == step.change.value and row["p (Holm)"] == step.p and row["says"] == "higher"
    assert row["value"] == found.numbers[KEPT, "r1"].value and row["value by chance"] == 0.02 and row["n"] == 5
    shown = figures.shown_table(found).set_index("measure")
    assert shown.loc["R@1 of images", f"{KEPT}, less {RANDOM}"].endswith(": higher") and len(shown) == 3
    assert shown.loc["R@1 of images", "by chance"] == "2.0 %" and shown.loc["Items trained on", ALL] == "100"
    assert len(figures.class_table(found)) == 120
    figure = figures.by_class(found, dark=True)
    assert len(figure.layout.yaxis.ticktext) == figures.MOST_CLASSES
    assert "24 of 40 classes are shown" in figure.layout.title.text.replace("<br>", " ")
    kept = next(t for t in figure.data if t.name == KEPT)
    shown = [name.replace("<br>", " ") for name in figure.layout.yaxis.ticktext]
    np.testing.assert_allclose(kept.x, [100 * found.classes[KEPT, name].value for name in shown])
