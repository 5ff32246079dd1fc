"""Islands: shots of one place are one, whichever way they are read; visits, dwell and returns; bounds."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import angles, unit
from core.geometry.films.islands import frames_compared, islands, shot_distances
from core.geometry.films.trajectory import Trajectory
from tests.geometry.films.made_places import D, walk

PLACES = [0, 1, 2, 0, 1, 1, 0]


def test_shots_of_one_place_are_one_island():
    path, rows = walk(PLACES)
    found = islands(path, np.arange(0, len(path), 8))
    assert len(found) == 3
    np.testing.assert_array_equal(found.of_shots, PLACES)
    np.testing.assert_array_equal(found.of_frames, rows)
    assert [v.island for v in found.visits] == [0, 1, 2, 0, 1, 0], "shots of one island in a row are one visit"
    assert found.counts.tolist() == [3, 2, 1]
    np.testing.assert_allclose(found.dwell, [6, 6, 2])
    assert found.dwell.sum() == pytest.approx(len(path) / 4)
    assert found.returns == ((0, 4.0), (1, 4.0), (0, 4.0))
    for k in range(3):
        own = np.flatnonzero(rows == k)
        off = angles(path.points[own], found.means[k][None])[:, 0]
        assert found.medoids[k] == own[off.argmin()]
        assert found.spreads[k] == pytest.approx(np.median(off))


def test_distances_are_those_of_a_naive_loop():
    path, _ = walk([0, 1, 2, 1], seed=4)
    starts = np.array([0, 5, 16, 24])
    found = shot_distances(path.points, starts, 4)
    parts = [p[np.floor((np.arange(4) + 0.5) / 4 * len(p)).astype(int)] for p in np.split(path.points, starts[1:])]
    for i, a in enumerate(parts):
        for j, b in enumerate(parts):
            quarter = 0.0 if i == j else np.sort(angles(a, b).ravel())[(16 - 1) // 4]
            assert found[i, j] == pytest.approx(quarter, abs=1e-6)
    np.testing.assert_array_equal(found, found.T)


def test_reversing_turning_and_holding_frames_keep_the_islands():
    path, _ = walk(PLACES, seed=2)
    starts = np.arange(0, len(path), 8)
    k = islands(path, starts).of_frames
    back = islands(Trajectory(path.points[::-1], path.times), starts).of_frames[::-1]
    held = islands(Trajectory(np.repeat(path.points, 3, axis=0), np.arange(3 * len(path)) / 12), 3 * starts)
    np.testing.assert_array_equal(held.of_frames[::3], k)
    np.testing.assert_array_equal(back[:, None] == back, k[:, None] == k)


def test_one_frame_one_shot_all_alike_and_noise():
    path, _ = walk([0, 1])
    one = islands(path.part(slice(1)), np.array([0]))
    assert len(one) == 1 and one.dwell.tolist() == [0] and not one.returns
    assert len(islands(path, np.array([0]))) == 1
    alike = Trajectory(np.repeat(path.points[:1], 12, axis=0), np.arange(12.0))
    assert len(islands(alike, np.array([0, 4, 8]))) == 1
    noise = Trajectory(unit(np.random.default_rng(0).normal(size=(40, D))).astype(np.float32), np.arange(40.0))
    assert len(islands(noise, np.arange(0, 40, 4))) == 10, "places that are alike by nothing are not one"
    opposite = Trajectory(np.stack([np.eye(D)[0], -np.eye(D)[0]]).astype(np.float32), np.arange(2.0))
    assert np.isfinite(islands(opposite, np.array([0]), cut=np.pi).means).all()


def test_two_thousand_shots_are_bounded():
    path, _ = walk(np.random.default_rng(0).integers(0, 20, 2000).tolist(), 3, step=0.001)
    found = islands(path, np.arange(0, len(path), 3))
    assert len(found) == 20 and found.frames_a_shot == 3
    assert found.distances.nbytes == 4 * 2000**2
    assert frames_compared(3000, 100) == 4 and frames_compared(8, 100) == 16 and frames_compared(8, 5) == 5


def test_what_cannot_be_is_refused():
    path, _ = walk([0, 1])
    with pytest.raises(ShapeError, match="rise from 0 to below 16"):
        islands(path, np.array([1, 8]))
    with pytest.raises(ShapeError, match="a cut in"):
        islands(path, np.array([0, 8]), cut=0)
    long = Trajectory(np.repeat(path.points, 400, axis=0), np.arange(6400.0))
    with pytest.raises(ShapeError, match="at most 6,000 shots"):
        islands(long, np.arange(6400))
