"""What the film view takes and what it makes of what the browser says."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.scene import SphereScene
from core.streamlit_app.live.film_view import FilmEvents, FilmShown, colouring, events, film_view, seen_from

A = FilmShown("a", np.arange(3), np.array([0.0, 1.0, 2.0]), starts=np.array([2, 0]), url="/a", said={5: 1.5})
B = FilmShown("b", np.array([4, 3]), np.array([7.0, 9.0]), url="/b")


def scene(n: int = 7) -> SphereScene:
    return SphereScene(np.tile([1.0, 0.0, 0.0], (n, 1)), np.zeros(n), ("",) * n)


def test_colours_say_the_time_or_the_film_of_frames_and_subtitles_and_nothing_of_other_points():
    by_time, by_film = colouring(7, [A, B], "time"), colouring(7, [A, B], "film")
    np.testing.assert_equal(by_time.values, [0, 1, 2, 9, 7, 1.5, np.nan])
    assert by_film.groups == ("a", "a", "a", "b", "b", "a", "")


def test_what_the_browser_says_is_taken_as_far_as_it_fits():
    said = events([A, B], 7, clicked=6, camera="0,0,0,1,1", at={"film": 1, "seconds": 8}, unplayable=["/b", "/gone"])
    assert said == FilmEvents(6, "0,0,0,1,1", 1, 8.0, (1,))
    for odd in (7, -1, "3", True, None, [1]):
        assert events([A, B], 7, clicked=odd).clicked is None
    for odd in ({"film": 2, "seconds": 1}, {"film": True}, {"film": -1, "seconds": float("nan")}, "x", [1], None):
        assert events([A, B], 7, at=odd).film == 0
    assert events([A, B], 7, at={"film": 0, "seconds": float("inf")}).at == 0.0
    assert events([A, FilmShown("c", A.rows, A.times)], 7, unplayable=["", None, {}]).unplayable == ()
    assert events([A], 7, unplayable="/a").unplayable == ()


def test_a_camera_is_a_direction_and_what_is_up():
    half = np.sqrt(0.5)
    for camera, towards, up in (("0,0,0,1,2.5", [0, 0, 1], [0, 1, 0]), (f"{-half},0,0,{half},1", [0, -1, 0], [0, 0, 1]),
                                ("0,0,3,0,1", [0, 0, 1], [0, -1, 0])):
        found = seen_from(camera)
        assert found is not None
        np.testing.assert_allclose(found, [towards, up], atol=1e-9)
    for none in (None, "", "a,b,c,d,e", "1,2,3", "0,0,0,0,1", "nan,0,0,1,1"):
        assert seen_from(none) is None


def test_shots_are_in_order_once():
    assert A.starts.tolist() == [0, 2]


@pytest.mark.parametrize(("rows", "times", "starts", "said"), [
    ([], [], [], "at least one frame"),
    ([0, 1], [0.0], [], "a row and a time"),
    ([0, 1], [1.0, 1.0], [], "strictly increase"),
    ([0, 1], [0.0, np.nan], [], "not finite"),
    ([0, 1], [0.0, 1.0], [2], "frames 0 to 1"),
])
def test_a_film_that_does_not_fit_itself_is_refused(rows, times, starts, said):
    with pytest.raises(ShapeError, match=said):
        FilmShown("x", np.array(rows), np.array(times), starts=np.array(starts, dtype=int))


@pytest.mark.parametrize(("films", "n", "said"), [
    ([], 7, "at least one film"), ([A, A], 7, "name of its own"), ([A], 5, "rows of the 5 points"),
    ([FilmShown("x", np.array([-1]), np.array([0.0]))], 5, "-1 to"),
])
def test_films_that_do_not_fit_the_scene_are_refused(films, n, said):
    with pytest.raises(ShapeError, match=said):
        film_view(scene(n), films, key="x")
