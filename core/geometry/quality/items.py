"""What is looked at: images and texts as vectors, which belong together, and which of them are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from core.errors import ShapeError, check_vectors
from core.types import fingerprint


@dataclass(frozen=True, eq=False)
class Items:
    """Images and texts of one model.

    Attributes
    ----------
    images, texts : (n, d) and (m, d) float32, unit rows; None where there are none.
    links : (p, 2) int64, rows (image, text) that belong together.
    labels : (n,) of strings, a class of each image, "" where it has none; empty where none are known.
    splits : (n,) of strings, the part of the data that each image is in; empty where none are known.
    """

    images: np.ndarray | None
    texts: np.ndarray | None
    links: np.ndarray
    labels: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for x in (self.images, self.texts):
            if x is not None:
                check_vectors(x, at_least=0, unit=True)
        links = np.asarray(self.links, dtype=np.int64).reshape(-1, 2)
        object.__setattr__(self, "links", links)
        if len(links) and (links.min() < 0 or (links.max(axis=0) >= (self.n_images, self.n_texts)).any()):
            raise ShapeError("links between rows at hand", "an index outside them")
        for what, words in (("labels", self.labels), ("splits", self.splits)):
            if words and len(words) != self.n_images:
                raise ShapeError(f"{self.n_images} {what}, one an image", str(len(words)))

    @property
    def n_images(self) -> int:
        return 0 if self.images is None else len(self.images)

    @property
    def n_texts(self) -> int:
        return 0 if self.texts is None else len(self.texts)

    @cached_property
    def cosines(self) -> np.ndarray:
        """(p,) float32, cosine of each image and its text, in the order of the links."""
        if self.images is None or self.texts is None:
            return np.zeros(0, dtype=np.float32)
        return np.einsum("ij,ij->i", self.images[self.links[:, 0]], self.texts[self.links[:, 1]])

    @cached_property
    def key(self) -> str:
        """Fingerprint of everything here."""
        arrays = [np.zeros(0) if x is None else x for x in (self.images, self.texts)]
        return fingerprint("items", *arrays, self.links, self.labels, self.splits)


@dataclass(frozen=True, eq=False)
class Kept:
    """Which items are left, and the labels that they have now.

    An image that is dropped takes along the texts that belong to dropped images alone; an image that had texts and has
    none left goes too, for a pair is what is learnt from.

    Attributes
    ----------
    images, texts : (n,) and (m,) bool.
    labels : (n,) of strings; empty where none are known.
    """

    images: np.ndarray
    texts: np.ndarray
    labels: tuple[str, ...] = field(default=())

    @classmethod
    def all_of(cls, items: Items) -> Kept:
        return cls(np.ones(items.n_images, bool), np.ones(items.n_texts, bool), items.labels)

    def without(self, items: Items, *, images: np.ndarray | None = None, texts: np.ndarray | None = None) -> Kept:
        """What is left without these rows of images and of texts, and what goes with them."""
        of_images, of_texts = self.images.copy(), self.texts.copy()
        if images is not None:
            of_images[images] = False
        if texts is not None:
            of_texts[texts] = False
        if len(items.links):
            of, to = items.links.T
            partners = np.bincount(to, minlength=items.n_texts), np.bincount(of, minlength=items.n_images)
            left = np.bincount(to[of_images[of]], minlength=items.n_texts)
            of_texts &= (partners[0] == 0) | (left > 0)
            left = np.bincount(of[of_texts[to]], minlength=items.n_images)
            of_images &= (partners[1] == 0) | (left > 0)
            left = np.bincount(to[of_images[of]], minlength=items.n_texts)
            of_texts &= (partners[0] == 0) | (left > 0)
        return Kept(of_images, of_texts, self.labels)
