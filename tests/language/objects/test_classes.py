"""A class list asked of depth pictures: what the views say, weights, and the pose."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoding.models import load_model
from core.errors import Cancelled, ChoiceError, ShapeError
from core.geometry.directions import unit
from core.language.objects.classes import class_scores, poses_of, turned_shape
from core.sources.meshes.mesh import Cloud, Mesh

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
