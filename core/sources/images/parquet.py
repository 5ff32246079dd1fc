"""Images kept as bytes inside a Parquet file, as Hugging Face and img2dataset write them."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.sources.images.formats import formats_of, kind_of
from core.sources.images.readers import FileBytes
from core.sources.reasons import refuse

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

_GROUPS_KEPT = 2
_TRIED = 20


def holds_bytes(kind: pyarrow.DataType) -> bool:
    """True for a column of bytes, or of records (bytes, path)."""
    import pyarrow as arrow

    if arrow.types.is_struct(kind):
        return any(holds_bytes(kind.field(i).type) for i in range(kind.num_fields) if kind.field(i).name == "bytes")
    return bool(arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind))


def holds_pictures(file: pyarrow.parquet.ParquetFile, column: str, *, of_any_kind: bool = False) -> bool:
    """Whether the first filled cells of a column of bytes begin as files do; ``of_any_kind``: whether any is filled."""
    for batch in file.iter_batches(_TRIED, columns=[column]):
        cells = [cell.get("bytes") if isinstance(cell, dict) else cell for cell in batch.column(0).to_pylist()]
        heads = [cell[:512] for cell in cells if cell]
        if heads:
            return of_any_kind or any(formats_of(head) or kind_of(head) for head in heads)
    return False


class ParquetImages(FileBytes):
    """Rows of one column of bytes; a group of rows is read when one of its images is needed.

    Parameters
    ----------
    source
        Path or bytes of the Parquet file.
    column
        The column of bytes, or of records with a field ``bytes``.
    rows
        Which rows of the file.
    names
        What a message calls each of them.
    """

    def __init__(self, source: Path | bytes, column: str, rows: Sequence[int], names: Sequence[str]) -> None:
        import pyarrow.parquet as parquet

        super().__init__(names)
        self._file = parquet.ParquetFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        self._column, self._rows = column, tuple(rows)
        sizes = [self._file.metadata.row_group(g).num_rows for g in range(self._file.metadata.num_row_groups)]
        self._ends = np.cumsum(sizes)
        self._lock = threading.Lock()
        self._groups: OrderedDict[int, Any] = OrderedDict()

    def read(self, index: int) -> bytes:
        """The bytes of the row; raises UnreadableItem."""
        row = self._rows[index]
        group = int(np.searchsorted(self._ends, row, side="right"))
        start = int(self._ends[group - 1]) if group else 0
        with self._lock:
            cell = self._group(group)[row - start].as_py()
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        if data is None:
            raise refuse(self.names[index], "the table holds no picture in this row")
        return bytes(data)

    def _group(self, group: int) -> Any:
        if group not in self._groups:
            self._groups[group] = self._file.read_row_group(group, columns=[self._column]).column(0)
            while len(self._groups) > _GROUPS_KEPT:
                self._groups.popitem(last=False)
        self._groups.move_to_end(group)
        return self._groups[group]
