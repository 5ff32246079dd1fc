"""What the numbers of the Modality Gap page say, in sentences that are made from the numbers alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from core.geometry.curves import Curve
from core.geometry.differences import Difference, Verdict
from core.geometry.gap.reports import CosineHistograms, CosineParts, Landscape
from core.types import Number

CLOSED = 0.15
WAYS = {"r1_image_to_text": "image to text", "r1_text_to_image": "text to image"}


def say(number: Number, digits: int = 2) -> str:
    """A number with its interval: "0.55 (0.51 to 0.60)"."""
    if number.low is None or number.high is None:
        return f"{number.value:.{digits}f}"
    return f"{number.value:.{digits}f} ({number.low:.{digits}f} to {number.high:.{digits}f})"


UNKNOWN = Difference(Number(math.nan), None)


def chance(p: float) -> str:
    """A p-value: "p 0.03", "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p {p:.2g}"


def cosines_in_words(report: CosineHistograms) -> list[str]:
    """Whether two clouds lie apart, and what is left for retrieval."""
    means = report.means
    inside = min(means["images"], means["texts"])
    across, pair = means.get("unmatched", math.nan), means.get("matched", math.nan)
    said = [f"Two images have a mean cosine of {means['images']:.2f}, two texts {means['texts']:.2f}"]
    if not math.isnan(pair):
        said[0] += f", an image and its own text {pair:.2f}"
    if not math.isnan(across):
        said[0] += f", an image and another text {across:.2f}"
    said[0] += "."
    if pair < inside:
        said.append("So any two images, and any two texts, are more alike to this model than an image and its own "
                    "text: that is the gap.")
    elif across < inside:
        reach = "Pairs reach across, but in" if not math.isnan(pair) else "In"
        said.append(f"{reach} general an image and a text are less alike than two images or two texts: two clouds with "
                    f"a gap between them.")
    else:
        said.append("An image and a text are as alike as two images or two texts: no gap is seen in these cosines.")
    if pair > across:
        said.append(f"Retrieval lives on the lead of pairs over others, {pair:.2f} against {across:.2f}; an offset "
                    f"that all cosines across share changes no ranking.")
    elif pair <= across:
        said.append(f"Pairs are no more alike than others ({pair:.2f} against {across:.2f}): this model does not know "
                    f"which image belongs to which text.")
    return said


def cones_in_words(trained: CosineHistograms, untrained: CosineHistograms, after: Mapping[str, Number],
                   before: Mapping[str, Number], changed: Mapping[str, Difference]) -> list[str]:
    """How narrow the cones are before training, and what training did to them and to the gap."""
    said = []
    for kind in ("images", "texts"):
        early, late = untrained.means[kind], trained.means[kind]
        shape = "a narrow cone" if early > 0.5 else "a wide cone" if early > 0.1 else "no cone"
        change = "training opens it" if late < early - 0.05 else "training narrows it" if late > early + 0.05 else \
            "training leaves it as wide"
        said.append(f"Untrained, two {kind} have a mean cosine of {early:.2f}: {shape}; {change} (trained {late:.2f}).")
    if "centroid_gap" in after and "centroid_gap" in before:
        a, b = before["centroid_gap"], after["centroid_gap"]
        verdict = {Verdict.HIGHER: "training has widened it", Verdict.LOWER: "training has narrowed it",
                   Verdict.NOT_TOLD_APART: "these pairs do not tell it from that after training",
                   Verdict.NOT_MEASURABLE: "whether training changed it cannot be measured here",
                   }[changed.get("centroid_gap", UNKNOWN).verdict]
        there = "is there before any training" if a.low is not None and a.null is not None and a.low > a.null else \
            "is not there before training, as far as these pairs can tell"
        said.append(f"The gap {there}: {say(a)}, by chance {a.null or 0:.2f}; {verdict}: {say(b)}.")
    said.append("Random weights of one seed: another seed puts the cones elsewhere, of about the same width.")
    return said


def training_in_words(steps: np.ndarray, curves: Mapping[str, Sequence[Curve]], changed: Difference) -> list[str]:
    """How the gap goes over a training, and when retrieval comes."""
    gap = next(c for of_panel in curves.values() for c in of_panel if c.title == "Gap")
    first, last = _at(gap, 0), _at(gap, len(gap.values) - 1)
    widest, narrowest = (int(pick(gap.values)) for pick in (np.argmax, np.argmin))
    change = {Verdict.HIGHER: "wider than before training", Verdict.LOWER: "narrower than before training",
              Verdict.NOT_TOLD_APART: "not told apart from before training",
              Verdict.NOT_MEASURABLE: "too few pairs to compare with before training"}[changed.verdict]
    said = [f"The gap is {say(first)} before training and {say(last)} after {steps[-1]:,} steps, {change}. It is "
            f"narrowest at step {steps[narrowest]:,} ({gap.values[narrowest]:.2f}) and widest at step "
            f"{steps[widest]:,} ({gap.values[widest]:.2f})."]
    known = [c for of_panel in curves.values() for c in of_panel if c.title == "Image to text"]
    if known and known[0].values.max() >= 0.5:
        half = int(np.argmax(known[0].values >= 0.5))
        left = known[0].values[-1], last.value
        said.append(f"Half of the images find their own text from step {steps[half]:,} on, when the gap is "
                    f"{gap.values[half]:.2f}; at the end {left[0]:.2f} do, and the gap is {left[1]:.2f}: "
                    + ("retrieval does not need a closed gap." if left[1] > CLOSED else "the gap has all but closed."))
    warm = [c for of_panel in curves.values() for c in of_panel if c.title == "Temperature"]
    if warm:
        said.append(f"The temperature goes from {warm[0].values[0]:.3g} to {warm[0].values[-1]:.3g}: at a low one the "
                    f"loss looks at the nearest rivals alone, and an offset that all share costs it nothing.")
    return said


def _at(curve: Curve, i: int) -> Number:
    low = None if curve.low is None else float(curve.low[i])
    high = None if curve.high is None else float(curve.high[i])
    return Number(float(curve.values[i]), low, high, None if curve.null is None else float(curve.null[i]))


def _change(name: str, a: Number, b: Number, difference: Difference, items: str = "pairs") -> str:
    """From a to b, and whether these pairs can tell the two apart."""
    verdict = {Verdict.HIGHER: "a rise", Verdict.LOWER: "a fall",
               Verdict.NOT_TOLD_APART: "these pairs do not tell the two apart",
               Verdict.NOT_MEASURABLE: f"too few {items} to tell the two apart"}[difference.verdict]
    told = "" if difference.p is None else f", {chance(difference.p)}"
    return f"Closing the gap by shift ½ takes {name} from {say(a)} to {say(b)}: {verdict}{told}."


def landscape_in_words(report: Landscape) -> list[str]:
    """Where the loss is lowest at each temperature, and what closing costs or brings."""
    shifts = np.asarray(report.shifts)
    zero, half = (int(np.argmin(np.abs(shifts - place))) for place in (0.0, 0.5))
    said = []
    for each, curve in sorted(report.losses.items()):
        best, now = int(np.argmin(curve.values)), _at(curve, zero)
        at_best = _at(curve, best)
        if best == zero or report.lowest.get(each, UNKNOWN).verdict is not Verdict.LOWER:
            where = "" if best == zero else ", or nowhere that these pairs can tell from it"
            said.append(f"At temperature {each:g} the loss is lowest where the model is{where} (lowest at shift "
                        f"{shifts[best]:.3g}: {at_best.value:.3g}; at 0: {now.value:.3g}).")
        else:
            said.append(f"At temperature {each:g} the loss would be lower at shift {shifts[best]:.3g} "
                        f"({say(at_best)}) than where the model is ({say(now)}): this temperature asks for another "
                        f"gap.")
    tau = min(report.losses) if report.losses else None
    closed = [] if tau is None else [("loss", f"the loss at temperature {tau:g}", report.losses[tau])]
    closed += [(key, f"R@1 {way}", report.retrieval[key]) for key, way in WAYS.items() if key in report.retrieval]
    if report.accuracy is not None:
        closed.append(("accuracy", "zero-shot accuracy", report.accuracy))
    return said + [_change(name, _at(curve, zero), _at(curve, half), report.closed.get(key, UNKNOWN),
                           "batches" if key == "loss" else "pairs")
                   for key, name, curve in closed]


def explained_in_words(parts: CosineParts, *, texts_only: bool = False) -> list[str]:
    """Why a cosine is what it is: its place among others, and what of it is due to the means.

    Parameters
    ----------
    parts : of an image and a text; or of two texts, which then stand among the texts.
    """
    others = "two texts of the data" if texts_only else "images with texts that are not theirs"
    said = [f"The cosine is {parts.cosine:.3f}. It is higher than {parts.percentile:.1f} % of {parts.n_unmatched:,} "
            f"cosines of {others}"]
    if parts.n_matched and not math.isnan(parts.percentile_matched):
        said[0] += f", and than {parts.percentile_matched:.1f} % of {parts.n_matched:,} cosines of pairs"
    said[0] += "."
    if parts.percentile >= 99:
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
    said.append(f"{means:+.3f} of it is what {whose}; {rest:+.3f} is about these two.")
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
