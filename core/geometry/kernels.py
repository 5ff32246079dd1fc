"""The Gaussian kernel between two sets of points: its sums, its bandwidth, and the discrepancy of means it sees."""

from __future__ import annotations

import math

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.samples import spread_sample

BLOCK_ROWS = 512
MOST_FOR_MEDIAN = 1000


def median_distance(*sets: np.ndarray) -> float:
    """Median distance of two points of all sets together: (n, d) unit rows each, up to 1,000 of each set."""
    z = np.concatenate([a[spread_sample(a, MOST_FOR_MEDIAN)] for a in sets]).astype(np.float64)
    cosines = (z @ z.T)[np.triu_indices(len(z), 1)]
    return math.sqrt(max(2 - 2 * float(np.median(cosines)), 0.0))


def squared_mmd(x: np.ndarray, y: np.ndarray, *, bandwidth: float, unbiased: bool = True) -> float:
    """Squared maximum mean discrepancy with the Gaussian kernel exp(-|u - v|^2 / (2 bandwidth^2)).

    Parameters
    ----------
    x, y
        (n, d) and (m, d) unit rows.
    bandwidth
        Distance, > 0.
    unbiased
        Leave out each point with itself: 0 in expectation for two samples of one distribution, and then as often
        below as above. Otherwise never below 0; 1000 times that at bandwidth 10 is the CMMD.

    References
    ----------
    Gretton et al., JMLR 2012; Jayasumana et al., CVPR 2024, arXiv:2401.09603 (CMMD).
    """
    check_vectors(x, unit=True, at_least=2)
    check_vectors(y, unit=True, at_least=2)
    sums = [kernel_sums(a, b, bandwidth)[0].sum() for a, b in ((x, x), (y, y), (x, y))]
    n, m = len(x), len(y)
    if unbiased:
        return float((sums[0] - n) / (n * (n - 1)) + (sums[1] - m) / (m * (m - 1)) - 2 * sums[2] / (n * m))
    return float(sums[0] / n**2 + sums[1] / m**2 - 2 * sums[2] / (n * m))


def kernel_sums(a: np.ndarray, b: np.ndarray, bandwidth: float, of_a: np.ndarray | None = None,
                 of_b: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of the kernel over rows, over columns, and of each row within its own cluster."""
    if bandwidth <= 0:
        raise ShapeError("a bandwidth above 0", f"{bandwidth:g}")
    rows, columns, own = np.empty(len(a)), np.zeros(len(b)), np.zeros(len(a))
    for start in range(0, len(a), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        kernel = a[part] @ b.T
        kernel -= 1
        kernel /= bandwidth**2
        np.exp(kernel, out=kernel)
        rows[part] = kernel.sum(axis=1, dtype=np.float64)
        columns += kernel.sum(axis=0, dtype=np.float64)
        if of_a is not None and of_b is not None:
            row, column = np.nonzero(of_a[part, None] == of_b)
            own[part] = np.bincount(row, kernel[row, column], len(kernel))
    return rows, columns, own
