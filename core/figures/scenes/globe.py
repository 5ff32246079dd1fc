"""A sphere scene as a plotly figure, to turn in a notebook, to export and to test."""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from core.figures import theme
from core.figures.colours import KIND_TITLES, legend
from core.geometry import directions as s2
from core.scene import POINT_KINDS, Mark, SphereScene

if TYPE_CHECKING:
    import plotly.graph_objects as go

HOVER_LENGTH = 280
MOST_PAIRS = 600
_FARTHEST = np.radians(50)
_SYMBOLS = {"image": "circle", "text": "diamond", "prompt": "cross"}


def hover_text(label: str) -> str:
    """A label as plotly shows it on hover: shortened, wrapped, with nothing in it that plotly would obey."""
    if len(label) > HOVER_LENGTH:
        label = label[:HOVER_LENGTH].rstrip() + " …"
    lines = [part for line in label.splitlines() for part in (textwrap.wrap(line, 48) or [""])]
    return "<br>".join(html.escape(line) for line in lines)


def sphere(scene: SphereScene, dark: bool = False) -> go.Figure:
    """Draw a scene: the sphere with its grid, points by kind, arcs, caps, marks, arrows and heat.

    Parameters
    ----------
    scene
        What to draw, in map coordinates.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure with the finding as its title and the fidelity of the map below it.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    figure = go.Figure([*_globe(scene, dark), *_pairs(scene, dark), *_points(scene, dark), *_overlays(scene, dark)])
    hidden = {"visible": False, "range": [-1.08, 1.08]}
    eye = 1.5 * looking_at(scene)
    note = "<br>".join(html.escape(line) for line in textwrap.wrap(scene.note, 110))
    figure.update_layout(
        template=theme.template(dark), height=720,
        title={"text": html.escape(scene.title), "y": 0.97, "yanchor": "top"},
        scene={"xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "aspectmode": "cube", "bgcolor": p.background,
               "camera": {"eye": dict(zip("xyz", map(float, eye))), "projection": {"type": "perspective"}},
               "dragmode": "orbit", "annotations": [_label(mark, dark) for mark in scene.marks]},
        margin={"l": 8, "r": 8, "t": 48, "b": 24 + 18 * (note.count("<br>") + 1)},
        legend={"x": 0, "y": 1, "xanchor": "left", "yanchor": "top"},
    )
    if note:
        figure.add_annotation(text=note, xref="paper", yref="paper", x=0, y=0, xanchor="left", yanchor="top",
                              align="left", showarrow=False, font={"size": theme.SMALLEST_FONT, "color": p.muted})
    return figure


def _label(mark: Mark, dark: bool) -> dict[str, object]:
    p = theme.palette(dark)
    x, y, z = (float(v) for v in np.asarray(mark.place) * 1.02)
    return {"x": x, "y": y, "z": z, "text": html.escape(mark.label), "showarrow": False, "yshift": 16,
            "bgcolor": theme.rgba(p.background, 0.75), "borderpad": 2,
            "font": {"size": 13, "color": p.kinds[mark.kind]}}


def looking_at(scene: SphereScene) -> np.ndarray:
    """Where to look from: (3,) unit, in the middle of the points, but with the images no farther than 50 degrees."""
    if not len(scene):
        return np.array([0.8, -0.5, 0.33])
    middle = _mean(scene.coords)
    images = scene.coords[scene.kinds == 0]
    if len(images):
        towards = s2.log_map(_mean(images), middle)
        far = float(np.linalg.norm(towards))
        middle = s2.exp_map(_mean(images), towards * min(1.0, _FARTHEST / max(far, 1e-9)))
    middle[2] = np.clip(middle[2], -0.75, 0.75)
    return middle / np.linalg.norm(middle)


def _mean(coords: np.ndarray) -> np.ndarray:
    mean = coords.mean(axis=0, dtype=np.float64) + np.array([1e-6, 0, 0])
    return mean / np.linalg.norm(mean)


def _globe(scene: SphereScene, dark: bool) -> list[go.BaseTraceType]:
    import plotly.graph_objects as go

    p = theme.palette(dark)
    rows, columns = (65, 129) if scene.heat is None else scene.heat.shape
    latitude = np.radians(np.linspace(-90, 90, rows))[:, None]
    longitude = np.radians(np.linspace(-180, 180, columns))[None, :]
    x, y = np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude)
    z = np.repeat(np.sin(latitude), columns, axis=1)
    shade = [[0, theme.mixed(p.sphere, p.muted, 0.86)], [1, p.sphere]]
    heat: dict[str, object] = {"surfacecolor": z, "colorscale": shade, "showscale": False, "opacity": 0.4}
    if scene.heat is not None:
        low, high = scene.heat_range
        heat = {"surfacecolor": scene.heat, "cmin": 0, "cmax": 1, "opacity": 0.55,
                "colorscale": theme.colorscale(dark, heat=True, both_ways=scene.heat_two_way),
                "colorbar": {"title": {"text": html.escape(scene.heat_title)}, "thickness": 12, "len": 0.5,
                             "tickvals": [0, 0.5, 1], "ticktext": [f"{v:.3g}" for v in (low, (low + high) / 2, high)]}}
    lines = s2.graticule(step=30)
    gaps = np.full((len(lines), 1, 3), np.nan)
    flat = np.concatenate([lines, gaps], axis=1).reshape(-1, 3)
    return [go.Surface(x=x * 0.995, y=y * 0.995, z=z * 0.995, hoverinfo="skip", name="sphere",
                       lighting={"ambient": 1, "diffuse": 0, "specular": 0, "fresnel": 0}, **heat),
            _line(flat, theme.mixed(p.grid, p.muted, 0.75), 1, name="grid")]


def _line(path: np.ndarray, colour: str, width: float, *, name: str, legend: bool = False) -> go.Scatter3d:
    import plotly.graph_objects as go

    return go.Scatter3d(x=path[:, 0], y=path[:, 1], z=path[:, 2], mode="lines", name=name, hoverinfo="skip",
                        showlegend=legend, line={"color": colour, "width": width})


def _points(scene: SphereScene, dark: bool) -> list[go.BaseTraceType]:
    import plotly.graph_objects as go

    key = legend(scene, dark)
    size = float(np.clip(110 / max(len(scene), 1) ** 0.5, 1.2, 5))
    hovers = np.array([hover_text(label) for label in scene.labels], dtype=object)
    chosen = np.ones(len(scene), dtype=bool) if scene.selected is None else np.asarray(scene.selected, dtype=bool)
    grey = theme.palette(dark).unselected
    traces: list[go.BaseTraceType] = []

    def add(rows: np.ndarray, name: str, kind: str, marker: dict[str, object]) -> None:
        if len(rows):
            marker = {"size": size * (1.8 if kind == "prompt" else 1), "opacity": 0.9, "symbol": _SYMBOLS[kind],
                      "line": {"width": 0}, **marker}
            traces.append(go.Scatter3d(
                x=scene.coords[rows, 0], y=scene.coords[rows, 1], z=scene.coords[rows, 2], mode="markers",
                name=html.escape(name), hovertext=hovers[rows], hoverinfo="text", marker=marker, customdata=rows))

    for code, kind in enumerate(POINT_KINDS):
        of_kind = scene.kinds == code
        add(np.flatnonzero(of_kind & ~chosen), f"{KIND_TITLES[kind]}, {scene.others}", kind,
            {"color": grey, "opacity": 0.4})
        if key.values is not None:
            rows = np.flatnonzero(of_kind & chosen)
            add(rows, KIND_TITLES[kind], kind,
                {"color": np.where(np.isfinite(key.values), key.values, key.low)[rows], "cmin": key.low,
                 "cmax": key.high, "colorscale": theme.colorscale(dark), "showscale": not traces,
                 "colorbar": {"title": {"text": html.escape(key.title)}, "thickness": 12, "len": 0.5}})
            continue
        for group, name in enumerate(key.names):
            add(np.flatnonzero(of_kind & chosen & (key.index == group)),
                name if scene.colouring is None else f"{name} ({KIND_TITLES[kind]})", kind,
                {"color": "rgb({},{},{})".format(*map(int, key.table[group]))})
    return traces


def _pairs(scene: SphereScene, dark: bool) -> list[go.BaseTraceType]:
    if not len(scene.pairs):
        return []
    pairs = scene.pairs
    if len(pairs) > MOST_PAIRS:
        pairs = pairs[np.linspace(0, len(pairs) - 1, MOST_PAIRS).astype(np.int64)]
    curves = s2.arcs(scene.coords[pairs[:, 0]], scene.coords[pairs[:, 1]], steps=16)
    gaps = np.full((len(curves), 1, 3), np.nan)
    flat = np.concatenate([curves, gaps], axis=1).reshape(-1, 3)
    name = "pairs" if len(pairs) == len(scene.pairs) else f"pairs ({len(pairs):,} of {len(scene.pairs):,})"
    p = theme.palette(dark)
    return [_line(flat, theme.mixed(p.muted, p.background, 0.45), 1.2, name=name, legend=True)]


def _overlays(scene: SphereScene, dark: bool) -> list[go.BaseTraceType]:
    import plotly.graph_objects as go

    p = theme.palette(dark)
    traces: list[go.BaseTraceType] = []
    for cap in scene.caps:
        edge = s2.circle(cap.centre, cap.radius) * 1.003
        traces.append(_line(edge, p.kinds[cap.kind], 4, name=html.escape(cap.label), legend=bool(cap.label)))
    for arc in scene.arcs:
        path = s2.arcs(np.asarray(arc.start)[None], np.asarray(arc.end)[None], steps=48)[0] * 1.006
        traces.append(_line(path, p.kinds[arc.kind], 7, name=html.escape(arc.label), legend=bool(arc.label)))
    if scene.lines:
        gap = np.full((1, 3), np.nan)
        flat = np.concatenate([part for line in scene.lines for part in (np.asarray(line) * 1.003, gap)])
        traces.append(_line(flat, theme.rgba(p.kinds["plain"], 0.75), 2, name="lines"))
    if len(scene.arrows):
        a, b = np.asarray(scene.arrows)[:, 0], np.asarray(scene.arrows)[:, 1]
        shafts = np.concatenate([s2.arcs(a, b, steps=8), np.full((len(a), 1, 3), np.nan)], axis=1).reshape(-1, 3)
        head = s2.log_map(b, a) * -0.4
        traces.append(_line(shafts * 1.003, p.kinds["plain"], 3, name="arrows"))
        traces.append(go.Cone(x=b[:, 0], y=b[:, 1], z=b[:, 2], u=head[:, 0], v=head[:, 1], w=head[:, 2], anchor="tip",
                              showscale=False, hoverinfo="skip", sizemode="scaled", sizeref=0.6,
                              colorscale=[[0, p.kinds["plain"]], [1, p.kinds["plain"]]], name="arrow heads"))
    if scene.marks:
        places = np.array([m.place for m in scene.marks]) * 1.01
        traces.append(go.Scatter3d(
            x=places[:, 0], y=places[:, 1], z=places[:, 2], mode="markers", name="marks", showlegend=False,
            hovertext=[html.escape(m.label) for m in scene.marks], hoverinfo="text",
            marker={"size": 8, "symbol": "circle", "color": [p.kinds[m.kind] for m in scene.marks],
                    "line": {"color": p.background, "width": 2}}))
    return traces
