"""Caption tables: rows that name images, captions, labels, splits and anything else, as one dataset."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import SourceError
from core.sources.images.opening import local_path, open_folder, open_zip
from core.sources.images.parquet import ParquetImages
from core.sources.images.readers import ChosenImages, FileImages
from core.sources.tables.captions import Found, assemble, match_names, report_missing
from core.sources.tables.columns import Roles, guess_roles
from core.sources.tables.reading import bytes_column, read_table
from core.types import Dataset, Refusal

Root = str | Path | bytes | Dataset | None


def open_table(source: str | Path | tuple[str, bytes], images_root: Root = None, *,
               roles: Roles | None = None) -> Dataset:
    """A table with a row an image or a row a caption, and the images it names or carries.

    Parameters
    ----------
    source
        Path of a CSV, TSV, JSON, JSON lines, Parquet or text file, or (name, bytes) of an upload.
    images_root
        Where the named images are: a folder, a zip (path or bytes), or a dataset opened before; by default the
        table's own folder. Names match by path, by their last part, or without the ending, where that is unique.
    roles
        Which column holds what; guessed by default (``guess_roles`` of ``read_table``).

    Returns
    -------
    A dataset whose ``refused`` lists missing images and unreadable rows. Captions without an image stay, unlinked.

    Raises
    ------
    SourceError
        If the file is no table, or holds neither captions nor images; for a path on a public server.
    ChoiceError
        If ``roles`` names a column that is not there.
    """
    data: bytes | Path
    if isinstance(source, tuple):
        name, data, beside = source[0], source[1], None
    else:
        data = local_path(source, "table")
        if not data.is_file():
            what = "a folder" if data.exists() else "not there"
            raise SourceError("the path of a table", f"{source}, which is {what}", "Check the path.")
        name, beside = data.name, data.parent
    table = read_table(data, name, roles.encoding if roles else None)
    packed = bytes_column(data, name)
    roles = roles if roles is not None and roles != Roles(encoding=roles.encoding) else replace(
        guess_roles(table.frame, packed), encoding=roles.encoding if roles else None)

    def find(names: Sequence[str], refused: list[Refusal]) -> Found:
        if packed is not None and packed == roles.image:
            rows = {n: row for row, n in enumerate(table.frame[packed].tolist())}
            return ParquetImages(data, packed, [rows[n] for n in names], names), {n: i for i, n in enumerate(names)}
        return _find(names, images_root, beside, name, refused)

    return replace(assemble(table.frame, roles, name, find, list(table.refused)), notices=table.notices)


def columns_of(source: str | Path | tuple[str, bytes]) -> tuple[tuple[str, ...], Roles]:
    """The columns of a table and what `open_table` takes them for; raises SourceError as it does."""
    name, data = source if isinstance(source, tuple) else (Path(source).name, local_path(source, "table"))
    frame = read_table(data, name).frame
    return tuple(map(str, frame.columns)), guess_roles(frame, bytes_column(data, name))


def _find(names: Sequence[str], root: Root, beside: Path | None, table: str, refused: list[Refusal]) -> Found:
    """The named images that are at hand: in the root, or beside the table."""
    if root is None and beside is None:
        refused.append(Refusal(table, f"it names {len(names):,} images, but no folder or zip with them was given"))
        return None, {}
    base = beside if root is None else None
    if isinstance(root, str | Path) and (local := local_path(root, "zip with the images")).is_dir():
        base = local
    if base is not None:
        paths = {name: path for name in names if os.path.isfile(path := os.path.join(base, os.path.expanduser(name)))}
        if len(paths) < len(names) and root is None:
            with contextlib.suppress(SourceError):
                return _among(names, open_folder(base), refused)
        if len(paths) == len(names) or root is None:
            report_missing(names, paths, base.name or str(base), refused)
            kept = {name: i for i, name in enumerate(paths)}
            return (FileImages(list(paths.values()), list(paths)) if paths else None), kept
    dataset = root if isinstance(root, Dataset) else open_folder(base) if base else open_zip(root)  # type: ignore[arg-type]
    if dataset.images is None:
        raise SourceError("a dataset with images", f"{dataset.name}, which holds texts alone", "Choose another one.")
    refused += [] if isinstance(root, Dataset) else dataset.refused
    return _among(names, dataset, refused)


def _among(names: Sequence[str], dataset: Dataset, refused: list[Refusal]) -> Found:
    """The named images among those of a dataset."""
    found = match_names(names, dataset.image_ids)
    report_missing(names, found, dataset.name, refused)
    chosen = [(dataset.images, at) for at in found.values() if dataset.images is not None]
    return (ChosenImages(chosen) if chosen else None), {n: i for i, n in enumerate(found)}
