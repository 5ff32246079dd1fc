"""What is asked of all sets: the same, never trained on, and no copies of it either."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ShapeError
from core.learning.holding_out import hold_out


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=30), min_size=1, max_size=3),
       st.integers(1, 12), st.integers(0, 5), st.booleans())
def test_no_item_that_is_asked_nor_a_copy_of_it_is_trained_on(sets: list[list[str]], most: int, seed: int, split: bool):
    may = [np.random.default_rng(seed).random(len(names)) < 0.8 for names in sets]
    splits = [[("test", "train")[i % 2] for i in range(len(names))] if split else [] for names in sets]
    if not any(marks.any() for marks in may):
        with pytest.raises(ShapeError):
            hold_out(sets, may, splits, most=most, seed=seed)
        return
    ground = hold_out(sets, may, splits, most=most, seed=seed)
    asked = [names[row] for names, rows in zip(sets, ground.asked) for row in rows]
    assert 0 < len(ground) <= max(most, len(sets)) and len(set(asked)) == len(asked)
    for names, marks, rows, free, own in zip(sets, may, ground.asked, ground.free, splits):
        assert marks[rows].all()
        assert not {names[row] for row in np.flatnonzero(free)} & set(asked)
        assert not own or not free[[part == "test" for part in own]].any()
    again = hold_out(sets, may, splits, most=most, seed=seed)
    assert all((a == b).all() for a, b in zip(ground.asked, again.asked))


def test_a_split_decides_and_without_one_a_share_of_items_without_copies():
    names = [f"{i}" for i in range(100)]
    every = np.ones(100, bool)
    by_split = hold_out([names], [every], [["Test" if i < 30 else "train" for i in range(100)]])
    assert by_split.by_split and by_split.asked[0].tolist() == list(range(30)) and by_split.free[0].sum() == 70
    copied = [f"{i // 2}" if i < 60 else f"{i}" for i in range(100)]
    ground = hold_out([copied], [every])
    assert len(ground) == 20 and ground.asked[0].min() >= 60 and ground.free[0].sum() == 80
    two = hold_out([names, names], [every, every], most=30)
    assert [len(rows) for rows in two.asked] == [15, 15] and [free.sum() for free in two.free] == [70, 70]
