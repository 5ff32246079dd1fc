"""The obvious way of finding each fault, which a finding must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from core.geometry.directions import unit

NEIGHBOURS = 10


def linked(near: np.ndarray) -> np.ndarray:
    """Rows but the first of each group that links join: (n, n) bool -> (r,) int64."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(csr_array(near), directed=False)
    return np.flatnonzero(np.unique(label, return_index=True)[1][label] != np.arange(len(label)))


def alike(x: np.ndarray, threshold: float) -> np.ndarray:
    """Rows of (n, d) that a chain of cosines above the threshold joins to an earlier one."""
    return linked(np.triu(x @ x.T > threshold, 1))


def mutually_nearest(x: np.ndarray, threshold: float) -> np.ndarray:
    """The same, of pairs that are each other's nearest alone."""
    cosines = x @ x.T
    np.fill_diagonal(cosines, -np.inf)
    nearest, rows = cosines.argmax(axis=1), np.arange(len(x))
    pairs = (nearest[nearest] == rows) & (cosines.max(axis=1) > threshold)
    near = np.zeros(cosines.shape, dtype=bool)
    near[rows[pairs], nearest[pairs]] = True
    return linked(near)


def same_content(hashes: Sequence[str]) -> np.ndarray:
    """Rows whose content an earlier one has."""
    first = np.unique(np.asarray(hashes), return_index=True, return_inverse=True)
    return np.flatnonzero(first[1][first[2].ravel()] != np.arange(len(hashes)))


def other_labels(x: np.ndarray, labels: Sequence[str], k: int = NEIGHBOURS) -> np.ndarray:
    """(n,) share of the k nearest others that have another label."""
    cosines, names = x @ x.T, np.asarray(labels)
    np.fill_diagonal(cosines, -np.inf)
    near = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return np.asarray((names[near] != names[:, None]).mean(axis=1))


def from_the_mean(x: np.ndarray) -> np.ndarray:
    """(n,) cosine of each row with the mean direction."""
    return np.asarray(x @ unit(x.mean(axis=0)[None])[0])


def far_from_neighbours(x: np.ndarray, k: int = NEIGHBOURS) -> np.ndarray:
    """(n,) cosine of each row with its k-th nearest other one."""
    cosines = x @ x.T
    np.fill_diagonal(cosines, -np.inf)
    return np.asarray(-np.sort(-cosines, axis=1)[:, k - 1])


def edge_variance(picture: Image.Image) -> float:
    """Variance of the edges that Pillow finds: what common tools call sharpness, small where a picture is blurred."""
    return float(np.var(np.asarray(picture.convert("L").filter(ImageFilter.FIND_EDGES), dtype=np.float64)))
