"""How much of what is planted into the built-in world each finding finds, beside the obvious way of finding it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.encoding.encoder import Encoder
from core.encoding.store import Store
from core.errors import Cancelled, ShapeError
from core.geometry.differences import Difference, holm
from core.geometry.intervals import proportion
from core.geometry.scores import Score, mean_of
from core.language.quality.planted import Caught
from core.language.quality.planting import AMOUNTS, COPIES, CopiesKnown, Found, Scenes, copies_found, faults_found
from core.types import Number

SCORED, TUNED, MOST_SETS = 3, 2, 50
SCENES, FEWEST_SCENES = 300, 60
FIRST_SEED = 40_000
WITH_THRESHOLD = ("", "cosine", "mutual")
BESIDE: Mapping[str, tuple[str, ...]] = {
    "duplicate_f1": ("content", "cosine_95", "cosine", "mutual"),
    "duplicate_harsh_f1": ("content", "cosine_95", "cosine", "mutual"),
    "caption_auc": ("cosine", "percentile", "shuffled"),
    "caption_of_several_auc": ("cosine", "percentile", "shuffled"),
    "mislabel_ap": ("fitted", "zero_shot", "neighbours"),
    "mislabel_of_several_ap": ("fitted", "zero_shot", "neighbours"), "blur_auc": ("edge_variance",),
    "outlier_auc": ("mean", "neighbours")}
"""Simpler ways beside each finding."""
THRESHOLDS = tuple(np.round(np.arange(0.8, 0.9999, 0.0025), 4).tolist())


@dataclass(frozen=True, eq=False)
class QualityEvaluation:
    """What the command prints and the page shows.

    Attributes
    ----------
    scores : by name, of the finding under the plain name of the measure ("caption_auc"), of simpler ways with their
        names behind it ("caption_auc_cosine").
    over : by the name of a simpler way, the finding less it on the same items; p corrected for all (Holm).
    flagged : share found of what was planted, and share planted of what is flagged, at the thresholds proposed.
    thresholds : likeness from which on images count as copies, by way: the highest F1 on the sets tuned on.
    scored, tuned : seeds of the sets.
    scenes : in each set, before copies.
    """

    scores: Mapping[str, Score]
    over: Mapping[str, Difference]
    flagged: Mapping[str, Number]
    thresholds: Mapping[str, float]
    scored: tuple[int, ...]
    tuned: tuple[int, ...]
    scenes: int

    def figures(self) -> dict[str, Number]:
        """All numbers by name."""
        out = {name: score.number for name, score in self.scores.items()}
        out |= {f"{name}_gained": difference.change for name, difference in self.over.items()}
        out |= {f"{name}_gained_p": Number(difference.p, n=difference.change.n)
                for name, difference in self.over.items() if difference.p is not None}
        return out | dict(self.flagged)

    def chosen(self) -> dict[str, object]:
        """Seeds, what was planted and thresholds, as plain values."""
        return {"seeds_scored": list(self.scored), "seeds_tuned": list(self.tuned), "scenes": self.scenes,
                "planted": dict(AMOUNTS),
                "likeness_of_copies": {way or "finding": at for way, at in self.thresholds.items()}}


def evaluate_quality(model: Encoder, store: Store, *, seed: int = 0, scored: int = SCORED, tuned: int = TUNED,
                     scenes: int = SCENES, on_progress: Callable[[float, str], None] | None = None,
                     should_stop: Callable[[], bool] | None = None) -> QualityEvaluation:
    """Copies, captions, labels, pictures and outliers with planted faults, found by findings and by simpler ways.

    Each fault is planted alone into the same scenes. Captions and labels are scored on scenes of one solid, where each
    attribute has one bearer, and, as "of_several", on scenes of one to three, whose label is the first solid alone and
    whose attributes the built-in model hardly binds to their solids. Scores need no threshold but for copies: theirs
    are chosen on sets of other seeds, for the simpler ways too.

    Parameters
    ----------
    model, store : what encodes, and where vectors are kept.
    seed : the sets scored have the seeds ``40,000 + 100 * seed`` and on, the sets tuned on 50 more.
    scored, tuned : how many sets of each, 1 to 50.
    scenes : in each set, at least 60.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between sets and faults; a request to stop raises Cancelled.
    """
    if not (1 <= scored <= MOST_SETS and 1 <= tuned <= MOST_SETS and scenes >= FEWEST_SCENES and seed >= 0):
        raise ShapeError(f"1 to {MOST_SETS} sets to score and to tune on, {FEWEST_SCENES} scenes or more and a seed of "
                         "0 or more", f"{scored}, {tuned}, {scenes} and {seed}")
    seeds = tuple(FIRST_SEED + 100 * seed + i for i in range(scored))
    others = tuple(FIRST_SEED + 100 * seed + MOST_SETS + i for i in range(tuned))
    steps = tuned + 2 * scored

    def part(step: int) -> Callable[[float, str], None]:
        if should_stop is not None and should_stop():
            raise Cancelled(f"{step} of {steps} parts")
        return lambda share, text: on_progress((step + share) / steps, text) if on_progress else None

    def with_copies(of: Scenes, fault: str, step: int) -> CopiesKnown:
        planted = of.with_faults(fault, on_progress=part(step), should_stop=should_stop)
        return CopiesKnown.of(planted, of.seed)

    thresholds = _tuned([with_copies(Scenes(model, store, s, scenes), COPIES["duplicate"], i)
                         for i, s in enumerate(others)])
    sets: list[Found] = []
    for i, s in enumerate(seeds):
        of, step = Scenes(model, store, s, scenes), tuned + 2 * i
        found = faults_found(of, part(step), should_stop)
        for name, fault in COPIES.items():
            found.scores.update(copies_found(with_copies(of, fault, step + 1), name, thresholds))
        sets.append(found)
    scores = {name: mean_of([found.scores[name] for found in sets if name in found.scores])
              for name in dict.fromkeys(name for found in sets for name in found.scores)}
    part(steps)(0.0, f"{scored} sets of {scenes} scenes are scored")
    return QualityEvaluation(scores, differences(scores), _flagged([found.caught for found in sets]), thresholds, seeds,
                             others, scenes)


def _tuned(sets: Sequence[CopiesKnown]) -> dict[str, float]:
    """The threshold of each way with the highest mean F1; of equal ones the middle."""
    out = {}
    for way in WITH_THRESHOLD:
        f1 = np.array([np.mean([known.dropped(way, at).f1().value for known in sets]) for at in THRESHOLDS])
        best = np.flatnonzero(f1 >= f1.max() - 1e-9)
        out[way] = THRESHOLDS[best[len(best) // 2]]
    return out


def differences(scores: Mapping[str, Score]) -> dict[str, Difference]:
    """Each finding less the simpler ways beside it, by their names; p corrected for all of them (Holm)."""
    return holm({f"{name}_{way}": scores[name].over(scores[f"{name}_{way}"])
                 for name, ways in BESIDE.items() for way in ways if {name, f"{name}_{way}"} <= set(scores)})


def _flagged(sets: Sequence[Mapping[str, Caught]]) -> dict[str, Number]:
    """Recall and precision at the proposed thresholds, of all sets together."""
    out = {}
    for name in dict.fromkeys(name for of in sets for name in of):
        found, planted, flagged = (sum(getattr(of[name], part) for of in sets if name in of)
                                   for part in ("found", "planted", "flagged"))
        if planted:
            out[f"{name}_found_at_proposed"] = proportion(found, planted)
        if flagged:
            out[f"{name}_right_at_proposed"] = proportion(found, flagged)
    return out
