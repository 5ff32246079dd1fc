"""Nearest rows and percentiles among unmatched pairs, against loops."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.neighbours import nearest, percentile, unmatched_cosines


def unit_rows(n: int, d: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def test_nearest_equals_a_loop():
    x = unit_rows(300, 8, 0)
    for row in range(5):
        found, cosines = nearest(x[row], x, 7, leave_out=row)
        scored = sorted(((float(x[row] @ x[j]), -j) for j in range(300) if j != row), reverse=True)[:7]
        assert [-j for _, j in scored] == found.tolist()
        np.testing.assert_allclose(cosines, [c for c, _ in scored], atol=1e-6)


def test_nearest_gives_what_there_is():
    x = unit_rows(3, 4, 1)
    assert len(nearest(x[0], x, 10)[0]) == 3
    assert len(nearest(x[0], x, 10, leave_out=0)[0]) == 2
    assert len(nearest(x[0], x[:0], 10)[0]) == 0


def test_nearest_keeps_the_order_of_equal_rows():
    x = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    assert nearest(x[0], x, 3)[0].tolist() == [0, 1, 2]


def test_nearest_refuses_another_dimension():
    with pytest.raises(ShapeError, match="a vector of 4 dimensions"):
        nearest(np.ones(3, dtype=np.float32), unit_rows(3, 4, 1), 1)


def test_unmatched_cosines_are_all_pairs_but_the_linked_ones():
    a, b = unit_rows(6, 5, 2), unit_rows(7, 5, 3)
    links = np.array([[0, 0], [1, 1], [1, 2], [5, 6]])
    matched = {tuple(row) for row in links.tolist()}
    naive = sorted(float(a[i] @ b[j]) for i in range(6) for j in range(7) if (i, j) not in matched)
    np.testing.assert_allclose(unmatched_cosines(a, b, links), naive, atol=1e-6)


def test_unmatched_cosines_within_a_set_leave_out_the_row_itself():
    a = unit_rows(5, 3, 4)
    found = unmatched_cosines(a, a)
    assert len(found) == 20
    assert found.max() < 1 - 1e-4


def test_a_sample_of_unmatched_cosines_is_seeded_and_near_the_whole():
    a, b = unit_rows(400, 6, 5), unit_rows(400, 6, 6)
    part = unmatched_cosines(a, b, seed=1, size=5000)
    assert np.array_equal(part, unmatched_cosines(a, b, seed=1, size=5000))
    assert abs(part.mean() - (a @ b.T).mean()) < 0.02
    assert unmatched_cosines(a[:0], b).size == 0


def test_unmatched_cosines_refuse_two_dimensions():
    with pytest.raises(ShapeError, match="two sets of one dimension"):
        unmatched_cosines(unit_rows(2, 3, 0), unit_rows(2, 4, 0))


def test_percentile_counts_ties_half():
    among = np.array([0.0, 0.1, 0.1, 0.2], dtype=np.float32)
    assert percentile(0.15, among) == 75
    assert percentile(np.float32(0.1), among) == 50
    assert percentile(-1, among) == 0
    assert percentile(1, among) == 100
    assert np.isnan(percentile(0, among[:0]))
