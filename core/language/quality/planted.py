"""How much of what was planted a finding found: the truth stands in the columns of the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.geometry.intervals import proportion
from core.geometry.quality.finding import Finding
from core.geometry.quality.scoring import Dropped
from core.sources.solids.touched import column, has_fault
from core.types import Number

FAULTS_OF: Mapping[str, tuple[str, ...]] = {
    "copies": ("duplicates", "near duplicates", "harsh duplicates", "leaks"), "leaks": ("leaks",),
    "outliers": ("other world",), "captions": ("wrong captions", "wrong attributes", "other world"),
    "labels": ("wrong labels",), "blur": ("blur",), "dark": ("dark",), "bright": ("bright",),
    "low_information": ("flat",), "grey": ("grey",), "odd_size": ("tiny",), "odd_aspect": ("strip",),
    "repeated": ("duplicates", "near duplicates", "harsh duplicates", "leaks"),
}
"""Which planted faults a finding should find, by its key."""


@dataclass(frozen=True)
class Caught:
    """What a finding got of what was planted.

    Attributes
    ----------
    found, planted, flagged : counts of items; of copies, all but one of each group.
    recall : share of what was planted that is flagged, None where nothing was; its null is that of flagging as many at
        random.
    precision : share of what is flagged that was planted, None where nothing is; its null is the share planted.
    by_fault : found and planted, by fault.
    """

    found: int
    planted: int
    flagged: int
    recall: Number | None
    precision: Number | None
    by_fault: Mapping[str, tuple[int, int]]


def was_planted(table: pd.DataFrame) -> bool:
    """Whether faults were planted into the dataset of a table of images or texts."""
    return "fault" in table


def copy_groups(table: pd.DataFrame, ids: Sequence[str]) -> np.ndarray:
    """(n,) of strings, the same for an image and its planted copies: the id of the first."""
    of = column(table, "copy_of")
    return np.array([str(first) or item for first, item in zip(of, ids, strict=True)], dtype=object).astype(str)


def in_two_splits(table: pd.DataFrame, ids: Sequence[str]) -> np.ndarray:
    """(n,) bool, which images have a planted copy, or their original, in another split."""
    _, group = np.unique(copy_groups(table, ids), return_inverse=True)
    _, split = np.unique(column(table, "split").astype(str), return_inverse=True)
    pairs = np.unique(np.stack([group.ravel(), split.ravel()], 1), axis=0)
    return (np.bincount(pairs[:, 0], minlength=len(ids)) > 1)[group.ravel()]


def caught(finding: Finding, table: pd.DataFrame, ids: Sequence[str], threshold: float | None = None) -> Caught:
    """What a finding got of what was planted, at a threshold.

    Parameters
    ----------
    finding : of a key of FAULTS_OF.
    table, ids : of the n images, or of the texts where it is a finding of texts.
    threshold : as `Finding.flagged` takes it.

    Raises
    ------
    ShapeError
        If the table is of another number of items, or no planted fault belongs to the finding.
    """
    n = len(finding.scores)
    if len(table) != n or len(ids) != n or finding.key not in FAULTS_OF:
        raise ShapeError(f"{n} rows and ids for a finding that planted faults belong to: {', '.join(FAULTS_OF)}",
                         f"{len(table)} rows, {len(ids)} ids and the finding {finding.key}")
    wrong = {fault: has_fault(table, fault) for fault in FAULTS_OF[finding.key]}
    rows = finding.flagged(threshold)
    flagged = np.isin(np.arange(n), rows)
    if finding.key in ("copies", "repeated"):
        rows = finding.to_drop(threshold)
        dropped = Dropped.of(rows, copy_groups(table, ids))
        found, planted = int(dropped.hits.sum()), int((dropped.sizes - 1).sum())
    else:
        truth = in_two_splits(table, ids) if finding.key == "leaks" else np.any(list(wrong.values()), axis=0)
        found, planted = int(truth[rows].sum()), int(truth.sum())
    return Caught(found, planted, len(rows),
                  proportion(found, planted, null=len(rows) / n) if planted else None,
                  proportion(found, len(rows), null=planted / n) if len(rows) else None,
                  {fault: (int((flagged & there).sum()), int(there.sum()))
                   for fault, there in wrong.items() if there.any()})
