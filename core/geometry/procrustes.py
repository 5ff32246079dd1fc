"""The orthogonal matrix that brings one set of points nearest to another, and what it does."""

from __future__ import annotations

import numpy as np

from core.geometry.rounding import rounding


def orthogonal(cross: np.ndarray, *, keep_rest: bool = False) -> np.ndarray:
    """The orthogonal R with the least sum of squared distances between the rows of X R and Y.

    Parameters
    ----------
    cross : (d, d) floats, X'Y.
    keep_rest : of directions that the points say nothing of (singular values that are 0 but for rounding), stay as near
        to the identity as possible, and be a rotation wherever that costs nothing; without, they are arbitrary.

    Returns
    -------
    (d, d) float64, orthogonal: a rotation, or, where its determinant is -1, one with a reflection.

    References
    ----------
    Schonemann, Psychometrika 31, 1966.
    """
    left, values, right = np.linalg.svd(cross.astype(np.float64))
    found: np.ndarray = left @ right
    known = int((values > rounding(cross) * values[0]).sum()) if keep_rest else len(values)
    if known < len(values):
        u, v = left[:, known:], right[known:].T
        a, _, b = np.linalg.svd(v.T @ u)
        found = left[:, :known] @ right[:known] + u @ b.T @ a.T @ v.T
        if np.linalg.slogdet(found)[0] < 0:
            b[-1] *= -1
            found = left[:, :known] @ right[:known] + u @ b.T @ a.T @ v.T
    return found


def reflects(matrix: np.ndarray) -> bool:
    """Whether an orthogonal matrix is no rotation."""
    return bool(np.linalg.slogdet(matrix)[0] < 0)


def rotation_angles(matrix: np.ndarray) -> np.ndarray:
    """The angles by which an orthogonal (d, d) matrix turns its planes.

    Returns
    -------
    (d // 2,) float64, radians in [0, pi], the largest first. A reflection counts as half a turn.
    """
    turned = np.sort(np.abs(np.angle(np.linalg.eigvals(matrix))))[::-1]
    return turned[::2][:len(matrix) // 2]
