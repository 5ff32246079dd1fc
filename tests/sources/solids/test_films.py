"""Films that differ in order only: the very same frames; cuts, scenes, flashes and whips where they are said to be."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.errors import ShapeError
from core.sources.solids.films import FILMS, KINDS, ORDERS, frames, make_film


@pytest.mark.parametrize("seed", range(4))
def test_kinds_of_order_have_the_very_same_frames(seed):
    """Scene, camera, whether it flashes and whether the camera whips: one frame at a time, in any order."""
    def material(kind):
        film = make_film(kind, seed=seed)
        shown = [scene for shot in film.shots for scene in shot]
        quick = {i for a, b in film.whips for i in range(a, b)}
        return Counter((scene, i in film.flashes, i in quick) for i, scene in enumerate(shown))

    loop, *others = (material(kind) for kind in ORDERS)
    assert all(other == loop for other in others)
    assert loop != Counter(scene for shot in make_film("loop", seed=seed + 100).shots for scene in shot)


@pytest.mark.parametrize("kind", ORDERS)
def test_scenes_come_back_in_the_order_of_the_kind_and_go_on_where_they_were_left(kind):
    film = make_film(kind, seed=5)
    letters = ORDERS[kind]
    assert "".join("ABCD"[v] for v in film.visits) == letters
    assert len(film.cuts) == 7 and [len(shot) for shot in film.shots] == np.diff([*film.starts, len(film)]).tolist()
    assert all(11 <= len(shot) <= 14 for shot in film.shots)
    assert ["ABCD"[film.scenes[start]] for start in film.starts] == list(letters)
    quick = [set(range(a, b)) for a, b in film.whips]
    for letter in "ABCD":
        first, second = (k for k, other in enumerate(letters) if other == letter)
        before, after = film.shots[first], film.shots[second]
        step = after[0].camera.yaw - before[-1].camera.yaw
        assert 0 < abs(step) < 0.05, "the camera goes on where it was left"
        assert {s.solids for s in before} == {s.solids for s in after}
    assert len(film.flashes) == 2 and len(quick) == 1
    for place in (*film.flashes, *film.whips[0]):
        shot = np.searchsorted(film.starts, place, side="right") - 1
        assert film.starts[shot] < place <= film.starts[shot] + len(film.shots[shot])


def test_flashes_are_nearly_white_and_nothing_else_is():
    film = make_film("arch", seed=2)
    light = np.array([picture.mean() for picture in frames(film, 64)])
    assert len(light) == len(film)
    assert light[list(film.flashes)].min() > 230 > np.delete(light, film.flashes).max()


def test_a_length_is_kept_and_motion_kinds_stay_as_they_are():
    assert len(make_film("loop", 96, seed=1)) == 96
    assert all(len(make_film(kind)) == 120 for kind in FILMS)
    assert not any(make_film(kind).flashes or make_film(kind).visits for kind in FILMS)
    assert make_film("montage").scenes.max() == len(make_film("montage").cuts)
    fading = make_film("fades")
    assert len(fading.scenes) == len(fading)
    with pytest.raises(ShapeError, match="at least 48 frames; got 12"):
        make_film("loop", 12)
    assert {len(make_film(kind, 48, seed=s)) for kind in KINDS for s in range(3)} == {48}
