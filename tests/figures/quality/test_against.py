"""Figures of A against B: what is drawn is what the reports say, with units, chance and halves, light and dark."""

from __future__ import annotations

import numpy as np
import pytest

from core.figures.quality import against as drawn
from core.figures.quality import composition as parts
from core.figures.quality import where as places
from core.geometry.directions import unit
from core.geometry.quality.against import STATISTICS, compare
from core.geometry.quality.regions import regions
from core.geometry.quality.shared import FROM_WHOLE, against_random
from core.geometry.quality.where import where_apart

NAMES = ("photos <b>", "sketches")


def topics(counts: list[int], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(counts)), counts)
    return unit((2 * np.eye(16)[of] + 0.4 * rng.normal(size=(len(of), 16))).astype(np.float32))


@pytest.fixture(scope="module")
def sets() -> tuple[np.ndarray, np.ndarray]:
    return topics([60, 60, 60], 0), topics([60, 110, 10], 1)


def said(figure) -> str:
    return figure.layout.title.text.replace("<br>", " ").replace("\u00a0", " ")


def test_every_statistic_has_a_panel_with_value_chance_halves_and_interval(sets):
    report = compare(*sets)
    figure = drawn.against(report, NAMES)
    heads = [note.text for note in figure.layout.annotations]
    for row, (key, statistic) in enumerate(report.statistics.items(), 1):
        measure, factor = STATISTICS[key], 100 if STATISTICS[key].unit == "share" else 1
        assert heads[row - 1].startswith(measure.title) and ("(%)" in heads[row - 1]) == (factor == 100)
        assert f"p {statistic.p:.3f}" in heads[row - 1]
        of_row = [t for t in figure.data if t.xaxis == f"x{row if row > 1 else ''}"][:4]
        band, middle, halves, value = of_row
        assert band.x == pytest.approx(factor * np.quantile(statistic.by_chance, [0.025, 0.975]))
        assert middle.x[0] == pytest.approx(factor * statistic.number.null)
        assert np.array(halves.x) == pytest.approx(factor * statistic.halves) and len(halves.x) == 20
        assert value.x[0] == pytest.approx(factor * statistic.number.value)
        assert value.marker.symbol == ("circle" if statistic.told_apart else "circle-open")
        assert (value.error_x.array is None) == (statistic.number.low is None)
        low, high = figure.layout[f"xaxis{row if row > 1 else ''}"].range
        assert low <= min(*band.x, *halves.x, *value.x) and high >= max(*band.x, *halves.x, *value.x)
    told = sum(s.told_apart for s in report.statistics.values())
    assert f"told apart by {told} of 8 statistics" in said(figure) and "90 items of each" in said(figure)
    assert "&lt;b&gt;" in said(figure)
    table = drawn.against_table(report)
    assert len(table) == 8 and (table.says == "told apart").sum() == told
    assert table["two halves"].notna().all() and table["value low"].notna().sum() == 3


def test_what_is_not_measurable_says_why():
    figure = drawn.against(compare(topics([3], 0), topics([3], 1)), NAMES)
    assert "not measurable: A has 3 and B 3 items" in said(figure)
    assert any("Nothing is measurable" in note.text for note in figure.layout.annotations)
    assert drawn.against_table(compare(topics([3], 0), topics([3], 1))).empty
    assert "nothing was dropped" in said(drawn.kept(against_random(np.ones(20, bool), topics([20], 0))))


def test_what_is_kept_is_drawn_beside_random_subsets(sets):
    report = against_random(np.arange(180) < 130, sets[0])
    figure = drawn.kept(report, dark=True)
    assert "differs from random subsets of its size: CMMD to the whole higher" in said(figure)
    values = [t.x[0] for t in figure.data if t.name == "kept" and t.x[0] is not None]
    factors = [100 if FROM_WHOLE[key].unit == "share" else 1 for key in report.statistics]
    assert values == pytest.approx([f * s.number.value for f, s in zip(factors, report.statistics.values())])
    assert list(drawn.kept_table(report).statistic) == [FROM_WHOLE[key].title for key in report.statistics]


def test_local_shares_are_binned_as_they_are(sets):
    report = where_apart(*sets, k=15)
    figure, table = places.shares(report, NAMES), places.shares_table(report)
    assert table[["of A", "of B", "dealt labels"]].sum().to_numpy() == pytest.approx(100)
    middle = (table["from"] + table["to"]) / 2
    assert float((middle * table["of A"]).sum() / 100) == pytest.approx(100 * report.share_a.mean(), abs=0.01)
    assert np.array(figure.data[1].y) == pytest.approx(table["of B"].to_numpy())
    assert [shape.x0 for shape in figure.layout.shapes] == pytest.approx([100 * report.low, 100 * report.high])
    assert "among the 15 nearest items (%)" in figure.layout.xaxis.title.text
    sentence = places.only_sentence(report, ("photos", "sketches"))
    assert f"{len(report.only_a.flagged()):,} items of photos" in sentence and "by chance" in sentence
    alike = where_apart(topics([90], 0), topics([90], 1))
    assert "No place is told" in said(places.shares(alike))


def test_parts_are_drawn_with_both_shares_the_largest_difference_first(sets):
    report = regions(*sets, count=3).composition
    shown = {part.name: f"topic of {part.name} <i>" for part in report.parts}
    figure = parts.composition(report, NAMES, what="region", shown=shown)
    of_a, of_b = figure.data[1:]
    assert list(of_a.x) == pytest.approx([100 * p.of_a.value for p in report.parts])
    assert list(of_b.x) == pytest.approx([100 * p.of_b.value for p in report.parts])
    assert list(of_a.customdata) == [p.name for p in report.parts]
    assert list(of_a.marker.symbol) == ["circle", "circle", "circle-open"]
    assert list(of_b.error_x.array) == pytest.approx([100 * (p.of_b.high - p.of_b.value) for p in report.parts])
    assert all("&lt;i&gt;" in tick for tick in figure.layout.yaxis.ticktext)
    assert "2 of 3 regions told apart" in said(figure) and "% by chance" in said(figure)
    table = parts.composition_table(report, ("photos", "sketches"), shown)
    assert table["photos items"].sum() == table["sketches items"].sum() == 180
    assert table.name.iloc[0] == shown[report.parts[0].name]
