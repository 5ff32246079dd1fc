"""A record as one file: a zip of arrays in numpy's format and a header in JSON; nothing in it is ever unpickled."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from core.encoding.export import whole_file
from core.errors import OrreryError, SourceError
from core.learning.records.record import MEASURES, Probe, Record
from core.settings import MB, settings
from core.sources.gate import check_archive, check_directory, read_bounded

SUFFIX = ".orrery-run"
HEADER = "record.json"
FORMAT, VERSION = "orrery-run", 1
_ARRAYS = {"steps": "<i8", "links": "<i8", "images": "<f4", "texts": "<f4"}
_MEASURE = "measures/"
LAST_STEP = 2**53 - 1       # beyond it a browser counts otherwise
_LOOKS = 50
_LONGEST = 1000
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError, RuntimeError, RecursionError,
           NotImplementedError, UnicodeError, OverflowError)
_WRITE_ONE = "Write one with core.learning.records.recorder.Recorder, or with core.learning.records.file.write_record."


def record_bytes(record: Record) -> bytes:
    """The file of a record; equal records of one name and setup give equal bytes."""
    header = {"format": FORMAT, "version": VERSION, "name": record.name, "images": record.probe.images,
              "texts": record.probe.texts, "labels": record.probe.labels, "setup": dict(record.setup),
              "ended": record.ended}
    arrays = {"steps": record.steps, "links": record.probe.links, "images": record.images, "texts": record.texts}
    arrays |= {_MEASURE + name: record.measures[name] for name in MEASURES if name in record.measures}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(HEADER), json.dumps(header, sort_keys=True, default=str))
        for name, array in arrays.items():
            with archive.open(_member(f"{name}.npy"), "w", force_zip64=array.nbytes > 2**31) as file:
                plain = np.ascontiguousarray(array, dtype=_ARRAYS.get(name, "<f8"))
                np.lib.format.write_array(file, plain, version=(1, 0), allow_pickle=False)
    return out.getvalue()


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info


def write_record(record: Record, path: str | Path) -> Path:
    """Write a record, whole or not at all: the file appears, or replaces an earlier one, when all of it is written.

    Raises
    ------
    SourceError
        If it cannot be written there.
    """
    path = Path(path)
    with whole_file(path) as part:
        part.write_bytes(record_bytes(record))
    return path


def read_record(source: str | Path | bytes, name: str = "") -> Record:
    """The record in a file, equal to the one that was written; halves of letters in its name and classes are "?" now.

    Parameters
    ----------
    source : a path, or the bytes of a file.
    name : what errors call it; by default the name of the path.

    Raises
    ------
    SourceError
        If it is absent, no record, damaged, or over the budget of this process (`core.settings`); sizes are looked at
        before anything is unpacked.
    """
    name = name or ("the file" if isinstance(source, bytes) else Path(source).name)
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
            return _read(file, name)
    except OrreryError:
        raise
    except OSError as error:
        raise SourceError(f"the record {name}", error.strerror or type(error).__name__, "Check the path.") from error
    except _DAMAGE as error:
        raise SourceError(f"a whole record in {name}", f"{type(error).__name__}: {error}"[:300],
                          "It is damaged or cut off; bring it again.") from error


def _read(file: IO[bytes], name: str) -> Record:
    if not zipfile.is_zipfile(file):
        file.seek(0)
        if file.read(2) == b"PK":
            raise SourceError(f"a whole record in {name}", "a file that is cut off", "Bring it again.")
        raise SourceError(f"a record of a training in {name}", "a file that is no zip", _WRITE_ONE)
    check_directory(file, name)
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        check_archive(infos, name)
        total = sum(info.file_size for info in infos)
        if total > settings().budget.unpacked_mb * MB:
            raise SourceError(f"at most {settings().budget.unpacked_mb:,} MB unpacked in {name}",
                              f"{total / MB:,.0f} MB", "Keep fewer steps, or a smaller probe set.")
        members = {info.filename: info for info in infos}
        if len(members) < len(infos):
            raise ValueError("two files of one name in it")
        _check_complete(members, name)
        header = json.loads(_member_bytes(archive, members[HEADER], settings().budget.texts_mb * MB))
        said = _checked_header(header, name)
        arrays = {key: _array(archive, members[f"{key}.npy"], kind) for key, kind in _ARRAYS.items()}
        measures = {key: _array(archive, members[f"{_MEASURE}{key}.npy"], "<f8") for key in MEASURES
                    if f"{_MEASURE}{key}.npy" in members}
    if arrays["links"].ndim != 2 or arrays["links"].shape[1] != 2:
        raise ValueError(f"links of shape {arrays['links'].shape}; (pairs, 2) is right")
    _check_cost(len(said["images"]), len(said["texts"]), arrays["steps"], name)
    probe = Probe(tuple(said["images"]), tuple(said["texts"]), arrays["links"], tuple(said["labels"]))
    return Record(said["name"], probe, arrays["steps"], arrays["images"], arrays["texts"], measures, said["setup"],
                  said["ended"])


def _check_complete(members: Mapping[str, object], name: str) -> None:
    """Refuse what others wrote, with what a record has besides."""
    wanted = [HEADER, *(f"{key}.npy" for key in _ARRAYS)]
    missing = [one for one in wanted if one not in members]
    if missing:
        found = ", ".join(sorted(members)[:8]) or "nothing"
        raise SourceError(f"a record of a training in {name}, with {', '.join(wanted)}",
                          f"{found[:300]}; {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
                          _WRITE_ONE)


def _checked_header(header: Any, name: str) -> dict[str, Any]:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise SourceError(f"a header of the format {FORMAT} in {name}", "another one", _WRITE_ONE)
    if header.get("version") != VERSION:
        raise SourceError(f"version {VERSION} of the format in {name}", f"version {header.get('version')!r:.20}",
                          "It was written by a newer Orrery: use that one.")
    for key, kind in (("name", str), ("ended", str), ("setup", dict), ("images", list), ("texts", list),
                      ("labels", list)):
        if not isinstance(header.get(key), kind):
            raise ValueError(f"the header has no {key}, or of another kind")
        if kind is list and not all(isinstance(one, str) for one in header[key]):
            raise ValueError(f"{key} in the header are not all texts")
    for key in ("name", "ended"):
        if len(header[key]) > _LONGEST:
            raise ValueError(f"{key} in the header is longer than {_LONGEST:,} letters")
    return {**header, "name": _whole(header["name"]), "labels": [_whole(label) for label in header["labels"]]}


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _check_cost(images: int, texts: int, steps: np.ndarray, name: str) -> None:
    """Refuse what would take all memory or days to look at: each image is compared with each text at every step."""
    most = settings().budget.probe
    if max(images, texts) > most:
        raise SourceError(f"at most {most:,} images and as many texts in {name}", f"{images:,} and {texts:,}",
                          "Keep a smaller probe set.")
    if steps.size * images * texts > _LOOKS * most**2:
        raise SourceError(f"at most {_LOOKS * most**2 // max(images * texts, 1):,} steps of {images:,} images and "
                          f"{texts:,} texts in {name}", f"{steps.size:,}", "Keep fewer steps, or a smaller probe set.")
    if steps.size and not 0 <= steps.min() <= steps.max() <= LAST_STEP:
        raise SourceError(f"steps from 0 to {LAST_STEP:,} in {name}", f"{steps.min():,} to {steps.max():,}", _WRITE_ONE)


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, kind: str) -> np.ndarray:
    """An array of that kind of number, by rows, that fills its member."""
    data = _member_bytes(archive, info, info.file_size)
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"{info.filename} is of another version of numpy's format")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype != np.dtype(kind) or by_column:
        raise ValueError(f"{info.filename} has numbers of the kind {dtype.str:.20}; {kind} by rows is right")
    size = dtype.itemsize
    for side in shape:
        size *= side
    if min(shape, default=1) < 0 or size != len(data) - file.tell():
        raise ValueError(f"{info.filename} says shape {shape}, which is not what it holds"[:200])
    return np.frombuffer(data, dtype, offset=file.tell()).reshape(shape)


def _member_bytes(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(info) as file:
        return read_bounded(file, most, info.filename[:80])
