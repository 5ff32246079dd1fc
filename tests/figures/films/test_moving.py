"""Pictures of the moving sphere: the point is where the path is, what is behind it is bright, and sizes are even."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures import theme
from core.figures.films.moving import MovingSphere, film_with_sphere, moving_sphere, place_at, side_by_side
from core.geometry.films.trajectory import Trajectory

TOWARDS = np.array([1.0, 0.0, 0.0])


def on_equator(*degrees: float, height: float = 0.0) -> np.ndarray:
    longitude, latitude = np.radians(np.array(degrees)), np.radians(height)
    return np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
                     np.full(len(degrees), np.sin(latitude))], 1).astype(np.float32)


PATH = Trajectory(on_equator(-60, -20, 20, 60, height=15), np.array([0.0, 1.0, 3.0, 4.0]))


def pixel_of(place: np.ndarray, size: int) -> tuple[int, int]:
    """Row and column where a place is seen from (1, 0, 0): the perspective written out by hand."""
    x, y, z = place[1], place[2], place[0]
    scale = 0.43 * size * np.sqrt(4.2**2 - 1) / (4.2 - z)
    return round(size / 2 - scale * y - 0.5), round(size / 2 + scale * x - 0.5)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0, 2.2, 3.9, 4.0])
def test_the_point_is_drawn_where_the_path_is_in_the_colour_of_its_frame(seconds: float) -> None:
    picture = moving_sphere(PATH, seconds, direction=TOWARDS)
    frame = np.searchsorted(PATH.times, seconds, side="right") - 1
    colour = theme.sequence()[round(float(PATH.times[frame]) / 4 * 255)]
    row, column = pixel_of(place_at(PATH, seconds), 480)
    assert np.abs(picture[row, column].astype(int) - colour).max() <= 2


def test_between_two_frames_the_place_is_on_their_great_circle_and_over_a_cut_it_waits() -> None:
    a, b = PATH.points[1].astype(float), PATH.points[2].astype(float)
    angle = np.arccos(a @ b)
    expected = (np.sin(0.75 * angle) * a + np.sin(0.25 * angle) * b) / np.sin(angle)
    assert place_at(PATH, 1.5) == pytest.approx(expected, abs=1e-6)
    assert place_at(PATH, 2.9, np.array([0, 2])) == pytest.approx(a, abs=1e-6)
    assert place_at(PATH, 3.0, np.array([0, 2])) == pytest.approx(b, abs=1e-6)
    assert place_at(PATH, -5) == pytest.approx(PATH.points[0], abs=1e-6)
    assert place_at(PATH, 99) == pytest.approx(PATH.points[3], abs=1e-6)


def test_what_is_behind_the_point_is_bright_and_what_comes_is_faint() -> None:
    behind, ahead = place_at(PATH, 0.5), place_at(PATH, 3.5)
    early, late = (moving_sphere(PATH, s, direction=TOWARDS).astype(int) for s in (1.5, 4.0))
    colours = theme.sequence().astype(int)
    assert np.abs(early[pixel_of(behind, 480)] - colours[0]).max() <= 2
    assert np.abs(early[pixel_of(ahead, 480)] - colours[191]).max() > 60
    assert np.abs(late[pixel_of(ahead, 480)] - colours[191]).max() <= 2


def test_a_cut_is_dashed() -> None:
    whole = moving_sphere(PATH, 4.0, direction=TOWARDS).astype(int)
    cut = moving_sphere(PATH, 4.0, direction=TOWARDS, starts=np.array([2])).astype(int)
    line = [pixel_of(place_at(PATH, s), 480) for s in np.linspace(1.3, 2.7, 120)]
    coloured = [np.array([np.abs(picture[at] - theme.sequence()[64].astype(int)).max() < 60 for at in line])
                for picture in (whole, cut)]
    assert coloured[0].all()
    assert 0.1 < coloured[1].mean() < 0.7
    assert np.count_nonzero(np.diff(coloured[1])) >= 6


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_depends_on_its_time_alone(dark: bool) -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(60, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    path = Trajectory(points, np.arange(60) / 2)
    sphere = MovingSphere(path, starts=np.array([0, 7, 30]), size=128, dark=dark)
    once = {s: sphere.at(s) for s in (0.0, 3.2, 11.0, 29.5)}
    for s in (29.5, 3.2, 11.0, 0.0):
        assert (sphere.at(s) == once[s]).all()
        assert (MovingSphere(path, starts=np.array([0, 7, 30]), size=128, dark=dark).at(s) == once[s]).all()
    mean = once[0.0].mean()
    assert mean < 90 if dark else mean > 180


def test_the_far_half_is_weaker() -> None:
    back = Trajectory(on_equator(150, 210, height=15), np.array([0.0, 1.0]))
    row, column = pixel_of(back.points[0], 480)
    seen = moving_sphere(back, 0.0, direction=TOWARDS)[row, column].astype(int)
    full = theme.sequence()[0].astype(int)
    body = np.array(theme.rgb(theme.LIGHT.sphere))
    assert np.abs(seen - full).max() > 50
    assert np.abs(seen - body).max() > 30


@pytest.mark.parametrize("points", [on_equator(10), on_equator(0, 180), on_equator(5, 5)])
def test_one_frame_a_step_between_antipodes_and_a_standing_film_are_drawn(points: np.ndarray) -> None:
    picture = moving_sphere(Trajectory(points, np.arange(len(points), dtype=float)), 0.4, size=64)
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8


def test_a_film_beside_the_sphere_has_even_sides_and_the_film_unchanged() -> None:
    sphere = MovingSphere(PATH, size=96)
    frames = [(s, np.full((96, 172, 3), 40 * k, dtype=np.uint8)) for k, s in enumerate((0.0, 1.0, 2.0))]
    pictures = list(film_with_sphere(iter(frames), sphere))
    assert [p.shape for p in pictures] == [(96, 172 + 8 + 96, 3)] * 3
    for (seconds, frame), picture in zip(frames, pictures):
        assert (picture[:, :172] == frame).all()
        assert (picture[:, -96:] == sphere.at(seconds)).all()
    odd = side_by_side(np.zeros((33, 57, 3), np.uint8), pictures[0], 75)
    assert odd.shape[0] == 76 and odd.shape[1] % 2 == 0
    assert side_by_side(np.zeros((400, 1, 3), np.uint8), pictures[0], 75).shape[1] % 2 == 0


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(n, 3\)"):
        MovingSphere(Trajectory(np.eye(4)[:2], np.arange(2.0)))
    with pytest.raises(ShapeError, match="even size"):
        MovingSphere(PATH, size=81)
    with pytest.raises(ShapeError, match="pictures"):
        side_by_side(np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8), 20)
