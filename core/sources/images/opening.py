"""Folders, zips and uploads of images, with captions where files beside the images hold some."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from core.errors import SourceError
from core.settings import settings
from core.sources.archives import Archive, clean, distinct, is_hidden, natural
from core.sources.gate import TextAllowance
from core.sources.images.decoding import EXTENSIONS
from core.sources.images.readers import FileImages, UploadImages, ZipImages
from core.sources.reasons import MAX_FILE_BYTES, too_large, why_not
from core.sources.tables.captions import attach
from core.sources.tables.columns import SPLITS, guess_roles
from core.sources.tables.reading import read_table
from core.sources.tars import TarArchive
from core.types import Dataset, Images, Refusal

_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_NAMED_TABLE = r"(metadata|captions?|annotations?|labels|samples|results)(_\w+)?\.(csv|tsv|txt|jsonl?|ndjson|parquet)"
_FOREIGN = {".heic": "a HEIC photo", ".heif": "a HEIC photo", ".svg": "a drawing (SVG)", ".psd": "a Photoshop document",
            ".raw": "a raw photo", ".cr2": "a raw photo", ".cr3": "a raw photo", ".nef": "a raw photo",
            ".arw": "a raw photo", ".dng": "a raw photo", ".eps": "a PostScript document"}


def open_folder(path: str | Path) -> Dataset:
    """All images in a folder and the folders below it.

    Ids are paths relative to the folder; folders become the columns ``label`` and ``split`` of the image table; a
    text file beside an image, of the same name, holds its captions, one a line (as img2dataset writes them); a table
    among the files (metadata.jsonl, captions.txt, samples.json, or the only table there is) adds captions and columns.

    Raises
    ------
    SourceError
        On a public server, if the path is no folder, or if no image is in it.
    """
    root = local_path(path, "folder")
    if not root.is_dir():
        raise SourceError("the path of a folder", f"{path}, which is {'a file' if root.exists() else 'not there'}",
                          "Check the path.")
    files: dict[str, str] = {}
    refused = []
    for name, entry in _walk(root):
        if isinstance(entry, Refusal):
            refused.append(entry)
        else:
            files[name] = entry
    names = sorted(files, key=natural)

    def text_of(name: str) -> bytes:
        with open(files[name], "rb") as file:
            return file.read(MAX_FILE_BYTES)

    def reader(chosen: Sequence[str]) -> Images:
        return FileImages([files[name] for name in chosen], chosen)

    return _dataset(root.name or str(root), names, lambda name: os.stat(files[name]).st_size, reader, text_of, refused)


def open_zip(source: str | Path | bytes, name: str | None = None) -> Dataset:
    """All images in a zip or a plain tar, by path or as bytes; folders, text files and tables as in ``open_folder``.

    Raises
    ------
    SourceError
        For a path on a public server, if it is no zip, is locked or hostile as a whole, or if no image is in it.
    """
    if not isinstance(source, bytes):
        source = local_path(source, "zip")
    name = name or (source.name if isinstance(source, Path) else "the archive")
    archive = (TarArchive if name.lower().endswith((".tar", ".tar.gz", ".tgz")) else Archive)(source, name)
    return _dataset(PurePosixPath(name).stem or name, archive.members, archive.size,
                    lambda chosen: ZipImages(archive, chosen), archive.read, list(archive.refused))


def open_uploads(uploads: Sequence[tuple[str, bytes]]) -> Dataset:
    """Several uploaded files, rows (name, bytes): images, and text files with their captions.

    Raises
    ------
    SourceError
        If no image is among them.
    """
    files: dict[str, bytes] = {}
    for name, data in uploads:
        if not is_hidden(clean(name)):
            files[distinct(clean(name), files)] = data
    names = sorted(files, key=natural)
    title = names[0] if len(names) == 1 else f"{len(names):,} uploaded files"
    return _dataset(title, names, lambda name: len(files[name]),
                    lambda chosen: UploadImages([(name, files[name]) for name in chosen]),
                    lambda name: files[name], [])


def local_path(path: str | Path, kind: str) -> Path:
    """The path as a user typed it; raises SourceError on a public server, where no path is ever opened."""
    if settings().hosted:
        raise SourceError(f"an uploaded {kind}", "a path on the server", "This is a public server: upload the files.")
    return Path(path).expanduser()


def _walk(root: Path) -> Iterator[tuple[str, str | Refusal]]:
    pending = [(str(root), "")]
    seen = set()
    while pending:
        folder, prefix = pending.pop()
        try:
            real = os.path.realpath(folder)
            if real in seen:
                continue
            seen.add(real)
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = prefix + entry.name
                    if is_hidden(entry.name):
                        continue
                    if entry.is_dir():
                        pending.append((entry.path, name + "/"))
                    else:
                        yield name, entry.path
        except OSError as error:
            yield prefix, Refusal(prefix.rstrip("/") or root.name, why_not(error))


def _dataset(title: str, names: Sequence[str], size_of: Callable[[str], int],
             reader: Callable[[Sequence[str]], Images], text_of: Callable[[str], bytes],
             refused: list[Refusal]) -> Dataset:
    good, texts_beside = [], {}
    for name in names:
        stem, extension = os.path.splitext(name)
        extension = extension.lower()
        if extension in EXTENSIONS:
            reason = _reason_by_size(size_of, name)
            if reason:
                refused.append(Refusal(name, reason))
            else:
                good.append(name)
        elif extension in _FOREIGN:
            refused.append(Refusal(name, f"it is {_FOREIGN[extension]}, which is not read as an image"))
        elif extension == ".txt":
            texts_beside[stem] = name
    if not good:
        raise SourceError(f"images in {title}", _what_else(names, refused),
                          f"Image files end in {', '.join(sorted(EXTENSIONS))}.")
    text_ids: list[str] = []
    texts: list[str] = []
    links, allowed = [], TextAllowance()
    for i, name in enumerate(good):
        beside = texts_beside.get(os.path.splitext(name)[0])
        reason = allowed.take(size_of(beside)) if beside else ""
        if beside and reason:
            refused.append(Refusal(beside, reason))
            beside = None
        for number, caption in enumerate(_captions(text_of(beside)) if beside else ()):
            links.append((i, len(texts)))
            text_ids.append(f"{name}/{number}")
            texts.append(caption)
    dataset = Dataset(
        name=title, image_ids=tuple(good), images=reader(good), text_ids=tuple(text_ids), texts=tuple(texts),
        links=np.array(links, dtype=np.int64).reshape(-1, 2), image_table=labels_from_folders(good),
        text_table=pd.DataFrame(index=range(len(texts))), refused=tuple(refused))
    table = _table_among(names)
    return _with_table(dataset, table, text_of(table)) if table else dataset


def _table_among(names: Sequence[str]) -> str | None:
    """The table that describes the images: one of a telling name, nearest to the top, else the only table there is."""
    named = [n for n in names if re.fullmatch(_NAMED_TABLE, n.rsplit("/", 1)[-1].lower())]
    if named:
        return min(named, key=lambda n: n.count("/"))
    tables = [n for n in names if n.lower().endswith(_TABLES)]
    return tables[0] if len(tables) == 1 else None


def _with_table(dataset: Dataset, name: str, data: bytes) -> Dataset:
    try:
        frame, rows_refused = read_table(data, name)
        roles = guess_roles(frame)
        if roles.image is None:
            reason = f"no column of it names images ({', '.join(map(str, frame.columns[:6]))})"
            return replace(dataset, refused=(*dataset.refused, Refusal(name, reason)))
        dataset = attach(dataset, frame, roles, name)
        return replace(dataset, refused=(*dataset.refused, *rows_refused))
    except SourceError as error:
        return replace(dataset, refused=(*dataset.refused, Refusal(name, error.got)))


def _reason_by_size(size_of: Callable[[str], int], name: str) -> str:
    try:
        size = size_of(name)
    except OSError as error:
        return why_not(error)
    if not size:
        return "the file is empty"
    return too_large(size) if size > MAX_FILE_BYTES else ""


def _what_else(names: Sequence[str], refused: Sequence[Refusal]) -> str:
    if refused:
        return f"none that can be read ({len(refused):,} refused; {refused[0].name}: {refused[0].reason})"
    kinds = sorted({os.path.splitext(name)[1].lower() or "no ending" for name in names})
    return f"{len(names):,} other files ({', '.join(kinds[:6])})" if names else "an empty folder"


def _captions(data: bytes) -> list[str]:
    text = data.decode("utf-8-sig", "replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def labels_from_folders(names: Sequence[str]) -> pd.DataFrame:
    """Columns ``split`` and ``label`` (and ``folder_1``, ``folder_2``, ... where deeper) from the folders of files.

    What all files share is left out; a folder named train, val, test or the like is the split, not the label.
    """
    folders = [name.split("/")[:-1] for name in names]
    first, last = min(folders, default=[]), max(folders, default=[])
    shared = next((i for i, (a, b) in enumerate(zip(first, last)) if a != b), min(len(first), len(last)))
    if shared and folders[0][shared - 1].lower() in SPLITS:
        shared -= 1
    folders = [parts[shared:] for parts in folders]
    table = pd.DataFrame(index=range(len(names)))
    splits = [SPLITS.get(parts[0].lower(), "") if parts else "" for parts in folders]
    if any(splits):
        table["split"] = splits
        folders = [parts[1:] if split else parts for parts, split in zip(folders, splits)]
    if all(parts and all(part.isdecimal() and len(part) > 3 for part in parts) for parts in folders):
        return table  # numbered shards, not classes
    depth = max((len(parts) for parts in folders), default=0)
    if depth:
        table["label"] = ["/".join(parts) for parts in folders]
    if depth > 1:
        for level in range(depth):
            table[f"folder_{level + 1}"] = [parts[level] if level < len(parts) else "" for parts in folders]
    return table
