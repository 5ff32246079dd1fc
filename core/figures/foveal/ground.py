"""A picture as the ground of a figure, in its own pixels, with boxes drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.attention.regions import Box
from core.figures import theme
from core.figures.frame import plain, shortened

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from PIL.Image import Image

HEIGHT = 380
_LARGEST = 640


def ground(image: Image, *, dark: bool = False) -> go.Figure:
    """A figure whose axes are the pixels of a picture, from its left and its top, with the picture under them.

    Parameters
    ----------
    image
        Upright, RGB; a large one is drawn smaller, at its own size on the axes.
    dark
        Colours for a dark background.
    """
    import plotly.graph_objects as go

    width, height = image.size
    drawn = image.copy()
    drawn.thumbnail((_LARGEST, _LARGEST))
    figure = go.Figure()
    figure.add_layout_image(source=drawn, xref="x", yref="y", x=0, y=0, sizex=width, sizey=height, sizing="stretch",
                            layer="below")
    figure.update_xaxes(range=[0, width], constrain="domain", showgrid=False, zeroline=False, title_text="pixels")
    figure.update_yaxes(range=[height, 0], constrain="domain", scaleanchor="x", showgrid=False, zeroline=False,
                        title_text="pixels")
    return figure


def outline(figure: go.Figure, box: Box, colour: str, told: str, *, dark: bool = False, label: str = "",
            name: str = "", width: float = 2.0, dash: str = "solid") -> None:
    """Draw a box on a ground, on a thin edge that shows on any picture.

    Parameters
    ----------
    figure
        Of `ground`; changed in place.
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
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    x, y = _round(box.left, box.right), [box.top, box.top, box.bottom, box.bottom, box.top]
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", hoverinfo="skip", showlegend=False,
                                line={"color": p.background, "width": width + 2.5}))
    figure.add_trace(go.Scatter(
        x=x, y=y, mode="lines", line={"color": colour, "width": width, "dash": dash}, fill="toself",
        fillcolor="rgba(0,0,0,0)", hoveron="fills", text=plain(told), hoverinfo="text", name=plain(name or label),
        showlegend=bool(name)))
    if label:
        figure.add_annotation(x=box.left, y=box.top, text=plain(shortened(label, 30)), showarrow=False, xanchor="left",
                              yanchor="bottom" if box.top > 0.06 * figure.layout.yaxis.range[0] else "top",
                              bgcolor=theme.rgba(p.background, 0.85), borderpad=2,
                              font={"size": theme.SMALLEST_FONT, "color": p.text})


def _round(left: float, right: float) -> Sequence[float]:
    return [left, right, right, left, left]
