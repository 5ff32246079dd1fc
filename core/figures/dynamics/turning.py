"""What one orthogonal matrix a step removes from a training, and what it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, panels
from core.learning.records.aligned import Aligned

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each step is turned by ONE orthogonal matrix, the same for images and texts, that brings it nearest to the "
           "reference; a turn of the whole space changes no cosine, and is no flow. Above: the root mean squared "
           "distance to the reference without turning, and what turning leaves; images and texts weigh alike. Dotted: "
           "what the same fit leaves of shuffled rows. Below: by how much features were turned on average, and the "
           "largest turn of a plane.")


def turning(report: Aligned, *, dark: bool = False) -> go.Figure:
    """Distance to the reference before and after turning, and the angles of the turn, over the steps.

    Parameters
    ----------
    report
        Of any record.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: training step (by its rank) against distance (0 to 2), and against degrees.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    figure = panels(["Distance to the reference, root mean square", "Turned by, degrees"], heights=[0.6, 0.4],
                    dark=dark)
    steps = [f"{step:,}" for step in report.record.steps]
    for row, name, values, colour, dash in (
            (1, "as it is", report.before, p.muted, "solid"),
            (1, "left after turning", report.residuals, p.categories[0], "solid"),
            (1, "left by chance", report.chance, p.muted, "dot"),
            (2, "features, on average", np.degrees(report.turned), p.categories[1], "solid"),
            (2, "largest turn of a plane", np.degrees(report.largest), p.muted, "dash")):
        figure.add_trace(go.Scatter(
            x=steps, y=values, name=name, mode="lines+markers", marker={"size": 5, "color": colour},
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=f"%{{y:.3g}} at step %{{x}}<extra>{name}</extra>"), row=row, col=1)
    at = steps[report.reference]
    for row in (1, 2):
        figure.add_vline(x=report.reference, line={"color": p.muted, "dash": "dot", "width": 1}, row=row, col=1)
    figure.update_xaxes(type="category", nticks=12, row=2, col=1, title_text=f"training step (reference: {at})")
    figure.update_xaxes(type="category", showticklabels=False, row=1, col=1)
    figure.update_yaxes(rangemode="tozero", title_text="length", row=1, col=1)
    figure.update_yaxes(rangemode="tozero", title_text="°", row=2, col=1)
    return framed(figure, finding(report), height=460, dark=dark)


def finding(report: Aligned) -> str:
    """How much of the way from the first step is a mere turn, in words."""
    n, m = len(report.record.probe.images), len(report.record.probe.texts)
    first = 0 if report.reference else len(report.record) - 1
    mirrored = int(report.reflected.sum())
    more = f"; {mirrored} {'step needs' if mirrored == 1 else 'steps need'} a reflection" if mirrored else ""
    if len(report.record) < 2:
        return f"One step alone is not turned (n = {n:,} images and {m:,} texts)"
    return (f"Turning step {report.record.steps[first]:,} by {np.degrees(report.turned[first]):.0f}° on average leaves "
            f"{report.residuals[first]:.2f} of {report.before[first]:.2f} distance to step "
            f"{report.record.steps[report.reference]:,} (by chance {report.chance[first]:.2f}; n = {n:,} images and "
            f"{m:,} texts){more}")


def table(report: Aligned) -> pd.DataFrame:
    """One row a step."""
    return pd.DataFrame({
        "step": report.record.steps, "distance as it is": report.before, "distance left": report.residuals,
        "left by chance": report.chance, "turned on average, degrees": np.degrees(report.turned),
        "largest turn of a plane, degrees": np.degrees(report.largest), "holds a reflection": report.reflected})
