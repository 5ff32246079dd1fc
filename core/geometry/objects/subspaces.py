"""The subspace that views of one object span: its energies, its dimension, and what belongs to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.rounding import rounding
from core.geometry.threads import one_thread
from core.types import Number

SHARES = (0.90, 0.95, 0.99)
ORTHONORMAL = 1e-5
DRAWS = 20


@dataclass(frozen=True, eq=False)
class Subspace:
    """Directions that views of an object lie in, the strongest first.

    Attributes
    ----------
    basis : (k, d) float64, orthonormal rows.
    energies : (m,) float64, m >= k, falling: squared singular values along all directions of the fit.
    centre : (d,) float64, what was taken from the views first: 0 for a span, their mean for a variation.
    n : views that were fitted.
    """

    basis: np.ndarray
    energies: np.ndarray
    centre: np.ndarray
    n: int

    def __post_init__(self) -> None:
        k, d = self.basis.shape
        if k and np.abs(self.basis @ self.basis.T - np.eye(k)).max() > ORTHONORMAL:
            raise ShapeError(f"an orthonormal basis (to {ORTHONORMAL:g})", "rows of other lengths or angles")
        if self.centre.shape != (d,) or len(self.energies) < k:
            raise ShapeError(f"a centre of {d} numbers and at least {k} energies",
                             f"shape {self.centre.shape} and {len(self.energies)}")

    @property
    def rank(self) -> int:
        return len(self.basis)

    def cut(self, rank: int) -> Subspace:
        """The same with its strongest directions alone; as many as there are where there are fewer."""
        if rank < 1:
            raise ShapeError("a rank of 1 or more", str(rank))
        return replace(self, basis=self.basis[:rank])

    def shares(self) -> np.ndarray:
        """(m,) float64, share of the energy in the first 1, 2, ... directions; zeros where there is no energy."""
        total = float(self.energies.sum())
        return np.cumsum(self.energies) / total if total > 0 else np.zeros(len(self.energies))

    def dimension(self, share: float) -> int:
        """The smallest number of directions with this share of the energy; 0 where there is no energy."""
        reached = np.flatnonzero(self.shares() >= share - 1e-12)
        return int(reached[0]) + 1 if len(reached) else 0


def fit_span(x: np.ndarray, rank: int | None = None) -> Subspace:
    """The span of views: directions about the origin, in which the first is near the mean view.

    Parameters
    ----------
    x : (n, d) floats, finite.
    rank : how many directions to keep, >= 1; None for all that are more than rounding.
    """
    return _fit(x, rank, np.zeros(x.shape[-1]))


def fit_variation(x: np.ndarray, rank: int | None = None) -> Subspace:
    """How views vary: directions about their mean; parameters as in `fit_span`."""
    check_vectors(x, what="views")
    return _fit(x, rank, x.mean(axis=0, dtype=np.float64))


def _fit(x: np.ndarray, rank: int | None, centre: np.ndarray) -> Subspace:
    check_vectors(x, what="views")
    if rank is not None and rank < 1:
        raise ShapeError("a rank of 1 or more", str(rank))
    _, lengths, directions = np.linalg.svd(x.astype(np.float64) - centre, full_matrices=False)
    scale = math.sqrt(float((x.astype(np.float64) ** 2).sum()))
    real = lengths > rounding(x, x.shape[1]) * scale
    return Subspace(directions[real][:rank], np.where(real, lengths, 0.0) ** 2, centre, len(x))


def project(subspace: Subspace, x: np.ndarray) -> np.ndarray:
    """The part of each vector, about the centre, that lies in the subspace: (n, d) -> (n, d) float64."""
    away = np.asarray(x, dtype=np.float64) - subspace.centre
    return away @ subspace.basis.T @ subspace.basis


def membership(subspace: Subspace, x: np.ndarray) -> np.ndarray:
    """How far vectors belong to a subspace: |P v| / |v|, v taken about the centre.

    Parameters
    ----------
    subspace : of an object.
    x : (n, d) floats: any images or captions.

    Returns
    -------
    (n,) float64 in [0, 1]; 1 inside the subspace, `membership_by_chance` for a random direction; NaN at the centre.
    """
    away = np.asarray(x, dtype=np.float64) - subspace.centre
    if away.ndim != 2 or away.shape[1] != subspace.basis.shape[1]:
        raise ShapeError(f"vectors of {subspace.basis.shape[1]} dimensions", f"shape {away.shape}")
    whole = np.linalg.norm(away, axis=1)
    known = whole > rounding(np.asarray(x, dtype=np.float64), away.shape[1])
    part = np.linalg.norm(away @ subspace.basis.T, axis=1)
    return np.where(known, np.minimum(part / np.where(known, whole, 1.0), 1.0), np.nan)


def membership_by_chance(rank: int, d: int) -> float:
    """Root mean square of the membership of random directions, sqrt(rank / d)."""
    return math.sqrt(min(rank, d) / d)


def left_out_memberships(x: np.ndarray, views: np.ndarray, rank: int) -> np.ndarray:
    """Membership of each vector in the span of its object's OTHER views.

    Parameters
    ----------
    x : (n, d) floats, unit rows, of one object.
    views : (n,) int, rows of one view (its styles) are left out together; at least two views.
    rank : of the span of the others.

    Returns
    -------
    (n,) float64 in [0, 1]; the residual of a left-out view is sqrt(1 - membership^2).
    """
    labels = np.unique(views)
    if len(labels) < 2:
        raise ShapeError("at least two views, to leave one out", str(len(labels)))
    out = np.empty(len(x))
    for label in labels:
        left = views == label
        out[left] = membership(fit_span(x[~left], rank), x[left])
    return out


def dimensions(x: np.ndarray, *, centred: bool, seed: int = 0) -> dict[float, Number]:
    """Directions that hold 90, 95 and 99 % of the energy, by share.

    Parameters
    ----------
    x : (n, d) floats, unit rows.
    centred : True for the variation, False for the span.
    seed : of the random directions of the null.

    Returns
    -------
    Numbers whose null is that of as many random directions in as many dimensions, mean of 20 draws. They grow with n:
    compare objects at equal numbers of views.
    """
    found = (fit_variation if centred else fit_span)(x)
    null = energy_by_chance(*x.shape, centred=centred, seed=seed)
    return {share: Number(found.dimension(share), null=int((null < share - 1e-12).sum()) + 1, n=len(x),
                          unit="dimensions") for share in SHARES}


def energy_by_chance(n: int, d: int, *, centred: bool, seed: int = 0) -> np.ndarray:
    """Share of the energy in the first directions of n random unit vectors in d dimensions, mean of 20 draws.

    Returns
    -------
    (min(n, d),) float64, growing to 1.
    """
    rng = np.random.default_rng(seed)
    curves = []
    with one_thread():
        for _ in range(DRAWS):
            x = rng.normal(size=(n, d))
            x /= np.linalg.norm(x, axis=1, keepdims=True)
            energies = np.linalg.svd(x - x.mean(axis=0) if centred else x, compute_uv=False) ** 2
            curves.append(np.cumsum(energies) / energies.sum())
    return np.mean(curves, axis=0)
