"""Tables among files of images: which of the files they are, and what they say of the images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from core.errors import SourceError
from core.sources.images.beside import ENDINGS as BESIDE
from core.sources.images.formats import ending_of
from core.sources.tables.captions import attach, match_names
from core.sources.tables.columns import Roles, guess_roles
from core.sources.tables.reading import read_table
from core.types import Dataset, Refusal

_TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet", ".pq")
_MAYBE_TABLES = (".txt", ".json", ".token")
_NAMED_TABLE = (r"(metadata|captions?|annotations?|labels|samples|results)(_\w+)?"
                r"\.(csv|tsv|tab|txt|token|jsonl?|ndjson|parquet|pq)|(.+\.)?token(\.txt)?")
_KEYS_TRIED = 1_000


def why_not_used(name: str, tables: Sequence[tuple[str, str]]) -> str:
    """Why a file beside images is not used, where nothing else has been said of it."""
    said = ["no image has its name"] if ending_of(name) in BESIDE else []
    if name.lower().endswith((*_TABLES, *_MAYBE_TABLES)):
        own = [table for table, folder in tables if name.startswith(folder)] or [table for table, _ in tables]
        said += [f"{own[-1]} is taken for the table of these images"] if own else []
        if not own and not said:
            said = ["it is one of several tables, of which none is called metadata, captions, annotations or labels"]
    return ", and ".join(said) or "it is no image, no text of an image's name and no table"


def tables_among(names: Sequence[str], images: Sequence[str]) -> list[tuple[str, str]]:
    """The tables that describe images, each with the folder that it speaks of.

    In each folder the one of a telling name (metadata.jsonl, captions.txt), else the only one there is; a table that is
    called like a folder beside it, as a shard's is, speaks of that folder.
    """
    by_folder: dict[str, list[str]] = {}
    shards = []
    folders = {name.rpartition("/")[0] for name in images}
    for name in names:
        if not name.lower().endswith((*_TABLES, *_MAYBE_TABLES)):
            continue
        folder, _, last = name.rpartition("/")
        own = f"{folder}/{last.rpartition('.')[0]}".lstrip("/")
        if own in folders and last.lower().endswith(_TABLES):
            shards.append((name, own + "/"))
        else:
            by_folder.setdefault(folder, []).append(name)
    chosen = []
    named = {folder: [n for n in some if re.fullmatch(_NAMED_TABLE, n.rpartition("/")[2].lower())]
             for folder, some in by_folder.items()}
    any_named = any(named.values())
    for folder, some in by_folder.items():
        plain = [n for n in some if n.lower().endswith(_TABLES)]
        alone = plain or some
        table = named[folder][:1] or (alone if len(alone) == 1 and not any_named and not shards else [])
        chosen += [(t, f"{folder}/" if folder else "") for t in table]
    if not any_named and not shards and len(chosen) > 1:
        chosen = [(table, folder) for table, folder in chosen if any(name.startswith(folder) for name in images)]
    return [*sorted(chosen, key=lambda c: c[1].count("/")), *shards]


def with_table(dataset: Dataset, name: str, folder: str, data: bytes, encoding: str | None) -> Dataset:
    """The dataset with what a table says of the images in a folder; a text or JSON that is none is left out."""
    maybe = name.lower().endswith(_MAYBE_TABLES) and not re.fullmatch(_NAMED_TABLE, name.rpartition("/")[2].lower())
    try:
        table = read_table(data, name, guess=encoding)
        roles = guess_roles(table.frame)
        if roles.image is None:
            roles = replace(roles, image=_key_of(table.frame, roles, dataset, folder))
        if roles.image is None:
            raise SourceError("a table that names these images", f"no column of it names images "
                              f"({', '.join(map(str, table.frame.columns[:6]))})")
        dataset = attach(dataset, table.frame, roles, name, folder)
        return replace(dataset, refused=(*dataset.refused, *table.refused), notices=dataset.notices + table.notices)
    except SourceError as error:
        if maybe:
            reason = f"no image has its name, and it is no table of these images: {error.got}"
            return replace(dataset, left_out=(*dataset.left_out, Refusal(name, reason)))
        return replace(dataset, refused=(*dataset.refused, Refusal(name, error.got)))


def _key_of(frame: pd.DataFrame, roles: Roles, dataset: Dataset, folder: str) -> str | None:
    """The column of keys by which rows and files belong together, as img2dataset writes them."""
    if roles.id is None:
        return None
    keys = [str(v) for v in frame[roles.id].head(_KEYS_TRIED)]
    inside = [name.removeprefix(folder) for name in dataset.image_ids if name.startswith(folder)]
    return roles.id if len(match_names(keys, inside)) > len(keys) / 2 else None
