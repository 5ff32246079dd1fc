"""Caption tables: rows that name images, captions, labels, splits and anything else, as one dataset."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import SourceError
from core.sources.images.opening import local_path, open_folder, open_given
from core.sources.images.parquet import ParquetImages
from core.sources.images.readers import ChosenImages, FileImages
from core.sources.tables.captions import Found, assemble, match_names, report_missing
from core.sources.tables.columns import Roles, guess_roles, passed_over
from core.sources.tables.reading import read_table
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
    A dataset whose ``refused`` lists missing images and unreadable rows, and whose ``left_out`` lists images that no
    row names and columns of images that are not used. Captions without an image stay, unlinked.

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
    roles = roles if roles is not None and roles != Roles(encoding=roles.encoding) else replace(
        guess_roles(table.frame, next(iter(table.pictures), None)), encoding=roles.encoding if roles else None)
    left_out = passed_over(table.frame, roles, table.pictures)

    def find(names: Sequence[str], refused: list[Refusal]) -> Found:
        if roles.image in table.pictures:
            rows = {n: row for row, n in enumerate(table.frame[roles.image].tolist())}
            return (ParquetImages(data, roles.image, [rows[n] for n in names], names),
                    {n: i for i, n in enumerate(names)})
        if images_root is not None:
            return _given(names, images_root, name, refused, left_out)
        return _beside(names, beside, name, refused)

    dataset = assemble(table.frame, roles, name, find, list(table.refused))
    if images_root is not None and (roles.image is None or roles.image in table.pictures):
        title = images_root.name if isinstance(images_root, Dataset) else Path(images_root).name if isinstance(
            images_root, str | Path) else "the archive"
        left_out.append(Refusal(title, f"{name} holds its pictures itself" if roles.image else
                                f"no column of {name} names the images in it"))
    return replace(dataset, left_out=tuple(left_out), notices=table.notices)


def columns_of(source: str | Path | tuple[str, bytes]) -> tuple[tuple[str, ...], Roles]:
    """The columns of a table and what `open_table` takes them for; raises SourceError as it does."""
    name, data = source if isinstance(source, tuple) else (Path(source).name, local_path(source, "table"))
    table = read_table(data, name)
    return tuple(map(str, table.frame.columns)), guess_roles(table.frame, next(iter(table.pictures), None))


def _given(names: Sequence[str], root: str | Path | bytes | Dataset, table: str, refused: list[Refusal],
           left_out: list[Refusal]) -> Found:
    """The named images among those that were given, and what else these hold."""
    dataset = open_given(root)
    found = match_names(names, dataset.image_ids)
    chosen = _among(found, names, dataset, refused)
    refused += dataset.refused
    taken = set(found.values())
    left_out += [Refusal(identity, f"no row of {table} names it") for i, identity in enumerate(dataset.image_ids)
                 if i not in taken]
    if dataset.texts:
        left_out.append(Refusal(f"{len(dataset.texts):,} captions beside the images of {dataset.name}",
                                f"those of {table} are taken"))
    left_out += dataset.left_out
    return chosen


def _beside(names: Sequence[str], folder: Path | None, table: str, refused: list[Refusal]) -> Found:
    """The named images in the folder of the table, and in the folders below it where some are not there."""
    if folder is None:
        many = f"{len(names):,} image{'' if len(names) == 1 else 's'}"
        refused.append(Refusal(table, f"it names {many}, but no folder or zip with them was given"))
        return None, {}
    paths = {name: path for name in names if os.path.isfile(path := os.path.join(folder, os.path.expanduser(name)))}
    if len(paths) < len(names):
        with contextlib.suppress(SourceError):
            dataset = open_folder(folder)
            return _among(match_names(names, dataset.image_ids), names, dataset, refused)
    report_missing(names, paths, folder.name or str(folder), refused)
    return (FileImages(list(paths.values()), list(paths)) if paths else None), {name: i for i, name in enumerate(paths)}


def _among(found: Mapping[str, int], names: Sequence[str], dataset: Dataset, refused: list[Refusal]) -> Found:
    """The images of a dataset that were found by name."""
    report_missing(names, found, dataset.name, refused)
    chosen = [(dataset.images, at) for at in found.values() if dataset.images is not None]
    return (ChosenImages(chosen) if chosen else None), {n: i for i, n in enumerate(found)}
