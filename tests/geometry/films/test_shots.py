"""Shots told from the path: cuts and nothing but cuts, flashes, quick turns, held frames, frames too far apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.films.shots import find_shots, match_cuts, shot_of_frames, shot_starts
from core.geometry.films.trajectory import Trajectory
from tests.geometry.films.made_places import D, walk


def changed(path: Trajectory, rows: dict[int, np.ndarray]) -> Trajectory:
    points = path.points.copy()
    for row, point in rows.items():
        points[row] = point
    return replace(path, points=points)


def test_cuts_are_found_where_they_are_and_nowhere_else():
    path, rows = walk([0, 1, 2, 0, 1])
    found = find_shots(path)
    np.testing.assert_array_equal(found.starts, np.flatnonzero(np.diff(rows, prepend=-1)))
    np.testing.assert_array_equal(found.starts, shot_starts(path))
    np.testing.assert_array_equal(found.of_frames, np.repeat(range(5), 8))
    assert len(found) == 5 and not found.sparse and not len(found.flashes)
    long = found.steps > found.thresholds
    np.testing.assert_array_equal(np.flatnonzero(long) + 1, found.starts[1:])
    assert len(shot_starts(replace(path, times=path.times * 100))) == 5, "the rule counts frames, whatever their times"


@pytest.mark.parametrize("at", [3, 12, 9, 6])
def test_a_flash_is_no_shot_even_beside_a_cut(at):
    path, _ = walk([0, 1, 2])
    lit = changed(path, {at: unit(np.ones((1, D)))[0]})
    found = find_shots(lit)
    assert found.starts.tolist() == [0, 8, 16]
    assert found.flashes.tolist() == [at]
    without = find_shots(lit, flashes=False, alone=0, far=np.inf)
    assert {at, at + 1} <= set(without.starts.tolist()) and not len(without.flashes)


def test_a_quick_turn_away_and_back_is_no_cut():
    path, _ = walk([0, 1], 14)
    across = unit(path.points[6:7] + np.eye(1, D, k=3))[0]
    half = unit((path.points[6] + across)[None])[0]
    turned = changed(path, {6: half, 7: across, 8: half})
    assert find_shots(turned).starts.tolist() == [0, 14]
    assert len(find_shots(turned, alone=0, far=np.inf)) > 2, "by the median alone it is taken for cuts"


def test_held_frames_noise_and_a_dissolve():
    path, _ = walk([0, 1, 0], 2)
    held = Trajectory(np.repeat(path.points, 4, axis=0), np.arange(24) / 2)
    assert shot_starts(held).tolist() == [0, 8, 16], "a slideshow: most steps are zero"
    alike = Trajectory(np.repeat(path.points[:1], 9, axis=0), np.arange(9.0))
    assert shot_starts(alike).tolist() == [0]
    noise = Trajectory(unit(np.random.default_rng(1).normal(size=(60, D))).astype(np.float32), np.arange(60.0))
    found = find_shots(noise)
    assert found.starts.tolist() == [0] and found.sparse, "every frame a shot of its own: said, not guessed"
    a, b = path.points[0], path.points[2]
    fade = unit(np.stack([(1 - s) * a + s * b for s in np.clip(np.linspace(-1, 2, 31), 0, 1)]))
    assert shot_starts(Trajectory(fade.astype(np.float32), np.arange(31.0))).tolist() == [0]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_one_to_three_frames(n):
    path, _ = walk([0, 1, 2], 1)
    found = find_shots(path.part(slice(n)))
    assert len(found.steps) == len(found.thresholds) == n - 1
    assert found.starts[0] == 0 and len(found.of_frames) == n


def test_turning_the_space_and_reversing_time_keep_the_cuts():
    path, _ = walk([0, 1, 2, 0], seed=3)
    by = np.linalg.qr(np.random.default_rng(2).normal(size=(D, D)))[0]
    turned = Trajectory((path.points @ by).astype(np.float32), path.times)
    np.testing.assert_array_equal(shot_starts(turned), shot_starts(path))
    back = Trajectory(path.points[::-1], path.times)
    np.testing.assert_array_equal(np.sort(len(path) - shot_starts(back)[1:]), shot_starts(path)[1:])


@pytest.mark.parametrize(("found", "hits"), [
    ([0, 10, 20], 2), ([11, 19], 2), ([12, 22], 0), ([9, 10, 11], 1), ([], 0), ([10, 11, 20, 21], 2)])
def test_each_cut_is_matched_once(found, hits):
    matched = match_cuts(np.array(found, dtype=int), np.array([0, 10, 20]))
    assert matched.hits == hits
    assert matched.f1 == pytest.approx(2 * hits / (sum(f > 0 for f in found) + 2))
    assert match_cuts(np.array([0]), np.array([0])).f1 == 1


def test_what_cannot_be_is_refused():
    path, _ = walk([0, 1])
    with pytest.raises(ShapeError, match="1 or more steps about each"):
        find_shots(path, times_local=0)
    with pytest.raises(ShapeError, match="rise from 0 to below 16"):
        shot_of_frames(np.array([0, 16]), 16)


def test_frames_far_apart_in_time_still_show_cuts():
    """Steps inside shots that are a third as long as cuts: no cut is four times the median."""
    still, rows = walk([0, 1, 2, 3, 4, 5], 5, step=0, apart=2)
    noise = 0.25 / np.sqrt(D) * np.random.default_rng(1).normal(size=still.points.shape)
    path = Trajectory(unit(still.points + noise).astype(np.float32), still.times)
    found, cuts = find_shots(path), np.flatnonzero(np.diff(rows, prepend=-1))
    assert np.median(found.steps) > 0.25 * np.median(found.steps[cuts[1:] - 1])
    assert set(found.starts) <= set(cuts)
    assert len(found) > len(find_shots(path, far=np.inf))
