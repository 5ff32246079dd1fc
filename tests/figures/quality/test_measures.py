"""What actions do, as figures: the places that are drawn are the numbers of the report."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.quality.measures import drops, drops_table, measures, measures_table
from core.geometry.differences import Verdict
from core.geometry.quality.at_random import Beside, beside_random
from core.geometry.quality.finding import Finding
from core.geometry.quality.items import Items, Kept
from core.geometry.quality.measures import sheet
from tests.geometry.quality.made_items import flags, made_items


@pytest.fixture(scope="module")
def report() -> Beside:
    items = made_items(100)
    findings: dict[str, Finding] = {"blur": flags(range(12), 100), "dark": flags([], 100)}
    of = sheet(items, findings, titles={"blur": "Blurred images", "dark": "Dark images"})
    return beside_random(of, Kept.all_of(items).without(items, images=np.arange(10)), draws=20)


def panel(figure: go.Figure, head: str) -> list[go.Scatter]:
    """The traces under a heading."""
    number = [note.text for note in figure.layout.annotations].index(head) + 1
    return [trace for trace in figure.data if trace.xaxis == f"x{number if number > 1 else ''}"]


@pytest.mark.parametrize("dark", [False, True])
def test_each_measure_stands_beside_random_drops(report: Beside, dark: bool) -> None:
    figure = measures(report, dark=dark)
    bar, tick, before, after = panel(figure, "Blurred images (%)")
    assert before.x[0] == pytest.approx(12)
    assert after.x[0] == pytest.approx(100 * 2 / 90)
    assert tick.x[0] == pytest.approx(100 * report.random["share_blur"].mean())
    assert bar.x[0] < tick.x[0] < bar.x[1]
    assert not bar.x[0] <= after.x[0] <= bar.x[1]
    assert (before.marker.symbol, after.marker.symbol) == ("circle-open", "circle")
    assert "less at random: -" in after.hovertext
    heads = [note.text for note in figure.layout.annotations]
    assert not any("Dark" in head for head in heads), "what nothing changes has no panel"
    assert "10 images and 10 captions dropped" in figure.layout.title.text.replace("<br>", " ")
    assert "Blurred images lower (better)" in figure.layout.title.text.replace("<br>", " ")
    for trace in (t for t in figure.data if t.x[0] is not None):
        axis = figure.layout["xaxis" + trace.xaxis[1:]]
        assert axis.range[0] <= min(trace.x)
        assert max(trace.x) <= axis.range[1]


def test_the_table_says_all_of_it(report: Beside) -> None:
    table = measures_table(report).set_index("measure")
    row = table.loc["Blurred images"]
    assert (row["before"], row["after"], row["after n"]) == (0.12, pytest.approx(2 / 90), 90)
    assert row["difference"] == pytest.approx(row["after"] - row["at random"])
    assert row["p (Holm)"] == report.differences["share_blur"].p
    assert row["says"] == "lower (better)"
    assert table.loc["Dark images", "says"] == Verdict.NOT_MEASURABLE.value


def test_a_state_without_anything_is_drawn() -> None:
    items = made_items(5)
    for kept in (Kept.all_of(items), Kept.all_of(items).without(items, images=np.arange(5))):
        assert measures(beside_random(sheet(items), kept, draws=6)).layout.title.text
    nothing = Items(None, None, np.zeros((0, 2)))
    empty = measures(beside_random(sheet(nothing), Kept.all_of(nothing), draws=6))
    assert empty.layout.annotations[-1].text == "No measure changes."
    assert drops([], Kept.all_of(nothing)).layout.title.text == "No items"


def test_actions_as_bars() -> None:
    items = made_items(10, 2)
    whole = Kept.all_of(items)
    first = whole.without(items, images=np.array([0, 1, 2]))
    second = first.without(items, texts=np.array([8]))
    steps = [("Drop <b>copies</b>", first), ("Drop short captions", second)]
    figure = drops(steps, whole)
    bars = {(trace.xaxis, trace.name): list(trace.x) for trace in figure.data}
    assert bars == {("x", "left"): [10, 7, 7], ("x", "dropped"): [0, 3, 0],
                    ("x2", "left"): [20, 14, 13], ("x2", "dropped"): [0, 6, 1]}
    assert "&lt;b&gt;" in figure.data[0].y[1]
    assert [note.text for note in figure.layout.annotations] == ["Number of images", "Number of captions"]
    title = figure.layout.title.text.replace("<br>", " ")
    assert title == "7 of 10 images and 13 of 20 captions are left after 2 actions"
    assert drops_table(steps, whole)[["images dropped", "captions dropped"]].to_numpy().tolist() == [[3, 6], [0, 1]]
