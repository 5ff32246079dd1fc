"""Where shots begin: each step of a path beside the threshold that a cut has to exceed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import framed, panels, plain
from core.geometry.films.shots import Shots, f1_by_chance, match_cuts

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("The line is the angle from each frame to the next; a cut is a step above the shaded threshold, which "
           "follows the steps about it. A quick turn of the camera takes several long steps, which raise it; "
           "a flash goes away and comes back at once, and is marked as no cut. Rows below show other detectors, where "
           "they were asked: F1 is 1 where their cuts are those of the path, a frame more or less; by chance as many "
           "cuts stand anywhere. Click a mark to see its frame.")
_ROW = 26


def shots(report: Shots, times: np.ndarray, *, others: Mapping[str, np.ndarray] | None = None,
          truth: np.ndarray | None = None, dark: bool = False) -> go.Figure:
    """Steps, thresholds, cuts and flashes over time, with the cuts of other detectors in rows below.

    Parameters
    ----------
    report
        Of the path.
    times
        (n,) floats, seconds of its frames.
    others
        Starts of shots by other detectors, by their title.
    truth
        Starts of shots, where they are known.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: time (s) of the frame a step leads to, against the step (degrees); ``customdata`` is that frame.

    Raises
    ------
    ShapeError
        If the times do not fit the report.
    """
    import plotly.graph_objects as go

    p, n, times = theme.palette(dark), len(report.steps) + 1, np.asarray(times, dtype=np.float64)
    if times.shape != (n,):
        raise ShapeError(f"{n} times, one a frame", f"shape {times.shape}")
    rows = {"shots by the path": report.starts, **(others or {}), **({} if truth is None else {"truth": truth})}
    figure = panels(["step to the next frame", "cuts"], heights=[260, _ROW * len(rows) + 10], gap=0.14, dark=dark)
    x, frames, steps = times[1:], np.arange(1, n), np.degrees(report.steps)
    figure.add_trace(go.Scatter(
        x=x, y=np.degrees(report.thresholds), mode="lines", name="threshold", line={"color": p.muted, "width": 1.2},
        fill="tozeroy", fillcolor=theme.rgba(p.muted, 0.15), hoverinfo="skip"), row=1, col=1)
    figure.add_trace(go.Scatter(
        x=x, y=steps, customdata=frames, mode="lines", name="step", line={"color": p.kinds["image"], "width": 1.6},
        hovertemplate="%{y:.1f}° to frame %{customdata} at %{x:.2f} s<extra></extra>"), row=1, col=1)
    cuts = report.starts[1:]
    for title, at, symbol, colour in (("cut", cuts, "circle", p.kinds["text"]),
                                      ("flash, no cut", report.flashes, "x", p.kinds["prompt"])):
        if len(at):
            figure.add_trace(go.Scatter(
                x=times[at], y=steps[at - 1], customdata=at, mode="markers", name=title,
                marker={"color": colour, "symbol": symbol, "size": 9},
                hovertemplate=f"{title}: frame %{{customdata}} at %{{x:.2f}} s, %{{y:.1f}}°<extra></extra>"),
                row=1, col=1)
    for row, (title, starts) in enumerate(rows.items()):
        at = np.asarray(starts)[np.asarray(starts) > 0]
        figure.add_trace(go.Scatter(
            x=times[at], y=[len(rows) - 1 - row] * len(at), customdata=at, mode="markers", showlegend=False,
            name=plain(title), marker={"symbol": "line-ns", "size": 14, "color": p.text,
                                       "line": {"width": 2, "color": p.kinds["text"] if row == 0 else p.text}},
            hovertemplate=f"frame %{{customdata}} at %{{x:.2f}} s<extra>{plain(title)}</extra>"), row=2, col=1)
    # Beside a cut the threshold rises beyond what a step can be: the axis ends where steps do.
    top = max(float(steps.max(initial=0.0)), float(np.degrees(report.thresholds).min(initial=180.0)))
    figure.update_yaxes(title_text="degrees", range=[0, 1.12 * top], row=1, col=1)
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=[plain(title) for title in reversed(rows)],
                        range=[-0.6, len(rows) - 0.4], showgrid=False, zeroline=False, row=2, col=1)
    figure.update_xaxes(title_text="time (s)", row=2, col=1)
    return framed(figure, _finding(report, others or {}, truth), height=400 + _ROW * len(rows), dark=dark)


def _finding(report: Shots, others: Mapping[str, np.ndarray], truth: np.ndarray | None) -> str:
    if not len(report.steps):
        return "One frame: one shot"
    count = len(report)
    said = f"{count:,} shot{'' if count == 1 else 's'} in {len(report.steps) + 1:,} frames"
    if len(report.flashes):
        said += f", {len(report.flashes)} flash{'' if len(report.flashes) == 1 else 'es'} left out"
    beside = {**others, **({} if truth is None else {"truth": truth})}
    if beside:
        said += "; " + ", ".join(f"{title} {len(starts):,} ({_agrees(report, starts)})"
                                 for title, starts in beside.items())
    if report.sparse:
        said += (f": frames are too far apart to tell cuts from going on (median step "
                 f"{np.degrees(np.median(report.steps)):.0f}°); look at more frames a second")
    return said


def _agrees(report: Shots, starts: np.ndarray) -> str:
    """How far the cuts of another detector are those of the path, a frame more or less."""
    if len(report) == len(starts) == 1:
        return "no cut by either"
    chance = f1_by_chance(len(report) - 1, starts, len(report.steps) + 1, np.random.default_rng(0))
    return f"F1 {match_cuts(report.starts, starts).f1:.2f}, by chance {chance:.2f}"


def table(report: Shots, times: np.ndarray) -> pd.DataFrame:
    """One row a frame: seconds, shot, step that leads to it and its threshold in degrees, whether cut or flash."""
    none = [np.nan]
    frames = np.arange(len(report.steps) + 1)
    return pd.DataFrame({
        "frame": frames, "time (s)": np.asarray(times, np.float64), "shot": report.of_frames,
        "step to it (degrees)": np.append(none, np.degrees(report.steps)),
        "threshold (degrees)": np.append(none, np.degrees(report.thresholds)),
        "cut": np.isin(frames, report.starts[1:]), "flash": np.isin(frames, report.flashes)})
