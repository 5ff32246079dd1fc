"""The subspace of an object in pictures: its energies, and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import framed, panels, plain, shortened
from core.geometry.objects.profiles import LEFT_OUT, OTHER_OBJECTS
from core.geometry.objects.reports import EnergyReport, MembershipReport
from core.geometry.objects.subspaces import SHARES

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_OBJECTS = 12
NEARLY_ALL = 0.95
_ROW, _OUTSIDE = 46, 120


def energies(reports: Sequence[EnergyReport], *, most: int = 30, dark: bool = False) -> go.Figure:
    """Share of the energy of an object's views in their first directions, beside that of random directions.

    Parameters
    ----------
    reports
        One an object, 1 to 12.
    most
        Directions that are drawn.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of two panels over the number of directions: share of the energy (%) about the origin and about the
    mean view; random directions (as many as the first object has views) dotted.
    """
    import plotly.graph_objects as go

    if not 1 <= len(reports) <= MOST_OBJECTS:
        raise ShapeError(f"1 to {MOST_OBJECTS} objects", str(len(reports)), "Choose some of them.")
    p = theme.palette(dark)
    figure = panels(("Span, about the origin", "Variation, about the mean view"), dark=dark, gap=0.12)
    for row, part in enumerate(("span", "variation"), 1):
        for i, report in enumerate(reports):
            curve = getattr(report, part)
            shown = min(most, len(curve.values))
            figure.add_trace(go.Scatter(
                x=np.arange(1, shown + 1), y=100 * curve.values[:shown], mode="lines+markers", name=plain(report.name),
                legendgroup=report.name, showlegend=row == 1, marker={"size": 5},
                line={"width": 2.2, "color": p.categories[i]},
                hovertemplate=f"%{{y:.1f}} % in %{{x}} directions<extra>{plain(report.name)}</extra>"), row=row, col=1)
        null = getattr(reports[0], part).null[:most]
        figure.add_trace(go.Scatter(
            x=np.arange(1, len(null) + 1), y=100 * null, mode="lines", name="random directions", legendgroup="null",
            showlegend=row == 1, line={"width": 1.6, "color": p.muted, "dash": "dot"},
            hovertemplate="%{y:.1f} % in %{x} random directions<extra></extra>"), row=row, col=1)
    figure.update_yaxes(title_text="share of the energy (%)", range=[0, 103])
    figure.update_xaxes(title_text="directions", row=2, col=1)
    return framed(figure, _energy_finding(reports[0], len(reports)), height=560, dark=dark)


def _energy_finding(report: EnergyReport, objects: int) -> str:
    span, variation = report.span_dimensions[NEARLY_ALL], report.variation_dimensions[NEARLY_ALL]
    more = f", first of {objects} objects" if objects > 1 else ""
    return (f"{shortened(report.name)}: {100 * NEARLY_ALL:.0f} % of the energy of its views lies in {span.value:.0f} "
            f"directions (random: {span.null:.0f}), of their variation in {variation.value:.0f} (random: "
            f"{variation.null:.0f}); n = {report.n:,} views{more}")


def energies_table(reports: Sequence[EnergyReport]) -> pd.DataFrame:
    """One row an object and number of directions: shares of both energies, of random directions, and dimensions."""
    frames = []
    for report in reports:
        size = max(len(report.span.values), len(report.variation.values))
        columns: dict[str, object] = {"object": report.name, "directions": np.arange(1, size + 1)}
        for name, curve, numbers in (("span", report.span, report.span_dimensions),
                                     ("variation", report.variation, report.variation_dimensions)):
            columns |= {name: curve.values, f"{name} by chance": curve.null}
            columns |= {f"{name} dimension at {share:g}": numbers[share].value for share in SHARES}
        frames.append(pd.DataFrame({**columns, "views": report.n}))
    return pd.concat(frames, ignore_index=True)


def memberships(report: MembershipReport, *, dark: bool = False) -> go.Figure:
    """How far things belong to the subspace of an object, beside random directions.

    Returns
    -------
    plotly Figure: a bar a row, mean membership (0 to 1), with half of the vectors between the ends of its whisker, and
    a thin mark at the membership of random directions. Other objects, the telling null, are grey.
    """
    import plotly.graph_objects as go

    p, rows = theme.palette(dark), list(report.rows.items())
    names = [f"{plain(shortened(title), width=22)} (n = {number.n:,})" for title, number in rows]
    quarters = [np.nanquantile(report.values[title], (0.25, 0.75)) for title, _ in rows]
    means = np.array([number.value for _, number in rows])
    figure = go.Figure()
    figure.add_trace(go.Bar(
        y=names, x=means, orientation="h", showlegend=False, width=0.62,
        marker={"color": [p.muted if title == OTHER_OBJECTS else p.kinds["image"] for title, _ in rows]},
        error_x={"type": "data", "symmetric": False, "array": [max(q[1] - m, 0) for q, m in zip(quarters, means)],
                 "arrayminus": [max(m - q[0], 0) for q, m in zip(quarters, means)], "color": p.text, "thickness": 1.5,
                 "width": 4},
        hovertext=[f"mean {m:.3f}, half of them from {q[0]:.3f} to {q[1]:.3f}" for q, m in zip(quarters, means)],
        hovertemplate="%{y}<br>%{hovertext}<extra></extra>"))
    figure.add_trace(go.Scatter(
        x=[number.null for _, number in rows], y=names, mode="markers", name="random directions",
        hovertemplate="random directions: %{x:.3f}<extra></extra>",
        marker={"symbol": "line-ns-open", "size": 22, "color": p.text, "line": {"width": 2}}))
    figure.update_xaxes(title_text="membership |P v| / |v|", range=[0, 1.02])
    figure.update_yaxes(title_text="whose vectors", autorange="reversed", tickfont={"color": p.text}, showgrid=False)
    return framed(figure, _membership_finding(report), height=_OUTSIDE + _ROW * len(rows), dark=dark)


def _membership_finding(report: MembershipReport) -> str:
    own = report.rows[LEFT_OUT]
    text = f"Left-out views of {shortened(report.name)} have membership {own.value:.2f} in its {report.rank} directions"
    if OTHER_OBJECTS in report.rows:
        text += f", views of other objects {report.rows[OTHER_OBJECTS].value:.2f}"
    return f"{text}, random directions {own.null:.2f} (fitted on {report.n:,} views)"


def memberships_table(report: MembershipReport) -> pd.DataFrame:
    """One row a vector: object, rank, whose vector, membership, residual sqrt(1 - membership^2), random directions."""
    return pd.concat([pd.DataFrame({"object": report.name, "rank": report.rank, "vectors": title,
                                    "membership": report.values[title],
                                    "residual": np.sqrt(1 - report.values[title] ** 2), "by chance": number.null})
                      for title, number in report.rows.items()], ignore_index=True)
