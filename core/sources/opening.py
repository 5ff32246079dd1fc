"""A path on this machine, whatever lies there: images, a caption table, or vectors made elsewhere."""

from __future__ import annotations

from pathlib import Path

from core.errors import SourceError
from core.sources.images.opening import local_path, open_folder, open_zip
from core.sources.tables.columns import Roles, guess_roles
from core.sources.tables.opening import open_table
from core.sources.tables.reading import ENDINGS as TABLES
from core.sources.vectors.files import PICKLED, load_head
from core.sources.vectors.opening import VectorSource, open_vectors
from core.types import Dataset

ARCHIVES = (".zip", ".tar", ".tgz", ".gz")
_LEAST_DIMENSIONS = 16


def open_path(path: str | Path, roles: Roles | None = None) -> Dataset | VectorSource:
    """What lies at a path.

    A folder or archive without an image in it, but with files of vectors, is opened as vectors; so is a table that
    holds vectors (at least 16 numbers a row) rather than captions or names of images.

    Parameters
    ----------
    path
        A folder, zip, tar, table (CSV, TSV, JSON, JSON lines, Parquet, text) or file of vectors (npy, npz as well).
    roles
        Which column of a table holds what; guessed by default. With them a table is never taken for vectors.

    Raises
    ------
    SourceError
        On a public server, if nothing is there, or if it is none of these.
    """
    local = local_path(path, "file")
    ending = local.suffix.lower()
    if not local.exists():
        raise SourceError("the path of a folder or file", f"{path}, which is not there", "Check the path.")
    if local.is_dir() or ending in ARCHIVES:
        try:
            return open_folder(local) if local.is_dir() else open_zip(local)
        except SourceError as no_images:
            if local.is_dir() or ending == ".zip":
                try:
                    return open_vectors(local)
                except SourceError:
                    raise no_images from None
            raise
    if ending in (".npy", ".npz", *PICKLED):
        return open_vectors(local)
    if ending in TABLES:
        return open_vectors(local) if roles is None and is_of_vectors(local) else open_table(local, roles=roles)
    raise SourceError("a folder, an archive (zip, tar), a table or a file of vectors",
                      f"{local.name}, which ends in {ending or 'nothing'}", "For single images name their folder.")


def is_of_vectors(path: Path) -> bool:
    """Whether a table holds vectors, by its first rows."""
    if path.suffix.lower() not in (".parquet", ".pq", ".csv", ".tsv", ".tab", ".txt"):
        return False
    blocks = load_head(path).blocks
    if not blocks or max(block.vectors.shape[1] for block in blocks) < _LEAST_DIMENSIONS:
        return False
    names = guess_roles(blocks[0].table) if len(blocks[0].table.columns) else Roles()
    wide = max(block.vectors.shape[1] for block in blocks) >= 2 * _LEAST_DIMENSIONS
    return wide or (names.image is None and not names.captions)
