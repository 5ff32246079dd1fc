"""How much of what was planted a finding got: counted by hand on vectors that are known, and on real ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.quality.copies import leaks, near_copies
from core.geometry.quality.finding import Finding
from core.language.quality.planted import caught, copy_groups, in_two_splits, was_planted

IDS = ("a", "b", "c", "d", "e", "f")


def test_what_is_flagged_is_compared_with_what_was_planted() -> None:
    table = pd.DataFrame({"fault": ["blur", "", "dark, blur", "", "blurred", "dark"]})
    finding = Finding("blur", "image", np.array([5, 4, 1, 0, 0, 0], np.float32), "high", 3, "px")
    got = caught(finding, table, IDS)
    assert (got.found, got.planted, got.flagged) == (1, 2, 2) and got.by_fault == {"blur": (1, 2)}
    assert got.recall is not None and got.recall.value == 0.5 and got.recall.null == pytest.approx(2 / 6)
    assert got.precision is not None and got.precision.value == 0.5 and got.precision.null == pytest.approx(2 / 6)
    wider = caught(finding, table, IDS, 1.0)
    assert (wider.found, wider.flagged) == (2, 3)
    none = caught(finding, table.assign(fault=""), IDS, 9.0)
    assert none.recall is None and none.precision is None and none.by_fault == {}
    assert was_planted(table) and not was_planted(table.drop(columns="fault"))


def test_of_copies_all_but_one_count_and_of_leaks_both_sides() -> None:
    rng = np.random.default_rng(0)
    x = unit(rng.normal(size=(4, 40)).astype(np.float32))
    x = unit(np.concatenate([x, x[:1], x[:1] + 0.01]).astype(np.float32))
    table = pd.DataFrame({"fault": ["", "", "", "", "duplicate", "near duplicate, leak"],
                          "copy_of": ["", "", "", "", "a", "a"],
                          "split": ["train", "train", "test", "train", "train", "test"]})
    assert copy_groups(table, IDS).tolist() == ["a", "b", "c", "d", "a", "a"]
    assert in_two_splits(table, IDS).tolist() == [True, False, False, False, True, True]
    copies = near_copies(x)
    got = caught(copies, table, IDS, 0.9)
    assert (got.found, got.planted, got.flagged) == (2, 2, 2)
    assert got.by_fault == {"duplicates": (1, 1), "near duplicates": (1, 1), "leaks": (1, 1)}
    leaky = caught(leaks(copies, table["split"].tolist()), table, IDS, 0.9)
    assert (leaky.found, leaky.planted) == (3, 3)


def test_other_rows_and_other_findings_are_refused() -> None:
    finding = Finding("blur", "image", np.zeros(6, np.float32), "high", 3, "px")
    with pytest.raises(ShapeError, match="5 rows"):
        caught(finding, pd.DataFrame({"fault": [""] * 5}), IDS)
    with pytest.raises(ShapeError, match="the finding long"):
        caught(Finding("long", "text", np.zeros(6, np.float32), "high", 3, "words"), pd.DataFrame(index=range(6)), IDS)
