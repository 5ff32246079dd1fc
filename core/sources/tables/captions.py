"""Rows of a table and the images they name, put together as one dataset."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd

from core.errors import SourceError, check_choice
from core.sources.archives import clean, distinct
from core.sources.images.readers import ChosenImages
from core.sources.tables.cells import captions_in, is_address, without_number
from core.sources.tables.columns import (
    SPLITS,
    Roles,
    as_labels,
    caption_language,
    hint_of,
    numbers_where_possible,
    said_of,
)
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
        before = len(texts)
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
        if not image and len(texts) == before:
            refused.append(Refusal(f"row {row + 1}", "it names no image and holds no caption"))
    first_row = {image: row for row, image in reversed(list(enumerate(names)))}
    return Dataset(
        name=PurePosixPath(name).stem, image_ids=as_ids(list(kept)), images=images, text_ids=as_ids(text_ids),
        texts=tuple(texts), links=np.array(links, dtype=np.int64).reshape(-1, 2),
        image_table=other.iloc[[first_row[n] for n in kept]].reset_index(drop=True),
        text_table=_text_table(other, roles, text_rows, text_columns), refused=tuple(refused))


def attach(dataset: Dataset, frame: pd.DataFrame, roles: Roles, name: str, folder: str = "") -> Dataset:
    """A dataset with the captions and columns of a table that names its images; images it does not name stay.

    A caption that an image has already is not attached again. ``folder`` ("" or "a/b/") is that of the images which the
    table speaks of.
    """
    places: list[int] = []
    rows = [i for i, identity in enumerate(dataset.image_ids) if identity.startswith(folder)]

    def find(names: Sequence[str], refused: list[Refusal]) -> Found:
        inside = [dataset.image_ids[i].removeprefix(folder) for i in rows]
        found = {n: rows[at] for n, at in match_names(names, inside).items()}
        report_missing(names, found, folder.rstrip("/") or dataset.name, refused)
        places.extend(found.values())
        chosen = [(dataset.images, at) for at in places if dataset.images is not None]
        return (ChosenImages(chosen) if chosen else None), {n: i for i, n in enumerate(found)}

    named = assemble(frame, roles, name, find, [])
    said = named.image_table.set_axis(places, axis=0)
    said = said[~said.index.duplicated()].reindex(range(len(dataset.image_ids)))
    known = {(int(i), dataset.texts[j]) for i, j in dataset.links}
    owner = {int(j): places[int(i)] for i, j in named.links}
    new = [j for j in range(len(named.texts)) if (owner.get(j, -1), named.texts[j]) not in known]
    taken = set(dataset.text_ids)
    ids = []
    for j in new:
        ids.append(distinct(f"{folder}{named.text_ids[j]}", dict.fromkeys(taken)) if folder + named.text_ids[j] in taken
                   else folder + named.text_ids[j])
        taken.add(ids[-1])
    moved = np.array([(owner[j], at + len(dataset.texts)) for at, j in enumerate(new) if j in owner],
                     dtype=np.int64).reshape(-1, 2)
    return replace(
        dataset, text_ids=as_ids([*dataset.text_ids, *ids]), texts=dataset.texts + tuple(named.texts[j] for j in new),
        links=np.concatenate([dataset.links, moved]), image_table=_merged(dataset.image_table, said),
        text_table=pd.concat([dataset.text_table, named.text_table.iloc[new]], ignore_index=True),
        refused=dataset.refused + named.refused)


def _merged(table: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Columns of both; where both say something of an image, what the table file says."""
    both = [c for c in said if c in table]
    filled = {c: said[c].where(said[c].notna(), table[c]) for c in both}
    merged = pd.DataFrame({c: filled.get(c, said[c]) for c in said}, index=said.index)
    return pd.concat([table.drop(columns=both), merged], axis=1)


def _check(roles: Roles, frame: pd.DataFrame, name: str) -> None:
    for column in (roles.image, roles.label, roles.split, roles.language, roles.id, *roles.captions):
        if column is not None:
            check_choice(f"a column of {name}", column, frame.columns)
    if roles.image is None and not roles.captions:
        raise SourceError(f"a column of captions or of image paths in {name}", f"the columns {said_of(frame)}",
                          hint_of(frame))


def image_name(cell: Any) -> str:
    """What a cell calls its image, also in a list of one; "" where it is empty."""
    if isinstance(cell, list | tuple | np.ndarray) and len(cell) < 2:
        cell = cell[0] if len(cell) else None
    if cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return without_number(str(cell).strip())


def _other_columns(frame: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Everything but captions and image paths; role columns under their role's name, numbers as numbers."""
    renamed = {getattr(roles, role): role for role in ("label", "split", "language") if getattr(roles, role)}
    other = frame.drop(columns=[c for c in (*roles.captions, roles.image) if c is not None])
    other = other.drop(columns=[c for c in renamed.values() if c in other and c not in renamed])
    other = other.rename(columns=renamed)
    parts = {c: numbers_where_possible(other[c]) for c in other.columns}
    if "label" in parts:
        parts["label"] = as_labels(other["label"])
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
            refused.append(Refusal(name, "it is an address on the web; download the images first" if is_address(name)
                                   else f"no image of this name in {where}"))


def match_names(names: Sequence[str], ids: Sequence[str]) -> dict[str, int]:
    """Which id each name means: the same path, else the longest common end, else the same name without its ending.

    Letters count as equal however they are composed (NFC, NFD); where no id fits, in any case and with %20 for a space.
    Paths may be of Windows, absolute, or of another machine. A name that several ids fit equally well is left out.
    """
    places = [_Places(ids, alike) for alike in (_composed, _any_case)]
    out = {}
    for name in names:
        if is_address(name):
            continue
        found = (place.find(spelt) for place in places for spelt in dict.fromkeys((name, unquote(name))))
        at = next((i for i in found if i is not None), None)
        if at is not None:
            out[name] = at
    return out


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _any_case(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


class _Places:
    """Ids by path, by last part and by last part without its ending, under one notion of equal letters."""

    def __init__(self, ids: Sequence[str], alike: Callable[[str], str]) -> None:
        self._alike, self._ids = alike, [alike(identity) for identity in ids]
        self._exact: dict[str, int] = {}
        self._by_last: dict[str, list[int]] = {}
        self._by_stem: dict[str, list[int]] = {}
        twice = set()
        for i, identity in enumerate(self._ids):
            if identity in self._exact:
                twice.add(identity)
            self._exact[identity] = i
            last = identity.rsplit("/", 1)[-1]
            self._by_last.setdefault(last, []).append(i)
            self._by_stem.setdefault(_bare(last), []).append(i)
        for identity in twice:
            del self._exact[identity]

    def find(self, name: str) -> int | None:
        path = self._alike(clean(name))
        if path in self._exact:
            return self._exact[path]
        last = path.rsplit("/", 1)[-1]
        return _best(path, self._by_last.get(last) or self._by_stem.get(_bare(last)) or [], self._ids)


def _bare(last: str) -> str:
    stem = os.path.splitext(last)[0]
    return stem.lstrip("0") or stem[:1]


def _best(path: str, candidates: Sequence[int], ids: Sequence[str]) -> int | None:
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    parts = path.split("/")[-2::-1]

    def agreement(i: int) -> int:
        theirs = ids[i].split("/")[-2::-1]
        return next((k for k, (a, b) in enumerate(zip(parts, theirs)) if a != b), min(len(parts), len(theirs)))

    scores = sorted(((agreement(i), i) for i in candidates), reverse=True)
    return scores[0][1] if scores[0][0] > scores[1][0] else None
