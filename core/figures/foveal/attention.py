"""Attention of all heads of an image tower as one mosaic, one map over the picture, and what falls into a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.foveal.region import framed_picture, on_picture
from core.figures.frame import framed

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from PIL.Image import Image

PERCENTILE = 99.5       # of the values, where the colours of the mosaic end
OPACITY = 0.72
KINDS = {"after": "with the mask", "before": "without it", "change": "the change"}


def mosaic(values: np.ndarray, title: str, *, change: bool = False, chosen: tuple[int, int] | None = None,
           dark: bool = False) -> go.Figure:
    """Maps of all heads of all layers, side by side in one heatmap.

    Parameters
    ----------
    values
        (layers, heads, rows, columns), as multiples of even attention; or the change of such numbers.
    title
        The finding.
    change
        Whether values lie on both sides of nothing.
    chosen
        The (layer, head) that is shown large elsewhere.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: heads from left to right, layers from above. A click has ``customdata`` [layer, head], from 0.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    layers, heads, rows, columns = values.shape
    tiles = np.full((layers, rows + 1, heads, columns + 1), np.nan, dtype=np.float32)
    tiles[:, :rows, :, :columns] = values.transpose(0, 2, 1, 3)
    end = float(np.percentile(np.abs(values), PERCENTILE)) or 1.0
    figure = go.Figure(go.Heatmap(
        z=tiles.reshape(layers * (rows + 1), heads * (columns + 1)), zmin=-end if change else 0, zmax=end,
        x0=0.5 / (columns + 1), dx=1 / (columns + 1), y0=0.5 / (rows + 1), dy=1 / (rows + 1), hoverinfo="skip",
        colorscale=theme.colorscale(dark, both_ways=change),
        colorbar={"title": {"text": "change, times even" if change else "times even", "side": "right"},
                  "thickness": 12, "nticks": 5}))
    layer, head = np.mgrid[:layers, :heads]
    places = np.stack([layer.ravel(), head.ravel()], axis=1)
    mean = values.mean(axis=(2, 3)).ravel()
    peak = (np.abs(values) if change else values).max(axis=(2, 3)).ravel()
    figure.add_trace(go.Scatter(
        x=head.ravel() + 0.5, y=layer.ravel() + 0.5, mode="markers", customdata=places, showlegend=False,
        marker={"opacity": 0, "size": 14}, text=[f"layer {a + 1}, head {b + 1}: mean {m:.2f}, highest {h:.2f} times "
                                                 "even" for (a, b), m, h in zip(places.tolist(), mean, peak)],
        hoverinfo="text"))
    if chosen is not None:
        figure.add_shape(type="rect", x0=chosen[1], x1=chosen[1] + columns / (columns + 1), y0=chosen[0],
                         y1=chosen[0] + rows / (rows + 1), line={"color": p.kinds["text"], "width": 3})
    each = 1 if heads <= 8 else 2
    figure.update_xaxes(title_text="head", tickvals=np.arange(0, heads, each) + 0.5,
                        ticktext=[str(i + 1) for i in range(0, heads, each)], range=[0, heads], showgrid=False,
                        zeroline=False, constrain="domain")
    each = 1 if layers <= 16 else 2
    figure.update_yaxes(title_text="layer", tickvals=np.arange(0, layers, each) + 0.5,
                        ticktext=[str(i + 1) for i in range(0, layers, each)], range=[layers, 0], showgrid=False,
                        zeroline=False, scaleanchor="x", scaleratio=rows / columns, constrain="domain")
    figure.update_layout(hovermode="closest", hoverdistance=-1, clickmode="event+select", dragmode=False)
    return framed(figure, title, height=max(170, min(480, 480 * layers // heads)), dark=dark, legend=False)


def mosaic_table(before: np.ndarray, after: np.ndarray | None) -> pd.DataFrame:
    """One row a layer, head and patch, each from 1: attention before and after, shares of 1."""
    at = np.indices(before.shape).reshape(4, -1) + 1
    table = pd.DataFrame({"layer": at[0], "head": at[1], "row": at[2], "column": at[3], "before": before.ravel()})
    return table if after is None else table.assign(after=after.ravel())


def over(image: Image, values: np.ndarray, seen: tuple[float, float, float, float], title: str, *,
         change: bool = False, end: float | None = None, token: tuple[int, int] | None = None,
         dark: bool = False) -> go.Figure:
    """One map of patches over the picture.

    Parameters
    ----------
    image
        Upright, RGB.
    values
        (rows, columns), as multiples of even attention, or their change.
    seen
        Left, top, right, bottom of what the model sees of the picture, in its pixels.
    title
        The finding.
    change
        Whether values lie on both sides of nothing.
    end
        Where the colours end; the highest value by default.
    token
        (row, column) of the patch whose attention it is; it is marked.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure in pixels of the picture. A click on a patch has ``customdata`` [row, column], from 0.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    rows, columns = values.shape
    left, top, right, bottom = seen
    across, down = (right - left) / columns, (bottom - top) / rows
    x, y = left + across * (np.arange(columns) + 0.5), top + down * (np.arange(rows) + 0.5)
    end = float(np.abs(values).max()) if end is None else end
    figure = on_picture(image, dark=dark)
    figure.add_trace(go.Heatmap(
        z=values, x=x, y=y, zmin=-(end or 1) if change else 0, zmax=end or 1, opacity=OPACITY, hoverinfo="skip",
        colorscale=theme.colorscale(dark, both_ways=change),
        colorbar={"title": {"text": "change, times even" if change else "times even", "side": "right"},
                  "thickness": 12, "nticks": 5}))
    row, column = np.mgrid[:rows, :columns]
    figure.add_trace(go.Scatter(
        x=x[column.ravel()], y=y[row.ravel()], mode="markers", marker={"opacity": 0, "size": 12}, showlegend=False,
        customdata=np.stack([row.ravel(), column.ravel()], axis=1), hoverinfo="text",
        text=[f"row {r + 1}, column {c + 1}: {v:+.2f} times even" if change else
              f"row {r + 1}, column {c + 1}: {v:.2f} times even"
              for r, c, v in zip(row.ravel(), column.ravel(), values.ravel())]))
    if token is not None:
        figure.add_shape(type="rect", x0=left + across * token[1], x1=left + across * (token[1] + 1),
                         y0=top + down * token[0], y1=top + down * (token[0] + 1),
                         line={"color": p.kinds["text"], "width": 3})
    figure.update_layout(hovermode="closest", hoverdistance=-1, clickmode="event+select", dragmode=False)
    return framed_picture(figure, image, title, dark=dark)


def over_table(maps: dict[str, np.ndarray]) -> pd.DataFrame:
    """One row a patch, its row and column from 1, and its value in each map, in multiples of even attention."""
    first = next(iter(maps.values()))
    row, column = np.indices(first.shape).reshape(2, -1) + 1
    return pd.DataFrame({"row": row, "column": column, **{name: values.ravel() for name, values in maps.items()}})


def within(before: np.ndarray, after: np.ndarray | None, even: float, *, whose: str = "class token",
           dark: bool = False) -> go.Figure:
    """The share of attention that falls into a region, layer by layer.

    Parameters
    ----------
    before, after
        (layers, heads) in [0, 1]; ``after`` None where nothing is masked.
    even
        The region's share of all patches: what attention gets that looks everywhere alike.
    whose
        "class token", or what the model has in its place.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: layers against shares (%), a line through the means of the heads, a dot a head, chance dotted.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    layers, heads = before.shape
    figure = go.Figure()
    at = np.arange(1, layers + 1)
    parts = [("without the mask", before, p.kinds["plain"], -0.06)]
    if after is not None:
        parts.append(("with the mask", after, p.kinds["prompt"], 0.06))
    for name, values, colour, aside in parts:
        figure.add_trace(go.Scatter(
            x=np.repeat(at + aside, heads), y=100 * values.ravel(), mode="markers", showlegend=False, legendgroup=name,
            marker={"size": 5, "color": colour, "opacity": 0.45},
            text=[f"layer {a + 1}, head {b + 1}" for a in range(layers) for b in range(heads)],
            hovertemplate=f"%{{y:.1f}} % in %{{text}}<extra>{name}</extra>"))
        figure.add_trace(go.Scatter(
            x=at + aside, y=100 * values.mean(axis=1), mode="lines+markers", name=name, legendgroup=name,
            line={"color": colour, "width": 2.4}, marker={"size": 8},
            hovertemplate=f"%{{y:.1f}} %, mean of {heads} heads<extra>{name}</extra>"))
    figure.add_trace(go.Scatter(
        x=[0.5, layers + 0.5], y=[100 * even] * 2, mode="lines", name="share of the patches",
        line={"color": p.muted, "width": 1.8, "dash": "dot"}, hovertemplate="%{y:.1f} % of the patches<extra></extra>"))
    figure.update_xaxes(title_text="layer", tickvals=at if layers <= 16 else at[::2], range=[0.5, layers + 0.5])
    figure.update_yaxes(title_text="attention inside the region (%)", range=[0, 102])
    said = f"{100 * before.mean():.0f} % of what the {whose} looks at lies in the region"
    if after is not None:
        said += f", {100 * after.mean():.0f} % with the mask"
    said += f" ({100 * even:.0f} % of the patches do; mean of {layers * heads} heads)"
    return framed(figure, said, height=330, dark=dark)


def within_table(before: np.ndarray, after: np.ndarray | None, even: float) -> pd.DataFrame:
    """One row a layer and head, each from 1: shares of attention inside the region, and what even attention gets."""
    layer, head = np.indices(before.shape).reshape(2, -1) + 1
    table = pd.DataFrame({"layer": layer, "head": head, "before": before.ravel()})
    return (table if after is None else table.assign(after=after.ravel())).assign(**{"by chance": even})
