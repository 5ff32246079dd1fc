"""Vectors that were made elsewhere: image and text embeddings with their names and pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import get_args

import numpy as np
import pandas as pd

from core.errors import SourceError
from core.sources.archives import Archive, clean, is_hidden, natural
from core.sources.images.opening import local_path
from core.sources.vectors.files import Block, Loaded, caption_column, id_column, load, modality_of
from core.types import EmbeddingSet, Modality, ModelSpec, PairedEmbeddings, Refusal, as_ids, fingerprint

ENDINGS = (".npy", ".npz", ".parquet", ".pq", ".csv", ".tsv", ".tab")
_LEAST_NORM = 1e-12


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
    """

    name: str
    images: EmbeddingSet | None
    texts: EmbeddingSet | None
    links: np.ndarray
    captions: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def pairs(self) -> PairedEmbeddings | None:
        """Both modalities with their links; None where one is absent."""
        if self.images is None or self.texts is None:
            return None
        return PairedEmbeddings(self.images, self.texts, self.links)


def open_vectors(source: str | Path | bytes | Sequence[tuple[str, bytes]], name: str | None = None) -> VectorSource:
    """Vectors from npy, npz, Parquet, CSV or TSV files, or a folder or zip of these.

    Which rows are images and which are texts is read from names of files, arrays and columns ("image", "img", "text",
    "caption", ...) or from a column ``modality``; rows that say nothing are images. Images and texts of the same number
    are pairs row by row, unless columns of ids say otherwise.

    Parameters
    ----------
    source
        A path (file, folder or zip), the bytes of one file, or several uploads (name, bytes).
    name
        What a user calls it; needed with bytes, for its ending says the format.

    Raises
    ------
    SourceError
        If no vectors are found, files disagree, or a file would have to be unpickled; for a path on a public server.
    """
    parts, title = _parts(source, name)
    blocks: list[Block] = []
    tables: list[tuple[str, pd.DataFrame]] = []
    for part in sorted(parts, key=natural):
        loaded: Loaded = load(parts[part], part)
        blocks += loaded.blocks
        tables += loaded.tables
    blocks = [piece for block in blocks for piece in _by_modality(block)]
    if not blocks:
        raise SourceError(f"vectors in {title}", "tables without any",
                          "One vector a row, its numbers in columns or lists.")
    refused: list[Refusal] = []
    revision = fingerprint(*[part for block in blocks for part in (block.modality or "", np.asarray(block.vectors))])
    raw = {modality: _join([b for b in blocks if (b.modality or "image") == modality], modality, tables, title)
           for modality in get_args(Modality)}
    widths = {m: r[0].shape[1] for m, r in raw.items() if r is not None}
    if len(set(widths.values())) > 1:
        raise SourceError("image and text vectors of one space", f"{widths['image']} and {widths['text']} dimensions",
                          "Open them one at a time.")
    spec = ModelSpec(f"precomputed: {title}", revision, next(iter(widths.values())), "precomputed")
    links = _links(raw["image"], raw["text"])
    sets: dict[str, EmbeddingSet | None] = {}
    places = []
    for modality in get_args(Modality):
        sets[modality], place = _unit(raw[modality], modality, spec, refused)
        places.append(place)
    moved = np.stack([places[0][links[:, 0]], places[1][links[:, 1]]], axis=1) if len(links) else links
    return VectorSource(title, sets["image"], sets["text"], moved[(moved >= 0).all(axis=1)], _captions(sets["text"]),
                        tuple(refused))


def _captions(texts: EmbeddingSet | None) -> tuple[str, ...]:
    if texts is None:
        return ()
    column = caption_column(texts.table)
    return texts.ids if column is None else tuple(str(cell) for cell in texts.table[column])


def _parts(source: str | Path | bytes | Sequence[tuple[str, bytes]], name: str | None
           ) -> tuple[dict[str, bytes | Path], str]:
    if isinstance(source, bytes):
        if name is None:
            raise SourceError("the name of the file beside its bytes", "none", "Its ending says the format.")
        if name.lower().endswith(".zip"):
            return _of_archive(Archive(source, name)), PurePosixPath(name).stem
        return {name: source}, PurePosixPath(name).stem
    if not isinstance(source, str | Path):
        return {clean(n): data for n, data in source}, name or ", ".join(n for n, _ in source)[:80]
    path = local_path(source, "file of vectors")
    if path.is_file():
        if path.suffix.lower() == ".zip":
            return _of_archive(Archive(path, path.name)), name or path.stem
        return {path.name: path}, name or path.stem
    if not path.is_dir():
        raise SourceError("the path of a file or folder of vectors", f"{source}, which is not there", "Check the path.")
    found: dict[str, bytes | Path] = {}
    for file in path.rglob("*"):
        relative = file.relative_to(path).as_posix()
        if file.suffix.lower() in ENDINGS and file.is_file() and not is_hidden(relative):
            found[relative] = file
    if not found:
        raise SourceError(f"files of vectors in {path.name}", "none", f"They end in {', '.join(ENDINGS)}.")
    return found, name or path.name


def _of_archive(archive: Archive) -> dict[str, bytes | Path]:
    found: dict[str, bytes | Path] = {m: archive.read(m) for m in archive.members if m.lower().endswith(ENDINGS)}
    if not found:
        raise SourceError(f"files of vectors in {archive.name}", "none", f"They end in {', '.join(ENDINGS)}.")
    return found


def _by_modality(block: Block) -> list[Block]:
    """A block whose table has a column ``modality`` or ``type`` as one block for each."""
    if block.modality is None:
        for column in block.table.columns:
            if str(column).lower() in ("modality", "modalities", "type", "kind"):
                said = [modality_of(str(v)) for v in block.table[column]]
                if all(said):
                    return [Block(block.vectors[rows], m, block.table.iloc[rows].reset_index(drop=True), block.origin)
                            for m in get_args(Modality) if len(rows := np.flatnonzero([s == m for s in said]))]
    return [block]


Raw = tuple[np.ndarray, pd.DataFrame, str | None] | None


def _join(blocks: list[Block], modality: str, tables: list[tuple[str, pd.DataFrame]], title: str) -> Raw:
    """All rows of one modality, their table, and which of its columns names them."""
    if not blocks:
        return None
    widths = sorted({block.vectors.shape[1] for block in blocks})
    if len(widths) > 1:
        said = " and ".join(map(str, widths))
        raise SourceError(f"{modality} vectors of one length in {title}", f"{said} dimensions",
                          "Open them one at a time.")
    vectors = np.concatenate([np.asarray(block.vectors, dtype=np.float32) for block in blocks])
    table = pd.concat([block.table for block in blocks], ignore_index=True) if len(blocks) > 1 else blocks[0].table
    table = table.reset_index(drop=True)
    for group in _tables_of(len(vectors), modality, tables):
        table = pd.concat([table, group[[c for c in group.columns if c not in table.columns]]], axis=1)
    return vectors, table, id_column(table)


def _tables_of(n: int, modality: str, tables: list[tuple[str, pd.DataFrame]]) -> list[pd.DataFrame]:
    """Tables without vectors whose rows are these rows: one table, or all shards of one together."""
    mine = [(name, frame) for name, frame in tables if modality_of(PurePosixPath(name).name) in (None, modality)]
    out = [frame.reset_index(drop=True) for _, frame in mine if len(frame) == n]
    for _, frame in mine:  # a list of names may have a title line
        if len(frame) == n + 1 and list(frame.columns) == ["name"]:
            out.append(frame.iloc[1:].set_axis([str(frame["name"].iloc[0])], axis=1).reset_index(drop=True))
    if not out and len(mine) > 1 and sum(len(frame) for _, frame in mine) == n:
        out = [pd.concat([frame for _, frame in mine], ignore_index=True)]
    return out


def _links(images: Raw, texts: Raw) -> np.ndarray:
    none = np.zeros((0, 2), dtype=np.int64)
    if images is None or texts is None:
        return none
    ids = [None if key is None else [str(v) for v in table[key]] for _, table, key in (images, texts)]
    if ids[0] is not None and ids[1] is not None and ids[0] != ids[1]:
        at = {name: i for i, name in enumerate(ids[0])}
        owner = texts[1]["image_id"].astype(str).tolist() if "image_id" in texts[1] else ids[1]
        rows = [(at[name], j) for j, name in enumerate(owner) if name in at]
        if rows:
            return np.array(rows, dtype=np.int64)
    n = len(images[0])
    return np.stack([np.arange(n), np.arange(n)], axis=1) if n == len(texts[0]) else none


def _unit(raw: Raw, modality: Modality, spec: ModelSpec, refused: list[Refusal]
          ) -> tuple[EmbeddingSet | None, np.ndarray]:
    """The usable rows as unit vectors, and where each row went (-1: refused)."""
    if raw is None:
        return None, np.zeros(0, dtype=np.int64)
    vectors, table, key = raw
    ids = as_ids([f"{modality} {i}" for i in range(len(vectors))] if key is None else table[key].tolist())
    finite = np.isfinite(vectors).all(axis=1)
    norms = np.full(len(vectors), np.nan)
    norms[finite] = np.sqrt(np.einsum("ij,ij->i", vectors[finite], vectors[finite], dtype=np.float64))
    usable = finite & (np.nan_to_num(norms) > _LEAST_NORM) & (np.nan_to_num(norms) < np.finfo(np.float32).max)
    for i, good, long in zip(ids, usable.tolist(), norms.tolist()):
        if not good:
            refused.append(Refusal(i, _flaw(long)))
    if not usable.any():
        raise SourceError(f"at least one usable {modality} vector", f"{len(vectors):,} rows of NaN or zeros",
                          "Check how the file was written.")
    place = np.where(usable, np.cumsum(usable) - 1, -1)
    unit = (vectors[usable] / norms[usable, None]).astype(np.float32)
    kept = table.iloc[np.flatnonzero(usable)].reset_index(drop=True)
    chosen = tuple(name for name, good in zip(ids, usable) if good)
    return EmbeddingSet(unit, norms[usable].astype(np.float32), chosen, modality, kept, spec), place


def _flaw(norm: float) -> str:
    if norm != norm:
        return "its vector has NaN or infinite numbers, or is missing"
    return "its vector is zero and has no direction" if norm <= 1 else "its vector is too long for float32"
