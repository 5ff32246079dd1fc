"""Columns of labels as classes of images, and the prompts that stand for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.language.world_evaluation import BARE
from core.sources.tables.columns import is_plain
from core.streamlit_app.data.ready import Ready

MOST_CLASSES = 100
TEMPLATE = "a photo of a {}"


def class_columns(ready: Ready) -> tuple[str, ...]:
    """Columns of the images whose labels can be classes: 2 to 100 of them; none where no model can read prompts."""
    return () if ready.opened.vectors is not None else label_columns(ready)


def label_columns(ready: Ready, most: int = MOST_CLASSES) -> tuple[str, ...]:
    """Columns of the images whose cells can be labels: 2 to 100, or ``most``, fewer than there are images."""
    if ready.images is None:
        return ()
    found = []
    for column in map(str, ready.images.table.columns):
        if (ready.opened.built_in and column not in BARE) or not is_plain(ready.images.table[column]):
            continue
        names = set(labels_of(ready, column)) - {""}
        if 2 <= len(names) <= min(most, len(ready.images) - 1):
            found.append(column)
    return tuple(found)


def labels_as_classes(cells: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the classes, in the order of the alphabet, and (n,) the class of each cell; -1 for an empty one."""
    names = tuple(sorted(set(cells) - {""}))
    place = {name: i for i, name in enumerate(names)}
    return names, np.array([place.get(cell, -1) for cell in cells], dtype=np.int64)


def prompt_of(column: str, label: str, *, built_in: bool) -> str:
    """What stands for a label: words of the built-in world where it is that, else "a photo of a ..."."""
    return BARE[column].get(label, label) if built_in and column in BARE else TEMPLATE.format(label)


def labels_of(ready: Ready, column: str) -> list[str]:
    """The cells of a column of the images, as text."""
    assert ready.images is not None
    return [str(cell) for cell in ready.images.table[column].fillna("")]
