"""A picture to draw a region on, and what the image tower takes of it."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from core.attention.prompts import mask_of
from core.attention.regions import Box, Region
from core.figures import theme
from core.figures.frame import TITLE_WIDTH, framed

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from PIL.Image import Image

SIDE = 400                 # of the drawn picture, pixels
LARGEST = 1024             # of the picture within a figure, pixels
SHEET = 260                # of a picture that is drawn on, beside another, pixels
POINTS = 12
EDGE = 8                   # around a picture, pixels
LEGEND = 40
CLOSER = 14                # to its title than other figures are, pixels
NARROW = 40                # letters in a line of a title over such a picture
LOWEST = 0.35              # a figure, of its width


def on_picture(image: Image, *, dark: bool = False) -> go.Figure:
    """A figure whose axes are pixels of a picture, with the picture as its ground."""
    import plotly.graph_objects as go

    width, height = image.size
    figure = go.Figure()
    figure.add_layout_image(source=as_uri(image), x=0, y=0, sizex=width, sizey=height, xref="x", yref="y",
                            xanchor="left", yanchor="top", sizing="stretch", layer="below")
    hidden: dict[str, Any] = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "",
                              "showline": False}
    figure.update_xaxes(range=[0, width], constrain="domain", **hidden)
    figure.update_yaxes(range=[height, 0], scaleanchor="x", constrain="domain", constraintoward="top", **hidden)
    return figure


def framed_picture(figure: go.Figure, image: Image, title: str, *, side: int = SIDE, dark: bool = False,
                   legend: bool = False) -> go.Figure:
    """Give a figure of `on_picture` its title, and no more room than the picture needs; ``side`` pixels at most."""
    width, height = image.size
    below = LEGEND if legend else EDGE
    framed(figure, title, height=round(side * min(max(height / width, LOWEST), 1.0)) + below + EDGE, dark=dark,
           legend=legend, wide=NARROW if side == SHEET else TITLE_WIDTH)
    return figure.update_layout(margin={"l": EDGE, "r": EDGE, "t": figure.layout.margin.t - CLOSER, "b": below})


def as_uri(image: Image) -> str:
    """A picture as a data URI, made smaller where it is larger than a page shows and larger where pixels would blur."""
    from PIL import Image as Pillow

    scale = LARGEST / max(image.size)
    if scale < 1:
        image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), reducing_gap=3)
    elif max(image.size) < SIDE:
        times = -(-SIDE // max(image.size))
        image = image.resize((image.width * times, image.height * times), Pillow.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=90)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def canvas(image: Image, *, dark: bool = False) -> go.Figure:
    """A picture to draw boxes and outlines on; its figure depends on nothing but the picture."""
    import plotly.graph_objects as go

    width, height = image.size
    x, y = np.meshgrid((np.arange(POINTS) + 0.5) * width / POINTS, (np.arange(POINTS) + 0.5) * height / POINTS)
    figure = on_picture(image, dark=dark)
    figure.add_trace(go.Scatter(x=x.ravel(), y=y.ravel(), mode="markers", marker={"opacity": 0, "size": 1},
                                selected={"marker": {"opacity": 0}}, unselected={"marker": {"opacity": 0}},
                                hoverinfo="skip"))
    framed_picture(figure, image, "Draw a box on the picture", side=SHEET, dark=dark)
    colour = theme.palette(dark).kinds["text"]
    line = {"color": colour, "width": 3, "dash": "solid"}
    figure.update_layout(dragmode="select", newselection={"line": line},
                         activeselection={"fillcolor": colour, "opacity": 0.15})
    return figure


def taken(image: Image, region: Region | None, covered: np.ndarray | None, inside: np.ndarray | None,
          seen: tuple[float, float, float, float], grid: tuple[int, int], *, dark: bool = False) -> go.Figure:
    """What the image tower takes for a region, and what is cut away.

    Parameters
    ----------
    image, region
        The picture, and what is looked at of it.
    covered, inside
        (rows, columns) share of each patch that the region covers, in [0, 1], and bool which it covers by half or more;
        None without a region.
    seen
        Left, top, right, bottom of what the preprocessing leaves, in pixels of the picture.
    grid
        (rows, columns) of patches.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    width, height = image.size
    left, top, right, bottom = seen
    rows, columns = grid
    figure = on_picture(image, dark=dark)
    cut = 1 - (right - left) * (bottom - top) / (width * height)
    for box in (Box(0, 0, width, top), Box(0, bottom, width, height), Box(0, top, left, bottom),
                Box(right, top, width, bottom)):
        if box.area > 0:
            figure.add_shape(type="rect", x0=box.left, y0=box.top, x1=box.right, y1=box.bottom, line={"width": 0},
                             fillcolor=theme.rgba(p.background, 0.75))
    said = f"{rows} x {columns} patches, no region yet"
    if region is not None and covered is not None and inside is not None:
        across, down = (right - left) / columns, (bottom - top) / rows
        figure.add_trace(go.Heatmap(
            z=np.where(inside, 1.0, np.where(covered > 0, 0.0, np.nan)), x=left + across * (np.arange(columns) + 0.5),
            y=top + down * (np.arange(rows) + 0.5), zmin=0, zmax=1, showscale=False, customdata=covered,
            colorscale=[[0, theme.rgba(p.kinds["prompt"], 0.15)], [1, theme.rgba(p.kinds["prompt"], 0.55)]],
            hovertemplate="the region covers %{customdata:.0%} of this patch<extra></extra>", xgap=1, ygap=1))
        partly = int(((covered > 0) & ~inside).sum())
        said = f"{int(inside.sum()):,} of {rows * columns:,} patches are covered" + (
            f", {partly:,} in part" if partly else "")
        _outline(figure, region, p.kinds["text"])
    title = said + (f"; {100 * cut:.0f} % is cut away" if cut > 0.005 else "")
    return framed_picture(figure, image, title, side=SHEET, dark=dark)


def _outline(figure: go.Figure, region: Region, colour: str) -> None:
    import plotly.graph_objects as go

    if region.mask is None:
        x: list[float | None] = []
        y: list[float | None] = []
        for box in region.boxes:
            x += [box.left, box.right, box.right, box.left, box.left, None]
            y += [box.top, box.top, box.bottom, box.bottom, box.top, None]
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line={"color": colour, "width": 3}, hoverinfo="skip"))
        return
    height, width = region.mask.shape
    step = max(1, max(height, width) // SIDE)
    shown = mask_of(region, width, height)[::step, ::step].astype(np.float32)
    figure.add_trace(go.Contour(
        z=shown, x=np.arange(0, width, step) + step / 2, y=np.arange(0, height, step) + step / 2, showscale=False,
        contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "lines"}, line={"width": 3},
        colorscale=[[0, colour], [1, colour]], hoverinfo="skip"))
