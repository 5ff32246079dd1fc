"""What the small towers learn, what each fault does to it, and what the experiments find: all figures of the command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, holm
from core.learning.towers.doses import SEEDS, DoseResponse, Response, dose_response
from core.learning.towers.experiments import EXPERIMENTS, Found, run
from core.learning.towers.finals import Progress, Stop
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import DIALS, Setup
from core.types import Number

FAULTS = tuple(name for name, dial in DIALS.items() if dial.data)
SEEDS_APART = 100
"""Between two seeds of the command: so many runs of one have seeds that no run of the other has."""


@dataclass(frozen=True, eq=False)
class TowersEvaluation:
    """What the command prints and the page shows.

    Attributes
    ----------
    doses : by fault, its dose-response.
    over : by fault, R@1 at the highest dose less that at the lowest, paired over the seeds; p corrected for all faults
        (Holm).
    found : the experiments by their keys.
    live : R@1 of the first setting.
    seconds : of the processor, of all trainings, also of those that were kept from before.
    """

    doses: Mapping[str, DoseResponse]
    over: Mapping[str, Difference]
    found: Mapping[str, Found]
    live: Number
    seconds: float

    def figures(self) -> dict[str, Number]:
        """All numbers by name."""
        start = self.found["gap_at_start"].response
        out = {"live_r1": self.live}
        for level, before, after in zip(start.levels, start.numbers("gap_start"), start.numbers("gap")):
            name = str(level).replace(" ", "")
            out[f"gap_at_init_{name}"], out[f"gap_after_{name}"] = before, after
        out |= _levels(self.found["gap_by_temperature"].response, "gap", "gap_by_temperature", falls=True)
        out |= _levels(self.found["noise"].response, "uniformity", "uniformity_by_noise", falls=False)
        out |= _levels(self.found["noise"].response, "alignment", "alignment_by_noise", falls=False)
        out |= _levels(self.found["mismatched"].response, "gap", "gap_by_mismatched", falls=False)
        poles = self.found["poles"].reading
        for name, number in poles.numbers.items():
            out[f"poles_{name.rsplit(' ', 1)[-1]}"] = number
        for fault, doses in self.doses.items():
            for level, number in zip(doses.levels, doses.numbers("r1")):
                out[f"dose_{fault}_{level:.3g}"] = number
            out[f"dose_{fault}_ordered"] = doses.ordered("r1")
            out |= _difference(f"dose_{fault}_difference", self.over[fault])
        for key, found in self.found.items():
            if found.reading.holds is not None:
                out[f"{key}_holds"] = Number(float(found.reading.holds), n=len(found.response.seeds), unit="yes is 1")
        return out

    def said(self) -> dict[str, object]:
        """The sentences of the experiments, seeds and cost, as plain values."""
        first = next(iter(self.doses.values()))
        return {"seeds": list(first.seeds), "seconds_of_processor": round(self.seconds, 1),
                **{key: found.reading.sentence for key, found in self.found.items()}}


def evaluate_towers(lesson: Lesson | None = None, *, seed: int = 0, seeds: int = SEEDS, steps: int = Setup.steps,
                    workers: int = 2, on_progress: Progress | None = None, should_stop: Stop | None = None
                    ) -> TowersEvaluation:
    """All faults at all their doses, and all experiments; what was trained before is read.

    Parameters
    ----------
    lesson : what is learnt; the concepts of the built-in world where None.
    seed : the seeds of runs count up from 100 times this.
    seeds : how many of each run, 3 to 50.
    steps : of each run.
    workers, on_progress, should_stop : as in `core.learning.towers.finals.finals`.

    Raises
    ------
    ShapeError
        For other numbers of seeds.
    Cancelled, OrreryError
        As `core.learning.towers.finals.finals`.
    """
    if not 3 <= seeds <= SEEDS_APART // 2 or seed < 0:
        raise ShapeError(f"3 to {SEEDS_APART // 2} seeds of each run, and a seed of 0 or more", f"{seeds} and {seed}")
    of = len(FAULTS) + len(EXPERIMENTS) + 1
    if lesson is None:
        from core.learning.towers.concepts import concept_lesson

        lesson = concept_lesson(on_progress=_part(on_progress, 0, of), should_stop=should_stop)
    base = Setup(seed=SEEDS_APART * seed, steps=steps)
    doses = {fault: dose_response(lesson, fault, base, seeds=seeds, workers=workers, should_stop=should_stop,
                                  on_progress=_part(on_progress, i, of, f"{DIALS[fault].title}: "))
             for i, fault in enumerate(FAULTS, 1)}
    found = {key: run(key, lesson, base, seeds=seeds, workers=workers, should_stop=should_stop,
                      on_progress=_part(on_progress, i, of, f"{one.title}: "))
             for i, (key, one) in enumerate(EXPERIMENTS.items(), 1 + len(FAULTS))}
    live = doses[FAULTS[0]].numbers("r1")[0]
    return TowersEvaluation(doses, holm({fault: one.ends("r1") for fault, one in doses.items()}), found, live,
                            _seconds([*doses.values(), *(one.response for one in found.values())]))


def _seconds(responses: list[Response]) -> float:
    """Of the processor, each run once."""
    import pandas as pd

    tables = pd.concat([one.table.drop(columns="level") for one in responses], ignore_index=True)
    dials = ["seed", "dim", *(f"dial_{name}" for name in DIALS)]
    return float(tables.drop_duplicates(subset=dials)["seconds"].sum())


def _part(on_progress: Progress | None, i: int, of: int, before: str = "") -> Progress:
    def told(share: float, text: str) -> None:
        if on_progress is not None:
            on_progress((i + share) / of, before + text)

    return told


def _levels(found: Response, measure: str, name: str, *, falls: bool) -> dict[str, Number]:
    """A measure at each level, the last less the first, and the share of steps that go as expected."""
    out = {f"{name}_{level:g}": number for level, number in zip(found.levels, found.numbers(measure))}
    return out | {f"{name}_ordered": found.ordered(measure, falls=falls)} | _difference(f"{name}_difference",
                                                                                      found.ends(measure))


def _difference(name: str, difference: Difference) -> dict[str, Number]:
    out = {name: replace(difference.change, null=0.0)}
    if difference.p is not None and np.isfinite(difference.p):
        out[f"{name}_p"] = Number(difference.p, n=difference.change.n)
    return out
