"""Arrays of vectors out of foreign files, never unpickled: npy, npz, Parquet, CSV and TSV."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.errors import SourceError
from core.sources.gate import check_archive, check_directory, check_text, checked_parquet
from core.sources.tables.columns import is_header, role_of
from core.sources.tables.separated import delimiter_of, read_separated
from core.sources.text import decode
from core.types import Modality

if TYPE_CHECKING:
    import pyarrow

_WORDS: dict[Modality, str] = {"text": r"text|txt|caption|sentence|prompt|query|label",
                               "image": r"image|img|photo|picture|visual|vision|pixel"}
_ID_NAMES = ("id", "ids", "name", "names", "file", "files", "path", "paths", "filename", "filenames", "filepath", "key",
             "keys", "uid", "word", "words")
PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".joblib")
_LEAST_COLUMNS = 4
_HEAD = 100
_HEAD_BYTES = 1024**2


@dataclass
class Block:
    """Rows of one file: raw vectors (n, d) of any float kind, what is known of each row, and which modality."""

    vectors: np.ndarray
    modality: Modality | None
    table: pd.DataFrame
    origin: str


@dataclass
class Loaded:
    """What one file holds: blocks of vectors, and tables or names without vectors."""

    blocks: list[Block] = field(default_factory=list)
    tables: list[tuple[str, pd.DataFrame]] = field(default_factory=list)


def modality_of(name: str) -> Modality | None:
    """The modality that a file's, an array's or a column's name speaks of."""
    for part in (PurePosixPath(name).stem, name):
        found = [modality for modality, words in _WORDS.items() if re.search(words, part.lower())]
        if len(found) == 1:
            return found[0]
    return None


def load(data: bytes | Path, name: str) -> Loaded:
    """Everything one file holds that has to do with vectors.

    Raises
    ------
    SourceError
        If the format is not known, the file is damaged, or it holds pickled Python objects.
    """
    ending = PurePosixPath(name).suffix.lower()
    readers: dict[str, Callable[[bytes | Path, str], Loaded]] = {
        ".npy": _npy, ".npz": _npz, ".parquet": _parquet, ".pq": _parquet, ".csv": _separated, ".tsv": _separated,
        ".tab": _separated, ".txt": _separated,
    }
    if ending in PICKLED:
        raise SourceError("vectors in a format that cannot carry programs (npy, npz, Parquet, CSV, TSV)",
                          f"{name}, which is unpickled by running what it says",
                          "Load it where you trust it and save it with numpy.savez(path, image=..., text=...).")
    if ending not in readers:
        raise SourceError(f"a file of vectors ({', '.join(readers)})", f"{name}", "Save the vectors in one of these.")
    try:
        return readers[ending](data, name)
    except SourceError:
        raise
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, MemoryError) as error:
        raise SourceError(f"vectors in {name}", f"a file that cannot be read as {ending[1:]} ({str(error)[:200]})",
                          "It may be cut off; save it again.") from error


def load_head(path: Path) -> Loaded:
    """What the first rows of a Parquet, CSV or TSV file hold; nothing where they cannot be read."""
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            import pyarrow as arrow
            import pyarrow.parquet as parquet

            rows = list(islice(parquet.ParquetFile(path).iter_batches(_HEAD), 1))
            return _from_table(arrow.Table.from_batches(rows), path.name)
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
            whole = not file.read(1)
        return _separated(head if whole else head[:head.rfind(b"\n") + 1], path.name)
    except (OSError, ValueError, TypeError, SourceError):
        return Loaded()


def _open(data: bytes | Path) -> IO[bytes]:
    return io.BytesIO(data) if isinstance(data, bytes) else open(data, "rb")


def _array(file: IO[bytes], size: int, what: str) -> np.ndarray:
    """One array in numpy's format; its header must agree with its size before anything is allocated."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise SourceError(f"numbers or strings in {what}", "pickled Python objects, which are never loaded",
                          "Save it as a plain array: numpy.asarray(x, dtype='float32') or dtype=str.")
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > size:
        raise ValueError(f"{what} says shape {shape}, more than the file holds")
    file.seek(0)
    return np.load(file, allow_pickle=False)


def _npy(data: bytes | Path, name: str) -> Loaded:
    with _open(data) as file:
        size = file.seek(0, 2)
        file.seek(0)
        array = _array(file, size, name)
    return _from_arrays({PurePosixPath(name).stem: array}, name)


def _npz(data: bytes | Path, name: str) -> Loaded:
    arrays = {}
    with _open(data) as file:
        check_directory(file, name)
        archive = zipfile.ZipFile(file)
        check_archive(archive.infolist(), name)
        for info in archive.infolist():
            if info.filename.endswith(".npy"):
                with archive.open(info) as member:
                    key = info.filename.removesuffix(".npy")
                    arrays[key] = _array(io.BytesIO(member.read()), info.file_size, f"{key} of {name}")
    return _from_arrays(arrays, name)


def _from_arrays(arrays: dict[str, np.ndarray], name: str) -> Loaded:
    matrices = {k: a for k, a in arrays.items() if a.ndim == 2 and a.shape[1] > 1 and a.dtype.kind in "fiu"}
    rows = {k: a for k, a in arrays.items() if a.ndim == 1 or (a.ndim == 2 and a.shape[1] == 1)}
    out = Loaded()
    lengths = [len(a) for a in matrices.values()]
    if not matrices and rows:
        out.tables.append((name, pd.DataFrame({k: _column(a) for k, a in rows.items()
                                               if len(a) == max(map(len, rows.values()))})))
    elif not matrices:
        shapes = ", ".join(f"{k} {a.dtype} {a.shape}" for k, a in arrays.items()) or "nothing"
        raise SourceError(f"vectors of shape (n, d) in {name}", shapes, "Save one row a vector.")
    for key, matrix in matrices.items():
        modality = modality_of(key) or (modality_of(name) if len(matrices) == 1 else None)
        own = {k: _column(a) for k, a in rows.items() if len(a) == len(matrix) and (
            modality_of(k) in (None, modality) or lengths.count(len(matrix)) == 1)}
        out.blocks.append(Block(matrix, modality, pd.DataFrame(own, index=range(len(matrix))), name))
    return out


def _column(array: np.ndarray) -> list[Any]:
    flat = array.reshape(-1)
    return [v.decode("utf-8", "replace") for v in flat.tolist()] if flat.dtype.kind == "S" else flat.tolist()


def _parquet(data: bytes | Path, name: str) -> Loaded:
    import pyarrow.parquet as parquet

    data = checked_parquet(data, name)
    file = parquet.ParquetFile(io.BytesIO(data) if isinstance(data, bytes) else data)
    return _from_table(file.read(), name)


def _from_table(table: pyarrow.Table, name: str) -> Loaded:
    import pyarrow as arrow

    lists = [f.name for f in table.schema if (arrow.types.is_list(f.type) or arrow.types.is_large_list(f.type)
             or arrow.types.is_fixed_size_list(f.type)) and (arrow.types.is_floating(f.type.value_type)
                                                             or arrow.types.is_integer(f.type.value_type))]
    numbers = _vector_columns([f.name for f in table.schema if arrow.types.is_floating(f.type)])
    rest = table.drop_columns([*lists, *numbers]).to_pandas()
    out = Loaded()
    for column in lists:
        rows = table.column(column).combine_chunks()
        modality = modality_of(column) or (modality_of(name) if len(lists) == 1 else None)
        out.blocks.append(Block(_rectangle(rows.to_numpy(zero_copy_only=False), column, name), modality, rest, name))
    if numbers:
        matrix = np.column_stack([table.column(c).to_numpy() for c in numbers])
        out.blocks.append(Block(matrix, modality_of(name), rest, name))
    if not out.blocks:
        out.tables.append((name, rest))
    return out


def _rectangle(rows: Any, column: str, name: str) -> np.ndarray:
    """Lists of equal length as a matrix; missing ones and those of another length become NaN."""
    lengths = [-1 if row is None else len(row) for row in rows]
    known = [n for n in lengths if n > 0]
    if not known:
        raise SourceError(f"vectors in the column {column} of {name}", "empty lists", "Check the column.")
    width = max(set(known), key=known.count)
    if lengths.count(width) == len(lengths):
        return np.stack(list(rows))
    blank = np.full(width, np.nan, dtype=np.float32)
    return np.stack([row if n == width else blank for row, n in zip(rows, lengths)])


def _vector_columns(names: list[str]) -> list[str]:
    """Numbered columns of one stem (0, 1, ...; dim_0, dim_1, ...), in their order; [] where there are too few."""
    stems: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        found = re.fullmatch(r"(.*?)(\d+)\]?", name.strip())
        if found and len(found[2]) < 9:
            stems.setdefault(found[1], []).append((int(found[2]), name))
    best = max(stems.values(), key=len, default=[])
    return [name for _, name in sorted(best)] if len(best) >= _LEAST_COLUMNS else []


def _separated(data: bytes | Path, name: str) -> Loaded:
    if isinstance(data, Path):
        data = data.read_bytes()
    check_text(data, name)
    text = decode(data).text
    tabs = name.lower().endswith((".tsv", ".tab"))
    mark, width = delimiter_of(text, tabs)
    cells = [cell.strip() for cell in text.lstrip("\n").split("\n", 1)[0].split(mark)]
    if len(cells) > 1 and all(map(_is_float, cells)):
        frame = pd.read_csv(io.StringIO(text), sep=mark, header=None, dtype=np.float32, skipinitialspace=True)
        return Loaded([Block(frame.to_numpy(), modality_of(name), pd.DataFrame(index=range(len(frame))), name)])
    if width == 1 and not cells[0].startswith("["):
        lines = [line.strip() for line in text.strip("\r\n").splitlines()]
        return Loaded(tables=[(name, pd.DataFrame({"name": lines}))])
    head, _ = read_separated("\n".join(text.split("\n", _HEAD)[:_HEAD]), tabs)
    numbers = _vector_columns([c for c in head.columns if _mostly_floats(head[c])])
    frame = _with_floats(text, mark, head, numbers) if numbers else read_separated(text, tabs)[0]
    if numbers:
        rest = frame.drop(columns=numbers)
        if list(rest.columns) == ["column_1"]:
            rest.columns = pd.Index(["name"])
        return Loaded([Block(frame[numbers].to_numpy(np.float32), modality_of(name), rest, name)])
    first = {str(c): str(cells.iloc[0]).strip() for c, cells in frame.items() if len(cells)}
    packed = [c for c, cell in first.items() if cell.startswith("[") and _listed(cell)]
    out = Loaded()
    for column in packed:
        matrix = _rectangle([_listed(v) for v in frame[column]], column, name)
        modality = modality_of(column) or (modality_of(name) if len(packed) == 1 else None)
        out.blocks.append(Block(matrix, modality, frame.drop(columns=packed), name))
    if not packed:
        out.tables.append((name, frame))
    return out


def _with_floats(text: str, mark: str, head: pd.DataFrame, numbers: list[str]) -> pd.DataFrame:
    """The whole table with its vector columns read as float32 at once, without strings between."""
    missing = ["", "nan", "NaN", "null", "None"]
    kinds: Any = {c: np.float32 if c in set(numbers) else str for c in head.columns}
    header = 0 if is_header(text.lstrip("\n").split("\n", 1)[0].split(mark)) else None
    try:
        return pd.read_csv(io.StringIO(text), sep=mark, names=list(head.columns), header=header, dtype=kinds,
                           keep_default_na=False, na_values={c: missing if c in set(numbers) else [""] for c in kinds},
                           skipinitialspace=mark != "\t", index_col=False)
    except ValueError:
        frame, _ = read_separated(text, mark == "\t")
        frame[numbers] = frame[numbers].apply(pd.to_numeric, errors="coerce")
        return frame


def _mostly_floats(cells: pd.Series) -> bool:
    return sum(_is_float(str(cell)) for cell in cells) > len(cells) / 2


def _listed(cell: Any) -> list[float] | None:
    """Numbers written as a list, "[0.1, 0.2]" or numpy's "[0.1 0.2]"; None where it is none."""
    try:
        return [float(part) for part in str(cell).strip().strip("[]").replace(",", " ").split()] or None
    except ValueError:
        return None


def id_column(table: pd.DataFrame) -> str | None:
    """The column that names the rows, by its own name."""
    lowered = {str(c).lower(): str(c) for c in table.columns}
    named = [lowered[name] for name in _ID_NAMES if name in lowered]
    longer = rf"(image|img|text|txt)_?({'|'.join(_ID_NAMES)})"
    return next(iter(named), None) or next((c for low, c in lowered.items() if re.fullmatch(longer, low)), None)


def caption_column(table: pd.DataFrame) -> str | None:
    """The column that says what each text says."""
    return next((str(c) for c in table.columns if role_of(str(c)) == "caption"), None)


def _is_float(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
