"""Vectors in the columns of a Parquet file: lists, tensors, records, lists as text, bytes, numbered columns."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
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
    import pyarrow.parquet as parquet

_SANE = 1e4
_ROWS_AT_ONCE, _COLUMNS_AT_ONCE = 4096, 16
_BUFFER = 1 << 16


def read_parquet(data: bytes | Path, name: str) -> Loaded:
    """All blocks of a Parquet file; raises SourceError, or ValueError or OSError where it is damaged."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    data = checked_parquet(data, name)
    file = parquet.ParquetFile(io.BytesIO(data) if isinstance(data, bytes) else data, pre_buffer=False,
                               buffer_size=_BUFFER)
    names = file.schema_arrow.names
    if len(set(names)) < len(names):
        return _from_table(file.read(), name)
    ready = _filled(file)
    spread = vector_columns([f.name for f in file.schema_arrow if arrow.types.is_floating(f.type)])
    joined = _side_by_side(file, spread) if spread else None
    arrow.default_memory_pool().release_unused()
    rest = file.read(columns=[n for n in names if n not in ready and n not in spread])
    return _from_table(rest, name, ready, spread, joined, file.schema_arrow)


def parquet_head(path: Path, rows: int) -> Loaded:
    """What the first rows hold; raises as `read_parquet` does."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    first = list(islice(parquet.ParquetFile(path).iter_batches(rows), 1))
    return _from_table(arrow.Table.from_batches(first), path.name) if first else Loaded()


def _filled(file: parquet.ParquetFile) -> dict[str, np.ndarray]:
    """Columns of lists of numbers that are all there and of one length, each as a matrix that is filled as it is read;
    so that no more of the file lies in memory beside it than a few rows."""
    filled: dict[str, np.ndarray] = {}
    left = [f.name for f in file.schema_arrow if _is_numbers(f.type)]
    at = 0
    for batch in file.iter_batches(_ROWS_AT_ONCE, columns=left, use_threads=False) if left else ():
        for column in list(left):
            rows = _one_length(batch.column(column))
            if at == 0 and rows is not None:
                filled[column] = np.empty((file.metadata.num_rows, rows.shape[1]), dtype=rows.dtype)
            if rows is None or rows.shape[1] != filled[column].shape[1]:
                left.remove(column)
                filled.pop(column, None)
            else:
                filled[column][at:at + len(rows)] = rows
        at += len(batch)
        if not left:
            break
    return filled


def _side_by_side(file: parquet.ParquetFile, columns: list[str]) -> np.ndarray:
    """Columns of numbers as a matrix, filled as they are read, a few at a time; missing numbers become NaN."""
    kinds = [file.schema_arrow.field(column).type.to_pandas_dtype() for column in columns]
    matrix = np.empty((file.metadata.num_rows, len(columns)), dtype=np.result_type(*kinds))
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        few = columns[start:start + _COLUMNS_AT_ONCE]
        table = file.read(columns=few, use_threads=False)
        for j, column in enumerate(few):
            matrix[:, start + j] = table.column(column).to_numpy()
    return matrix


def _one_length(cells: pyarrow.Array) -> np.ndarray | None:
    """Lists of numbers as a matrix without a copy; None where one is missing, or of another length."""
    numbers = cells.flatten()
    if cells.null_count or numbers.null_count or not len(cells) or not len(numbers) or len(numbers) % len(cells):
        return None
    width = len(numbers) // len(cells)
    lengths = {width} if hasattr(cells.type, "list_size") else set(np.diff(cells.offsets.to_numpy()).tolist())
    return numbers.to_numpy().reshape(len(cells), width) if lengths == {width} else None


def _from_table(table: pyarrow.Table, name: str, ready: Mapping[str, np.ndarray] | None = None,
                numbers: Sequence[str] | None = None, joined: np.ndarray | None = None,
                schema: pyarrow.Schema | None = None) -> Loaded:
    """All that a table holds, and what of its file is read already: columns of lists, and columns of ``numbers``."""
    import pyarrow as arrow

    out, ready, schema = Loaded(), ready or {}, schema or table.schema
    packed: dict[str, np.ndarray] = {}
    unread: dict[str, str] = {}
    if numbers is None:
        numbers = vector_columns([f.name for f in schema if arrow.types.is_floating(f.type)])
        joined = np.column_stack([table.column(c).to_numpy() for c in numbers]) if numbers else None
    here = [i for i, field in enumerate(table.schema) if field.name not in ready and field.name not in numbers]
    for at in here:
        field = table.schema.field(at)
        found = _matrix(table.column(at), field.type, field.name, name, out)
        if isinstance(found, str):
            unread[field.name] = f"{field.type}: {found}"
        elif found is not None:
            packed[field.name] = found
    rest = _frame(table.select([i for i in here if table.schema.field(i).name not in {*packed, *unread}]))
    for column in dict.fromkeys(field.name for field in schema if field.name in packed or field.name in ready):
        out.blocks.append(Block(ready[column] if column in ready else packed[column], None, rest, name, column))
    if joined is not None:
        out.blocks.append(Block(joined, None, rest, name, f"{numbers[0]} to {numbers[-1]}" if len(out.blocks) else ""))
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
