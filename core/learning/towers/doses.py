"""What a dial does to what is learnt: trainings of several seeds at each of its values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.errors import ChoiceError, check_choice
from core.geometry.curves import Curve
from core.geometry.differences import LEAST_GROUPS, Difference, holm, means_differ
from core.geometry.jackknife import student
from core.learning.records.record import MEASURES
from core.learning.towers.finals import CHANCES, Progress, Stop, finals
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import DIALS, Setup
from core.types import Number

__all__ = ["SEEDS", "SHOWN", "DoseResponse", "Response", "dose_response", "finals", "mean_over_seeds", "paired",
           "respond", "response_of", "setups_of", "with_seeds"]

Level = float | str
ANY = -math.inf, math.inf
SEEDS = 5
SHOWN = ("r1", "worst_class", "alignment", "uniformity", "gap")
SHARES = ("r1", "r1_text", "worst_class")
ENDS = {**dict.fromkeys(SHARES, (0.0, 1.0)), "alignment": (0.0, 4.0), "gap": (0.0, 2.0)}
"""What measures can be at least and at most."""

POLES = 1.0
"""Gap above which the modalities lie at opposite poles: the means of two clouds are so far apart only if both are tight
and their angle is more than 60 degrees."""


@dataclass(frozen=True, eq=False)
class Response:
    """Measures of trainings that differ in one thing, each by the same seeds.

    Attributes
    ----------
    levels : what differs, the harmless or usual first.
    seeds : of weights, batches and faults; the same at each level.
    values : (levels, seeds) float64 by measure: those at the end, those before training as ``<measure>_start``,
        ``gap_chance`` and ``angle``; NaN where a run did not go to its end.
    chance : of ``r1``.
    table : all runs, as `finals` gives them, the level before each.
    """

    levels: tuple[Level, ...]
    seeds: tuple[int, ...]
    values: Mapping[str, np.ndarray]
    chance: float
    table: pd.DataFrame

    def numbers(self, measure: str) -> list[Number]:
        """Mean over seeds at each level, with Student's 95 % interval over the seeds; n is how many went to their end.

        Beside them what chance gives: of shares, answers at random; of gaps, names that change places within concepts.
        """
        name = measure.removesuffix("_start")
        unit, share = MEASURES.get(name, "degrees"), name in SHARES
        known = self.chance if name == "r1" and math.isfinite(self.chance) else None
        nulls: list[float | None] = [known] * len(self.levels)
        if name == "gap":
            nulls = [float(np.mean(row)) for row in self.values[measure.replace("gap", "gap_chance")]]
        return [mean_over_seeds(row, null=null, unit="share" if share else unit, ends=ENDS.get(name, ANY))
                for row, null in zip(self.values[measure], nulls)]

    def curve(self, measure: str) -> Curve:
        """`numbers` as a curve over the levels."""
        return Curve.of(MEASURES[measure], self.numbers(measure))

    def ends(self, measure: str) -> Difference:
        """The last level less the first, paired over the seeds."""
        return paired(self.values[measure][0], self.values[measure][-1], unit=MEASURES[measure])

    def against_first(self, measure: str) -> dict[Level, Difference]:
        """Each other level less the first, paired over the seeds; p corrected for all of them (Holm)."""
        rows = self.values[measure]
        return holm({level: paired(rows[0], rows[i], unit=MEASURES[measure])
                     for i, level in enumerate(self.levels) if i})

    def steps(self, measure: str) -> list[Difference]:
        """Each level less the one before, paired over the seeds; p corrected for all of them (Holm)."""
        rows = self.values[measure]
        return list(holm({i: paired(rows[i], rows[i + 1], unit=MEASURES[measure])
                          for i in range(len(rows) - 1)}).values())

    def ordered(self, measure: str, *, falls: bool = True) -> Number:
        """Share of steps from level to level, of all seeds, in which a measure falls (or rises); by chance half."""
        moves = np.diff(self.values[measure], axis=0)
        moves = moves[np.isfinite(moves)]
        right = (moves < 0) if falls else (moves > 0)
        return Number(float(right.mean()) if len(moves) else math.nan, null=0.5, n=len(moves), unit="share")

    def monotone(self, measure: str, *, falls: bool = True) -> bool:
        """Whether the mean over seeds falls (or rises) from each level to the next."""
        moves = np.diff([number.value for number in self.numbers(measure)])
        return bool((moves < 0).all() if falls else (moves > 0).all())

    @property
    def unfinished(self) -> int:
        """Runs that did not go to their end."""
        return int((self.table["ended"] != "").sum())

    @property
    def at_poles(self) -> int:
        """Runs that ended with the modalities at opposite poles."""
        return int((self.values["gap"] > POLES).sum())


@dataclass(frozen=True, eq=False)
class DoseResponse(Response):
    """What a dial does: the levels are its values, or its choices.

    Attributes
    ----------
    dial : its key in `DIALS`.
    differences : the last level less the first by measure; p corrected for the measures (Holm). Those of choices are
        in `against_first`.
    """

    dial: str = ""
    differences: Mapping[str, Difference] = field(default_factory=dict)

    @property
    def choices(self) -> bool:
        """Whether the levels have no order."""
        return DIALS[self.dial].choices is not None


def respond(lesson: Lesson, setups: Mapping[Level, Setup], *, seeds: int = SEEDS, workers: int = 2,
            on_progress: Progress | None = None, should_stop: Stop | None = None) -> Response:
    """Train each of several setups with the same seeds, which count up from its own.

    Raises
    ------
    ChoiceError
        If there are fewer than 3 seeds or 2 setups.
    Cancelled, OrreryError
        As `finals`.
    """
    from core.learning.records.measuring import chance_r1

    if seeds < 3 or len(setups) < 2:
        raise ChoiceError("at least 3 seeds, so that there is an interval, and 2 values to compare",
                          f"{seeds} and {len(setups)}")
    table = finals([(lesson, one) for one in with_seeds(setups.values(), seeds)], workers=workers,
                   on_progress=on_progress, should_stop=should_stop)
    table.insert(0, "level", [level for level in setups for _ in range(seeds)])
    return response_of(table, chance_r1(lesson.as_probe()))


def with_seeds(setups: Iterable[Setup], seeds: int) -> list[Setup]:
    """Each setup with so many seeds, which count up from its own."""
    return [setup.but(seed=setup.seed + i) for setup in setups for i in range(seeds)]


def response_of(table: pd.DataFrame, chance: float) -> Response:
    """Of rows as `respond` makes them: level after level, the same seeds in each."""
    levels = tuple(dict.fromkeys(table["level"]))
    seeds = tuple(table["seed"][table["level"] == levels[0]].tolist())
    names = [f"{name}{when}" for name in (*MEASURES, *CHANCES) for when in ("", "_start")]
    values = {name: table[name].to_numpy(np.float64).reshape(len(levels), -1) for name in names if name in table}
    return Response(levels, seeds, values, chance, table)


def dose_response(lesson: Lesson, dial: str, setup: Setup, *, seeds: int = SEEDS,
                  levels: Sequence[Level] | None = None, workers: int = 2, on_progress: Progress | None = None,
                  should_stop: Stop | None = None) -> DoseResponse:
    """Train with each value of a dial, each with the same seeds; all other dials as they stand.

    Parameters
    ----------
    lesson, setup : pairs and the other dials; seeds count up from the setup's.
    dial : a key of `DIALS`.
    seeds : how many, at least 3.
    levels : values; the dial's doses, or its choices, where None.
    workers, on_progress, should_stop : as in `finals`.

    Raises
    ------
    ChoiceError
        If the dial is unknown, or needs the built-in world where something else is learnt, or as `respond`.
    Cancelled, OrreryError
        As `finals`.
    """
    setups = setups_of(dial, setup, levels)
    if DIALS[dial].world and not lesson.world:
        raise ChoiceError(f"the concepts of the built-in world for the dial {DIALS[dial].title.lower()}", lesson.name)
    found = respond(lesson, setups, seeds=seeds, workers=workers, on_progress=on_progress, should_stop=should_stop)
    ends = holm({name: found.ends(name) for name in SHOWN})
    return DoseResponse(found.levels, found.seeds, found.values, found.chance, found.table, dial, ends)


def setups_of(dial: str, setup: Setup, levels: Sequence[Level] | None = None) -> dict[Level, Setup]:
    """A setup at each value of a dial, at its doses or choices where no values are given."""
    check_choice("dial", dial, DIALS)
    kind = type(getattr(Setup, dial))
    at = [kind(level) for level in (DIALS[dial].choices or DIALS[dial].doses if levels is None else levels)]
    return {level: setup.but(**{dial: level}) for level in at}


def mean_over_seeds(values: np.ndarray, *, null: float | None = None, unit: str = "",
                    ends: tuple[float, float] = ANY) -> Number:
    """Mean of runs that differ in their seed alone, with Student's 95 % interval; none below 3 runs.

    The interval goes no further than ``ends``.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    n = len(known)
    mean = float(known.mean()) if n else math.nan
    if n < LEAST_GROUPS:
        return Number(mean, null=null, n=n, unit=unit)
    half = student(n - 1) * float(known.std(ddof=1)) / math.sqrt(n)
    return Number(mean, max(mean - half, ends[0]), min(mean + half, ends[1]), null, n, unit)


def paired(before: np.ndarray, after: np.ndarray, *, unit: str = "") -> Difference:
    """Student's paired test over the seeds that went to their end both times."""
    both = np.isfinite(before) & np.isfinite(after)
    if not both.any():
        return Difference(Number(math.nan, null=0.0, n=0, unit=unit), None)
    return means_differ(before[both], after[both], unit=unit)
