"""The path of one image under a continuous change: how far it has moved, how fast, and where it jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, panels, plain, shortened
from core.geometry.films.changes import ChangeReport

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Above: the angle of the changed image to the first one, and how far it strays from the great circle "
           "between the first and the last. Below: the angle per unit of the change, where the model is fast; a "
           "cross is a jump, a step more than 4 times as fast as those around it and longer than the floor. "
           "Straightness is 1 where the path is a geodesic. Click a point to see the image.")


def changes(report: ChangeReport, *, unit: str = "strength", dark: bool = False) -> go.Figure:
    """Angle from the first image and rate of change, against the strength of the change.

    Parameters
    ----------
    report
        Of one image and one change.
    unit
        What the strength is, with its unit: "blur (pixels)".
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: strength against the angle (degrees), and against the rate (degrees per unit); ``customdata`` is the
    image, of a step the one it leads to.
    """
    import plotly.graph_objects as go

    p, x = theme.palette(dark), report.strengths
    figure = panels(["angle from the first image", "change per unit"], heights=[3, 2], gap=0.14, dark=dark)
    middles, to = (x[:-1] + x[1:]) / 2, np.arange(1, len(x))
    for y, name, colour, dash in ((report.from_start, "from the first image", p.kinds["image"], "solid"),
                                  (report.off_geodesic, "off the geodesic", p.muted, "dot")):
        figure.add_trace(go.Scatter(
            x=x, y=np.degrees(y), mode="lines+markers", name=name, customdata=np.arange(len(x)), marker={"size": 5},
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=f"%{{y:.2f}}° {name} at %{{x:.3~g}}<extra></extra>"), row=1, col=1)
    figure.add_trace(go.Scatter(
        x=middles, y=np.degrees(report.rates), mode="lines+markers", name="rate", customdata=to, marker={"size": 5},
        line={"color": p.kinds["text"], "width": 1.8}, showlegend=False,
        hovertemplate="%{y:.3~g}° per unit at %{x:.3~g}<extra></extra>"), row=2, col=1)
    if report.jumps.any():
        for row, y in ((1, report.from_start[1:]), (2, report.rates)):
            figure.add_trace(go.Scatter(
                x=(x[1:] if row == 1 else middles)[report.jumps], y=np.degrees(y[report.jumps]), mode="markers",
                name="jump", showlegend=row == 1, customdata=to[report.jumps],
                marker={"size": 11, "symbol": "x", "color": p.kinds["prompt"]},
                hovertemplate="jump to %{x:.3~g}<extra></extra>"), row=row, col=1)
    figure.update_yaxes(title_text="degrees", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="degrees per unit", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title_text=plain(shortened(unit)), row=2, col=1)
    return framed(figure, _finding(report), height=500, dark=dark)


def _finding(report: ChangeReport) -> str:
    jumps, smooth = int(report.jumps.sum()), report.smoothness
    if smooth.null is None:
        return f"{shortened(report.name) or 'The change'} moves nothing: {smooth.n:,} images lie at one place"
    where = ", ".join(f"{at:.3g}" for at in report.strengths[1:][report.jumps][:3])
    told = f"jumps {jumps} time{'s' if jumps != 1 else ''} (to {where}{', ...' if jumps > 3 else ''})" if jumps else \
        "jumps nowhere"
    straight = f"straightness {smooth.value:.2f} (random walk {smooth.null:.2f})"
    noise = f"; two encodings differ by {np.degrees(report.noise):.2g}°" if report.noise is not None else ""
    return (f"{shortened(report.name) or 'The image'} moves {np.degrees(report.net.value):.0f}° over "
            f"{np.degrees(report.length.value):.0f}° of path and {told}; {straight}, {smooth.n:,} images{noise}")


def table(report: ChangeReport) -> pd.DataFrame:
    """One row an image: strength, angles in degrees, and step, rate and jump on the way to it."""
    first = np.nan
    return pd.DataFrame({
        "strength": report.strengths, "from the first (degrees)": np.degrees(report.from_start),
        "off the geodesic (degrees)": np.degrees(report.off_geodesic), "along the geodesic": report.along,
        "step (degrees)": np.insert(np.degrees(report.steps), 0, first),
        "rate (degrees per unit)": np.insert(np.degrees(report.rates), 0, first),
        "local rate (degrees per unit)": np.insert(np.degrees(report.local), 0, first),
        "jump": np.insert(report.jumps, 0, False)})
