"""Repairs of hubness: scores that ask how near an item of the gallery lies to other queries too.

A repair sees the cosines of the queries that are scored and of a bank of other queries, to the same gallery.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_choice

NEIGHBOURS = 10
BETA = 20.0   # the inverse temperature of the published code of Bogolin et al. 2022
PLAIN = "plain"


@dataclass(frozen=True)
class Repair:
    """A way to score again: title, one sentence, and (cosines, bank's cosines, beta) -> scores."""

    title: str
    explanation: str
    score: Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def repaired(method: str, cosines: np.ndarray, bank: np.ndarray, *, beta: float = BETA) -> np.ndarray:
    """Scores by which a query ranks the gallery, hubs held back.

    Parameters
    ----------
    method
        Key of `REPAIRS`.
    cosines
        (q, m) of the queries to the gallery.
    bank
        (b, m) of other queries, whose answers are not asked for, to the same gallery; b >= 1.
    beta
        Inverse temperature of the softmaxes, > 0.

    Returns
    -------
    (q, m) float64, larger is nearer; only the order within a row means something.

    Raises
    ------
    ChoiceError, ShapeError
        If there is no such method, or the two are not of one gallery.

    References
    ----------
    Smith et al. 2017, arXiv:1702.03859 (inverted softmax); Bogolin et al. 2022, arXiv:2112.12777 (dynamic); Conneau et
    al. 2018, arXiv:1710.04087 (CSLS); Zelnik-Manor and Perona, NIPS 2004, and Schnitzer et al., JMLR 2012 (local
    scaling).
    """
    check_choice("a repair of hubness", method, REPAIRS)
    cosines, bank = (np.asarray(part, dtype=np.float64) for part in (cosines, bank))
    if cosines.ndim != 2 or bank.ndim != 2 or cosines.shape[1] != bank.shape[1] or not len(bank):
        raise ShapeError("cosines of queries, and of a bank of other queries, to one gallery",
                         f"shapes {cosines.shape} and {bank.shape}")
    return REPAIRS[method].score(cosines, bank, beta)


def smooth_max(scores: np.ndarray, b: float) -> np.ndarray:
    """Logarithm of the mean over columns of exp(b score), over b: (n, m) -> (n,)."""
    top = scores.max(axis=1)
    return np.asarray(top + np.log(np.exp(b * (scores - top[:, None])).mean(axis=1)) / b)


def nearness(cosines: np.ndarray) -> np.ndarray:
    """Mean of the 10 largest of each row, or of all where there are fewer: (n, m) -> (n,)."""
    m = cosines.shape[1]
    k = min(NEIGHBOURS, m)
    return np.asarray(np.partition(cosines, m - k, axis=1)[:, m - k:].mean(axis=1))


def _inverted_softmax(cosines: np.ndarray, bank: np.ndarray, beta: float) -> np.ndarray:
    return cosines - smooth_max(bank.T, beta)


def _dynamic(cosines: np.ndarray, bank: np.ndarray, beta: float) -> np.ndarray:
    hubs = np.zeros(cosines.shape[1], dtype=bool)
    hubs[bank.argmax(axis=1)] = True
    return np.where(hubs[cosines.argmax(axis=1)][:, None], _inverted_softmax(cosines, bank, beta), cosines)


def _csls(cosines: np.ndarray, bank: np.ndarray, beta: float) -> np.ndarray:
    return 2 * cosines - nearness(cosines)[:, None] - nearness(bank.T)


def _local_scaling(cosines: np.ndarray, bank: np.ndarray, beta: float) -> np.ndarray:
    of_query, of_item = (_to_tenth(part) for part in (cosines, bank.T))
    return -(2 - 2 * cosines) / np.maximum(of_query[:, None] * of_item, 1e-12)


def _to_tenth(cosines: np.ndarray) -> np.ndarray:
    """Straight distance to the 10th nearest of each row: (n, m) -> (n,)."""
    m = cosines.shape[1]
    k = min(NEIGHBOURS, m)
    return np.sqrt(np.maximum(2 - 2 * np.partition(cosines, m - k, axis=1)[:, m - k], 0))


REPAIRS = {
    PLAIN: Repair("cosine", "As it is.", lambda cosines, bank, beta: cosines),
    "inverted_softmax": Repair(
        "inverted softmax", "The cosine less the smooth maximum of the bank's cosines to the same item.",
        _inverted_softmax),
    "dynamic": Repair(
        "dynamic inverted softmax (QB-Norm)", "The inverted softmax, only for queries whose nearest item is also the "
        "nearest of a query of the bank.", _dynamic),
    "csls": Repair(
        "CSLS", "Twice the cosine, less the mean cosine of the item to its 10 nearest of the bank and of the query to "
        "its 10 nearest of the gallery.", _csls),
    "local_scaling": Repair(
        "local scaling", "The squared distance over the distances of both to their 10th nearest: the item's in the "
        "bank, the query's in the gallery.", _local_scaling),
}
