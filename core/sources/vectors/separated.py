"""Vectors in text: numbers in columns, with any separator, a decimal point or comma, with a header or without."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from core.sources.tables.columns import numbers_where_possible
from core.sources.tables.reading import titles
from core.sources.tables.separated import read_separated
from core.sources.text import lines as split_lines
from core.sources.vectors.blocks import Block, Loaded, listed, rectangle
from core.types import Refusal

LEAST_COLUMNS = 4
HEAD = 100
_MISSING = ("", "nan", "NaN", "null", "None", "NA")
_SPACES = r"\s+"


@dataclass(frozen=True)
class Layout:
    """How the numbers of a text lie.

    Attributes
    ----------
    mark : the separator; `_SPACES` for any run of spaces.
    decimal : "." or ",".
    names : of the columns, as the header has them or made up.
    skip : lines before the first row, the header among them.
    numbers : names of the columns of the vector, in their order.
    index : the column of row numbers, where there is one.
    """

    mark: str
    decimal: str
    names: tuple[str, ...]
    skip: int
    numbers: tuple[str, ...]
    index: str | None = None


def read_text(text: str, name: str) -> Loaded:
    """The vectors of a text, or its table where it has none; raises ValueError where it cannot be read."""
    lines = worth_reading(text)
    in_lists = any(re.search(r"\[\s*[-+.\d]", line) for line in lines[:2])
    layout = None if in_lists else layout_of(lines[:HEAD])
    if layout is not None:
        return _numbers(lines, layout, name)
    tabs = name.lower().endswith((".tsv", ".tab"))
    if not any(mark in line for line in lines[:HEAD] for mark in ",;\t|") and not lines[0].startswith("["):
        return Loaded(tables=[(name, pd.DataFrame({"name": [line.strip() for line in lines]}))])
    frame, refused = read_separated(text, tabs)
    frame.columns = pd.Index(titles(list(frame.columns)))
    out = Loaded(refused=[Refusal(f"{name}, {r.name}", r.reason) for r in refused])
    first = {str(c): next((str(v).strip() for v in cells if v == v), "") for c, cells in frame.items()}
    packed = [c for c, cell in first.items() if cell.startswith("[") and listed(cell)]
    rest = _told(frame.drop(columns=packed))
    for column in packed:
        matrix = rectangle([listed(v) for v in frame[column]])
        if matrix is not None:
            out.blocks.append(Block(matrix, None, rest, name, column))
    if not out.blocks:
        out.tables.append((name, frame))
    return out


def layout_of(lines: Sequence[str]) -> Layout | None:
    """The layout under which the most columns and cells hold numbers; None where there are too few for vectors.

    A first row of 0, 1, 2, ... is a header, as a data frame writes it; a first column of 0, 1, 2, ... before decimal
    numbers is its index. A first line of two whole numbers is word2vec's count.
    """
    best, best_score = None, 0.0
    for mark, decimal in ((",", "."), ("\t", "."), (";", "."), ("|", "."), (";", ","), ("\t", ","), ("|", ","),
                          (_SPACES, "."), (_SPACES, ",")):
        if mark == _SPACES and best is not None and best.mark == "\t":
            break       # spaces between tabs are letters
        found = _try(lines, mark, decimal)
        if found is not None and found[1] > best_score * 1.001:
            best, best_score = found
    return best


def _try(lines: Sequence[str], mark: str, decimal: str) -> tuple[Layout, float] | None:
    rows = [split(line, mark) for line in lines]
    skip = 0
    if len(rows) > 1 and len(rows[0]) == 2 and len(rows[1]) > 3 and all(cell.isdecimal() for cell in rows[0]):
        rows, skip = rows[1:], 1
    body = rows[1:] or rows
    width = Counter(map(len, body)).most_common(1)[0][0] if body else 0
    if width < 2:
        return None
    body = [row for row in body if len(row) == width]
    shares = [_share(column, decimal) for column in zip(*body)]
    numeric = [share > 0.5 for share in shares]
    whole = body + [row for row in rows[:1] if len(row) == width and any(_is_number(c, decimal) for c in row[2:])]
    for at in (0, 1) if _counts([row[0] for row in body]) else (0,):    # some names are numbers by chance: 007, 1e3
        numeric[at] &= _share([row[at] for row in whole], decimal) > 0.9
    if len(rows[0]) == width - 1 and len(rows) > 1 and not numeric[0]:
        rows[0] = ["", *rows[0]]
    header = len(rows[0]) == width and len(rows) > 1 and _is_header(rows[0], numeric, decimal)
    names = _names(rows[0]) if header else tuple(f"column_{i + 1}" for i in range(width))
    index = _index(body, names, numeric, header)
    wanted = [n for n, number in zip(names, numeric) if number and n != index]
    numbers = vector_columns(wanted) if header else wanted
    if len(numbers) < (LEAST_COLUMNS if header or len(wanted) < width else 2):
        return None
    layout = Layout(mark, decimal, names, skip + header, tuple(numbers), index)
    read = float(np.mean([share for share in shares if share > 0.5]))
    return layout, len(numbers) * read * sum(len(row) == width for row in rows) / len(rows)


def _is_header(row: Sequence[str], numeric: Sequence[bool], decimal: str) -> bool:
    """Words where the rows have numbers, or the numbers that a data frame gives its columns."""
    over = [cell.strip() for cell, number in zip(row, numeric) if number]
    filled = [cell for cell in over if cell not in _MISSING]
    if filled and not any(_is_number(cell, decimal) for cell in filled):
        return True
    for begin in (over, over[1:]):
        if len(begin) >= LEAST_COLUMNS and begin in ([str(i) for i in range(len(begin))],
                                                     [str(i + 1) for i in range(len(begin))]):
            return begin is over or over[0] in _MISSING or not numeric[0]
    return False


def _index(body: Sequence[Sequence[str]], names: Sequence[str], numeric: Sequence[bool], header: bool) -> str | None:
    """The first column where it numbers the rows before columns of decimal numbers."""
    counted = _counts([row[0] for row in body])
    decimals = any(not cell.strip().lstrip("+-").isdecimal() for row in body for cell in row[1:])
    titled = not header or names[0].startswith("column_") or names[0].lower() in ("index", "unnamed: 0")
    return names[0] if numeric[0] and counted and decimals and titled else None


def _counts(cells: Sequence[str]) -> bool:
    """Whether cells are whole numbers, each one more than the last."""
    said = [cell.strip() for cell in cells]
    return len(said) >= 3 and all(cell.isdecimal() for cell in said) and all(
        int(b) == int(a) + 1 for a, b in pairwise(said))


def _names(row: Sequence[str]) -> tuple[str, ...]:
    out: list[str] = []
    for i, cell in enumerate(row):
        title = cell.strip() or f"column_{i + 1}"
        out.append(title if title not in out else f"{title}#{i + 1}")
    return tuple(out)


def _numbers(lines: Sequence[str], layout: Layout, name: str) -> Loaded:
    out = Loaded()
    frame = _parsed(lines, layout, name, out)
    return as_loaded(frame[list(layout.numbers)].to_numpy(np.float64),
                     frame[[n for n in layout.names if n not in layout.numbers]], layout, name, out)


def as_loaded(numbers: np.ndarray, table: pd.DataFrame, layout: Layout, name: str, out: Loaded) -> Loaded:
    """Rows of numbers and what else stands in their rows, as they were read by a layout, added to ``out``."""
    rest = list(table.columns)
    if layout.index is not None:
        out.notices.append(f"The first column of {name} numbers the rows; it is taken for their index, not for a "
                           f"dimension.")
    table = table.rename(columns={layout.index: "index"} if layout.index else {})
    if len(rest) == 1 and rest[0] in ("column_1", "index", "Unnamed: 0") and layout.index is None:
        table.columns = pd.Index(["name"])
    out.blocks.append(Block(numbers, None, _told(table), name))
    return out


def _parsed(lines: Sequence[str], layout: Layout, name: str, out: Loaded) -> pd.DataFrame:
    """The whole table, vectors as numbers and the rest as text; lines of another width are refused."""
    body = lines[layout.skip:]
    try:
        return pd.read_csv(io.StringIO("\n".join(body)), **kinds_of(layout))
    except ValueError:
        pass
    rows, width = [], len(layout.names)
    for number, line in enumerate(body, layout.skip + 1):
        row = split(line, layout.mark)
        if len(row) == width:
            rows.append(row)
        else:
            out.refused.append(Refusal(f"{name}, line {number}", f"it has {len(row)} fields; the others have {width}"))
    frame = pd.DataFrame(rows, columns=pd.Index(layout.names), dtype=object)
    for column in layout.numbers:
        cells = frame[column].str.replace(",", ".", regex=False) if layout.decimal == "," else frame[column]
        frame[column] = pd.to_numeric(cells, errors="coerce")
    return frame.replace("", np.nan)


def kinds_of(layout: Layout) -> dict[str, Any]:
    """How pandas has to read rows of a layout."""
    quoted, numbers = layout.mark not in ("\t", _SPACES), set(layout.numbers)
    return {"sep": layout.mark, "decimal": layout.decimal, "header": None, "names": list(layout.names),
            "dtype": {n: np.float64 if n in numbers else str for n in layout.names}, "keep_default_na": False,
            "na_values": {n: list(_MISSING) if n in numbers else [""] for n in layout.names},
            "skipinitialspace": layout.mark != "\t", "index_col": False, "skip_blank_lines": True,
            "quoting": csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, "on_bad_lines": "error",
            "encoding_errors": "strict", "low_memory": False}


def _told(table: pd.DataFrame) -> pd.DataFrame:
    """What else is known of the rows; numbers as numbers, whole ones whole."""
    return pd.DataFrame({c: numbers_where_possible(table[c]) for c in table.columns}, index=table.index)


def split(line: str, mark: str) -> list[str]:
    """The fields of one line."""
    if mark == _SPACES:
        return line.split()
    if mark == "\t":
        return line.split("\t")
    return next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])


def vector_columns(names: Sequence[str]) -> list[str]:
    """Numbered columns of one stem (0, 1, ...; dim_0, dim_1, ...), in their order; [] where there are too few."""
    stems: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        found = re.fullmatch(r"(.*?)(\d+)\]?", name.strip())
        if found and len(found[2]) < 9:
            stems.setdefault(found[1], []).append((int(found[2]), name))
    best = max(stems.values(), key=len, default=[])
    return [name for _, name in sorted(best)] if len(best) >= LEAST_COLUMNS else []


def worth_reading(text: str) -> list[str]:
    """The lines that hold something, without a line that names the separator and without comments before numbers."""
    lines = [line.rstrip("\r") for line in split_lines(text)]
    lines = [line for line in lines if line.strip()]
    if lines and re.fullmatch(r"sep=.", lines[0].strip()):
        lines = lines[1:]
    while len(lines) > 1 and lines[0].startswith("#"):
        lines = lines[1:]
    if not lines:
        raise ValueError("it is empty")
    return lines


def _share(cells: Sequence[str], decimal: str) -> float:
    filled = [cell for cell in cells if cell.strip() not in _MISSING]
    return sum(_is_number(cell, decimal) for cell in filled) / len(filled) if filled else 0.0


def _is_number(cell: str, decimal: str) -> bool:
    said = cell.strip()
    if decimal == ",":
        if "." in said:
            return False
        said = said.replace(",", ".")
    try:
        float(said)
    except ValueError:
        return False
    return "_" not in said
