"""When islands form: how far classes lie apart over a training, and how firm the groups in its points are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, panels
from core.geometry.dynamics.islands import Islands

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Silhouette, in angles: 1 where a point lies with its own and far from all others, 0 between two. Line: of "
           "the classes, with the 95 % interval of a jackknife over points; diamonds: of the groups that HDBSCAN finds "
           "without knowing classes, points of no group counting 0. Dotted: what 95 % of shuffled classes, and of "
           "groups found in structureless points, stay below at all steps together. Shaded: where "
           "the classes are half of their way apart, within its interval. Below: how many groups, and the "
           "mean number in structureless points, in which HDBSCAN finds groups too.")


def islands(report: Islands, *, at: int | None = None, dark: bool = False) -> go.Figure:
    """Separation of classes and of groups over the steps, and how many groups there are.

    Parameters
    ----------
    report
        Of one modality.
    at
        The step looked at, marked.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of two linked panels over the training step: silhouette (in [-1, 1]) and number of groups.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    figure = panels(("Separation", "Groups found"), heights=(2.2, 1), gap=0.12, dark=dark)
    classes, groups = p.kinds["plain"], p.categories[6]

    def add(x: np.ndarray, y: np.ndarray | None, name: str, row: int, **given: object) -> None:
        figure.add_trace(go.Scatter(x=x, y=y, name=name, **{
            "hovertemplate": f"%{{y:.3~g}} at step %{{x:,}}<extra>{name}</extra>", **given}), row=row, col=1)

    if report.separation is not None:
        curve = report.separation
        if curve.low is not None and curve.high is not None:
            add(np.concatenate([report.steps, report.steps[::-1]]), np.concatenate([curve.high, curve.low[::-1]]),
                "classes, 95 %", 1, mode="lines", line={"width": 0}, fill="toself", showlegend=False,
                fillcolor=theme.rgba(classes, 0.18), hoverinfo="skip", hovertemplate=None)
        add(report.steps, curve.values, f"{report.classes} classes", 1, mode="lines+markers" if len(curve.values) < 3
            else "lines", line={"color": classes, "width": 2.2})
        add(report.steps, curve.null, "shuffled classes, 95 % below", 1, mode="lines",
            line={"color": classes, "width": 1.3, "dash": "dot"})
        if report.halfway is not None and report.halfway.low is not None:
            figure.add_vrect(x0=report.halfway.low, x1=report.halfway.high, line_width=0, layer="below",
                             fillcolor=theme.rgba(p.muted, 0.16), row=1, col=1)
    add(report.counted, report.firmness.values, "groups found", 1, mode="lines+markers",
        line={"color": groups, "width": 1.6}, marker={"symbol": "diamond", "size": 7, "color": groups})
    add(report.counted, report.firmness.null, "groups in structureless points, 95 % below", 1, mode="lines",
        line={"color": groups, "width": 1.3, "dash": "dot"})
    add(report.counted, report.counts, "groups found", 2, mode="lines+markers", showlegend=False,
        line={"color": groups, "width": 1.6}, marker={"symbol": "diamond", "size": 7, "color": groups})
    add(report.counted, report.counts_by_chance, "in structureless points, mean", 2, mode="lines", showlegend=False,
        line={"color": groups, "width": 1.3, "dash": "dot"})
    if at is not None:
        figure.add_vline(x=at, line={"color": p.text, "width": 1.5, "dash": "dot"})
    figure.update_yaxes(title_text="silhouette", row=1, col=1)
    figure.update_yaxes(title_text="groups", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title_text="training step", row=2, col=1)
    framed(figure, finding(report), height=520, dark=dark)
    figure.update_layout(margin={"b": 122})
    return figure


def finding(report: Islands) -> str:
    """When islands form, in words."""
    last, points = int(report.counts[-1]), f"{report.n:,} point{'s' * (report.n != 1)}"
    groups = (f"{last} group{'s' * (last != 1)} in {points} ({report.counts_by_chance[-1]:.0f} in structureless ones, "
              f"but less firm from step {report.formed:,} on)"
              if report.formed is not None else
              f"No groups of {points} firmer than in structureless ones at step {report.counted[-1]:,}")
    if report.separation is None:
        return f"{groups}; classes are not known"
    end = report.separation.at(-1)
    band = "" if end.low is None else f" ({end.low:.2f} to {end.high:.2f}; by chance below {end.null:.2f})"
    half = report.halfway
    when = "" if half is None else (f", half of the way by step {half.value:,.0f}"
                                    + (f" ({half.low:,.0f} to {half.high:,.0f})" if half.low is not None else ""))
    return f"{groups}; {report.classes} classes: separation {end.value:.2f}{band}{when}".replace("-", "−")


def table(report: Islands) -> pd.DataFrame:
    """One row a step: separation of the classes with interval and limit, groups found, their firmness, and chance."""
    frame = pd.DataFrame({"step": report.steps})
    if report.separation is not None:
        curve = report.separation
        frame["separation of classes (silhouette)"] = curve.values
        if curve.low is not None and curve.high is not None:
            frame["low"], frame["high"] = curve.low, curve.high
        frame["95 % of shuffled classes below"] = curve.null
    counted = pd.DataFrame({
        "step": report.counted, "groups found": report.counts,
        "groups in structureless points": report.counts_by_chance,
        "firmness of groups (silhouette)": report.firmness.values,
        "95 % of structureless points below": report.firmness.null})
    return frame.merge(counted, on="step", how="left").assign(n=report.n, seed=report.seed)
