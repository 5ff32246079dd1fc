"""How often an object in another style lands where it should: a dot a method, and curves over the rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import cells, error_bar, framed, line, percent, plain, spoken
from core.geometry.differences import Verdict
from core.geometry.objects.reports import StyleReport, StyleRow
from core.geometry.objects.styles import METHODS
from core.geometry.objects.transfer import REFERENCE, TASKS

if TYPE_CHECKING:
    import plotly.graph_objects as go

PARTS = {"right": "object and style", "kept": "object", "taken": "style"}
_ROW, _LINE, _OUTSIDE, _LABEL = 26, 9, 150, 36


def success(report: StyleReport, *, dark: bool = False) -> go.Figure:
    """Share of cases whose nearest view shows the kept object in the taken style, a row a method.

    Returns
    -------
    plotly Figure: success (%) with 95 % intervals as filled dots, the object alone and the style alone as hollow ones,
    chance as a dotted line; best methods on top.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    rows = sorted(report.rows, key=lambda row: -row.right.value)
    names = [plain(title(row), width=_LABEL) for row in rows]
    figure = go.Figure()
    figure.add_vline(x=100 * report.chance, line={"color": p.muted, "width": 1.6, "dash": "dot"})
    looks = {"taken": (p.kinds["text"], "square-open"), "kept": (p.kinds["prompt"], "diamond-open"),
             "right": (p.kinds["image"], "circle")}
    for part, (colour, symbol) in looks.items():
        numbers = [percent(getattr(row, part)) for row in rows]
        figure.add_trace(go.Scatter(
            x=[n.value for n in numbers], y=names, mode="markers", name=PARTS[part],
            hovertext=[_hover(row, part) for row in rows], hovertemplate="%{hovertext}<extra></extra>",
            marker={"size": 11 if part == "right" else 9, "color": colour, "symbol": symbol},
            **({"error_x": error_bar(numbers, colour)} if part == "right" else {})))
    figure.add_trace(go.Scatter(x=[None], y=[None], mode="lines", name="chance", hoverinfo="skip",
                                line={"color": p.muted, "width": 1.6, "dash": "dot"}))
    figure.update_xaxes(title_text="cases whose nearest view is right (%)", range=[-3, 103])
    figure.update_yaxes(title_text="method", autorange="reversed", tickfont={"color": p.text})
    lines = max(name.count("<br>") for name in names)
    return framed(figure, _finding(report), height=_OUTSIDE + len(rows) * (_ROW + _LINE * lines), dark=dark)


def title(row: StyleRow) -> str:
    """What a row is called: the method, and its remark where it has one."""
    _, _, remark = row.name.partition(":")
    return f"{row.title}, {remark}" if remark else row.title


def _hover(row: StyleRow, part: str) -> str:
    parts = [plain(title(row)), f"{PARTS[part]}: {spoken(percent(getattr(row, part)), 1)} %"]
    chosen = METHODS[row.name.split(":")[0]].chosen if row.name != "untouched" else ()
    if chosen:
        parts.append(", ".join(f"{key} {getattr(row, key):g}" for key in chosen))
    if row.zero_shot:
        parts.append("prompts call " + ", ".join(f"the {k} right in {100 * n.value:.1f} %"
                                                 for k, n in row.zero_shot.items()))
    if row.residual is not None:
        parts.append(f"length outside the subspaces {row.residual.value:.3f}")
    return "<br>".join(parts)


def _finding(report: StyleReport) -> str:
    by_name = {row.name: row for row in report.rows}
    best = max(report.rows, key=lambda row: row.right.value)
    named = dict.fromkeys([best.name, *(n for n in ("subspace", REFERENCE, "pae", "subspace_published")
                                        if n in by_name)])
    said = [f"{title(by_name[name])} {100 * by_name[name].right.value:.1f} %" for name in named]
    text = f"{TASKS[report.task]}: {', '.join(said[:4])}"
    change = by_name["subspace"].change if "subspace" in by_name else None
    if change is not None:
        told = {Verdict.HIGHER: "above", Verdict.LOWER: "below", Verdict.NOT_TOLD_APART: "not told apart from",
                Verdict.NOT_MEASURABLE: "not comparable with"}
        text += f"; subspaces of residuals {told[change.verdict]} style means"
    return f"{text[0].upper()}{text[1:]} ({report.n:,} cases, chance {100 * report.chance:.1f} %)"


def success_table(reports: Sequence[StyleReport]) -> pd.DataFrame:
    """One row a task and method: rank, alpha, each share with interval and chance, labels, residual, difference."""
    rows = []
    for report in reports:
        for row in report.rows:
            line_of: dict[str, object] = {"task": report.task, "method": row.name, "title": title(row),
                                          "rank": row.rank, "alpha": row.alpha}
            for part, words in PARTS.items():
                line_of |= cells(words, getattr(row, part))
            for name, number in row.zero_shot.items():
                line_of |= cells(f"zero-shot {name}", number)
            if row.residual is not None:
                line_of["residual"] = row.residual.value
            if row.change is not None:
                line_of |= cells("over style means", row.change.change)
                line_of |= {"p": row.change.p, "against style means": row.change.verdict.value}
            rows.append({**line_of, "cases": report.n, "gallery": report.gallery})
    return pd.DataFrame(rows)


def over_rank(report: StyleReport, *, dark: bool = False) -> go.Figure:
    """Success of the subspaces on residuals and as written over their rank, with that of style means.

    Returns
    -------
    plotly Figure: rank (logarithmic) against success (%), with 95 % bands; chance dotted.

    Raises
    ------
    ShapeError
        If the report knows no curve over the rank.
    """
    import plotly.graph_objects as go

    if not report.over_rank:
        raise ShapeError("a report with success over the rank", "none")
    p, ranks = theme.palette(dark), report.ranks
    figure = go.Figure()
    for (key, curve), colour in zip(report.over_rank.items(), (p.kinds["image"], p.kinds["text"])):
        line(figure, ranks, curve, colour, METHODS[key].title, None, as_percent=True, dots=True)
    means = next((row.right.value for row in report.rows if row.name == REFERENCE), None)
    if means is not None:
        figure.add_trace(go.Scatter(
            x=ranks[[0, -1]], y=[100 * means] * 2, mode="lines", name=METHODS[REFERENCE].title, hoverinfo="skip",
            line={"color": p.kinds["prompt"], "width": 1.8, "dash": "dash"}))
    figure.add_trace(go.Scatter(x=ranks[[0, -1]], y=[100 * report.chance] * 2, mode="lines", name="chance",
                                hoverinfo="skip", line={"color": p.muted, "width": 1.6, "dash": "dot"}))
    ends = np.log10(ranks[[0, -1]].astype(np.float64)) + np.array([-0.03, 0.03])
    figure.update_xaxes(title_text="rank of the subspaces", type="log", tickvals=ranks,
                        ticktext=[f"{r:,}" for r in ranks], range=ends)
    figure.update_yaxes(title_text="nearest view is right (%)", range=[0, 103])
    said = [f"{METHODS[key].title} {100 * c.values[0]:.0f} % at rank {ranks[0]}, {100 * c.values[-1]:.0f} % at "
            f"{ranks[-1]}" for key, c in report.over_rank.items()]
    more = "" if means is None else f"; style means {100 * means:.0f} %"
    text = "; ".join(said)
    return framed(figure, f"{text[0].upper()}{text[1:]}{more} ({report.n:,} cases, chance {100 * report.chance:.1f} %)",
                  height=420, dark=dark)


def over_rank_table(report: StyleReport) -> pd.DataFrame:
    """One row a method and rank: success, interval and chance."""
    return pd.DataFrame([{"task": report.task, "method": key, "rank": int(rank), "right": curve.values[i],
                          "low": None if curve.low is None else curve.low[i],
                          "high": None if curve.high is None else curve.high[i], "by chance": report.chance}
                         for key, curve in report.over_rank.items() for i, rank in enumerate(report.ranks)])
