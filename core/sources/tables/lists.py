"""Lists of classes or words: one a line of text, a column of a table, or a list as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.errors import SourceError
from core.sources.gate import check_text
from core.sources.images.formats import kind_of
from core.sources.tables.reading import LINES, read_table
from core.sources.text import decode, lines
from core.types import Refusal

ENDINGS = (".txt", ".csv", ".tsv", ".json", ".jsonl")
_NAMED = ("label", "labels", "class", "classes", "name", "names", "classname", "category", "word", "words", "caption",
          "captions", "text")
_CALLED = ("called", "prompt", "phrase", "description", "how it is called")


@dataclass(frozen=True)
class Listed:
    """A list as it was read.

    Attributes
    ----------
    rows : one an entry, without empty ones; "label = how it is called" where a table has a column for either.
    refused : rows that could not be read.
    notices : what had to be guessed.
    """

    rows: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()


def read_list(data: bytes, name: str) -> Listed:
    """A list from a file: txt has an entry a line, of a table a column is taken, of JSON its strings.

    Of several columns that one is taken that is called label, class, name, category, word, caption or text, else the
    first; and beside it a column that is called called, prompt, phrase or description.

    Parameters
    ----------
    data, name
        The file and what it is called; the name's ending says what it is.

    Raises
    ------
    SourceError
        If it is no list of a known format, or empty.
    """
    if Path(name).suffix.lower() in LINES:
        if kind := kind_of(data):
            raise SourceError(f"a list as text in {name}", f"what begins like {kind}", "Save it as text or CSV.")
        check_text(data, name)
        read = decode(data)
        if "\0" in read.text:
            raise SourceError(f"a list as text in {name}", "a zero byte, which no text has", "Save it as text or CSV.")
        notice = read.notice(name)
        rows = tuple(filter(None, (" ".join(line.split()) for line in lines(read.text))))
        found = Listed(rows, (), (notice,) if notice else ())
    else:
        table = read_table(data, name)
        found = Listed(_rows(table.frame), table.refused, table.notices)
    if not found.rows:
        raise SourceError(f"a list with an entry a line in {name}", "an empty one", "Check the file.")
    return found


def _rows(frame: pd.DataFrame) -> tuple[str, ...]:
    lowered = {str(column).strip().lower(): column for column in frame.columns}
    named = next((lowered[name] for name in _NAMED if name in lowered), frame.columns[0])
    called = next((lowered[name] for name in _CALLED if name in lowered and lowered[name] != named), None)
    entries = _said(frame[named])
    if called is not None:
        return tuple(f"{entry} = {said}" if said else entry for entry, said in zip(entries, _said(frame[called]))
                     if entry)
    if named == "column_1" and entries and entries[0].lower() in _NAMED:
        entries = entries[1:]      # a title over a single column, which nothing else tells from an entry
    return tuple(filter(None, entries))


def _said(cells: pd.Series) -> list[str]:
    return [" ".join(str(cell[-1] if isinstance(cell, list) and cell else cell).split()) if cell is not None
            and cell == cell else "" for cell in cells]
