"""Arrays in numpy's formats, npy and npz; never unpickled."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import pandas as pd

from core.errors import SourceError
from core.sources.gate import check_archive, check_directory
from core.sources.vectors.blocks import Block, Loaded
from core.sources.vectors.names import modality_of
from core.types import Modality, Refusal


def read_npy(data: bytes | Path, name: str) -> Loaded:
    """One array; raises SourceError where it holds Python objects, ValueError where it is damaged."""
    with _open(data) as file:
        array = _array(file, file.seek(0, 2), name, data if isinstance(data, bytes) else None)
    return _from_arrays({PurePosixPath(name).stem: array}, name)


def read_npz(data: bytes | Path, name: str) -> Loaded:
    """All arrays of an npz; raises as `read_npy` does."""
    arrays: dict[str, np.ndarray] = {}
    others = []
    with _open(data) as file:
        check_directory(file, name)
        archive = zipfile.ZipFile(file)
        check_archive(archive.infolist(), name)
        for info in archive.infolist():
            key = info.filename.removesuffix(".npy")
            if info.filename.endswith(".npy"):
                with archive.open(info) as member:
                    unpacked = member.read()
                arrays[key] = _array(io.BytesIO(unpacked), info.file_size, f"{key} of {name}", unpacked)
            elif not info.is_dir():
                others.append(Refusal(f"{name}: {info.filename}", "it is no array"))
    found = _from_arrays(arrays, name)
    found.left_out += others
    return found


def _open(data: bytes | Path) -> IO[bytes]:
    return io.BytesIO(data) if isinstance(data, bytes) else open(data, "rb")


def _array(file: IO[bytes], size: int, what: str, data: bytes | None) -> np.ndarray:
    """One array in numpy's format, a view of ``data`` where its bytes are at hand; its header must agree with its size
    before anything is allocated."""
    file.seek(0)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_column, dtype = read(file)
    if dtype.hasobject:
        raise SourceError(f"numbers or strings in {what}", "pickled Python objects, which are never loaded",
                          "Save it as a plain array: numpy.asarray(x, dtype='float32') or dtype=str.")
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > size:
        raise ValueError(f"{what} says shape {shape}, more than the file holds")
    if data is not None and dtype.itemsize and 0 not in shape:
        flat = np.frombuffer(data, dtype=dtype, count=int(np.prod(shape, dtype=object)), offset=file.tell())
        return flat.reshape(shape, order="F" if by_column else "C")
    file.seek(0)
    return np.load(file, allow_pickle=False)


def _from_arrays(arrays: dict[str, np.ndarray], name: str) -> Loaded:
    alone = len(arrays) == 1 and (name.lower().endswith(".npy") or modality_of(next(iter(arrays)), hinted=True) is None)
    out = Loaded()
    columns: dict[str, np.ndarray] = {}
    for key, array in arrays.items():
        kept = array
        if array.ndim == 3 and 1 in array.shape[:2] and array.shape[0] != 2:
            kept = array.reshape(-1, array.shape[2])
        if kept.dtype.kind in "fiu" and kept.ndim == 3 and kept.shape[0] == 2 and kept.shape[2] > 1:
            _halves(kept, "" if alone else key, name, out)
        elif kept.dtype.kind in "fiu" and kept.ndim == 2 and kept.shape[1] > 1:
            out.blocks.append(Block(kept, None, pd.DataFrame(index=range(len(kept))), name, "" if alone else key))
        elif array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1):
            columns[key] = array
        else:
            out.left_out.append(Refusal(f"{name}: {key}", _no_vectors(array)))
    if not out.blocks:
        return _no_matrix(arrays, columns, out, name)
    lengths = [len(block.vectors) for block in out.blocks]
    used: set[str] = set()
    for block in out.blocks:
        spoken = block.modality or modality_of(block.key)
        own = {k: _column(a) for k, a in columns.items() if len(a) == len(block.vectors) and (
            modality_of(k) in (None, spoken) or lengths.count(len(block.vectors)) == 1)}
        used |= set(own)
        block.table = pd.DataFrame(own, index=range(len(block.vectors)))
    out.left_out += [Refusal(f"{name}: {key}", f"it has {len(array):,} values; no array of vectors that it could "
                                               f"belong to has so many rows")
                     for key, array in columns.items() if key not in used]
    return out


def _halves(array: np.ndarray, key: str, name: str, out: Loaded) -> None:
    """Images and texts out of one array (2, n, d), as the authors of the modality gap publish theirs."""
    whole = f"{name}: {key}" if key else name
    out.notices.append(f"{whole} has shape {array.shape}: its first half is taken for images, its second for texts.")
    halves: tuple[tuple[Modality, str], ...] = (("image", "first half"), ("text", "second half"))
    for vectors, (modality, half) in zip(array, halves, strict=True):
        out.blocks.append(Block(vectors, modality, pd.DataFrame(index=range(len(vectors))), name,
                                f"{key} {half}".strip()))


def _no_matrix(arrays: dict[str, np.ndarray], columns: dict[str, np.ndarray], out: Loaded, name: str) -> Loaded:
    """What a file without any matrix is: a table of its longest columns, else an error that names its shapes."""
    if not columns:
        shapes = ", ".join(f"{k} {a.dtype} {a.shape}" for k, a in arrays.items()) or "nothing"
        kind = next((_no_vectors(a) for a in arrays.values() if a.dtype.kind == "V"), "")
        raise SourceError(f"vectors of shape (n, d) in {name}", f"{shapes}{'; ' if kind else ''}{kind}",
                          "Save one row a vector, as float32.")
    longest = max(map(len, columns.values()))
    out.tables.append((name, pd.DataFrame({k: _column(a) for k, a in columns.items() if len(a) == longest})))
    out.left_out += [Refusal(f"{name}: {k}", f"it has {len(a):,} values, others {longest:,}")
                     for k, a in columns.items() if len(a) != longest]
    return out


def _no_vectors(array: np.ndarray) -> str:
    """Why an array is not taken for vectors."""
    said = f"shape {_shape(array)} of {array.dtype}"
    if array.dtype.kind == "V" and array.dtype.names is None:
        return f"{said}: bytes whose kind of number the file does not say, as bfloat16 is saved; save it as float32"
    if array.dtype.kind not in "fiu":
        return f"{said}: no numbers, one row a vector"
    if not array.size:
        return f"{said}: it is empty"
    return f"{said}: vectors are rows of a matrix (n, d), or two such matrices (2, n, d) of images and texts"


def _shape(array: np.ndarray) -> str:
    return str(array.shape) if array.ndim else "() (one value)"


def _column(array: np.ndarray) -> list[Any]:
    flat = array.reshape(-1)
    return [v.decode("utf-8", "replace") for v in flat.tolist()] if flat.dtype.kind == "S" else flat.tolist()
