"""Figures of the text side: what is drawn is what the report says, with units."""

from __future__ import annotations

import numpy as np

from core.figures.words.asked import answers, answers_table
from core.figures.words.growing import growing, growing_scene, growing_table
from core.figures.words.paraphrased import spreads
from core.figures.words.shares import shares, shares_table
from core.geometry.differences import hits_differ, holm
from core.geometry.intervals import proportion
from core.language.words.paraphrases import spread
from core.language.words.questions import Answered
from core.language.words.sentences import sentence_paths


class Letters:
    """A direction for each letter that a text has."""

    def encode_texts(self, texts):
        return np.stack([np.bincount([ord(c) % 7 for c in t], minlength=7) + 0.1 for t in texts]).astype(np.float32)

    def encode_images(self, images):
        raise AssertionError("no image is asked for")


def test_shares_stand_where_they_are_and_hollow_is_not_told_apart():
    numbers = {"high <b>": proportion(38, 40, null=0.5), "half": proportion(21, 40, null=0.5)}
    hits = {"high <b>": np.repeat([1.0, 0.0], (38, 2)), "half": np.repeat([1.0, 0.0], (21, 19))}
    against = holm({name: hits_differ(np.full(40, 0.5), h) for name, h in hits.items()})
    figure = shares(numbers, "a finding", "images", against)
    dots, chance = figure.data
    np.testing.assert_allclose(dots.x, [95, 52.5])
    assert dots.marker.symbol == ("circle", "circle-open") and chance.x == (50, 50)
    np.testing.assert_allclose(dots.error_x.array[1], 100 * numbers["half"].high - 52.5)
    assert figure.layout.xaxis.title.text == "images (%)" and "&lt;b&gt;" in figure.layout.yaxis.ticktext[0]
    table = shares_table(numbers, against)
    assert table["share"].tolist() == [0.95, 0.525] and table["p (Holm)"][0] < 0.001 < 0.05 < table["p (Holm)"][1]


def test_a_growing_sentence_is_drawn_to_the_point():
    paths = sentence_paths(Letters(), ["ab cd ef", "g"], np.eye(7, dtype=np.float32)[0], shuffles=5)
    figure = growing(paths, dark=True)
    lines = [t for t in figure.data if t.mode == "lines+markers"]
    np.testing.assert_allclose(lines[0].y, paths[0].to_whole)
    np.testing.assert_allclose(lines[1].y, paths[0].to_image)
    np.testing.assert_allclose(lines[2].y, paths[0].steps)
    assert figure.layout.yaxis.title.text == "degrees" and "moves “ab cd ef” most" in figure.layout.title.text.replace(
        "<br>", " ")
    assert len(growing_table(paths)) == 4
    coords = np.eye(3, dtype=np.float32)
    scene = growing_scene(paths, [coords, coords[:1]], coords[:2], np.zeros(2, dtype=np.uint8), ["x", "y"], image=1)
    assert len(scene) == 6 and len(scene.lines) == 1 and scene.selected.tolist() == [False] * 2 + [True] * 4
    np.testing.assert_allclose(scene.lines[0][[0, -1]], coords[[0, 2]], atol=1e-6)
    assert "one word" in growing(paths[1:]).layout.title.text


def test_answers_and_paraphrases():
    found = Answered(("a", "b", "c"), ("a x", "b x", "c x"), np.array([[0.2, 0.7, 0.1]], dtype=np.float32),
                     np.array([0.5, 0.3, 0.2], dtype=np.float32), 9)
    figure = answers(found)
    np.testing.assert_allclose(figure.data[0].x, [70, 20, 10], atol=1e-4)
    np.testing.assert_allclose(figure.data[1].x, [30, 50, 20], atol=1e-4)
    assert figure.layout.yaxis.ticktext == ("b", "a", "c") and "“b”: 70.0" in figure.layout.title.text
    assert answers_table(found)["probability"].tolist() == found.probabilities[0].tolist()
    groups = spread(Letters(), [("ab", "ba"), ("cd", "dcc"), ("f", "ff")])
    drawn = spreads(groups)
    np.testing.assert_allclose(drawn.data[0].x, groups.within)
    np.testing.assert_allclose(drawn.data[1].x, groups.between)
