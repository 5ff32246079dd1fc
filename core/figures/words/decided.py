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

CAPTION = ("How far the log score of the class falls when a word is taken out of its prompts; below 0 it rises. Beside "
           "each bar: for how many of the other images the same word does less. A word of which that is near 50 % does "
           "to this image what it does to any.")


def words(report: Decided, classes: Sequence[str], *, dark: bool = False) -> go.Figure:
    """The effect of each word on the score of the class that comes first.

    Returns
    -------
    plotly Figure: log score lost without the word (nats) to the right, words downwards in their order.
    """
    import plotly.graph_objects as go

    p, y = theme.palette(dark), list(range(len(report.words)))
    figure = go.Figure(go.Bar(
        x=report.effects, y=y, orientation="h", cliponaxis=False,
        marker={"color": [p.kinds["image"] if e >= 0 else p.kinds["text"] for e in report.effects]},
        text=[f" above {q:.0f} %" for q in report.percentiles], textposition="outside",
        textfont={"color": p.text, "size": theme.SMALLEST_FONT},
        hovertemplate="%{x:.3f} nats, %{text} of the other images<extra></extra>"))
    span = float(np.abs(report.effects).max(initial=1e-6))
    figure.update_xaxes(title_text="log score lost without the word (nats)",
                        range=[min(0.0, 1.6 * float(report.effects.min(initial=0))), 1.6 * span])
    figure.update_yaxes(tickvals=y, ticktext=[plain(shortened(word, 20)) for word in report.words],
                        range=[max(len(y), 1) - 0.5, -0.5], automargin=True)
    name = shortened(classes[report.first], 30)
    if not len(report.words):
        return framed(figure, f"No word can be taken out of the prompts of “{name}”", height=120, dark=dark,
                      legend=False)
    best = int(report.effects.argmax())
    return framed(figure, f"“{shortened(report.words[best], 20)}” carries “{name}”: without it the log score falls by "
                  f"{report.effects[best]:.2f}, more than for {report.percentiles[best]:.0f} % of the other images",
                  height=26 * len(y) + 90, dark=dark, legend=False)


def words_table(report: Decided) -> pd.DataFrame:
    """One row a word: log score lost without it, in cosine where there is one, and its percentile."""
    return pd.DataFrame({"word": report.words, "log score lost": report.effects,
                         "cosine lost": report.effects / report.scale, "percentile": report.percentiles})


def templates_table(report: Decided, templates: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """In words, one row a template: the log score of the first class less that of the second, and which it favours."""
    return pd.DataFrame({
        "template": templates, "log odds": [f"{value:+.2f}" for value in report.by_template],
        "favours": [classes[report.first if value > 0 else report.second] if value else "neither"
                    for value in report.by_template]})
