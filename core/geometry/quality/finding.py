"""A finding: a score of each item, a threshold that can be moved, and the same score by chance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from core.errors import ShapeError, check_choice
from core.geometry.intervals import proportion
from core.types import MODALITIES, Modality, Number, fingerprint


@dataclass(frozen=True, eq=False)
class Finding:
    """What may be wrong with items, as a score of each.

    Attributes
    ----------
    key : of the kind of finding.
    of : modality of the items.
    scores : (n,) float32, NaN for an item that has none.
    worse : which end is bad.
    threshold : proposed; an item is flagged where its score is at least (worse "high") or at most (worse "low") that.
    unit : of the scores, with what they are: the title of their axis.
    by_chance : (k,) float32, the same score on data without what is looked for; empty where there is no such thing.
    chance : what these data are, in words.
    partners : (n,) int64, row of the other item that is the evidence, -1 for none; empty where there is none.
    partner : modality of these.
    evidence : what is said of each item beside its score; empty where the score says all.
    """

    key: str
    of: Modality
    scores: np.ndarray
    worse: Literal["high", "low"]
    threshold: float
    unit: str
    by_chance: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    chance: str = ""
    partners: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    partner: Modality = "image"
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice("modality", self.of, MODALITIES)
        n = len(self.scores)
        for what, values in (("partners", self.partners), ("evidence", self.evidence)):
            if len(values) not in (0, n):
                raise ShapeError(f"{n} {what}, one an item, or none", str(len(values)))

    def beyond(self, scores: np.ndarray, threshold: float) -> np.ndarray:
        """(n,) bool, which scores are at the threshold or worse; NaN is not."""
        return scores >= threshold if self.worse == "high" else scores <= threshold

    def flagged(self, threshold: float | None = None) -> np.ndarray:
        """Rows of the items at the threshold or worse, worst first, equal ones in their order: (f,) int64."""
        rows = np.flatnonzero(self.beyond(self.scores, self.threshold if threshold is None else threshold))
        order = np.argsort(-self.scores[rows] if self.worse == "high" else self.scores[rows], kind="stable")
        return rows[order]

    def to_drop(self, threshold: float | None = None) -> np.ndarray:
        """Rows that one would drop for it; of copies, all but one."""
        return self.flagged(threshold)

    def share(self, threshold: float | None = None) -> Number:
        """Share of the items that have a score which is flagged, with Wilson's interval and the share by chance."""
        at = self.threshold if threshold is None else threshold
        measured = int((~np.isnan(self.scores)).sum())
        null = float(self.beyond(self.by_chance, at).mean()) if len(self.by_chance) else None
        if not measured:
            return Number(float("nan"), null=null, n=0, unit="share")
        return proportion(float(self.beyond(self.scores, at).sum()), measured, null=null)

    @property
    def fingerprint(self) -> str:
        """Of the scores and what they are."""
        return fingerprint("finding", self.key, self.of, self.scores, self.worse)


@runtime_checkable
class Grouped(Protocol):
    """A finding whose items are alike in groups, so that of each group one stays."""

    def groups(self, threshold: float | None = None) -> list[np.ndarray]:
        """Rows of each group, the one that stays first."""
        ...


@runtime_checkable
class Suggesting(Protocol):
    """A finding that knows a better label for each image, "" where it knows none."""

    @property
    def suggested(self) -> tuple[str, ...]: ...
