"""Doses and findings as figures: what is drawn is what was measured, and the title says what was found."""

from __future__ import annotations

import dataclasses
import html

import numpy as np
import pandas as pd
import pytest

from core.figures.dynamics import doses, findings
from core.geometry.differences import holm
from core.learning.towers.doses import SHOWN, DoseResponse, Level, Response, response_of
from core.learning.towers.experiments import EXPERIMENTS, Found
from core.learning.towers.setup import DIALS

MEANS = {"r1": (0.97, 0.3), "worst_class": (0.9, 0.1), "alignment": (0.1, 0.2), "uniformity": (-2.0, -0.5),
         "gap": (0.1, 0.6), "gap_start": (0.8, 0.8), "r1_text": (1.0, 0.5)}


def response(levels: list[Level], apart: float = 0.01) -> Response:
    """Five runs a level, going straight from the first mean to the last."""
    rng = np.random.default_rng(0)
    rows = [{"level": level, "seed": seed, "gap_chance": 0.1, "gap_chance_start": 0.12, "ended": "",
             **{name: a + (b - a) * i / (len(levels) - 1) + rng.normal(0, apart) for name, (a, b) in MEANS.items()}}
            for i, level in enumerate(levels) for seed in range(5)]
    return response_of(pd.DataFrame(rows), 1 / 12)


def dosed(dial: str, **how: float) -> DoseResponse:
    found = response(list(DIALS[dial].choices or DIALS[dial].doses), **how)
    parts = {one.name: getattr(found, one.name) for one in dataclasses.fields(found)}
    return DoseResponse(**parts, dial=dial, differences=holm({name: found.ends(name) for name in SHOWN}))


def title(figure) -> str:
    return " ".join(html.unescape(figure.layout.title.text).replace("<br>", " ").replace("\u00a0", " ").split())


@pytest.mark.parametrize("dark", [False, True])
def test_each_training_its_mean_and_its_band_are_drawn(dark):
    found = dosed("caption_noise")
    figure = doses.doses(found, dark=dark)
    for measure in SHOWN:
        factor = 100 if measure in ("r1", "worst_class") else 1
        line = next(trace for trace in figure.data if trace.meta == measure)
        np.testing.assert_allclose(line.x, DIALS["caption_noise"].doses)
        np.testing.assert_allclose(line.y, factor * found.values[measure].mean(axis=1))
        before = figure.data[:list(figure.data).index(line)]
        runs = next(trace for trace in before[::-1] if trace.meta == "runs")
        np.testing.assert_allclose(runs.y, factor * found.values[measure].ravel())
        band = next(trace for trace in before[::-1] if trace.meta == "band")
        highs = [factor * number.high for number in found.numbers(measure)]
        np.testing.assert_allclose(band.y[:4], highs)
    assert figure.layout.xaxis.matches == "x4" and figure.layout.xaxis4.title.text == "caption noise"
    chances = [trace.y[0] for trace in figure.data if trace.meta == "chance"]
    assert chances == pytest.approx([100 / 12, 0.1])
    assert {"R@1", "worst class", "chance"} <= {note.text for note in figure.layout.annotations}
    change = 100 * found.differences["r1"].change.value
    assert title(figure).startswith(f"Caption noise 0 → 0.6: R@1 97 → 30 %, {change:+.0f} points (")
    assert title(figure).endswith("by chance 8 %; 5 seeds")


def test_harm_goes_to_the_right_and_choices_stand_beside_each_other():
    falling = doses.doses(dosed("unique")).layout.xaxis
    assert falling.type == "log" and falling.range[0] > falling.range[1] and falling.ticktext == ("1", "0.1", "0.03",
                                                                                                 "0.01")
    found = dosed("loss")
    figure = doses.doses(found)
    assert not [trace for trace in figure.data if trace.meta == "band"]
    assert next(trace for trace in figure.data if trace.meta == "r1").error_y.array[0] > 0
    assert "InfoNCE (CLIP) 97 %" in title(figure) and "Against the first: Sigmoid (SigLIP) -" in title(figure)
    assert len(doses.differences_table(found)) == 2 * len(SHOWN)


def test_what_is_not_told_apart_and_what_diverged_is_said():
    assert "not told apart" in title(doses.doses(dosed("blur", apart=2.0)))
    found = dosed("blur")
    found.table.loc[:2, "ended"] = "it diverged at step 3"
    assert "3 of 20 trainings diverged and are left out" in title(doses.doses(found))
    gone = dataclasses.replace(found, values={name: np.full_like(rows, np.nan) for name, rows in found.values.items()},
                               differences=holm({name: dataclasses.replace(found, values={
                                   name: np.full((4, 5), np.nan)}).ends(name) for name in SHOWN}))
    assert "a change that cannot be measured" in title(doses.doses(gone))


def test_tables_hold_the_numbers():
    found = dosed("caption_noise")
    table = doses.doses_table(found)
    r1 = table[table["measure"] == "R@1 of images, share"]
    np.testing.assert_allclose(r1["mean"], found.values["r1"].mean(axis=1))
    assert (r1["mean low"] < r1["mean"]).all() and (table["seeds"] == 5).all()
    differences = doses.differences_table(found)
    assert differences["change"].iloc[0] == found.differences["r1"].change.value
    assert (differences["p (Holm)"] >= [found.ends(name).p for name in SHOWN]).all()


@pytest.mark.parametrize("key", list(EXPERIMENTS))
def test_an_experiment_is_drawn_under_its_answer(key):
    one = EXPERIMENTS[key]
    measured = response(list(one.levels))
    found = Found(one, measured, one.read(measured))
    figure = findings.finding(found)
    assert {trace.meta for trace in figure.data} >= set(one.measures)
    assert title(figure).split(":")[0].split(".")[0] == found.reading.sentence.split(".")[0].rstrip(":")
    table = findings.numbers_and_differences(found)
    assert len(table) == len(found.reading.numbers) + len(found.reading.differences)
    assert len(findings.trainings_table(found)) == 5 * len(one.levels)
