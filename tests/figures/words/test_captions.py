"""Figures of captions: what is plotted is what the report says, and titles state the finding."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.figures.words import captions as figures
from core.geometry.directions import unit
from core.language.words.captioned import Contents
from core.language.words.scored import Caption, Search
from core.types import Number

STEPS = (Caption("a thing", 0, 0.61, -2.0, 0.4, 0), Caption("a red thing <b>", 1, 0.55, -1.5, 1.9, 1),
         Caption("a red cube", 2, 0.52, -1.2, 2.9, 2))


@pytest.fixture
def report() -> Search:
    vectors = unit(np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32))
    return Search(STEPS, ("start", "colour", "solid"), vectors, (*STEPS, Caption("a blue cube", 2, 0.1, -1.3, -4.0, 2)),
                  20, True)


def test_the_course_has_each_step_and_the_ceiling(report):
    figure = figures.course(report, STEPS[2], at=1)
    for trace, name in zip(figure.data, ("cosine", "information", "fluency")):
        np.testing.assert_allclose(trace.y, [getattr(c, name) for c in STEPS])
    assert any(shape.y0 == pytest.approx(math.log(20)) for shape in figure.layout.shapes)
    assert "<b>" not in figure.data[0].text[1] and "red cube" in figure.layout.title.text
    assert figures.course_table(report)["caption"].tolist() == [c.text for c in STEPS]


def test_the_title_of_the_candidates_says_that_the_vaguer_would_win(report):
    figure = figures.candidates(report, {"one attribute wrong": (STEPS[1],)}, dark=True)
    assert "vaguer" in figure.layout.title.text and "0.61" in figure.layout.title.text
    np.testing.assert_allclose(figure.data[0].x, [0.61, 0.55, 0.52, 0.1])
    np.testing.assert_allclose(figure.data[0].y, [0.4, 1.9, 2.9, -4.0])
    assert figure.data[-1].x[0] == 0.52
    table = figures.candidates_table(report, [99, 98, 97, 5])
    assert table["percentile among unmatched pairs"].tolist() == [99, 98, 97, 5]
    fair = Search(STEPS[2:], ("solid",), report.vectors[2:], STEPS[2:], 20, True)
    assert "highest cosine of 1 looked at" in figures.candidates(fair).layout.title.text.replace("<br>", " ")


def test_the_way_over_the_sphere_has_an_arrow_a_step_and_marks_what_is_meant(report):
    rng = np.random.default_rng(1)
    coords, images = (unit(rng.normal(size=(n, 3)).astype(np.float32)) for n in (3, 5))
    scene = figures.path(report, coords, images, list("abcde"), [1, 3], at=0)
    np.testing.assert_allclose(scene.arrows, np.stack([coords[:-1], coords[1:]], axis=1), atol=1e-6)
    assert scene.selected.tolist() == [False, True, False, True, False, True, True, True]
    assert [mark.label for mark in scene.marks] == ["1: a thing", "2 images"]
    same = figures.path(report, np.repeat(coords[:1], 3, axis=0), images, list("abcde"), [0])
    assert len(same.arrows) == 0


def test_contents_are_drawn_as_they_are():
    up, down = (tuple(Number(v, v - 0.1, v + 0.1, 0.0, 50) for v in row) for row in ((1.0, 2.0), (0.6, 0.5)))
    found = Contents((1, 2), down, up, up, down, Number(0.9, 0.8, 0.95, None, 50), Number(0.02, 0, 0.1, None, 50), 50)
    figure = figures.contents(found)
    np.testing.assert_allclose(figure.data[0].y, [0.6, 0.5])
    np.testing.assert_allclose(figure.data[3].y, [0.6, 0.5])
    assert "90 %" in figure.layout.title.text.replace("\u00a0", " ")
    assert figures.contents_table(found)["cosine"].tolist() == [0.6, 0.5]
