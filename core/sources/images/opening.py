"""Folders, zips and uploads of images, with captions where files beside the images hold some."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from core.errors import SourceError, UnreadableItem
from core.settings import settings
from core.sources.archives import clean, distinct, is_hidden, natural
from core.sources.images.beside import read_beside
from core.sources.images.folders import labels_from_folders
from core.sources.images.formats import EXTENSIONS, FOREIGN, OTHERS, ending_of, formats_of, kind_of
from core.sources.images.readers import FileImages, UploadImages, ZipImages
from core.sources.images.tables import tables_among, why_not_used, with_table
from core.sources.reasons import MAX_FILE_BYTES, too_large, why_not
from core.sources.tars import open_archive
from core.types import Dataset, Images, Refusal

_HEAD_BYTES = 512


@dataclass(frozen=True)
class Contents:
    """Files that were brought together: a folder, an archive or uploads.

    Attributes
    ----------
    title : what a user calls them.
    names : relative names, in natural order.
    size_of : bytes of a file; may raise OSError.
    read : a file, or no more than so many of its first bytes; may raise OSError or UnreadableItem.
    reader : of the images among them.
    refused : what could not be listed.
    left_out : what was listed and is not to be read.
    notices : what had to be guessed of the names.
    encoding : how the letters of texts among them are written that do not say it.
    """

    title: str
    names: Sequence[str]
    size_of: Callable[[str], int]
    read: Callable[[str, int], bytes]
    reader: Callable[[Sequence[str]], Images]
    refused: Sequence[Refusal] = ()
    left_out: Sequence[Refusal] = ()
    notices: tuple[str, ...] = ()
    encoding: str | None = None


def open_folder(path: str | Path, *, encoding: str | None = None) -> Dataset:
    """All images in a folder and the folders below it.

    Ids are paths relative to the folder; folders become the columns ``label`` and ``split`` of the image table; a
    text file beside an image, of the same name, holds its captions, one a line (as img2dataset writes them); tables
    among the files (metadata.jsonl, captions.txt, samples.json, a shard's, or the only table there is) add captions and
    columns to the images of their own folders. ``encoding`` is how texts are written that do not say it, guessed by
    default.

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

    def read(name: str, most: int) -> bytes:
        with open(files[name], "rb") as file:
            return file.read(most)

    return _dataset(Contents(root.name or str(root), names, lambda name: os.stat(files[name]).st_size, read,
                             lambda chosen: FileImages([files[name] for name in chosen], chosen), refused,
                             encoding=encoding))


def open_zip(source: str | Path | bytes, name: str | None = None, *, encoding: str | None = None) -> Dataset:
    """All images in a zip or a plain tar, by path or as bytes; folders, text files and tables as in ``open_folder``.

    ``encoding`` is that of names and texts that do not say how they are written; guessed by default.

    Raises
    ------
    SourceError
        For a path on a public server, if it is no zip, is locked or hostile as a whole, or if no image is in it.
    """
    if not isinstance(source, bytes):
        source = local_path(source, "zip")
    name = name or (source.name if isinstance(source, Path) else "the archive")
    archive = open_archive(source, name, encoding)
    return _dataset(Contents(PurePosixPath(name).stem or name, archive.members, archive.size, archive.read,
                             lambda chosen: ZipImages(archive, chosen), archive.refused, archive.left_out,
                             archive.notices, encoding))


def open_uploads(uploads: Sequence[tuple[str, bytes]], *, encoding: str | None = None) -> Dataset:
    """Several uploaded files, rows (name, bytes): images, and text files with their captions, as in ``open_folder``.

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
    return _dataset(Contents(title, names, lambda name: len(files[name]), lambda name, most: files[name][:most],
                             lambda chosen: UploadImages([(name, files[name]) for name in chosen]), encoding=encoding))


def open_given(root: str | Path | bytes | Dataset) -> Dataset:
    """Images that were given beside a table or vectors: a folder, a zip or tar, or a dataset opened before.

    Raises
    ------
    SourceError
        As ``open_folder`` and ``open_zip`` do, or if it holds no image.
    """
    if isinstance(root, str | Path):
        local = local_path(root, "zip with the images")
        root = open_folder(local) if local.is_dir() else open_zip(local)
    dataset = open_zip(root) if isinstance(root, bytes) else root
    if dataset.images is None:
        raise SourceError("a dataset with images", f"{dataset.name}, which holds texts alone", "Choose another one.")
    return dataset


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


def _dataset(files: Contents) -> Dataset:
    refused, left_out = list(files.refused), list(files.left_out)
    good, others = _sorted(files, refused, left_out)
    if not good:
        raise SourceError(f"images in {files.title}", _what_else(files.names, refused),
                          f"Image files end in {', '.join(sorted(EXTENSIONS))}.")

    def read(name: str) -> bytes:
        return files.read(name, MAX_FILE_BYTES)

    beside = read_beside(good, others, files.size_of, read, files.encoding)
    refused += beside.refused
    rows = [(i, f"{good[i]}/{n}", text) for i in range(len(good)) for n, text in enumerate(beside.captions.get(i, ()))]
    folders, said = labels_from_folders(good), beside.table(len(good))
    dataset = Dataset(
        name=files.title, image_ids=tuple(good), images=files.reader(good), text_ids=tuple(row[1] for row in rows),
        texts=tuple(row[2] for row in rows),
        links=np.array([(row[0], j) for j, row in enumerate(rows)], dtype=np.int64).reshape(-1, 2),
        image_table=pd.concat([folders.drop(columns=[c for c in said if c in folders]), said], axis=1),
        text_table=pd.DataFrame(index=range(len(rows))), refused=tuple(refused))
    tables = tables_among([name for name in others if name not in beside.used], good)
    dataset = replace(dataset, notices=files.notices + beside.notices())
    for table, folder in tables:
        dataset = with_table(dataset, table, folder, read(table), files.encoding)
    known = {*(table for table, _ in tables), *beside.used, *(r.name for r in (*dataset.refused, *left_out))}
    left_out += [Refusal(name, why_not_used(name, tables)) for name in others if name not in known]
    return replace(dataset, left_out=(*left_out, *dataset.left_out))


def _sorted(files: Contents, refused: list[Refusal], left_out: list[Refusal]) -> tuple[list[str], list[str]]:
    """The images among the files, and the files that are none; the first bytes say where a name does not."""
    good, others = [], []
    for name in files.names:
        ending = ending_of(name)
        if ending in FOREIGN:
            refused.append(Refusal(name, f"it is {FOREIGN[ending]}, which is not read as an image"))
            continue
        if ending in OTHERS:
            others.append(name)
            continue
        reason = _reason_by_size(files.size_of, name)
        if ending not in EXTENSIONS:
            kind, reason = _by_head(files, name, reason)
            if kind is None:
                left_out.append(Refusal(name, reason))
                continue
        if reason:
            refused.append(Refusal(name, reason))
        else:
            good.append(name)
    return good, others


def _by_head(files: Contents, name: str, reason: str) -> tuple[str | None, str]:
    """What the first bytes of a file are, and why it is not read; None where they are no picture's."""
    if reason:
        return None, reason
    try:
        head = files.read(name, _HEAD_BYTES)
    except (OSError, UnreadableItem) as error:
        return "", why_not(error) if isinstance(error, OSError) else error.got
    if formats_of(head):
        return kind_of(head), ""
    if kind_of(head) in FOREIGN.values():
        return "", f"it is {kind_of(head)}, which is not read as an image"
    return None, f"neither its name nor its first bytes say that it is an image{_is(kind_of(head))}"


def _is(kind: str) -> str:
    return f"; it is {kind}" if kind.startswith(("a ", "an ")) else ""


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
