"""Answers to a question: what an image gives each, beside the same without an image and chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import as_percent, framed, plain, points, shortened
from core.language.words.questions import Answered, Scored

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST = 12

def caption(found: Answered) -> str:
    """How to read `answers`."""
    own = f" ({found.probability_name}: they need not sum to 100 %)" if found.probability_name else ""
    return (f"Bars: the model's own probabilities of the statements for this image{own}. Rings: without an image, at "
            f"the mean direction of the images that are open, which is what the texts alone prefer."
            + ("" if found.by_chance is None else " Dotted: every answer alike."))


def answers(found: Answered, row: int = 0, *, dark: bool = False) -> go.Figure:
    """Probability of each answer for one image, the likeliest first, at most twelve.

    Returns
    -------
    plotly Figure: probability (%) to the right, a line an answer.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    order = np.argsort(-found.probabilities[row], kind="stable")[:MOST]
    y, names = list(range(len(order))), [plain(shortened(found.answers[i], 28)) for i in order]
    figure.add_trace(go.Bar(x=100 * found.probabilities[row, order], y=y, orientation="h", name="this image",
                            marker={"color": p.kinds["image"]}, text=[plain(found.texts[i]) for i in order],
                            textposition="none", hovertemplate="%{text}: %{x:.2f} %<extra></extra>"))
    figure.add_trace(go.Scatter(x=100 * found.without[order], y=y, mode="markers", name="no image",
                                hovertemplate="no image: %{x:.2f} %<extra></extra>",
                                marker={"size": 11, "symbol": "circle-open", "color": p.kinds["text"],
                                        "line": {"width": 2.4, "color": p.kinds["text"]}}))
    chance = found.by_chance
    if chance is not None:
        figure.add_vline(x=100 * chance, line={"color": p.muted, "width": 1.6, "dash": "dot"})
    figure.update_xaxes(title_text="probability (%)", range=[-2, 102])
    figure.update_yaxes(tickvals=y, ticktext=names, range=[len(order) - 0.5, -0.5], zeroline=False, automargin=True)
    best = int(order[0])
    title = (f"“{shortened(found.answers[best])}”: {100 * found.probabilities[row, best]:.1f} %, without an image "
             f"{100 * found.without[best]:.1f} %" + ("" if chance is None else f", by chance {100 * chance:.1f} %"))
    return framed(figure, title, height=30 * len(order) + 120, dark=dark)


def answers_table(found: Answered, row: int = 0) -> pd.DataFrame:
    """One row an answer: its statement, and its probabilities with the image and without."""
    return pd.DataFrame({"answer": found.answers, "statement": found.texts, "probability": found.probabilities[row],
                         "probability without an image": found.without,
                         "by chance": np.nan if found.by_chance is None else found.by_chance})


def scored_finding(scored: Scored) -> str:
    """How often right, and what the images add."""
    return (f"{as_percent(scored.right)} of {scored.right.n:,} images are answered right, without an image "
            f"{as_percent(scored.without)}; the images add {points(scored.over_without)}")
