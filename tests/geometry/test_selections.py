"""Telling two selections apart: a planted difference is found and named, no difference is not."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.selections import tell_selections_apart

D = 24
RNG = np.random.default_rng(0)
AXES = np.eye(D)


def drawn(n: int, along: int | None, seed: int) -> np.ndarray:
    x = 0.3 * np.random.default_rng(seed).normal(size=(n, D)) + AXES[0]
    return unit(x + (0 if along is None else 0.8) * AXES[along or 0])


WORDS = tuple(f"word {i}" for i in range(D))
VECTORS = unit(AXES + 0.7)


def test_a_planted_difference_is_found_and_named():
    a, b = drawn(60, 3, 1), drawn(50, 5, 2)
    found = tell_selections_apart(a, b, words=WORDS, word_vectors=VECTORS)
    assert found.p_value < 0.01
    assert found.distance.value > 3 * found.distance.null
    assert found.direction @ unit((AXES[3] - AXES[5])[None])[0] > 0.9
    first, second = found.words
    assert (first[0][0], second[0][0]) == ("word 3", "word 5")
    assert max(first[0][2], second[0][2]) < 0.01
    assert first[0][1] > 0 > second[0][1]
    along = a @ found.direction
    np.testing.assert_array_equal(found.examples[0], np.argsort(-along)[:8])
    np.testing.assert_array_equal(found.examples[1], np.argsort(b @ found.direction)[:8])


def test_random_divisions_are_seldom_called_different():
    values, words = [], []
    for seed in range(40):
        x = drawn(60, None, 100 + seed)
        found = tell_selections_apart(x[:30], x[30:], words=WORDS, word_vectors=VECTORS, seed=seed)
        values.append(found.p_value)
        words.append(min((w[2] for side in found.words for w in side), default=1))
    assert np.mean(np.array(values) < 0.05) <= 0.15
    assert np.mean(np.array(words) < 0.05) <= 0.15
    assert 0.3 < np.mean(values) < 0.7


def test_it_repeats_itself_and_swaps_with_its_sides():
    a, b = drawn(20, 3, 1), drawn(25, 5, 2)
    first, again, swapped = (tell_selections_apart(*pair, words=WORDS, word_vectors=VECTORS) for pair in
                             ((a, b), (a, b), (b, a)))
    assert first.words == again.words
    np.testing.assert_allclose(first.direction, -swapped.direction)
    assert [w[0] for w in first.words[0]] == [w[0] for w in swapped.words[1]]


def test_errors_say_what_is_wrong():
    a = drawn(5, None, 1)
    with pytest.raises(ShapeError, match="at least 2 points of a selection; got 1"):
        tell_selections_apart(a[:1], a)
    with pytest.raises(ShapeError, match=r"selections with different means; got the same mean\. Choose other points"):
        tell_selections_apart(a, a)
    with pytest.raises(ShapeError, match="two selections of one model; got 24 and 3 dimensions"):
        tell_selections_apart(a, np.eye(3))
    with pytest.raises(ShapeError, match="2 word vectors, one for each word; got 0"):
        tell_selections_apart(a, drawn(5, 3, 2), words=("a", "b"))
