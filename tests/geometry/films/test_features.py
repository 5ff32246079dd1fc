"""Features of paths: what hangs on the order does, what does not stays, and each is what a hand would count."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.geometry.directions import unit
from core.geometry.films.feature_names import FAMILIES, FEATURES, ORDER_FREE_FEATURES, PATH_FEATURES
from core.geometry.films.features import (
    content_features,
    feature_table,
    mean_step,
    order_free_features,
    path_features,
)
from core.geometry.films.trajectory import Trajectory
from tests.geometry.films.kinds import D, Made, made


def in_order(film: Made, order: np.ndarray) -> Made:
    """The same shots in another order, with times as before."""
    parts = np.split(np.arange(len(film.path)), film.starts[1:])
    rows = np.concatenate([parts[i] for i in order])
    starts = np.cumsum([0, *(len(parts[i]) for i in order)])[:-1]
    return Made(Trajectory(film.path.points[rows], film.path.times), starts, film.of_frames[rows], film.kind)


def test_features_are_named_and_explained():
    film = made("loop")
    assert list(path_features(film.path, film.starts, film.of_frames)) == list(PATH_FEATURES)
    assert list(order_free_features(film.path)) == list(ORDER_FREE_FEATURES)
    assert {f.family for f in FEATURES.values()} == set(FAMILIES)
    assert all(f.title and f.says.endswith(".") for f in FEATURES.values())
    assert len({f.title for f in FEATURES.values()}) == len(FEATURES)


def test_returns_are_those_counted_by_hand():
    loop, duets, arch = (path_features(m.path, m.starts, m.of_frames) for m in map(made, ("loop", "duets", "arch")))
    assert [loop[f"seen_{k}"] for k in range(1, 8)] == [0, 0, 0, 1, 0, 0, 0]
    assert [duets[f"seen_{k}"] for k in range(1, 8)] == pytest.approx([0, 4 / 6, 0, 0, 0, 0, 0])
    assert [arch[f"seen_{k}"] for k in range(1, 8)] == pytest.approx([0, 1 / 6, 0, 2 / 4, 0, 1 / 2, 0])
    assert [f["novelty"] for f in (loop, duets, arch)] == pytest.approx([26 / 32, 22 / 32, 26 / 32])
    assert [f["return_lag"] for f in (loop, duets, arch)] == pytest.approx([4 / 8, 2 / 8, 4 / 8])
    assert [f["determinism"] for f in (loop, duets, arch)] == [1, 1, 0]
    assert [f["reciprocity"] for f in (loop, duets, arch)] == pytest.approx([0, 4 / 5, 6 / 7])
    assert loop["entropy_rate"] == 0
    # of seven changes, the two from B are open: to A or to C
    assert duets["entropy_rate"] == pytest.approx(2 * np.log(2) / 7 / np.log(4))
    for features, lag in ((loop, 4), (duets, 2)):
        assert min(range(1, 8), key=lambda k, f=features: f[f"angle_{k}"]) == lag


def test_shots_in_another_order_change_the_path_and_nothing_of_the_set():
    film = made("arch", 3)
    other = in_order(film, np.array([5, 2, 0, 7, 1, 3, 6, 4]))
    a, b = (order_free_features(m.path, m.starts, m.of_frames) for m in (film, other))
    np.testing.assert_allclose(list(a.values()), list(b.values()), rtol=1e-6)
    assert np.isfinite(list(a.values())).all()
    np.testing.assert_allclose(content_features(film.path), content_features(other.path), atol=1e-6)
    a, b = (path_features(m.path, m.starts, m.of_frames) for m in (film, other))
    assert sum(abs(a[k] - b[k]) > 1e-3 for k in PATH_FEATURES) > 12


def test_turning_the_sphere_changes_no_feature():
    film = made("duets", 2)
    by = np.linalg.qr(np.random.default_rng(1).normal(size=(D, D)))[0]
    turned = Trajectory(film.path.points @ by, film.path.times)
    for function in (path_features, order_free_features):
        a, b = (list(function(p, film.starts, film.of_frames).values()) for p in (film.path, turned))
        np.testing.assert_allclose(a, b, atol=2e-4)


def test_a_great_circle_goes_straight_on():
    t = np.linspace(0, np.pi / 2, 41)
    circle = Trajectory(np.stack([np.cos(t), np.sin(t), 0 * t], 1), t)
    found = path_features(circle, np.array([0]), np.zeros(41, int))
    assert found["turning"] == pytest.approx(0, abs=1e-3)
    assert found["straightness"] == pytest.approx(1, abs=1e-4)
    assert mean_step(circle) == pytest.approx(np.pi / 80, rel=1e-4)
    assert np.isnan(found["angle_1"]) and np.isnan(found["seen_1"])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_short_and_still_films_have_what_is_defined(n):
    rng = np.random.default_rng(0)
    short = Trajectory(unit(rng.normal(size=(n, D))), np.arange(n))
    still = Trajectory(np.repeat(short.points[:1], 20, axis=0), np.arange(20))
    for path in (short, still):
        k = len(path)
        found = path_features(path, np.arange(min(k, 4)), np.zeros(k, int))
        free = order_free_features(path, np.arange(min(k, 4)), np.zeros(k, int))
        assert not np.isinf([*found.values(), *free.values()]).any()
        assert free["islands"] == 1
        if k > n:
            assert free["angle_high"] < 1e-6 and np.isnan(free["effective_rank"])
            assert np.isnan([found[key] for key in ("angle_1", "part_500", "turning", "straightness")]).all()
    assert mean_step(still) == 0
    assert np.isnan(mean_step(short)) == (n == 1)


def test_what_does_not_fit_is_refused():
    film = made("loop")
    for starts in ([], [1, 5], [0, 5, 5], [0, 10_000]):
        with pytest.raises(ShapeError, match="starts of shots that rise from 0"):
            path_features(film.path, np.array(starts, int), film.of_frames)
    with pytest.raises(ShapeError, match="an island for each of"):
        path_features(film.path, film.starts, film.of_frames[:-1])
    with pytest.raises(ChoiceError, match="feature to be one of"):
        feature_table([{"a": 1.0}, {"b": 1.0}])
    assert feature_table([]).shape == (0, 0)
