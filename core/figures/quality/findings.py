"""The scores of a finding with its threshold and the same scores by chance: one figure for all findings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, share, shortened
from core.geometry.quality.finding import Finding

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each bar counts the items whose score lies there; those in colour are flagged. A line, where there is one, "
           "is the scores of as many items of what it is named after. Click a bar to move the threshold to it.")
_BINS = 48
_LOG_FROM = 100
_MUCH_WIDER = 3.0
_NOUNS = {"image": ("image", "images"), "text": ("caption", "captions")}


def histogram(finding: Finding, threshold: float | None = None, *, name: str = "", dark: bool = False) -> go.Figure:
    """How many items have which score.

    Parameters
    ----------
    finding
        Of images or texts.
    threshold
        Where items are flagged from; the proposed one where None.
    name
        What is flagged, such as "Copies", before the title.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: score against items, on a logarithmic axis where a bar holds 100 or more; a step line for the
    scores by chance, as many as there are items. The threshold, a dashed line, is the edge of a bin, and
    ``customdata`` of a bar is the threshold that flags it and all that are worse.
    """
    import plotly.graph_objects as go

    p, at = theme.palette(dark), finding.threshold if threshold is None else float(threshold)
    table = histogram_table(finding, at)
    one, many = _NOUNS[finding.of]
    figure = go.Figure()
    by_log = len(table) and table["items"].max() >= _LOG_FROM
    for flagged, which, colour in ((False, "not flagged", p.unselected), (True, "flagged", p.kinds[finding.of])):
        part = table[table["flagged"] == flagged]
        if not len(part):
            continue
        said = [f"{a} to {b}<br>{n:,} {one if n == 1 else many}" for a, b, n in
                zip(_told(part["from"]), _told(part["to"]), part["items"])]
        figure.add_trace(go.Bar(
            x=(part["from"] + part["to"]) / 2, y=part["items"], width=part["to"] - part["from"], name=which,
            customdata=part["threshold"], hovertext=said, hovertemplate="%{hovertext}<extra></extra>",
            marker={"color": colour, "line": {"color": p.background, "width": 1}}))
    if "by chance" in table:
        edges = np.append(table["from"], table["to"].iloc[-1:])
        expected = np.append(table["by chance"], table["by chance"].iloc[-1:]).astype(float)
        expected[expected <= 0] = math.nan if by_log else 0.0
        figure.add_trace(go.Scatter(
            x=edges, y=expected, mode="lines", line={"color": p.text, "width": 1.6, "shape": "hv"},
            name=plain(shortened(_chance(finding), 60)),
            hovertemplate=f"%{{y:,.1f}} of {plain(shortened(_chance(finding), 60))}<extra></extra>"))
    figure.add_vline(x=at, line={"color": p.text, "width": 1.6, "dash": "dash"})
    figure.update_xaxes(title_text=plain(finding.unit), showgrid=False)
    figure.update_yaxes(title_text=f"{many} (logarithmic)" if by_log else many, type="log" if by_log else "linear",
                        rangemode="tozero")
    if by_log:
        figure.update_yaxes(range=[math.log10(0.6), math.log10(1.4 * table["items"].max())], dtick=1)
    figure.update_layout(barmode="overlay", bargap=0)
    return framed(figure, title(finding, at, name), height=300, dark=dark)


def title(finding: Finding, threshold: float | None = None, name: str = "") -> str:
    """What is flagged at a threshold, in words and numbers, beside the share of what stands for chance."""
    at = finding.threshold if threshold is None else threshold
    one, many = _NOUNS[finding.of]
    measured = int((~np.isnan(finding.scores)).sum())
    if not measured:
        return f"No {one} has a score"
    number, flagged = finding.share(at), len(finding.flagged(at))
    said, n = share(number), number.n or measured
    told = "" if said.endswith(f"of {n:,}") else f", {said},"
    side = "or more" if finding.worse == "high" else "or less"
    null = "" if number.null is None else \
        f"; of {_chance(finding)}: {100 * number.null:.{1 if number.null else 0}f} %"
    return f"{name + ': ' if name else ''}{flagged:,} of {n:,} {many}{told} have {at:.3g} {side}{null}"


def _chance(finding: Finding) -> str:
    return finding.chance or "what chance gives"


def histogram_table(finding: Finding, threshold: float | None = None) -> pd.DataFrame:
    """One row a bin: from, to, items, those expected by chance, whether flagged, the threshold that flags it."""
    at = finding.threshold if threshold is None else float(threshold)
    scores = finding.scores[~np.isnan(finding.scores)].astype(np.float64)
    chance = finding.by_chance[~np.isnan(finding.by_chance)].astype(np.float64)
    if not len(scores):
        return pd.DataFrame({"from": [], "to": [], "items": [], "flagged": [], "threshold": []})
    step = _step(scores, at)
    bins, by_chance = _bins(finding, scores, at, step), _bins(finding, chance, at, step)
    low, high = bins.min(), bins.max()
    if len(by_chance):
        room = max(int(_MUCH_WIDER * (high - low + 1)), _BINS)
        low, high = max(min(low, by_chance.min()), high - room), min(max(high, by_chance.max()), low + room)
    numbers = np.arange(low, high + 1)
    flagged = numbers >= 0 if finding.worse == "high" else numbers < 0
    edges = at + step * np.arange(low, high + 2)
    table = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "items": np.bincount(bins - low, minlength=len(numbers)),
                          "flagged": flagged, "threshold": edges[:-1] if finding.worse == "high" else edges[1:]})
    if len(by_chance):
        inside = by_chance[(by_chance >= low) & (by_chance <= high)]
        counts = np.bincount(inside - low, minlength=len(numbers))
        table.insert(3, "by chance", counts * (finding.share(at).n or 0) / len(finding.by_chance))
    return table


def _step(scores: np.ndarray, at: float) -> float:
    """Width of a bin: a 48th of the range of the scores, and of the threshold where it lies near, as a round number."""
    low, high = scores.min(), scores.max()
    near = low - (high - low) <= at <= high + (high - low)
    wide = max(high, at) - min(low, at) if near else high - low
    if wide <= 0:
        return max(abs(at - high), 1e-3) / 4
    raw = wide / _BINS
    size = 10.0 ** math.floor(math.log10(raw))
    return size * next(s for s in (1, 2, 2.5, 5, 10) if s * size >= raw * (1 - 1e-9))


def _bins(finding: Finding, scores: np.ndarray, at: float, step: float) -> np.ndarray:
    """Which bin each score is in, counted from the threshold: 0 and more on its right, -1 and less on its left."""
    if not len(scores):
        return np.zeros(0, np.int64)
    beyond = finding.beyond(scores.astype(finding.scores.dtype), at)
    if finding.worse == "high":
        number = np.floor((scores - at) / step)
        number = np.where(beyond, np.maximum(number, 0), np.minimum(number, -1))
    else:
        number = np.ceil((scores - at) / step) - 1
        number = np.where(beyond, np.minimum(number, -1), np.maximum(number, 0))
    return np.clip(number, -10_000, 10_000).astype(np.int64)


def _told(values: pd.Series) -> list[str]:
    return [f"{value:.4g}" for value in values]
