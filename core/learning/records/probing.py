"""Which items of a dataset a training is looked at with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.learning.records.record import Probe
from core.sources.sampling import take
from core.types import Dataset

LABEL = "label"


def probe_part(dataset: Dataset, most: int, seed: int) -> Dataset:
    """At most ``most`` images of a dataset that have a text, drawn without replacement, with their texts.

    Raises
    ------
    ShapeError
        If there is none.
    """
    linked = np.unique(dataset.links[:, 0])
    if not len(linked):
        raise ShapeError("images with captions to look at a training with", "a dataset without such pairs",
                         "Take a dataset with captions.")
    rows = np.sort(np.random.default_rng(seed).permutation(linked)[:most])
    return take(dataset, rows, name=dataset.name)


def probe_of(ids: Sequence[str], captions: Sequence[str], links: np.ndarray,
             table: pd.DataFrame) -> tuple[Probe, np.ndarray, np.ndarray]:
    """The linked images and texts as a probe, each caption once.

    Parameters
    ----------
    ids, captions : n names of images, m captions.
    links : (p, 2) int64, rows of both.
    table : (n rows) of the images; its column "label" gives their classes, where it has one.

    Returns
    -------
    The probe, and which of the n images and of the m captions its rows are.

    Raises
    ------
    ShapeError
        If nothing is linked.
    """
    links = np.asarray(links, dtype=np.int64).reshape(-1, 2)
    if not len(links):
        raise ShapeError("at least one image with its caption to look at a training with", "none that can be encoded")
    rows = np.unique(links[:, 0])
    first: dict[str, int] = {}
    for text in np.unique(links[:, 1]).tolist():
        first.setdefault(captions[text], text)
    place = {caption: i for i, caption in enumerate(first)}
    mine = np.stack([np.searchsorted(rows, links[:, 0]), [place[captions[text]] for text in links[:, 1]]], axis=1)
    labels = table[LABEL].fillna("").astype(str).iloc[rows].tolist() if LABEL in table else ()
    probe = Probe(tuple(ids[row] for row in rows), tuple(first), np.unique(mine, axis=0), tuple(labels))
    return probe, rows, np.array(list(first.values()), dtype=np.int64)
