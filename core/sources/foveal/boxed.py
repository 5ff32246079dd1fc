"""The noun of what files of boxes and sentences hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.types import Dataset, Images, Refusal, as_ids, fingerprint

MOST_BOXES = 400


@dataclass(frozen=True)
class Reference:
    """A sentence that speaks of one of the boxes of a picture: rows of both, from 0."""

    picture: int
    sentence: str
    gold: int


@dataclass(frozen=True, eq=False)
class BoxedPictures:
    """Pictures, the boxes of each, and sentences that each mean one box.

    Attributes
    ----------
    name : for the user.
    image_ids : one a picture, unique.
    images : reader of the pictures, in the order of the ids.
    boxes : one array a picture, (k, 4) float64, left, top, right, bottom in pixels, right and bottom just outside;
        finite and with an area, k at most MOST_BOXES. They may reach over the edge of the picture.
    references : the sentences.
    refused : rows that are not taken, with reasons.
    notices : what had to be guessed.
    """

    name: str
    image_ids: tuple[str, ...]
    images: Images
    boxes: tuple[np.ndarray, ...]
    references: tuple[Reference, ...]
    refused: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.image_ids)
        if len(self.images) != n or len(self.boxes) != n:
            raise ShapeError(f"{n} pictures and as many lists of boxes", f"{len(self.images)} and {len(self.boxes)}")
        for r in self.references:
            if not (0 <= r.picture < n and 0 <= r.gold < len(self.boxes[r.picture])):
                raise ShapeError("sentences that mean a box at hand", f"box {r.gold} of picture {r.picture}")

    @cached_property
    def of_picture(self) -> tuple[tuple[int, ...], ...]:
        """Rows of ``references`` of each picture."""
        rows: list[list[int]] = [[] for _ in self.image_ids]
        for i, reference in enumerate(self.references):
            rows[reference.picture].append(i)
        return tuple(map(tuple, rows))

    @cached_property
    def fingerprint(self) -> str:
        hashes = [self.images.content_hash(i) for i in range(len(self.images))]
        said = [(r.picture, r.sentence, r.gold) for r in self.references]
        return fingerprint("boxed", self.image_ids, hashes, *self.boxes, said)


def as_dataset(data: BoxedPictures) -> Dataset:
    """The pictures with their sentences as captions: what every page looks at; rows of both stay as they are."""
    ids = data.image_ids
    return Dataset(
        name=data.name, image_ids=ids, images=data.images,
        text_ids=as_ids([f"{ids[r.picture]}, box {r.gold + 1}" for r in data.references]),
        texts=tuple(r.sentence for r in data.references),
        links=np.array([(r.picture, row) for row, r in enumerate(data.references)], dtype=np.int64).reshape(-1, 2),
        image_table=pd.DataFrame({"boxes": [len(boxes) for boxes in data.boxes]}),
        text_table=pd.DataFrame({"box": [r.gold + 1 for r in data.references]}), refused=data.refused,
        notices=data.notices)
