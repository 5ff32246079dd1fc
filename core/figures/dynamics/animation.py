"""A training as an animation: the points of its probe on the sphere, snapshot by snapshot, in one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.scenes.globe import sphere
from core.learning.records.record import MEASURES, Record
from core.scene import SphereScene

if TYPE_CHECKING:
    import plotly.graph_objects as go

MILLISECONDS = 160


def animation(record: Record, images: np.ndarray, texts: np.ndarray, *, title: str = "", note: str = "",
              dark: bool = False) -> go.Figure:
    """The points of a record at each snapshot, with a button that plays them and a slider.

    Parameters
    ----------
    record : whose items and steps they are.
    images, texts : (s, n, 3) and (s, m, 3), unit rows: places on the map.
    title, note : the finding; the map, its fidelity.

    Raises
    ------
    ShapeError
        If the places do not fit the record.
    """
    import plotly.graph_objects as go

    shape = len(record), len(record.probe.images), len(record.probe.texts)
    if images.shape != (*shape[:2], 3) or texts.shape != (shape[0], shape[2], 3):
        raise ShapeError(f"places of {shape[0]} snapshots, {shape[1]} images and {shape[2]} texts",
                         f"{images.shape} and {texts.shape}")
    captions: dict[int, str] = {}
    for row, text in record.probe.links.tolist():
        captions.setdefault(row, record.probe.texts[text])
    labels = (*(f"{name}\n{captions.get(i, '')}" for i, name in enumerate(record.probe.images)), *record.probe.texts)
    scene = SphereScene(np.concatenate([images[-1], texts[-1]]), np.repeat(np.array([0, 1], np.uint8), shape[1:]),
                        labels, title=title, note=note)
    figure = sphere(scene, dark)
    drawn = [i for i, trace in enumerate(figure.data) if trace.type == "scatter3d" and trace.customdata is not None]
    figure.frames = [
        go.Frame(name=str(step), traces=drawn, data=[_at(trace.customdata, places) for trace in
                                                     (figure.data[i] for i in drawn)])
        for step, places in zip(record.steps.tolist(), np.concatenate([images, texts], axis=1))]
    p = theme.palette(dark)
    play = {"frame": {"duration": MILLISECONDS, "redraw": True}, "transition": {"duration": 0}, "mode": "immediate"}
    figure.update_layout(
        margin={"b": 120},
        updatemenus=[{"type": "buttons", "direction": "left", "x": 0, "y": -0.04, "xanchor": "left", "yanchor": "top",
                      "bgcolor": p.panel, "font": {"color": p.text}, "pad": {"t": 8}, "buttons": [
                          {"label": "Play", "method": "animate", "args": [None, {**play, "fromcurrent": True}]},
                          {"label": "Pause", "method": "animate", "args": [[None], {
                              **play, "frame": {"duration": 0, "redraw": False}}]}]}],
        sliders=[{"x": 0.2, "len": 0.78, "y": -0.04, "yanchor": "top", "active": len(record) - 1,
                  "currentvalue": {"prefix": "step ", "font": {"color": p.text}},
                  "steps": [{"label": str(step), "method": "animate", "args": [[str(step)], {
                      "frame": {"duration": 0, "redraw": True}, "mode": "immediate"}]}
                            for step in record.steps.tolist()]}])
    return figure


def _at(rows: Sequence[int], places: np.ndarray) -> go.Scatter3d:
    import plotly.graph_objects as go

    x, y, z = places[np.asarray(rows)].T
    return go.Scatter3d(x=x, y=y, z=z)


def record_table(record: Record) -> pd.DataFrame:
    """What was measured: one row a snapshot, one column a measure with its unit."""
    return pd.DataFrame({"step": record.steps, **{MEASURES[key]: values for key, values in record.measures.items()}})
