"""Groups around the one of each that is kept."""

from __future__ import annotations

import numpy as np


def stars(x: np.ndarray, pairs: np.ndarray, likeness: np.ndarray, threshold: float) -> np.ndarray:
    """Which row is kept for each, itself where it is in no group: (n,) int64.

    The rows with the largest sums of likeness to others come first. Each takes along all that are not taken yet, that
    it reaches through pairs of the likeness, and whose cosine to it is at least the threshold. So a chain in which each
    is like the next is cut, and all of a group are like the one that is kept.

    Parameters
    ----------
    x
        (n, d) float32, unit rows.
    pairs
        (e, 2) int64, rows that are alike.
    likeness
        (e,) floats, how much; at least the threshold, and at most the cosine.
    threshold
        Least cosine to the one that is kept.
    """
    from scipy.sparse import coo_array

    n = len(x)
    leader = np.arange(n)
    apart = pairs[:, 0] != pairs[:, 1]
    pairs, likeness = pairs[apart], likeness[apart]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    graph = coo_array((np.concatenate([likeness, likeness]), both.T), shape=(n, n)).tocsr()
    strength = np.asarray(graph.sum(axis=1)).ravel().round(5)
    taken = np.zeros(n, dtype=bool)
    for centre in np.argsort(-strength, kind="stable")[:np.count_nonzero(strength)]:
        if taken[centre]:
            continue
        taken[centre] = True
        ahead = np.array([centre])
        while len(ahead):
            near = np.unique(np.concatenate([graph.indices[graph.indptr[i]:graph.indptr[i + 1]] for i in ahead]))
            near = near[~taken[near]]
            ahead = near[x[near] @ x[centre] >= threshold - 1e-6]
            taken[ahead], leader[ahead] = True, centre
    return leader
