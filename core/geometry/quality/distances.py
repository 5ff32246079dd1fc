"""How far two samples are apart by kernels: CMMD, KID, and the MMD at the median distance, under many labellings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.geometry.jackknife import student
from core.geometry.quality.relabelled import WATCH, Watch

CMMD_BANDWIDTH, CMMD_SCALE = 10.0, 1000.0
_TILE = 1024
_Kernel = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Distances:
    """Distances of the two sides under each labelling.

    Attributes
    ----------
    values : by key ("cmmd", "kid", "mmd"), (m,) float64. CMMD is biased as published: above 0 for two samples of one
        distribution. KID and MMD are unbiased: 0 on average there, as often below as above.
    half_widths : by key, half of the 95 % interval of the first labelling, by the jackknife over the items of each side
        (Student); right where items are independent.
    """

    values: dict[str, np.ndarray]
    half_widths: dict[str, float]


def kernel_distances(z: np.ndarray, sides: np.ndarray, bandwidth: float, watch: Watch = WATCH) -> Distances:
    """Kernel distances of two halves of the same points under many labellings; all pairs, each kernel computed once.

    Kernels are taken less a constant, which no distance sees and which would cost their digits.

    Parameters
    ----------
    z
        (2 n, d) floats, unit rows, n >= 3.
    sides
        (m, 2 n) bool, n of each row True; the first is the labelling whose intervals are wanted.
    bandwidth
        Of the Gaussian kernel of "mmd", a distance; 0 where all points are one, and then there is no "mmd".
    watch
        Called between blocks.

    References
    ----------
    Gretton et al., JMLR 2012 (MMD); Jayasumana et al., CVPR 2024, arXiv:2401.09603 (CMMD: 1000 times the biased squared
    MMD at bandwidth 10); Binkowski et al., ICLR 2018, arXiv:1801.01401 (KID: the unbiased one of (u.v / d + 1)^3).
    """
    signs = np.concatenate([np.ones((1, len(z))), np.where(sides, 1, -1)])
    values, halves = {}, {}
    for key, (sums, rows) in _forms(z, signs, bandwidth, watch).items():
        scale, biased = (CMMD_SCALE, True) if key == "cmmd" else (1.0, False)
        values[key] = scale * _distance(sums, len(z) // 2, biased)
        halves[key] = scale * _half_width(rows, sides[0], biased)
    return Distances(values, halves)


def distances_from_whole(z: np.ndarray, kept: np.ndarray, bandwidth: float,
                         watch: Watch = WATCH) -> dict[str, np.ndarray]:
    """Kernel distances of parts of the points from all of them, which hold them.

    Parameters
    ----------
    z
        (N, d) floats, unit rows.
    kept
        (m, N) bool, as many of each row True.
    bandwidth, watch
        As in `kernel_distances`.

    Returns
    -------
    "cmmd" and "mmd", (m,) float64, never below 0: the squared distance of the two means in the space of the kernel.
    """
    weights = kept / kept.sum(axis=1, keepdims=True) - 1 / len(z)
    forms = _forms(z, weights, bandwidth, watch)
    diagonal = np.einsum("mi,mi->m", weights, weights)
    found = {"cmmd": CMMD_SCALE * forms["cmmd"][0]}
    return found | ({"mmd": forms["mmd"][0] + diagonal} if "mmd" in forms else {})


def _forms(z: np.ndarray, weights: np.ndarray, bandwidth: float,
           watch: Watch) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each kernel without its diagonal: w' K w of each row of weights, and K w of the first two, (N, 2)."""
    z = np.ascontiguousarray(z, dtype=np.float32)
    kernels = _kernels(z.shape[1], bandwidth)
    columns = weights.astype(np.float32).T
    sums = {key: np.zeros(columns.shape[1]) for key in kernels}
    rows = {key: np.zeros((len(z), 2)) for key in kernels}
    for i in range(0, len(z), _TILE):
        watch(1 - (1 - i / len(z)) ** 2, "Kernels of all pairs")
        left = slice(i, i + _TILE)
        for j in range(i, len(z), _TILE):
            right = slice(j, j + _TILE)
            cosines = z[left] @ z[right].T
            for key, kernel_of in kernels.items():
                kernel = kernel_of(cosines)
                if i == j:
                    np.fill_diagonal(kernel, 0)
                product = kernel @ columns[right]
                part = np.einsum("ic,ic->c", columns[left], product, dtype=np.float64)
                sums[key] += part if i == j else 2 * part
                rows[key][left] += product[:, :2]
                if i != j:
                    rows[key][right] += kernel.T @ columns[left, :2]
    return {key: (sums[key], rows[key]) for key in kernels}


def _kernels(d: int, bandwidth: float) -> dict[str, _Kernel]:
    """Kernels as functions of cosines, each less its value at 1 (CMMD), at 0 (KID) or nothing."""
    def cmmd(cosines: np.ndarray) -> np.ndarray:
        t = (cosines - 1) / CMMD_BANDWIDTH**2
        return t * (1 + t * (0.5 + t / 6))

    def kid(cosines: np.ndarray) -> np.ndarray:
        t = cosines / d
        return t * (3 + t * (3 + t))

    def gaussian(cosines: np.ndarray) -> np.ndarray:
        t = (cosines - 1) / np.float32(bandwidth**2)
        return np.exp(t, out=t)

    return {"cmmd": cmmd, "kid": kid} | ({"mmd": gaussian} if bandwidth > 0 else {})


def _distance(sums: np.ndarray, n: int, biased: bool) -> np.ndarray:
    """From the sum over all pairs and those with signs: (m,)."""
    inside, across = (sums[0] + sums[1:]) / 2, (sums[0] - sums[1:]) / 4
    return inside / (n * n if biased else n * (n - 1)) - 2 * across / n**2


def _half_width(rows: np.ndarray, first: np.ndarray, biased: bool) -> float:
    n = len(first) // 2
    signed = np.where(first, 1, -1) * rows[:, 1]
    own, other = (rows[:, 0] + signed) / 2, (rows[:, 0] - signed) / 2
    across = other[first].sum()
    variance = 0.0
    for side in (first, ~first):
        here, there = own[side].sum(), own[~side].sum()
        fewer, all_of = ((n - 1) ** 2, n * n) if biased else ((n - 1) * (n - 2), n * (n - 1))
        without = (here - 2 * own[side]) / fewer + there / all_of - 2 * (across - other[side]) / (n * (n - 1))
        variance += (n - 1) / n * float(((without - without.mean()) ** 2).sum())
    return student(2 * n - 2) * math.sqrt(variance)
