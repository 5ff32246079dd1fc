"""How a path moves with other signals of its film: correlations beside what shifts give, and one pair as points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import check_choice
from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.differences import Verdict
from core.geometry.films.correlation import Correlation, CorrelationReport
from core.geometry.samples import spread_sample

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("A dot is the rank correlation of speed or turning with a signal of the same frames; the bar is the "
           "central 95 % of what is found when the signal is shifted in time, which keeps everything but when it "
           "happens. Filled dots differ from 0 at 5 % (two-sided, corrected for all pairs by Holm). No bar: fewer "
           "than 20 shifts go beyond the memory of the two, so that chance cannot be told; a longer film would help. "
           "There are no intervals: in simulations they missed the truth too often.")
MOST_POINTS = 4000


def correlations(report: CorrelationReport, *, dark: bool = False) -> go.Figure:
    """All correlations beside their nulls.

    Returns
    -------
    plotly Figure: Spearman's correlation (-1 to 1) against the signals; one colour a measure, the null as a bar.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    names = list(report.signals)
    apart = 0.3
    for k, measure in enumerate(report.measures):
        colour = (p.kinds["image"], p.kinds["text"], *p.categories)[k]
        place = np.arange(len(names))[::-1] + (0.5 * (len(report.measures) - 1) - k) * apart
        own = [report.table[measure, name] for name in names]
        bars = [(at, c) for at, c in zip(place.tolist(), own) if c.p is not None]
        figure.add_trace(go.Scatter(
            x=[v for _, c in bars for v in (c.low, c.high, None)], y=[v for at, _ in bars for v in (at, at, None)],
            mode="lines", line={"width": 8, "color": p.unselected}, hoverinfo="skip", showlegend=not k,
            name="the same, shifted in time (95 %)"))
        figure.add_trace(go.Scatter(
            x=[c.number.value for c in own], y=place, mode="markers", name=measure, customdata=names,
            hovertext=[plain(c.words, width=50) for c in own], hovertemplate="%{hovertext}<extra></extra>",
            marker={"size": 10, "color": colour, "line": {"width": 2, "color": colour},
                    "symbol": ["circle" if _differs(c) else "circle-open" for c in own]}))
    figure.update_xaxes(title_text="rank correlation (Spearman)", range=[-1.02, 1.02], zeroline=True,
                        zerolinecolor=p.muted)
    figure.update_yaxes(tickvals=list(range(len(names)))[::-1], ticktext=[plain(shortened(name, 28)) for name in names],
                        range=[-0.6, len(names) - 0.4], showgrid=False)
    return framed(figure, _finding(report), height=120 + 60 * len(names), dark=dark)


def scatter(report: CorrelationReport, measure: str, signal: str, *, dark: bool = False) -> go.Figure:
    """One measure against one signal, a point a frame; ``customdata`` is the frame.

    Returns
    -------
    plotly Figure: the signal against the measure, coloured by time (s). Of more than 4,000 frames a part is drawn.

    Raises
    ------
    ChoiceError
        If there is no such measure or signal.
    """
    import plotly.graph_objects as go

    check_choice("a measure", measure, report.measures)
    check_choice("a signal", signal, report.signals)
    x, y = report.signals[signal], report.measures[measure]
    frames = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(frames) > MOST_POINTS:
        frames = np.sort(frames[spread_sample(np.stack([_ranked(x[frames]), _ranked(y[frames])], axis=1), MOST_POINTS)])
    figure = go.Figure(go.Scatter(
        x=x[frames], y=y[frames], mode="markers", customdata=frames, showlegend=False,
        hovertemplate="%{y:.3~g} at %{x:.3~g}<br>frame %{customdata}<extra></extra>",
        marker={"size": 6, "opacity": 0.75, "color": report.times[frames], "colorscale": theme.colorscale(dark),
                "showscale": True, "colorbar": {"title": {"text": "time (s)"}, "thickness": 12}}))
    figure.update_xaxes(title_text=plain(shortened(signal)))
    figure.update_yaxes(title_text={"speed": "speed (degrees/s)", "turning": "turning (degrees)"}.get(measure, measure))
    found = report.table[measure, signal]
    title = f"{found.words[:1].upper()}{found.words[1:]}, {found.number.n:,} frames"
    return framed(figure, title, height=430, dark=dark, legend=False)


def _ranked(values: np.ndarray) -> np.ndarray:
    return values.argsort().argsort().astype(np.float64)


def _differs(test: Correlation) -> bool:
    return test.difference.verdict in (Verdict.HIGHER, Verdict.LOWER)


def _finding(report: CorrelationReport) -> str:
    name, told = shortened(report.name) or "The path", [c for c in report.table.values() if c.p is not None]
    differ = sorted((c for c in told if _differs(c)), key=lambda c: -abs(c.number.value))
    if differ:
        more = f"; {len(differ) - 2} more pairs move together" if len(differ) > 2 else ""
        return f"{name}: {'; '.join(c.words for c in differ[:2])}{more} (of {len(told)} that can be told)"
    if told:
        least = min(c.p for c in told if c.p is not None)
        return f"{name}: none of {len(told)} pairs is told to move together (smallest p {least:.2f}, Holm)"
    return f"{name}: no pair can be told from chance: too few shifts of {len(report.times):,} frames"


def table(report: CorrelationReport) -> pd.DataFrame:
    """One row a pair: correlation, the null's central 95 %, p after Holm, frames, lag, shifts, words."""
    return pd.DataFrame([{
        "measure": c.measure, "signal": c.signal, "Spearman": c.number.value, "null low": c.low, "null high": c.high,
        "p (Holm)": math.nan if c.p is None else c.p, "frames": c.number.n, "lag (frames)": c.lag,
        "shifts": c.shifts, "as good as independent": c.freedom, "says": c.words} for c in report.table.values()])
