"""Files of vectors, each read by its ending: npy, npz, Parquet, CSV, TSV and text; never unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from core.errors import SourceError
from core.sources.gate import check_text
from core.sources.text import decode
from core.sources.vectors.arrays import read_npy, read_npz
from core.sources.vectors.blocks import Loaded
from core.sources.vectors.columns import parquet_head, read_parquet
from core.sources.vectors.long import LONG_BYTES, read_long
from core.sources.vectors.separated import read_text

ENDINGS = (".npy", ".npz", ".parquet", ".pq", ".csv", ".tsv", ".tab", ".txt")
PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".joblib")
_HEAD = 100
_HEAD_BYTES = 1024**2


def load(data: bytes | Path, name: str) -> Loaded:
    """Everything one file holds that has to do with vectors.

    Raises
    ------
    SourceError
        If the format is not known, the file is damaged, or it holds pickled Python objects.
    """
    ending = PurePosixPath(name).suffix.lower()
    readers: dict[str, Callable[[bytes | Path, str], Loaded]] = {
        ".npy": read_npy, ".npz": read_npz, ".parquet": read_parquet, ".pq": read_parquet,
        **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), _text)}
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
    except (OSError, ValueError, TypeError, EOFError, KeyError, NotImplementedError, RuntimeError, zipfile.BadZipFile,
            MemoryError) as error:
        raise SourceError(f"vectors in {name}", f"a file that cannot be read as {ending[1:]} ({str(error)[:200]})",
                          "It may be cut off; save it again.") from error


def load_head(path: Path) -> Loaded:
    """What the first rows of a Parquet, CSV, TSV or text file hold; nothing where they cannot be read."""
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return parquet_head(path, _HEAD)
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
            whole = not file.read(1)
        return _text(head if whole else head[:head.rfind(b"\n") + 1], path.name)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SourceError):
        return Loaded()


def _text(data: bytes | Path, name: str) -> Loaded:
    check_text(data, name)
    if (data.stat().st_size if isinstance(data, Path) else len(data)) > LONG_BYTES:
        long = read_long(data, name)
        if long is not None:
            return long
    if isinstance(data, Path):
        data = data.read_bytes()
    decoded = decode(data)
    found = read_text(decoded.text, name)
    found.notices += [said] if (said := decoded.notice(name)) else []
    return found
