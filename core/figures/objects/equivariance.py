"""How the embedding moves while the camera goes round an object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened, spoken
from core.geometry.objects.equivariance import Equivariance
from core.geometry.samples import spread_sample

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_POINTS = 4000


def equivariance(report: Equivariance, *, name: str = "object", views: Sequence[str] | None = None,
                 dark: bool = False) -> go.Figure:
    """Embedding angle against camera angle for all pairs of views, with the mean and its 95 % band,
    where the views are no lattice.

    Parameters
    ----------
    report
        Of one object.
    name
        Of the object.
    views
        What each view is called; their numbers when None.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: camera angle (degrees) against embedding angle (degrees); pairs that look alike though far apart and
    the steps that jump stand out; the mean of all pairs, which shuffled views would have everywhere, is dotted. Of
    more than 4,000 plain pairs a part is drawn.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    camera, embedding = np.degrees(report.camera), np.degrees(report.embedding)
    figure, plain_pairs = go.Figure(), np.flatnonzero(~report.alike)
    if len(plain_pairs) > MOST_POINTS:
        keep = spread_sample(np.stack([camera, embedding], axis=1)[plain_pairs], MOST_POINTS)
        plain_pairs = plain_pairs[np.sort(keep)]
    jumping = {tuple(step) for step in report.steps[report.jumps].tolist()}
    jumps = np.array([k for k, pair in enumerate(report.pairs.tolist()) if tuple(pair) in jumping], dtype=np.int64)
    groups = (("pairs of views", plain_pairs, p.muted, "circle", 5),
              ("far apart, yet alike", np.flatnonzero(report.alike), p.kinds["prompt"], "diamond", 8),
              ("neighbours that jump", jumps, p.kinds["text"], "x", 9))
    for title, rows, colour, symbol, size in groups:
        if len(rows):
            figure.add_trace(go.Scatter(
                x=camera[rows], y=embedding[rows], mode="markers", name=title, customdata=report.pairs[rows],
                hovertext=[_pair(report.pairs[k], views) for k in rows],
                hovertemplate="%{hovertext}<br>camera %{x:.1f}°, embedding %{y:.1f}°<extra></extra>",
                marker={"size": size, "color": colour, "symbol": symbol, "opacity": 0.55 if size == 5 else 0.9}))
    _mean_line(figure, report, p)
    figure.add_trace(go.Scatter(
        x=[0, 180], y=np.degrees([report.bar] * 2), mode="lines", name="median of neighbours", hoverinfo="skip",
        line={"color": p.kinds["prompt"], "width": 1.2, "dash": "dash"}))
    figure.update_xaxes(title_text="camera angle (degrees)", range=[0, max(float(camera.max()) * 1.03, 1.0)])
    figure.update_yaxes(title_text="embedding angle (degrees)", rangemode="tozero")
    return framed(figure, _finding(report, name), height=500, dark=dark)


def _mean_line(figure: go.Figure, report: Equivariance, p: theme.Palette) -> None:
    import plotly.graph_objects as go

    x, curve, colour = np.degrees(report.places), report.curve, p.kinds["image"]
    assert curve.low is not None and curve.high is not None and curve.null is not None
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    if known.any():
        figure.add_trace(go.Scatter(
            x=np.concatenate([x[known], x[known][::-1]]), mode="lines", fill="toself", hoverinfo="skip",
            y=np.degrees(np.concatenate([curve.high[known], curve.low[known][::-1]])), showlegend=False,
            name="mean, 95 %", line={"width": 0, "color": colour}, fillcolor=theme.rgba(colour, 0.22)))
    figure.add_trace(go.Scatter(
        x=x, y=np.degrees(curve.values), mode="lines+markers", marker={"size": 6},
        name="mean with 95 %" if known.any() else "mean",
        line={"color": colour, "width": 2.4},
        hovertemplate="mean %{y:.1f}° at %{x:.0f}° of the camera<extra></extra>"))
    figure.add_trace(go.Scatter(
        x=x[[0, -1]], y=np.degrees(curve.null[[0, -1]]), mode="lines", name="shuffled views", hoverinfo="skip",
        line={"color": p.muted, "width": 1.6, "dash": "dot"}))


def _pair(pair: np.ndarray, views: Sequence[str] | None) -> str:
    i, j = pair.tolist()
    return f"views {i + 1} and {j + 1}" if views is None else f"{plain(views[i])} and {plain(views[j])}"


def _finding(report: Equivariance, name: str) -> str:
    share = report.symmetric
    interval = "" if share.low is None or share.high is None else f"{100 * share.low:.0f} to {100 * share.high:.0f}; "
    jumps = int(report.jumps.sum())
    return (f"{shortened(name)}: camera and embedding angle have Spearman {spoken(report.rank_correlation)}, "
            f"{report.rank_correlation.n:,} views; {100 * share.value:.0f} % of {share.n:,} far pairs look alike "
            f"({interval}{report.null_of} {100 * (share.null or 0.0):.0f} %); {jumps} of {len(report.steps):,} steps "
            f"jump{'s' if jumps == 1 else ''}")


def equivariance_table(report: Equivariance) -> pd.DataFrame:
    """One row a pair of views: both angles in degrees, whether alike though far, neighbours, and whether they jump."""
    steps = {tuple(step): bool(jump) for step, jump in zip(report.steps.tolist(), report.jumps)}
    pairs = [tuple(pair) for pair in report.pairs.tolist()]
    return pd.DataFrame({"view": report.pairs[:, 0], "other": report.pairs[:, 1],
                         "camera angle": np.degrees(report.camera), "embedding angle": np.degrees(report.embedding),
                         "alike": report.alike, "neighbours": [pair in steps for pair in pairs],
                         "jump": [steps.get(pair, False) for pair in pairs]})
