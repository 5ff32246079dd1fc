"""The recurrence plot of a path, and its measures beside shuffled shots and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.films.measures import factor_of, small_multiples, tests_table, unit_of
from core.figures.frame import framed, shortened
from core.geometry.differences import Verdict
from core.geometry.films.recurrence import RECURRENCE, SHUFFLES, RecurrenceReport

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Both axes are the time of the film. A dot says that two frames are closer on the sphere than the "
           "threshold; the colour says how close. A block is a scene that lasts, a block off the diagonal one that "
           "comes back, and a line along the diagonal a passage that happens again in the same order. Between the "
           "dotted lines frames are close in time and always alike; they are drawn, and not counted. Click a dot to "
           "see both frames.")


def recurrence(report: RecurrenceReport, *, dark: bool = False) -> go.Figure:
    """The recurrence plot; ``customdata`` of its points, which lie unseen over the colours, holds both frames.

    Returns
    -------
    plotly Figure: time (s) against time (s), coloured by the angle (degrees) of frames closer than
    the threshold; dotted lines bound the window that is not counted.
    """
    import plotly.graph_objects as go

    p, m = theme.palette(dark), len(report.rows)
    degrees = np.where(report.between < report.threshold, np.degrees(report.between), np.nan).astype(np.float32)
    frames = np.stack(np.broadcast_arrays(report.rows[None, :], report.rows[:, None]), axis=-1)
    figure = go.Figure(go.Heatmap(
        x=report.times, y=report.times, z=degrees, customdata=frames, hoverongaps=False, hoverinfo="skip",
        colorscale=theme.colorscale(dark), reversescale=dark, zmin=0, zmax=float(np.degrees(report.threshold)),
        colorbar={"title": {"text": "degrees"}, "thickness": 12}))
    y, x = np.nonzero(np.isfinite(degrees))
    figure.add_trace(go.Scattergl(      # a click on a heat map is not heard
        x=report.times[x], y=report.times[y], mode="markers", showlegend=False, customdata=frames[y, x],
        marker={"symbol": "square", "size": max(3, 420 // m), "opacity": 0, "color": p.text}, text=degrees[y, x],
        hovertemplate="frames %{customdata[0]} and %{customdata[1]}<br>%{x:.2f} s and %{y:.2f} s: %{text:.1f}°"
                      "<extra></extra>"))
    if m > report.window + 1:
        gap = float(np.median(np.diff(report.times))) * (report.window + 0.5)
        ends = np.array([report.times[0], report.times[-1]])
        for sign in (-1, 1):
            figure.add_trace(go.Scatter(x=ends, y=ends + sign * gap, mode="lines", hoverinfo="skip", showlegend=False,
                                        line={"color": p.muted, "width": 1, "dash": "dot"}))
    room = [float(report.times[0]), float(report.times[-1])]
    figure.update_xaxes(title_text="time (s)", range=room, constrain="domain")
    figure.update_yaxes(title_text="time (s)", range=room, scaleanchor="x", constrain="domain")
    return framed(figure, _finding(report), height=560, dark=dark, legend=False)


def recurrence_measures(report: RecurrenceReport, *, dark: bool = False) -> go.Figure:
    """The measures of the recurrence plot beside shuffled shots and frames, a panel a measure."""
    rows = {key: [report.tests[null, key] for null in SHUFFLES] for key in RECURRENCE}
    return small_multiples(rows, _finding(report), dark=dark)


def _finding(report: RecurrenceReport) -> str:
    rate = report.numbers["rate"]
    told = [report.tests["shots", key] for key in ("longest", "diagonal", "determinism", "laminarity", "vertical")]
    differ = [test.words for test in told if test.difference.verdict in (Verdict.HIGHER, Verdict.LOWER)]
    if differ:
        said = f"it {differ[0]}"
    elif any(test.p is not None for test in told):
        said = f"not told apart from whole shots shuffled (smallest p {min(t.p for t in told if t.p is not None):.2f})"
    else:
        said = f"not measurable against whole shots shuffled: {told[0].why}"
    every = f" (1 frame in {report.rows[1] - report.rows[0]})" if len(report.rows) < report.of else ""
    within = f"within {np.degrees(report.threshold):.0f}°{' (chosen so)' if report.chosen else ''}"
    return (f"{shortened(report.name) or 'The path'}: {100 * rate.value:.1f} % of {rate.n:,} pairs of frames lie "
            f"{within}{every}; {said}")


def table(report: RecurrenceReport) -> pd.DataFrame:
    """One row a null and measure, with the threshold, the window and how many frames were used."""
    return tests_table(list(report.tests.values()), draws=report.draws).assign(
        **{"threshold (degrees)": float(np.degrees(report.threshold)), "window (frames)": report.window})


def pairs_table(report: RecurrenceReport) -> pd.DataFrame:
    """One row a pair of frames that recur: both frames, their seconds and the angle in degrees."""
    i, j = np.nonzero(np.triu(report.recurs))
    return pd.DataFrame({"frame": report.rows[i], "other": report.rows[j], "time (s)": report.times[i],
                         "other time (s)": report.times[j], "angle (degrees)": np.degrees(report.between[i, j])})


def summary(report: RecurrenceReport) -> pd.DataFrame:
    """One row a measure of the recurrence plot itself."""
    return pd.DataFrame([{"measure": of.title, "value": factor_of(of) * report.numbers[key].value, "unit": unit_of(of),
                          "pairs": report.numbers[key].n} for key, of in RECURRENCE.items()])
