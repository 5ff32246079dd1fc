"""What each template of an ensemble adds, in a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.figures import theme
from core.figures.frame import cells, error_bar, framed, percent, plain, points, shortened, spoken
from core.geometry.differences import Verdict
from core.language.words.templates import Templates

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Accuracy of each template alone (dot, with Wilson's 95 % interval) and of the ensemble without it (ring); "
           "the line is the whole ensemble. A ring left of the line is what the template adds. What "
           "can be told apart is said by the table, paired over the images, p by Holm over the templates.")
MOST = 40


def templates(report: Templates, *, dark: bool = False) -> go.Figure:
    """Accuracy of each template alone and of the others together; of more than 40 those that add or take most.

    Returns
    -------
    plotly Figure: accuracy (%) to the right, templates downwards.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    order = sorted(range(len(report.templates)), key=lambda t: -abs(report.adds[t].change.value))[:MOST]
    shown = sorted(order)
    y = list(range(len(shown)))
    figure.add_vline(x=100 * report.ensemble.value, line={"color": p.kinds["prompt"], "width": 2})
    figure.add_trace(go.Scatter(
        x=[100 * report.without[t].value for t in shown], y=y, mode="markers", name="all but this",
        marker={"symbol": "circle-open", "size": 12, "color": p.kinds["prompt"], "line": {"width": 2.2}},
        hovertext=[f"without it {100 * report.without[t].value:.1f} %; it adds {points(report.adds[t])}"
                   for t in shown], hovertemplate="%{hovertext}<extra></extra>"))
    alone = [percent(report.alone[t]) for t in shown]
    figure.add_trace(go.Scatter(
        x=[n.value for n in alone], y=y, mode="markers", name="alone", error_x=error_bar(alone, p.muted),
        marker={"size": 9, "color": p.kinds["image"]}, hovertext=[f"alone {spoken(n, 1)} %" for n in alone],
        hovertemplate="%{hovertext}<extra></extra>"))
    ends = [100 * end for n in (*report.alone, *report.without) for end in (n.low, n.high) if end is not None]
    figure.update_xaxes(title_text="accuracy (%)", range=[min(ends) - 2, max(ends) + 2])
    figure.update_yaxes(tickvals=y, ticktext=[plain(shortened(report.templates[t], 28)) for t in shown],
                        range=[len(shown) - 0.5, -0.5], zeroline=False, automargin=True)
    return framed(figure, finding(report), height=30 * len(shown) + 110, dark=dark)


def finding(report: Templates) -> str:
    """The ensemble beside its best template, and which templates add or take something."""
    best = max(range(len(report.templates)), key=lambda t: report.alone[t].value)
    said = (f"All {len(report.templates)} templates: {100 * report.ensemble.value:.1f} %; the best alone, "
            f"“{shortened(report.templates[best], 30)}”, {100 * report.alone[best].value:.1f} %; by chance "
            f"{100 * (report.ensemble.null or 0):.3g} %")
    told = {verdict: sum(d.verdict is verdict for d in report.adds) for verdict in (Verdict.HIGHER, Verdict.LOWER)}
    if not any(told.values()):
        return f"{said}; no template adds what can be told from nothing"
    return f"{said}; {told[Verdict.HIGHER]} add to it and {told[Verdict.LOWER]} take from it"


def templates_table(report: Templates) -> pd.DataFrame:
    """One row a template: accuracy alone and without it, what it adds, and it against all, with intervals and p."""
    rows = []
    for t, template in enumerate(report.templates):
        adds, against = report.adds[t], report.against[t]
        rows.append({"template": template, **cells("alone", report.alone[t]), "without it": report.without[t].value,
                     "ensemble": report.ensemble.value, "n": report.ensemble.n, "adds": adds.change.value,
                     "adds low": adds.change.low, "adds high": adds.change.high, "adds p (Holm)": adds.p,
                     "alone less all": against.change.value, "alone less all p (Holm)": against.p})
    return pd.DataFrame(rows)


def in_words(report: Templates) -> pd.DataFrame:
    """One row a template, in words: accuracy alone, without it, and what can be said of the differences."""
    return pd.DataFrame([{
        "template": template, "alone": f"{100 * report.alone[t].value:.1f} %",
        "alone beside all": f"{report.against[t].verdict.value}: {points(report.against[t])}",
        "without it": f"{100 * report.without[t].value:.1f} %",
        "with it": f"{report.adds[t].verdict.value}: {points(report.adds[t])}"}
        for t, template in enumerate(report.templates)])
