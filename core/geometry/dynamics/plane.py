"""The alignment-uniformity plane: the path that a training takes through it, with intervals at both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.curves import Curve
from core.geometry.jackknife import clusters, with_interval
from core.geometry.uniformity import log_potential_without, uniformity_by_chance
from core.types import Number


@dataclass(frozen=True, eq=False)
class Plane:
    """The path of a training.

    Attributes
    ----------
    steps : (s,) int64.
    alignment : (s,) mean squared distance of linked images and texts, with 95 % intervals and its null, the mean over
        images and texts that are not linked, of each step.
    uniformity : by modality, "images" and "texts", (s,) log mean of exp(-2 d^2) over its pairs of points, with 95 %
        intervals; its null is that of random directions. A modality of fewer than two points is left out.
    changes : by "alignment" and modality, last less first step with the interval of that difference, taken in pairs.
    counts : points of each modality.
    """

    steps: np.ndarray
    alignment: Curve
    uniformity: Mapping[str, Curve]
    changes: Mapping[str, Number]
    counts: Mapping[str, int]


def plane(images: np.ndarray, texts: np.ndarray, links: np.ndarray, steps: np.ndarray) -> Plane:
    """Alignment and uniformity of both modalities at each step.

    Parameters
    ----------
    images, texts
        (s, n, d) and (s, m, d) floats, unit rows.
    links
        (p, 2) ints, p >= 1: rows of images and of their texts.
    steps
        (s,) ints, growing.

    Returns
    -------
    Plane; intervals are Student's, of a jackknife over images with their texts, and none where fewer than three share
    none.

    Raises
    ------
    ShapeError
        If there are no links, or shapes do not fit.

    References
    ----------
    Wang and Isola, ICML 2020, arXiv:2005.10242.
    """
    links = np.unique(np.asarray(links, dtype=np.int64).reshape(-1, 2), axis=0)
    if not len(links):
        raise ShapeError("images and texts that are linked", "no links", "Alignment is of pairs alone.")
    if images.ndim != 3 or texts.ndim != 3 or not len(images) == len(texts) == len(steps):
        raise ShapeError("images and texts of shape (s, n, d), and s steps",
                         f"shapes {images.shape} and {texts.shape}, {len(steps)} steps")
    sizes = [images.shape[1], texts.shape[1]]
    members = clusters(sizes, links)
    sides = {name: (x, of) for name, x, of in zip(("images", "texts"), (images, texts), members) if x.shape[1] > 1}
    found = {"alignment": [_alignment(x, y, links, members[0]) for x, y in zip(images, texts)]}
    for name, (x, of) in sides.items():
        found[name] = [log_potential_without(one, of) for one in x]
    unlinked = np.array([_unlinked(x, y, links) for x, y in zip(images, texts)])
    n = {"alignment": len(links), **{name: x.shape[1] for name, (x, _) in sides.items()}}
    low = {"alignment": 0.0}
    curves = {name: Curve.of(name, [with_interval(value, without, None, n[name], low=low.get(name, -np.inf))
                                    for value, without in values]) for name, values in found.items()}
    alignment = curves.pop("alignment")
    at_random = np.array(uniformity_by_chance(images.shape[2]))
    changes = {}
    for name, values in found.items():
        (first, without_first), (last, without_last) = values[0], values[-1]
        without = None if without_first is None or without_last is None else without_last - without_first
        changes[name] = with_interval(last - first, without, 0.0, n[name])
    return Plane(np.asarray(steps, dtype=np.int64),
                 Curve("alignment", alignment.values, alignment.low, alignment.high, unlinked),
                 {name: Curve(name, one.values, one.low, one.high, at_random) for name, one in curves.items()},
                 changes, {name: x.shape[1] for name, (x, _) in sides.items()} | {"pairs": len(links)})


def _alignment(x: np.ndarray, y: np.ndarray, links: np.ndarray, of: np.ndarray) -> tuple[float, np.ndarray | None]:
    """Mean squared distance of the links, and that without each cluster of linked points."""
    squares = ((x[links[:, 0]].astype(np.float64) - y[links[:, 1]]) ** 2).sum(axis=1)
    own = np.unique(of[links[:, 0]], return_inverse=True)[1]
    sizes, sums = np.bincount(own), np.bincount(own, squares)
    left = len(links) - sizes
    return float(squares.mean()), (squares.sum() - sums) / left if left.min() > 0 else None


def _unlinked(x: np.ndarray, y: np.ndarray, links: np.ndarray) -> float:
    """Mean squared distance over images and texts that are not linked; NaN where all are."""
    n, m = len(x), len(y)
    whole = 2 * n * m - 2 * float(x.sum(axis=0, dtype=np.float64) @ y.sum(axis=0, dtype=np.float64))
    own = 2 - 2 * (x[links[:, 0]].astype(np.float64) * y[links[:, 1]]).sum(axis=1)
    rest = n * m - len(links)
    return (whole - float(own.sum())) / rest if rest else float("nan")
