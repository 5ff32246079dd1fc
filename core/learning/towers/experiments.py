"""What papers say of the modality gap and of noise, tried on the small towers: small experiments with a plain answer.

Each is a few trainings that differ in one thing, by several seeds, and a sentence that is made of the numbers: also
where they contradict the source.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import check_choice
from core.geometry.differences import Difference, Verdict, hits_differ, holm
from core.geometry.intervals import above_chance, decimals, proportion
from core.learning.towers.doses import POLES, SEEDS, Level, Response, paired, respond
from core.learning.towers.finals import Progress, Stop
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import Setup
from core.types import Number

TEMPERATURES = (0.01, 0.05, 0.1, 0.2)
SHARES = (0.0, 0.2, 0.4, 0.6)
POLES_NOISE = 0.6


@dataclass(frozen=True)
class Reading:
    """What the numbers of an experiment say.

    Attributes
    ----------
    numbers : by name, with intervals over the seeds.
    differences : by what is compared, paired over the seeds; p corrected for all of the experiment (Holm).
    holds : whether the claim holds here; None where the numbers do not tell.
    sentence : the answer with its numbers.
    """

    numbers: Mapping[str, Number]
    differences: Mapping[str, Difference]
    holds: bool | None
    sentence: str


@dataclass(frozen=True)
class Experiment:
    """A claim and the trainings that try it.

    Attributes
    ----------
    title : of the experiment, a few words.
    claim : what is said, as a sentence.
    source : who says it.
    axis : what differs between levels, with its unit.
    levels : by level, the dials that are unlike the first setting.
    measures : what is looked at, by name in `MEASURES`, those before training with ``_start``.
    read : makes the answer of the numbers.
    seeds : how many times the usual number of seeds.
    """

    title: str
    claim: str
    source: str
    axis: str
    levels: Mapping[Level, Mapping[str, float | str]]
    measures: tuple[str, ...]
    read: Callable[[Response], Reading]
    seeds: int = 1

    def setups(self, base: Setup) -> dict[Level, Setup]:
        """The setup of each level."""
        return {level: base.but(**changes) for level, changes in self.levels.items()}


@dataclass(frozen=True, eq=False)
class Found:
    """An experiment that was done.

    Attributes
    ----------
    experiment : which.
    response : its trainings.
    reading : what they say.
    """

    experiment: Experiment
    response: Response
    reading: Reading


def run(key: str, lesson: Lesson, base: Setup | None = None, *, seeds: int = SEEDS, workers: int = 2,
        on_progress: Progress | None = None, should_stop: Stop | None = None) -> Found:
    """Do an experiment; what was trained before is read.

    Parameters
    ----------
    key : of `EXPERIMENTS`.
    lesson : pairs to train on and to look at.
    base : all that the experiment does not set; the first setting where None.
    seeds : how many, at least 3, counting up from the base's.

    Raises
    ------
    ChoiceError
        If the key is unknown or there are too few seeds.
    Cancelled, OrreryError
        As `core.learning.towers.finals.finals`.
    """
    check_choice("experiment", key, EXPERIMENTS)
    experiment = EXPERIMENTS[key]
    response = respond(lesson, experiment.setups(base or Setup()), seeds=seeds * experiment.seeds, workers=workers,
                       on_progress=on_progress, should_stop=should_stop)
    return Found(experiment, response, experiment.read(response))


def _gap_at_start(found: Response) -> Reading:
    before, after = found.numbers("gap_start"), found.numbers("gap")
    differences = holm({f"{level}, after training less before": paired(
        found.values["gap_start"][i], found.values["gap"][i], unit="length") for i, level in enumerate(found.levels)})
    numbers = {}
    for level, start, end in zip(found.levels, before, after):
        numbers[f"gap at the start, {level}"], numbers[f"gap after, {level}"] = start, end
    above = [above_chance(number) for number in before]
    holds = None if None in above else all(above)
    answer = {True: "Yes.", False: "Not above chance.", None: "It cannot be measured."}[holds]
    starts = " and ".join(f"{said(start)} at {level}" for level, start in zip(found.levels, before))
    ends = " and ".join(f"{_after(moved)} {said(end)} at {level}"
                        for level, end, moved in zip(found.levels, after, differences.values()))
    return Reading(numbers, differences, holds, f"{answer} Before any training the gap is {starts}, by chance "
                   f"{_by_chance(before)}; with training it {ends}.")


def _after(moved: Difference) -> str:
    return {Verdict.LOWER: "falls to", Verdict.HIGHER: "grows to"}.get(moved.verdict, "is not told apart from before,")


def _gap_by_temperature(found: Response) -> Reading:
    return _along(found, "gap", "temperature", falls=True, what="the gap")


def _poles(found: Response) -> Reading:
    ends, numbers, told = found.values["gap"], {}, []
    for level, row in zip(found.levels, ends):
        known = row[np.isfinite(row)]
        at_poles = int((known > POLES).sum())
        numbers[f"at opposite poles, {level}"] = proportion(at_poles, len(known)) if len(known) else Number(math.nan)
        told.append(f"{at_poles} of {len(known)} {level} starts")
    both = np.isfinite(ends[:2]).all(axis=0)
    poles = (ends[:2, both] > POLES).astype(float)
    differences = holm({"gap, turned less free": paired(ends[0], ends[1], unit="length"),
                        "R@1, turned less free": paired(found.values["r1"][0], found.values["r1"][1], unit="share"),
                        **({"at opposite poles, turned less free": hits_differ(*poles)} if both.any() else {})})
    free, turned = (number.value for number in numbers.values())
    prevented = both.any() and differences["at opposite poles, turned less free"].verdict is Verdict.LOWER
    if math.isnan(free + turned) or free == turned == 0:
        holds, answer = None, "It is not seen here."
    elif turned:
        holds, answer = False, "Not prevented."
    elif prevented:
        holds, answer = True, "Yes."
    else:
        holds, answer = None, "It is seen, but too rarely to tell whether turning prevents it."
    gaps = " and ".join(said(number) for number in found.numbers("gap"))
    return Reading(numbers, differences, holds, f"{answer} With {POLES_NOISE:.0%} of captions wrong, "
                   f"{' and '.join(told)} end with a gap above {POLES:g}, images at one pole and texts at the other; "
                   f"the mean gap is {gaps}.")


def _noise(found: Response) -> Reading:
    differences = holm({"uniformity, most noise less none": found.ends("uniformity"),
                        "R@1, most noise less none": found.ends("r1")})
    contracts, lowers = differences.values()
    answers = (_answer(contracts, found.steps("uniformity"), Verdict.HIGHER),
               _answer(lowers, found.steps("r1"), Verdict.LOWER))
    worst = min(answers, key=list(ANSWERS).index)
    numbers = {f"{name}, noise {level:g}": number for name, measure in (("uniformity", "uniformity"), ("R@1", "r1"))
               for level, number in zip(found.levels, found.numbers(measure))}
    return Reading(numbers, differences, ANSWERS[worst], f"{worst} With noise the uniformity goes "
                   f"{_way(found, 'uniformity')}, {_verdict(contracts)}, and R@1 {_way(found, 'r1')}, "
                   f"{_verdict(lowers)}; alignment goes {_way(found, 'alignment')}{_alignment(found)}.")


def _alignment(found: Response) -> str:
    if not found.monotone("alignment", falls=False):
        return ", which is not monotone: read it beside uniformity"
    if found.ends("alignment").verdict is not Verdict.HIGHER:
        return ", not told apart from no change: read it beside uniformity"
    return ", and rises too"


def _mismatched(found: Response) -> Reading:
    return _along(found, "gap", "mismatched share", falls=False, what="the gap")


def _along(found: Response, measure: str, axis: str, *, falls: bool, what: str) -> Reading:
    """Whether a measure falls (or rises) along the levels: its ends, and each step."""
    ends, levels = found.ends(measure), [f"{level:g}" for level in found.levels]
    wanted = Verdict.LOWER if falls else Verdict.HIGHER
    steps = found.steps(measure)
    answer = _answer(ends, steps, wanted)
    numbers = {f"{what}, {axis} {level}": number for level, number in zip(levels, found.numbers(measure))}
    alike = [f"{a} and {b}" for a, b, step in zip(levels, levels[1:], steps)
             if step.verdict is Verdict.NOT_TOLD_APART]
    rest = f"; not told apart are {', '.join(alike)}" if alike else ""
    return Reading(numbers, {f"{what}, {levels[-1]} less {levels[0]}": ends}, ANSWERS[answer],
                   f"{answer} From {axis} {levels[0]} to {levels[-1]} {what} goes {_way(found, measure)}, "
                   f"{_verdict(ends)}{rest}.")


ANSWERS: dict[str, bool | None] = {"No, the contrary.": False, "Not throughout.": False, "It cannot be measured.": None,
                                   "It is not seen here.": None, "Yes.": True}
"""What an experiment can answer, and whether the claim holds then; the worst first."""


def _answer(ends: Difference, steps: Sequence[Difference], wanted: Verdict) -> str:
    """Yes where the ends differ as claimed, and no step from level to level is told apart the other way."""
    if ends.verdict is Verdict.NOT_MEASURABLE:
        return "It cannot be measured."
    if ends.verdict is Verdict.NOT_TOLD_APART:
        return "It is not seen here."
    if ends.verdict is not wanted:
        return "No, the contrary."
    contrary = Verdict.HIGHER if wanted is Verdict.LOWER else Verdict.LOWER
    return "Not throughout." if any(step.verdict is contrary for step in steps) else "Yes."


def _way(found: Response, measure: str) -> str:
    return " → ".join("unknown" if math.isnan(number.value) else f"{number.value:.2f}"
                      for number in found.numbers(measure))


def _verdict(difference: Difference) -> str:
    if difference.verdict is Verdict.NOT_MEASURABLE:
        return "a change that cannot be measured"
    told = "" if difference.verdict is not Verdict.NOT_TOLD_APART else ", not told apart from none"
    return f"a change of {said(difference.change, sign=True)}{told}"


def _by_chance(numbers: Sequence[Number]) -> str:
    return " and ".join(f"{number.null:.2f}" for number in numbers if number.null is not None)


def said(number: Number, *, sign: bool = False) -> str:
    """A number with its interval in words: "0.83 (0.65 to 1.01)"; its interval decides on the digits."""
    if math.isnan(number.value):
        return "unknown"
    digits, plus = decimals(number), "+" if sign else ""
    if number.low is None or number.high is None:
        return f"{number.value:{plus}.{digits}f}"
    return f"{number.value:{plus}.{digits}f} ({number.low:{plus}.{digits}f} to {number.high:{plus}.{digits}f})"


EXPERIMENTS: dict[str, Experiment] = {
    "gap_at_start": Experiment(
        "The gap before training", "Images and texts lie apart before anything is learnt.",
        "Liang et al. 2022, arXiv:2203.02053", "dimensions", {"d 3": {"dim": 3}, "d 16": {"dim": 16}},
        ("gap_start", "gap"), _gap_at_start),
    "gap_by_temperature": Experiment(
        "Temperature and gap", "The higher the temperature, the smaller the gap that training leaves.",
        "Liang et al. 2022, arXiv:2203.02053", "temperature, fixed",
        {t: {"dim": 16, "temperature": t} for t in TEMPERATURES}, ("gap", "r1", "uniformity"), _gap_by_temperature),
    "mismatched": Experiment(
        "Mismatched pairs and gap", "Mismatched pairs keep the gap open.",
        "Shi et al. 2023; Yaras et al. 2024, arXiv:2412.07909", "share of mismatched pairs",
        {share: {"dim": 16, "mismatched": share} for share in SHARES}, ("gap", "r1"), _mismatched),
    "noise": Experiment(
        "Noise contracts the sphere", "Wrong captions draw the features together and lower R@1, the more the worse.",
        "expected of alignment and uniformity, Wang and Isola 2020, arXiv:2005.10242", "share of wrong captions",
        {share: {"caption_noise": share} for share in SHARES}, ("uniformity", "r1", "alignment"), _noise),
    "poles": Experiment(
        "Modality collapse or not", "Under noise some random starts end with all images at one pole and all texts at "
        "the other; turning the start so that the means are at most 85° apart prevents it.",
        "seen in trainings of these towers", "start",
        {"free": {"caption_noise": POLES_NOISE}, "turned": {"caption_noise": POLES_NOISE, "start": "turned"}},
        ("gap", "r1"), _poles, seeds=2),
}
