"""Nearest others against all cosines: ties, equal rows, cells of the sphere, stopping."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.geometry.quality import neighbours
from core.geometry.quality.neighbours import distinct, nearest_others


def clumps(n: int, d: int, seed: int = 0, near: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit((rng.normal(size=(20, d))[rng.integers(0, 20, n)] + near * rng.normal(size=(n, d))).astype(np.float32))


def by_hand(x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    cosines = np.clip(x @ x.T, -1, 1)
    np.fill_diagonal(cosines, -np.inf)
    rows = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return rows, np.take_along_axis(cosines, rows, axis=1)


@pytest.mark.parametrize(("n", "d", "k"), [(700, 8, 10), (5, 3, 10), (2, 2, 1)])
def test_all_cosines_are_taken_of_few(n, d, k):
    x = clumps(n, d)
    found = nearest_others(x, k)
    rows, cosines = by_hand(x, min(k, n - 1))
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.cosines, cosines, atol=1e-6)
    assert found.recall.value == 1


@pytest.mark.parametrize("n", [0, 1])
def test_there_are_none_where_there_are_no_others(n):
    assert nearest_others(clumps(n, 3)).rows.shape == (n, 0)


def test_equal_rows_come_first_each_with_all_its_equals():
    x = clumps(60, 6)
    x = np.concatenate([x, x[:20], x[:20], np.repeat(x[:1], 9, axis=0)])[np.random.default_rng(0).permutation(109)]
    found = nearest_others(x, 7)
    _, cosines = by_hand(x, 7)
    np.testing.assert_allclose(found.cosines, cosines, atol=1e-6)
    assert all(len({row, *others}) == 8 for row, others in enumerate(found.rows.tolist()))
    first, of = distinct(x)
    equal = (of[:, None] == of[None]).sum(axis=1) - 1
    assert ((of[found.rows] == of[:, None]).sum(axis=1) == np.minimum(equal, 7)).all()
    assert len(first) == 60 and (x[first[of]] == x).all()


def test_cells_find_what_all_cosines_find_and_the_same_each_time(monkeypatch):
    x = clumps(4000, 24, near=0.2)
    exact = nearest_others(x, 10)
    monkeypatch.setattr(neighbours, "EXACT_UP_TO", 1000)
    found, again = nearest_others(x, 10), nearest_others(x, 10)
    np.testing.assert_array_equal(found.rows, again.rows)
    share = (found.rows[:, :, None] == exact.rows[:, None]).any(axis=1).mean()
    assert share >= 0.98
    assert found.recall.value == pytest.approx(share, abs=0.02) and found.recall.n == 256
    assert nearest_others(x, 10, seed=1).recall.value >= 0.97


def test_equal_rows_do_not_fill_the_cells(monkeypatch):
    monkeypatch.setattr(neighbours, "EXACT_UP_TO", 500)
    x = np.concatenate([clumps(1500, 8), np.repeat(clumps(1, 8, seed=9), 3000, axis=0)])
    found = nearest_others(x, 5)
    assert (found.cosines[1500:] == 1).all()
    np.testing.assert_array_equal(found.rows[1500], np.arange(1501, 1506))


def test_a_search_can_be_stopped_and_tells_how_far_it_is():
    told: list[float] = []
    nearest_others(clumps(1200, 8), on_progress=lambda share, text: told.append(share))
    assert told == sorted(told) and told[0] >= 0 and told[-1] <= 1 and len(told) > 1
    with pytest.raises(Cancelled):
        nearest_others(clumps(600, 8), should_stop=lambda: True)


def test_what_is_no_direction_is_refused():
    with pytest.raises(ShapeError, match="unit rows"):
        nearest_others(2 * clumps(5, 3))
    with pytest.raises(ShapeError, match="at least 1 neighbour"):
        nearest_others(clumps(5, 3), 0)
    with pytest.raises(ShapeError, match="finite"):
        nearest_others(np.full((3, 2), np.nan, np.float32))
