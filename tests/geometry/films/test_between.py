"""Films beside films: matrices by hand, trees and maps with their chance, and whether the order of shots counts."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.geometry.films.alignment import align, costs, evenly_in_time
from core.geometry.films.between import MEASURES, film_distances, shots_shuffled, transported
from core.geometry.films.trajectory import Trajectory
from tests.geometry.films.kinds import ORDERS, D, made


def of_places(order: tuple[int, ...], seed: int, places: np.ndarray) -> tuple[Trajectory, np.ndarray]:
    """A film whose shots stand at places that all films share."""
    rng = np.random.default_rng(seed)
    points, starts = [], []
    for place in order:
        starts.append(len(points))
        points += [places[place] + 0.05 * rng.normal(size=D) for _ in range(rng.integers(6, 9))]
    return Trajectory(unit(np.array(points)), np.arange(len(points)) / 12, str(order)), np.array(starts)


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    return unit(np.random.default_rng(5).normal(size=(4, D)))


def test_matrices_are_those_of_each_pair():
    paths = [made("loop", 1).path, made("arch", 2).path, made("duets", 3).path]
    found = film_distances(paths, frames=60)
    for i in range(3):
        for j in range(3):
            rows = [evenly_in_time(paths[k], 60) for k in (i, j)]
            cost = costs(paths[i].points[rows[0]], paths[j].points[rows[1]])
            pair = align(paths[i].part(np.unique(rows[0])), paths[j].part(np.unique(rows[1])), frames=60)
            assert found.distances["warped"][i, j] == pair.warped
            assert found.distances["frechet"][i, j] == pair.frechet
            assert found.distances["order_free"][i, j] == pytest.approx(0 if i == j else transported(cost), abs=1e-9)
            assert found.unmatched[i, j] == pytest.approx(cost.mean())
    assert found.order == () and found.order_p is None
    assert set(found.arranged) == set(MEASURES)
    for arranged in found.arranged.values():
        assert sorted(arranged.leaves.tolist()) == [0, 1, 2]
        assert np.abs(arranged.coords.mean(axis=0)).max() < 1e-9


def test_transport_is_the_best_of_all_matchings():
    cost = np.random.default_rng(0).random((6, 6))
    by_hand = min(cost[np.arange(6), list(p)].mean() for p in permutations(range(6)))
    assert transported(cost) == pytest.approx(by_hand)


def test_what_forgets_order_is_the_same_for_shuffled_shots(places):
    a, starts = of_places(ORDERS["loop"], 0, places)
    shots = np.searchsorted(starts, np.arange(len(a)), side="right")
    rows = shots_shuffled(shots, np.random.default_rng(1))
    assert sorted(rows.tolist()) == list(range(len(a)))
    assert np.count_nonzero(np.diff(rows) != 1) <= 7, "shots stay whole"
    b = Trajectory(a.points[rows], a.times, "shuffled")
    found = film_distances([a, b], frames=len(a))
    assert found.distances["order_free"][0, 1] == pytest.approx(0, abs=1e-9)
    assert found.distances["warped"][0, 1] > 0.2


def test_films_of_one_order_are_nearer_than_with_their_shots_shuffled(places):
    made_of = [of_places(ORDERS[k], s, places) for s in range(2) for k in ORDERS]
    found = film_distances([p for p, _ in made_of], [s for _, s in made_of], frames=60, draws=99)
    assert len(found.order) == 15
    same = [o for o in found.order if o.pair[1] - o.pair[0] == 3]
    assert len(same) == 3
    for pair in same:
        assert pair.p == 0.01 and pair.warped < pair.shuffled.low
        assert pair.corrected >= pair.p
    assert found.order_p == 0.01 and found.order_together.value < found.order_together.low
    leaves = found.arranged["warped"].leaves.tolist()
    assert abs(leaves.index(1) - leaves.index(4)) == 1, "the tree brings both duets together"


def test_films_in_random_order_show_nothing(places):
    rng, p = np.random.default_rng(3), []
    for i in range(40):
        films = [of_places(tuple(rng.permutation([0, 1, 2, 3, 0, 1, 2, 3])), 10 * i + k, places) for k in range(3)]
        p.append(film_distances([f for f, _ in films], [s for _, s in films], frames=24, draws=39, seed=i).order_p)
    assert 0.3 < np.mean(p) < 0.7 and np.mean(np.array(p) <= 0.1) <= 0.25


def test_many_films_are_tried_with_their_nearest_alone():
    films = [made(kind, seed) for seed in range(4) for kind in ORDERS]
    found = film_distances([m.path for m in films], [m.starts for m in films], frames=24, draws=9)
    away = found.distances["order_free"] + np.diag(np.full(12, np.inf))
    assert {o.pair for o in found.order} == {(min(i, j), max(i, j)) for i, j in enumerate(away.argmin(axis=1))}


def test_equal_films_one_frame_and_one_shot():
    still = Trajectory(np.eye(3)[:1], np.zeros(1), "still")
    found = film_distances([still] * 4, [np.zeros(1, int)] * 4, draws=9)
    for key in MEASURES:
        assert (found.distances[key] == 0).all()
        assert np.isnan(found.arranged[key].map_fidelity.value)
    assert [o.p for o in found.order] == [None] * 6 and found.order_p is None
    pair = film_distances([still, Trajectory(np.eye(3)[:2], np.arange(2))], [[0], [0, 1]], draws=9)
    assert pair.names == ("still", "film 2")
    assert pair.distances["warped"][0, 1] == pytest.approx(np.pi / 4, rel=0.01)
    assert pair.order[0].p is not None and pair.arranged["warped"].leaves.tolist() in ([0, 1], [1, 0])


def test_what_cannot_be_compared_is_refused_and_work_can_be_stopped():
    path = made("loop").path
    for paths in ([path], [path, Trajectory(np.eye(3), np.arange(3))], [path] * 101):
        with pytest.raises(ShapeError, match="2 to 100 films by one model"):
            film_distances(paths)
    with pytest.raises(ShapeError, match="1 shuffle of shots or more"):
        film_distances([path, path], draws=0)
    said: list[float] = []
    film_distances([path, made("arch").path], [made("loop").starts, made("arch").starts], draws=9,
                   on_progress=lambda f, t: said.append(f))
    assert said == sorted(said) and said[-1] == 1
    with pytest.raises(Cancelled):
        film_distances([path, path], should_stop=lambda: True)
