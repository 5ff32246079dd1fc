"""How many examples a prompt is worth, in a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, line, percent
from core.learning.few_shots import LEARNERS, Shots
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Accuracy on images held out, of classes learnt from k labelled examples each, mean over draws; bands and "
           "the interval of the prompts are 95 %, resampled over draws and images together. The line is the prompts on "
           "the same images, dotted is chance. Where a curve crosses the line is how many examples the prompt is worth "
           "(Radford et al. 2021, section 3.1.5).")


def shots(report: Shots, *, dark: bool = False) -> go.Figure:
    """Accuracy over k of each learner, beside the prompts.

    Returns
    -------
    plotly Figure: examples of each class on a logarithmic axis against accuracy (%).
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    x, prompts = np.array(report.ks, dtype=np.float64), percent(report.prompts)
    figure.add_hrect(y0=prompts.low, y1=prompts.high, line_width=0, fillcolor=theme.rgba(p.kinds["prompt"], 0.14))
    figure.add_trace(go.Scatter(x=[x[0], x[-1]], y=[prompts.value] * 2, mode="lines", name="prompts, no example",
                                line={"color": p.kinds["prompt"], "width": 2.4},
                                hovertemplate="prompts %{y:.1f} %<extra></extra>"))
    for name, colour in zip(report.hits, (p.kinds["image"], p.kinds["plain"])):
        line(figure, x, report.curve(name), colour, LEARNERS[name], None, as_percent=True, dots=True)
    figure.add_hline(y=100 * report.chance, line={"color": p.muted, "width": 1.6, "dash": "dot"})
    figure.update_xaxes(title_text="labelled examples of each class", type="log", tickvals=list(report.ks),
                        ticktext=[str(k) for k in report.ks])
    figure.update_yaxes(title_text="accuracy (%)")
    return framed(figure, finding(report), height=380, dark=dark)


def finding(report: Shots) -> str:
    """What the prompts are worth, by each learner."""
    told = [f"{worth_in_words(report.worth(name), report.ks)} by the {LEARNERS[name]}" for name in report.hits]
    return f"The prompts are worth {'; '.join(told)}"


def worth_in_words(number: Number, ks: tuple[int, ...]) -> str:
    """So many examples a class with interval; below and beyond what was tried is said."""
    def said(value: float) -> str:
        if value == 0:
            return f"less than {ks[0]}"
        return f"more than {ks[-1]}" if math.isinf(value) else f"{value:.1f}"

    assert number.low is not None and number.high is not None
    middle, low, high = (said(v) for v in (number.value, number.low, number.high))
    if low == middle == high:
        return f"{middle} examples a class"
    return f"{middle} examples a class ({low} to {high})"


def shots_table(report: Shots) -> pd.DataFrame:
    """One row a learner and k: accuracy with interval, chance, that of the prompts, and what these are worth."""
    rows = []
    prompts = report.prompts
    for name in report.hits:
        curve, worth = report.curve(name), report.worth(name)
        assert curve.low is not None and curve.high is not None
        rows += [{"learner": LEARNERS[name], "examples a class": k, "accuracy": curve.values[i], "low": curve.low[i],
                  "high": curve.high[i], "by chance": report.chance, "draws": report.hits[name].shape[1],
                  "images": len(report.asked), "classes": len(report.classes), "prompts": prompts.value,
                  "prompts low": prompts.low, "prompts high": prompts.high, "worth": worth.value,
                  "worth low": worth.low, "worth high": worth.high} for i, k in enumerate(report.ks)]
    return pd.DataFrame(rows)
