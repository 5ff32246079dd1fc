"""Caption tables: rows that name images, captions, labels, splits and anything else, as one dataset."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import SourceError, check_choice
from core.sources.archives import clean
from core.sources.columns import Roles, caption_language, captions_in, guess_roles, numbers_where_possible
from core.sources.images import ChosenImages, FileImages
from core.sources.open_images import SPLITS, local_path, open_folder, open_zip
from core.sources.tables import read_table
from core.types import Dataset, Images, Refusal, as_ids

Root = str | Path | bytes | Dataset | None
_WIDE = 100


def open_table(source: str | Path | tuple[str, bytes], images_root: Root = None, *,
               roles: Roles | None = None) -> Dataset:
    """A table with a row an image or a row a caption, and the images it names.

    Parameters
    ----------
    source
        Path of a CSV, TSV, JSON, JSON lines, Parquet or text file, or (name, bytes) of an upload.
    images_root
        Where the named images are: a folder, a zip (path or bytes), or a dataset opened before; by default the
        table's own folder. Names match by path, by their last part, or without the ending, where that is unique.
    roles
        Which column holds what; guessed by default (``guess_roles``).

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
    if isinstance(source, tuple):
        name, data, beside = source[0], source[1], None
        frame, refused = read_table(data, name)
    else:
        path = local_path(source, "table")
        if not path.is_file():
            what = "a folder" if path.exists() else "not there"
            raise SourceError("the path of a table", f"{source}, which is {what}", "Check the path.")
        name, beside = path.name, path.parent
        frame, refused = read_table(path, name)
    if roles is None:
        roles = guess_roles(frame)
    _check(roles, frame, name)
    return _assemble(frame, roles, name, images_root, beside, list(refused))


def _check(roles: Roles, frame: pd.DataFrame, name: str) -> None:
    for column in (roles.image, roles.label, roles.split, roles.language, roles.id, *roles.captions):
        if column is not None:
            check_choice(f"a column of {name}", column, frame.columns)
    if roles.image is None and not roles.captions:
        columns = ", ".join(map(str, frame.columns[:12])) + (", ..." if len(frame.columns) > 12 else "")
        raise SourceError(f"a column of captions or of image paths in {name}", f"the columns {columns}",
                          "Say which column holds what.")


def _assemble(frame: pd.DataFrame, roles: Roles, name: str, root: Root, beside: Path | None,
              refused: list[Refusal]) -> Dataset:
    cells = frame[roles.image].tolist() if roles.image else [None] * len(frame)
    names = [_image_name(cell) for cell in cells]
    unique = list(dict.fromkeys(n for n in names if n))
    images, kept = (None, {}) if not unique else _find(unique, root, beside, name, refused)
    other = _other_columns(frame, roles)

    texts: list[str] = []
    text_ids, text_rows, text_columns, links = [], [], [], []
    given = [str(v) for v in frame[roles.id]] if roles.id else None
    counts: dict[str, int] = {}
    columns = [frame[c].tolist() for c in roles.captions]
    for row, image in enumerate(names):
        for at, column in enumerate(columns):
            for caption in captions_in(column[row]):
                owner = image or (given[row] if given else f"row {row + 1}")
                number = counts[owner] = counts.get(owner, -1) + 1
                if image in kept:
                    links.append((kept[image], len(texts)))
                text_ids.append(f"{owner}/{number}" if image or number else owner)
                texts.append(caption)
                text_rows.append(row)
                text_columns.append(at)
    first_row = {image: row for row, image in reversed(list(enumerate(names)))}
    image_table = other.iloc[[first_row[n] for n in kept]].reset_index(drop=True)
    return Dataset(
        name=Path(name).stem, image_ids=as_ids(list(kept)), images=images, text_ids=as_ids(text_ids),
        texts=tuple(texts), links=np.array(links, dtype=np.int64).reshape(-1, 2), image_table=image_table,
        text_table=_text_table(other, roles, text_rows, text_columns), refused=tuple(refused))


def _image_name(cell: Any) -> str:
    if isinstance(cell, dict):
        cell = cell.get("path")
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _other_columns(frame: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Everything but captions and image paths; role columns under their role's name, numbers as numbers."""
    renamed = {getattr(roles, role): role for role in ("label", "split", "language") if getattr(roles, role)}
    other = frame.drop(columns=[c for c in (*roles.captions, roles.image) if c is not None])
    other = other.drop(columns=[c for c in renamed.values() if c in other and c not in renamed])
    other = other.rename(columns=renamed)
    parts = {c: numbers_where_possible(other[c]) for c in other.columns}
    if "split" in parts:
        parts["split"] = other["split"].map(lambda v: SPLITS.get(str(v).strip().lower(), v))
    return pd.DataFrame(parts, index=other.index)


def _text_table(other: pd.DataFrame, roles: Roles, rows: Sequence[int], columns: Sequence[int]) -> pd.DataFrame:
    kept = other if other.shape[1] <= _WIDE else other[[c for c in ("label", "split", "language") if c in other]]
    table = kept.iloc[list(rows)].reset_index(drop=True)
    languages = [caption_language(c) for c in roles.captions]
    if "language" not in table and any(languages):
        table["language"] = [languages[at] for at in columns]
    if len(roles.captions) > 1:
        table["caption_column"] = [roles.captions[at] for at in columns]
    return table


def _find(names: Sequence[str], root: Root, beside: Path | None, table: str,
          refused: list[Refusal]) -> tuple[Images | None, dict[str, int]]:
    """The images of the table that are at hand, and their places by name; what is missing goes to ``refused``."""
    if root is None and beside is None:
        refused.append(Refusal(table, f"it names {len(names):,} images, but no folder or zip with them was given"))
        return None, {}
    base = beside if root is None else None
    if isinstance(root, str | Path) and (local := local_path(root, "zip with the images")).is_dir():
        base = local
    paths: dict[str, str] = {}
    if base is not None:
        for name in names:
            if os.path.isfile(path := os.path.join(base, os.path.expanduser(name))):
                paths[name] = path
        if len(paths) == len(names) or root is None:
            _report_missing(names, paths, str(base.name or base), refused)
            kept = list(paths)
            return (FileImages([paths[n] for n in kept], kept) if kept else None), {n: i for i, n in enumerate(kept)}
    dataset = root if isinstance(root, Dataset) else open_folder(base) if base else open_zip(root)  # type: ignore[arg-type]
    if dataset.images is None:
        raise SourceError("a dataset with images", f"{dataset.name}, which holds texts alone", "Choose another one.")
    refused += [] if isinstance(root, Dataset) else dataset.refused
    found = match_names(names, dataset.image_ids)
    _report_missing(names, found, dataset.name, refused)
    chosen = [(dataset.images, at) for at in found.values()]
    return (ChosenImages(chosen) if chosen else None), {n: i for i, n in enumerate(found)}


def _report_missing(names: Sequence[str], found: Sequence[str] | dict[str, Any], where: str,
                    refused: list[Refusal]) -> None:
    for name in names:
        if name not in found:
            remote = name.startswith(("http://", "https://", "s3://", "gs://"))
            refused.append(Refusal(name, "it is an address on the web; download the images first" if remote
                                   else f"no image of this name in {where}"))


def match_names(names: Sequence[str], ids: Sequence[str]) -> dict[str, int]:
    """Which id each name means: the same path, else the longest common end, else the same name without its ending.

    A name that several ids fit equally well is left out.
    """
    exact = {identity: i for i, identity in enumerate(ids)}
    by_last: dict[str, list[int]] = {}
    by_stem: dict[str, list[int]] = {}
    for i, identity in enumerate(ids):
        last = identity.rsplit("/", 1)[-1]
        by_last.setdefault(last, []).append(i)
        by_stem.setdefault(_bare(last), []).append(i)
    out = {}
    for name in names:
        path = clean(name)
        at = exact.get(path)
        if at is None:
            last = path.rsplit("/", 1)[-1]
            at = _best(path, by_last.get(last) or by_stem.get(_bare(last)) or [], ids)
        if at is not None:
            out[name] = at
    return out


def _bare(last: str) -> str:
    stem = os.path.splitext(last)[0]
    return stem.lstrip("0") or stem


def _best(path: str, candidates: Sequence[int], ids: Sequence[str]) -> int | None:
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    parts = path.split("/")[-2::-1]

    def agreement(i: int) -> int:
        theirs = ids[i].split("/")[-2::-1]
        return next((k for k, (a, b) in enumerate(zip(parts, theirs)) if a != b), min(len(parts), len(theirs)))

    scores = sorted(((agreement(i), i) for i in candidates), reverse=True)
    return scores[0][1] if scores[0][0] > scores[1][0] else None
