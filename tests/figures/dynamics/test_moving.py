"""A training as a video: points are painted where they lie, also between two snapshots."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures import theme
from core.figures.dynamics.moving import MovingPoints


def circle(*degrees: float) -> np.ndarray:
    turn = np.radians(degrees)
    return np.stack([np.cos(turn), np.sin(turn), np.zeros(len(degrees))], 1)


def test_between_two_snapshots_a_point_is_on_their_great_circle():
    moving = MovingPoints(np.stack([circle(0, 10, 0), circle(60, 10, 180)]), np.stack([circle(0)] * 2), size=64)
    np.testing.assert_allclose(moving.place("image", 0.5), circle(30, 10, 0), atol=1e-9)     # opposite ones stay
    np.testing.assert_allclose(moving.place("image", 1.0)[:2], circle(60, 10), atol=1e-9)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("moment", [0.0, 0.5, 1.0])
def test_a_text_is_painted_where_it_lies(moment: float, dark: bool):
    images = np.stack([circle(-50), circle(-50)])
    texts = np.stack([circle(0), circle(30)])
    moving = MovingPoints(images, texts, direction=np.array([1.0, 0, 0]), dark=dark)
    picture = moving.at(moment)
    assert picture.shape == (480, 480, 3) and picture.dtype == np.uint8
    x, y, z = moving.place("text", moment)[0][[1, 2, 0]]
    scale = 0.43 * 480 * np.sqrt(4.2**2 - 1) / (4.2 - z)
    seen = picture[round(240 - scale * y - 0.5), round(240 + scale * x - 0.5)]
    assert np.abs(seen.astype(int) - theme.rgb(theme.palette(dark).kinds["text"])).max() <= 2


def test_places_are_on_a_sphere_in_three_dimensions_and_one_snapshot_is_enough():
    one = MovingPoints(circle(0, 5)[None], circle(40)[None], size=64)
    assert one.at(0).shape == (64, 64, 3)
    np.testing.assert_array_equal(one.place("text", 3), one.place("text", 0))
    with pytest.raises(ShapeError, match="places"):
        MovingPoints(np.zeros((2, 3, 4)), np.zeros((2, 1, 4)))
