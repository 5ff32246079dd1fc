"""How far the subspaces of objects lie apart: a matrix of Grassmann distances, and a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened, spoken
from core.geometry.objects.reports import AnglesReport

if TYPE_CHECKING:
    import plotly.graph_objects as go

MEASURES = {"distances": ("Grassmann distance", "radians"), "smallest": ("smallest principal angle", "degrees")}
_SHORT, _MOST_WRITTEN = 18, 14


def matrix(report: AnglesReport, *, measure: str = "distances", dark: bool = False) -> go.Figure:
    """Distances of all pairs of objects on colour; the numbers are written where there are at most 14 objects.

    Parameters
    ----------
    report
        At least 3 objects.
    measure
        "distances" (Grassmann, radians) or "smallest" (principal angle, degrees).
    dark
        Colours for a dark background.
    """
    import plotly.graph_objects as go

    p, (name, unit) = theme.palette(dark), MEASURES[measure]
    values = report.distances if measure == "distances" else np.degrees(report.smallest)
    labels = [plain(shortened(n, _SHORT)) for n in report.names]
    top = max(float(values.max()), report.by_chance if measure == "distances" else 0.0)
    figure = go.Figure(go.Heatmap(
        z=values, x=labels, y=labels, zmin=0, zmax=top, colorscale=theme.colorscale(dark), xgap=1, ygap=1,
        colorbar={"title": {"text": unit, "side": "right"}, "thickness": 12},
        hovertemplate=f"%{{y}} and %{{x}}: {name} %{{z:.3f}} {unit}<extra></extra>"))
    if len(labels) <= _MOST_WRITTEN:
        colours = theme.sequence(dark, steps=101)
        for i, j in np.ndindex(*values.shape):
            behind = "#{:02x}{:02x}{:02x}".format(*colours[int(100 * values[i, j] / max(top, 1e-12))])
            ink = max(("#000000", "#ffffff"), key=lambda c: theme.contrast(c, behind))
            figure.add_annotation(x=labels[j], y=labels[i], showarrow=False, font={"size": 12, "color": ink},
                                  text=f"{values[i, j]:.{1 if measure == 'distances' else 0}f}")
    figure.update_yaxes(title_text="object", autorange="reversed", tickfont={"color": p.text}, showgrid=False)
    figure.update_xaxes(title_text="object", tickfont={"color": p.text}, showgrid=False)
    side = 120 + 34 * min(len(labels), 16)
    return framed(figure, _finding(report, values, name, unit), height=side, dark=dark, legend=False)


def _finding(report: AnglesReport, values: np.ndarray, name: str, unit: str) -> str:
    rows, columns = np.triu_indices(len(values), 1)
    flat = values[rows, columns]
    near, far = int(flat.argmin()), int(flat.argmax())

    def pair(k: int) -> str:
        return f"{shortened(report.names[rows[k]], _SHORT)} and {shortened(report.names[columns[k]], _SHORT)}"

    text = f"Nearest: {pair(near)}, {name} {flat[near]:.2f} {unit}; farthest: {pair(far)}, {flat[far]:.2f}"
    chance = f"; random subspaces {report.by_chance:.2f}" if unit == "radians" else ""
    return f"{text}{chance} (rank {_ranks(report)})"


def _ranks(report: AnglesReport) -> str:
    low, high = min(report.ranks), max(report.ranks)
    return str(low) if low == high else f"{low} to {high}"


def distance_map(report: AnglesReport, *, dark: bool = False) -> go.Figure:
    """Objects in a plane, as far apart as their subspaces are, as nearly as a plane allows.

    Returns
    -------
    plotly Figure: both axes in radians, of one scale; a named point an object; the title has the fidelity of the map.
    """
    import plotly.graph_objects as go

    p, x = theme.palette(dark), report.coords
    figure = go.Figure(go.Scatter(
        x=x[:, 0], y=x[:, 1], mode="markers+text", text=[plain(shortened(n, _SHORT)) for n in report.names],
        textposition="top center", textfont={"size": 13, "color": p.text}, cliponaxis=False,
        marker={"size": 11, "color": [p.categories[i % len(p.categories)] for i in range(len(x))]},
        hovertemplate="%{text}<extra></extra>"))
    room = 0.18 * max(float(np.ptp(x, axis=0).max()), 1e-6)
    figure.update_xaxes(title_text="distance (radians)", range=[x[:, 0].min() - room, x[:, 0].max() + room])
    figure.update_yaxes(title_text="distance (radians)", scaleanchor="x")
    text = (f"Map of {len(x)} objects by Grassmann distance; Spearman of its distances {spoken(report.fidelity)}, "
            f"{report.fidelity.n:,} pairs, rank {_ranks(report)}")
    return framed(figure, text, height=460, dark=dark, legend=False)


def angles_table(report: AnglesReport) -> pd.DataFrame:
    """One row a pair of objects: Grassmann distance and smallest principal angle (radians), chance, both places."""
    rows, columns = np.triu_indices(len(report.names), 1)
    names = np.array(report.names, dtype=object)
    return pd.DataFrame({
        "object": names[rows], "other": names[columns], "grassmann distance": report.distances[rows, columns],
        "by chance": report.by_chance, "smallest principal angle": report.smallest[rows, columns],
        "rank": np.array(report.ranks)[rows], "rank of other": np.array(report.ranks)[columns],
        "x": report.coords[rows, 0], "y": report.coords[rows, 1], "x of other": report.coords[columns, 0],
        "y of other": report.coords[columns, 1]})
