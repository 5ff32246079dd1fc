"""What a file of vectors holds, as it is read: blocks of rows, tables beside them, and what is no use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.types import Modality, Refusal


@dataclass
class Block:
    """Rows of one array of one file.

    Attributes
    ----------
    vectors : (n, d), any kind of number.
    modality : what its file or its place says; None where its name has to.
    table : what is known of each row.
    origin : name of the file.
    key : name of the array or column; "" where the file is one array.
    """

    vectors: np.ndarray
    modality: Modality | None
    table: pd.DataFrame
    origin: str
    key: str = ""

    @property
    def name(self) -> str:
        """What a user calls it; no other block of the same files is called so."""
        return f"{self.origin}: {self.key}" if self.key else self.origin


@dataclass
class Loaded:
    """What files hold: blocks of vectors, tables or names without any, and what was refused or left out."""

    blocks: list[Block] = field(default_factory=list)
    tables: list[tuple[str, pd.DataFrame]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    left_out: list[Refusal] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def add(self, other: Loaded) -> None:
        """All that the other holds as well."""
        self.blocks += other.blocks
        self.tables += other.tables
        self.refused += other.refused
        self.left_out += other.left_out
        self.notices += other.notices


def rectangle(rows: Sequence[Any]) -> np.ndarray | None:
    """Rows of numbers of one length as a matrix; missing ones and those of another length become NaN.

    None where no row holds a number.
    """
    lengths = [-1 if row is None else len(row) for row in rows]
    known = [n for n in lengths if n > 0]
    if not known:
        return None
    width = max(set(known), key=known.count)
    if lengths.count(width) == len(lengths):
        return np.stack([np.asarray(row) for row in rows])
    blank = np.full(width, np.nan, dtype=np.float32)
    return np.stack([np.asarray(row) if n == width else blank for row, n in zip(rows, lengths)])


def listed(cell: Any) -> list[float] | None:
    """Numbers written as a list, "[0.1, 0.2]" or numpy's "[0.1 0.2]"; None where it is none."""
    try:
        return [float(part) for part in str(cell).strip().strip("[]").replace(",", " ").split()] or None
    except ValueError:
        return None
