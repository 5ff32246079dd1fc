"""How items share the cells of the region they span: the fullest cell first, beside the same by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import as_percent, framed
from core.geometry.quality.coverage import TITLES, Coverage
from core.types import Modality

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("The region that the items span is cut into cells about random vectors; each bar counts the items of a "
           "cell, the fullest first. The line is what as many random vectors of the same mean and covariance give: "
           "items that crowd in few cells start above it and end before it. Click a bar to see what lies in its cell.")


def coverage(report: Coverage, *, of: Modality = "image", dark: bool = False) -> go.Figure:
    """Items of each cell, the fullest first.

    Parameters
    ----------
    report
        Of one or more items.
    of
        Modality of the items.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: cells in the order of their items (% of all cells) against items; the same by chance as a step line.
    ``customdata`` of a bar is the number of its cell.

    Raises
    ------
    ShapeError
        If there are no items.
    """
    import plotly.graph_objects as go

    if not len(report.counts):
        raise ShapeError("items that cover something", "none", "Open some images, or keep some.")
    p, order = theme.palette(dark), np.argsort(-report.counts, kind="stable")
    m, filled = len(order), int((report.counts > 0).sum())
    at = 100 * (np.arange(m) + 0.5) / m
    figure = go.Figure(go.Bar(
        x=at[:filled], y=report.counts[order[:filled]], width=100 / m, customdata=order[:filled], name="items",
        marker={"color": p.kinds[of], "line": {"width": 0}},
        hovertemplate="%{y:,} items in cell %{customdata}<extra></extra>"))
    figure.add_trace(go.Scatter(
        x=100 * np.arange(m + 1) / m, y=np.append(np.sort(report.by_chance)[::-1], 0), mode="lines", name="by chance",
        line={"color": p.text, "width": 1.6, "shape": "hv"}, hovertemplate="%{y:,} by chance<extra></extra>"))
    figure.update_xaxes(title_text="cells, the fullest first (%)", range=[0, 100])
    figure.update_yaxes(title_text="items in the cell", rangemode="tozero")
    figure.update_layout(bargap=0)
    cells, fullest = report.numbers["cells"], report.numbers["fullest"]
    said = (f"{cells.n:,} items lie in {as_percent(cells)} of {m:,} cells; the fullest tenth of the cells holds "
            f"{as_percent(fullest)} of them")
    return framed(figure, said, height=300, dark=dark)


def coverage_table(report: Coverage) -> pd.DataFrame:
    """One row a number: what it is, its value, interval, chance, n and unit."""
    return pd.DataFrame([{"measure": TITLES[key], "value": n.value, "low": n.low, "high": n.high, "by chance": n.null,
                          "n": n.n, "unit": n.unit} for key, n in report.numbers.items()])
