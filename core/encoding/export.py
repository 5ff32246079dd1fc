"""Vectors as a file that this app and others open: Parquet with a row an item, or npz with an array a modality."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from core.encoding.pipeline import Embedded
from core.errors import ChoiceError, SourceError, check_choice
from core.types import EmbeddingSet, ModelSpec

ENDINGS = (".parquet", ".npz")


def save_vectors(embedded: Embedded, path: str | Path) -> Path:
    """Write vectors with ids, captions, all columns of their tables, norms and the model that made them.

    Parquet has columns ``id``, ``modality``, ``image_id`` (of a caption: the image it belongs to), ``caption``, the
    dataset's own, ``norm``, ``model`` and ``vector`` (float32, unit length). npz has arrays ``image``, ``text``,
    ``image_ids``, ``text_ids``, ``captions``, ``image_id`` where captions are not one an image in order, norms, labels
    and ``model``.

    Raises
    ------
    ChoiceError
        For another ending, or pairs that npz cannot say.
    SourceError
        If the file cannot be written.
    """
    out = Path(path)
    check_choice("the ending of the file", out.suffix.lower(), ENDINGS)
    with whole_file(out) as part:
        if out.suffix.lower() == ".parquet":
            _parquet(embedded, part)
        else:
            _npz(embedded, part)
    return out


@contextlib.contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """A path to write to, which becomes ``out`` when all is written; nothing is left where that fails.

    Raises
    ------
    SourceError
        If the file cannot be written.
    """
    part = out.with_name(f".{out.name}.{os.getpid()}{out.suffix}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(out)
    except OSError as error:
        raise SourceError(f"a place to write {out.name}", f"{type(error).__name__}: {error.strerror or error}",
                          "Choose another folder, or free some space.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _parquet(embedded: Embedded, part: Path) -> None:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    sets = [s for s in (embedded.images, embedded.texts) if s is not None]
    rows = pd.concat([_rows(s, embedded) for s in sets], ignore_index=True) if sets else pd.DataFrame()
    dim = sets[0].vectors.shape[1] if sets else 0
    flat = np.concatenate([s.vectors.reshape(-1) for s in sets]) if sets else np.empty(0, np.float32)
    table = arrow.Table.from_pandas(rows, preserve_index=False)
    vectors = arrow.FixedSizeListArray.from_arrays(arrow.array(flat, type=arrow.float32()), dim)
    table = table.append_column("vector", vectors)
    told = {b"orrery": json.dumps(_said(sets[0].model)).encode()} if sets else {}
    parquet.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), **told}), part,
                        compression="zstd")


def _rows(items: EmbeddingSet, embedded: Embedded) -> pd.DataFrame:
    own = _plain(items.table)
    rows = pd.DataFrame({"id": list(items.ids), "modality": items.modality})
    if items.modality == "text":
        rows["image_id"] = _owners(embedded)
    rows["caption"] = _captions(items, embedded)
    taken = {*rows.columns, "image_id", "norm", "model", "vector"}
    own.columns = pd.Index([f"{c}_" if c in taken else c for c in own.columns])
    return pd.concat([rows, own, pd.DataFrame({"norm": items.norms, "model": items.model.fingerprint},
                                              index=rows.index)], axis=1)


def _npz(embedded: Embedded, part: Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    for items in (embedded.images, embedded.texts):
        if items is None:
            continue
        what = items.modality
        arrays |= {what: items.vectors, f"{what}_ids": np.array(items.ids, dtype=str), f"{what}_norms": items.norms,
                   "model": np.array([json.dumps(_said(items.model))])}
        if "label" in items.table:
            arrays[f"{what}_label"] = items.table["label"].astype(str).to_numpy(dtype=str)
    if embedded.texts is not None:
        arrays["captions"] = np.array(embedded.captions, dtype=str)
    if embedded.images is not None and embedded.texts is not None:
        n = len(embedded.texts)
        if n != len(embedded.images):
            arrays["image_id"] = np.array([owner or "" for owner in _owners(embedded)], dtype=str)
        elif embedded.links.tolist() != [[i, i] for i in range(n)]:
            raise ChoiceError("one caption an image in order, or a Parquet file", "an npz file for other pairs",
                              "Write to a name that ends in .parquet.")
    np.savez_compressed(part, allow_pickle=False, **arrays)  # type: ignore[arg-type]


def _captions(items: EmbeddingSet, embedded: Embedded) -> list[str | None]:
    """What each text says; of an image, its first caption."""
    if items.modality == "text":
        return list(embedded.captions)
    first = {image: embedded.captions[text] for image, text in embedded.links[::-1].tolist()}
    return [first.get(i) for i in range(len(items))]


def _owners(embedded: Embedded) -> list[str | None]:
    """For each text, the id of the first image it belongs to."""
    owners: dict[int, str] = {}
    for image, text in embedded.links.tolist():
        if embedded.images is not None:
            owners.setdefault(text, embedded.images.ids[image])
    return [owners.get(i) for i in range(0 if embedded.texts is None else len(embedded.texts))]


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Columns that Parquet can hold; mixed and nested values become text."""
    return pd.DataFrame({str(c): table[c] if table[c].dtype.kind in "biuf" else
                         [None if _missing(v) else str(v) for v in table[c]] for c in table.columns},
                        index=table.index)


def _missing(cell: object) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell) or cell is pd.NaT


def _said(model: ModelSpec) -> dict[str, object]:
    return {"id": model.id, "revision": model.revision, "dim": model.dim, "preprocessing": model.preprocessing,
            "fingerprint": model.fingerprint}
