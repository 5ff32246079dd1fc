"""A class list asked of depth pictures: what the views say, weights, and the pose."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.attention.masks import FOVEAL, Steering
from core.attention.prompts import encode_prompted
from core.attention.regions import Region
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.errors import Cancelled, ChoiceError, ShapeError
from core.geometry.directions import unit
from core.language.objects.classes import class_scores, pointed_scores, poses_of, turned_shape
from core.language.objects.known import KnownShapes, known_shapes
from core.sources.meshes.mesh import Cloud, Mesh
from core.sources.solids.clouds import solid_cloud
from core.sources.solids.shapes import DISTANCES

CORNERS = np.array([[0, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 0.5]], np.float32)
WEDGE = Mesh("wedge", CORNERS, np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]))


@pytest.fixture(scope="module")
def model():
    return load_model("builtin")


@pytest.fixture(scope="module")
def texts(model):
    return unit(model.encode_texts(["a cube", "a cone", "a torus"]))


def test_a_score_is_the_weighted_mean_of_the_views(model, texts):
    found = class_scores(WEDGE, texts, model)
    assert found.pictures.shape[0] == 6 and found.cosines.shape == (6, 3)
    np.testing.assert_allclose(found.scores, found.cosines.mean(axis=0), atol=1e-6)
    one = class_scores(WEDGE, texts, model, weights=[0, 0, 3, 0, 0, 0])
    np.testing.assert_allclose(one.scores, found.cosines[2], atol=1e-6)
    assert len(class_scores(WEDGE, texts, model, cameras="ten").cosines) == 10
    with pytest.raises(ShapeError, match="6 weights"):
        class_scores(WEDGE, texts, model, weights=[1, 1])
    with pytest.raises(ChoiceError):
        class_scores(WEDGE, texts, model, cameras="ring")


def test_a_turn_is_a_turn(model, texts):
    turned = turned_shape(WEDGE, "y", 90)
    there = turned_shape(turned, "y", 270).vertices
    np.testing.assert_allclose(there, turned_shape(WEDGE, "y", 0).vertices, atol=1e-5)
    up, right = turned_shape(Cloud("c", np.eye(3, dtype=np.float32)), "z", 0), turned_shape(
        Cloud("c", np.eye(3, dtype=np.float32)), "z", 90)
    np.testing.assert_allclose(right.points[:, 1], up.points[:, 0], atol=1e-5)      # x goes to y


def test_the_pose_that_is_not_turned_has_the_scores_of_the_object(model, texts):
    names = ("cube", "cone", "torus")
    sweep = poses_of(WEDGE, texts, names, model, steps=3)
    np.testing.assert_allclose(sweep.scores[0], class_scores(WEDGE, texts, model).scores, atol=1e-5)
    assert sweep.degrees.tolist() == [0, 120, 240]
    with pytest.raises(Cancelled):
        poses_of(WEDGE, texts, names, model, should_stop=lambda: True)


def test_a_mask_on_what_is_drawn_turns_the_eye_to_it_and_nothing_else_changes(model, texts):
    found = class_scores(WEDGE, texts, model)
    pointed = pointed_scores(found, texts, model, FOVEAL)
    tower = ImageTower(model)
    for view in (0, 4):
        x = encode_prompted(tower, [Image.fromarray(found.pictures[view])], [Region(mask=found.drawn[view])], "foveal")
        np.testing.assert_allclose(pointed.cosines[view], unit(x)[0] @ texts.T, atol=1e-5)
    assert np.abs(pointed.scores - found.scores).max() > 1e-3
    np.testing.assert_allclose(pointed_scores(found, texts, model, Steering(alpha=0)).scores, found.scores, atol=1e-6)
    np.testing.assert_allclose(class_scores(WEDGE, texts, model).scores, found.scores, atol=1e-6)
    first = pointed_scores(found, texts, model, FOVEAL, weights=[1, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(first.scores, pointed.cosines[0], atol=1e-6)
    sweep = poses_of(WEDGE, texts, ("cube", "cone", "torus"), model, steps=1, steering=FOVEAL)
    np.testing.assert_allclose(sweep.scores[0], pointed.scores, atol=1e-5)


def test_clouds_of_the_built_in_solids_lie_on_them_and_are_asked_for_their_names(model):
    import torch

    for name, distance in DISTANCES.items():
        points = solid_cloud(name, 500).points
        assert points.shape == (500, 3)
        assert distance(*torch.tensor(points).unbind(1)).abs().max() < 0.01
        assert np.ptp(points, axis=0).min() > 0.4
    stops = iter([False, False, True])
    with pytest.raises(Cancelled, match="2 of 10"):
        known_shapes(model, FOVEAL, poses=1, should_stop=lambda: next(stops))
    hits = np.zeros((10, 4), bool)
    hits[:7, :2] = True
    report = KnownShapes(tuple(DISTANCES), hits, np.roll(hits, 2, axis=1) | hits)
    before, after = report.accuracy
    assert (before.value, after.value, before.null, before.n) == (0.35, 0.7, 0.1, 40)
    assert before.low < 0.35 < before.high
    assert report.difference.change.value == pytest.approx(0.35)
    assert report.difference.p == pytest.approx(2 / 2**7, rel=0.1), "seven solids all go one way"
