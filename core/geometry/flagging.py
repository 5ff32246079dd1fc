"""Two sets of prompts against each other: what is flagged at a threshold, its error rates, and the whole curve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.intervals import proportion
from core.geometry.scores import roc_auc
from core.types import Number

LEAST_ON_A_SIDE = 2


def flag_odds(logits: np.ndarray, flagging: np.ndarray) -> np.ndarray:
    """Log odds that an item is of the flagged set: the mean exponential of each set, one over the other.

    Sets of unequal size are even: a set is no likelier for having more prompts.

    Parameters
    ----------
    logits : (n, m) floats, natural logarithms up to a constant of each item.
    flagging : (m,) bool, which of the prompts flag; one or more on either side.

    Returns
    -------
    (n,) float64; sigmoid of it is the probability at even odds.

    Raises
    ------
    ShapeError
        If a set is empty.
    """
    check_vectors(logits, what="scores", at_least=0)
    flagging = np.asarray(flagging, dtype=bool)
    if flagging.shape != logits.shape[1:] or flagging.all() or not flagging.any():
        raise ShapeError("prompts on both sides, one or more each", f"{int(flagging.sum())} that flag of "
                         f"{len(flagging)}", "Write a prompt for what is flagged and one for what is not.")
    z = np.asarray(logits, dtype=np.float64)
    return _log_mean(z[:, flagging]) - _log_mean(z[:, ~flagging])


def _log_mean(z: np.ndarray) -> np.ndarray:
    top = z.max(axis=1)
    return top + np.log(np.exp(z - top[:, None]).mean(axis=1))


@dataclass(frozen=True, eq=False)
class Flagged:
    """What is flagged, and what should be where that is known.

    Attributes
    ----------
    probability : (n,) float64 in [0, 1], that an item is to be flagged.
    odds : (n,) float64, the same as log odds, by which items are ranked.
    truth : (n,) int64: 1 for items that should be flagged, 0 for those that should not, -1 where it is not known.
    threshold : items of this probability or above are flagged.
    """

    odds: np.ndarray
    truth: np.ndarray
    threshold: float = 0.5

    @cached_property
    def probability(self) -> np.ndarray:
        from scipy.special import expit

        return np.asarray(expit(self.odds))

    @cached_property
    def flagged(self) -> np.ndarray:
        """(n,) bool."""
        return self.probability >= self.threshold

    @property
    def bad(self) -> np.ndarray:
        """(n,) bool, items that should be flagged."""
        return self.truth == 1

    @property
    def good(self) -> np.ndarray:
        """(n,) bool, items that should not."""
        return self.truth == 0

    @property
    def share(self) -> Number:
        """Share of all items that is flagged."""
        return proportion(int(self.flagged.sum()), len(self.odds))

    @property
    def false_positives(self) -> Number | None:
        """Share of the good that is flagged; by chance as many of them as of all known. None without a good one."""
        return self._rate(self.flagged, self.good, 1)

    @property
    def false_negatives(self) -> Number | None:
        """Share of the bad that is not flagged; by chance as many of them as of all known. None without a bad one."""
        return self._rate(~self.flagged, self.bad, 0)

    def _rate(self, wrong: np.ndarray, of: np.ndarray, flag: int) -> Number | None:
        if not of.any():
            return None
        known = self.truth >= 0
        share = float(self.flagged[known].mean())
        return proportion(int(wrong[of].sum()), int(of.sum()), null=share if flag else 1 - share)

    @property
    def precision(self) -> Number | None:
        """Share of what is flagged, of the known, that should be; None where nothing is flagged."""
        flagged = self.flagged & (self.truth >= 0)
        if not flagged.any():
            return None
        return proportion(int(self.bad[flagged].sum()), int(flagged.sum()),
                          null=float(self.bad.sum() / (self.truth >= 0).sum()))

    @property
    def auc(self) -> Number | None:
        """How often one that should be flagged has a higher probability than one that should not; None below two on
        either side."""
        known = self.truth >= 0
        if min(self.bad.sum(), self.good.sum()) < LEAST_ON_A_SIDE:
            return None
        return roc_auc(self.odds[known], self.bad[known]).number

    def curve(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The ROC curve from (0, 0) to (1, 1): false and true positive rate, and the probability from which on items
        are flagged there (above 1 at the start); equal ones step together. ShapeError without items on both sides."""
        bad, good = int(self.bad.sum()), int(self.good.sum())
        if not bad or not good:
            raise ShapeError("items that should be flagged and items that should not", f"{bad} and {good}")
        known = np.flatnonzero(self.truth >= 0)
        order = known[np.argsort(-self.odds[known], kind="stable")]
        last = np.flatnonzero(np.append(np.diff(self.odds[order]) != 0, True))
        found, false = np.cumsum(self.bad[order])[last], np.cumsum(self.good[order])[last]
        return (np.concatenate([[0.0], false / good]), np.concatenate([[0.0], found / bad]),
                np.concatenate([[np.inf], self.probability[order][last]]))
