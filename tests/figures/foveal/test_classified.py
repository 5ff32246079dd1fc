"""Figures and tables of classes by several ways of pointing, read back beside their report."""

from __future__ import annotations

import numpy as np
import pytest

from core.attention.foveal.classifying import Classified
from core.figures.foveal import classified as figures
from core.geometry.differences import hits_differ, holm


def report(n: int = 120, k: int = 3) -> Classified:
    """Two thirds right without a prompt, 90 % by the mask, at random by the crop; of the last class there is none."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, k - 1, n)
    guesses = np.stack([np.where(rng.random(n) < right, truth, (truth + 1) % k) for right in (0.6, 0.95, 0.3)])
    return Classified(tuple(f"p{i}" for i in range(n)), ("cat", "<b>dog</b>", "cow"), truth,
                      ("none", "foveal", "crop"), (guesses == truth).astype(float), guesses,
                      np.zeros((3, n, k), np.float32), np.full(n, 0.25))


@pytest.mark.parametrize("dark", [False, True])
def test_accuracies_classes_and_confusions_say_what_the_report_holds(dark: bool) -> None:
    found = report()
    figure = figures.accuracies(found, dark=dark)
    assert figure.data[0].x == pytest.approx([100 * found.accuracy[m].value for m in found.methods])
    assert sorted(shape.x0 for shape in figure.layout.shapes) == pytest.approx(
        sorted([100 / 3, 100 * found.largest]))
    title = " ".join(figure.layout.title.text.replace("<br>", " ").replace("\u00a0", " ").split())
    assert "of 120 pictures right; foveal mask" in title and "above no prompt" in title and "p &lt; 0.001" in title
    table = figures.accuracies_table(found).set_index("method")
    assert table.loc["crop", "says"] == "lower" and table.loc["foveal mask", "says"] == "higher"
    change = table.loc["foveal mask", "gained"] - table.loc["foveal mask", "lost"]
    assert change / 120 == pytest.approx(table.loc["foveal mask", "less no prompt"])
    words = figures.differences_table(found)
    assert words["beside no prompt"][1].startswith("above it: +") and "by chance 33.3 %" in words["beside no prompt"][0]

    classes = figures.by_class(found, "foveal", dark=dark)
    assert len(classes.data[0].x) == 2 and "higher in 2, lower in 0 of 2 classes" in classes.layout.title.text.replace(
        "<br>", " ")
    assert "&lt;b&gt;" in classes.layout.yaxis.ticktext[1], "names are text, never markup"
    heat = figures.confusion(found, "crop", dark=dark).data[0]
    assert np.nansum(heat.customdata[..., 0]) == 120
    assert figures.confusion_table(found).groupby("method")["pictures"].sum().tolist() == [120] * 3
    assert len(figures.class_table(found)) == 6 and len(figures.items_table(found)) == 120


def test_groups_are_corrected_together() -> None:
    found = report()
    parts = {"first": found.part(np.arange(60)), "rest": found.part(np.arange(60, 120))}
    family = holm({(name, m): hits_differ(part.hits[0], part.hits[m]) for name, part in parts.items() for m in (1, 2)})
    table = figures.groups_table(parts)
    assert table["n"].tolist() == ["60", "60"]
    p = family["first", 2].p
    assert f"p {'< 0.001' if p < 0.001 else f'{p:.3f}'}" in table["crop"][0]
    assert sum(len(part.gained("foveal")) for part in parts.values()) == len(found.gained("foveal"))
