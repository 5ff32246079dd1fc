"""The list of what is kept, and of what was dropped with the action that dropped it, as tables and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.encoding.export import whole_file
from core.errors import check_choice
from core.language.quality.actions import Step, what_is_left
from core.language.quality.looked import Looked

ENDINGS = (".csv", ".parquet", ".jsonl")
KEPT = ("image", "id_of_caption", "caption", "label", "label_before", "split")
DROPPED = ("modality", "id", "caption", "label", "step", "action")


def kept_table(looked: Looked, steps: Sequence[Step]) -> pd.DataFrame:
    """What is left after the steps: one row a pair, and one each image or text that is in none.

    Returns
    -------
    Strings in the columns `KEPT`, "" where there is nothing; ``label_before`` is the old label of an image that was
    relabelled. Images in their order, then texts of no image. As a file it is a table of captions that the app opens.
    """
    kept, items = what_is_left(steps, looked), looked.items
    of, to = items.links.T
    pairs = items.links[kept.images[of] & kept.texts[to]]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    alone = np.setdiff1d(np.flatnonzero(kept.images), pairs[:, 0])
    loose = np.setdiff1d(np.flatnonzero(kept.texts), pairs[:, 1])
    images = np.concatenate([pairs[:, 0], alone, np.full(len(loose), -1)])
    texts = np.concatenate([pairs[:, 1], np.full(len(alone), -1), loose])
    order = np.lexsort((texts, np.where(images < 0, items.n_images, images)))
    images, texts = images[order], texts[order]
    before = tuple("" if now == then else then for now, then in zip(kept.labels, items.labels))
    columns = (looked.image_ids, looked.text_ids, looked.captions, kept.labels, before, items.splits)
    rows = (images, texts, texts, images, images, images)
    return pd.DataFrame({name: _said(values, at) for name, values, at in zip(KEPT, columns, rows)})


def dropped_table(looked: Looked, steps: Sequence[Step]) -> pd.DataFrame:
    """What the steps dropped, in their order: one row an item, in the columns `DROPPED`; ``step`` counts from 1."""
    parts = [pd.DataFrame({name: pd.Series(dtype=object) for name in DROPPED})]
    labels = looked.items.labels
    for number, step in enumerate(steps, 1):
        labels_now = step.kept.labels
        for modality, rows, ids in (("image", step.images, looked.image_ids), ("text", step.texts, looked.text_ids)):
            told = _said(looked.captions, rows) if modality == "text" else [""] * len(rows)
            label = _said(labels, rows) if modality == "image" else [""] * len(rows)
            parts.append(pd.DataFrame({"modality": modality, "id": _said(ids, rows), "caption": told, "label": label,
                                       "step": number, "action": step.action.words}))
        labels = labels_now
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)[list(DROPPED)]


def as_bytes(table: pd.DataFrame, ending: str) -> bytes:
    """A table as the content of a file: ".csv" (UTF-8, as RFC 4180 has it), ".parquet" or ".jsonl" (a row a line).

    Cells are as they are, also those that a spreadsheet would run: it is what one trains on, and opens again.
    """
    check_choice("the ending of the file", ending, ENDINGS)
    if ending == ".csv":
        return table.to_csv(index=False, lineterminator="\r\n").encode()
    if ending == ".jsonl":
        return table.to_json(orient="records", lines=True, force_ascii=False).encode()
    return table.to_parquet(index=False)


def save_table(table: pd.DataFrame, path: Path) -> Path:
    """Write a table in the form that the ending says, whole or not at all.

    Raises
    ------
    ChoiceError
        For another ending.
    SourceError
        If it cannot be written.
    """
    content = as_bytes(table, path.suffix.lower())
    with whole_file(path) as part:
        part.write_bytes(content)
    return path


def _said(values: Sequence[str], rows: np.ndarray) -> list[str]:
    """Values at rows, "" where the row is -1 or nothing is known; halves of letters are written as escapes."""
    return [values[row].encode("utf-8", "backslashreplace").decode() if row >= 0 and values else ""
            for row in rows.tolist()]
