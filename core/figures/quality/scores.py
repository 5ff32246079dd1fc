"""CLIPScore of a dataset: how cosines of pairs are spread beside pairs that do not belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import as_percent, framed, share, spoken
from core.figures.quality.numbers import numbers_table
from core.geometry.quality.captions import CLIP_SCORE, DATACOMP_COSINE, DATACOMP_SHARE, PERCENTILES, ClipScores

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Cosines of images with their captions, beside those of images with others' captions; both histograms have "
           "the same area. CLIPScore is 2.5 times the cosine, and 0 below it (the axis on top). Lines: .28, DataComp's "
           "bar for ViT-B/32, which means nothing for models with other cosines; and the cosine that keeps the best "
           "30 % of this set. A cosine is high or low only beside those of pairs that do not belong together.")
TITLES = {"mean": "CLIPScore, mean", **{f"p{p}": f"CLIPScore, {p}th percentile".replace("1th", "1st")
                                        for p in PERCENTILES},
          "top": f"cosine that keeps the best {DATACOMP_SHARE:.0%}".replace("%", " %"),
          "kept": f"pairs with a cosine of {DATACOMP_COSINE} or more",
          "told": "pairs above one that does not belong together"}
BINS = 60


def scores(report: ClipScores, *, dark: bool = False) -> go.Figure:
    """Histograms of cosines of pairs, and of pairs that do not belong together, with the thresholds in use.

    Parameters
    ----------
    report
        Of images and texts.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: cosine to the right, with CLIPScore on top; share of the pairs in each bin (%) up. ``customdata`` of
    a bar is the upper end of its bin.
    """
    import plotly.graph_objects as go

    p, numbers = theme.palette(dark), report.numbers
    figure = go.Figure()
    if not numbers:
        figure.add_annotation(text="No image has a caption.", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
        figure.update_xaxes(visible=False).update_yaxes(visible=False)
        return framed(figure, "No image has a caption", height=180, dark=dark, legend=False)
    both = np.concatenate([report.matched, report.unmatched])
    low, high = float(both.min()), float(both.max())
    edges = np.linspace(low, high if high > low else low + 0.01, BINS + 1)
    top = 0.0
    for name, cosines, colour in (("captions of other images", report.unmatched, p.unselected),
                                  ("their own captions", report.matched, p.kinds["text"])):
        if not len(cosines):
            continue
        shares = 100 * np.histogram(cosines.astype(np.float64), edges)[0] / len(cosines)
        top = max(top, float(shares.max()))
        figure.add_trace(go.Bar(
            x=(edges[1:] + edges[:-1]) / 2, y=shares, width=np.diff(edges), name=f"{name} ({len(cosines):,})",
            customdata=edges[1:], marker={"color": theme.rgba(colour, 0.75), "line": {"width": 0}},
            hovertemplate=f"{name}: %{{y:.2f}} % around %{{x:.3f}}<extra></extra>"))
    for at, words, dash, height in ((DATACOMP_COSINE, f"{DATACOMP_COSINE}", "dot", 1.12),
                                    (numbers["top"].value, f"best {100 * DATACOMP_SHARE:.0f} %", "solid", 1.02)):
        figure.add_trace(go.Scatter(
            x=[at, at], y=[0, height * top], mode="lines+text", text=["", words], textposition="top center",
            line={"color": p.text, "dash": dash, "width": 1.5}, showlegend=False, name=words,
            textfont={"color": p.text}, hovertemplate=f"{words}: cosine %{{x:.3f}}<extra></extra>"))
    ends = [min(low, DATACOMP_COSINE) - 0.02, max(high, DATACOMP_COSINE) + 0.02]
    figure.add_trace(go.Scatter(x=ends, y=[None, None], xaxis="x2", showlegend=False, hoverinfo="skip"))
    ticks = np.arange(np.ceil(max(ends[0], 0) * CLIP_SCORE * 5) / 5, ends[1] * CLIP_SCORE, 0.2)
    figure.update_layout(
        barmode="overlay", bargap=0, yaxis={"title": {"text": "pairs (%)"}, "range": [0, 1.28 * top]},
        xaxis={"title": {"text": "cosine of image and caption"}, "range": ends},
        xaxis2={"overlaying": "x", "side": "top", "range": ends, "tickvals": (ticks / CLIP_SCORE).tolist(),
                "ticktext": [f"{t + 0.0:.1f}" for t in ticks], "showgrid": False, "title": {"text": "CLIPScore"}})
    framed(figure, _finding(report), height=380, dark=dark)
    figure.update_layout(margin={"t": figure.layout.margin.t + 40})
    return figure


def scores_table(report: ClipScores) -> pd.DataFrame:
    """One row a number: mean and percentiles of CLIPScore, thresholds in use, and how well pairs are told."""
    return numbers_table(report.numbers, TITLES)


def _finding(report: ClipScores) -> str:
    numbers = report.numbers
    said = f"CLIPScore {spoken(numbers['mean'])}, {len(report.matched):,} pairs; "
    said += f"{share(numbers['kept'])} have a cosine of {DATACOMP_COSINE} or more"
    if "told" in numbers:
        said += f"; {as_percent(numbers['told'])} of the time a pair lies above one that does not belong together"
    return said
