"""Shares of cases that come out right, where cases share objects: intervals and differences over objects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, statistics_differ
from core.geometry.jackknife import student
from core.types import Number


@dataclass(frozen=True, eq=False)
class Cases:
    """What cases have in common.

    Attributes
    ----------
    objects : (n, k) int64, the objects that each case involves.
    together : (n,) int64, equal for cases that show the same objects in the same views (in several styles).
    """

    objects: np.ndarray
    together: np.ndarray

    def __post_init__(self) -> None:
        objects = np.asarray(self.objects, dtype=np.int64)
        objects = objects[:, None] if objects.ndim == 1 else objects
        object.__setattr__(self, "objects", objects)
        if not len(objects) or np.shape(self.together) != (len(objects),):
            raise ShapeError("one case or more, with its objects and what it goes together with",
                             f"shapes {objects.shape} and {np.shape(self.together)}")

    def __len__(self) -> int:
        return len(self.objects)

    @classmethod
    def joined(cls, parts: list[Cases]) -> Cases:
        """Cases of several sets of views of the same objects, one after the other."""
        most, shifted = 0, []
        for part in parts:
            shifted.append(part.together + most)
            most = int(shifted[-1].max()) + 1
        return cls(np.concatenate([p.objects for p in parts]), np.concatenate(shifted))


def shares_without(hits: np.ndarray, cases: Cases) -> np.ndarray:
    """(c,) the share of hits without all cases of each object, NaN where no case is left."""
    numbers = np.unique(cases.objects)
    kept = ~(cases.objects[:, :, None] == numbers).any(axis=1)
    counts = kept.sum(axis=0)
    return np.where(counts > 0, (hits[:, None] * kept).sum(axis=0) / np.maximum(counts, 1), np.nan)


def share(hits: np.ndarray, cases: Cases, *, null: float | None = None) -> Number:
    """The share of hits, with an interval that allows for other objects.

    Parameters
    ----------
    hits : (n,) in [0, 1].
    cases : what they have in common.
    null : the share by chance.

    Returns
    -------
    Number with a 95 % interval over objects (candidates, gallery and styles stay as they are): each object is left
    out, with all cases that involve it, and the variance of this jackknife says how many independent cases the share
    is worth, at most one for each `Cases.together`; with so many, the interval is Wilson's, at Student's quantile for
    the number of objects. No interval below 3 objects. On made-up cases of 10 objects of unequal difficulty 93 to
    99 % of such intervals held the true share, of like difficulty all (tests/geometry/objects/test_shares.py).
    """
    hits = np.asarray(hits, dtype=np.float64)
    if hits.shape != (len(cases),) or hits.min() < 0 or hits.max() > 1:
        raise ShapeError(f"{len(cases)} hits from 0 to 1", f"shape {hits.shape}")
    value, n = float(hits.mean()), len(hits)
    without = shares_without(hits, cases)
    c = len(without)
    if c < 3 or not np.isfinite(without).all():
        return Number(value, null=null, n=n, unit="share")
    variance = (c - 1) / c * float(((without - without.mean()) ** 2).sum())
    most = float(len(np.unique(cases.together)))
    worth = min(value * (1 - value) / variance, most) if variance > 0 else most
    t = student(c - 1)
    middle = (value + t**2 / (2 * worth)) / (1 + t**2 / worth)
    half = t / (1 + t**2 / worth) * math.sqrt(value * (1 - value) / worth + t**2 / (4 * worth**2))
    return Number(value, max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half)), null, n, "share")


def shares_differ(before: np.ndarray, after: np.ndarray, cases: Cases) -> Difference:
    """Shares of hits on the same cases, by leaving each object out of both: see `differences.statistics_differ`."""
    return statistics_differ(float(np.mean(before)), float(np.mean(after)), shares_without(before, cases),
                             shares_without(after, cases), unit="share")
