"""Tables of separated values: which sign separates, whether the first row is a title, and what a lone quote means."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.settings import MB, OWN_MACHINE
from core.sources.tables.cells import is_image_name
from core.sources.tables.columns import is_header, role_of
from core.sources.text import lines
from core.types import Refusal

MARKS = (",", ";", "\t", "|")
_SAMPLE = 200
_LOOKED_AT = 200_000
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
csv.field_size_limit(OWN_MACHINE.field_mb * MB)   # of the process, once; what a file holds never changes it


def delimiter_of(text: str, tabs_first: bool = False) -> tuple[str, int]:
    """The separator under which most rows have the same number of fields, and that number."""
    sample = _head(text)
    best, best_score = (",", 1), (0.0, 0)
    for mark in ("\t", *(m for m in MARKS if m != "\t")) if tabs_first else MARKS:
        rows = [row for row in _rows(sample, mark) if row]
        width, count = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        score = (round(count / max(1, len(rows)), 1), width)
        if width > 1 and (score > best_score or (tabs_first and mark == "\t")):
            best, best_score = (mark, width), (2.0 if tabs_first and mark == "\t" else score[0], width)
    return (" ", 2) if best[1] == 1 and _by_spaces(sample) else best


def looks_separated(text: str) -> bool:
    """Whether lines of text are rows, not captions with commas of their own: under one separator, with known titles
    above (any, where tabs part them) or names of images in front."""
    text, said = _without_sep_line(text)
    mark, width = (said, 2) if said else delimiter_of(text)
    rows = [row for row in _rows(_head(text), mark) if row][:_SAMPLE]
    titled = width > 1 and bool(rows) and any(role_of(cell) is not None for cell in rows[0])
    return titled or (mark == "\t" and width > 1 and is_header(rows[0], rows[1:])) or _begins_with_images(rows)


def read_separated(text: str, tabs_first: bool = False) -> tuple[pd.DataFrame, list[Refusal]]:
    """Text of separated values as a table of strings (NaN where empty), and the rows with too many fields."""
    if not text.strip():
        return pd.DataFrame(), []
    text, said = _without_sep_line(text)
    mark, width = (said, 0) if said else delimiter_of(text, tabs_first)
    quoting = csv.QUOTE_MINIMAL if _quotes_close(text, mark) else csv.QUOTE_NONE
    rows = [row for row in _rows(_head(text), mark, quoting) if row][:_SAMPLE]
    first = rows[0] if rows else []
    header = is_header(first, rows[1:]) if len(first) > 1 else _titled(text)
    names = None if header else [f"column_{i + 1}" for i in range(max(width, len(first)))]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(io.StringIO(text), sep=mark, dtype=str, keep_default_na=False, na_values=[""],
                                header=None, names=list(range(len(first))) if header else names,
                                skip_blank_lines=True, skipinitialspace=mark != "\t", index_col=False,
                                on_bad_lines="error", quoting=quoting)  # type: ignore[call-overload]
        if header:
            frame = frame.iloc[1:].set_axis(pd.Index(first), axis=1)
        return _without_index(_unquoted(frame) if quoting == csv.QUOTE_NONE else frame), []
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        pass
    frame, refused = _read_uneven(text, mark, quoting, first if header else names or [])
    return _unquoted(frame) if quoting == csv.QUOTE_NONE else frame, refused


def _unquoted(frame: pd.DataFrame) -> pd.DataFrame:
    """Where quotes are letters: without those that surround a whole cell."""
    def plain(cell: object) -> object:
        found = isinstance(cell, str) and _QUOTED.fullmatch(cell)
        return found[1].replace('""', '"') if found else cell

    return frame.map(plain)


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the first column where it has no title and only counts the rows, as data frames write theirs."""
    if frame.shape[1] < 2 or str(frame.columns[0]).strip() or not len(frame):
        return frame
    counted = frame.iloc[:, 0].tolist() == [str(i) for i in range(len(frame))]
    return frame.iloc[:, 1:] if counted else frame


def _head(text: str) -> str:
    """The first lines, whole."""
    cut = text[:_LOOKED_AT]
    kept = lines(cut) if len(cut) == len(text) else lines(cut)[:-1] or [cut]
    return "\n".join(kept[:_SAMPLE])


def _rows(text: str, mark: str, quoting: int = csv.QUOTE_MINIMAL) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, quoting=quoting,  # type: ignore[arg-type]
                           skipinitialspace=mark != "\t"))


def _without_sep_line(text: str) -> tuple[str, str]:
    """The text without a first line "sep=;", as Excel writes it, and the separator that it names."""
    found = re.match(r"\s*\"?sep=(.)\"?[ \t]*(\r\n|\r|\n)", text)
    return (text[found.end():], found[1]) if found else (text, "")


def _by_spaces(sample: str) -> bool:
    """Whether single spaces separate: every row has the same few fields, and the first is an image's name."""
    rows = [row for row in _rows(sample, " ") if row]
    return len(rows) > 1 and {len(row) for row in rows} == {2} and _begins_with_images(rows[1:])


def _begins_with_images(rows: Sequence[Sequence[str]]) -> bool:
    return bool(rows) and all(len(row) > 1 and is_image_name(row[0]) for row in rows)


def _quotes_close(text: str, mark: str) -> bool:
    """Whether quotes in a table surround cells, some over several lines; not where one stands alone for itself."""
    if '"' not in text or not any(line.count('"') % 2 for line in lines(text)):
        return True
    if mark == "\t" and len({line.count(mark) for line in lines(text) if line.strip()}) == 1:
        return False    # each line is a row already
    widths = set()
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True,
                              skipinitialspace=mark != "\t"):
            if row:
                widths.add(len(row))
    except csv.Error:
        return False
    return mark != "\t" or len(widths) == 1


def _titled(text: str) -> bool:
    """Whether the first line of a single column is its title."""
    found = [line.strip() for line in lines(text[:_LOOKED_AT])[:_SAMPLE] if line.strip()]
    wordy = sum(" " in line for line in found[1:]) > (len(found) - 1) / 2
    return len(found) > 1 and (role_of(found[0]) is not None or (wordy and is_header(found[:1])))


def _read_uneven(text: str, mark: str, quoting: int, names: Sequence[str]) -> tuple[pd.DataFrame, list[Refusal]]:
    """Row by row: where a caption stands last and has separators of its own, they are part of it."""
    names = [name.strip() or f"column_{i + 1}" for i, name in enumerate(names)]
    last_is_caption = role_of(names[-1]) == "caption"
    rows: list[list[str | float]] = []
    refused: list[Refusal] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, quoting=quoting)  # type: ignore[arg-type]
    for row in reader:
        if not row or (not rows and not refused and [cell.strip() for cell in row] == names):
            continue
        while len(row) > len(names) and not row[-1].strip():
            row.pop()
        if len(row) > len(names) and last_is_caption:
            row = [*row[:len(names) - 1], mark.join(row[len(names) - 1:])]
        if len(row) > len(names):
            refused.append(Refusal(f"line {reader.line_num}", f"it has {len(row)} fields; the header has {len(names)}"))
        else:
            filled: list[str | float] = [cell.strip() or np.nan for cell in row]
            rows.append(filled + [np.nan] * (len(names) - len(row)))
    return pd.DataFrame(rows, columns=pd.Index(names)), refused
