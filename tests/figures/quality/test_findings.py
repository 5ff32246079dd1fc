"""The histogram that all findings share, and the cells that items fill: what is drawn is what was counted."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures.quality.coverage import coverage, coverage_table
from core.figures.quality.findings import histogram, histogram_table, title
from core.geometry.directions import unit
from core.geometry.quality.copies import leaks, near_copies
from core.geometry.quality.coverage import coverage as measure_coverage
from core.geometry.quality.finding import Finding
from core.geometry.quality.outliers import outlying


def finding(worse: str = "high", n: int = 500) -> Finding:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=n).astype(np.float32)
    scores[:7] = np.nan
    scores[10:14] = 1.25
    return Finding("made", "image", scores, worse, 1.25, "score", rng.normal(size=200).astype(np.float32), "made")


def bars(figure) -> dict[str, object]:
    return {trace.name: trace for trace in figure.data if trace.type == "bar"}


@pytest.mark.parametrize("worse", ["high", "low"])
@pytest.mark.parametrize("threshold", [None, 0.3, -0.77, 5.0, -5.0])
def test_bars_count_what_is_flagged_and_a_click_moves_the_threshold_there(worse, threshold):
    made = finding(worse)
    drawn, table = bars(histogram(made, threshold)), histogram_table(made, threshold)
    flagged = len(made.flagged(threshold))
    assert table["items"].sum() == 493 and table.loc[table["flagged"], "items"].sum() == flagged
    assert sum(drawn["flagged"].y) == flagged if "flagged" in drawn else flagged == 0
    assert table["by chance"].sum() <= 493 * (1 + 1e-9)
    for _, row in table[table["items"] > 0].iloc[::5].iterrows():
        after = histogram_table(made, row["threshold"])
        assert after.loc[after["flagged"], "items"].sum() == len(made.flagged(row["threshold"]))
    inside = (made.scores >= table["from"].iloc[0] - 1e-6) & (made.scores <= table["to"].iloc[-1] + 1e-6)
    assert inside.sum() == 493


def test_the_title_says_how_many_and_how_many_by_chance():
    made = finding()
    flagged = len(made.flagged())
    assert title(made, name="Odd").startswith(f"Odd: {flagged} of 493 images, {100 * flagged / 493:.0f}")
    assert histogram(made, name="Odd").layout.title.text.startswith("Odd: ")
    assert re.search("; of [^;]+: [0-9.]+ %$", title(made))
    few = leaks(near_copies(np.eye(4, dtype=np.float32)[[0, 0, 1, 2, 3]]), ["a", "b", "a", "a", ""])
    assert f" of {few.share().n} images" in title(few)
    unscored = Finding("made", "text", np.full(3, np.nan, np.float32), "low", 0.0, "score")
    assert title(unscored) == "No caption has a score"


@pytest.mark.parametrize("n", [0, 1, 2, 3, 30])
def test_every_finding_can_be_drawn_however_few_or_alike(n):
    for x in (np.repeat(np.eye(3, dtype=np.float32)[:1], n, axis=0),
              unit(np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)) if n else np.zeros((0, 4))):
        copies = near_copies(x.astype(np.float32))
        for made in (copies, outlying(x.astype(np.float32)), leaks(copies, ["a", "b"] * (n // 2) + [""] * (n % 2))):
            figure = histogram(made, dark=True)
            assert figure.layout.title.text and len(figure.layout.shapes) == 1
            assert np.isfinite(histogram_table(made).to_numpy(float)).all()


def test_bars_of_cells_are_the_counts_in_falling_order_and_name_their_cell():
    x = unit(np.random.default_rng(1).normal(size=(300, 6)).astype(np.float32))
    report = measure_coverage(x)
    figure = coverage(report)
    bar = figure.data[0]
    assert list(bar.y) == sorted(report.counts[report.counts > 0].tolist(), reverse=True)
    assert all(report.counts[cell] == y for cell, y in zip(bar.customdata, bar.y))
    assert f"{100 * report.numbers['cells'].value:.0f}\u00a0% (" in figure.layout.title.text.replace("<br>", " ")
    assert set(coverage_table(report).columns) >= {"measure", "value", "low", "high", "by chance", "n", "unit"}
    with pytest.raises(ShapeError, match="items that cover"):
        coverage(measure_coverage(x[:0]))
