"""Statistics of images and texts on the sphere, each with a 95 % interval and its value for random directions.

Intervals come from a jackknife over clusters: an image with all its texts is left out at a time, which is right for
statistics of pairs of points, where copies of rows in a bootstrap are not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry import alike
from core.geometry.directions import kappa_from_length
from core.geometry.jackknife import CHUNK, cluster_sums, clusters, with_interval
from core.geometry.rounding import rounding
from core.geometry.samples import spread_sample
from core.geometry.spectrum import directions_filled
from core.geometry.swaps import gap_by_chance
from core.geometry.uniformity import joint_uniformity, uniformity
from core.types import Number

MOST_FOR_PAIRS = 3000


@dataclass(frozen=True)
class Statistic:
    """How a number is called and what it says; ``unit`` is empty where it is a pure number."""

    title: str
    explanation: str
    unit: str = ""


_GROWS = "it grows with n, so images and texts are cut to the smaller n of the two"

STATISTICS: dict[str, Statistic] = {
    "gap": Statistic("Gap", "Length of the difference of the mean image and the mean text vector (Liang 2022)."),
    "angle_of_means": Statistic("Angle of means", "Angle between the mean image and the mean text vector.", "degrees"),
    "cosine_paired": Statistic("Cosine, pairs", "Mean cosine of an image and its own text."),
    "cosine_unpaired": Statistic("Cosine, not pairs", "Mean cosine of an image and a text of another image."),
    "alignment": Statistic("Alignment", "Mean squared distance of an image to its own text (Wang & Isola 2020)."),
    "rmg": Statistic("Relative gap", "Distance in pairs over that plus the distance inside modalities (Schrodi 2024)."),
    "uniformity_joint": Statistic("Uniformity, all", "Log mean of exp(-2 d^2) over all pairs, images and texts "
                                  "weighing the same whatever their numbers; lower is more even."),
    "cosine_image": Statistic("Cosine, images", "Mean cosine of two images."),
    "norm_image": Statistic("Mean length, images", "Length of the mean image vector; 1 if all were equal."),
    "kappa_image": Statistic("Concentration, images", "Von Mises-Fisher kappa of the images; 0 is uniform."),
    "uniformity_image": Statistic("Uniformity, images", "Log mean of exp(-2 d^2) over pairs of images."),
    "effective_rank_image": Statistic("Effective rank at this n, images",
                                      f"Dimensions that the centred images fill evenly, at this n: {_GROWS}.",
                                      "dimensions"),
    "cosine_text": Statistic("Cosine, texts", "Mean cosine of two texts."),
    "norm_text": Statistic("Mean length, texts", "Length of the mean text vector; 1 if all were equal."),
    "kappa_text": Statistic("Concentration, texts", "Von Mises-Fisher kappa of the texts; 0 is uniform."),
    "uniformity_text": Statistic("Uniformity, texts", "Log mean of exp(-2 d^2) over pairs of texts."),
    "effective_rank_text": Statistic("Effective rank at this n, texts",
                                      f"Dimensions that the centred texts fill evenly, at this n: {_GROWS}.",
                                      "dimensions"),
}


def sphere_statistics(images: np.ndarray | None, texts: np.ndarray | None,
                      links: np.ndarray | None = None) -> dict[str, Number]:
    """All statistics that the points at hand allow, by the keys of `STATISTICS`.

    Parameters
    ----------
    images, texts
        (n, d) and (m, d) floats, unit rows, or None.
    links
        (p, 2) rows (image, text) that belong together; None where nothing is known.

    Returns
    -------
    Numbers in the order of `STATISTICS`; those that need what is not there (a pair, two points, an interval of fewer
    than three clusters) are left out or have no interval. Uniformity looks at up to 3,000 points of a modality, and
    its ``n`` says so. Effective rank is mostly a function of n: where there are images and texts, both are measured at
    the smaller n of the two, on rows spread evenly from the most to the least typical.

    References
    ----------
    Wang and Isola, ICML 2020, arXiv:2005.10242; Liang et al., NeurIPS 2022, arXiv:2203.02053; Schrodi et al., 2024,
    arXiv:2404.07983; Roy and Vetterli, EUSIPCO 2007 (effective rank).
    """
    sides = [_checked(x) for x in (images, texts)]
    links = np.zeros((0, 2), dtype=np.int64) if links is None else np.asarray(links, dtype=np.int64).reshape(-1, 2)
    sizes = [0 if x is None else len(x) for x in sides]
    if len(links) and (links.min() < 0 or (links.max(axis=0) >= sizes).any()):
        raise ShapeError("links between the images and texts at hand", "an index outside them")
    members = clusters(sizes, links)
    found: dict[str, Number] = {}
    equal = min((size for size in sizes if size), default=0)
    for name, x, cluster in zip(("image", "text"), sides, members):
        if x is not None and len(x) > 1:
            found |= {f"{key}_{name}": number for key, number in _one_modality(x, cluster).items()}
            found |= {f"effective_rank_{name}": number for number in _effective_rank_at(x, cluster, equal)}
    if sides[0] is not None and sides[1] is not None and min(sizes) > 0:
        found |= _two_modalities(sides[0], sides[1], links, members)
    return {key: found[key] for key in STATISTICS if key in found}


def lowest_cosine(x: np.ndarray) -> float:
    """Least cosine of two rows of ``x`` ((n, d) unit, n >= 2): how wide the cone is at its widest."""
    x = np.asarray(x)
    check_vectors(x, at_least=2)
    return float(min((x[i:i + CHUNK] @ x.T).min() for i in range(0, len(x), CHUNK)))


def _checked(x: np.ndarray | None) -> np.ndarray | None:
    if x is None:
        return None
    x = np.asarray(x)
    check_vectors(x, at_least=0, unit=True)
    return x


def _one_modality(x: np.ndarray, cluster: np.ndarray) -> dict[str, Number]:
    n, d = x.shape
    _, cluster = np.unique(cluster, return_inverse=True)
    c = int(cluster.max()) + 1
    sums = cluster_sums(x, cluster, c)
    left = n - sums.counts
    squares_left = float(sums.whole @ sums.whole) - 2 * sums.with_whole + sums.squares
    enough = left.min() > 1
    length = float(np.linalg.norm(sums.whole)) / n
    lengths = np.sqrt(np.maximum(squares_left, 0)) / np.maximum(left, 1)
    cosine = ((length * n) ** 2 - n) / (n * (n - 1))
    cosines = (squares_left - left) / np.maximum(left * (left - 1), 1)
    by_chance = 1 / math.sqrt(n)
    out = {
        "cosine": with_interval(cosine, cosines if enough else None, 0.0, n, low=-1, high=1),
        "norm": with_interval(length, lengths if enough else None, by_chance, n, low=0, high=1),
        "kappa": with_interval(kappa_from_length(length, d, rounding(x)), _kappas(lengths, d) if enough else None,
                         kappa_from_length(by_chance, d, rounding(x)), n, low=0),
        "uniformity": _uniformity(x, cluster),
    }
    return out


def _effective_rank_at(x: np.ndarray, cluster: np.ndarray, n: int) -> Iterator[Number]:
    """The effective rank of n rows; with an interval where there are so many for a dimension that it covers."""
    if len(x) > n:
        rows = spread_sample(x, n)
        x, cluster = x[rows], cluster[rows]
    found = directions_filled(x, cluster, unit="dimensions") if n > 1 else None
    if found is not None:
        yield found


def _kappas(lengths: np.ndarray, d: int) -> np.ndarray:
    squares = np.minimum(lengths, 1 - 1e-12) ** 2
    return np.sqrt(squares) * (d - squares) / (1 - squares)


def _uniformity(x: np.ndarray, cluster: np.ndarray) -> Number:
    if len(x) > MOST_FOR_PAIRS:
        rows = spread_sample(x, MOST_FOR_PAIRS)
        x, cluster = x[rows], cluster[rows]
    return uniformity(x, cluster)


def _two_modalities(x: np.ndarray, y: np.ndarray, links: np.ndarray, members: list[np.ndarray]) -> dict[str, Number]:
    n, m, p = len(x), len(y), len(links)
    joint, cluster = np.unique(np.concatenate(members), return_inverse=True)
    of_x, of_y = cluster[:n], cluster[n:]
    number = alike.sums_of(x, y, links, of_x, of_y, len(joint)).number
    count = p if p else min(n, m)
    gap, angle = gap_by_chance(x, y, links)
    out = {
        "gap": number(alike.gap, gap, min(n, m), low=0, high=2),
        "angle_of_means": number(alike.angle, angle, min(n, m), "degrees", low=0, high=180),
        "cosine_unpaired": number(alike.unpaired, 0.0, min(n, m), low=-1, high=1),
    }
    if min(n, m) > 1 and p:
        out["rmg"] = number(_rmg, 0.5, count, low=0, high=1)
    if p:
        out["cosine_paired"] = number(alike.paired, 0.0, count, low=-1, high=1)
        out["alignment"] = number(lambda s: 2 - 2 * alike.paired(s), 2.0, count, low=0, high=4)
    most = MOST_FOR_PAIRS // 2
    rows_x = spread_sample(x, most) if n > most else np.arange(n)
    rows_y = spread_sample(y, most) if m > most else np.arange(m)
    if min(n, m) > 1:
        out["uniformity_joint"] = joint_uniformity(x[rows_x], of_x[rows_x], y[rows_y], of_y[rows_y])
    return out


def _rmg(s: np.ndarray) -> np.ndarray:
    inside = [(1 - of_kind(s)) / 2 for of_kind in (alike.of_images, alike.of_texts)]
    matched = (1 - alike.paired(s)) / 2
    return matched / (matched + sum(inside) / 2)
