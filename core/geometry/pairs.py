"""Images and texts of one model and which belong together, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError, check_vectors


@dataclass(frozen=True, eq=False)
class Classes:
    """Classes that images are told apart by: zero-shot accuracy without a model at hand.

    Attributes
    ----------
    names : of the k classes.
    vectors : (k, d) float32, unit rows: a text vector each.
    truth : (n,) int64, index of each image's class; -1 where it has none.
    """

    names: tuple[str, ...]
    vectors: np.ndarray
    truth: np.ndarray

    def __post_init__(self) -> None:
        check_vectors(self.vectors, what="class vectors", unit=True)
        truth = np.asarray(self.truth, dtype=np.int64)
        if len(self.names) != len(self.vectors):
            raise ShapeError(f"{len(self.names)} class vectors, one a name", str(len(self.vectors)))
        if truth.ndim != 1 or (len(truth) and (truth.min() < -1 or truth.max() >= len(self.names))):
            raise ShapeError(f"classes from -1 to {len(self.names) - 1}", "others")
        object.__setattr__(self, "truth", truth)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Images and texts of one model, and which belong together.

    Attributes
    ----------
    images, texts : (n, d) and (m, d) float32, unit rows.
    links : (p, 2) int64, rows (image, text), each once; several texts an image and several images a text are allowed;
        (0, 2) where nothing is known to belong together.
    classes : of the images, or None.
    """

    images: np.ndarray
    texts: np.ndarray
    links: np.ndarray
    classes: Classes | None = None

    def __post_init__(self) -> None:
        for name, x in (("images", self.images), ("texts", self.texts)):
            check_vectors(x, what=name, unit=True)
        if self.images.shape[1] != self.texts.shape[1]:
            raise ShapeError("images and texts of one dimension", f"{self.images.shape[1]} and {self.texts.shape[1]}")
        links = np.unique(np.asarray(self.links, dtype=np.int64).reshape(-1, 2), axis=0)
        if len(links) and (links.min() < 0 or (links.max(axis=0) >= (len(self.images), len(self.texts))).any()):
            raise ShapeError("links between the images and texts at hand", "an index outside them")
        if self.classes is not None and len(self.classes.truth) != len(self.images):
            raise ShapeError(f"{len(self.images)} classes, one an image", str(len(self.classes.truth)))
        object.__setattr__(self, "links", links)

    @classmethod
    def row_by_row(cls, images: np.ndarray, texts: np.ndarray, classes: Classes | None = None) -> Pairs:
        """Row i of both belongs together: (n, d) and (n, d) unit rows."""
        if len(images) != len(texts):
            raise ShapeError(f"{len(images)} texts, one an image", str(len(texts)))
        return cls(images, texts, np.repeat(np.arange(len(images))[:, None], 2, axis=1), classes)

    def moved(self, images: np.ndarray, texts: np.ndarray, class_vectors: np.ndarray | None = None) -> Pairs:
        """The same pairs with other vectors."""
        classes = self.classes
        if classes is not None and class_vectors is not None:
            classes = replace(classes, vectors=class_vectors)
        return replace(self, images=images, texts=texts, classes=classes)

    def part(self, image_rows: Sequence[int] | np.ndarray, text_rows: Sequence[int] | np.ndarray) -> Pairs:
        """Some images and some texts, in this order, with the links between them."""
        image_rows, text_rows = np.asarray(image_rows, dtype=np.int64), np.asarray(text_rows, dtype=np.int64)
        new_image, new_text = np.full(len(self.images), -1), np.full(len(self.texts), -1)
        new_image[image_rows], new_text[text_rows] = np.arange(len(image_rows)), np.arange(len(text_rows))
        links = np.stack([new_image[self.links[:, 0]], new_text[self.links[:, 1]]], axis=1)
        classes = self.classes
        if classes is not None:
            classes = replace(classes, truth=classes.truth[image_rows])
        return Pairs(self.images[image_rows], self.texts[text_rows], links[(links >= 0).all(axis=1)], classes)
