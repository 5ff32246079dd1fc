"""Figures of Retrieve: what is drawn is what was measured, and what it says."""

from __future__ import annotations

import numpy as np
import pytest

from core.figures.words import retrieved as figures
from core.figures.words.found import found
from core.geometry.directions import unit
from core.geometry.feedback import simulate
from core.geometry.hub_scoring import score_repairs
from core.geometry.hubs import hubs_among
from core.geometry.retrieval import recalls


@pytest.fixture(scope="module")
def pairs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = unit(rng.normal(size=(80, 6)) + 1)
    return x.astype(np.float32), unit(x + 0.5 * unit(rng.normal(size=(80, 6)))).astype(np.float32)


@pytest.mark.parametrize("dark", [False, True])
def test_recalls_hubs_and_repairs_are_drawn_as_they_are(pairs, dark: bool) -> None:
    x, y = pairs
    by_way = {"image_to_text": recalls(x, y), "text_to_image": recalls(y, x)}
    figure = figures.recalls(by_way, dark=dark)
    assert list(figure.data[0].y) == pytest.approx([100 * n.value for n in by_way["image_to_text"].values()])
    assert list(figure.data[3].y) == pytest.approx([100 * n.null for n in by_way["text_to_image"].values()])
    assert figure.layout.xaxis.title.text and "%" in figure.layout.yaxis.title.text
    table = figures.recalls_table(by_way)
    assert table["R@k"].tolist() == [n.value for of in by_way.values() for n in of.values()]

    hubs = hubs_among(x, y, k=3)
    figure = figures.hubs(hubs, "texts", dark=dark)
    assert sum(figure.data[0].y) == 80 and sum(figure.data[1].y) == pytest.approx(80, abs=0.5)
    assert figure.layout.title.text.startswith(f"{len(hubs.rows)} of 80")
    table = figures.hubs_table(hubs, tuple(map(str, range(80))))
    assert table["times found"].sum() == pytest.approx(240) and int(table["hub"].sum()) == len(hubs.rows)
    assert [int(i) for i in table["id"][:len(hubs.rows)]] == hubs.rows.tolist()

    report = score_repairs(x, y, np.repeat(np.arange(80)[:, None], 2, axis=1), k=3)
    figure = figures.repairs(report, "image to text", dark=dark)
    assert list(figure.data[0].x) == pytest.approx([100 * row.recall.value for row in report.rows])
    best = max(report.rows[1:], key=lambda row: row.recall.value)
    assert f"{100 * best.change.change.value:+.1f} points" in figures.repairs_finding(report)
    assert figures.repairs_table(report)["less it"][1:].tolist() == [r.change.change.value for r in report.rows[1:]]


def test_feedback_is_drawn_before_after_and_shuffled(pairs) -> None:
    x, labels = pairs[0], np.arange(80) % 8
    report = simulate(x, x, lambda i: labels == labels[i], itself=np.arange(80), together=labels, k=5, marked=3)
    figure = figures.feedback(report)
    for trace, way in zip(figure.data[::2], ("before", "after", "shuffled")):
        assert list(trace.y) == pytest.approx([100 * report.numbers[name, way].value for name in
                                               ("precision", "recall")])
    table = figures.feedback_table(report)
    assert len(table) == 6 and table["share"].tolist() == [n.value for n in report.numbers.values()]
    assert table["after less it"][0] == report.after["precision"].change.value


def test_a_path_has_an_arrow_for_each_step_that_moves() -> None:
    rng = np.random.default_rng(1)
    coords, steps = (unit(rng.normal(size=(n, 3))).astype(np.float32) for n in (9, 3))
    steps = steps[[0, 1, 1, 2]]
    values = np.where(np.arange(9) < 6, np.linspace(0, 1, 9), np.nan)
    scene = found(coords, np.repeat([0, 1], (6, 3)), tuple("abcdefghi"), values, steps, [5, 4], measure="cosine",
                  names=["as asked", "round 1", "round 2", "round 3"], title="moved", heat=True)
    np.testing.assert_allclose(scene.arrows, np.stack([steps[[0, 2]], steps[[1, 3]]], axis=1))
    assert len(scene) == 13 and scene.kinds.tolist() == [0] * 6 + [1] * 3 + [2] * 4
    assert [mark.label for mark in scene.marks] == ["as asked", "round 1", "round 2", "round 3", "1", "2"]
    np.testing.assert_array_equal(scene.marks[4].place, coords[5])
    assert np.isnan(scene.colouring.values[6:]).all() and scene.heat.max() == pytest.approx(1, abs=0.02)
