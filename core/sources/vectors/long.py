"""Long texts of vectors, read a piece at a time: no more than a few rows of text lie beside the numbers."""

from __future__ import annotations

import io
import re
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from core.sources.vectors.blocks import Loaded
from core.sources.vectors.separated import HEAD, Layout, as_loaded, kinds_of, layout_of, worth_reading

LONG_BYTES = 8 * 1024**2
_HEAD_BYTES = 1024**2
_NUMBERS_AT_ONCE = 500_000


def read_long(data: bytes | Path, name: str) -> Loaded | None:
    """The vectors of a long plain text of rows of numbers, as `read_text` reads them, in float32.

    None where it has to be read as a whole: where it is not ASCII, holds no such rows, or anything in it is odd.
    """
    with io.BytesIO(data) if isinstance(data, bytes) else open(data, "rb") as file:
        head = file.read(_HEAD_BYTES)
        head = head[:head.rfind(b"\n") + 1]
        if not head.isascii() or b"\0" in head:
            return None
        text = head.decode("ascii")
        lines = worth_reading(text) if text.strip() else []
        if not lines or any(re.search(r"\[\s*[-+.\d]", line) for line in lines[:2]):
            return None
        layout = layout_of(lines[:HEAD])
        if layout is None or len(lines) <= layout.skip:
            return None
        at = 0
        for line in lines[:layout.skip + 1]:
            at = text.index(line, at) + len(line)
        begin = at - len(lines[layout.skip])
        file.seek(begin)
        most = 1 + sum(piece.count(b"\n") for piece in iter(partial(file.read, _HEAD_BYTES), b""))
        file.seek(begin)
        try:
            read = _pieces(file, layout, most)
        except ValueError:
            return None
    return None if read is None else as_loaded(*read, layout, name, Loaded())


def _pieces(file: IO[bytes], layout: Layout, most: int) -> tuple[np.ndarray, pd.DataFrame] | None:
    """The numbers of at most so many rows, (n, d) float32, and what else stands in each; None where float32 is too
    small for them."""
    numbers, rest = list(layout.numbers), [n for n in layout.names if n not in layout.numbers]
    matrix, at = np.empty((most, len(numbers)), dtype=np.float32), 0
    tables: list[pd.DataFrame] = []
    smallest, largest = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
    with pd.read_csv(file, chunksize=max(1, _NUMBERS_AT_ONCE // len(layout.names)), encoding="ascii",
                     **kinds_of(layout)) as reader:
        for piece in reader:
            wide = piece[numbers].to_numpy(np.float64)
            size = np.abs(wide)
            odd = (size > largest) | ((size < smallest) & (size > 0))
            if at + len(wide) > most or np.isnan(wide).all(axis=1).any() or odd.any():
                return None
            matrix[at:at + len(wide)] = wide
            at += len(wide)
            tables.append(piece[rest])
    return matrix[:at], pd.concat(tables, ignore_index=True)
