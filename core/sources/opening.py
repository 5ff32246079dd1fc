"""A path on this machine, whatever lies there: images, a caption table, or vectors made elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from core.errors import SourceError
from core.sources.images.opening import local_path, open_folder, open_zip
from core.sources.tables.columns import Roles, guess_roles
from core.sources.tables.opening import open_table
from core.sources.tables.reading import ENDINGS as TABLES
from core.sources.tars import ARCHIVES
from core.sources.vectors.choosing import by_row
from core.sources.vectors.files import ENDINGS, PICKLED, load_head
from core.sources.vectors.opening import VectorSource, open_vectors
from core.types import Dataset

_LEAST_DIMENSIONS = 16


def open_path(path: str | Path, roles: Roles | None = None, *, images: Dataset | str | Path | None = None,
              encoding: str | None = None, parts: Mapping[str, str] | None = None) -> Dataset | VectorSource:
    """What lies at a path.

    A folder or archive without an image in it, but with files of vectors, is opened as vectors; so is a table that
    holds vectors (at least 16 numbers a row) rather than captions or names of images.

    Parameters
    ----------
    path
        A folder, zip, tar, table (CSV, TSV, JSON, JSON lines, Parquet, text) or file of vectors (npy, npz as well).
    roles
        Which column of a table holds what; guessed by default. With them a table is never taken for vectors.
    images
        Folder or zip of the images that a table names, or of pictures of vectors.
    encoding
        Of a table, and of texts and names beside pictures that do not say how they are written; guessed by default.
    parts
        What arrays of vectors hold, as `open_vectors` takes it.

    Raises
    ------
    SourceError
        On a public server, if nothing is there, or if it is none of these.
    """
    local = local_path(path, "file")
    ending = local.suffix.lower()
    if not local.exists():
        raise SourceError("the path of a folder or file", f"{path}, which is not there", "Check the path.")
    if local.is_dir() or local.name.lower().endswith(ARCHIVES):
        try:
            found = open_folder(local, encoding=encoding) if local.is_dir() else open_zip(local, encoding=encoding)
        except SourceError as no_images:
            try:
                return open_vectors(local, parts=parts, pictures=images)
            except SourceError:
                raise no_images from None
        if images is not None:
            raise SourceError(f"images beside a table or vectors, not beside {local.name}", str(images),
                              f"{local.name} holds its images itself.")
        return found
    if ending in (".npy", ".npz", *PICKLED):
        return open_vectors(local, parts=parts, pictures=images)
    if ending in TABLES:
        if roles is None and (parts or is_of_vectors(local)):
            return open_vectors(local, parts=parts, pictures=images)
        try:
            return open_table(local, images, roles=roles or (Roles(encoding=encoding) if encoding else None))
        except SourceError:
            if roles is None and ending in ENDINGS:
                with contextlib.suppress(SourceError):
                    return open_vectors(local, pictures=images)
            raise
    raise SourceError("a folder, an archive (zip, tar), a table or a file of vectors",
                      f"{local.name}, which ends in {ending or 'nothing'}", "For single images name their folder.")


def is_of_vectors(path: Path) -> bool:
    """Whether a table holds vectors, by its first rows: many numbers a row, or a column that says of what they are."""
    if path.suffix.lower() not in (".parquet", ".pq", ".csv", ".tsv", ".tab", ".txt"):
        return False
    blocks = load_head(path).blocks
    if any(map(by_row, blocks)):
        return True
    if not blocks or max(block.vectors.shape[1] for block in blocks) < _LEAST_DIMENSIONS:
        return False
    names = guess_roles(blocks[0].table) if len(blocks[0].table.columns) else Roles()
    wide = any(block.vectors.shape[1] >= (_LEAST_DIMENSIONS if block.key else 2 * _LEAST_DIMENSIONS)
               for block in blocks)
    return wide or (names.image is None and not names.captions)
