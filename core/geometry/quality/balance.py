"""How evenly labels are spread over their classes, and which classes are the long tail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.geometry.intervals import Z95, proportion
from core.geometry.quality.classes import called, classes_of
from core.geometry.quality.finding import Finding
from core.types import Number

FEW = 20
DRAWS = 200
IMAGES_A_CLASS = 30   # from which on the interval of the effective number covers
_LEAST_CHANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Balance:
    """Classes and how many images each has.

    Attributes
    ----------
    names : of the k classes, the largest first, equal ones by name.
    counts : (k,) int64.
    unlabelled : images without a label.
    even : (k,) float64, mean count of the largest, second largest, ... class where labels are drawn evenly.
    numbers : "classes"; "effective" number of classes, exp of the entropy of their shares; "imbalance", largest over
        smallest count; "largest" share of the images; "tail", share of the images in the rarer half of the classes;
        "few", share of the classes with fewer than 20 images. Null: as many labels drawn evenly from the same classes.
        Only "classes" where no image has a label.
    """

    names: tuple[str, ...]
    counts: np.ndarray
    unlabelled: int
    even: np.ndarray
    numbers: dict[str, Number]


def balance(labels: Sequence[str], *, n: int | None = None, seed: int = 0) -> Balance:
    """Counts of classes and what they say of balance.

    Parameters
    ----------
    labels
        Of images, "" where one has none.
    n
        Cut to so many labelled images, for sets of different size: the numbers are means over 200 draws without
        replacement, and have no interval; None, or no fewer than there are: all.
    seed
        Of the draws.

    References
    ----------
    Hill, Ecology 54, 1973 (effective number); Liu et al., CVPR 2019, arXiv:1904.05160 (few: fewer than 20 images).
    """
    found, of = classes_of(labels)
    counts, unlabelled = np.bincount(of[of >= 0], minlength=len(found)), int((of < 0).sum())
    order = np.argsort(-counts, kind="stable")
    names, counts = tuple(found[i] for i in order.tolist()), counts[order]
    total, k, rng = int(counts.sum()), len(counts), np.random.default_rng(seed)
    if not k:
        return Balance((), counts, unlabelled, np.zeros(0), {"classes": Number(0.0, n=0, unit="classes")})
    cut = n is not None and 1 <= n < total
    size = n if cut and n is not None else total
    draws = rng.multivariate_hypergeometric(counts, size, DRAWS, method="marginals") if cut else counts[None]
    even = -np.sort(-rng.multinomial(size, np.full(k, 1 / k), DRAWS), axis=1)
    measured, null = _measures(draws), _measures(even)
    numbers = {key: Number(float(measured[key].mean()), null=float(null[key].mean()), n=size, unit=unit)
               for key, unit in _UNITS.items()}
    if not cut:
        numbers["effective"] = _with_interval(numbers["effective"], counts)
        numbers["largest"] = proportion(float(counts[0]), total, null=numbers["largest"].null)
    return Balance(names, counts, unlabelled, even.mean(axis=0), numbers)


def in_small_classes(labels: Sequence[str], *, fewest: int = FEW) -> Finding:
    """Images of the long tail: the score is how many images their class has, NaN without a label."""
    names, of = classes_of(labels)
    counts = np.bincount(of[of >= 0], minlength=len(names))
    sizes = counts[of] if len(names) else np.zeros(len(of), np.int64)
    scores = np.where(of >= 0, sizes, np.nan).astype(np.float32)
    told = [called(name) for name in names]
    said = tuple(f"one of {size:,} images of {told[k]}" if k >= 0 else "no label"
                 for size, k in zip(sizes.tolist(), of.tolist()))
    drawn = np.zeros(0, np.float32)
    if len(names):
        even = np.random.default_rng(0).multinomial(int(counts.sum()), np.full(len(names), 1 / len(names)))
        drawn = np.repeat(even, even).astype(np.float32)
    return Finding("tail", "image", scores, "low", float(fewest - 1), "images of its class (images)", drawn,
                   "as many labels drawn evenly", evidence=said)


_UNITS = {"classes": "classes", "effective": "classes", "imbalance": "largest over smallest", "largest": "share",
          "tail": "share", "few": "share"}


def _measures(counts: np.ndarray) -> dict[str, np.ndarray]:
    """By key, (r,) floats from (r, k) counts of r draws; classes without an image do not count."""
    some = counts > 0
    k, total = some.sum(axis=1), counts.sum(axis=1)
    shares = counts / total[:, None]
    largest = np.sort(counts, axis=1)[:, ::-1]
    smallest = np.where(some, counts, total[:, None]).min(axis=1)
    whole = np.cumsum(largest, axis=1)
    head = k - k // 2
    in_head = np.take_along_axis(whole, (head - 1)[:, None], axis=1)[:, 0]
    return {"classes": k.astype(float), "effective": np.exp(_entropy(shares)), "imbalance": largest[:, 0] / smallest,
            "largest": largest[:, 0] / total, "tail": 1 - in_head / total,
            "few": ((counts < FEW) & some).sum(axis=1) / k}


def _entropy(shares: np.ndarray) -> np.ndarray:
    return -(shares * np.log(np.maximum(shares, _LEAST_CHANCE))).sum(axis=-1)


def _with_interval(number: Number, counts: np.ndarray) -> Number:
    """Of the classes that the labels were drawn from: normal about the entropy corrected for its bias.

    Miller, 1955: the entropy of n draws is (k - 1) / 2n too low; its variance is that of -log p over n, and
    (k - 1) / 2n^2 where all classes are even. The variance of -log p is itself (k - 1) / n too high in n draws.
    """
    n, k = int(counts.sum()), len(counts)
    if k < 2 or n < IMAGES_A_CLASS * k:
        return number
    p = counts / n
    entropy = float(_entropy(p))
    spread = max(float((p * np.log(p) ** 2).sum()) - entropy**2 - (k - 1) / n, 0.0)
    middle, half = entropy + (k - 1) / (2 * n), Z95 * math.sqrt(spread / n + (k - 1) / (2 * n * n))
    low, high = math.exp(middle - half), min(math.exp(middle + half), float(k))
    return Number(number.value, min(low, number.value), max(high, number.value), number.null, n, number.unit)
