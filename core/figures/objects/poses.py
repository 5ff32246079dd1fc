"""How the name that a model gives an object hangs on the object's pose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.objects.votes import PoseSweep

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_SHOWN = 6


def poses(report: PoseSweep, *, dark: bool = False) -> go.Figure:
    """Score of the texts that come highest over the turn of the object, and which one wins where.

    Returns
    -------
    plotly Figure: turn (degrees) against weighted cosine; the six texts that are highest anywhere, winners as large
    dots, the mean of all texts, which a text at random has, dotted.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    shown = np.argsort(-report.scores.max(axis=0), kind="stable")[:MOST_SHOWN]
    shown = np.unique(np.append(shown[:MOST_SHOWN - 1], report.most))
    for colour, k in zip(p.categories, shown.tolist()):
        name = plain(shortened(report.names[k]))
        wins = report.winners == k
        figure.add_trace(go.Scatter(
            x=report.degrees, y=report.scores[:, k], mode="lines+markers", name=name,
            line={"color": colour, "width": 2.2}, marker={"size": np.where(wins, 10, 4)},
            hovertemplate=f"%{{y:.3f}} at %{{x:.0f}}°<extra>{name}</extra>"))
    figure.add_trace(go.Scatter(
        x=report.degrees, y=report.scores.mean(axis=1), mode="lines", name="mean of all texts", hoverinfo="skip",
        line={"color": p.muted, "width": 1.6, "dash": "dot"}))
    figure.update_xaxes(title_text="turn of the object (degrees)")
    figure.update_yaxes(title_text="weighted cosine to the text")
    others = len(set(report.winners.tolist())) - 1
    text = (f"“{shortened(report.names[report.most])}” wins at {100 * report.share:.0f} % of {len(report.degrees)} "
            f"poses (by chance {100 / len(report.names):.0f} %); "
            + (f"{others} other text{'s' if others > 1 else ''} win elsewhere" if others else "no other text wins"))
    return framed(figure, text, height=430, dark=dark)


def poses_table(report: PoseSweep) -> pd.DataFrame:
    """One row a pose and text: turn in degrees, text, weighted cosine, whether it wins."""
    p, k = report.scores.shape
    return pd.DataFrame({"turn": np.repeat(report.degrees, k), "text": list(report.names) * p,
                         "score": report.scores.ravel(),
                         "wins": (report.winners[:, None] == np.arange(k)).ravel()})
