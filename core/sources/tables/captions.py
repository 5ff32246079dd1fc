"""Rows of a table and the images they name, put together as one dataset."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from core.errors import SourceError, check_choice
from core.sources.archives import clean
from core.sources.images.readers import ChosenImages
from core.sources.tables.columns import SPLITS, Roles, caption_language, captions_in, numbers_where_possible
from core.types import Dataset, Images, Refusal, as_ids

Found = tuple[Images | None, Mapping[str, int]]
_WIDE = 100


def assemble(frame: pd.DataFrame, roles: Roles, name: str, find: Callable[[Sequence[str], list[Refusal]], Found],
             refused: list[Refusal]) -> Dataset:
    """A dataset of a table's rows: an image for each name that is found, a text for each caption.

    Parameters
    ----------
    frame
        A row an image, or a row a caption.
    roles
        Which column holds what.
    name
        The table's file name.
    find
        Called with the different names of images and the list of refusals, to which it adds what is missing; returns
        a reader and the place in it of each name that is at hand.
    refused
        What was refused before.

    Raises
    ------
    SourceError
        If the table holds neither captions nor names of images.
    ChoiceError
        If ``roles`` names a column that is not there.
    """
    _check(roles, frame, name)
    names = [image_name(cell) for cell in frame[roles.image]] if roles.image else [""] * len(frame)
    unique = list(dict.fromkeys(n for n in names if n))
    images, kept = find(unique, refused) if unique else (None, {})
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
    return Dataset(
        name=PurePosixPath(name).stem, image_ids=as_ids(list(kept)), images=images, text_ids=as_ids(text_ids),
        texts=tuple(texts), links=np.array(links, dtype=np.int64).reshape(-1, 2),
        image_table=other.iloc[[first_row[n] for n in kept]].reset_index(drop=True),
        text_table=_text_table(other, roles, text_rows, text_columns), refused=tuple(refused))


def attach(dataset: Dataset, frame: pd.DataFrame, roles: Roles, name: str) -> Dataset:
    """A dataset with the captions and columns of a table that names its images; images it does not name stay."""
    places: list[int] = []

    def find(names: Sequence[str], refused: list[Refusal]) -> Found:
        found = match_names(names, dataset.image_ids)
        report_missing(names, found, dataset.name, refused)
        places.extend(found.values())
        chosen = [(dataset.images, at) for at in places if dataset.images is not None]
        return (ChosenImages(chosen) if chosen else None), {n: i for i, n in enumerate(found)}

    named = assemble(frame, roles, name, find, [])
    table = dataset.image_table.drop(columns=[c for c in named.image_table if c in dataset.image_table])
    said = named.image_table.set_axis(places, axis=0)
    said = said[~said.index.duplicated()].reindex(range(len(dataset.image_ids)))
    moved = np.array([(places[i], j + len(dataset.texts)) for i, j in named.links], dtype=np.int64).reshape(-1, 2)
    return replace(
        dataset, text_ids=as_ids([*dataset.text_ids, *named.text_ids]), texts=dataset.texts + named.texts,
        links=np.concatenate([dataset.links, moved]), image_table=pd.concat([table, said], axis=1),
        text_table=pd.concat([dataset.text_table, named.text_table], ignore_index=True),
        refused=dataset.refused + named.refused)


def _check(roles: Roles, frame: pd.DataFrame, name: str) -> None:
    for column in (roles.image, roles.label, roles.split, roles.language, roles.id, *roles.captions):
        if column is not None:
            check_choice(f"a column of {name}", column, frame.columns)
    if roles.image is None and not roles.captions:
        columns = ", ".join(map(str, frame.columns[:12])) + (", ..." if len(frame.columns) > 12 else "")
        raise SourceError(f"a column of captions or of image paths in {name}", f"the columns {columns}",
                          "Say which column holds what.")


def image_name(cell: Any) -> str:
    """What a cell calls its image; "" where it is empty."""
    if cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell):
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


def report_missing(names: Sequence[str], found: Mapping[str, Any], where: str, refused: list[Refusal]) -> None:
    """Add to ``refused`` each name that was not found, with the reason."""
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
