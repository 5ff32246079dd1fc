"""What tells two groups apart, against counts by hand."""

from __future__ import annotations

import math

import numpy as np

from core.language.difference import tell_apart


def groups(a, b):
    """Two groups of items that share none, as `tell_apart` takes them."""
    return [*a, *b], range(len(a)), range(len(a), len(a) + len(b))


def test_shares_and_z_are_those_of_the_textbook():
    a = [{"red", "cube"}] * 8 + [{"cube"}] * 2
    b = [{"red", "ball"}] * 1 + [{"ball"}] * 4
    found = tell_apart(*groups(a, b)).set_index("feature")
    assert found.index[0] in ("cube", "ball")
    assert found.loc["red", "share_a"] == 0.8
    assert found.loc["red", "share_b"] == 0.2
    pooled = 9 / 15
    assert math.isclose(found.loc["red", "z"], 0.6 / math.sqrt(pooled * (1 - pooled) * (1 / 10 + 1 / 5)))
    assert found.loc["cube", "z"] == -found.loc["ball", "z"]


def test_what_is_alike_or_rare_is_left_out():
    a, b = [{"x", "y", "once"}, {"x"}], [{"x", "y"}, {"x"}]
    assert tell_apart(*groups(a, b)).empty


def test_a_repeated_word_counts_once_an_item():
    found = tell_apart(*groups([["red", "red", "red"], ["blue"]], [["green"], ["red"], ["red"]])).set_index("feature")
    assert found.loc["red", "share_a"] == 0.5


def test_an_empty_group_tells_nothing():
    assert tell_apart([{"x"}, {"x"}], [], [0, 1]).empty


def test_z_is_that_of_chance_also_where_groups_share_items():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        items = [{"it"} if has else set() for has in rng.random(80) < 0.4]
        a = rng.permutation(80)[:60]
        found += tell_apart(items, a, np.append(a[:45], np.setdiff1d(np.arange(80), a)))["z"].tolist()
    assert abs(np.mean(found)) < 0.15
    assert 0.9 < np.std(found) < 1.1
