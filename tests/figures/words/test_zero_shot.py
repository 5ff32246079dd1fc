"""Figures of zero-shot: what is drawn is what the reports say, and titles say what can be told."""

from __future__ import annotations

import numpy as np
import pytest

from core.figures.words import decided, examples, flags, named, reliability, templates
from core.geometry.calibration import reliability as calibration
from core.geometry.calibration import temperature_on_halves
from core.geometry.classification import Classification, probabilities
from core.geometry.differences import hits_differ
from core.geometry.flagging import Flagged
from core.geometry.intervals import proportion
from core.language.words.deciding import Decided
from core.language.words.templates import Templates
from core.learning.few_shots import Shots


def made(k: int, n: int = 300) -> Classification:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)).astype(np.float32)
    logits[np.arange(n), truth] += 1.5
    return Classification(tuple(f"<b>class {i}</b>" for i in range(k)), logits, truth)


def title(figure: object) -> str:
    return figure.layout.title.text.replace("<br>", " ").replace("\u00a0", " ")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("k", [4, 80])
def test_accuracy_and_confusions_are_those_of_the_report(k: int, dark: bool):
    report = made(k)
    figure, numbers = named.by_class(report, dark=dark), report.by_class()
    shown = figure.data[0].x
    assert max(shown) == pytest.approx(100 * max(n.value for n in numbers.values()))
    assert len(shown) == min(len(numbers), 30) and figure.layout.xaxis.title.text == "accuracy (%)"
    assert "&lt;b&gt;" in figure.layout.yaxis.ticktext[0]
    assert f"{100 * report.accuracy().value:.0f} %" in title(figure) and "by chance" in title(figure)
    drawn, table = named.confusion(report, dark=dark), named.confusion_table(report)
    assert table["images"].sum() == 300
    if k == 4:
        np.testing.assert_array_equal(drawn.data[0].customdata[..., 0], report.confusion(range(4)))
    else:
        assert list(drawn.data[0].x) == [count for _, _, count in report.confused()]
    items = named.items_table(report, [str(i) for i in range(300)], probabilities(report.logits))
    assert (items["label"] == items["named"]).mean() == pytest.approx(report.accuracy().value)
    one = named.one_image(["a", "b"], np.array([0.7, 0.3]), np.array([99.0, 50.0]), np.array([0.2, 0.1]), "cosine", 1)
    assert list(one.data[0].x) == [70, 30] and "its label “b” has 30 %" in title(one)
    tiny = named.one_image(["a", "b"], np.array([1.0, 4e-10]), np.array([99.0, 5.0]), np.array([0.2, 0.1]), "cosine", 1)
    assert "“b” has less than 0.01 %" in title(tiny)


def test_the_reliability_diagram_and_what_a_temperature_does():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(400, 4)) * 2
    truth = (probabilities(logits).cumsum(axis=1) < rng.random(400)[:, None]).sum(axis=1)
    report = calibration(4 * logits, truth)
    figure = reliability.reliability(report)
    dots = next(trace for trace in figure.data if trace.name == "right")
    assert list(dots.y) == [pytest.approx(100 * n.value) for n in report.accuracy if n is not None]
    assert list(dots.x) == pytest.approx(100 * report.confidence[report.counts > 0])
    assert title(figure).startswith(f"Too sure: ECE {100 * report.ece.value:.1f} %")
    assert title(reliability.reliability(calibration(logits, truth))).startswith("Not told from calibrated")
    assert reliability.reliability_table(report)["images"].sum() == 400
    found = temperature_on_halves(4 * logits, truth)
    said = reliability.tempered_finding(found, 0.01)
    assert "Fitted on 200 images" in said and "better" in said and f"{0.01 * found.temperature:.4g}" in said
    assert list(reliability.tempered_table(found)[""]) == ["before", "after"]


def test_templates_words_and_examples_are_drawn_as_they_are():
    hits = np.random.default_rng(0).random((4, 200)) < np.array([[0.9], [0.5], [0.9], [0.6]])
    numbers = [proportion(float(h.sum()), 200, null=0.1) for h in hits]
    adds = tuple(hits_differ(hits[1], hits[0]) for _ in range(2))
    report = Templates(("a {}", "b {}"), numbers[0], tuple(numbers[2:]), tuple(numbers[1:3]), adds, adds)
    figure = templates.templates(report)
    assert list(figure.data[0].x) == [pytest.approx(100 * n.value) for n in report.without]
    assert list(figure.data[1].x) == [pytest.approx(100 * n.value) for n in report.alone]
    assert "2 add to it and 0 take from it" in title(figure)
    assert templates.templates_table(report)["adds"].tolist() == [d.change.value for d in adds]
    why = Decided(0, 1, np.array([1.0, -2.0]), ("a", "red"), np.array([3.1, 3.0]), np.array([5.0, 1.0]),
                  np.array([10.0, 95.0]), 100.0)
    drawn = decided.words(why, ("red", "blue"))
    assert list(drawn.data[0].x) == [3.1, 3.0] and list(drawn.data[1].x) == [5, 1]
    assert "“red” speaks most for “red”" in title(drawn) and "by -3.00, on other images by -1.00" in title(drawn)
    assert decided.templates_table(why, ("x {}", "y {}"), ("red", "blue"))["favours"].tolist() == ["red", "blue"]
    correct = np.stack([np.resize((np.arange(100) < 100 * v).astype(np.float32), (5, 100)) for v in (0.4, 0.6)])
    shots = Shots(("a", "b"), 0, (1, 2), {"mean": correct}, (np.arange(100) < 50).astype(float), np.arange(100))
    curve = examples.shots(shots)
    line = next(trace for trace in curve.data if trace.name == "nearest class mean")
    assert list(line.y) == pytest.approx([40, 60]) and "worth 1.4 examples a class" in title(curve)
    assert examples.shots_table(shots)["worth"].iloc[0] == pytest.approx(np.sqrt(2))
    assert examples.worth_in_words(shots.worth("mean"), (1, 2)).startswith("1.4 examples a class (")


def test_flags_say_rates_only_with_truth():
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 400)
    report = Flagged(rng.normal(size=400) + 2 * truth, truth, 0.7)
    figure = flags.histogram(report)
    assert sum(sum(trace.y) for trace in figure.data) == 400
    assert "flagged wrongly" in title(figure) and "missed" in title(figure)
    curve = flags.roc(report)
    dot = curve.data[-1]
    assert dot.x[0] == pytest.approx(100 * report.false_positives.value)
    assert dot.y[0] == pytest.approx(100 - 100 * report.false_negatives.value)
    assert f"AUC {report.auc.value:.2f}" in title(curve)
    few = Flagged(report.odds[:60], truth[:60], 0.7)
    said = title(flags.histogram(few))
    assert " of 60 of " not in said and " of 60 images are flagged" in said
    blind = Flagged(report.odds, np.full(400, -1), 0.7)
    assert title(flags.histogram(blind)).endswith("error rates need labels")
    assert flags.items_table(blind, [str(i) for i in range(400)])["should be"].eq("").all()
