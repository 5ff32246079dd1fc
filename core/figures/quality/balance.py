"""Classes of a dataset by their size, beside as many labels drawn evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened, spoken
from core.geometry.quality.balance import FEW, Balance

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("A bar a class, the largest first; the line is how large the largest, second largest, ... class would be if "
           "as many labels were drawn evenly from these classes: even then classes differ. Classes of fewer than "
           f"{FEW} images are called few-shot. The effective number is how many even classes have the same entropy.")
TITLES = {"classes": "classes", "effective": "effective number of classes", "imbalance": "largest over smallest class",
          "largest": "images in the largest class", "tail": "images in the rarer half of the classes",
          "few": f"classes with fewer than {FEW} images"}
MOST_NAMED = 40
_MANY_TIMES = 30


def balance(report: Balance, *, dark: bool = False) -> go.Figure:
    """Images of each class, the largest first, beside labels drawn evenly.

    Parameters
    ----------
    report
        Of labels.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: classes in order of their size to the right, images up, on a logarithmic axis where the largest class
    is more than 30 times the smallest. ``customdata`` of a bar is the name of its class; of more than 40 classes names
    are told on hovering alone.
    """
    import plotly.graph_objects as go

    p, k = theme.palette(dark), len(report.names)
    figure = go.Figure()
    if not k:
        figure.add_annotation(text="No image has a label.", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
        figure.update_xaxes(visible=False).update_yaxes(visible=False)
        return framed(figure, "No image has a label", height=180, dark=dark, legend=False)
    rank = np.arange(k)
    few = report.counts < FEW
    for name, rows, colour in ((f"{FEW} images or more", ~few, p.kinds["image"]),
                               (f"fewer than {FEW}", few, theme.rgba(p.kinds["image"], 0.45))):
        if rows.any():
            figure.add_trace(go.Bar(
                x=rank[rows], y=report.counts[rows], name=name, width=0.85 if k <= MOST_NAMED else 1,
                customdata=[report.names[i] for i in rank[rows]], marker={"color": colour, "line": {"width": 0}},
                hovertext=[plain(shortened(report.names[i])) for i in rank[rows]],
                hovertemplate="%{hovertext}: %{y:,} images<extra></extra>"))
    figure.add_trace(go.Scatter(x=rank, y=report.even, mode="lines+markers" if k == 1 else "lines",
                                name="drawn evenly", line={"color": p.text, "width": 2, "dash": "dot"},
                                hovertemplate="%{y:,.1f} if drawn evenly<extra></extra>"))
    steep = report.counts[0] > _MANY_TIMES * report.counts[-1]
    figure.update_yaxes(title_text="images" + (" (logarithmic)" if steep else ""), type="log" if steep else "linear",
                        rangemode="tozero")
    if k <= MOST_NAMED:
        figure.update_xaxes(tickvals=rank.tolist(), ticktext=[plain(shortened(n, 18)) for n in report.names],
                            range=[-0.6, k - 0.4], showgrid=False)
    else:
        figure.update_xaxes(title_text="classes, the largest first", range=[-1, k], showgrid=False)
    return framed(figure, _finding(report), height=360, dark=dark)


def counts_table(report: Balance) -> pd.DataFrame:
    """One row a class: images, share (%), and the images of a class of its rank if labels were drawn evenly."""
    total = max(int(report.counts.sum()), 1)
    return pd.DataFrame({"class": list(report.names), "images": report.counts, "share (%)": 100 * report.counts / total,
                         "if drawn evenly": report.even})


def _finding(report: Balance) -> str:
    k, numbers = len(report.names), report.numbers
    without, total = report.unlabelled, int(report.counts.sum())
    none = f"; {without:,} image{' has' if without == 1 else 's have'} no label" if without else ""
    images = f"{total:,} image{'' if total == 1 else 's'}"
    if k == 1:
        return f"One class, {report.names[0]}: {images}{none}"
    return (f"{k:,} classes are worth {spoken(numbers['effective'], 1)} even ones; the largest has "
            f"{spoken(numbers['imbalance'], 1)} times the images of the smallest, {images}{none}")
