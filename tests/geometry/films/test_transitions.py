"""Moves between islands: counted without standing still, and their order told from shots in any order."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.differences import Verdict
from core.geometry.films.islands import islands
from core.geometry.films.transitions import RATES, Transitions, entropy_rate, transitions
from tests.geometry.films.made_places import walk


def of(places: list[int]) -> Transitions:
    path, _ = walk(places, 3, step=0.001)
    return transitions(islands(path, np.arange(0, len(path), 3)), draws=499)


def test_moves_are_counted_without_standing_still():
    found = of([0, 1, 1, 2, 0, 1])
    np.testing.assert_array_equal(found.counts, [[0, 2, 0], [0, 0, 1], [1, 0, 0]])
    assert found.shots == 6
    assert found.tests["entropy_rate"].value.value == 0, "always on to the same"
    assert found.tests["revisits"].value.value == pytest.approx(2 / 5)
    assert found.tests["there_and_back"].value.value == 0


def test_entropy_rate_is_that_of_the_formula():
    visited = np.array([0, 1, 0, 2, 0, 1, 2])
    half = -(2 / 3 * np.log2(2 / 3) + 1 / 3 * np.log2(1 / 3))
    assert entropy_rate(visited, 3) == pytest.approx(3 / 6 * half + 2 / 6 * 1 + 1 / 6 * 0)
    assert np.isnan(entropy_rate(np.array([0]), 1))


def test_an_order_is_told_from_any_order_and_any_order_is_not():
    ordered = of([0, 1, 2, 3] * 6)
    assert ordered.tests["entropy_rate"].difference.verdict is Verdict.LOWER
    assert ordered.tests["there_and_back"].difference.verdict is Verdict.LOWER
    assert "more predictable than whole shots shuffled" in ordered.tests["entropy_rate"].words
    ps = [of(np.random.default_rng(seed).integers(0, 4, 24).tolist()).tests["entropy_rate"].p for seed in range(12)]
    assert min(ps) > 0.001 and np.mean([p > 0.05 for p in ps]) > 0.8, "shots in random order are not told apart"


@pytest.mark.parametrize(("places", "why"), [([0, 1, 0, 1], "4 of the 5 shots"), ([0] * 6, "one island")])
def test_what_is_too_little_is_said(places, why):
    found = of(places)
    assert all(found.tests[key].p is None and why in found.tests[key].words for key in RATES)


def test_too_few_draws_are_refused():
    path, _ = walk([0, 1])
    with pytest.raises(ShapeError, match="at least 499 draws"):
        transitions(islands(path, np.array([0, 8])), draws=99)
