"""Films laid along each other: against a loop over all cells, and the laws of both distances."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.films.alignment import (
    align,
    costs,
    evenly_in_time,
    frechet_distances,
    warped_distances,
)
from core.geometry.films.trajectory import Trajectory
from tests.geometry.films.kinds import D, made


def naive(cost: np.ndarray) -> tuple[float, int, float]:
    """Least sum, the length of the shortest way that has it, and the least largest cost."""
    k, m = cost.shape
    best: dict[tuple[int, int], tuple[float, int, float]] = {}
    for i in range(k):
        for j in range(m):
            before = [best[c] for c in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if c in best]
            total, length = min((b[:2] for b in before), default=(0.0, 0))
            largest = max(min((b[2] for b in before), default=0.0), cost[i, j])
            best[i, j] = (total + cost[i, j], length + 1, largest)
    return best[k - 1, m - 1]


def path(x: np.ndarray, times: np.ndarray | None = None) -> Trajectory:
    return Trajectory(x.astype(np.float32), np.arange(len(x)) if times is None else times)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (2, 2), (9, 14), (14, 9), (20, 20)])
def test_both_distances_are_those_of_a_loop(shape):
    rng = np.random.default_rng(shape[0])
    x = [unit(rng.normal(size=(n, 5))) for n in shape]
    x.append(x[1].copy())
    x[2][len(x[2]) // 2:] = x[1][len(x[1]) // 2]    # many ways cost the same
    several = np.stack([costs(x[0], x[1]), costs(x[0], x[2]), np.zeros(shape)])
    for cost, warped, frechet in zip(several, warped_distances(several), frechet_distances(several)):
        total, length, largest = naive(cost)
        assert warped == total / length
        assert frechet == largest
    found = align(path(x[0]), path(x[1]))
    assert found.warped == warped_distances(several[:1])[0]
    assert found.frechet == frechet_distances(several[:1])[0]
    steps = np.diff(found.way, axis=0)
    assert found.way[0].tolist() == [0, 0] and found.way[-1].tolist() == [shape[0] - 1, shape[1] - 1]
    assert {tuple(s) for s in steps.tolist()} <= {(1, 1), (0, 1), (1, 0)}


def test_costs_are_angles_to_a_millionth():
    rng = np.random.default_rng(0)
    a, b = unit(rng.normal(size=(4, 300))), unit(rng.normal(size=(6, 300)))
    by_hand = np.arccos(a @ b.T)
    np.testing.assert_allclose(costs(a.astype(np.float32), b), by_hand, atol=1e-6)
    np.testing.assert_array_equal(costs(a, b), costs(b, a).T)
    near = a.astype(np.float32)
    assert (np.diag(costs(near, near)) == 0).all()


def test_distances_are_symmetric_zero_on_themselves_and_of_no_rotation():
    a, b = made("loop", 1).path, made("arch", 2).path
    one, back = align(a, b), align(b, a)
    assert (one.warped, one.frechet) == (back.warped, back.frechet)
    assert 0 < one.warped < one.frechet
    own = align(a, a)
    assert (own.warped, own.frechet) == (0, 0)
    assert (own.way[:, 0] == own.way[:, 1]).all()
    by = np.linalg.qr(np.random.default_rng(3).normal(size=(D, D)))[0]
    turned = align(path(a.points @ by, a.times), path(b.points @ by, b.times))
    assert turned.warped == pytest.approx(one.warped, abs=2e-6)
    assert turned.frechet == pytest.approx(one.frechet, abs=2e-6)


def test_frames_that_stand_still_change_little():
    """The mean angle of pairs forgives dwelling; the Fréchet distance does not see it at all."""
    a, b = made("duets", 1).path, made("duets", 5).path
    times = np.random.default_rng(0).integers(1, 4, len(a))
    slow = path(np.repeat(a.points, times, axis=0))
    one, other = align(a, b, frames=400), align(slow, b, frames=400)
    assert other.frechet == one.frechet
    assert other.warped == pytest.approx(one.warped, rel=0.1)
    assert align(a, slow, frames=400).warped == 0


def test_frames_are_taken_evenly_in_time():
    uneven = path(made("loop").path.points[:60], np.r_[np.arange(30), 30 + np.arange(30) * 9.0])
    rows = evenly_in_time(uneven, 11)
    wanted = np.linspace(0, uneven.times[-1], 11)
    assert (np.abs(uneven.times[rows] - wanted) <= 4.5).all() and len(rows) == 11
    np.testing.assert_array_equal(evenly_in_time(uneven.part(np.arange(30)), 30), np.arange(30))
    assert evenly_in_time(path(np.eye(3)[:1]), 4).tolist() == [0, 0, 0, 0]
    long = path(np.repeat(made("loop").path.points, 20, axis=0))
    assert align(long, uneven, frames=50).cost.shape == (50, 50)
    for frames in (0, 10_000):
        with pytest.raises(ShapeError, match="from 1 to 4,000 frames"):
            evenly_in_time(uneven, frames)
    with pytest.raises(ShapeError, match="two films by one model"):
        align(uneven, path(np.eye(3)))
