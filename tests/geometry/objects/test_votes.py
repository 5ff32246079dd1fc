"""Naming an object from several views: weights by hand, and the sweep over poses."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.objects.votes import pose_sweep, vote

TEXTS = np.eye(3)


def at(*degrees: float) -> np.ndarray:
    """Views in the plane of the first two texts."""
    return np.stack([[np.cos(np.radians(d)), np.sin(np.radians(d)), 0.0] for d in degrees])


def test_views_count_by_their_weights():
    x = at(0, 90, 60)
    np.testing.assert_allclose(vote(x, TEXTS), [1.5 / 3, (1 + 3**0.5 / 2) / 3, 0])
    np.testing.assert_allclose(vote(x, TEXTS, [3, 1, 0]), [0.75, 0.25, 0])
    np.testing.assert_allclose(vote(x, TEXTS, [6, 2, 0]), vote(x, TEXTS, [3, 1, 0]))


@pytest.mark.parametrize("weights", [[1, 1], [0, 0, 0], [1, -1, 1], [1, np.nan, 1]])
def test_weights_that_weigh_nothing_are_refused(weights):
    with pytest.raises(ShapeError, match="3 weights, one a view, none below 0 and not all 0"):
        vote(at(0, 90, 60), TEXTS, weights)


def test_the_winner_hangs_on_the_pose():
    degrees = [60, 0, 30, 80]
    found = pose_sweep(np.stack([at(d, d) for d in degrees]), degrees, TEXTS, ("a", "b", "c"))
    assert found.degrees.tolist() == [0, 30, 60, 80]
    assert found.winners.tolist() == [0, 0, 1, 1]
    assert (found.most, found.share) == (0, 0.5)
    np.testing.assert_allclose(found.scores[1], at(30)[0])
    with pytest.raises(ShapeError, match="a turn a pose, and two texts or more"):
        pose_sweep(at(0, 1), [0, 1], TEXTS, ("a", "b", "c"))
