"""Where a sentence is found in a picture: the heat of sliding windows, the best box, and the true one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.attention.regions import Box
from core.figures import theme
from core.figures.foveal.outlines import outline
from core.figures.foveal.region import framed_picture, on_picture
from core.figures.frame import shortened

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from PIL.Image import Image

OPACITY = 0.55


def heat(image: Image, values: np.ndarray, found: Box, sentence: str, *, seen: tuple[float, float, float, float],
         truth: Box | None = None, overlap: float | None = None, chance: float | None = None,
         dark: bool = False) -> go.Figure:
    """The heat of a sentence over a picture, the box that was found and the one that is meant.

    Parameters
    ----------
    image
        Upright, RGB.
    values
        (rows, columns) heat of each patch, a score.
    found
        The best window, in pixels of the picture.
    sentence
        What was looked for.
    seen
        Left, top, right, bottom of what the model sees of the picture, in its pixels: the ends of the patches.
    truth, overlap, chance
        The box that is meant, its intersection over union with the one found, and that of a window at random; None
        where it is not known.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure in pixels of the picture.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    rows, columns = values.shape
    left, top, right, bottom = seen
    across, down = (right - left) / columns, (bottom - top) / rows
    figure = on_picture(image, dark=dark)
    figure.add_trace(go.Heatmap(
        z=values, x0=left + across / 2, dx=across, y0=top + down / 2, dy=down, opacity=OPACITY,
        colorscale=theme.colorscale(dark, heat=True), colorbar={"title": {"text": "score"}, "thickness": 12,
                                                                "nticks": 5},
        hovertemplate="%{z:.4f} at %{x:.0f}, %{y:.0f}<extra></extra>"))
    outline(figure, found, p.kinds["image"], "found", dark=dark, width=4, name="found")
    if truth is not None:
        outline(figure, truth, p.kinds["prompt"], "meant", dark=dark, width=3, dash="dash", name="meant")
    said = f"“{shortened(sentence, 60)}” is found at {_where(found)}"
    if overlap is not None:
        said += f": intersection over union {overlap:.2f}"
        said += "" if chance is None else f" (a window at random {chance:.2f})"
    return framed_picture(figure, image, said, dark=dark, legend=True)


def heat_table(values: np.ndarray, seen: Sequence[float]) -> pd.DataFrame:
    """One row a patch: its middle in pixels of the picture, and its heat."""
    rows, columns = values.shape
    left, top, right, bottom = seen
    y, x = np.mgrid[:rows, :columns]
    return pd.DataFrame({"x": (left + (x + 0.5) * (right - left) / columns).ravel(),
                         "y": (top + (y + 0.5) * (bottom - top) / rows).ravel(), "score": values.ravel()})


def _where(box: Box) -> str:
    return f"{box.left:.0f}, {box.top:.0f} to {box.right:.0f}, {box.bottom:.0f}"
