"""The gate that everything brought goes through: a look at what it would unpack to, before anything is unpacked.

Nothing here parses: sizes, counts and headers are read and held against the budget of this process (`core.settings`).
A Parquet file's headers can lie, so that on a public server it is unpacked by a process of its own, with a bound on its
memory, its time and what it writes; what comes back is the same table with nothing packed in it.
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from core.errors import SourceError
from core.settings import MB, settings

_ROOT = Path(__file__).parents[2]
_RATIO_FROM = 1 * MB
_BLOCK = 4 * MB
_MOST_OF_A_DIRECTORY = 512
_WORKER_BYTES = 1536 * MB
_SEPARATORS, _STRUCTURE = (b",", b";", b"\t", b"|"), (b"[", b"{", b",", b":")
_TAR_BLOCK = 512
_BYTES_OF = {"BOOLEAN": 1 / 8, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_TOO_LARGE, _DAMAGED = 3, 4


def refused(what: str, name: str, found: float, limit: float, unit: str = "", advice: str = "") -> SourceError:
    """The refusal of something over its limit, with both numbers."""
    told = f" {unit}" if unit else ""
    return SourceError(f"at most {limit:,.0f}{told} {what} in {name}", f"{found:,.0f}{told}",
                       advice or "Split it, or bring a part of it.")


def check_archive(infos: Sequence[zipfile.ZipInfo], name: str) -> None:
    """Hold the list of a zip against the budget: members, bytes unpacked, and the ratio of each member.

    Raises
    ------
    SourceError
        With the number and the limit.
    """
    budget = settings().budget
    if len(infos) > budget.members:
        raise refused("files", name, len(infos), budget.members)
    total = sum(info.file_size for info in infos)
    if total > budget.unpacked_mb * MB and not _pictures_only(infos):
        raise refused("unpacked", name, total / MB, budget.unpacked_mb, "MB")
    for info in infos:
        ratio = info.file_size / max(1, info.compress_size)
        if info.file_size > _RATIO_FROM and ratio > budget.ratio:
            raise SourceError(f"files in {name} that unpack to at most {budget.ratio} times their size",
                              f"{info.filename[:80]}, which unpacks to {ratio:,.0f} times, as only a trap does",
                              "Pack the files themselves again.")


def _pictures_only(infos: Sequence[zipfile.ZipInfo]) -> bool:
    """Whether what is large in an archive are files that are hardly packed, and read one at a time."""
    return all(info.file_size <= 2 * max(1, info.compress_size) for info in infos if info.file_size > _RATIO_FROM)


class TextAllowance:
    """How much text beside pictures may still be read."""

    def __init__(self) -> None:
        self._left = settings().budget.texts_mb * MB

    def take(self, n_bytes: int) -> str:
        """Why a text file of so many bytes is left out; "" where it is read, and taken off what is left."""
        budget = settings().budget
        if n_bytes > budget.text_mb * MB:
            return f"a text beside a picture has {n_bytes / MB:,.1f} MB; the limit is {budget.text_mb} MB"
        if n_bytes > self._left:
            return f"the texts beside pictures have more than {budget.texts_mb} MB together"
        self._left -= n_bytes
        return ""


def check_directory(file: IO[bytes], name: str) -> None:
    """Refuse a zip whose list of contents says more files than the budget, before the list is read."""
    end = getattr(zipfile, "_EndRecData")(file)  # noqa: B009
    budget = settings().budget
    if end and max(end[3], end[4]) > budget.members:
        raise refused("files", name, max(end[3], end[4]), budget.members)
    if end and end[5] > _MOST_OF_A_DIRECTORY * budget.members:
        raise refused("of a list of contents", name, end[5] / MB, _MOST_OF_A_DIRECTORY * budget.members / MB, "MB")


def check_tar(file: IO[bytes], name: str) -> None:
    """Refuse a tar of more files than the budget, by going from head to head before any is listed."""
    most, at, found = settings().budget.members, 0, 0
    while found <= most:
        file.seek(at)
        head = file.read(_TAR_BLOCK)
        if len(head) < _TAR_BLOCK or not head.strip(b"\0"):
            break
        try:
            size = getattr(tarfile, "nti")(head[124:136])  # noqa: B009
        except tarfile.TarError:
            break
        at += _TAR_BLOCK * (1 + -(-max(0, size) // _TAR_BLOCK))
        found += head[156:157] in b"0\0" and head[156:157] != b""
    file.seek(0)
    if found > most:
        raise SourceError(f"at most {most:,} files in {name}", f"more than {most:,}",
                          "Split it, or bring a part of it.")


def read_bounded(stream: IO[bytes] | gzip.GzipFile, most: int, name: str, advice: str = "") -> bytes:
    """All of a stream, in pieces, up to ``most`` bytes; SourceError beyond, however much it said it holds."""
    parts, held = [], 0
    while block := stream.read(min(_BLOCK, most + 1 - held)):
        parts.append(block)
        held += len(block)
        if held > most:
            raise refused("unpacked", name, held / MB, most / MB, "MB", advice)
    return b"".join(parts)


def check_text(data: bytes | Path, name: str) -> None:
    """Hold a table of text (CSV, TSV, JSON, JSON lines, plain lines) against the budget, by counting.

    Raises
    ------
    SourceError
        With the number and the limit: lines, columns of the widest of the first lines, cells, bytes of a line.
    OSError
        If a path cannot be read.
    """
    budget = settings().budget
    counts = dict.fromkeys((*_SEPARATORS, *_STRUCTURE, b"\n"), 0)
    head, longest, unended = b"", 0, 0
    for block in _blocks(data):
        head = head or block[:_BLOCK]
        for mark in counts:
            counts[mark] += block.count(mark)
        if counts[b"\n"] < budget.rows:
            inside, unended = _longest_line(block, unended)
            longest = max(longest, inside)
    lines = counts[b"\n"] + 1
    if lines > budget.rows:
        raise refused("lines", name, lines, budget.rows)
    is_json = head[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    cells = sum(counts[m] for m in _STRUCTURE) if is_json else lines + max(counts[m] for m in _SEPARATORS)
    if cells > budget.cells:
        raise refused("cells", name, cells, budget.cells)
    if is_json:
        return
    widest = max(max(line.count(mark) for mark in _SEPARATORS) + 1 for line in head.split(b"\n")[:20])
    if widest > budget.columns:
        raise refused("columns", name, widest, budget.columns)
    if longest > budget.field_mb * MB:
        raise refused("in one line", name, longest / MB, budget.field_mb, "MB")


def _blocks(data: bytes | Path) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    with open(data, "rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _longest_line(block: bytes, unended: int) -> tuple[int, int]:
    """Bytes of the longest line that ends in a block or goes on after it, and of the one that goes on; the first line
    has so many before."""
    longest, at = 0, -unended
    while (end := block.find(b"\n", max(at, 0))) >= 0:
        longest, at = max(longest, end - at), end + 1
    return max(longest, len(block) - at), len(block) - at


def checked_parquet(data: bytes | Path, name: str) -> bytes | Path:
    """A Parquet file whose footer fits the budget; on a public server unpacked by a process of its own.

    Returns
    -------
    The file itself, or the same table with nothing packed in it.

    Raises
    ------
    SourceError
        With the number and the limit, or where the process that unpacked it died.
    ValueError, OSError
        If it is no Parquet file.
    """
    import pyarrow.parquet as parquet

    budget = settings().budget
    meta = parquet.read_metadata(io.BytesIO(data) if isinstance(data, bytes) else data)
    if meta.num_rows > budget.rows:
        raise refused("rows", name, meta.num_rows, budget.rows)
    if meta.num_columns > budget.columns:
        raise refused("columns", name, meta.num_columns, budget.columns)
    unpacked = sum(_unpacked_bytes(meta.row_group(g)) for g in range(meta.num_row_groups))
    if unpacked > budget.unpacked_mb * MB:
        raise refused("unpacked", name, unpacked / MB, budget.unpacked_mb, "MB")
    texts = sum(meta.schema.column(i).physical_type == "BYTE_ARRAY" for i in range(meta.num_columns))
    if texts * meta.num_rows > budget.cells:
        raise refused("cells of text", name, texts * meta.num_rows, budget.cells)
    return _unpacked(data, name) if settings().hosted else data


def _unpacked_bytes(group: Any) -> float:
    """Bytes of a row group in memory, by its footer: what it says, or its numbers at their full width."""
    columns = [group.column(i) for i in range(group.num_columns)]
    return sum(max(column.total_uncompressed_size, column.num_values * _BYTES_OF.get(column.physical_type, 0))
               for column in columns)


def _unpacked(data: bytes | Path, name: str) -> bytes:
    budget = settings().budget
    with tempfile.TemporaryDirectory(prefix="orrery-parquet-") as folder:
        source, out = Path(folder) / "in.parquet", Path(folder) / "out.parquet"
        if isinstance(data, bytes):
            source.write_bytes(data)
        else:
            source = data
        command = [sys.executable, "-P", "-c", "import sys; sys.path.insert(0, sys.argv[1]); "
                   "from core.sources.gate import unpack_parquet; unpack_parquet(*sys.argv[2:])",
                   str(_ROOT), str(source), str(out), str(budget.unpacked_mb * MB)]
        env = dict(os.environ, OMP_NUM_THREADS="1", ARROW_DEFAULT_MEMORY_POOL="system", PYTHONDONTWRITEBYTECODE="1")
        try:
            done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, timeout=budget.seconds)
        except subprocess.TimeoutExpired as error:
            raise refused("of unpacking", name, budget.seconds, budget.seconds, "s") from error
        if done.returncode == _DAMAGED:
            raise SourceError(f"a Parquet file in {name}", done.stderr.decode("utf-8", "replace")[-300:].strip(),
                              "It may be cut off; save it again.")
        if done.returncode != 0:
            raise SourceError(f"at most {budget.unpacked_mb} MB unpacked in {name}",
                              "more, or a file that its reader dies of", "Bring a part of it.")
        return out.read_bytes()


def unpack_parquet(source: str, out: str, most: str) -> None:
    """What the process does: write the table anew, with nothing packed, within bounds on memory and on the file."""
    import resource

    import pyarrow as arrow
    import pyarrow.parquet as parquet

    resource.setrlimit(resource.RLIMIT_AS, (_WORKER_BYTES, _WORKER_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
    try:
        file = parquet.ParquetFile(source)
        with parquet.ParquetWriter(out, file.schema_arrow, compression="none", use_dictionary=False) as writer:
            for batch in file.iter_batches(4096, use_threads=False):
                writer.write_batch(batch)
    except MemoryError:
        sys.exit(_TOO_LARGE)
    except (arrow.ArrowException, OSError, ValueError) as error:
        print(str(error)[:300], file=sys.stderr)
        full = any(word in str(error) for word in ("malloc", "realloc", "too large", "allocat"))
        sys.exit(_TOO_LARGE if full else _DAMAGED)
