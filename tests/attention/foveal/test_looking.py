"""Where a tower looks: rows of its attention by hand, shares inside a region, and what a mask moves."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.attention.foveal.looking import attend, inside, moved, shares_inside
from core.attention.masks import Steering
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.errors import ShapeError
from core.geometry.directions import unit
from tests.encoding.made_models import encoder, families, pictures, scattered, small_clip

REGION = Region((Box(0, 0, 15, 15),))


@pytest.fixture(scope="module")
def tower() -> ImageTower:
    return ImageTower(small_clip())


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return pictures(1, size=(32, 32))[0]


def test_rows_are_those_of_the_whole_attention(tower, picture):
    steering = Steering(alpha=3)
    pixels = tower.encoder.preprocess([picture])
    bias = tower.bias([picture], [REGION], steering)
    whole = tower.attention(pixels, bias, steering).layers[0]
    found = attend(tower, picture, REGION, steering, patch=(1, 2))
    np.testing.assert_array_equal(found.pooling.reshape(*whole.shape[:2], -1), whole[:, :, 0, 1:])
    np.testing.assert_array_equal(found.rows.reshape(*whole.shape[:2], -1), whole[:, :, 1 + 4 + 2, 1:])
    np.testing.assert_allclose(found.vector, unit(tower.encode(pixels, bias, steering))[0], atol=1e-6)
    assert found.rolled.shape == (4, 4) and 0 < found.rolled.sum() <= 1 + 1e-6
    with pytest.raises(ShapeError, match="4 rows and 4 columns"):
        attend(tower, picture, patch=(4, 0))


def test_a_mask_moves_attention_into_the_region_and_a_hard_one_all_of_it(tower, picture):
    patches = inside(REGION, picture, tower)
    assert patches.sum() == 4 and patches[:2, :2].all()
    before, after = attend(tower, picture), attend(tower, picture, REGION)
    hard = attend(tower, picture, REGION, Steering(hard=True))
    shares = [shares_inside(found.pooling, patches) for found in (before, after, hard)]
    assert (shares[1][0] > shares[0][0]).all(), "in the first layer, whose tokens the mask has not changed yet"
    np.testing.assert_allclose(shares[2], 1, atol=1e-6)
    outside = before.pooling[:, :, ~patches].sum(axis=-1)
    np.testing.assert_allclose(moved(before.pooling, hard.pooling)[0], outside[0], atol=1e-5)
    assert (moved(before.pooling, before.pooling) == 0).all()
    even = np.full((1, 1, 4, 4), 1 / 16)
    assert shares_inside(even, patches)[0, 0] == pytest.approx(4 / 16)


def test_a_tower_without_a_class_token_pools_by_its_probe(picture):
    config, tokens, pixels = families()["siglip"]
    from transformers import SiglipModel

    tower = ImageTower(encoder(scattered(SiglipModel(config)), tokens, pixels))
    before, after = attend(tower, picture), attend(tower, picture, REGION)
    assert before.pooling.shape == (1, tower.heads, 4, 4)
    np.testing.assert_allclose(before.pooling.sum(axis=(-2, -1)), 1, atol=1e-5)
    patches = inside(REGION, picture, tower)
    assert (shares_inside(after.pooling, patches) > shares_inside(before.pooling, patches)).all()
    assert attend(tower, picture, patch=(0, 0)).rows.shape == (tower.layers, tower.heads, 4, 4)


def test_what_the_preprocessing_cuts_away_is_not_seen(tower):
    assert tower.seen((64, 32)) == (16, 0, 48, 32)
