"""What a dataset holds, in words and counts, read from its tables alone: no image is opened for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.sources.sampling import take
from core.types import Dataset

_NAMED = 6
_MOST_VALUES = 50
_MOST_COLUMNS = 100


def facts(dataset: Dataset) -> list[tuple[str, str]]:
    """Rows (what, how much) for a user: images and texts, how they belong together, labels, splits, languages."""
    n_images, n_texts = len(dataset.image_ids), len(dataset.text_ids)
    rows = [("Images", f"{n_images:,}"), ("Texts", f"{n_texts:,}")]
    if n_images and n_texts:
        each = np.bincount(dataset.links[:, 0], minlength=n_images)
        rows.append(("Texts an image", _range(each)))
        loose = n_texts - len(np.unique(dataset.links[:, 1]))
        if loose:
            rows.append(("Texts without an image", f"{loose:,}"))
    rows += [(title, _values(dataset, column)) for title, column in (
        ("Labels", "label"), ("Splits", "split"), ("Languages", "language")) if counted(dataset, column)]
    if table := [str(c) for c in dataset.image_table if c not in dataset.text_table] + list(
            map(str, dataset.text_table)):
        rows.append(("Columns", _list(table)))
    if dataset.refused:
        rows.append(("Refused", f"{len(dataset.refused):,}"))
    return rows


def counted(dataset: Dataset, column: str) -> dict[str, int]:
    """How many images have each value of a column, most first; texts for a language, or where images have no such."""
    tables = [dataset.image_table, dataset.text_table]
    for table in reversed(tables) if column == "language" else tables:
        if column in table and len(table):
            values = table[column].dropna().astype(str)
            found = values[values != ""].value_counts()
            if len(found):
                return {str(value): int(n) for value, n in found.items()}
    return {}


def columns(dataset: Dataset) -> pd.DataFrame:
    """One row a column of metadata: whose it is, how many different values it has, and the first of them.

    Of very wide tables the first hundred.
    """
    rows = []
    for owner, table in (("images", dataset.image_table), ("texts", dataset.text_table)):
        for column in table.columns[:_MOST_COLUMNS]:
            filled = table[column].dropna()
            first = list(dict.fromkeys(map(str, filled.head(_MOST_VALUES))))
            rows.append((str(column), owner, len(filled), filled.astype(str).nunique(), ", ".join(first)[:120]))
    return pd.DataFrame(rows, columns=["column", "of", "filled", "different", "begins with"])


def narrowed(dataset: Dataset, split: str = "", language: str = "") -> Dataset:
    """The images and texts of one split, and of these the texts in one language; "" takes all.

    An image belongs to the split its own row names; a text to that of its image, or of its own row where it has none.
    """
    images, texts = np.arange(len(dataset.image_ids)), np.arange(len(dataset.text_ids))
    name = dataset.name
    if split:
        if "split" in dataset.image_table:
            images = np.flatnonzero(dataset.image_table["split"].astype(str) == split)
            texts = np.unique(dataset.links[np.isin(dataset.links[:, 0], images), 1])
        else:
            texts = _where(dataset.text_table, "split", split)
            images = np.unique(dataset.links[np.isin(dataset.links[:, 1], texts), 0])
        if "split" in dataset.text_table:
            loose = np.setdiff1d(_where(dataset.text_table, "split", split), dataset.links[:, 1])
            texts = np.union1d(texts, loose)
        name += f", {split}"
    if language:
        texts = np.intersect1d(texts, _where(dataset.text_table, "language", language))
        name += f", texts in {language}"
    return take(dataset, images, texts, name=name) if name != dataset.name else dataset


def _where(table: pd.DataFrame, column: str, value: str) -> np.ndarray:
    if column not in table:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(table[column].astype(str) == value)


def _values(dataset: Dataset, column: str) -> str:
    found = counted(dataset, column)
    named = [f"{value} {n:,}" for value, n in list(found.items())[:_NAMED]]
    return (f"{len(found):,}: " if len(found) > 1 else "") + _list(named, len(found))


def _list(names: Sequence[str], n: int | None = None) -> str:
    more = (len(names) if n is None else n) - min(len(names), _NAMED)
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _range(each: np.ndarray) -> str:
    some, without = each[each > 0], int((each == 0).sum())
    if not len(some):
        return "none"
    said = f"{some.min()}" if some.min() == some.max() else f"{some.min()} to {some.max()}"
    return said + (f"; {without:,} without" if without else "")
