"""CKA and neighbour overlap against their formulas written as loops, and the laws they obey."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.comparison import COMPARISONS, linear_cka, neighbour_overlap
from core.geometry.jackknife import student


def unit_rows(n: int, d: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def related(n: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two views of one thing, in 6 and in 4 dimensions."""
    rng = np.random.default_rng(seed)
    core = rng.normal(size=(n, 6))
    other = core[:, :4] + 0.6 * rng.normal(size=(n, 4))
    return tuple((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32) for x in (core, other))


def naive_hsic(k: np.ndarray, m: np.ndarray) -> float:
    """Song's unbiased estimator as it is printed."""
    n = len(k)
    k, m = k.copy(), m.copy()
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    one = np.ones(n)
    return (np.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
            - 2 / (n - 2) * (one @ k @ m @ one)) / (n * (n - 3))


def naive_cka(a: np.ndarray, b: np.ndarray) -> float:
    k, m = (x.astype(np.float64) @ x.astype(np.float64).T for x in (a, b))
    return naive_hsic(k, m) / np.sqrt(naive_hsic(k, k) * naive_hsic(m, m))


def naive_overlap(a: np.ndarray, b: np.ndarray, k: int) -> float:
    shares = []
    for i in range(len(a)):
        near = []
        for x in (a, b):
            cosines = sorted(((float(x[i] @ x[j]), j) for j in range(len(x)) if j != i), reverse=True)
            near.append({j for _, j in cosines[:k]})
        shares.append(len(near[0] & near[1]) / k)
    return float(np.mean(shares))


def jackknife(statistic, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    n = len(a)
    left = np.array([statistic(np.delete(a, i, 0), np.delete(b, i, 0)) for i in range(n)])
    half = student(n - 1) * np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
    return statistic(a, b) - half, statistic(a, b) + half


def test_cka_is_the_printed_formula_with_the_jackknife_of_a_loop():
    a, b = related()
    number = linear_cka(a, b)
    assert number.value == pytest.approx(naive_cka(a, b), abs=1e-9)
    low, high = jackknife(naive_cka, a, b)
    assert number.low == pytest.approx(low, abs=1e-8)
    assert number.high == pytest.approx(min(high, 1.0), abs=1e-8)
    assert number.n == 40
    assert 0.2 < number.value < 0.9


def test_cka_of_one_space_is_one_and_knows_no_rotation_shift_or_scale():
    a, b = related()
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    assert linear_cka(a, a).value == pytest.approx(1)
    assert linear_cka(a, 3 * a @ turn + 5).value == pytest.approx(1)
    assert linear_cka(a @ turn, b).value == pytest.approx(linear_cka(a, b).value)
    assert linear_cka(1e-4 * a, b).value == pytest.approx(linear_cka(a, b).value)
    order = np.random.default_rng(2).permutation(len(a))
    assert linear_cka(a[order], b[order]).low == pytest.approx(linear_cka(a, b).low)


def test_shuffled_items_have_a_cka_of_zero_where_the_biased_one_is_large():
    a, b = unit_rows(60, 200, 0), unit_rows(60, 200, 1)
    rng = np.random.default_rng(0)
    found = [linear_cka(a, b[rng.permutation(60)]).value for _ in range(300)]
    x, y = a - a.mean(0), b - b.mean(0)
    biased = np.linalg.norm(x.T @ y) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
    assert biased > 0.6
    assert abs(np.mean(found)) < 0.02
    assert linear_cka(a, b).null == 0
    assert linear_cka(a, b).low < 0 < linear_cka(a, b).high


def test_cka_of_a_single_point_is_no_number():
    a, _ = related()
    assert np.isnan(linear_cka(a, np.repeat(a[:1], len(a), 0)).value)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_overlap_is_that_of_a_loop(k):
    a, b = related()
    number = neighbour_overlap(a, b, k)
    assert number.value == pytest.approx(naive_overlap(a, b, k))
    assert number.low is None
    assert number.null == pytest.approx(k / 39)


def test_shuffled_items_overlap_as_the_null_says():
    a, b = related(60)
    rng = np.random.default_rng(0)
    found = [neighbour_overlap(a, b[rng.permutation(60)], 10).value for _ in range(100)]
    assert np.mean(found) == pytest.approx(10 / 59, abs=0.01)


def test_overlap_of_one_space_is_one_and_knows_no_rotation():
    a, _ = related()
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0].astype(np.float32)
    assert neighbour_overlap(a, a @ turn).value == 1


def test_copies_of_an_item_are_no_agreement():
    a = np.repeat(np.eye(1, 8, dtype=np.float32), 100, axis=0)
    assert neighbour_overlap(a, a, 10).value == pytest.approx(10 / 99, abs=0.03)


def test_more_items_than_a_block_are_the_same_as_one_block(monkeypatch):
    from core.geometry import comparison

    a, b = related(50)
    whole = neighbour_overlap(a, b)
    monkeypatch.setattr(comparison, "_BLOCK", 7)
    assert neighbour_overlap(a, b) == whole


def test_what_cannot_be_compared_is_refused_in_words():
    a, b = related()
    with pytest.raises(ShapeError, match="the same items from both models; got 40 and 39 vectors"):
        linear_cka(a, b[1:])
    with pytest.raises(ShapeError, match="at least 5 vectors of the first model; got 4"):
        linear_cka(a[:4], b[:4])
    with pytest.raises(ShapeError, match="at least 13 items to compare 10 neighbours of each; got 12"):
        neighbour_overlap(a[:12], b[:12])
    with pytest.raises(ShapeError, match="finite vectors of the second model"):
        linear_cka(a, b * np.float32("nan"))


def test_every_comparison_has_a_title_and_an_explanation():
    assert list(COMPARISONS) == ["cka", "overlap"]
    assert all(entry.title and len(entry.explanation) > 40 for entry in COMPARISONS.values())
