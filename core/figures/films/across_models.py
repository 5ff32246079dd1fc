"""Islands of one film through several models: what is kept keeps its colour from row to row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.differences import Verdict
from core.geometry.films.across_models import FATES, AcrossModels

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each row is a model, with the film's islands over time. An island keeps its colour where it goes on from "
           "one of the model above; a new colour is a new island. Between rows stand how many are kept, merged, split, "
           "born and lost, and how far the two models agree: 1 is the same islands, and the range that of whole shots "
           "shuffled. Click a bar to see its frame.")
_ROW = 56


def across_models(report: AcrossModels, times: np.ndarray, *, dark: bool = False) -> go.Figure:
    """Islands over time, a row a model, in linked colours; one bar a visit.

    Parameters
    ----------
    report
        Of a film.
    times
        (n,) floats, seconds of its frames; bars end where the next one begins.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: time (s) against models, the first on top. ``customdata`` is the first frame of a visit. There are
    twelve colours; islands beyond them, which are the shortest, are grey.
    """
    import plotly.graph_objects as go

    p, rows, paint = theme.palette(dark), len(report.names), _colours(report, dark)
    figure = go.Figure()
    times = np.asarray(times, dtype=np.float64)
    for row, (found, threads) in enumerate(zip(report.islands, report.threads)):
        visits = found.visits
        last = times[-1] + (float(np.median(np.diff(times))) if len(times) > 1 else 0.0)
        ends = [*(times[v.first] for v in visits[1:]), last]
        figure.add_trace(go.Bar(
            x=[end - times[v.first] for v, end in zip(visits, ends)], base=[times[v.first] for v in visits],
            y=[row] * len(visits), orientation="h", width=0.55, customdata=[v.first for v in visits], showlegend=False,
            name=plain(report.names[row]),
            hovertext=[f"island {v.island + 1} of {len(found)}, {times[v.first]:.2f} to {end:.2f} s"
                       for v, end in zip(visits, ends)],
            hovertemplate=f"{plain(report.names[row])}<br>%{{hovertext}}<extra></extra>",
            marker={"color": [paint[int(threads[v.island])] for v in visits],
                    "line": {"color": p.background, "width": 1}}))
    for row, step in enumerate(report.steps):
        agreement = step.agreement
        said = ", ".join(f"{step.count(fate)} {fate}" for fate in FATES if step.count(fate))
        by_chance = f" (by chance {agreement.low:.2f} to {agreement.high:.2f})" if agreement.p is not None else ""
        figure.add_annotation(x=0, xref="paper", xanchor="left", y=row + 0.5, showarrow=False, align="left",
                              text=plain(f"{said}; agreement {agreement.value.value:.2f}{by_chance}"),
                              font={"size": theme.SMALLEST_FONT, "color": p.muted})
    figure.update_yaxes(tickvals=list(range(rows)), range=[rows - 0.5, -0.5], showgrid=False, zeroline=False,
                        ticktext=[f"{plain(shortened(name, 22))}<br>{len(found)} islands"
                                  for name, found in zip(report.names, report.islands)])
    figure.update_xaxes(title_text="time (s)", range=[float(times[0]), float(last)])
    figure.update_layout(barmode="overlay")
    return framed(figure, _finding(report), height=120 + _ROW * rows, dark=dark, legend=False)


def _colours(report: AcrossModels, dark: bool) -> dict[int, str]:
    """The colour of each thread: the twelve that last longest over all models have one of their own."""
    p, lasting = theme.palette(dark), np.zeros(max(int(t.max()) for t in report.threads) + 1)
    for found, threads in zip(report.islands, report.threads):
        np.add.at(lasting, threads, found.dwell)
    longest = np.sort(np.argsort(-lasting, kind="stable")[:len(p.categories)])
    out = dict.fromkeys(range(len(lasting)), p.unselected)
    return out | {int(thread): p.categories[k] for k, thread in enumerate(longest)}


def _finding(report: AcrossModels) -> str:
    counts = " → ".join(str(len(found)) for found in report.islands)
    total = [f"{n} {fate}" for fate in FATES if (n := sum(step.count(fate) for step in report.steps))]
    alike = sum(step.agreement.difference.verdict is Verdict.HIGHER for step in report.steps)
    return (f"{counts} islands through {len(report.names)} models: {', '.join(total)}; {alike} of {len(report.steps)} "
            f"steps agree more than whole shots shuffled")


def table(report: AcrossModels) -> pd.DataFrame:
    """One row a fate: models, islands (from 1), overlap; with agreement of the two models, its chance and p."""
    rows = []
    for i, step in enumerate(report.steps):
        agreement = step.agreement
        for f in step.fates:
            rows.append({
                "from": report.names[i], "to": report.names[i + 1], "fate": f.fate,
                "islands before": " ".join(str(k + 1) for k in f.before),
                "islands after": " ".join(str(k + 1) for k in f.after), "overlap (Jaccard)": f.overlap,
                "adjusted Rand": agreement.value.value, "by chance low": agreement.low,
                "by chance high": agreement.high, "p": agreement.p, "shots": agreement.value.n})
    return pd.DataFrame(rows)
