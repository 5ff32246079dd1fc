"""Which items a planted fault touched, and how the tables of a dataset say so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.errors import ShapeError

NAMED = {"wrong labels": "wrong label", "wrong captions": "wrong caption", "wrong attributes": "wrong attribute",
         "duplicates": "duplicate", "near duplicates": "near duplicate", "harsh duplicates": "harsh duplicate",
         "leaks": "leak"}

def chosen(n: int, share: float, seed: int) -> np.ndarray:
    """A share of n rows at random."""
    if not 0 <= share <= 1:
        raise ShapeError("a share in [0, 1]", str(share))
    return np.random.default_rng(seed).permutation(n)[: round(share * n)]


def column(table: pd.DataFrame, name: str) -> np.ndarray:
    """A column as it is, (n,) of objects that may be written to; empty strings where there is none."""
    if name not in table:
        return np.full(len(table), "", dtype=object)
    values = table[name].to_numpy(object).copy()
    values[pd.isna(values)] = ""
    return values


def flagged(table: pd.DataFrame, fault: str, rows: np.ndarray, **columns: Sequence[str]) -> pd.DataFrame:
    """The table with a fault named at some rows, and what else is said of these in columns of their own."""
    name, named = NAMED.get(fault, fault), column(table, "fault")
    named[rows] = [f"{earlier}, {name}" if earlier else name for earlier in named[rows]]
    table = table.assign(fault=named)
    for title, values in columns.items():
        said = column(table, title)
        said[rows] = values
        table = table.assign(**{title: said})
    return table


def has_fault(table: pd.DataFrame, fault: str) -> np.ndarray:
    """(n,) bool, which rows of a table of images or texts have a fault.

    Parameters
    ----------
    table : of a dataset into which faults were planted, or of any other.
    fault : as `plant` takes it.
    """
    name = NAMED.get(fault, fault)
    return np.array([name in str(said).split(", ") for said in column(table, "fault")], dtype=bool)
