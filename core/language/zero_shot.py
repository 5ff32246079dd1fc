"""Zero-shot classification and retrieval with unit vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.intervals import proportion
from core.geometry.sphere import unit
from core.types import Number


def class_vectors(texts_of_classes: Sequence[np.ndarray]) -> np.ndarray:
    """One unit vector a class: the direction of the mean of its unit prompt vectors.

    Parameters
    ----------
    texts_of_classes : k arrays (templates, d), unit rows.

    Returns
    -------
    (k, d) float32, unit rows.

    References
    ----------
    Radford et al., 2021, arXiv:2103.00020, section 3.1.4.
    """
    return unit(np.stack([t.mean(axis=0) for t in texts_of_classes]))


def accuracy(images: np.ndarray, candidates: np.ndarray, truth: np.ndarray) -> Number:
    """Share of images whose nearest candidate is the true one.

    Parameters
    ----------
    images : (n, d) unit rows.
    candidates : (k, d), the same for all images, or (n, k, d), an image's own; unit rows.
    truth : (n,) int, index of the right candidate.

    Returns
    -------
    Number with Wilson's interval and chance, 1 / k, as null.
    """
    check_vectors(images, unit=True)
    if candidates.ndim == 2:
        scores = images @ candidates.T
    else:
        scores = np.einsum("nd,nkd->nk", images, candidates)
    if scores.shape[0] != len(truth):
        raise ShapeError(f"{len(images)} true classes, one an image", str(len(truth)))
    right = int((scores.argmax(axis=1) == truth).sum())
    return proportion(right, len(truth), null=1 / scores.shape[1])


def recall_at(queries: np.ndarray, gallery: np.ndarray, k: int = 1) -> Number:
    """Share of queries whose own partner (same row) is among the ``k`` nearest of the gallery.

    Parameters
    ----------
    queries, gallery : (n, d) unit rows; row i of both is a pair.

    Returns
    -------
    Number; the interval resamples the queries and keeps the gallery, the null is chance, k / n.
    """
    check_vectors(queries, unit=True)
    check_vectors(gallery, unit=True)
    if queries.shape != gallery.shape:
        raise ShapeError(f"a gallery of shape {queries.shape}", str(gallery.shape))
    hits = 0
    for start in range(0, len(queries), 2048):
        scores = queries[start:start + 2048] @ gallery.T
        own = scores[np.arange(len(scores)), start + np.arange(len(scores))]
        hits += int(((scores > own[:, None]).sum(axis=1) < k).sum())
    return proportion(hits, len(queries), null=k / len(gallery))
