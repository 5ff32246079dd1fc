"""What the small towers learn from and are looked at with: small pictures with a caption and a class each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import ShapeError
from core.learning.records.record import Probe
from core.types import fingerprint

SIDE = 16


@dataclass(frozen=True, eq=False)
class SmallPairs:
    """Small pictures, each with one caption.

    Attributes
    ----------
    images : (n, 16, 16, 3) uint8, RGB.
    texts : n captions; equal ones are the same text.
    labels : n classes, "" where there is none.
    ids : n names, unlike each other.
    """

    images: np.ndarray
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.images)
        if self.images.shape != (n, SIDE, SIDE, 3) or self.images.dtype != np.uint8:
            raise ShapeError(f"pictures of shape (n, {SIDE}, {SIDE}, 3), uint8",
                             f"{self.images.shape} of {self.images.dtype}")
        if not len(self.texts) == len(self.labels) == len(self.ids) == n:
            raise ShapeError(f"{n} captions, labels and ids",
                             f"{len(self.texts)}, {len(self.labels)} and {len(self.ids)}")

    def __len__(self) -> int:
        return len(self.images)

    def part(self, rows: np.ndarray) -> SmallPairs:
        """Some of them, in this order; a row may come more than once, then its id is numbered."""
        rows = np.asarray(rows, dtype=np.int64)
        seen: dict[int, int] = {}
        ids = []
        for row in rows.tolist():
            seen[row] = seen.get(row, 0) + 1
            ids.append(self.ids[row] if seen[row] == 1 else f"{self.ids[row]} ({seen[row]})")
        return SmallPairs(self.images[rows], tuple(self.texts[i] for i in rows), tuple(self.labels[i] for i in rows),
                       tuple(ids))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) of pictures, captions and labels."""
        return fingerprint("pairs16", self.images, self.texts, self.labels, self.ids)


@dataclass(frozen=True, eq=False)
class Lesson:
    """Pairs to train on and pairs to look at: no item is in both.

    Attributes
    ----------
    name : what a user calls it.
    train, probe : the two sets; faults are put into ``train`` alone.
    world : whether they are concepts of the built-in world, which some dials need.
    """

    name: str
    train: SmallPairs
    probe: SmallPairs
    world: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) of both sets."""
        return fingerprint("lesson", self.train.fingerprint, self.probe.fingerprint, self.world)

    def as_probe(self) -> Probe:
        """The probe set as a record keeps it: its images, and its captions each once."""
        texts = tuple(dict.fromkeys(self.probe.texts))
        row_of = {text: i for i, text in enumerate(texts)}
        links = np.array([[i, row_of[text]] for i, text in enumerate(self.probe.texts)], np.int64)
        return Probe(self.probe.ids, texts, links, self.probe.labels)
