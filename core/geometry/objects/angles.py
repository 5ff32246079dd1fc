"""Angles and distances between the subspaces of objects, and a map of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.maps.classical import classical_scaling, distances_kept
from core.geometry.objects.subspaces import Subspace
from core.geometry.threads import one_thread
from core.types import Number

DRAWS = 20


@dataclass(frozen=True, eq=False)
class DistanceMap:
    """Objects in a plane, so that distances are as near to their Grassmann distances as can be.

    Attributes
    ----------
    coords : (n, 2) float64, radians, about their mean.
    fidelity : Spearman's correlation of the distances of all pairs; its null is that of random subspaces of the same
        ranks.
    """

    coords: np.ndarray
    fidelity: Number


def principal_angles(a: Subspace, b: Subspace) -> np.ndarray:
    """Principal angles between two subspaces, the smallest first.

    Parameters
    ----------
    a, b : of ranks k and l, at least 1, in the same d dimensions.

    Returns
    -------
    (min(k, l),) float64, radians in [0, pi / 2], exact at both ends: atan2 of sines (singular values of the smaller
    basis less its part in the larger) and cosines.

    References
    ----------
    Bjorck and Golub, Mathematics of Computation 27, 1973; Knyazev and Argentati, SIAM J. Sci. Comput. 23, 2002.
    """
    large, small = (a.basis, b.basis) if a.rank >= b.rank else (b.basis, a.basis)
    if not len(small) or large.shape[1] != small.shape[1]:
        raise ShapeError("two subspaces of rank 1 or more in the same dimensions",
                         f"ranks {a.rank} and {b.rank}, dimensions {a.basis.shape[1]} and {b.basis.shape[1]}")
    shared = small @ large.T
    cosines = np.linalg.svd(shared, compute_uv=False)
    sines = np.linalg.svd(small - shared @ large, compute_uv=False)[:len(small)][::-1]
    return np.arctan2(np.clip(sines, 0, 1), np.clip(cosines, 0, 1))


def grassmann_distance(a: Subspace, b: Subspace) -> float:
    """sqrt(|k - l| pi^2 / 4 + sum of squared principal angles), in radians; 0 for the same subspace.

    References
    ----------
    Ye and Lim, SIAM J. Matrix Anal. Appl. 37, 2016 (unequal ranks).
    """
    return math.sqrt(abs(a.rank - b.rank) * math.pi**2 / 4 + float((principal_angles(a, b) ** 2).sum()))


def distance_matrix(subspaces: Sequence[Subspace]) -> np.ndarray:
    """Grassmann distances of all pairs: (n, n) float64, radians, symmetric, 0 on the diagonal."""
    out = np.zeros((len(subspaces),) * 2)
    for i in range(len(subspaces)):
        for j in range(i):
            out[i, j] = out[j, i] = grassmann_distance(subspaces[i], subspaces[j])
    return out


def random_subspaces(ranks: Sequence[int], d: int, *, seed: int = 0) -> list[Subspace]:
    """Subspaces of random directions, by rank, in d dimensions."""
    rng = np.random.default_rng(seed)
    return [Subspace(np.linalg.qr(rng.normal(size=(d, rank)))[0].T, np.ones(rank), np.zeros(d), rank)
            for rank in ranks]


def distance_by_chance(rank: int, other: int, d: int, *, seed: int = 0) -> float:
    """Mean Grassmann distance of random subspaces of these ranks in d dimensions, over 20 draws; radians."""
    return float(np.mean([grassmann_distance(*random_subspaces((rank, other), d, seed=seed + i))
                          for i in range(DRAWS)]))


def distance_map(subspaces: Sequence[Subspace], *, seed: int = 0) -> DistanceMap:
    """Objects in a plane by classical scaling of their Grassmann distances.

    Parameters
    ----------
    subspaces : at least 3.
    seed : of the random subspaces of the null, mean of 20 draws.
    """
    if len(subspaces) < 3:
        raise ShapeError("at least 3 objects for a map", str(len(subspaces)))
    distances = distance_matrix(subspaces)
    coords = classical_scaling(distances)
    d = subspaces[0].basis.shape[1]
    ranks = [s.rank for s in subspaces]
    nulls = []
    with one_thread():
        for i in range(DRAWS):
            chance = distance_matrix(random_subspaces(ranks, d, seed=seed + i))
            nulls.append(distances_kept(chance, classical_scaling(chance)))
    pairs = len(subspaces) * (len(subspaces) - 1) // 2
    return DistanceMap(coords, Number(distances_kept(distances, coords), null=float(np.mean(nulls)), n=pairs,
                                      unit="Spearman"))
