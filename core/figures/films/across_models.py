"""Islands of one film through several models: what is kept keeps its colour from row to row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.differences import Verdict
from core.geometry.films.across_models import FATES, AcrossModels
from core.geometry.films.against import AgainstNull

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each row is a model, with the film's islands over time. An island keeps its colour where it goes on from "
           "one of the model above; a new colour is a new island. Between rows stand how many are kept, merged, split, "
           "born and lost, and how far the two models agree: 1 is the same islands, and the range that of whole shots "
           "shuffled. All models have the same shots. By chance there are as many islands as the same shots make where "
           "each is placed anew. Click a bar to see its frame.")
_ROW = 78


def across_models(report: AcrossModels, *, dark: bool = False) -> go.Figure:
    """Islands over time, a row a model, in linked colours; one bar a visit.

    Parameters
    ----------
    report
        Of a film.
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
    for row, (found, threads) in enumerate(zip(report.islands, report.threads)):
        visits = found.visits
        figure.add_trace(go.Bar(
            x=[v.seconds for v in visits], base=[v.start for v in visits],
            y=[row] * len(visits), orientation="h", width=0.5, customdata=[v.first for v in visits], showlegend=False,
            name=plain(report.names[row]),
            hovertext=[f"{_of(report, row, v.island)}<br>{v.start:.2f} to {v.start + v.seconds:.2f} s" for v in visits],
            hovertemplate=f"{plain(report.names[row])}<br>%{{hovertext}}<extra></extra>",
            marker={"color": [paint[int(threads[v.island])] for v in visits],
                    "line": {"color": p.background, "width": 1}}))
    for row, step in enumerate(report.steps):
        agreement = step.agreement
        said = ", ".join(f"{step.count(fate)} {fate}" for fate in FATES if step.count(fate))
        by_chance = (f" (by chance {agreement.low:.2f} to {agreement.high:.2f})" if agreement.p is not None
                     else ", not measurable")
        figure.add_annotation(x=0, xref="paper", xanchor="left", y=row + 0.5, showarrow=False, align="left",
                              text=f"{plain(said)}<br>agreement {agreement.value.value:.2f}{by_chance}",
                              font={"size": theme.SMALLEST_FONT, "color": p.muted})
    figure.update_yaxes(tickvals=list(range(rows)), range=[rows - 0.5, -0.5], showgrid=False, zeroline=False,
                        ticktext=[f"{plain(shortened(name, 22))}<br>{_islands(len(found))}" + _chance(report, row)
                                  for row, (name, found) in enumerate(zip(report.names, report.islands))])
    last = report.islands[0].visits[-1]
    figure.update_xaxes(title_text="time (s)", range=[float(report.islands[0].times[0]), last.start + last.seconds])
    figure.update_layout(barmode="overlay")
    return framed(figure, _finding(report), height=120 + _ROW * rows, dark=dark, legend=False)


def _islands(count: int) -> str:
    return f"{count:,} island{'' if count == 1 else 's'}"


def _of(report: AcrossModels, row: int, island: int) -> str:
    """An island of a model with its fates: "island 2 of 4, split from 1 above, lost below"."""
    said = f"island {island + 1} of {len(report.islands[row])}"
    if row:
        fate = next(f for f in report.steps[row - 1].fates if island in f.after)
        said += f", {fate.fate}" + (f" from {' and '.join(str(k + 1) for k in fate.before)} above" * bool(fate.before))
    if row < len(report.steps):
        fate = next(f for f in report.steps[row].fates if island in f.before)
        said += f", {fate.fate}" + (f" as {' and '.join(str(k + 1) for k in fate.after)}" * bool(fate.after)) + " below"
    return said


def _chance(report: AcrossModels, row: int) -> str:
    """Below the number of islands of a model, that by chance, of the same shots."""
    if not report.counts:
        return ""
    test, shots = report.counts[row], len(report.islands[row].starts)
    if test.value.null is None:
        return "<br>chance not measurable"
    some = f" ({test.value.n:,} shots: {test.value.value:.0f})" if test.value.n != shots else ""
    return f"<br>by chance {test.value.null:.1f}{some}"


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
    told = [step.agreement for step in report.steps if step.agreement.p is not None]
    said = f"{counts} islands through {len(report.names)} models: {', '.join(total)}; "
    if not told:
        said += report.steps[0].agreement.words
    elif len(report.steps) == 1:
        said += f"adjusted Rand {told[0].value.value:.2f}, {told[0].words}"
    else:
        alike = sum(test.difference.verdict is Verdict.HIGHER for test in told)
        said += f"{alike} of {len(report.steps)} steps agree more than whole shots shuffled"
        said += f", {len(report.steps) - len(told)} not measurable" * (len(told) < len(report.steps))
    s = len(report.islands[0].starts)
    whose = f" of {shortened(report.shots_of, 22)}" if report.shots_of else ""
    return f"{said} ({s:,} shot{'' if s == 1 else 's'}{whose})"


def models_table(report: AcrossModels) -> pd.DataFrame:
    """One row a model: its islands; and on as many shots as were placed anew, islands, their range by chance and p."""
    return pd.DataFrame([{
        "model": name, "islands": len(found), "shots": len(found.starts), **({} if test is None else {
            "shots counted": test.value.n, "islands of these": test.value.value, "by chance": test.value.null,
            "by chance low": test.low, "by chance high": test.high, "p (Holm)": test.p, "says": test.words})}
        for name, found, test in zip(report.names, report.islands, _counts(report))])


def _counts(report: AcrossModels) -> list[AgainstNull | None]:
    return list(report.counts) or [None] * len(report.names)


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
                "by chance high": agreement.high, "p (Holm)": agreement.p, "shots": agreement.value.n})
    return pd.DataFrame(rows)
