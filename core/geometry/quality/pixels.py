"""Low-quality pictures: what is measured of each, and which are bad and unlike their set, as findings.

One rule gives every threshold. It lies `SPREADS` robust standard deviations from the median of the set, taken from the
better half alone so that bad pictures do not widen it. It is never short of a bound where a picture is good in any set,
and never beyond one where it is bad, unless the median of the set lies about there too: then that is how the set looks,
and only pictures of which nothing can be seen are flagged whatever their set.

References
----------
cleanvision 0.3.7, issue_managers/image_property.py: brightness, its 99th percentile for dark pictures with the bound
.32, aspect .35, size by its distance from the middle of the set.
Hasler and Suesstrunk, Measuring colourfulness in natural images, SPIE 2003.
Zhuo and Sim, Defocus map estimation from a single image, Pattern Recognition 44, 2011.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.geometry.quality.finding import Finding
from core.types import Refusal

SIDE = 256
SPREADS = 3.5
FEWEST = 8
NUMBERS = ("width", "height", "edges", "brightness", "highlights", "contrast", "colourfulness")
_TO_DEVIATION = 1.4826
_DRAWN = 2_000
_TOLD_WITH_SIZE = ("blur", "odd_size", "odd_aspect")


@dataclass(frozen=True, eq=False)
class Measures:
    """What is measured of each picture, without a model; NaN where it cannot be told.

    All but the size is measured on a picture of at most `SIDE` px a side, which is about what a model sees.

    Attributes
    ----------
    ids : n strings.
    width, height : (n,) float32, of the upright picture as it was brought, px.
    edges : (n,) float32, how wide the sharpest edges are: the standard deviation of the Gaussian that makes a step as
        soft, in px of a picture that is brought to `SIDE` px a side, also where it was smaller; of horizontal and
        vertical ones the wider; NaN where there is no edge.
    brightness, highlights : (n,) float32 in [0, 1], mean and 99th percentile of sqrt(.241 R^2 + .691 G^2 + .068 B^2).
    contrast : (n,) float32 in [0, 1], 99th less 1st percentile of it.
    colourfulness : (n,) float32, M of Hasler and Suesstrunk: 0 grey, 33 moderately, 109 extremely colourful.
    refused : what could not be read, with the reason; its row is NaN throughout.
    """

    ids: tuple[str, ...]
    width: np.ndarray
    height: np.ndarray
    edges: np.ndarray
    brightness: np.ndarray
    highlights: np.ndarray
    contrast: np.ndarray
    colourfulness: np.ndarray
    refused: tuple[Refusal, ...] = ()

    def __post_init__(self) -> None:
        for name in NUMBERS:
            shape = getattr(self, name).shape
            if shape != (len(self.ids),):
                raise ShapeError(f"{len(self.ids)} numbers of {name}, one a picture", f"shape {shape}")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int] | np.ndarray) -> Measures:
        """The measures of some pictures, in this order; what was refused stays told."""
        chosen = np.asarray(rows, dtype=np.int64)
        columns = {name: getattr(self, name)[chosen] for name in NUMBERS}
        return Measures(tuple(self.ids[i] for i in chosen), **columns, refused=self.refused)


class Rule(NamedTuple):
    """How a threshold is set: good as far as ``good`` in any set, bad from ``bad``, nothing to be seen at ``nothing``.

    ``least`` is the smallest distance of a threshold from the median, so that a set of equal pictures flags none, and
    ``most`` the largest, for sets of which almost half are bad; ``ratio`` says that distances are ratios.
    """

    worse: Literal["high", "low"]
    good: float
    bad: float
    nothing: float
    least: float
    ratio: bool
    unit: str
    most: float = inf


RULES: Mapping[str, Rule] = {
    "blur": Rule("high", 1.5, 6, inf, 1.5, True, f"width of the sharpest edges, px at {SIDE} px a side", 3),
    "dark": Rule("low", .5, .32, .02, .1, False, "brightness of the brightest 1 %, 0 black to 1 white"),
    "bright": Rule("high", .8, .9, .99, .05, False, "mean brightness, 0 black to 1 white"),
    "low_information": Rule("low", .35, .15, .02, .1, False, "contrast: brightest 1 % less darkest 1 %, 0 to 1"),
    "grey": Rule("low", 8, 4, -inf, 4, False, "colourfulness (Hasler and Suesstrunk), 0 grey, 33 moderate"),
    "odd_size": Rule("high", 1, 4, inf, 1, False, "distance from the usual size, octaves of the side"),
    "odd_aspect": Rule("high", 1 / .35, 8, inf, 1.5, True, "longer over shorter side"),
}


def findings_of(measures: Measures) -> dict[str, Finding]:
    """What may be wrong with pictures, each picture relative to the others.

    Parameters
    ----------
    measures : of n pictures; those that could not be read are NaN and never flagged.

    Returns
    -------
    A finding of images for each key of `RULES`. Of "blur" the scores by chance are those of a set without blurred
    pictures: log-normal, with the median and the spread of the sharper half. A picture much smaller than the others
    has no fine detail either, and counts as blurred; its size stands beside it.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        log_side = (np.log2(measures.width) + np.log2(measures.height)) / 2
        ratio = np.maximum(measures.width, measures.height) / np.minimum(measures.width, measures.height)
    known = log_side[np.isfinite(log_side)]
    usual = float(np.median(known)) if len(known) else 0.0
    scores = {"blur": measures.edges, "dark": measures.highlights, "bright": measures.brightness,
              "low_information": measures.contrast, "grey": measures.colourfulness,
              "odd_size": np.abs(log_side - usual), "odd_aspect": ratio}
    sizes = tuple("" if np.isnan(w) else f"{w:.0f} x {h:.0f} px"
                  for w, h in zip(measures.width.tolist(), measures.height.tolist(), strict=True))
    return {key: _finding(key, scores[key].astype(np.float32), sizes if key in _TOLD_WITH_SIZE else ())
            for key in RULES}


def measures_table(measures: Measures) -> pd.DataFrame:
    """One row a picture: id, the measures with their units in the names, and why it was refused ("" where it was not).

    Returns
    -------
    DataFrame with n rows; columns id, width_px, height_px, edges_px, brightness, highlights, contrast, colourfulness,
    refused.
    """
    reasons = {refusal.name: refusal.reason for refusal in measures.refused}
    columns = {name + ("_px" if name in ("width", "height", "edges") else ""): getattr(measures, name)
               for name in NUMBERS}
    return pd.DataFrame({"id": measures.ids, **columns, "refused": [reasons.get(i, "") for i in measures.ids]})


def _finding(key: str, scores: np.ndarray, evidence: tuple[str, ...]) -> Finding:
    rule = RULES[key]
    known = scores[~np.isnan(scores)].astype(np.float64)
    chance = np.zeros(0, np.float32)
    threshold = rule.bad
    if len(known) >= FEWEST:
        threshold, middle, spread = _threshold(known, rule)
        if key == "blur":
            chance = _log_normal(middle, spread)
    return Finding(key, "image", scores, rule.worse, threshold, rule.unit, chance,
                   "a set as sharp as the sharper half of this one, log-normal" if len(chance) else "",
                   evidence=evidence)


def _threshold(known: np.ndarray, rule: Rule) -> tuple[float, float, float]:
    """Threshold for scores, and median and robust standard deviation of the scores or, for ratios, their logarithms."""
    sign = 1 if rule.worse == "high" else -1
    scale = np.log if rule.ratio else np.asarray
    worse, good, bad, nothing = (sign * scale(x) for x in (known, rule.good, rule.bad, rule.nothing))
    middle = np.median(worse)
    spread = _TO_DEVIATION * np.median(middle - worse[worse <= middle])
    least, most = scale(rule.least), scale(rule.most)
    last = bad if middle + least <= bad else nothing
    at = sign * np.clip(middle + np.clip(SPREADS * spread, least, most), good, last)
    return float(np.exp(at) if rule.ratio else at), float(sign * middle), float(spread)


def _log_normal(middle: float, spread: float) -> np.ndarray:
    """(k,) float32, evenly spaced quantiles."""
    from scipy.special import ndtri

    return np.exp(middle + spread * ndtri((np.arange(_DRAWN) + .5) / _DRAWN)).astype(np.float32)
