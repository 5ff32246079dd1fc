"""Things in a plane by the distances between them, and how far the plane keeps their order."""

from __future__ import annotations

import math

import numpy as np


def classical_scaling(distances: np.ndarray) -> np.ndarray:
    """Places in a plane whose distances are as near to the given ones as projection allows.

    Parameters
    ----------
    distances : (n, n) floats, symmetric, 0 on the diagonal, n >= 2.

    Returns
    -------
    (n, 2) float64, in the unit of the distances, about their mean; the place farthest along each axis lies on its
    positive side.

    References
    ----------
    Torgerson, Psychometrika 17, 1952.
    """
    n = len(distances)
    middle = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * middle @ distances**2 @ middle)
    coords = vectors[:, :-3:-1] * np.sqrt(np.maximum(values[:-3:-1], 0))
    return coords * np.where(coords[np.abs(coords).argmax(axis=0), [0, 1]] < 0, -1, 1)


def distances_kept(distances: np.ndarray, coords: np.ndarray) -> float:
    """Spearman's correlation of the distances of all pairs with those in a plane; NaN where one side does not vary.

    Parameters
    ----------
    distances : (n, n) floats, symmetric.
    coords : (n, 2) floats.
    """
    from scipy.stats import spearmanr

    rows, columns = np.triu_indices(len(coords), 1)
    flat = np.linalg.norm(coords[rows] - coords[columns], axis=1)
    if len(rows) < 2 or np.ptp(flat) == 0 or np.ptp(distances[rows, columns]) == 0:
        return math.nan
    return float(spearmanr(distances[rows, columns], flat).statistic)
