"""How often a left-out view is told right, over the views that are fitted and over the rank of the subspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, line, percent
from core.geometry.differences import Verdict
from core.geometry.objects.reports import RecognitionReport

if TYPE_CHECKING:
    import plotly.graph_objects as go


def by_views(report: RecognitionReport, *, dark: bool = False) -> go.Figure:
    """Recognition over the number of fitted views, a curve a method, with 95 % bands; chance dotted.

    Returns
    -------
    plotly Figure: fitted views of each object (logarithmic) against left-out views told right (%), from 5 points below
    the lowest band.
    """
    figure, p = _figure(report, dark)
    colours = {"subspace": p.kinds["image"], "mean": p.kinds["text"], "nearest": p.categories[4],
               "zero_shot": p.kinds["prompt"]}
    for key, curve in report.by_views.items():
        line(figure, report.n_views, curve, colours[key], report.titles[key], None, as_percent=True, dots=True)
    _chance(figure, report.n_views, report, dark)
    _logarithmic(figure, report.n_views)
    figure.update_xaxes(title_text="fitted views of each object")
    return framed(figure, _finding(report), height=430, dark=dark)


def by_rank(report: RecognitionReport, *, dark: bool = False) -> go.Figure:
    """Recognition by the subspace over its rank, for few and for many fitted views.

    Returns
    -------
    plotly Figure: rank (logarithmic) against left-out views told right (%), with 95 % bands; the nearest mean of the
    most views as a dashed line, chance dotted.
    """
    import plotly.graph_objects as go

    figure, p = _figure(report, dark)
    for (n, curve), colour in zip(report.by_rank.items(), (p.categories[3], p.kinds["image"])):
        line(figure, report.ranks, curve, colour, f"subspace of {n} views", None, as_percent=True, dots=True)
    most = int(report.n_views.max())
    mean = report.numbers["mean"][most].value
    figure.add_trace(go.Scatter(
        x=report.ranks[[0, -1]], y=[100 * mean] * 2, mode="lines", name=f"nearest mean of {most} views",
        hoverinfo="skip", line={"color": p.kinds["text"], "width": 1.8, "dash": "dash"}))
    _chance(figure, report.ranks, report, dark)
    _logarithmic(figure, report.ranks)
    figure.update_xaxes(title_text="rank of the subspace")
    said = []
    for n, curve in report.by_rank.items():
        best = int(np.argmax(curve.values))
        said.append(f"of {n} views {100 * curve.values[best]:.1f} % at rank {report.ranks[best]} "
                    f"({100 * curve.values[0]:.1f} % at {report.ranks[0]}, {100 * curve.values[-1]:.1f} % at "
                    f"{report.ranks[-1]})")
    return framed(figure, f"Subspace {'; '.join(said)}; nearest mean {100 * mean:.1f} %; {_asked(report)}", height=430,
                  dark=dark)


def _figure(report: RecognitionReport, dark: bool) -> tuple[go.Figure, theme.Palette]:
    import plotly.graph_objects as go

    figure = go.Figure()
    lows = [100 * (c.values if c.low is None else c.low) for c in (*report.by_views.values(), *report.by_rank.values())]
    figure.update_yaxes(title_text="left-out views told right (%)", range=[max(min(map(np.min, lows)) - 5, 0), 101])
    return figure, theme.palette(dark)


def _chance(figure: go.Figure, x: np.ndarray, report: RecognitionReport, dark: bool) -> None:
    import plotly.graph_objects as go

    figure.add_trace(go.Scatter(
        x=x[[0, -1]], y=[100 / report.objects] * 2, mode="lines", name=f"chance {100 / report.objects:.0f} %",
        hoverinfo="skip", line={"color": theme.palette(dark).muted, "width": 1.6, "dash": "dot"}))


def _logarithmic(figure: go.Figure, values: np.ndarray) -> None:
    room = 0.04 * max(float(np.log10(values[-1] / values[0])), 0.1)
    ends = np.log10(values[[0, -1]].astype(np.float64)) + np.array([-room, room])
    figure.update_xaxes(type="log", tickvals=values, ticktext=[f"{v:,}" for v in values], range=ends)


def _asked(report: RecognitionReport) -> str:
    sets = f", {report.seeds} sets" if report.seeds > 1 else ""
    return f"{report.n:,} views of {report.objects} objects{sets}"


def _finding(report: RecognitionReport) -> str:
    most = int(report.n_views.max())
    first = [f"{report.titles[key].split(',')[0]} {percent(numbers[most]).value:.1f} %"
             for key, numbers in report.numbers.items()]
    told = {Verdict.HIGHER: "above", Verdict.LOWER: "below", Verdict.NOT_TOLD_APART: "not told apart from",
            Verdict.NOT_MEASURABLE: "not comparable with"}
    verdict = told[report.change["subspace", most].verdict]
    return f"{most} views: {', '.join(first)}; subspace {verdict} the mean ({_asked(report)})"


def recognition_table(report: RecognitionReport) -> pd.DataFrame:
    """One row a method and number of views, and one a rank: share told right, interval, chance, gain over the mean."""
    rows: list[dict[str, object]] = []
    for key, numbers in report.numbers.items():
        for n, number in numbers.items():
            change = report.change.get((key, n))
            rows.append({"method": key, "fitted views": n, "rank": report.chosen[n] if key == "subspace" else None,
                         "rank is": "chosen inside the fitted views, median" if key == "subspace" else None,
                         "told right": number.value, "low": number.low, "high": number.high, "by chance": number.null,
                         "n": number.n, "over the mean": None if change is None else change.change.value,
                         "p": None if change is None else change.p})
    for n, curve in report.by_rank.items():
        low, high = (np.full(len(curve.values), np.nan) if end is None else end for end in (curve.low, curve.high))
        rows += [{"method": "subspace", "fitted views": n, "rank": int(rank), "rank is": "given", "told right": value,
                  "low": a, "high": b, "by chance": 1 / report.objects, "n": report.n}
                 for rank, value, a, b in zip(report.ranks, curve.values, low, high)]
    return pd.DataFrame(rows)
