"""The sweep that chose the mask's first setting: accuracy over each of its dials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.attention.foveal.sweep import Sweep, Turn
from core.figures import theme
from core.figures.frame import cells, error_bar, framed, panels, percent, spoken
from core.geometry.differences import Verdict

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("One dial at a time, the others at their first setting (the diamond, and the line through it). Filled dots "
           "differ from the first setting at 5 % on the same sentences, corrected for all settings by Holm; bars are "
           "95 % intervals by scenes, small crosses the accuracy without subtraction, dotted a box at random. These "
           "scenes chose the setting and are scored nowhere else.")
TITLES = {"alpha": "Alpha: logits between inside and outside", "layers": "Layers that are steered",
          "rows": "Rows of attention that are steered", "sigma": "Sigma: width of the Gaussian, in patches",
          "profile": "Profile of the mask, each at its alpha"}
ROWS = {"cls": "class token", "all": "all tokens", "diagonal": "each patch to itself"}
_LINE, _HEAD = 24, 46


def sweep(report: Sweep, *, dark: bool = False) -> go.Figure:
    """Accuracy over alpha, layers, rows and sigma.

    Returns
    -------
    plotly Figure: a panel a dial, its values downwards, sentences whose own box scores highest (%) to the right.
    """
    import plotly.graph_objects as go

    p, dials = theme.palette(dark), list(dict.fromkeys(turn.dial for turn in report.turns))
    groups = [report.of(dial) for dial in dials]
    height = sum(_LINE * len(group) + _HEAD for group in groups)
    figure = panels([TITLES[dial] for dial in dials], heights=[_LINE * len(group) for group in groups],
                    gap=_HEAD / height, dark=dark)
    base = _base(report)
    for row, group in enumerate(groups, 1):
        y = list(range(len(group)))
        figure.add_trace(go.Scatter(
            x=[100 * s.raw.value for s in group], y=y, mode="markers", name="as scored", legendgroup="raw",
            showlegend=row == 1, hovertemplate="%{x:.1f} % as scored<extra></extra>",
            marker={"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": p.kinds["text"]}}), row=row, col=1)
        numbers = [percent(s.subtracted) for s in group]
        figure.add_trace(go.Scatter(
            x=[n.value for n in numbers], y=y, mode="markers", name="other captions subtracted", legendgroup="less",
            showlegend=row == 1, error_x=error_bar(numbers, p.kinds["image"]), text=[_told(report, s) for s in group],
            hovertemplate="%{text}<extra></extra>",
            marker={"color": p.kinds["image"], "size": [13 if s.steering == report.about else 9 for s in group],
                    "line": {"width": 2, "color": p.kinds["image"]}, "symbol": [_symbol(report, s) for s in group]}),
            row=row, col=1)
        figure.add_vline(x=100 * base.subtracted.value, line={"color": p.muted, "width": 1}, row=row, col=1)
        figure.add_vline(x=100 * (base.subtracted.null or 0), line={"color": p.muted, "width": 1.6, "dash": "dot"},
                         row=row, col=1)
        figure.update_yaxes(tickvals=y, ticktext=[_label(s) for s in group],
                            range=[len(group) - 0.5, -0.5], zeroline=False, row=row, col=1)
    figure.update_xaxes(range=[0, 102])
    figure.update_xaxes(title_text="sentences whose own box scores highest (%)", row=len(groups), col=1)
    return framed(figure, _finding(report), height=height + 80, dark=dark)


def sweep_table(report: Sweep) -> pd.DataFrame:
    """One row a place: accuracy as scored and subtracted with interval, chance and n, change from the first, p."""
    rows = []
    for turn in report.turns:
        row: dict[str, object] = {"dial": turn.dial, "value": turn.label,
                                  "first setting": turn.steering == report.about}
        row |= cells("accuracy, other captions subtracted", turn.subtracted) | cells("accuracy as scored", turn.raw)
        if turn.steering != report.about:
            row |= {"change": turn.off.change.value, "change low": turn.off.change.low,
                    "change high": turn.off.change.high, "p (Holm)": turn.off.p}
        rows.append(row | {"n": turn.subtracted.n, "scenes": report.name})
    return pd.DataFrame(rows)


def _base(report: Sweep) -> Turn:
    return next(turn for turn in report.turns if turn.steering == report.about)


def _symbol(report: Sweep, turn: Turn) -> str:
    if turn.steering == report.about:
        return "diamond"
    return "circle" if turn.off.verdict in (Verdict.HIGHER, Verdict.LOWER) else "circle-open"


def _label(turn: Turn) -> str:
    return ROWS[turn.label] if turn.dial == "rows" else turn.label


def _told(report: Sweep, turn: Turn) -> str:
    said = f"{turn.dial} {_label(turn)}: {spoken(percent(turn.subtracted), 1)} %"
    if turn.steering == report.about:
        return f"{said}, the first setting"
    p = "" if turn.off.p is None else f", p {turn.off.p:.3f}"
    return f"{said}, {100 * turn.off.change.value:+.1f} points{p}"


def _finding(report: Sweep) -> str:
    number = percent(_base(report).subtracted)
    words, _, rest = spoken(number, 1).partition(" ")
    better = [turn for turn in report.turns if turn.off.verdict is Verdict.HIGHER]
    said = f"The first setting finds {words} % {rest}; "
    said += ("no other is told above it" if not better else
             f"told above it: {', '.join(f'{turn.dial} {_label(turn)}' for turn in better[:3])}")
    return f"{said} ({number.n:,} sentences; {report.name})"
