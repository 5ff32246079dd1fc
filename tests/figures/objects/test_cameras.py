"""Camera and embedding spheres of the views of an object, and what prompts call it: plotted places read back."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures.objects.cameras import camera_scene, sheet_scene, with_z_up
from core.figures.objects.classes import (
    before_and_after,
    before_and_after_table,
    class_scores,
    class_scores_table,
)
from core.language.objects.classes import ClassScores
from core.rendering.cameras import camera_set
from core.types import SphereMap

DIRECTIONS = camera_set("fibonacci", 20)
LABELS = [f"view {i}" for i in range(20)]


def test_up_is_up_and_azimuth_is_longitude():
    front, right, above = with_z_up(np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]))
    assert front.tolist() == [1, 0, 0] and right.tolist() == [0, 1, 0] and above.tolist() == [0, 0, 1]
    scene = camera_scene(DIRECTIONS, LABELS, on_sphere=5)
    np.testing.assert_allclose(scene.coords[:, 2], DIRECTIONS[:, 1], atol=1e-6)
    np.testing.assert_allclose(scene.colouring.values, np.degrees(np.arcsin(DIRECTIONS[:, 1])), atol=1e-6)
    assert len(scene.shown) == 5 and scene.shown[0] == 0 and scene.shown[-1] == 19


def test_a_sheet_that_is_the_cameras_turned_and_mirrored_comes_back_to_its_place():
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    placed = SphereMap(coords=(with_z_up(DIRECTIONS) @ turn).astype(np.float32), method="pca", seed=0, parameters={},
                       centred=False)
    scene = sheet_scene(placed, DIRECTIONS, LABELS)
    np.testing.assert_allclose(scene.coords, with_z_up(DIRECTIONS), atol=1e-5)
    with pytest.raises(ShapeError, match="20 directions"):
        sheet_scene(placed, DIRECTIONS[:4], LABELS)


def test_probabilities_are_those_of_the_scores():
    found = ClassScores(np.zeros((6, 4, 4, 3), np.uint8), np.zeros((6, 3)), np.array([0.1, 0.3, 0.2]),
                        np.ones((6, 4, 4), bool))
    wanted = np.exp([0, 20, 10]) / np.exp([0, 20, 10]).sum()
    np.testing.assert_allclose(found.probabilities(100.0), wanted)
    figure = class_scores("duck", ["a", "b", "c"], found, 100.0)
    np.testing.assert_allclose(sorted(figure.data[0].x), sorted(100 * wanted))
    assert "duck is called “b”" in figure.layout.title.text.replace("<br>", " ")
    table = class_scores_table(["a", "b", "c"], found, 100.0)
    assert table["class"].tolist() == ["b", "c", "a"] and table["by chance"].tolist() == [1 / 3] * 3


def test_before_and_after_say_what_changed():
    before, after = np.array([0.9, 0.1]), np.array([0.2, 0.8])
    figure = before_and_after("style", ["photo", "sketch"], before, after)
    assert "goes from “photo” to “sketch” (80" in figure.layout.title.text.replace("<br>", " ")
    assert {trace.name: sorted(trace.x) for trace in figure.data} == {"before": [10.0, 90.0], "after": [20.0, 80.0]}
    assert before_and_after_table(["photo", "sketch"], before, after)["after"].tolist() == [0.2, 0.8]
    with pytest.raises(ShapeError):
        before_and_after("style", ["photo"], before, after)
