"""What was measured while towers learnt: loss, retrieval, alignment, uniformity, gap and temperature over the steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import error_bar, framed, panels, percent, plain, share, shortened, spread
from core.geometry.uniformity import uniformity_by_chance
from core.learning.records.measuring import chance_r1
from core.learning.records.record import MEASURES, Record
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("One panel a quantity, all over the same steps; a line a run, named at its end in the first panel. R@1 is "
           "the share of images whose own text is the nearest (solid), and of texts whose own image is (dashed). "
           "Alignment is the mean squared distance of a pair, uniformity the log mean of exp(-2 d²) over pairs of one "
           "modality: lower is closer together, and more evenly spread. Dotted across: what random directions give. "
           "Dotted upright: the step looked at. Bars at the ends of finished runs: 95 % intervals over the "
           "items, of this one training; how much seeds differ is shown under “Dose and response”.")
_LONGEST, _PANEL, _NAME = 18, 98, 7.4
_LOG_FROM = 5.0


@dataclass(frozen=True)
class _Panel:
    """One quantity: its heading, its axis, and the measure drawn solid, with the one drawn dashed."""

    heading: str
    unit: str
    measure: str
    dashed: str = ""
    scale: float = 1.0


_PANELS = (
    _Panel("Loss", "nats", "loss"),
    _Panel("R@1 of images, of texts (dashed)", "%", "r1", "r1_text", 100.0),
    _Panel("Alignment", "d²", "alignment"),
    _Panel("Uniformity", "log", "uniformity"),
    _Panel("Gap", "length", "gap"),
    _Panel("Temperature", "log", "temperature"),
)


def chance(measure: str, record: Record) -> float | None:
    """What random directions give of a measure; None where that is not known."""
    if measure == "alignment":
        return 2.0
    if measure == "uniformity":
        return uniformity_by_chance(record.dim)
    if measure == "r1" and len(record.probe.links):
        return chance_r1(record.probe)
    return None


def colour(number: int, count: int, *, dark: bool = False) -> str:
    """#rrggbb of a record among so many; the same in every figure of them."""
    p = theme.palette(dark)
    return p.kinds["plain"] if count == 1 else p.categories[number % len(p.categories)]


def curves(records: Sequence[Record], *, at: int | None = None, ends: Sequence[Mapping[str, Number]] = (),
           dark: bool = False) -> go.Figure:
    """Measures over the steps, a panel each, a line a record.

    Parameters
    ----------
    records
        At least one; finished or not. Measures that none of them has get no panel.
    at
        The step looked at, marked in every panel.
    ends
        Of each record, the measures of its last step with their intervals, which are drawn there; none where empty.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of linked panels over the training step: loss (nats), R@1 (%), alignment (squared distance),
    uniformity (logarithm), gap (length), temperature; dotted lines are what random directions give.

    Raises
    ------
    ShapeError
        If there is no record.
    """
    if not records:
        raise ShapeError("at least one run", "none", "Start a run, or open a record.")
    shown = [panel for panel in _PANELS if any(_known(record, panel.measure) for record in records)] or [_PANELS[0]]
    figure = panels([panel.heading for panel in shown], gap=min(0.06, 0.36 / len(shown)), dark=dark)
    for row, panel in enumerate(shown, 1):
        for number, record in enumerate(records):
            _lines(figure, panel, record, row, colour(number, len(records), dark=dark))
            if ends:
                _end_of(figure, panel, record, ends[number], row, colour(number, len(records), dark=dark))
        _chances(figure, panel, records, row, dark)
        _axis(figure, panel, records, row)
    last = max(int(record.steps[-1]) for record in records)
    if at is not None:
        figure.add_vline(x=at, line={"color": theme.palette(dark).text, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(range=[0, max(last, 1)])
    figure.update_xaxes(title_text="training step", row=len(shown), col=1)
    framed(figure, _finding(records, ends), height=96 + _PANEL * len(shown), dark=dark, legend=False)
    if len(records) > 1:
        _names(figure, shown[0], records, last, dark)
    return figure


def _known(record: Record, measure: str) -> bool:
    return bool(np.isfinite(record.measures.get(measure, np.array([]))).any())


def _lines(figure: go.Figure, panel: _Panel, record: Record, row: int, paint: str) -> None:
    import plotly.graph_objects as go

    for measure, dash in ((panel.measure, "solid"), (panel.dashed, "dash")):
        if not measure or not _known(record, measure):
            continue
        values = panel.scale * record.measures[measure]
        there = np.isfinite(values)
        name, what = plain(shortened(record.name)), MEASURES[measure].split(",")[0]
        figure.add_trace(go.Scatter(
            x=record.steps[there], y=values[there], customdata=record.steps[there], mode="lines+markers", name=name,
            meta=measure, line={"color": paint, "width": 2 if dash == "solid" else 1.4, "dash": dash},
            marker={"color": paint, "size": 6, "opacity": 0 if there.sum() > 1 else 1}, showlegend=False,
            hovertemplate=f"{what} %{{y:.3~g}}{' %' if panel.unit == '%' else ''} at step %{{x:,}}"
                          f"<extra>{name}</extra>"), row=row, col=1)


def _end_of(figure: go.Figure, panel: _Panel, record: Record, numbers: Mapping[str, Number], row: int,
            paint: str) -> None:
    """The interval of the last step."""
    import plotly.graph_objects as go

    number = numbers.get(panel.measure)
    if number is None or number.low is None or number.high is None:
        return
    shown = percent(number) if panel.unit == "%" else number
    figure.add_trace(go.Scatter(
        x=[int(record.steps[-1])], y=[shown.value], mode="markers", showlegend=False, name=plain(record.name),
        meta=f"{panel.measure} end", cliponaxis=False, marker={"size": 6, "color": paint},
        error_y=error_bar([shown], paint),
        hovertemplate=f"%{{y:.3~g}} ({shown.low:.3g} to {shown.high:.3g}) at the end<extra></extra>"), row=row, col=1)


def _chances(figure: go.Figure, panel: _Panel, records: Sequence[Record], row: int, dark: bool) -> None:
    import plotly.graph_objects as go

    muted, last = theme.palette(dark).muted, max(int(record.steps[-1]) for record in records)
    known = {chance(panel.measure, record) for record in records if _known(record, panel.measure)}
    for value in sorted(level for level in known if level is not None):
        figure.add_trace(go.Scatter(
            x=[0, max(last, 1)], y=[panel.scale * value] * 2, mode="lines", name="by chance", meta="chance",
            showlegend=False, line={"color": muted, "width": 1.2, "dash": "dot"},
            hovertemplate="by chance %{y:.3~g}<extra></extra>"), row=row, col=1)


def _axis(figure: go.Figure, panel: _Panel, records: Sequence[Record], row: int) -> None:
    values = np.concatenate([panel.scale * record.measures[panel.measure] for record in records
                             if _known(record, panel.measure)] or [np.zeros(1)])
    values = values[np.isfinite(values)]
    figure.update_yaxes(title_text=panel.unit, nticks=4, row=row, col=1)
    if panel.unit == "%":
        figure.update_yaxes(range=[0, 103], tickvals=[0, 50, 100], row=row, col=1)
    elif panel.measure == "temperature":
        far = values.min() > 0 and values.max() / values.min() > _LOG_FROM
        if not far:
            figure.update_yaxes(title_text="no unit", rangemode="tozero", row=row, col=1)
        else:
            figure.update_yaxes(title_text="log scale", type="log", row=row, col=1)
    elif panel.measure != "uniformity":
        figure.update_yaxes(rangemode="tozero", row=row, col=1)


def _names(figure: go.Figure, panel: _Panel, records: Sequence[Record], last: int, dark: bool) -> None:
    """The name of each run at the end of its line in the first panel, none on another."""
    ends, low, high = [], math.inf, -math.inf
    for number, record in enumerate(records):
        values = record.measures.get(panel.measure, np.full(len(record), np.nan))
        there = np.flatnonzero(np.isfinite(values))
        if len(there):
            ends.append((float(values[there[-1]]), number, record))
            low, high = min(low, float(values.min(initial=math.inf, where=np.isfinite(values)))), max(
                high, float(values.max(initial=-math.inf, where=np.isfinite(values))))
    low = min(low, 0.0)
    places = spread([value for value, _, _ in ends], (high - low) / 4.5 or 1.0, low, max(high, low + 1e-9))
    for place, (_, number, record) in zip(places, ends):
        figure.add_annotation(
            text=plain(shortened(record.name, _LONGEST)), x=1, xref="x domain", xanchor="left", xshift=4,
            y=float(place), yref="y", yanchor="middle", showarrow=False,
            font={"size": theme.SMALLEST_FONT, "color": colour(number, len(records), dark=dark)})
    longest = max((len(shortened(record.name, _LONGEST)) for record in records), default=0)
    figure.update_layout(margin={"r": int(16 + _NAME * longest)})


def _finding(records: Sequence[Record], ends: Sequence[Mapping[str, Number]]) -> str:
    last = max(int(record.steps[-1]) for record in records)
    known = [one.get("r1") for one in ends] or [None] * len(records)
    values = [f"{100 * _end(record, 'r1'):.0f} %" if number is None else share(number)
              for record, number in zip(records, known)]
    if len(records) > 1:
        said = ", ".join(f"{shortened(record.name, _LONGEST)} {value}" for record, value in zip(records, values)
                         if math.isfinite(_end(record, "r1")))
        by_chance = {round(100 * (chance("r1", record) or 0)) for record in records}
        level = f", by chance {by_chance.pop()} %" if len(by_chance) == 1 else ""
        return f"R@1 of images at the end: {said}{level}" if said else f"{len(records)} runs, {last:,} steps"
    record = records[0]
    if not _known(record, "r1"):
        return f"{record.name}: {len(record):,} snapshot{'s' * (len(record) > 1)}, to step {last:,}"
    first = Number(_start(record, "r1"), n=None if known[0] is None else known[0].n)
    return (f"{shortened(record.name)}: R@1 of images {share(first).removesuffix(' %')} → {values[0]} by step {last:,} "
            f"(by chance {100 * (chance('r1', record) or 0):.0f} %, n = {len(record.probe.images):,})"
            + (f"; {record.ended}" if record.ended else ""))


def _start(record: Record, measure: str) -> float:
    values = record.measures[measure]
    return float(values[np.isfinite(values)][0])


def _end(record: Record, measure: str) -> float:
    values = record.measures.get(measure, np.array([]))
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else math.nan


def table(records: Sequence[Record]) -> pd.DataFrame:
    """One row a run and step: run, step, each measure, R@1 by chance, and how many images and texts it is of."""
    return pd.concat([pd.DataFrame({
        "run": record.name, "step": record.steps,
        **{MEASURES[key]: record.measures[key] for key in MEASURES if key in record.measures},
        "R@1 of images by chance": chance("r1", record), "images": len(record.probe.images),
        "texts": len(record.probe.texts)}) for record in records], ignore_index=True)
