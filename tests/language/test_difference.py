"""What tells two groups apart, against counts by hand."""

from __future__ import annotations

import math

from core.language.difference import tell_apart


def test_shares_and_z_are_those_of_the_textbook():
    a = [{"red", "cube"}] * 8 + [{"cube"}] * 2
    b = [{"red", "ball"}] * 1 + [{"ball"}] * 4
    found = tell_apart(a, b).set_index("feature")
    assert found.index[0] in ("cube", "ball")
    assert found.loc["red", "share_a"] == 0.8
    assert found.loc["red", "share_b"] == 0.2
    pooled = 9 / 15
    assert math.isclose(found.loc["red", "z"], 0.6 / math.sqrt(pooled * (1 - pooled) * (1 / 10 + 1 / 5)))
    assert found.loc["cube", "z"] == -found.loc["ball", "z"]


def test_what_is_alike_or_rare_is_left_out():
    a, b = [{"x", "y", "once"}, {"x"}], [{"x", "y"}, {"x"}]
    assert tell_apart(a, b).empty


def test_a_repeated_word_counts_once_an_item():
    found = tell_apart([["red", "red", "red"], ["blue"]], [["green"], ["red"], ["red"]]).set_index("feature")
    assert found.loc["red", "share_a"] == 0.5


def test_an_empty_group_tells_nothing():
    assert tell_apart([], [{"x"}, {"x"}]).empty
