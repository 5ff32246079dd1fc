"""Figures of what was scored on scenes of the built-in world say what the reports say."""

from __future__ import annotations

import html

import numpy as np
import pytest

from core.attention.foveal.finding import CENTRE, FindingReport, Search, finding_report
from core.attention.foveal.referring import ReferringReport, refer
from core.attention.foveal.scenes import world_references
from core.attention.foveal.sweep import Sweep, sweep
from core.attention.prompts import TITLES
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.figures.foveal import found, referred
from core.figures.foveal.sweep import sweep as sweep_figure
from core.figures.foveal.sweep import sweep_table
from core.figures.frame import spoken
from core.geometry.differences import Verdict

METHODS = ("foveal", "crop", "none")


@pytest.fixture(scope="module")
def tower() -> ImageTower:
    return ImageTower(load_model("builtin"))


@pytest.fixture(scope="module")
def report(tower: ImageTower) -> ReferringReport:
    return refer(tower, world_references(12, 5, objects=2), METHODS)


@pytest.fixture(scope="module")
def windows(tower: ImageTower) -> FindingReport:
    return finding_report(tower, world_references(6, 5, objects=2), ("foveal", "crop"), search=Search((0.5,), 0.25))


@pytest.fixture(scope="module")
def turned(tower: ImageTower) -> Sweep:
    return sweep(tower, world_references(2, 5, objects=2))


def title(figure) -> str:
    return html.unescape(figure.layout.title.text.replace("<br>", " ")).replace("\u00a0", " ")


def test_accuracies_have_their_intervals_and_the_title_compares_in_pairs(report: ReferringReport):
    figure = referred.accuracies(report)
    for trace, subtracted in zip(figure.data, (False, True)):
        numbers = [report.accuracy[method, subtracted] for method in METHODS]
        np.testing.assert_allclose(trace.x, [100 * n.value for n in numbers])
        np.testing.assert_allclose(np.array(trace.x) + trace.error_x.array, [100 * n.high for n in numbers])
        np.testing.assert_allclose(np.array(trace.x) - trace.error_x.arrayminus, [100 * n.low for n in numbers])
    assert figure.layout.shapes[0].x0 == pytest.approx(50)
    assert list(figure.layout.yaxis.ticktext) == [TITLES[method] for method in METHODS]
    assert "Foveal mask finds" in title(figure) and "by chance 50" in title(figure) and "24 sentences" in title(figure)

    table = referred.accuracies_table(report).set_index(["method", "scores"])
    crop = table.loc["crop", "other captions subtracted"]
    assert crop["accuracy"] == report.accuracy["crop", True].value and crop["pictures"] == 12
    assert crop["foveal mask less it"] == report.over["crop", True].change.value
    assert crop["foveal mask less it, p (Holm)"] == report.over["crop", True].p
    words = referred.differences_table(report).set_index("method").loc["no prompt"]
    assert words.iloc[1].startswith("above it: +")


def test_overlaps_stand_beside_chance_and_the_window_in_the_middle(windows: FindingReport):
    figure = found.overlaps(windows)
    np.testing.assert_allclose(figure.data[0].x, [n.value for n in windows.iou.values()])
    assert figure.layout.shapes[0].x0 == pytest.approx(windows.chance.mean())
    assert list(figure.layout.yaxis.ticktext) == ["foveal mask", "crop", "the middle"]
    assert f"intersection over union {spoken(windows.iou['foveal'])}, 12 sentences" in title(figure)
    table = found.overlaps_table(windows).set_index("window")
    assert table.loc["the middle", "intersection over union"] == windows.iou[CENTRE].value
    assert table.loc["crop", "p (Holm)"] == windows.over["crop"].p


@pytest.mark.parametrize("dark", [False, True])
def test_the_sweep_marks_the_first_setting_in_each_dial_and_what_differs_from_it(turned: Sweep, dark: bool):
    figure = sweep_figure(turned, dark=dark)
    drawn = [t for t in figure.data if t.name == "other captions subtracted"]
    dials = list(dict.fromkeys(turn.dial for turn in turned.turns))
    assert len(drawn) == len(dials) >= 4
    for trace, dial in zip(drawn, dials):
        turns = turned.of(dial)
        np.testing.assert_allclose(trace.x, [100 * turn.subtracted.value for turn in turns])
        for symbol, turn in zip(trace.marker.symbol, turns):
            differs = turn.off.verdict in (Verdict.HIGHER, Verdict.LOWER)
            assert symbol == ("diamond" if turn.steering == turned.about else "circle" if differs else "circle-open")
        assert list(trace.marker.symbol).count("diamond") == 1, dial
    base = next(turn for turn in turned.turns if turn.steering == turned.about)
    lines = sorted(shape.x0 for shape in figure.layout.shapes)
    np.testing.assert_allclose(lines, sorted([50.0, 100 * base.subtracted.value] * len(dials)))
    layers = [axis.ticktext for axis in figure.select_yaxes() if "last half" in axis.ticktext]
    assert list(layers[0]) == [turn.label for turn in turned.of("layers")]
    assert "seed 5" in title(figure) and "2 scenes" in title(figure)
    table = sweep_table(turned)
    assert len(table) == len(turned.turns) and table["first setting"].sum() == len(dials)
