"""What the numbers of the Modality Gap page say: each sentence looks at interval and chance before it speaks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from core.figures.frame import FEWEST_FOR_PERCENT, among
from core.geometry.alike import MeanCosines
from core.geometry.curves import Curve
from core.geometry.differences import Difference, Verdict
from core.geometry.gap.reports import CosineHistograms, CosineParts, Landscape
from core.geometry.intervals import above_chance, decimals
from core.types import Number

WAYS = {"r1_image_to_text": "image to text", "r1_text_to_image": "text to image"}
_KINDS = {"images": "Two images", "texts": "two texts", "matched": "an image and its own text",
          "unmatched": "an image and another text"}


def say(number: Number, sign: str = "") -> str:
    """A number with its interval, which decides on the digits: "0.55 (0.51 to 0.60)"; with its sign where that is +."""
    form = f"{sign}.{decimals(number)}f"
    if number.low is None or number.high is None:
        return f"{number.value:{form}}"
    return f"{number.value:{form}} ({number.low:{form}} to {number.high:{form}})"


def beside_chance(number: Number) -> str:
    """A number with its interval, and what chance gives."""
    return say(number) if number.null is None else f"{say(number)}, by chance {number.null:.{decimals(number)}f}"


UNKNOWN = Difference(Number(math.nan), None)


def chance(p: float) -> str:
    """A p-value: "p 0.03", "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p {p:.2g}"


def cosines_in_words(report: CosineHistograms) -> list[str]:
    """Whether two clouds lie apart, and what is left for retrieval."""
    mean = report.mean
    known = [f"{words} {say(mean.numbers[kind])}" for kind, words in _KINDS.items() if kind in mean.numbers]
    said = ["Mean cosines: " + ", ".join(known).lower() + "."]
    said.append(_clouds_in_words(mean))
    lead = mean.over("matched", "unmatched")
    if not {"matched", "unmatched"} <= mean.numbers.keys():
        return said
    said.append({
        Verdict.HIGHER: f"Retrieval lives on the lead of pairs over others, {say(lead.change, '+')}; an offset that "
                        f"all cosines across share changes no ranking.",
        Verdict.LOWER: f"Pairs are less alike than others, {say(lead.change, '+')}: this model does not know which "
                       f"image belongs to which text.",
        Verdict.NOT_TOLD_APART: f"Pairs are not told apart from others ({say(lead.change, '+')}): nothing here shows "
                                f"that this model knows which image belongs to which text.",
        Verdict.NOT_MEASURABLE: "There are too few pairs to tell them apart from others.",
    }[lead.verdict])
    return said


def _clouds_in_words(mean: MeanCosines) -> str:
    def below_both(kind: str) -> bool:
        return all(mean.over(kind, inside).verdict is Verdict.LOWER for inside in ("images", "texts"))

    there = above_chance(mean.gap)
    if there is None:
        return "There are too few items to tell whether images and texts lie apart."
    if not there:
        return f"No gap is seen here: the means of images and of texts lie {beside_chance(mean.gap)} apart."
    if below_both("matched"):
        return "So two images, and two texts, are on average more alike to this model than an image and its own " \
               "text: that is the gap."
    if below_both("unmatched"):
        reach = "Pairs reach across, but in" if "matched" in mean.numbers else "In"
        return f"{reach} general an image and a text are less alike than two images or two texts: two clouds with a " \
               f"gap between them."
    return f"The means of images and of texts lie {beside_chance(mean.gap)} apart."


def cones_in_words(trained: CosineHistograms, untrained: CosineHistograms,
                   changed: Mapping[str, Difference]) -> list[str]:
    """How narrow the cones are before training, and what training did to them and to the gap."""
    said, before, after = [], untrained.mean, trained.mean
    for kind in (k for k in ("images", "texts") if k in before.numbers and k in after.numbers):
        early, change = before.numbers[kind], after.since(before, kind)
        least = -1.0 if early.low is None else early.low
        shape = "a narrow cone" if least > 0.5 else "a wide cone" if least > 0.1 else "no cone that these items show"
        what = {Verdict.LOWER: "training opens it", Verdict.HIGHER: "training narrows it",
                Verdict.NOT_TOLD_APART: "training leaves it as wide, as far as these items can tell",
                Verdict.NOT_MEASURABLE: "what training did to it cannot be measured here"}[change.verdict]
        said.append(f"Untrained, two {kind} have a mean cosine of {say(early)}: {shape}; {what} (trained "
                    f"{say(after.numbers[kind])}).")
    verdict = {Verdict.HIGHER: "training has widened it", Verdict.LOWER: "training has narrowed it",
               Verdict.NOT_TOLD_APART: "these pairs do not tell it from that after training",
               Verdict.NOT_MEASURABLE: "whether training changed it cannot be measured here",
               }[changed.get("centroid_gap", UNKNOWN).verdict]
    there = "is there before any training" if above_chance(before.gap) else \
        "is not there before training, as far as these pairs can tell"
    said.append(f"The gap {there}: {beside_chance(before.gap)}; {verdict}: {say(after.gap)}.")
    said.append("Random weights of one seed: another seed puts the cones elsewhere, of about the same width.")
    return said


def training_in_words(steps: np.ndarray, curves: Mapping[str, Sequence[Curve]], changed: Difference) -> list[str]:
    """How the gap goes over a training, and when retrieval comes."""
    gap = next(c for of_panel in curves.values() for c in of_panel if c.title == "Gap")
    first, last = gap.at(0), gap.at(len(gap.values) - 1)
    widest, narrowest = (int(pick(gap.values)) for pick in (np.argmax, np.argmin))
    change = {Verdict.HIGHER: "wider than before training", Verdict.LOWER: "narrower than before training",
              Verdict.NOT_TOLD_APART: "not told apart from before training",
              Verdict.NOT_MEASURABLE: "too few pairs to compare with before training"}[changed.verdict]
    said = [f"The gap is {say(first)} before training and {say(last)} after {steps[-1]:,} steps, {change}."]
    least, most = gap.at(narrowest), gap.at(widest)
    if least.high is not None and most.low is not None and least.high < most.low:
        said[0] += f" It is narrowest at step {steps[narrowest]:,}, {say(least)}, and widest at step " \
                   f"{steps[widest]:,}, {say(most)}."
    known = [c for of_panel in curves.values() for c in of_panel if c.title == "Image to text"]
    if known and known[0].values.max() >= 0.5:
        found, half = known[0], int(np.argmax(known[0].values >= 0.5))
        said.append(f"Half of the images find their own text first at step {steps[half]:,}, when the gap is "
                    f"{say(gap.at(half))}; at the end {say(found.at(len(found.values) - 1))} do, and the gap is "
                    f"{say(last)}: " + ("retrieval does not need a closed gap." if above_chance(last) else
                                        "the gap is no longer told from chance."))
    warm = [c for of_panel in curves.values() for c in of_panel if c.title == "Temperature"]
    if warm:
        said.append(f"The temperature goes from {warm[0].values[0]:.3g} to {warm[0].values[-1]:.3g}: at a low one the "
                    f"loss looks at the nearest rivals alone, and an offset that all share costs it nothing.")
    return said


def _change(name: str, a: Number, b: Number, difference: Difference, what: str, items: str) -> str:
    """From a to b, and whether these pairs can tell the two apart."""
    verdict = {Verdict.HIGHER: "a rise", Verdict.LOWER: "a fall",
               Verdict.NOT_TOLD_APART: "these pairs do not tell the two apart",
               Verdict.NOT_MEASURABLE: f"too few {items} to tell the two apart"}[difference.verdict]
    told = "" if difference.p is None else f", {chance(difference.p)}"
    return f"{what} takes {name} from {say(a)} to {say(b)}: {verdict}{told}."


def landscape_in_words(report: Landscape) -> list[str]:
    """Where the loss is lowest at each temperature, and what closing costs or brings."""
    shifts = np.asarray(report.shifts)
    zero, half = (int(np.argmin(np.abs(shifts - place))) for place in (0.0, 0.5))
    said, gap = [], report.gap.at(zero)
    for each, curve in sorted(report.losses.items()):
        best, now = int(np.argmin(curve.values)), curve.at(zero)
        at_best = curve.at(best)
        if best == zero or report.lowest.get(each, UNKNOWN).verdict is not Verdict.LOWER:
            where = "" if best == zero else ", or nowhere that these pairs can tell from it"
            said.append(f"At temperature {each:g} the loss is lowest where the model is{where} (lowest at shift "
                        f"{shifts[best]:.3g}: {say(at_best)}; at 0: {say(now)}).")
        else:
            said.append(f"At temperature {each:g} the loss would be lower at shift {shifts[best]:.3g} "
                        f"({say(at_best)}) than where the model is ({say(now)}).")
    tau = min(report.losses) if report.losses else None
    closed = [] if tau is None else [("loss", f"the loss at temperature {tau:g}", report.losses[tau])]
    closed += [(key, f"R@1 {way}", report.retrieval[key]) for key, way in WAYS.items() if key in report.retrieval]
    if report.accuracy is not None:
        closed.append(("accuracy", "zero-shot accuracy", report.accuracy))
    what = "Closing the gap by shift ½"
    if not above_chance(gap):
        said.append(f"There is no gap to close that these pairs can show: {beside_chance(gap)}.")
        what = "Shift ½"
    return said + [_change(name, curve.at(zero), curve.at(half), report.closed.get(key, UNKNOWN), what,
                           "batches" if key == "loss" else "pairs")
                   for key, name, curve in closed]


def explained_in_words(parts: CosineParts, *, texts_only: bool = False) -> list[str]:
    """Why a cosine is what it is: its place among others, and what of it is due to the means.

    Parameters
    ----------
    parts : of an image and a text; or of two texts, which then stand among the texts.
    """
    others = "two texts of the data" if texts_only else "images with texts that are not theirs"
    above = [f"{among(parts.percentile, parts.n_unmatched)} cosines of {others}"] if parts.n_unmatched else []
    above += [f"{among(parts.percentile_matched, parts.n_matched)} cosines of pairs"] if parts.n_matched else []
    said = [f"The cosine is {parts.cosine:.2f}."]
    if above:
        said[0] += f" It is higher than {', and than '.join(above)}."
    if parts.n_unmatched < FEWEST_FOR_PERCENT:
        said.append("There are too few others to say how alike that is.")
    elif parts.percentile >= 99:
        said.append("For this model and these data that is very alike, however small the number looks.")
    elif parts.percentile >= 90:
        said.append("That is rather alike: nine in ten unrelated ones are less so.")
    elif parts.percentile >= 50:
        said.append("That is not clearly alike: many unrelated ones are as much so.")
    else:
        said.append("That is not alike, however large the number looks: most unrelated ones are more so.")
    means = parts.parts["means"]
    rest = parts.cosine - means
    whose = "the mean of the texts brings along with itself, the same for every two texts" if texts_only else \
        "the two means bring along, the same for every image and every text"
    said.append(f"{means:+.2f} of it is what {whose}; {rest:+.2f} is about these two.")
    if abs(means) > abs(rest):
        said.append("So most of the number tells of the cones, not of the two items: compare cosines with each other, "
                    "never with 1.")
    return said


def models_in_words(numbers: Mapping[str, Mapping[str, Number]],
                    changed: Mapping[str, Mapping[str, Difference]]) -> list[str]:
    """What tells models apart that were measured on the same pairs: the first against each other one.

    Parameters
    ----------
    numbers : by model, its measures by key.
    changed : by each model but the first, its measures less those of the first.
    """
    names = list(numbers)
    said = []
    for other in names[1:]:
        parts = []
        for key, what in (("centroid_gap", "gap"), ("r1_image_to_text", "R@1 image to text"),
                          ("r1_text_to_image", "R@1 text to image")):
            if key in numbers[names[0]] and key in numbers[other]:
                a, b = numbers[names[0]][key], numbers[other][key]
                verdict = {Verdict.HIGHER: "higher", Verdict.LOWER: "lower",
                           Verdict.NOT_TOLD_APART: "not told apart by these pairs",
                           Verdict.NOT_MEASURABLE: "too few pairs to tell them apart",
                           }[changed.get(other, {}).get(key, UNKNOWN).verdict]
                parts.append(f"{what} {say(b)} against {say(a)}, {verdict}")
        if parts:
            said.append(f"{other} beside {names[0]}: {'; '.join(parts)}.")
    return said
