"""The sphere laid flat, areas kept: the same points in a plane, to draw a lasso round."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from core.figures import theme
from core.figures.colours import legend
from core.figures.sphere import hover_text, looking_at
from core.geometry import sphere as s2
from core.scene import POINT_KINDS, SphereScene

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_LABELLED = 20_000
_SYMBOLS = {"image": "circle", "text": "diamond", "prompt": "star"}


def flat_sphere(scene: SphereScene, dark: bool = False, *, centre: np.ndarray | None = None) -> go.Figure:
    """Lambert's equal-area picture of a scene's points, one trace for each kind; ``customdata`` holds their rows.

    Parameters
    ----------
    scene
        What to draw; its selection, arcs and caps are left out.
    dark
        Colours for a dark background.
    centre
        (3,) unit, what lies in the middle; where most points are by default.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    plane = s2.equal_area(scene.coords, looking_at(scene.coords) if centre is None else centre)
    colours = legend(scene, dark)
    rgb = np.array([f"rgb({r},{g},{b})" for r, g, b in colours.table.tolist()])[colours.index]
    size = float(np.clip(180 / max(len(scene), 1) ** 0.5, 3, 9))
    round_ = np.linspace(0, 2 * np.pi, 181)
    figure = go.Figure([go.Scattergl(x=2 * np.cos(round_), y=2 * np.sin(round_), mode="lines", hoverinfo="skip",
                                     line={"color": p.grid, "width": 1}, showlegend=False, name="rim")])
    for code, kind in enumerate(POINT_KINDS):
        rows = np.flatnonzero(scene.kinds == code)
        if not len(rows):
            continue
        hovers = ([hover_text(scene.labels[i]) for i in rows] if len(scene) <= MOST_LABELLED
                  else [kind] * len(rows))
        figure.add_trace(go.Scattergl(
            x=plane[rows, 0], y=plane[rows, 1], mode="markers", name=f"{kind}s", customdata=rows, hovertext=hovers,
            hoverinfo="text", marker={"color": rgb[rows], "size": size * (1.8 if kind == "prompt" else 1),
                                      "symbol": _SYMBOLS[kind], "line": {"width": 0.5, "color": p.background}},
            unselected={"marker": {"color": p.unselected, "opacity": 0.5}}))
    hidden = {"visible": False, "range": [-2.1, 2.1]}
    figure.update_layout(template=theme.template(dark), height=560, dragmode="lasso",
                         xaxis=hidden, yaxis={**hidden, "scaleanchor": "x"},
                         title={"text": html.escape(scene.title)}, margin={"l": 8, "r": 8, "t": 48, "b": 8},
                         legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    return figure
