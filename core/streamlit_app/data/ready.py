"""What is open, as vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from core.encoding.registry import has_gap
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.data.pictures import Pictures
from core.types import EmbeddingSet, Refusal, fingerprint


@dataclass(frozen=True)
class Ready:
    """What is open, as vectors.

    Attributes
    ----------
    opened : where it came from.
    images, texts : unit vectors, None where there are none.
    links : (m, 2) int64, rows (row of images, row of texts).
    captions : what a user reads for each row of texts.
    refused, truncated : what could not be read; ids of texts whose end the model did not see.
    unread : how many of the refused, the last ones, are texts that the model knows nothing of.
    pictures : small pictures (WebP) by row of images, made when they are looked up.
    sampled_from : how many points there were before a sample of them was taken; 0 where these are all.
    selection : name of the kept selection that these points are, "" where they are all.
    """

    opened: Opened
    images: EmbeddingSet | None
    texts: EmbeddingSet | None
    links: np.ndarray
    captions: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()
    truncated: tuple[str, ...] = ()
    pictures: Pictures = field(default_factory=Pictures)
    sampled_from: int = 0
    selection: str = ""
    unread: int = 0

    @cached_property
    def key(self) -> str:
        """Fingerprint of the vectors, in their order."""
        parts = [None if part is None else part.fingerprint for part in (self.images, self.texts)]
        return fingerprint("ready", parts, self.links)

    @cached_property
    def vectors(self) -> np.ndarray:
        """(n, d) float32: images, then texts."""
        return np.concatenate([part.vectors for part in (self.images, self.texts) if part is not None])

    @cached_property
    def are_texts(self) -> np.ndarray:
        """(n,) bool, which of the vectors are texts."""
        return np.repeat([False, True], [0 if part is None else len(part) for part in (self.images, self.texts)])

    @property
    def has_gap(self) -> bool:
        """Whether how far images and texts lie apart means anything; else the texts are rows of a classifier."""
        return all(has_gap(part.model.id) for part in (self.images, self.texts) if part is not None)

    @property
    def has_both(self) -> bool:
        """Whether there are images and texts."""
        return 0 < int(self.are_texts.sum()) < len(self.are_texts)
