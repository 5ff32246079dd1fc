"""Can a classifier tell two samples apart? A linear one, on items that it did not see, under many labellings."""

from __future__ import annotations

import numpy as np

from core.geometry.quality.relabelled import in_random_order
from core.geometry.rounding import rounding

FOLDS = 5
RIDGE = 0.5   # times dimensions over items: differences along weak and along strong directions are both found


def accuracies(z: np.ndarray, sides: np.ndarray, together: np.ndarray | None = None, *, seed: int = 0) -> np.ndarray:
    """Share of left-out items whose side is told rightly, for each labelling.

    Ridge regression onto the side (a linear discriminant with a shrunken covariance, the more the fewer items a
    dimension has), fitted on four fifths of the groups and asked of the last fifth, five times. What is decomposed
    knows no labels, so that many labellings cost little more than one.

    Parameters
    ----------
    z
        (2 n, d) floats, unit rows.
    sides
        (m, 2 n) bool, n of each row True.
    together
        (2 n,) int, the same for items that belong together, which are in one fold; None: each is its own.
    seed
        Of the folds.

    Returns
    -------
    (m,) float64 in [0, 1]; an item on the boundary is half right; about 0.5 where the sides are one distribution.

    References
    ----------
    Lopez-Paz and Oquab, ICLR 2017, arXiv:1610.06545; Kim et al., Annals of Statistics 49, 2021 (linear classifiers).
    """
    order = in_random_order(len(z), together, np.random.default_rng(seed))
    group = order if together is None else np.asarray(together)[order]
    fresh = np.concatenate([[True], group[1:] != group[:-1]])
    fold = np.empty(len(z), dtype=np.int64)
    fold[order] = (np.cumsum(fresh) - 1) % FOLDS
    y = np.where(sides, 1.0, -1.0).T
    parts = [_moments(z[fold == f], y[fold == f]) for f in range(FOLDS)]
    right = np.zeros(len(sides))
    for f in range(FOLDS):
        others = [p for g, p in enumerate(parts) if g != f]
        squares, total, with_side, of_sides = (np.sum([p[i] for p in others], axis=0) for i in range(4))
        asked, count = fold == f, int((fold != f).sum())
        if not count or not asked.any():
            right += 0.5 * asked.sum()
            continue
        mean = total / count
        scatter = squares / count - np.outer(mean, mean)
        ridge = RIDGE * len(mean) / count * max(float(np.trace(scatter)) / len(mean), 1e-12)
        apart = with_side / count - np.outer(mean, of_sides / count)
        directions = np.linalg.solve(scatter + ridge * np.eye(len(mean)), apart)
        scores = (z[asked] - mean) @ directions
        least = rounding(z, z.shape[1]) * np.linalg.norm(directions, axis=0)
        right += np.where(np.abs(scores) <= least, 0.5, np.sign(scores) == y[asked]).sum(axis=0)
    return right / len(z)


def _moments(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    z = z.astype(np.float64)
    return z.T @ z, z.sum(axis=0), z.T @ y, y.sum(axis=0)
