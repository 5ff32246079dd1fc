"""Vectors that were made elsewhere: image and text embeddings with their names and pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import get_args

import numpy as np
import pandas as pd

from core.errors import SourceError, UnreadableItem
from core.sources.archives import clean, distinct, is_hidden, natural
from core.sources.images.opening import local_path, open_given
from core.sources.tables.columns import said_of
from core.sources.tars import ARCHIVES, open_archive
from core.sources.vectors.blocks import Block, Loaded
from core.sources.vectors.choosing import Array, choose, tables_of
from core.sources.vectors.files import ENDINGS, PICKLED, load
from core.sources.vectors.names import caption_column, id_column
from core.sources.vectors.pictures import shown_with
from core.sources.vectors.rows import unit_rows, whole
from core.types import (
    Dataset,
    EmbeddingSet,
    Images,
    Modality,
    ModelSpec,
    PairedEmbeddings,
    Refusal,
    as_ids,
    fingerprint,
)

Source = str | Path | bytes | Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class VectorSource:
    """Precomputed vectors as sets of unit vectors.

    Attributes
    ----------
    name : what a user calls it.
    images, texts : the sets, None where the file holds none.
    links : (m, 2) int64, rows (index in images, index in texts) that belong together.
    captions : what each text says; its id where the file does not say.
    refused : rows that hold no usable vector, with the reason.
    left_out : arrays, columns and files that are not used, with the reason.
    notices : what had to be guessed, in sentences for the user.
    arrays : what each array of numbers was taken for.
    pictures : of the images, where some were given; None where not.
    picture_places : (n,) int64, which picture belongs to each row of images, -1 where none does.
    """

    name: str
    images: EmbeddingSet | None
    texts: EmbeddingSet | None
    links: np.ndarray
    captions: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()
    arrays: tuple[Array, ...] = ()
    pictures: Images | None = None
    picture_places: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def pairs(self) -> PairedEmbeddings | None:
        """Both modalities with their links; None where one is absent."""
        if self.images is None or self.texts is None:
            return None
        return PairedEmbeddings(self.images, self.texts, self.links)


def open_vectors(source: Source, name: str | None = None, *, parts: Mapping[str, str] | None = None,
                 pictures: Dataset | str | Path | bytes | None = None) -> VectorSource:
    """Vectors from npy, npz, Parquet, CSV, TSV or text files, or a folder, zip or tar of these.

    Which rows are images and which are texts is read from the words in names of files, arrays and columns ("image",
    "img", "text", "caption", ...) or from a column ``modality``; rows that say nothing are images; an array (2, n, d)
    is images and texts. Images and texts of the same number are pairs row by row, unless columns of ids say otherwise.
    What is guessed is in ``notices``, what is not used in ``left_out``.

    Parameters
    ----------
    source
        A path (file, folder, zip or tar), the bytes of one file, or several uploads (name, bytes).
    name
        What a user calls it; needed with bytes, for its ending says the format.
    parts
        What an array holds where the guess is wrong: by name, as ``arrays`` of an earlier opening has it, "image",
        "text" or "neither".
    pictures
        A folder, a zip or a dataset with pictures that are called like the ids of the images, to be shown.

    Raises
    ------
    SourceError
        If no vectors are found, files disagree, or a file would have to be unpickled; for a path on a public server; if
        no picture belongs to a vector.
    ChoiceError
        If ``parts`` names an array that is not there.
    """
    found, title = _read(source, name)
    blocks, arrays = choose(found, parts or {})
    if not blocks:
        raise SourceError(f"vectors in {title}", _what_else(found),
                          "One vector a row, its numbers in columns or lists; a single vector x is x.reshape(1, -1).")
    revision = fingerprint(*[part for b in blocks for part in (b.modality or "", np.asarray(b.vectors))])
    used: set[str] = set()
    raw = {m: _join([b for b in blocks if b.modality == m], m, found.tables, title, used)
           for m in get_args(Modality)}
    found.left_out += [_unused_table(n, frame, raw) for n, frame in found.tables if n not in used]
    widths = {m: r.vectors.shape[1] for m, r in raw.items() if r is not None}
    if len(set(widths.values())) > 1:
        raise SourceError("image and text vectors of one space", f"{widths['image']} and {widths['text']} dimensions",
                          "Open them one at a time, or say what each array holds.")
    spec = ModelSpec(f"precomputed: {title}", revision, next(iter(widths.values())), "precomputed")
    links = _links(raw["image"], raw["text"], found.notices)
    sets: dict[str, EmbeddingSet | None] = {}
    places = []
    for modality in get_args(Modality):
        sets[modality], place = _as_set(raw[modality], modality, spec, found.refused)
        places.append(place)
    moved = np.stack([places[0][links[:, 0]], places[1][links[:, 1]]], axis=1) if len(links) else links
    shown: tuple[Images | None, np.ndarray] = None, np.zeros(0, dtype=np.int64)
    if pictures is not None:
        shown = shown_with(sets["image"], open_given(pictures), found)
    return VectorSource(title, sets["image"], sets["text"], moved[(moved >= 0).all(axis=1)], _captions(sets["text"]),
                        tuple(found.refused), tuple(found.left_out), tuple(found.notices), arrays, *shown)


def arrays_of(source: Source, name: str | None = None) -> tuple[Array, ...]:
    """The arrays of numbers in files and what `open_vectors` takes them for, also where it raises for what they hold.

    Raises
    ------
    SourceError
        If the files cannot be read.
    """
    return choose(_read(source, name)[0], {})[1]


def _captions(texts: EmbeddingSet | None) -> tuple[str, ...]:
    if texts is None:
        return ()
    column = caption_column(texts.table)
    return texts.ids if column is None else tuple(str(cell) for cell in texts.table[column])


def _read(source: Source, name: str | None) -> tuple[Loaded, str]:
    """All that the files hold, and what a user calls them; of several files, one that is no use is left out."""
    parts, title, found = _parts(source, name)
    if not parts:
        raise SourceError(f"files of vectors in {title}", _names_of(found.left_out) or "none",
                          f"They end in {', '.join(ENDINGS)}.")
    for part in sorted(parts, key=natural):
        try:
            found.add(load(parts[part](), part))
        except SourceError as error:
            if len(parts) == 1:
                raise
            found.left_out.append(Refusal(part, error.got))
        except UnreadableItem as error:
            found.left_out.append(Refusal(part, error.got))
    return found, title


def _parts(source: Source, name: str | None) -> tuple[dict[str, Callable[[], bytes | Path]], str, Loaded]:
    """By name, how to read each file; and what lies there too."""
    found = Loaded()
    if isinstance(source, bytes):
        if name is None:
            raise SourceError("the name of the file beside its bytes", "none", "Its ending says the format.")
        if name.lower().endswith(ARCHIVES):
            return _of_archive(source, name, found), PurePosixPath(name).stem, found
        return {name: lambda: source}, PurePosixPath(name).stem, found
    if not isinstance(source, str | Path):
        named: dict[str, bytes] = {}
        for n, data in source:
            named[distinct(clean(n), named)] = data
        return (_sorted_out(named, lambda n: lambda: named[n], found),
                name or ", ".join(n for n, _ in source)[:80], found)
    path = local_path(source, "file of vectors")
    if path.is_file():
        if path.suffix.lower() in ARCHIVES:
            return _of_archive(path, path.name, found), name or path.stem, found
        return {path.name: lambda: path}, name or path.stem, found
    if not path.is_dir():
        raise SourceError("the path of a file or folder of vectors", f"{source}, which is not there", "Check the path.")
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    visible = {n: file for n, file in files.items() if not is_hidden(n)}
    return _sorted_out(visible, lambda n: lambda: visible[n], found), name or path.name, found


def _sorted_out(names: Iterable[str], reading: Callable[[str], Callable[[], bytes | Path]], found: Loaded
                ) -> dict[str, Callable[[], bytes | Path]]:
    """The files that may hold vectors; the others are left out."""
    usable = {}
    for name in names:
        if name.lower().endswith(ENDINGS):
            usable[name] = reading(name)
        elif name.lower().endswith(PICKLED):
            found.left_out.append(Refusal(name, "it would be unpickled by running what it says, and never is"))
        else:
            found.left_out.append(Refusal(name, f"it is no file of vectors ({', '.join(ENDINGS)})"))
    return usable


def _of_archive(source: bytes | Path, name: str, found: Loaded) -> dict[str, Callable[[], bytes | Path]]:
    archive = open_archive(source, name)
    found.refused += archive.refused
    found.left_out += archive.left_out
    found.notices += archive.notices
    return _sorted_out(archive.members, lambda member: lambda: archive.read(member), found)


def _names_of(items: Sequence[Refusal]) -> str:
    return f"{len(items):,} other files ({', '.join(item.name for item in items[:6])})" if items else ""


def _what_else(found: Loaded) -> str:
    """What was found where no vectors were."""
    tables = [f"{name} with {said_of(frame)}" for name, frame in found.tables if len(frame.columns)]
    others = [f"{item.name}: {item.reason}" for item in found.left_out]
    return ("tables without any" if tables else "none") + "".join(f"; {s}" for s in [*tables[:3], *others[:5]])[:900]


@dataclass
class Raw:
    """All rows of one modality, their table, and which of its columns names them."""

    vectors: np.ndarray
    norms: np.ndarray
    flaws: dict[int, str]
    table: pd.DataFrame
    key: str | None


def _join(blocks: list[Block], modality: str, tables: list[tuple[str, pd.DataFrame]], title: str, used: set[str]
          ) -> Raw | None:
    if not blocks:
        return None
    widths = sorted({block.vectors.shape[1] for block in blocks})
    if len(widths) > 1:
        said = " and ".join(map(str, widths))
        raise SourceError(f"{modality} vectors of one length in {title}", f"{said} dimensions",
                          "Open them one at a time, or say what each array holds.")
    unit, norms, flaws = unit_rows([block.vectors for block in blocks])
    table = pd.concat([block.table for block in blocks], ignore_index=True) if len(blocks) > 1 else blocks[0].table
    table = whole(table.reset_index(drop=True), [block.table for block in blocks])
    for names, group in tables_of(len(unit), modality, tables):
        used |= set(names)
        table = pd.concat([table, group[[c for c in group.columns if c not in table.columns]]], axis=1)
    return Raw(unit, norms, flaws, table, id_column(table))


def _unused_table(name: str, frame: pd.DataFrame, raw: Mapping[str, Raw | None]) -> Refusal:
    rows = " and ".join(f"{len(r.vectors):,} {m} vectors" for m, r in raw.items() if r is not None)
    return Refusal(name, f"it has {len(frame):,} rows, but there are {rows}; rows must be as many as vectors")


def _links(images: Raw | None, texts: Raw | None, notices: list[str]) -> np.ndarray:
    none = np.zeros((0, 2), dtype=np.int64)
    if images is None or texts is None:
        return none
    n, m = len(images.vectors), len(texts.vectors)
    ids = [None if raw.key is None else [str(v) for v in raw.table[raw.key]] for raw in (images, texts)]
    if ids[0] is not None and ids[1] is not None and ids[0] != ids[1]:
        at = {name: i for i, name in enumerate(ids[0])}
        owner = texts.table["image_id"].astype(str).tolist() if "image_id" in texts.table else ids[1]
        rows = [(at[name], j) for j, name in enumerate(owner) if name in at]
        if rows:
            if len(rows) < m:
                notices.append(f"{m - len(rows):,} of {m:,} texts name no image that is here; they have no pair.")
            return np.array(rows, dtype=np.int64)
        if n == m:
            notices.append(f"The ids of images and texts have nothing in common ({ids[0][0]}, {owner[0]}); they are "
                           f"taken for pairs row by row.")
    if n == m:
        return np.stack([np.arange(n), np.arange(n)], axis=1)
    notices.append(f"There are no pairs: {n:,} images and {m:,} texts are not the same number, and no ids say which "
                   f"belong together.")
    return none


def _as_set(raw: Raw | None, modality: Modality, spec: ModelSpec, refused: list[Refusal]
            ) -> tuple[EmbeddingSet | None, np.ndarray]:
    """The usable rows as unit vectors, and where each row went (-1: refused)."""
    if raw is None:
        return None, np.zeros(0, dtype=np.int64)
    n = len(raw.vectors)
    ids = as_ids([f"{modality} {i}" for i in range(n)] if raw.key is None else raw.table[raw.key].tolist())
    usable = np.ones(n, dtype=bool)
    for i, reason in raw.flaws.items():
        usable[i] = False
        refused.append(Refusal(ids[i], reason))
    if not usable.any():
        why = f", of which the first is no use: {next(iter(raw.flaws.values()))}" if raw.flaws else ""
        raise SourceError(f"at least one usable {modality} vector", f"{n:,} rows{why}",
                          "Check how the file was written.")
    place = np.where(usable, np.cumsum(usable) - 1, -1)
    kept = raw.table.iloc[np.flatnonzero(usable)].reset_index(drop=True)
    chosen = tuple(name for name, good in zip(ids, usable) if good)
    vectors, norms = (raw.vectors, raw.norms) if usable.all() else (raw.vectors[usable], raw.norms[usable])
    return EmbeddingSet(vectors, norms, chosen, modality, kept, spec), place
