"""Chance for paired data: the names image and text change places within what belongs together, never across."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.geometry.jackknife import clusters


@dataclass(frozen=True, eq=False)
class Swaps:
    """Which points may change places: those of a cluster, of which as many as were images are drawn to be images.

    A cluster is what links join, an image with all its texts. What belongs to nothing is one cluster of its own, so
    that without links all labels are shuffled.

    Attributes
    ----------
    of : (n + m,) int64, the cluster of each image, then of each text; from 0.
    images, texts : (c,) int64, how many of each a cluster has.
    """

    of: np.ndarray
    images: np.ndarray
    texts: np.ndarray

    @classmethod
    def within(cls, n: int, m: int, links: np.ndarray) -> Swaps:
        """Of so many images and texts, and rows (image, text) of what belongs together."""
        links = np.asarray(links, dtype=np.int64).reshape(-1, 2)
        linked = np.zeros(n + m, dtype=bool)
        linked[links[:, 0]] = linked[n + links[:, 1]] = True
        of = np.unique(np.where(linked, np.concatenate(clusters([n, m], links)), -1), return_inverse=True)[1]
        c = int(of.max()) + 1
        return cls(of, np.bincount(of[:n], minlength=c), np.bincount(of[n:], minlength=c))

    def sums(self, points: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Weighted sum of the points of each cluster: (n + m, d) floats, images first -> (c, d)."""
        from scipy.sparse import csr_array

        weights = np.ones(len(self.of)) if weights is None else weights
        member = csr_array((weights.astype(points.dtype), (self.of, np.arange(len(self.of)))),
                           shape=(len(self.images), len(self.of)))
        return np.asarray(member @ points)

    def gap(self, sums: np.ndarray) -> tuple[float, float]:
        """Gap and angle of means by chance of unit vectors with these `sums`: root mean square, and degrees."""
        n, m, size = int(self.images.sum()), int(self.texts.sum()), self.images + self.texts
        scatter = np.maximum(size - np.einsum("ij,ij->i", sums, sums, dtype=np.float64) / size, 0)
        drawn_apart = self.images * self.texts / (size * np.maximum(size - 1, 1))   # of a draw without replacement
        variance = float(drawn_apart @ scatter)
        total, expected = sums.sum(axis=0, dtype=np.float64), (self.images / size).astype(sums.dtype) @ sums
        expected = expected.astype(np.float64)
        of_images, both = float(expected @ expected) + variance, float(total @ expected)
        across, of_texts = both - of_images, float(total @ total) - 2 * both + of_images
        cosine = across / max(math.sqrt(max(of_images, 0.0) * max(of_texts, 0.0)), 1e-12)
        lopsided = expected * (1 / n + 1 / m) - total / m
        gap = math.sqrt(float(lopsided @ lopsided) + variance * (1 / n + 1 / m) ** 2)
        return gap, math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))


def gap_by_chance(images: np.ndarray, texts: np.ndarray, links: np.ndarray) -> tuple[float, float]:
    """Gap and angle of means that are expected when it is drawn by lot which members of a cluster are its images.

    For one text an image the gap by chance is sqrt(sum |x_i - y_i|^2) / n: two views of one source have a small one.

    Parameters
    ----------
    images, texts
        (n, d) and (m, d) floats, unit rows.
    links
        (p, 2) rows (image, text) that belong together.

    Returns
    -------
    Root of the mean squared gap, a length in [0, 2], and the angle (degrees) of the means' mean products.
    """
    swaps = Swaps.within(len(images), len(texts), links)
    return swaps.gap(swaps.sums(np.concatenate([images, texts])))
