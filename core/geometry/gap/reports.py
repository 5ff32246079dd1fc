"""What is known about a modality gap: the pairs that it is measured on, and the reports that figures draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.geometry.alike import MeanCosines
from core.geometry.curves import Curve
from core.geometry.differences import Difference
from core.types import Number


@dataclass(frozen=True, eq=False)
class CosineHistograms:
    """Shares of cosines in equal bins, by kind of pair.

    Attributes
    ----------
    edges : (b + 1,) float64, growing.
    shares : by kind ("matched", "unmatched", "images", "texts"): (b,) float64, sum 1.
    mean : the mean cosine of each kind and the gap, of all points.
    counts : by kind, how many pairs the shares are of.
    """

    edges: np.ndarray
    shares: Mapping[str, np.ndarray]
    mean: MeanCosines
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
    closed : what closing by shift 1/2 changes, pair by pair: "loss" at the lowest temperature, the keys of
        ``retrieval`` for k 1, "accuracy"; corrected for each other. Empty where 0 or 1/2 is not among the shifts.
    lowest : by temperature, the loss at the shift where it is lowest less that at 0, corrected for all shifts that it
        was chosen from.
    """

    shifts: np.ndarray
    losses: Mapping[float, Curve]
    retrieval: Mapping[str, Curve]
    accuracy: Curve | None
    gap: Curve
    batch: int
    n: int
    closed: Mapping[str, Difference] = field(default_factory=dict)
    lowest: Mapping[float, Difference] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Conformity:
    """How typical each point is of its modality: mean cosine to the others, and how the two distributions match.

    Attributes
    ----------
    images, texts : (n,) and (m,) float64, mean cosine to the other points of the modality.
    mean_images, mean_texts : their means, the mean cosine of two of the modality.
    alphas : (a,) float64: from each vector alpha times the mean of its modality is taken.
    distances : over alphas, the Wasserstein distance of the two distributions of conformity, in standard deviations of
        conformity at that alpha; its null is that of two random halves of one modality.
    """

    images: np.ndarray
    texts: np.ndarray
    mean_images: Number
    mean_texts: Number
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
    change : by the keys of ``held_out`` and "accuracy", what is gained over the untouched vectors on the same splits;
        its interval is far narrower than the two intervals side by side suggest. p is corrected for all methods and
        both ways of a report.
    remembered : by the keys of ``held_out``, what in-sample scores have over held-out ones, split by split, for methods
        fitted on pairs; corrected likewise.
    """

    method: str
    gap: Number
    held_out: Mapping[str, Number]
    in_sample: Mapping[str, Number]
    accuracy: Number | None
    change: Mapping[str, Difference] = field(default_factory=dict)
    remembered: Mapping[str, Difference] = field(default_factory=dict)


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
