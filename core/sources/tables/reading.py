"""Tables as people keep them (CSV, TSV, JSON, JSON lines, Parquet, plain lines), and which column means what."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import SourceError
from core.settings import MB, OWN_MACHINE
from core.sources.gate import check_text, checked_parquet
from core.sources.images.formats import kind_of
from core.sources.images.parquet import holds_bytes
from core.sources.tables.columns import SPLITS, is_header, role_of
from core.types import Refusal

ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq")
_SAMPLE = 200
csv.field_size_limit(OWN_MACHINE.field_mb * MB)   # of the process, once; what a file holds never changes it


def read_table(data: bytes | Path, name: str) -> tuple[pd.DataFrame, tuple[Refusal, ...]]:
    """The whole table with text cells as they stand, and the rows that could not be read.

    Raises
    ------
    SourceError
        If the file is no table of a known format, or empty.
    """
    ending = Path(name).suffix.lower()
    if isinstance(data, Path):
        data = data.read_bytes() if ending not in (".parquet", ".pq") else data
    if isinstance(data, bytes) and ending in ENDINGS[:-2] and (kind := kind_of(data)):
        raise SourceError(f"a table of text in {name}", f"what begins like {kind}", "Save it as CSV or Parquet.")
    if isinstance(data, bytes) and ending in ENDINGS[:-2]:
        check_text(data, name)
    refused: list[Refusal] = []
    try:
        if ending in (".parquet", ".pq"):
            frame = _read_parquet(data, name)
        elif ending in (".jsonl", ".ndjson"):
            frame, refused = _read_json_lines(decode_text(data))
        elif ending == ".json":
            frame = _read_json(decode_text(data))
        elif ending == ".txt" and not _looks_separated(decode_text(data)):
            frame = pd.DataFrame({"caption": _lines(decode_text(data))})
        elif ending in ENDINGS:
            frame, refused = read_separated(decode_text(data), tabs_first=ending in (".tsv", ".tab"))
        else:
            raise SourceError(f"a table ({', '.join(ENDINGS)})", f"{name}, which ends in {ending or 'nothing'}",
                              "Save it in one of these formats.")
    except (OSError, ValueError, TypeError, RecursionError, csv.Error) as error:
        raise SourceError(f"a table in {name}", f"a file that cannot be read as one ({str(error)[:200]})",
                          "Open it where it was made and save it again.") from error
    if frame.empty:
        raise SourceError(f"a table with rows in {name}", "an empty one", "Check the file.")
    frame.columns = pd.Index([str(column).strip() or f"column_{i + 1}" for i, column in enumerate(frame.columns)])
    return frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True), tuple(refused)


def decode_text(data: bytes | Path) -> str:
    """A text file's words: UTF-8 or UTF-16 where it is that, else Windows' western encoding, else Latin-1."""
    raw = data.read_bytes() if isinstance(data, Path) else data
    encodings = ["utf-16"] if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else []
    if raw[1:64:2].count(0) > 16:
        encodings = ["utf-16-le"]
    for encoding in (*encodings, "utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def delimiter_of(text: str, tabs_first: bool) -> tuple[str, int]:
    """The separator under which most rows have the same number of fields, and that number."""
    sample = "\n".join(text[:200_000].splitlines()[:_SAMPLE])
    best, best_score = (",", 1), (0.0, 0)
    for mark in ("\t", ",", ";", "|") if tabs_first else (",", ";", "\t", "|"):
        rows = [row for row in csv.reader(io.StringIO(sample), delimiter=mark) if row]
        width, count = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        score = (round(count / max(1, len(rows)), 1), width)
        if width > 1 and (score > best_score or (tabs_first and mark == "\t")):
            best, best_score = (mark, width), (2.0 if tabs_first and mark == "\t" else score[0], width)
    return best


def _looks_separated(text: str) -> bool:
    first = text.lstrip("\n").split("\n", 1)[0]
    mark, width = delimiter_of(text, False)
    return width > 1 and is_header(next(csv.reader([first], delimiter=mark), []))


def read_separated(text: str, tabs_first: bool = False) -> tuple[pd.DataFrame, list[Refusal]]:
    """Text of separated values as a table of strings (NaN where empty), and the rows with too many fields."""
    if not text.strip():
        return pd.DataFrame(), []
    mark, width = delimiter_of(text, tabs_first)
    first = next((row for row in csv.reader(io.StringIO(text), delimiter=mark) if row), [])
    header = is_header(first) if len(first) > 1 else _titled(text)
    names = None if header else [f"column_{i + 1}" for i in range(max(width, len(first)))]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(io.StringIO(text), sep=mark, dtype=str, keep_default_na=False, na_values=[""],
                                header=0 if header else None, names=names, skip_blank_lines=True,
                                skipinitialspace=mark != "\t", index_col=False, on_bad_lines="error")
        return frame, []
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        pass
    return _read_uneven(text, mark, first if header else names or [])


def _titled(text: str) -> bool:
    """Whether the first line of a single column is its title."""
    lines = _lines(text[:200_000])[:_SAMPLE]
    wordy = sum(" " in line for line in lines[1:]) > (len(lines) - 1) / 2
    return len(lines) > 1 and (role_of(lines[0]) is not None or (wordy and is_header(lines[:1])))


def _read_uneven(text: str, mark: str, names: Sequence[str]) -> tuple[pd.DataFrame, list[Refusal]]:
    """Row by row: where a caption stands last and has separators of its own, they are part of it."""
    names = [name.strip() or f"column_{i + 1}" for i, name in enumerate(names)]
    last_is_caption = role_of(names[-1]) == "caption"
    rows: list[list[str | float]] = []
    refused: list[Refusal] = []
    reader = csv.reader(io.StringIO(text), delimiter=mark)
    for row in reader:
        if not row or (not rows and [cell.strip() for cell in row] == names):
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


def _read_json_lines(text: str) -> tuple[pd.DataFrame, list[Refusal]]:
    rows, refused = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                refused.append(Refusal(f"line {number}", f"it is not JSON ({error})"))
                continue
            if isinstance(row, dict):
                rows.append(_plain(row))
            else:
                refused.append(Refusal(f"line {number}", "it is JSON, but no object with named fields"))
    return pd.DataFrame(rows), refused


def _read_json(text: str) -> pd.DataFrame:
    """Objects, columns, COCO captions, Karpathy's splits (sentences), FiftyOne's samples or labels."""
    found = json.loads(text)
    if isinstance(found, dict) and isinstance(found.get("samples"), list):
        return pd.DataFrame([_plain(row) for row in found["samples"]])
    if isinstance(found, dict) and isinstance(found.get("labels"), dict):
        classes = found.get("classes") or []
        rows = [(name, classes[at] if isinstance(at, int) and at < len(classes) else at)
                for name, at in found["labels"].items()]
        return pd.DataFrame(rows, columns=pd.Index(["image", "label"]))
    if isinstance(found, dict) and isinstance(found.get("annotations"), list) and isinstance(found.get("images"), list):
        images = pd.DataFrame(found["images"])
        captions = pd.DataFrame(found["annotations"])
        if "caption" not in captions or "image_id" not in captions or "id" not in images:
            raise ValueError("annotations without image_id and caption")
        return captions[["image_id", "caption"]].merge(images, left_on="image_id", right_on="id", how="left")
    if isinstance(found, dict) and isinstance(found.get("images"), list):
        found = found["images"]
        for row in found:
            if isinstance(row, dict) and isinstance(row.get("sentences"), list):
                row["sentences"] = [s.get("raw") if isinstance(s, dict) else s for s in row["sentences"]]
    if isinstance(found, list) and all(isinstance(row, str) for row in found):
        return pd.DataFrame({"caption": found})
    return pd.DataFrame([_plain(row) for row in found] if isinstance(found, list) else found)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """FiftyOne's nested fields as plain ones: a label's name, an id's digits, a tag that names a split."""
    plain = {}
    for key, value in row.items():
        if isinstance(value, dict):
            value = value.get("label", value.get("$oid", json.dumps(value)))
        elif key == "tags" and isinstance(value, list) and "split" not in row:
            plain["split"] = next((tag for tag in value if str(tag).lower() in SPLITS), None)
        plain[key] = value
    return plain


def _read_parquet(data: bytes | Path, name: str) -> pd.DataFrame:
    """All columns but pictures, whose column says what they are called."""
    import pyarrow.parquet as parquet

    data = checked_parquet(data, name)
    file = parquet.ParquetFile(io.BytesIO(data) if isinstance(data, bytes) else data)
    packed = [field for field in file.schema_arrow if holds_bytes(field.type)]
    frame = file.read(columns=[f.name for f in file.schema_arrow if f not in packed]).to_pandas()
    for field in packed:
        names: list[str | None] = [None] * file.metadata.num_rows
        if str(field.type).startswith("struct") and any(part.name == "path" for part in field.type):
            cells = file.read(columns=[f"{field.name}.path"]).column(0).to_pylist()
            names = [cell and cell.get("path") for cell in cells]
        frame[field.name] = [name or f"row {i + 1}" for i, name in enumerate(names)]
    return frame


def bytes_column(data: bytes | Path, name: str) -> str | None:
    """The first column of a Parquet file that holds pictures as bytes; None where none does."""
    if Path(name).suffix.lower() not in (".parquet", ".pq"):
        return None
    import pyarrow.parquet as parquet

    schema = parquet.read_schema(io.BytesIO(data) if isinstance(data, bytes) else data)
    return next((field.name for field in schema if holds_bytes(field.type)), None)
