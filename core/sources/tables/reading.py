"""Tables as people keep them (CSV, TSV, JSON, JSON lines, Parquet, plain lines), and which column means what."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.errors import SourceError
from core.sources.archives import distinct
from core.sources.gate import check_text, checked_parquet
from core.sources.images.formats import kind_of
from core.sources.images.parquet import holds_bytes, holds_pictures
from core.sources.tables.columns import role_of
from core.sources.tables.jsons import read_json
from core.sources.tables.separated import looks_separated, read_separated
from core.sources.text import decode, lines, without_halves
from core.types import Refusal

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet as parquet

_TRIED = 20
PARQUET = (".parquet", ".pq")
LINES = (".txt", ".token")
JSON = (".json", ".jsonl", ".ndjson")
FIRST_ROWS = 200
ENDINGS = (".csv", ".tsv", ".tab", *LINES, *JSON, *PARQUET)


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was read.

    Attributes
    ----------
    frame : its rows, each column under a title of its own.
    refused : rows that could not be read.
    notices : what had to be guessed.
    pictures : columns of a Parquet file that hold pictures as bytes; their cells here are the pictures' names.
    """

    frame: pd.DataFrame
    refused: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()


def read_table(data: bytes | Path, name: str, encoding: str | None = None, *, guess: str | None = None) -> Table:
    """The whole table with text cells as they stand, and the rows that could not be read.

    Parameters
    ----------
    data, name
        The file, or where it lies, and what it is called; the name's ending says what it is.
    encoding, guess
        How its letters are written, for certain and where the file does not say; None leaves that to
        `core.sources.text.decode`.

    Raises
    ------
    SourceError
        If the file is no table of a known format, or empty.
    """
    ending = Path(name).suffix.lower()
    if isinstance(data, Path):
        data = data.read_bytes() if ending not in PARQUET else data
    refused: list[Refusal] = []
    said = ""
    pictures: list[str] = []
    try:
        if ending in PARQUET:
            frame, pictures = _read_parquet(data, name)
        elif ending in ENDINGS:
            assert isinstance(data, bytes)
            if kind := kind_of(data):
                raise SourceError(f"a table of text in {name}", f"what begins like {kind}",
                                  "Save it as CSV or Parquet.")
            check_text(data, name)
            decoded = decode(data, encoding, guess=guess)
            decoded = without_halves(decoded) if ending in JSON else decoded
            said = decoded.notice(name)
            frame, refused = _of_text(decoded.text, ending)
        else:
            raise SourceError(f"a table ({', '.join(ENDINGS)})", f"{name}, which ends in {ending or 'nothing'}",
                              "Save it in one of these formats.")
    except (OSError, ValueError, TypeError, KeyError, RecursionError, csv.Error) as error:
        raise SourceError(f"a table in {name}", f"a file that cannot be read as one ({plain_reason(error)})",
                          "Open it where it was made and save it again.") from error
    if frame.empty:
        raise SourceError(f"a table with rows in {name}", "an empty one", "Check the file.")
    named = titles(list(frame.columns))
    pictures = [name for name, column in zip(named, frame.columns) if column in pictures]
    frame.columns = pd.Index(named)
    return Table(frame.reset_index(drop=True), tuple(refused), (said,) if said else (), tuple(pictures))


def _of_text(text: str, ending: str) -> tuple[pd.DataFrame, list[Refusal]]:
    if ending in JSON:
        return read_json(text, by_lines=ending != ".json")
    if ending in LINES and not looks_separated(text):
        return pd.DataFrame({"caption": [line.strip() for line in lines(text) if line.strip()]}), []
    return read_separated(text, tabs_first=ending in (".tsv", ".tab", ".token"))


def plain_reason(error: Exception) -> str:
    """Why reading failed, in words of ours where a library's own would say nothing to a user."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, csv.Error):
        return "a cell of it is too long, or a quote in it is never closed"
    text = " ".join(str(error).split())[:200]
    return "its parts do not fit together" if "arrays must" in text or "scalar values" in text else text


def titles(found: list[object]) -> list[str]:
    """Titles of columns, each different: empty ones are numbered, repeated ones too, so that none is lost."""
    out: list[str] = []
    for i, title in enumerate(found):
        name = "" if title is None or title != title else str(title).strip()
        name = "" if name.startswith("Unnamed: ") else name
        name = name or f"column_{i + 1}"
        number = 2
        while name in out:
            name, number = f"{str(title).strip()} {number}", number + 1
        out.append(name)
    return out


def _read_parquet(data: bytes | Path, name: str) -> tuple[pd.DataFrame, list[str]]:
    """All columns, and which of them hold pictures: there stands what these are called, as where others only name
    theirs."""
    import pyarrow.parquet as parquet

    data = checked_parquet(data, name)
    file = parquet.ParquetFile(io.BytesIO(data) if isinstance(data, bytes) else data)
    packed = [field for field in file.schema_arrow if holds_bytes(field.type)]
    pictures = [f.name for f in packed if holds_pictures(file, f.name) or (
        role_of(f.name) == "image" and holds_pictures(file, f.name, of_any_kind=True))]
    named = [f for f in packed if f.name in pictures or str(f.type).startswith("struct")]
    whole = [f.name for f in file.schema_arrow if f not in named]
    vectors = [f.name for f in file.schema_arrow if f not in named and _holds_vectors(f.type)]
    frame = file.read(columns=[name for name in whole if name not in vectors]).to_pandas()
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(names=[str(n) if n is not None else "id" for n in frame.index.names])
    for column in vectors:
        frame.insert(min(whole.index(column), frame.shape[1]), column, _first_rows(file, column))
    for field in packed:
        if field not in named and _are_texts(frame[field.name].head(_TRIED)):
            frame[field.name] = frame[field.name].map(lambda c: decode(c).text if isinstance(c, bytes) else c)
    for field in named:
        names: list[str | None] = [None] * file.metadata.num_rows
        if str(field.type).startswith("struct") and any(part.name == "path" for part in field.type):
            cells = file.read(columns=[f"{field.name}.path"]).column(0).to_pylist()
            names = [cell and cell.get("path") for cell in cells]
        one_each = _one_each([name or f"row {i + 1}" for i, name in enumerate(names)])
        frame[field.name] = one_each if field.name in pictures else names
    return frame, pictures


def _holds_vectors(kind: pyarrow.DataType) -> bool:
    import pyarrow as arrow

    lists = arrow.types.is_list, arrow.types.is_large_list, arrow.types.is_fixed_size_list
    return any(test(kind) for test in lists) and arrow.types.is_floating(kind.value_type)


def _first_rows(file: parquet.ParquetFile, column: str) -> pd.Series:
    """A column of vectors, of which a table shows only that it is one: its first cells, and none below."""
    n = file.metadata.num_rows
    head = next(iter(file.iter_batches(min(n, FIRST_ROWS), columns=[column])), None) if n else None
    cells = [] if head is None else list(head.column(0).to_numpy(zero_copy_only=False))
    return pd.Series(cells + [None] * (n - len(cells)), dtype=object)


def _are_texts(cells: pd.Series) -> bool:
    """Whether bytes are words of a text, and no numbers."""
    found = [cell for cell in cells if isinstance(cell, bytes) and cell]
    return bool(found) and all(decode(c).encoding == "utf-8" and decode(c).text.isprintable() for c in found)


def _one_each(names: list[str]) -> list[str]:
    """Names of rows that carry a picture each: a name that stands twice names two pictures."""
    taken: dict[str, bool] = {}
    for name in names:
        taken[distinct(name, taken)] = True
    return list(taken)
