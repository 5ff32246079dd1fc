"""What is known about a modality gap: the pairs that it is measured on, and the reports that figures draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.errors import ShapeError, check_vectors
from core.types import Number


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


@dataclass(frozen=True, eq=False)
class Curve:
    """A number along an axis, with its 95 % interval.

    Attributes
    ----------
    title, unit : of the number.
    values : (s,) float64.
    low, high : (s,) float64, or None where no interval is known.
    null : the number by chance, or None.
    """

    title: str
    values: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    null: float | None = None
    unit: str = ""

    @classmethod
    def of(cls, title: str, numbers: Sequence[Number]) -> Curve:
        """The curve through numbers; with an interval where all of them have one."""
        known = all(n.low is not None and n.high is not None for n in numbers)
        low = np.array([n.low for n in numbers], dtype=np.float64) if known else None
        high = np.array([n.high for n in numbers], dtype=np.float64) if known else None
        first = numbers[0] if numbers else Number(0.0)
        return cls(title, np.array([n.value for n in numbers]), low, high, first.null, first.unit)


@dataclass(frozen=True, eq=False)
class CosineHistograms:
    """Shares of cosines in equal bins, by kind of pair.

    Attributes
    ----------
    edges : (b + 1,) float64, growing.
    shares : by kind ("matched", "unmatched", "images", "texts"): (b,) float64, sum 1.
    means : by kind, the mean cosine.
    counts : by kind, how many pairs were looked at.
    """

    edges: np.ndarray
    shares: Mapping[str, np.ndarray]
    means: Mapping[str, float]
    counts: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Landscape:
    """What a shift along the gap does to the loss, to retrieval and to zero-shot accuracy.

    Attributes
    ----------
    shifts : (s,) float64, growing; 0 is as it was, 1/2 closes the gap.
    losses : by temperature: contrastive loss over batches of ``batch`` pairs, natural logarithm.
    retrieval : by name ("r1_image_to_text", "r1_text_to_image", "r5_...", ...): shares.
    accuracy : zero-shot, or None without classes.
    gap : distance of the means after the shift.
    batch, n : pairs in a batch of the loss, and images with a text that were looked at; 0 where nothing is paired.
    """

    shifts: np.ndarray
    losses: Mapping[float, Curve]
    retrieval: Mapping[str, Curve]
    accuracy: Curve | None
    gap: Curve
    batch: int
    n: int


@dataclass(frozen=True, eq=False)
class Conformity:
    """How typical each point is of its modality: mean cosine to the others, and how the two distributions match.

    Attributes
    ----------
    images, texts : (n,) and (m,) float64, mean cosine to the other points of the modality.
    alphas : (a,) float64: from each vector alpha times the mean of its modality is taken.
    distances : over alphas, the Wasserstein distance of the two distributions of conformity, in standard deviations of
        conformity at that alpha; its null is that of two random halves of one modality.
    """

    images: np.ndarray
    texts: np.ndarray
    alphas: np.ndarray
    distances: Curve


@dataclass(frozen=True, eq=False)
class CosineParts:
    """Why a cosine is what it is.

    Attributes
    ----------
    cosine : of the two vectors; the sum of ``parts``.
    parts : "means" (mean image with mean text), "image" (mean text with what is special about the image), "text" (mean
        image with what is special about the text), "both" (what is special about both).
    percentile : in percent, among cosines of images and texts that do not belong together; NaN where all do.
    percentile_matched : in percent, among cosines of pairs; NaN where none are known.
    n_unmatched, n_matched : how many each percentile is taken among.
    """

    cosine: float
    parts: Mapping[str, float]
    percentile: float
    percentile_matched: float
    n_unmatched: int
    n_matched: int


@dataclass(frozen=True, eq=False)
class ClosingRow:
    """What one way of closing the gap does, over repeated splits of the pairs.

    Attributes
    ----------
    method : key of `closing.CLOSINGS`.
    gap : distance of the means of held-out images and texts after closing.
    held_out, in_sample : by "r1_image_to_text", "r1_text_to_image": on the pairs not fitted on, and on those fitted on,
        with galleries of one size; the null is chance.
    accuracy : zero-shot accuracy of the held-out images, or None without classes.
    change : by the keys of ``held_out``, what is gained over the untouched vectors on the same splits; its interval is
        far narrower than the two intervals side by side suggest.
    """

    method: str
    gap: Number
    held_out: Mapping[str, Number]
    in_sample: Mapping[str, Number]
    accuracy: Number | None
    change: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ClosingReport:
    """All ways of closing on the same splits.

    Attributes
    ----------
    rows : the first is the untouched vectors.
    repeats, n_fit, n_scored : random splits, pairs fitted on, pairs scored on (images with all their texts; images
        where nothing is known to belong together).
    fit_sizes : (f,) int64, pairs fitted on, for ``by_fit_size``.
    by_fit_size : by method, held-out R@1 image to text against the number of pairs fitted on.
    """

    rows: tuple[ClosingRow, ...]
    repeats: int
    n_fit: int
    n_scored: int
    fit_sizes: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    by_fit_size: Mapping[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SimilarityMatrix:
    """All cosines of some images and texts, in an order that brings like to like.

    Attributes
    ----------
    cosines : (k, k) float16; images first, then texts.
    image_rows, text_rows : which rows of the pairs, in the order of the matrix.
    links : (p, 2) int64, places in the matrix (image, text) of what belongs together.
    """

    cosines: np.ndarray
    image_rows: np.ndarray
    text_rows: np.ndarray
    links: np.ndarray
