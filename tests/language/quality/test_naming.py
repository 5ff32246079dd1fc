"""Names of regions: what is said there and not elsewhere, in words of captions, labels and the model's words."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.language.quality.naming import names_by_features, names_by_words, told_inside, unlike, words_of


def test_words_of_captions_are_small_and_whole():
    assert words_of(["A red cube, a Red ball.", "l'été: 3 dogs' x2", ""]) == (
        {"a", "red", "cube", "ball"}, {"l'été", "dogs", "x2"}, set())


def test_a_region_is_named_by_what_is_said_there_and_not_elsewhere():
    captions = ["a red cube"] * 20 + ["a red ball"] * 20 + ["a green ball"] * 20
    regions = np.repeat([0, 1, 2], 20)
    names = names_by_features(regions, words_of(captions))
    assert names[0].split(", ")[0] == "cube" and names[2].split(", ")[0] == "green"
    assert all("a" not in name.split(", ") for name in names)
    assert names_by_features(np.zeros(60, int), words_of(captions)) == ("",)
    assert names_by_features(np.full(60, -1), words_of(captions), count=1) == ("",)
    with pytest.raises(ShapeError):
        names_by_features(regions, [{"a"}])


def test_a_region_is_named_by_the_nearest_words_about_their_mean():
    eye = np.eye(6)
    centres = unit(eye[:3] + 2 * eye[5])
    words = unit(eye[:4] + 3 * eye[4])
    assert names_by_words(centres, ["sea", "wood", "road", "sky"], words, most=1) == ("sea", "wood", "road")
    assert names_by_words(centres[:1], ["sea"], words[:1]) == ("",)
    with pytest.raises(ShapeError):
        names_by_words(centres, ["sea"], words)


def test_what_tells_a_from_b_inside_a_region():
    of_a, of_b = np.array([0] * 10 + [1] * 10), np.array([0] * 10)
    told = told_inside(of_a, of_b, [{"red"}] * 10 + [{"blue"}] * 10, [{"green"}] * 10, 0)
    assert set(told.feature) == {"red", "green"} and told.set_index("feature").z["red"] > 0


def test_names_are_unlike():
    assert unlike(["sea", "", "sea", "wood"], [f"group {i}" for i in range(1, 5)]) == (
        "sea (group 1)", "group 2", "sea (group 3)", "wood")
