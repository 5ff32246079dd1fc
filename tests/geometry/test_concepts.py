"""Sparse nonnegative sums of concepts: the same problem solved naively, planted words, chance, and what stays."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.concepts import (
    concept_axes,
    decompose,
    direction_of,
    explain,
    random_axes,
    sweep,
)
from core.geometry.directions import unit

M, D = 30, 16


def naive(z: np.ndarray, concepts: np.ndarray, penalty: float, steps: int = 10_000) -> np.ndarray:
    """Projected gradient on ||z - C'w||^2 / 2 + penalty sum(w), w >= 0."""
    gram, right = concepts @ concepts.T, concepts @ z
    w, step = np.zeros(len(concepts)), 1 / np.linalg.eigvalsh(concepts @ concepts.T).max()
    for _ in range(steps):
        w = np.maximum(w - step * (gram @ w - right + penalty), 0)
    return w


def words(seed: int, m: int = M, d: int = D) -> np.ndarray:
    return concept_axes(unit(np.random.default_rng(seed).normal(size=(m, d)) + 1))


@pytest.mark.parametrize("penalty", [0.03, 0.15, 0.25])
def test_weights_are_those_of_the_same_problem_solved_naively(penalty):
    z, c = unit(np.random.default_rng(1).normal(size=(3, D))), words(0)
    found = decompose(z, c, penalty)
    for i in range(3):
        w = naive(z[i], c, penalty)
        np.testing.assert_allclose(found.weights[i], w, atol=2e-3)
        assert found.counts[i] == (w > 1e-3).sum()
        assert found.cosines[i] == pytest.approx(w @ c @ z[i] / np.linalg.norm(w @ c), abs=1e-4)
    counts, cosines = sweep(z[0], c, np.array([0.5, penalty]))
    assert counts[-1] == found.counts[0] and cosines[-1] == pytest.approx(found.cosines[0], abs=1e-4)


def test_a_planted_sum_is_found_and_a_penalty_above_all_cosines_leaves_nothing():
    c = words(2)
    z = unit((2 * c[3] + c[7] + c[11])[None])
    found = decompose(z, c, 0.05)
    assert set(np.argsort(-found.weights[0])[:3]) == {3, 7, 11} and found.weights[0].argmax() == 3
    assert found.cosines[0] > 0.98
    nothing = decompose(z, c, float((c @ z[0]).max()) + 0.01)
    assert nothing.counts[0] == 0 and nothing.cosines[0] == 0


def test_neither_order_nor_a_rotation_changes_the_weights():
    rng, c = np.random.default_rng(3), words(3)
    z, turn, order = unit(rng.normal(size=(2, D))), np.linalg.qr(rng.normal(size=(D, D)))[0], rng.permutation(M)
    whole = decompose(z, c).weights
    np.testing.assert_allclose(decompose(z @ turn, c @ turn).weights, whole, atol=2e-3)
    np.testing.assert_allclose(decompose(z, c[order]).weights, whole[:, order], atol=2e-3)


def test_concepts_are_taken_from_their_own_mean_or_that_of_their_kind():
    x = unit(np.random.default_rng(4).normal(size=(6, 5)) + 2)
    np.testing.assert_allclose(concept_axes(x), unit(x - x.mean(axis=0)), atol=1e-12)
    kinds = concept_axes(x, ("a", "a", "a", "b", "b", "alone"))
    np.testing.assert_allclose(kinds[:3], unit(x[:3] - x[:3].mean(axis=0)), atol=1e-12)
    np.testing.assert_allclose(kinds[5:], unit((x[5] - x.mean(axis=0))[None]), atol=1e-12)
    middle = concept_axes(np.array([[1.0, 0], [-1, 0], [0, 0]]))
    assert not middle[2].any() and decompose(np.array([[1.0, 0]]), middle).weights[0, 2] == 0
    for bad in (x[:1], np.repeat(x[:1], 4, axis=0)):
        with pytest.raises(ShapeError):
            concept_axes(bad)


def test_a_group_is_said_beyond_chance_and_its_own_words_stay():
    rng, c = np.random.default_rng(5), words(5, 40, 32)
    others = unit(rng.normal(size=(400, 32)))
    group = unit(3 * c[4] + 2 * c[9] + rng.normal(size=(60, 32)))
    said = explain(group, np.concatenate([group, others]), c, seed=1)
    assert list(said.order[:2]) == [4, 9]
    assert said.cosine.value > max(said.cosine.null, said.random_direction) + 0.2
    assert said.stays[[4, 9]].min() == 1 and said.stays.min() < 0.2
    assert said.cosine.n == 60 and said.draws == 100
    assert (np.diff(said.sweep.penalties) < 0).all() and said.sweep.cosines[-1] > said.sweep.chance_cosines[-1]
    again = explain(group, np.concatenate([group, others]), c, seed=1)
    np.testing.assert_array_equal(again.stays, said.stays)

    back = explain(others, group, c, kind="difference", draws=5)
    assert not back.weights[[4, 9]].any()
    noise = explain(unit(rng.normal(size=(60, 32))), others, c, kind="difference")
    assert noise.apart.value < 1.5 * noise.apart.null and said.apart.value > 2 * said.apart.null
    assert noise.stays.max() < 1 and abs(noise.cosine.value - noise.random_direction) < 0.25


def test_moves_are_drawn_in_pairs_and_one_item_has_nothing_to_draw():
    rng, c = np.random.default_rng(6), words(6)
    start = unit(rng.normal(size=(40, D)))
    end = start + 0.05 * c[2]
    paired = explain(end, start, c, kind="paired", draws=20)
    assert paired.order[0] == 2 and paired.stays[2] == 1 and (paired.stays > 0).sum() == len(paired.order)
    one = explain(start[:1], start, c)
    assert one.stays is None and one.draws == 0


def test_what_cannot_be_decomposed_says_why():
    c, x = words(7), unit(np.random.default_rng(7).normal(size=(5, D)))
    with pytest.raises(ShapeError, match="two equal means"):
        direction_of(x, x)
    with pytest.raises(ShapeError, match="the model that made the vectors"):
        decompose(x, random_axes(5, D + 1, 0))
    with pytest.raises(ShapeError, match="penalty"):
        decompose(x, c, 0.0)
    with pytest.raises(Cancelled):
        explain(x[:2], x, c, should_stop=lambda: True)
