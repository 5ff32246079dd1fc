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


def two(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two selections that share no point, as `tell_selections_apart` takes them."""
    return np.concatenate([a, b]), np.arange(len(a)), len(a) + np.arange(len(b))


WORDS = tuple(f"word {i}" for i in range(D))
VECTORS = unit(AXES + 0.7)


def test_a_planted_difference_is_found_and_named():
    a, b = drawn(60, 3, 1), drawn(50, 5, 2)
    found = tell_selections_apart(*two(a, b), words=WORDS, word_vectors=VECTORS)
    assert found.p_value < 0.01
    assert found.distance.value > 3 * found.distance.null
    assert found.direction @ unit((AXES[3] - AXES[5])[None])[0] > 0.9
    first, second = found.words
    assert (first[0][0], second[0][0]) == ("word 3", "word 5")
    assert max(first[0][2], second[0][2]) < 0.03
    assert first[0][1] > 0 > second[0][1]
    along = a @ found.direction
    np.testing.assert_array_equal(found.examples[0], np.argsort(-along)[:8])
    np.testing.assert_array_equal(found.examples[1], len(a) + np.argsort(b @ found.direction)[:8])


def test_random_divisions_are_seldom_called_different():
    values, words = [], []
    for seed in range(40):
        x = drawn(60, None, 100 + seed)
        found = tell_selections_apart(x, range(30), range(30, 60), words=WORDS, word_vectors=VECTORS, seed=seed)
        values.append(found.p_value)
        words.append(min((w[2] for side in found.words for w in side), default=1))
    assert np.mean(np.array(values) < 0.05) <= 0.15
    assert np.mean(np.array(words) < 0.05) <= 0.15
    assert 0.3 < np.mean(values) < 0.7


@pytest.mark.parametrize(("size_a", "shared", "size_b"), [(30, 0, 30), (12, 12, 60), (40, 20, 40), (55, 50, 52)])
def test_p_is_uniform_under_the_null_also_for_nested_selections_and_those_that_share_points(size_a, shared, size_b):
    from scipy.stats import kstest

    values = []
    for seed in range(200):
        n = size_a + size_b - shared
        x = drawn(n, None, 1000 + seed)
        values.append(tell_selections_apart(x, np.arange(size_a), np.arange(size_a - shared, n), seed=seed).p_value)
    assert kstest(values, "uniform").pvalue > 0.01
    assert 0.4 < np.median(values) < 0.6


@pytest.mark.parametrize("captions", [(5,), (1, 2, 5)])
def test_p_is_uniform_for_captions_of_the_same_images(captions):
    """Captions of one image are alike; dealt one by one, selections of images would differ in nearly every set."""
    from scipy.stats import kstest

    values, one_by_one = [], []
    for seed in range(150):
        rng = np.random.default_rng(5000 + seed)
        image = np.repeat(np.arange(24), rng.choice(captions, 24))
        x = unit(drawn(24, None, seed)[image] + 0.05 * rng.normal(size=(len(image), D)))
        a, b = np.flatnonzero(image < 12), np.flatnonzero(image >= 12)
        values.append(tell_selections_apart(x, a, b, together=image, seed=seed).p_value)
        one_by_one.append(tell_selections_apart(x, a, b, seed=seed).p_value)
    assert kstest(values, "uniform").pvalue > 0.01
    assert np.mean(np.array(one_by_one) <= 0.05) > 0.5


def test_a_point_that_is_named_twice_or_shared_counts_once():
    x = drawn(30, None, 4)
    once = tell_selections_apart(x, range(20), range(10, 30))
    again = tell_selections_apart(x, [*range(20), 3, 3], [*range(10, 30), 11])
    assert once.distance == again.distance
    assert once.p_value == again.p_value
    assert once.distance.n == 30
    assert once.distance.value == pytest.approx(np.linalg.norm(x[:20].mean(axis=0) - x[10:].mean(axis=0)))


def test_it_repeats_itself_and_swaps_with_its_sides():
    a, b = drawn(20, 3, 1), drawn(25, 5, 2)
    first, again, swapped = (tell_selections_apart(*two(*pair), words=WORDS, word_vectors=VECTORS) for pair in
                             ((a, b), (a, b), (b, a)))
    assert first.words == again.words
    np.testing.assert_allclose(first.direction, -swapped.direction)
    assert [w[0] for w in first.words[0]] == [w[0] for w in swapped.words[1]]


def test_errors_say_what_is_wrong():
    a = drawn(5, None, 1)
    with pytest.raises(ShapeError, match="at least 2 points of a selection; got 1"):
        tell_selections_apart(a, [0, 0], [1, 2])
    with pytest.raises(ShapeError, match="points from 0 to 4; got 3 to 5"):
        tell_selections_apart(a, [0, 1], [3, 5])
    with pytest.raises(ShapeError, match=r"selections with different means; got the same mean\. Choose other points"):
        tell_selections_apart(a, [0, 1, 3], [3, 1, 0])
    with pytest.raises(ShapeError, match="2 word vectors, one for each word; got 0"):
        tell_selections_apart(*two(a, drawn(5, 3, 2)), words=("a", "b"))
