"""What sets teach the same learner: each is scored on the same items, beside chance and beside as many at random."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, holm, means_differ
from core.geometry.jackknife import student
from core.geometry.uniformity import uniformity_by_chance
from core.learning.records.classes import LEAST_OF_CLASS, ZERO_SHOT, classes_asked, zero_shot_shares
from core.learning.records.measuring import chance_r1, measures_of
from core.learning.records.record import Probe
from core.learning.towers.finals import finals
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import Setup
from core.types import Number

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]
ALL, KEPT, RANDOM = "all", "kept", "as many at random"
"""What sets are called wherever there is a what-if: before it, after it, and after as many random drops."""
_DRAWS = 400
SAME = 1e-9


@dataclass(frozen=True)
class Measure:
    """What is told of a learner: its title, its unit, and the ends of what it can be."""

    title: str
    unit: str
    ends: tuple[float, float] = (0.0, 1.0)


MEASURES: dict[str, Measure] = {
    "r1": Measure("R@1 of images: their caption is first", "share"),
    "r1_text": Measure("R@1 of captions: their image is first", "share"),
    "accuracy": Measure("Accuracy by class", "share"),
    "zero_shot": Measure("Zero-shot by class", "share"),
    "worst_class": Measure("Worst class", "share"),
    "alignment": Measure("Alignment: squared distance of pairs", "squared distance", (0.0, 4.0)),
    "uniformity": Measure("Uniformity of images", "logarithm", (-math.inf, 0.0)),
    "gap": Measure("Gap: distance of the means", "distance", (0.0, 2.0)),
}


@dataclass(frozen=True, eq=False)
class Learned:
    """What each set taught.

    Attributes
    ----------
    how : the learner, in words.
    sets : names, in order.
    beside : by the name of a set, the one it is compared with.
    trained : items that each was trained on.
    asked : items on which all are scored.
    measures : keys of `MEASURES` that could be told, in order.
    numbers : by set and measure, the mean over seeds (or draws) with its interval, and chance.
    runs : by set and measure, (seeds,) float64; NaN where a run did not end.
    classes : by set and class, accuracy.
    differences : by set and measure, less the set it is beside; p corrected by Holm over all of them.
    over : of what the intervals speak, in words.
    notes : what could not be told, in sentences.
    """

    how: str
    sets: tuple[str, ...]
    beside: Mapping[str, str]
    trained: Mapping[str, int]
    asked: int
    measures: tuple[str, ...]
    numbers: Mapping[tuple[str, str], Number]
    runs: Mapping[tuple[str, str], np.ndarray]
    classes: Mapping[tuple[str, str], Number]
    differences: Mapping[tuple[str, str], Difference]
    over: str
    notes: tuple[str, ...] = ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Classes of which something is told, in order."""
        return tuple(dict.fromkeys(name for _, name in self.classes))


@dataclass(frozen=True)
class Taught:
    """A set that is learnt from: one lesson, or one for each seed, and the name of the set it is compared with."""

    name: str
    lessons: tuple[Lesson, ...]
    beside: str = ""


@dataclass(frozen=True, eq=False)
class Scores:
    """What is told of one run: measures by key, and accuracy by class; what is not defined is left out."""

    measures: Mapping[str, float]
    classes: Mapping[str, float]


def scores(images: np.ndarray, texts: np.ndarray, probe: Probe) -> Scores:
    """Measures of features of the items that are asked, (n, d) and (m, d) float32 with unit rows, of the probe.

    As `core.learning.records.measuring.measures_of` has them, and zero-shot by class as
    `core.learning.records.classes.zero_shot_hits` has it; the worst class is the one with the lowest zero-shot accuracy
    among those of 5 images or more.
    """
    return scores_of(measures_of(images, texts, probe)
                     | zero_shot_shares(images, texts, probe.links, probe.labels), probe)


def scores_of(found: Mapping[str, float], probe: Probe) -> Scores:
    """Measures, and shares as `zero_shot_shares` names them, as scores; what is no finite number is left out."""
    shares = {name: found.get(f"{ZERO_SHOT}{k}", math.nan) for k, name in enumerate(classes_asked(probe.labels), 1)}
    classes = {name: value for name, value in shares.items() if math.isfinite(value)}
    found = dict(found) | {"zero_shot": found.get(f"{ZERO_SHOT}0", math.nan)}
    judged = [value for name, value in classes.items() if probe.labels.count(name) >= LEAST_OF_CLASS]
    found["worst_class"] = min(judged) if len(judged) > 1 else math.nan
    return Scores({key: float(found[key]) for key in MEASURES if math.isfinite(found.get(key, math.nan))}, classes)


def by_chance(probe: Probe, dim: int, *, seed: int = 0) -> dict[str, float]:
    """What each measure is of random unit vectors in ``dim`` dimensions, where it is known."""
    n, m = len(probe.images), len(probe.texts)
    backwards = Probe(probe.texts, probe.images, probe.links[:, ::-1])
    told = {"r1": chance_r1(probe), "r1_text": chance_r1(backwards), "alignment": 2.0,
            "uniformity": uniformity_by_chance(dim), "gap": math.sqrt(1 / n + 1 / m)}
    sizes = [probe.labels.count(name) for name in classes_asked(probe.labels)]
    return told | chance_of_classes(sizes, seed=seed)


def chance_of_classes(sizes: Sequence[int], *, seed: int = 0) -> dict[str, float]:
    """Accuracy, and that of the worst class, of guesses at random among classes of so many items."""
    if len(sizes) < 2:
        return {}
    judged = [size for size in sizes if size >= LEAST_OF_CLASS]
    rng = np.random.default_rng(seed)
    told = {"zero_shot": 1 / len(sizes)}
    if len(judged) > 1:
        draws = rng.binomial(judged, 1 / len(sizes), (_DRAWS, len(judged))) / np.array(judged)
        told["worst_class"] = float(draws.min(axis=1).mean())
    return told


def over_seeds(values: np.ndarray, null: float | None, key: str) -> Number:
    """The mean over seeds with Student's 95 % interval, from three on that are not all the same; NaN is left out."""
    values = values[np.isfinite(values)]
    k, unit = len(values), MEASURES[key].unit
    if not k:
        return Number(math.nan, null=null, n=0, unit=unit)
    mean = float(values.mean())
    if k < 3 or np.ptp(values) < SAME:
        return Number(mean, null=null, n=k, unit=unit)
    half, (least, most) = student(k - 1) * float(values.std(ddof=1)) / math.sqrt(k), MEASURES[key].ends
    return Number(mean, max(mean - half, least), min(mean + half, most), null, k, unit)


def compared(how: str, runs: Mapping[str, Sequence[Scores | None]], beside: Mapping[str, str],
             trained: Mapping[str, int], asked: int, chance: Mapping[str, float], *,
             notes: Sequence[str] = ()) -> Learned:
    """Runs of several sets with the same seeds as one report.

    Parameters
    ----------
    how : the learner, in words.
    runs : by set, the scores of each seed, in the same order; None where a run did not end.
    beside : by set, the one it is compared with, seed by seed.
    trained, asked : how many items each was trained on and all are scored on.
    chance : by measure.
    notes : what could not be told.
    """
    names = tuple(runs)
    keys = tuple(key for key in MEASURES if any(one is not None and key in one.measures
                                                for part in runs.values() for one in part))
    values = {(name, key): np.array([math.nan if one is None else one.measures.get(key, math.nan)
                                     for one in runs[name]]) for name in names for key in keys}
    numbers = {at: over_seeds(found, chance.get(at[1]), at[1]) for at, found in values.items()}
    family = {}
    for name, other in beside.items():
        for key in keys:
            both = np.isfinite(values[name, key]) & np.isfinite(values[other, key])
            if both.any():
                family[name, key] = _differ(values[other, key][both], values[name, key][both], MEASURES[key].unit)
    labels = sorted({label for part in runs.values() for one in part if one is not None for label in one.classes})
    classes = {(name, label): over_seeds(np.array([math.nan if one is None else one.classes.get(label, math.nan)
                                                   for one in runs[name]]), chance.get("zero_shot"), "zero_shot")
               for label in labels for name in names}
    lost = {name: sum(one is None for one in part) for name, part in runs.items()}
    told = [f"{count} of {len(runs[name])} runs on {name} did not end and are left out." for name, count in lost.items()
            if count]
    return Learned(how, names, dict(beside), dict(trained), asked, keys, numbers, values, classes, holm(family),
                   "over seeds, on these items", (*notes, *told))


def _differ(before: np.ndarray, after: np.ndarray, unit: str) -> Difference:
    """Student's paired test over seeds; not measurable where all seeds say the same, for then they are no sample."""
    steps = after - before
    if np.ptp(steps) < SAME:
        return Difference(Number(float(steps.mean()), null=0.0, n=len(steps), unit=unit), None,
                          "all seeds differ by as much")
    return means_differ(before, after, unit=unit)


def learn_on(sets: Sequence[Taught], setup: Setup, *, seeds: int = 5, workers: int = 2, notes: Sequence[str] = (),
             on_progress: Progress | None = None, should_stop: Stop | None = None) -> Learned:
    """Train the same towers on each set, with the same steps and seeds, and score all on the same items.

    Parameters
    ----------
    sets : two or more, or one alone, with one and the same probe.
    setup : dials of the towers; the seeds count up from its seed.
    seeds : runs of each set; differences are paired over them.
    workers : runs at once, each a process with one thread.
    notes : what is to be said beside what was found.
    on_progress, should_stop : told the share done; asked between runs. What is finished is kept on disk.

    Raises
    ------
    ShapeError
        If the sets are asked different items, or there is none.
    Cancelled
        When ``should_stop`` says so.
    """
    if not sets or len({one.lessons[0].probe.fingerprint for one in sets}) != 1:
        raise ShapeError("sets that are all asked the same items", f"{len(sets)} sets, asked others")
    probe = sets[0].lessons[0].as_probe()
    jobs = [(one.name, one.lessons[k % len(one.lessons)], setup.but(seed=setup.seed + k))
            for k in range(seeds) for one in sets]
    table = finals([(lesson, dials) for _, lesson, dials in jobs], workers=workers, on_progress=on_progress,
                   should_stop=should_stop)
    found: dict[str, list[Scores | None]] = {one.name: [] for one in sets}
    for (name, _, _), row in zip(jobs, table.to_dict("records")):
        told = {str(key): value for key, value in row.items() if key in MEASURES or str(key).startswith(ZERO_SHOT)}
        found[name].append(None if row["ended"] else scores_of(told, probe))
    return compared(f"two small towers, {setup.steps:,} steps of {setup.batch} pairs, {setup.dim} dimensions", found,
                    {one.name: one.beside for one in sets if one.beside},
                    {one.name: round(float(np.mean([len(lesson.train) for lesson in one.lessons]))) for one in sets},
                    len(probe.images), by_chance(probe, setup.dim, seed=setup.seed), notes=notes)
