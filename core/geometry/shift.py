"""The gap vector, and moving both modalities along it."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError
from core.geometry.pairs import Pairs
from core.geometry.rounding import rounding


def gap_vector(pairs: Pairs) -> np.ndarray:
    """Mean image minus mean text: (d,) float64; its length is the gap, in [0, 2].

    References
    ----------
    Liang et al., NeurIPS 2022, arXiv:2203.02053.
    """
    return pairs.images.mean(axis=0, dtype=np.float64) - pairs.texts.mean(axis=0, dtype=np.float64)


def shifted(pairs: Pairs, lam: float) -> Pairs:
    """Images moved by -lam times the gap vector and texts by +lam times it, both back to unit length.

    Parameters
    ----------
    pairs
        Images and texts; class vectors move as texts do.
    lam
        0 leaves the vectors as they were, 1/2 closes the gap, 1 opens it again with the sides changed.

    Returns
    -------
    The same pairs with float32 unit rows.

    Raises
    ------
    ShapeError
        If a vector would have no length left.

    References
    ----------
    Liang et al., NeurIPS 2022, arXiv:2203.02053.
    """
    if lam == 0:
        return pairs
    step = lam * gap_vector(pairs)
    classes = pairs.classes
    return pairs.moved(_moved(pairs.images, -step, lam), _moved(pairs.texts, step, lam),
                       None if classes is None else _moved(classes.vectors, step, lam))


def _moved(x: np.ndarray, step: np.ndarray, lam: float) -> np.ndarray:
    there = x + step.astype(np.float32)
    length = np.sqrt(np.einsum("ij,ij->i", there, there, dtype=np.float64))
    short = np.count_nonzero(length < rounding(there))
    if short:
        raise ShapeError("a shift that leaves every vector a direction",
                         f"{short} vectors of length zero at a shift of {lam:g}",
                         "Choose another shift.")
    return (there / length[:, None].astype(np.float32)).astype(np.float32, copy=False)
