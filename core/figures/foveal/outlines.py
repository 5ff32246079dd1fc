"""Boxes drawn on a picture: as lines of a figure, and into the pixels of a small picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.attention.regions import Box
from core.figures import theme
from core.figures.frame import plain, shortened

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from PIL.Image import Image

EDGE = 2.5
_TILE = 160


def outline(figure: go.Figure, box: Box, colour: str, told: str, *, dark: bool = False, label: str = "",
            name: str = "", width: float = 2.0, dash: str = "solid", edge: float = EDGE) -> None:
    """Draw a box on the figure of a picture, on an edge that shows on any picture.

    Parameters
    ----------
    figure
        Of `core.figures.foveal.region.on_picture`; changed in place.
    box
        In pixels of its picture.
    colour, width, dash
        Of its line.
    told
        What is said where the pointer is over it.
    label
        Written at its top; none where it is empty.
    name
        In the legend; not there where it is empty.
    dark
        Colours for a dark background.
    edge
        How much wider the line under it is, in the colour of the background.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    x, y = ([box.left, box.right, box.right, box.left, box.left], [box.top, box.top, box.bottom, box.bottom, box.top])
    if edge:
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines", hoverinfo="skip", showlegend=False,
                                    line={"color": p.background, "width": width + edge}))
    figure.add_trace(go.Scatter(
        x=x, y=y, mode="lines", line={"color": colour, "width": width, "dash": dash}, fill="toself",
        fillcolor="rgba(0,0,0,0)", hoveron="fills", text=plain(told), hoverinfo="text", name=plain(name or label),
        showlegend=bool(name)))
    if label:
        high = box.top > 0.06 * figure.layout.yaxis.range[0]
        figure.add_annotation(x=max(box.left, 0), y=max(box.top, 0), text=plain(shortened(label, 30)), showarrow=False,
                              xanchor="left", yanchor="bottom" if high else "top", borderpad=2,
                              bgcolor=theme.rgba(p.background, 0.85),
                              font={"size": theme.SMALLEST_FONT, "color": p.text})


def marked(image: Image, boxes: Sequence[Box], colours: Sequence[str]) -> Image:
    """A small picture with boxes drawn into it, each in its colour (#rrggbb), the last on top."""
    from PIL import ImageDraw

    scale = _TILE / max(image.size)
    small = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    pen = ImageDraw.Draw(small)
    for i, (box, colour) in enumerate(zip(boxes, colours)):
        left, top = max(box.left * scale, 0), max(box.top * scale, 0)
        right, bottom = min(box.right * scale, small.width) - 1, min(box.bottom * scale, small.height) - 1
        if right >= left and bottom >= top:
            pen.rectangle((left, top, right, bottom), outline=colour, width=max(4 - 2 * i, 1))
    return small
