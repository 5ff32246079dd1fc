"""Mean cosines of images and texts by kind of pair, the gap, and how they differ: all from the same few sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.geometry.differences import Difference, statistics_differ
from core.geometry.jackknife import CHUNK, cluster_sums, clusters, with_interval
from core.geometry.swaps import gap_by_chance
from core.types import Number


@dataclass(frozen=True, eq=False)
class Sums:
    """What statistics of means and of mean cosines are made of.

    Attributes
    ----------
    whole : (7,) float64: |X|^2, |Y|^2 and X.Y of the sums of images and of texts, how many there are of each, the sum
        of cosines over links, and how many links.
    without : (7, c) float64, the same without each cluster.
    usable : whether something is left of each modality without any cluster, and there are three or more.
    """

    whole: np.ndarray
    without: np.ndarray
    usable: bool

    def number(self, function: Callable[[np.ndarray], np.ndarray], null: float, n: int, unit: str = "",
               low: float = -math.inf, high: float = math.inf) -> Number:
        """A function of the sums, with its jackknife."""
        with np.errstate(all="ignore"):
            left_out = function(self.without) if self.usable else None
            return with_interval(float(function(self.whole)), left_out, null, n, unit, low, high)


def sums_of(x: np.ndarray, y: np.ndarray, links: np.ndarray, of_x: np.ndarray, of_y: np.ndarray, c: int) -> Sums:
    """Of (n, d) images and (m, d) texts, rows (image, text) that belong together, and the cluster of each, below c."""
    n, m, p = len(x), len(y), len(links)
    a, b = cluster_sums(x, of_x, c), cluster_sums(y, of_y, c)
    a_with_b, b_with_a, a_b = np.empty(c), np.empty(c), np.empty(c)
    for start in range(0, c, CHUNK):
        part = slice(start, start + CHUNK)
        rows_a, rows_b = a.rows(start, start + CHUNK), b.rows(start, start + CHUNK)
        a_with_b[part], b_with_a[part] = rows_a @ b.whole, rows_b @ a.whole
        a_b[part] = (rows_a * rows_b).sum(axis=1)
    cosines = np.concatenate([np.einsum("ij,ij->i", x[part[:, 0]].astype(np.float64), y[part[:, 1]])
                              for part in np.array_split(links, max(1, -(-p // CHUNK)))])
    paired = np.bincount(of_x[links[:, 0]], cosines, c)
    counts = np.bincount(of_x[links[:, 0]], minlength=c)
    whole = np.array([a.whole @ a.whole, b.whole @ b.whole, a.whole @ b.whole, n, m, paired.sum(), p])
    without = whole[:, None] - np.stack([2 * a.with_whole - a.squares, 2 * b.with_whole - b.squares,
                                         a_with_b + b_with_a - a_b, a.counts, b.counts, paired, counts])
    return Sums(whole, without, c > 2 and bool(without[3].min() > 1 and without[4].min() > 1))


def gap(s: np.ndarray) -> np.ndarray:
    """Distance of the means, from sums (7, ...)."""
    return np.sqrt(np.maximum(s[0] / s[3] ** 2 + s[1] / s[4] ** 2 - 2 * s[2] / (s[3] * s[4]), 0))


def angle(s: np.ndarray) -> np.ndarray:
    """Angle of the means in degrees, from sums (7, ...)."""
    return np.degrees(np.arccos(np.clip(s[2] / np.sqrt(s[0] * s[1]), -1, 1)))


def of_images(s: np.ndarray) -> np.ndarray:
    """Mean cosine of two images, from sums (7, ...)."""
    return (s[0] - s[3]) / (s[3] * (s[3] - 1))


def of_texts(s: np.ndarray) -> np.ndarray:
    """Mean cosine of two texts, from sums (7, ...)."""
    return (s[1] - s[4]) / (s[4] * (s[4] - 1))


def paired(s: np.ndarray) -> np.ndarray:
    """Mean cosine of an image and its own text, from sums (7, ...)."""
    return s[5] / s[6]


def unpaired(s: np.ndarray) -> np.ndarray:
    """Mean cosine of an image and another text, from sums (7, ...)."""
    return (s[2] - s[5]) / (s[3] * s[4] - s[6])


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"images": of_images, "texts": of_texts, "matched": paired,
                                                        "unmatched": unpaired}


@dataclass(frozen=True, eq=False)
class MeanCosines:
    """How alike two images, two texts, pairs ("matched") and other images and texts ("unmatched") are on average.

    Attributes
    ----------
    numbers : by kind, with intervals; a kind of which there are none is left out.
    without : by kind: (c,) the same without each cluster (an image with its texts); empty where that says nothing.
    gap : distance of the means; the null is that of image and text swapped within pairs.
    """

    numbers: Mapping[str, Number]
    without: Mapping[str, np.ndarray]
    gap: Number

    def over(self, kind: str, other: str) -> Difference:
        """What a kind has over another, on the same items."""
        return _differ(self.numbers.get(other), self.numbers.get(kind), self.without.get(other),
                       self.without.get(kind))

    def since(self, before: MeanCosines, kind: str) -> Difference:
        """What a kind has over itself before, of the same items with the same links."""
        return _differ(before.numbers.get(kind), self.numbers.get(kind), before.without.get(kind),
                       self.without.get(kind))


def by_kind(images: np.ndarray, texts: np.ndarray, links: np.ndarray) -> MeanCosines:
    """Of (n, d) and (m, d) unit rows, and rows (image, text) that belong together; none of these is sampled."""
    n, m, p = len(images), len(texts), len(links)
    cluster = np.unique(np.concatenate(clusters([n, m], links)), return_inverse=True)[1]
    sums = sums_of(images, texts, links, cluster[:n], cluster[n:], int(cluster.max()) + 1)
    counts = {"images": n * (n - 1), "texts": m * (m - 1), "matched": p, "unmatched": n * m - p}
    sizes = {"images": n, "texts": m, "matched": p, "unmatched": min(n, m)}
    kinds = {kind: function for kind, function in KINDS.items() if counts[kind]}
    numbers = {kind: sums.number(function, 0.0, sizes[kind], low=-1, high=1) for kind, function in kinds.items()}
    with np.errstate(all="ignore"):
        without = {kind: function(sums.without) for kind, function in kinds.items()} if sums.usable else {}
    return MeanCosines(numbers, without, sums.number(gap, gap_by_chance(images, texts, links)[0], min(n, m), low=0,
                                                     high=2))


def _differ(before: Number | None, after: Number | None, without_before: np.ndarray | None,
            without_after: np.ndarray | None) -> Difference:
    if before is None or after is None:
        return Difference(Number(math.nan, null=0.0), None)
    if without_before is None or without_after is None:
        return Difference(Number(after.value - before.value, null=0.0), None)
    return statistics_differ(before.value, after.value, without_before, without_after)
