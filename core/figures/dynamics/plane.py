"""The alignment-uniformity plane: where trainings begin, which way they take, and where they end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.dynamics.curves import colour
from core.figures.frame import error_bar, framed, plain, shortened
from core.geometry.dynamics.plane import Plane
from core.geometry.intervals import decimals

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each point is a snapshot, from the hollow one before training to the full one at the end, both with 95 % "
           "intervals. To the left, points of one modality lie more evenly over the sphere; further down, pairs lie "
           "closer together: good features are below and to the left. Crossed: random directions.")
_MODALITIES = ("images", "texts")


def plane(paths: Mapping[str, Plane], *, at: int | None = None, dark: bool = False) -> go.Figure:
    """Paths of runs; of a single one, that of its images and of its texts.

    Parameters
    ----------
    paths
        By the name of its run, at least one.
    at
        The step looked at, ringed.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: uniformity (logarithm) against alignment (mean squared distance of pairs).
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    single = len(paths) == 1
    for number, (name, path) in enumerate(paths.items()):
        for modality in _MODALITIES if single else _MODALITIES[:1]:
            if modality in path.uniformity:
                paint = p.kinds[modality[:-1]] if single else colour(number, len(paths), dark=dark)
                _path(figure, path, modality, modality if single else name, paint, at, dark)
    first = next(iter(paths.values()))
    null = next((one.null for one in first.uniformity.values() if one.null is not None), None)
    if null is not None:
        figure.add_trace(go.Scatter(
            x=[float(null[0])], y=[2.0], mode="markers", name="random directions",
            marker={"symbol": "x-thin", "size": 10, "color": p.muted, "line": {"width": 2, "color": p.muted}},
            hovertemplate="random directions<extra></extra>"))
    figure.update_xaxes(title_text="uniformity (log; left: more even)")
    figure.update_yaxes(title_text="alignment (d²; down: closer pairs)", rangemode="tozero")
    return framed(figure, _finding(paths), height=420, dark=dark)


def _path(figure: go.Figure, path: Plane, modality: str, name: str, paint: str, at: int | None, dark: bool) -> None:
    import plotly.graph_objects as go

    x, y = path.uniformity[modality], path.alignment
    name = plain(shortened(name, 30))
    figure.add_trace(go.Scatter(
        x=x.values, y=y.values, mode="lines+markers", name=name, customdata=path.steps, legendgroup=name,
        line={"color": paint, "width": 1.8}, marker={"size": 4, "color": paint},
        hovertemplate=f"uniformity %{{x:.3f}}, alignment %{{y:.3f}}<br>at step %{{customdata:,}}<extra>{name}</extra>"))
    for i, symbol in ((0, "circle-open"), (len(path.steps) - 1, "circle")):
        figure.add_trace(go.Scatter(
            x=[x.values[i]], y=[y.values[i]], mode="markers", showlegend=False, legendgroup=name, hoverinfo="skip",
            name=f"{name}, step {path.steps[i]:,}", error_x=error_bar([x.at(i)], paint),
            error_y=error_bar([y.at(i)], paint),
            marker={"symbol": symbol, "size": 10, "color": paint, "line": {"width": 2, "color": paint}}))
    if at is not None:
        i = int(np.abs(path.steps - at).argmin())
        figure.add_trace(go.Scatter(
            x=[x.values[i]], y=[y.values[i]], mode="markers", showlegend=False, legendgroup=name, hoverinfo="skip",
            name="the step looked at", marker={"symbol": "circle-open", "size": 15, "color": theme.palette(dark).text,
                                              "line": {"width": 2}}))


def _finding(paths: Mapping[str, Plane]) -> str:
    def way(path: Plane, name: str) -> str:
        curve = path.alignment if name == "alignment" else path.uniformity[name]
        change = path.changes[name]
        digits = max(2, decimals(change))
        band = "" if change.low is None else f" (difference {change.low:+.{digits}f} to {change.high:+.{digits}f})"
        return f"{curve.values[0]:.{digits}f} → {curve.values[-1]:.{digits}f}{band}".replace("-", "−")

    if len(paths) > 1:
        ends = ", ".join(f"{shortened(name, 24)} {path.alignment.values[-1]:.2f}" for name, path in paths.items())
        return f"Alignment at the end: {ends}"
    path = next(iter(paths.values()))
    said = f"Alignment {way(path, 'alignment')}"
    for modality in _MODALITIES:
        if modality in path.uniformity:
            said += f", uniformity of {path.counts[modality]:,} {modality} {way(path, modality)}"
    return said


def table(paths: Mapping[str, Plane]) -> pd.DataFrame:
    """One row a run and step: alignment and the uniformity of each modality, with intervals and chance."""
    frames = []
    for name, path in paths.items():
        columns: dict[str, object] = {"run": name, "step": path.steps}
        for what, curve in {"alignment": path.alignment, **{f"uniformity of {key}": one for key, one in
                                                             path.uniformity.items()}}.items():
            columns[what] = curve.values
            if curve.low is not None and curve.high is not None:
                columns |= {f"{what} low": curve.low, f"{what} high": curve.high}
            columns[f"{what} by chance"] = curve.null
        frames.append(pd.DataFrame({**columns, **{f"n of {key}": count for key, count in path.counts.items()}}))
    return pd.concat(frames, ignore_index=True)
