"""What a dial does to what is learnt: measures over its values, with bands over seeds, on linked axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import cells, framed, panels, percent, plain, shortened, spoken, spread
from core.geometry.differences import Difference, Verdict
from core.learning.records.record import MEASURES
from core.learning.towers.doses import SHARES, DoseResponse, Level, Response
from core.learning.towers.setup import DIALS
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each small point is one training; the line is their mean over seeds, its band Student's 95 % interval of "
           "that mean. All other dials stand still, and each seed is the same at every value. Alignment alone says "
           "little: where all features draw together it falls and nothing is learnt, so read it beside uniformity.")
_PANEL, _CATEGORIES, _LETTER = 118, 26, 7.2


@dataclass(frozen=True)
class _Panel:
    heading: str
    unit: str
    measures: tuple[str, ...]


_PANELS = (
    _Panel("Right answers", "%", ("r1", "worst_class")),
    _Panel("Uniformity", "log", ("uniformity",)),
    _Panel("Alignment", "d²", ("alignment",)),
    _Panel("Gap", "length", ("gap", "gap_start")),
)
_NAMES = {"r1": "R@1", "worst_class": "worst class", "gap": "after", "gap_start": "before"}


def doses(found: DoseResponse, *, dark: bool = False) -> go.Figure:
    """Retrieval, uniformity, alignment and gap over the values of a dial.

    Parameters
    ----------
    found
        Trainings at each value of a dial.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of linked panels over the dial: shares (%), uniformity (logarithm), alignment (squared distance), gap
    (length); a point a training, a line and a band over seeds, dotted what chance gives. Values run from harmless to
    harmful; choices stand beside each other.
    """
    dial = DIALS[found.dial]
    return response(found, axis=dial.title.lower(), title=title(found), names=dial.choices, dark=dark,
                    measures=("r1", "worst_class", "uniformity", "alignment", "gap"))


def response(found: Response, *, axis: str, title: str, measures: Sequence[str],
             names: Mapping[str, str] | None = None, dark: bool = False) -> go.Figure:
    """As `doses`, of any levels.

    Parameters
    ----------
    axis : what differs between levels.
    title : the finding.
    measures : which are drawn, by name; those of one kind share a panel.
    names : of levels that are words, where they differ from them.
    """
    import plotly.graph_objects as go

    p, x = theme.palette(dark), _Across(found.levels, names or {})
    shown = [_Panel(one.heading, one.unit, tuple(m for m in one.measures if m in measures)) for one in _PANELS]
    shown = [one for one in shown if one.measures]
    figure = panels([one.heading for one in shown], gap=min(0.08, 0.3 / len(shown)), dark=dark)
    colours = {"worst_class": p.categories[1], "gap_start": p.categories[3]}
    named = False
    for row, panel in enumerate(shown, 1):
        labels: list[tuple[float, str, str]] = []
        for measure in panel.measures:
            colour = colours.get(measure, p.kinds["plain"])
            numbers = [percent(n) if measure in SHARES else n for n in found.numbers(measure)]
            for trace in _traces(found, measure, numbers, x, colour):
                figure.add_trace(trace, row=row, col=1)
            if len(panel.measures) > 1:
                labels.append((numbers[-1].value, _NAMES[measure], colour))
        null = found.numbers(panel.measures[0])
        if all(n.null is not None for n in null):
            factor = 100.0 if panel.measures[0] in SHARES else 1.0
            level = [factor * (n.null or 0.0) for n in null]
            figure.add_trace(go.Scatter(
                x=x.places, y=level, mode="lines", name="by chance", meta="chance", showlegend=False,
                line={"color": p.muted, "width": 1.2, "dash": "dot"},
                hovertemplate="by chance %{y:.3~g}<extra></extra>"), row=row, col=1)
            labels.append((level[-1], "chance after" if "gap_start" in panel.measures else "chance", p.muted))
        named |= _named(figure, row, labels, found, panel)
        figure.update_yaxes(title_text=panel.unit, nticks=5, row=row, col=1)
        if panel.unit == "%":
            figure.update_yaxes(range=[-3, 103], tickvals=[0, 50, 100], row=row, col=1)
        elif panel.measures[0] != "uniformity":
            figure.update_yaxes(rangemode="tozero", row=row, col=1)
    x.set(figure)
    figure.update_xaxes(title_text=plain(axis), row=len(shown), col=1)
    framed(figure, title, height=100 + _PANEL * len(shown) + (_CATEGORIES if x.words else 0), dark=dark, legend=False)
    if named:
        figure.update_layout(margin={"r": int(20 + _LETTER * len("chance after"))})
    return figure


class _Across:
    """Where levels stand: numbers at their place, falling ones from right to left; words evenly spaced."""

    def __init__(self, levels: Sequence[Level], names: Mapping[str, str]) -> None:
        self.words = any(isinstance(level, str) for level in levels)
        self.names = [names.get(str(level), str(level)) if self.words else f"{level:.3g}" for level in levels]
        self.places = [float(i) if self.words else float(level) for i, level in enumerate(levels)]
        self.log = not self.words and min(self.places) > 0

    def set(self, figure: go.Figure) -> None:
        low, high = min(self.places), max(self.places)
        if self.log:
            low, high = math.log10(low), math.log10(high)
        room = 0.35 if self.words else 0.04 * (high - low)
        ends = [low - room, high + room]
        falls = self.places[0] > self.places[-1]
        wrapped = [plain(shortened(name, 40), width=14) if self.words else name for name in self.names]
        figure.update_xaxes(type="log" if self.log else "linear", range=ends[::-1] if falls else ends,
                            tickvals=self.places, ticktext=wrapped, tickangle=0)


def _traces(found: Response, measure: str, numbers: list[Number], x: _Across, colour: str) -> list[go.Scatter]:
    import plotly.graph_objects as go

    values = (100.0 if measure in SHARES else 1.0) * found.values[measure]
    at = np.repeat(np.array(x.places), values.shape[1])
    what = MEASURES[measure.removesuffix("_start")].split(",")[0]
    unit = " %" if measure in SHARES else ""
    said = [f"{spoken(n)}{unit}, mean of {n.n} seeds<br>at {plain(name)}" for n, name in zip(numbers, x.names)]
    known = all(n.low is not None and n.high is not None for n in numbers)
    out = []
    if known and not x.words:
        low, high = ([float(getattr(n, end)) for n in numbers] for end in ("low", "high"))
        out.append(go.Scatter(
            x=[*x.places, *x.places[::-1]], y=[*high, *low[::-1]], mode="lines", fill="toself", hoverinfo="skip",
            line={"width": 0, "color": colour}, fillcolor=theme.rgba(colour, 0.18), showlegend=False, meta="band",
            name=f"{what}, 95 %"))
    out.append(go.Scatter(
        x=at, y=values.ravel(), mode="markers", showlegend=False, meta="runs", name=what,
        marker={"size": 5, "color": theme.rgba(colour, 0.45)}, text=[f"seed {s}" for s in found.seeds] * len(x.places),
        hovertemplate=f"{what} %{{y:.3~g}}{unit}, %{{text}}<extra></extra>"))
    bars: dict[str, object] = {}
    if x.words and known:
        bars = {"error_y": {"type": "data", "symmetric": False, "thickness": 1.6, "width": 5, "color": colour,
                            "array": [(n.high or 0) - n.value for n in numbers],
                            "arrayminus": [n.value - (n.low or 0) for n in numbers]}}
    out.append(go.Scatter(
        x=x.places, y=[n.value for n in numbers], mode="markers" if x.words else "lines+markers", meta=measure,
        showlegend=False, name=what, line={"color": colour, "width": 2.2, "dash": _dash(measure)},
        marker={"size": 9 if x.words else 6, "color": colour}, text=said,
        hovertemplate=f"{what} %{{text}}<extra></extra>", **bars))
    return out


def _dash(measure: str) -> str:
    return "dash" if measure in ("worst_class", "gap_start") else "solid"


def _named(figure: go.Figure, row: int, labels: list[tuple[float, str, str]], found: Response, panel: _Panel) -> bool:
    """Lines of a panel named at their right ends, none on another; whether there is anything to name."""
    labels = [label for label in labels if math.isfinite(label[0])]
    if not labels:
        return False
    if panel.unit == "%":
        low, high = 0.0, 100.0
    else:
        values = np.concatenate([found.values[m].ravel() for m in panel.measures])
        low, high = 0.0, float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
    places = spread([value for value, _, _ in labels], 0.19 * (high - low), low, max(high, low + 1e-9))
    number = "" if row == 1 else str(row)
    for place, (_, name, colour) in zip(places, labels):
        figure.add_annotation(text=name, x=1, xref=f"x{number} domain", xanchor="left", xshift=4, y=float(place),
                              yref=f"y{number}", yanchor="middle", showarrow=False,
                              font={"size": theme.SMALLEST_FONT, "color": colour})
    return True


def title(found: DoseResponse) -> str:
    """What the dial does to R@1, from its first to its last value, or of each choice beside the first."""
    dial, numbers = DIALS[found.dial], [percent(number) for number in found.numbers("r1")]
    chance = "" if numbers[0].null is None else f", by chance {numbers[0].null:.0f} %"
    count = f"{len(found.seeds)} seeds{_unfinished(found)}"
    if not found.choices:
        first, last = found.levels[0], found.levels[-1]
        return (f"{dial.title} {first:.3g} → {last:.3g}: R@1 {numbers[0].value:.0f} → {numbers[-1].value:.0f} %, "
                f"{change(found.differences['r1'], points)}{chance}; {count}")
    named = dial.choices or {}
    told = ", ".join(f"{named[str(level)]} {number.value:.0f} %" for level, number in zip(found.levels, numbers))
    apart = [f"{named[str(level)]} {change(one, points)}" for level, one in found.against_first("r1").items()]
    return f"{dial.title}: R@1 {told}{chance}. Against the first: {'; '.join(apart)}; {count}"


def change(difference: Difference, said: Callable[[Number], str]) -> str:
    """A difference in words, with its verdict where it is none."""
    if difference.verdict is Verdict.NOT_MEASURABLE:
        return "a change that cannot be measured"
    told = said(difference.change)
    return f"{told}, not told apart" if difference.verdict is Verdict.NOT_TOLD_APART else told


def points(number: Number) -> str:
    """A difference of shares in percentage points with its interval."""
    low, high = (None if v is None else 100 * v for v in (number.low, number.high))
    interval = "" if low is None or high is None else f" ({low:+.0f} to {high:+.0f})"
    return f"{100 * number.value:+.0f} points{interval}"


def _unfinished(found: Response) -> str:
    n = found.unfinished
    return "" if not n else f"; {n} of {len(found.table)} trainings diverged and are left out"


def doses_table(found: Response) -> pd.DataFrame:
    """One row a level and measure: mean over seeds with its interval, chance, and how many seeds went to the end."""
    rows = []
    for measure in ("r1", "r1_text", "worst_class", "uniformity", "alignment", "gap", "gap_start"):
        for level, number in zip(found.levels, found.numbers(measure)):
            unit = MEASURES[measure.removesuffix("_start")] + (", before training" if "_start" in measure else "")
            rows.append({"level": level, "measure": unit, **cells("mean", number), "seeds": number.n})
    return pd.DataFrame(rows)


def differences_table(found: DoseResponse) -> pd.DataFrame:
    """One row a measure (and choice): the last value less the first, or each choice less the first, paired over seeds.
    """
    rows: list[tuple[str, str, Difference]] = []
    if found.choices:
        named = DIALS[found.dial].choices or {}
        rows += [(measure, f"{named[str(level)]} less {named[str(found.levels[0])]}", one) for measure in
                 found.differences for level, one in found.against_first(measure).items()]
    else:
        rows += [(measure, f"{found.levels[-1]:.3g} less {found.levels[0]:.3g}", one)
                 for measure, one in found.differences.items()]
    return pd.DataFrame([{"measure": MEASURES[measure], "compared": what, "change": one.change.value,
                          "low": one.change.low, "high": one.change.high, "p (Holm)": one.p,
                          "verdict": one.verdict.value, "seeds": one.change.n} for measure, what, one in rows])
