"""Vectors in the columns of a Parquet file: lists, tensors, records, lists as text, bytes, numbered columns."""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.sources.gate import checked_parquet
from core.sources.images.formats import formats_of, kind_of
from core.sources.vectors.blocks import Block, Loaded, listed, rectangle
from core.sources.vectors.separated import vector_columns
from core.types import Refusal

if TYPE_CHECKING:
    import pyarrow

_SANE = 1e4


def read_parquet(data: bytes | Path, name: str) -> Loaded:
    """All blocks of a Parquet file; raises SourceError, or ValueError or OSError where it is damaged."""
    import pyarrow.parquet as parquet

    data = checked_parquet(data, name)
    return _from_table(parquet.ParquetFile(io.BytesIO(data) if isinstance(data, bytes) else data).read(), name)


def parquet_head(path: Path, rows: int) -> Loaded:
    """What the first rows hold; raises as `read_parquet` does."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    first = list(islice(parquet.ParquetFile(path).iter_batches(rows), 1))
    return _from_table(arrow.Table.from_batches(first), path.name) if first else Loaded()


def _from_table(table: pyarrow.Table, name: str) -> Loaded:
    import pyarrow as arrow

    out = Loaded()
    packed: dict[str, np.ndarray] = {}
    unread: dict[str, str] = {}
    for at, field in enumerate(table.schema):
        found = _matrix(table.column(at), field.type, field.name, name, out)
        if isinstance(found, str):
            unread[field.name] = f"{field.type}: {found}"
        elif found is not None:
            packed[field.name] = found
    numbers = vector_columns([f.name for f in table.schema if arrow.types.is_floating(f.type)])
    spent = {*packed, *numbers, *unread}
    rest = _frame(table.select([i for i, f in enumerate(table.schema) if f.name not in spent]))
    for column, matrix in packed.items():
        out.blocks.append(Block(matrix, None, rest, name, column))
    if numbers:
        matrix = np.column_stack([table.column(c).to_numpy() for c in numbers])
        out.blocks.append(Block(matrix, None, rest, name, f"{numbers[0]} to {numbers[-1]}" if packed else ""))
    out.left_out += [Refusal(f"{name}: {column}", reason) for column, reason in unread.items()]
    if not out.blocks:
        out.tables.append((name, rest))
    return out


def _matrix(cells: pyarrow.ChunkedArray, kind: pyarrow.DataType, column: str, name: str, out: Loaded
            ) -> np.ndarray | str | None:
    """A column as a matrix, (n, d); None where it is of other things, a sentence where its vectors cannot be read."""
    import pyarrow as arrow

    if isinstance(kind, arrow.BaseExtensionType):
        cells = arrow.chunked_array([chunk.storage for chunk in cells.chunks], kind.storage_type)
        kind = kind.storage_type
    if arrow.types.is_struct(kind):
        inner = [f for f in kind if _is_numbers(f.type)]
        inner = [f for f in inner if f.name == "values"] or inner
        if len(inner) != 1:
            return None
        import pyarrow.compute as compute

        cells, kind = compute.struct_field(cells, inner[0].name), inner[0].type
    if _is_numbers(kind):
        return _rows(cells.combine_chunks().to_numpy(zero_copy_only=False))
    if _is_list(kind) and _is_numbers(kind.value_type):
        return _flat(cells.to_pylist())
    if arrow.types.is_string(kind) or arrow.types.is_large_string(kind):
        first = next((str(c) for c in islice(cells, 50) if c.is_valid), "").strip()
        return _rows([listed(c.as_py()) for c in cells]) if first.startswith("[") and listed(first) else None
    if arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind) or arrow.types.is_fixed_size_binary(kind):
        return _from_bytes(cells, column, name, out)
    return None


def _is_list(kind: pyarrow.DataType) -> bool:
    import pyarrow as arrow

    return any(test(kind) for test in (arrow.types.is_list, arrow.types.is_large_list, arrow.types.is_fixed_size_list))


def _is_numbers(kind: pyarrow.DataType) -> bool:
    import pyarrow as arrow

    return _is_list(kind) and (arrow.types.is_floating(kind.value_type) or arrow.types.is_integer(kind.value_type))


def _rows(rows: Any) -> np.ndarray | str:
    matrix = rectangle(rows)
    return "empty lists" if matrix is None else matrix


def _flat(rows: list[Any]) -> np.ndarray | str:
    """Lists of lists, of which one dimension is 1, as rows."""
    if not any(rows):
        return "empty lists"
    if any(row and len(row) > 1 and any(part is not None and len(part) > 1 for part in row) for row in rows):
        return "several vectors in a row; save one, such as their mean"
    return _rows([None if row is None else [number for part in row for number in part or ()] for row in rows])


def _from_bytes(cells: pyarrow.ChunkedArray, column: str, name: str, out: Loaded) -> np.ndarray | str | None:
    """Bytes as float32 (or float64, float16) where all rows have one length and make sense as such numbers."""
    raw = [c.as_py() for c in cells]
    filled = [r for r in raw if r]
    if any(formats_of(r) or kind_of(r) for r in filled[:20]):
        return "bytes of files, not of vectors"
    if len({len(r) for r in filled}) > 1:
        return "bytes of several lengths, which are no vectors of one kind"
    for dtype in ("<f4", "<f8", "<f2"):
        if len(filled[0]) % np.dtype(dtype).itemsize or len(filled[0]) < 2 * np.dtype(dtype).itemsize:
            continue
        sample = np.frombuffer(b"".join(filled[:50]), dtype=dtype)
        with np.errstate(invalid="ignore"):
            sane = np.isfinite(sample) & (np.abs(sample) < _SANE) & ((np.abs(sample) > 1e-7) | (sample == 0))
        if sane.mean() > 0.99:
            out.notices.append(f"The bytes in the column {column} of {name} are read as {np.dtype(dtype).name} "
                               f"numbers, {len(filled[0]) // np.dtype(dtype).itemsize} a row.")
            return _rows([np.frombuffer(r, dtype=dtype) if r else None for r in raw])
    return "bytes that make no sense as float32, float64 or float16"


def _frame(table: pyarrow.Table) -> pd.DataFrame:
    """A table as pandas has it, with whole numbers whole where some are missing."""
    import pyarrow as arrow

    frame = table.to_pandas()
    for field in table.schema:
        if arrow.types.is_integer(field.type) and field.name in frame and frame[field.name].dtype.kind == "f":
            frame[field.name] = frame[field.name].astype("Int64")
    if isinstance(frame.index, pd.RangeIndex) or (frame.index.names == [None] and frame.index.dtype.kind in "iu"):
        return frame.reset_index(drop=True)
    names = [n if n is not None else "name" if i == 0 else f"name {i + 1}" for i, n in enumerate(frame.index.names)]
    return frame.reset_index(names=[n if n not in frame else f"{n} (index)" for n in names])
