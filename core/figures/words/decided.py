"""Why one image is called so, in a picture: what each word of the winning prompts does to its score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.language.words.deciding import Decided

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("How far the log score of the class falls when a word is taken out of its prompts; below 0 it rises. The "
           "mark is what the same word does on average over the other images, and beside each word stands for how many "
           "of them it does less: a word near its mark does to this image what it does to any.")


def words(report: Decided, classes: Sequence[str], *, dark: bool = False) -> go.Figure:
    """The effect of each word on the score of the class that comes first.

    Returns
    -------
    plotly Figure: log score lost without the word (nats) to the right, words downwards in their order.
    """
    import plotly.graph_objects as go

    p, y = theme.palette(dark), list(range(len(report.words)))
    figure = go.Figure(go.Bar(
        x=report.effects, y=y, orientation="h", name="this image",
        marker={"color": p.kinds["image"]}, hovertext=[f"{e:.3f} nats, more than for {q:.0f} % of the other images"
                                                       for e, q in zip(report.effects, report.percentiles)],
        hovertemplate="%{hovertext}<extra></extra>"))
    figure.add_trace(go.Scatter(
        x=report.usual, y=y, mode="markers", name="other images, mean",
        marker={"symbol": "line-ns", "size": 18, "line": {"width": 3, "color": p.text}},
        hovertemplate="%{x:.3f} nats on average over the others<extra></extra>"))
    figure.update_xaxes(title_text="log score lost without the word (nats)")
    figure.update_yaxes(tickvals=y, ticktext=[f"{plain(shortened(word, 16))} ({q:.0f} %)" for word, q in
                                              zip(report.words, report.percentiles)],
                        range=[max(len(y), 1) - 0.5, -0.5], automargin=True)
    name = shortened(classes[report.first], 30)
    if not len(report.words):
        return framed(figure, f"No word can be taken out of the prompts of “{name}”", height=120, dark=dark,
                      legend=False)
    best = int(np.nan_to_num(report.effects - report.usual, nan=0.0).argmax())
    return framed(figure, f"“{shortened(report.words[best], 20)}” speaks most for “{name}” here: without it the log "
                  f"score changes by {-report.effects[best]:+.2f}, on other images by {-report.usual[best]:+.2f} "
                  f"({report.percentiles[best]:.0f} % of them lose less)", height=30 * len(y) + 110, dark=dark)


def words_table(report: Decided) -> pd.DataFrame:
    """One row a word: log score lost without it, in cosine where there is one, and its percentile."""
    return pd.DataFrame({"word": report.words, "log score lost": report.effects,
                         "on other images": report.usual,
                         "cosine lost": report.effects / report.scale, "percentile": report.percentiles})


def templates_table(report: Decided, templates: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """In words, one row a template: the log score of the first class less that of the second, and which it favours."""
    return pd.DataFrame({
        "template": templates, "log odds": [f"{value:+.2f}" for value in report.by_template],
        "favours": [classes[report.first if value > 0 else report.second] if value else "neither"
                    for value in report.by_template]})
