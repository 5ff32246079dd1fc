"""Naming an object from several views at once: each view's similarity to each text, weighted and added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors


@dataclass(frozen=True, eq=False)
class PoseSweep:
    """How the name of an object hangs on its pose.

    Attributes
    ----------
    names : of the k texts.
    degrees : (p,) float64, turns of the object, growing.
    scores : (p, k) float64, weighted cosine to each text.
    winners : (p,) int64, the text with the highest score at each pose.
    most : the text that wins at most poses; the first of equal ones.
    share : of the poses at which it wins; by chance 1 / k.
    """

    names: tuple[str, ...]
    degrees: np.ndarray
    scores: np.ndarray
    winners: np.ndarray
    most: int
    share: float


def vote(x: np.ndarray, texts: np.ndarray, weights: Sequence[float] | np.ndarray | None = None) -> np.ndarray:
    """Score of each text over the views of one object: sum_j w_j x_j . t.

    Parameters
    ----------
    x : (v, d) floats, unit rows, the views.
    texts : (k, d) floats, unit rows.
    weights : (v,) floats, none below 0, not all 0; divided by their sum. None: all the same.

    Returns
    -------
    (k,) float64, a mean cosine, in [-1, 1].

    References
    ----------
    Zhang et al., PointCLIP, 2021, arXiv:2112.02413.
    """
    check_vectors(x, what="views", unit=True)
    check_vectors(texts, what="texts", unit=True)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (len(x),) or not np.isfinite(w).all() or (w < 0).any() or not w.any():
        raise ShapeError(f"{len(x)} weights, one a view, none below 0 and not all 0", f"{w.tolist()}")
    if x.shape[1] != texts.shape[1]:
        raise ShapeError(f"texts of {x.shape[1]} dimensions", str(texts.shape[1]))
    return (w / w.sum()) @ (x.astype(np.float64) @ texts.astype(np.float64).T)


def pose_sweep(x: np.ndarray, degrees: Sequence[float] | np.ndarray, texts: np.ndarray, names: Sequence[str],
               weights: Sequence[float] | np.ndarray | None = None) -> PoseSweep:
    """`vote` at several poses of one object.

    Parameters
    ----------
    x : (p, v, d) floats, unit along the last axis: v views at each pose.
    degrees : (p,) how far the object was turned.
    texts, names : of the k classes, k >= 2.
    weights : of the views, as in `vote`.
    """
    if x.ndim != 3 or len(x) != len(degrees) or len(texts) != len(names) or len(names) < 2:
        raise ShapeError("views of shape (poses, views, d), a turn a pose, and two texts or more with a name each",
                         f"shape {x.shape}, {len(degrees)} turns, {len(texts)} texts, {len(names)} names")
    order = np.argsort(degrees, kind="stable")
    scores = np.stack([vote(x[i], texts, weights) for i in order])
    winners = scores.argmax(axis=1)
    wins = np.bincount(winners, minlength=len(names))
    most = int(wins.argmax())
    return PoseSweep(tuple(names), np.asarray(degrees, dtype=np.float64)[order], scores, winners, most,
                     float(wins[most] / len(x)))
