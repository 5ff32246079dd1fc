"""Which of k classes is an item's? What the highest score says, beside the truth: accuracy, confusions, wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.intervals import proportion
from core.geometry.retrieval import chance_of_a_hit
from core.types import Number


@dataclass(frozen=True, eq=False)
class Classification:
    """Scores of classes for items, and the classes that are true where they are known.

    Attributes
    ----------
    classes : k names, each once.
    logits : (n, k) float32, natural logarithms up to a constant of each item.
    truth : (n,) int64, the class of each item; -1 where it has none.
    """

    classes: tuple[str, ...]
    logits: np.ndarray
    truth: np.ndarray

    def __post_init__(self) -> None:
        check_vectors(self.logits, what="scores")
        n, k = self.logits.shape
        if len(self.classes) != k or len(set(self.classes)) != k or not k:
            raise ShapeError(f"{k} classes, each with a name of its own, and one or more",
                             f"{len(set(self.classes))} different names of {len(self.classes)}")
        truth = np.asarray(self.truth, dtype=np.int64)
        if truth.shape != (n,) or (truth >= k).any() or (truth < -1).any():
            raise ShapeError(f"a class of 0 to {k - 1}, or -1, for each of {n} items", f"shape {truth.shape}")
        object.__setattr__(self, "truth", truth)

    @cached_property
    def known(self) -> np.ndarray:
        """(m,) int64, rows whose class is known."""
        return np.flatnonzero(self.truth >= 0)

    @cached_property
    def guesses(self) -> np.ndarray:
        """(n,) int64, the class with the highest score; of equal ones the first."""
        return self.logits.argmax(axis=1)

    def hits(self, top: int = 1) -> np.ndarray:
        """(m,) float64, how likely the class of each known item is among the first ``top``; equal scores in random
        order."""
        rows = self.known
        if not len(rows):
            return np.zeros(0)
        return chance_of_a_hit(self.logits[rows], np.arange(len(rows)), self.truth[rows], (top,))[:, 0]

    def accuracy(self, top: int = 1) -> Number | None:
        """Share of known items whose class is among the first ``top``, with Wilson's interval and chance, top / k;
        None where no item has a class."""
        hits = self.hits(top)
        if not len(hits):
            return None
        return proportion(float(hits.sum()), len(hits), null=min(top / len(self.classes), 1.0))

    @property
    def largest(self) -> float:
        """Accuracy of always naming the class that most items have; NaN where none has one."""
        counts = np.bincount(self.truth[self.known], minlength=len(self.classes))
        return float(counts.max() / counts.sum()) if counts.sum() else float("nan")

    def by_class(self) -> dict[int, Number]:
        """Accuracy of the items of each class that has some, with Wilson's interval; 1 / k as null."""
        hits, of = self.hits(), self.truth[self.known]
        sums = np.bincount(of, hits, len(self.classes))
        counts = np.bincount(of, minlength=len(self.classes))
        return {int(k): proportion(min(float(sums[k]), int(counts[k])), int(counts[k]), null=1 / len(self.classes))
                for k in np.flatnonzero(counts)}

    @property
    def wrong(self) -> np.ndarray:
        """Rows of known items that another class than theirs stands before, the surest mistake first."""
        rows = self.known
        own = self.logits[rows, self.truth[rows]]
        margin = self.logits[rows].max(axis=1) - own
        missed = np.flatnonzero((self.guesses[rows] != self.truth[rows]) & (self.hits() < 1))
        return rows[missed[np.argsort(-margin[missed], kind="stable")]]

    def confusion(self, shown: Sequence[int]) -> np.ndarray:
        """(s, s) int64 of some classes: items by their class and by the class that comes first."""
        place = np.full(len(self.classes), -1, dtype=np.int64)
        place[list(shown)] = np.arange(len(shown))
        true, named = place[self.truth[self.known]], place[self.guesses[self.known]]
        both = (true >= 0) & (named >= 0)
        s = len(shown)
        return np.bincount(true[both] * s + named[both], minlength=s * s).reshape(s, s)

    def confused(self, most: int = 20) -> list[tuple[int, int, int]]:
        """The pairs (class, named as, how many) that are mixed up most often, the most frequent first."""
        true, named = self.truth[self.known], self.guesses[self.known]
        off = true != named
        pairs, counts = np.unique(np.stack([true[off], named[off]], axis=1), axis=0, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:most]
        return [(int(pairs[i, 0]), int(pairs[i, 1]), int(counts[i])) for i in order]


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """(n, k) float64, softmax over the classes of logits divided by a temperature > 0."""
    if not temperature > 0:
        raise ShapeError("a temperature above 0", f"{temperature:g}")
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    return scaled
