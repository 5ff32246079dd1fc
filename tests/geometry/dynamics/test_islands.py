"""Islands of a training: silhouettes against a naive loop, intervals that cover, chance that stays chance."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.directions import angles, unit
from core.geometry.dynamics.islands import _without_each, islands, silhouettes
from core.geometry.jackknife import with_interval
from tests.geometry.dynamics.planted import CLASSES, gathering, random_turn


def naive(between: np.ndarray, of: np.ndarray) -> np.ndarray:
    out = []
    for i, k in enumerate(of):
        own = [between[i, j] for j in range(len(of)) if of[j] == k and j != i]
        others = [np.mean(between[i, of == c]) for c in np.unique(of) if c != k]
        out.append(0.0 if not own else (min(others) - np.mean(own)) / max(min(others), np.mean(own)))
    return np.array(out)


def test_silhouettes_and_those_without_each_point_are_what_a_loop_finds():
    x = unit(np.random.default_rng(0).normal(size=(23, 4)))
    of = np.array([0] * 9 + [1] * 7 + [2] * 5 + [3] * 2)
    between = angles(x, x)
    np.fill_diagonal(between, 0)
    np.testing.assert_allclose(silhouettes(between, of), naive(between, of), atol=1e-12)
    found = _without_each(between, of)
    for j in range(len(of)):
        left = np.arange(len(of)) != j
        assert found[j] == pytest.approx(naive(between[left][:, left], of[left]).mean(), abs=1e-12)


def test_classes_that_gather_are_told_apart_and_islands_form():
    record = gathering(8)
    found = islands(record.images, record.steps, record.probe.labels, shuffles=39)
    assert found.classes == CLASSES
    assert found.separation is not None
    assert found.separation.values[-1] > 0.6 > 0.1 > found.separation.values[0]
    assert (found.separation.values[2:] > found.separation.null[2:]).all()
    assert found.apart_from is not None and found.apart_from <= 20
    assert found.counts[-1] == CLASSES
    assert found.firmness.values[-1] > 0.6 > found.firmness.null[-1]
    assert found.formed is not None and 0 < found.formed < record.steps[-1]
    assert found.halfway is not None
    middle = (found.separation.values[0] + found.separation.values.max()) / 2
    at = int(np.flatnonzero(record.steps == found.halfway.value)[0])
    assert found.separation.values[at] >= middle > found.separation.values[at - 1]
    assert found.halfway.low <= found.halfway.value <= found.halfway.high
    q = random_turn(2)
    again = islands((record.images @ q.T).astype(np.float32), record.steps, record.probe.labels, shuffles=39)
    np.testing.assert_allclose(again.separation.values, found.separation.values, atol=1e-5)


def test_points_without_classes_and_without_islands_say_so():
    rng, false, formed = np.random.default_rng(0), 0, 0
    for seed in range(12):
        x = unit(rng.normal(size=(3 * 60, 3))).reshape(3, 60, 3).astype(np.float32)
        found = islands(x, np.arange(3), ["a", "b", "c"] * 20, shuffles=19, draws=19, seed=seed)
        false += bool((found.separation.values > found.separation.null).any())
        formed += bool((found.firmness.values > found.firmness.null).any())
        assert found.halfway is None or found.halfway.low == 0 or found.separation.values.max() < 0.1
    assert max(false, formed) <= 3, "of 12 fewer than 1 is expected"
    bare = islands(x, np.arange(3), [""] * 60)
    assert (bare.separation, bare.apart_from, bare.halfway, bare.classes) == (None, None, None, 0)


def test_the_interval_of_separation_covers():
    rng, centres, of = np.random.default_rng(1), unit(np.random.default_rng(5).normal(size=(4, 3))), np.arange(60) // 15

    def drawn() -> np.ndarray:
        x = unit(centres[of] + 0.5 * rng.normal(size=(60, 3)))
        between = angles(x, x)
        np.fill_diagonal(between, 0)
        return between

    truth = np.mean([silhouettes(drawn(), of).mean() for _ in range(1000)])
    covered = 0
    for _ in range(400):
        between = drawn()
        found = with_interval(float(silhouettes(between, of).mean()), _without_each(between, of), None, 60)
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / 400 <= 0.99


def test_it_can_be_stopped_and_wants_what_fits():
    record = gathering()
    with pytest.raises(Cancelled, match="0 of"):
        islands(record.images, record.steps, record.probe.labels, should_stop=lambda: True)
    with pytest.raises(ShapeError, match="a class of each point"):
        islands(record.images, record.steps, ["a"])
