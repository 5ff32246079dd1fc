"""Films left out in turn: what a linear model of all others needs to score them, whatever the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.geometry.rounding import rounding


@dataclass(frozen=True, eq=False)
class Fold:
    """Products of standardised films in the metric of the shrunken covariance of the fitted ones.

    Attributes
    ----------
    tested, fitted : the rows left out and the rows that are fitted, int64.
    across : (left out, fitted) float64, x' C^-1 z.
    among : (fitted, fitted) float64, z' C^-1 z.
    """

    tested: np.ndarray
    fitted: np.ndarray
    across: np.ndarray
    among: np.ndarray


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Films whose sources are left out in turn; a fold is made when it is asked for.

    Attributes
    ----------
    values : (n, p) float64, each feature over its largest size; NaN where it is not defined.
    sources : (n,) int from 0, at least two.
    constant : features that are the same for all films or known of none.
    undefined : numbers that are not finite, and are set to the mean of the fitted films.
    """

    values: np.ndarray
    sources: np.ndarray
    constant: int
    undefined: int

    def __len__(self) -> int:
        return int(self.sources.max()) + 1

    def fold(self, i: int) -> Fold:
        """Without the films of source ``i``.

        Means, scales and covariance are those of the fitted films alone; undefined numbers lie at their mean, and a
        feature that does not vary among them counts for nothing.
        """
        out, rest = np.flatnonzero(self.sources == i), np.flatnonzero(self.sources != i)
        return Fold(out, rest, *_products(*_standardised(self.values[out], self.values[rest])))


def left_out(features: np.ndarray, sources: np.ndarray) -> LeftOut:
    """Films to be left out by their sources.

    Parameters
    ----------
    features : (n, p) float64; what is not finite is undefined.
    sources : (n,) int from 0, at least two.
    """
    x = np.where(np.isfinite(features), features, np.nan)
    x = x / np.maximum(np.nanmax(np.abs(x), axis=0, initial=0), np.finfo(np.float64).tiny)
    known = np.isfinite(x)
    same = [_same(column[seen]) for column, seen in zip(x.T, known.T)]
    return LeftOut(x, sources, int(sum(same)), int((~known).sum()))


def shrinkage(z: np.ndarray) -> float:
    """Weight of the scaled identity in the covariance of centred rows, in [0, 1] (Ledoit and Wolf, 2004).

    Parameters
    ----------
    z : (n, p) float64, columns of mean 0.
    """
    n, p = z.shape
    gram = z @ z.T if n < p else z.T @ z
    squares = float((gram * gram).sum()) / n**2
    lengths = (z * z).sum(axis=1)
    away = squares - (float(lengths.sum()) / n) ** 2 / p
    unsure = float((lengths**2).sum()) / n**2 - squares / n
    return 1.0 if away <= 0 else float(min(max(unsure / away, 0.0), 1.0))


def _same(values: np.ndarray) -> bool:
    return not len(values) or bool(np.ptp(values) <= rounding(values) * np.abs(values).max())


def _standardised(out: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(rest)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, rest, 0).sum(axis=0) / counts
    centred = np.where(known, rest - mean, 0)
    scale = np.sqrt((centred**2).sum(axis=0) / counts)
    varies = scale > rounding(scale) * np.abs(mean)
    away = np.where(np.isfinite(out), out - mean, 0)
    return away[:, varies] / scale[varies], centred[:, varies] / scale[varies]


def _products(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a C^-1 b' and b C^-1 b', with C the shrunken covariance of the rows of b; by the smaller of both sides."""
    n, p = b.shape
    if not p:
        return np.zeros((len(a), n)), np.zeros((n, n))
    weight = max(shrinkage(b), 1e-3)
    least = weight * max(float((b * b).sum()) / (n * p), np.finfo(np.float64).tiny)
    own = b @ b.T
    if p <= n:
        inverse = np.linalg.inv((1 - weight) / n * (b.T @ b) + least * np.eye(p))
        return a @ inverse @ b.T, b @ inverse @ b.T
    # Woodbury: C^-1 b' = b' (least + (1 - weight) / n b b')^-1
    inverse = np.linalg.inv((1 - weight) / n * own + least * np.eye(n))
    return a @ b.T @ inverse, own @ inverse
