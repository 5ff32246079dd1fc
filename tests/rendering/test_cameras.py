"""Where one looks from, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.rendering.cameras import (
    CAMERA_SETS,
    DISTANCE,
    FILL,
    FIXED_COUNTS,
    SPREAD,
    angles,
    camera_set,
    frame,
    project,
    rays,
)
from core.sources.solids.render import camera_view
from core.sources.solids.scene import Camera, Scene, Solid


@pytest.mark.parametrize("kind", CAMERA_SETS)
@pytest.mark.parametrize("n", [8, 61, 512])
def test_sets_have_as_many_unit_directions_as_asked(kind: str, n: int) -> None:
    found = camera_set(kind, n)
    assert found.shape == (FIXED_COUNTS.get(kind, n), 3)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-12)
    assert len(np.unique(found.round(9), axis=0)) == len(found)


def test_each_set_lies_as_it_says() -> None:
    even = camera_set("fibonacci", 256)
    assert np.abs(even.mean(axis=0)).max() < 0.01
    np.testing.assert_allclose(even.T @ even / 256, np.eye(3) / 3, atol=0.01)
    gaps = np.sort(np.arccos(np.clip(even @ even.T, -1, 1)), axis=1)[:, 1]
    assert gaps.min() > 0.8 * math.sqrt(4 * math.pi / 256) * 0.9
    azimuth, elevation = angles(camera_set("ring", 8))
    np.testing.assert_allclose(azimuth % 360, np.arange(8) * 45, atol=1e-9)
    np.testing.assert_allclose(elevation, 20)
    np.testing.assert_array_equal(np.sort(camera_set("cube").sum(axis=1)), [-1] * 3 + [1] * 3)
    assert angles(camera_set("ten"))[1].round(6).tolist() == [0] * 8 + [90, -90]


def test_random_directions_are_seeded_uniform_and_a_longer_list_begins_with_the_shorter() -> None:
    many = camera_set("random", 512, seed=3)
    np.testing.assert_array_equal(camera_set("random", 64, seed=3), many[:64])
    assert not np.array_equal(camera_set("random", 64, seed=4), many[:64])
    from scipy.stats import kstest

    for axis in many.T:                     # Archimedes: each coordinate of a uniform direction is uniform
        assert kstest(axis, "uniform", args=(-1, 2)).pvalue > 1e-3


def test_wrong_sets_are_refused() -> None:
    with pytest.raises(ChoiceError, match="camera set to be one of fibonacci, ring, cube, ten, random"):
        camera_set("spiral")
    for n in (7, 513):
        with pytest.raises(ShapeError, match="8 to 512 views"):
            camera_set("ring", n)


def test_projection_by_hand() -> None:
    places, depth = project(np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0.5]]), np.array([0.0, 0, 1]), 200)
    reach = 100 / SPREAD / DISTANCE
    np.testing.assert_allclose(places, [[100, 100], [100, 100 - reach], [100 + reach, 100], [100, 100]], atol=1e-9)
    np.testing.assert_allclose(depth, [DISTANCE, DISTANCE, DISTANCE, DISTANCE - 0.5])
    # From +x, what lies at +z is on the left; from above, what lies at +z is at the bottom.
    assert project(np.array([[0, 0, 1.0]]), np.array([1.0, 0, 0]), 200)[0][0] == pytest.approx([100 - reach, 100])
    assert project(np.array([[0, 0, 1.0]]), np.array([0.0, 1, 0]), 200)[0][0] == pytest.approx([100, 100 + reach])
    assert math.tan(math.asin(1 / DISTANCE)) == pytest.approx(FILL * SPREAD)


def test_rays_pass_through_what_is_projected_onto_their_pixel() -> None:
    for direction in camera_set("random", 8):
        axes = frame(direction)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        pixel, ray = rays(direction, 64)
        places, _ = project(DISTANCE * direction + 2.7 * ray.astype(float), direction, 64)
        np.testing.assert_allclose(places, np.stack([pixel % 64, pixel // 64], 1) + 0.5, atol=1e-4)


def test_the_camera_is_that_of_the_built_in_world() -> None:
    for direction in camera_set("fibonacci", 9):
        azimuth, elevation = (math.radians(float(a[0])) for a in angles(direction[None]))
        camera = Camera(azimuth, elevation, 4.0, (0.0, 0.0, 0.0))
        view = camera_view([Scene((Solid("cube", "red"),), camera=camera)], 64)
        np.testing.assert_allclose(view.eye[0].numpy(), 4 * direction, atol=1e-5)
        pixel, ray = rays(direction, 64, 4.0)
        np.testing.assert_allclose(view.direction[0].numpy().reshape(-1, 3)[pixel], ray, atol=1e-5)
