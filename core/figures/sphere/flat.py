"""The sphere laid flat, areas kept: the same points in a plane, to draw a lasso round."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from core.figures import theme
from core.figures.colours import KIND_TITLES, legend
from core.figures.scenes.globe import hover_text, looking_at
from core.geometry import directions as s2
from core.scene import POINT_KINDS, SphereScene

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_LABELLED = 20_000
_SYMBOLS = {"image": "circle", "text": "diamond", "prompt": "star"}


def flat_sphere(scene: SphereScene, dark: bool = False, *, centre: np.ndarray | None = None) -> go.Figure:
    """Lambert's picture of a scene: each region is as large as on the sphere, the antipode of the centre is the rim.

    Parameters
    ----------
    scene
        What to draw, in map coordinates; what is selected is left to the lasso.
    dark
        Colours for a dark background.
    centre
        (3,) unit, what lies in the middle; where most points are, when None.

    Returns
    -------
    plotly Figure with one trace of points for each kind, whose ``customdata`` are their rows; dragging draws a lasso.
    Above 20,000 points it has no hover texts.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    middle = looking_at(scene) if centre is None else np.asarray(centre, dtype=np.float64)
    figure = go.Figure()
    grid = np.concatenate([_flat_line(line, middle) for line in s2.graticule(step=30)])
    _add_line(figure, grid, theme.mixed(p.grid, p.background, 0.8), 1)
    around = np.linspace(0, 2 * np.pi, 181)
    _add_line(figure, 2 * np.stack([np.cos(around), np.sin(around)], axis=1), p.grid, 1.5)
    for cap in scene.caps:
        _add_line(figure, _flat_line(s2.circle(cap.centre, cap.radius, steps=181), middle), p.kinds[cap.kind], 2,
                  cap.label)
    for arc in scene.arcs:
        path = s2.arcs(np.asarray(arc.start)[None], np.asarray(arc.end)[None], steps=60)[0]
        _add_line(figure, _flat_line(path, middle), p.kinds[arc.kind], 3, arc.label)
    _add_points(figure, scene, dark, s2.equal_area(scene.coords, middle))
    axis = {"visible": False, "range": [-2.06, 2.06], "fixedrange": False}
    figure.update_layout(template=theme.template(dark), height=520, dragmode="lasso", xaxis=axis,
                         yaxis={**axis, "scaleanchor": "x"}, margin={"l": 4, "r": 4, "t": 48, "b": 8},
                         title={"text": html.escape(scene.title)},
                         legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "top"})
    return figure


def _flat_line(path: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """A path on the disc, broken where it jumps across the rim, with a gap at its end."""
    flat = s2.equal_area(path, middle)
    jumps = np.flatnonzero(np.linalg.norm(np.diff(flat, axis=0), axis=1) > 1.0) + 1
    return np.concatenate([np.insert(flat, jumps, np.nan, axis=0), [[np.nan, np.nan]]])


def _add_line(figure: go.Figure, flat: np.ndarray, colour: str, width: float, name: str = "") -> None:
    import plotly.graph_objects as go

    figure.add_trace(go.Scattergl(x=flat[:, 0], y=flat[:, 1], mode="lines", hoverinfo="skip", name=html.escape(name),
                                  showlegend=bool(name), line={"color": colour, "width": width}))


def _add_points(figure: go.Figure, scene: SphereScene, dark: bool, flat: np.ndarray) -> None:
    import plotly.graph_objects as go

    key = legend(scene, dark)
    colours = np.array([f"rgb({r},{g},{b})" for r, g, b in key.table.tolist()])[key.index] if len(scene) else []
    size = float(np.clip(300 / max(len(scene), 1) ** 0.5, 2.5, 9))
    for code, kind in enumerate(POINT_KINDS):
        rows = np.flatnonzero(scene.kinds == code)
        if not len(rows):
            continue
        figure.add_trace(go.Scattergl(
            x=flat[rows, 0], y=flat[rows, 1], mode="markers", name=KIND_TITLES[kind], customdata=rows,
            hovertext=[hover_text(scene.labels[i]) for i in rows] if len(scene) <= MOST_LABELLED else None,
            hoverinfo="text" if len(scene) <= MOST_LABELLED else "skip",
            marker={"size": size * (1.6 if kind == "prompt" else 1), "symbol": _SYMBOLS[kind],
                    "opacity": 0.85, "color": colours[rows]},
            unselected={"marker": {"color": theme.palette(dark).unselected, "opacity": 0.5}}))
