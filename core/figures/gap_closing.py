"""What closing the gap does to retrieval: each method on pairs that it was not fitted on, beside those that it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError, check_choice
from core.figures import theme
from core.figures.frame import error_bar, framed, line, plain, shortened, spoken, spread
from core.geometry.gap.reports import ClosingReport, ClosingRow
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

WAYS = {"r1_image_to_text": "image to text", "r1_text_to_image": "text to image"}
_LABEL_WIDTH = 176
_LABEL_LINE = 17
_TOP, _BOTTOM = 56, 60


def closing(report: ClosingReport, *, way: str = "r1_image_to_text", dark: bool = False) -> go.Figure:
    """Gap after closing against R@1 on held-out pairs, with R@1 on the fitted pairs as hollow markers above.

    Parameters
    ----------
    report
        All methods on the same splits; the first row is the untouched vectors.
    way
        "r1_image_to_text" or "r1_text_to_image".
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: gap (length) against R@1 (%), a marker with 95 % intervals both ways for each method, named at the
    right in the order of R@1.
    """
    import plotly.graph_objects as go

    check_choice("way of retrieval", way, WAYS)
    rows, height = _known(report), max(430, 60 + _LABEL_LINE * len(report.rows))
    p = theme.palette(dark)
    held, inside, gaps = [r.held_out[way] for r in rows], [r.in_sample[way] for r in rows], [r.gap for r in rows]
    colours = [_colour(r.method, dark) for r in rows]
    xs, ys = np.array([g.value for g in gaps]), 100 * np.array([n.value for n in held])
    tops = 100 * np.array([n.value for n in inside])
    low, high = _ends([*held, *inside])
    left, right = _x_ends(gaps)
    labels = spread(ys, _LABEL_LINE * (high - low) / (height - _TOP - _BOTTOM), low, high)
    figure = go.Figure()
    figure.add_hline(y=ys[0], line={"color": p.muted, "width": 1, "dash": "dot"})
    _segments(figure, np.stack([xs, np.full(len(xs), right)], 1), np.stack([ys, labels], 1), "to the name", p.grid, 1)
    _segments(figure, np.stack([xs, xs], 1), np.stack([ys, tops], 1), "fitted and held out", p.muted, 1.2)
    names = [plain(title(r.method)) for r in rows]
    figure.add_trace(go.Scatter(
        x=xs, y=tops, mode="markers", name="fitted pairs", hovertext=names,
        marker={"symbol": "circle-open", "size": 10, "color": colours, "line": {"width": 2}},
        hovertemplate="%{hovertext}<br>on the pairs it was fitted on: R@1 %{y:.1f} %<extra></extra>"))
    for i, (row, colour) in enumerate(zip(rows, colours)):
        figure.add_trace(go.Scatter(
            x=[xs[i]], y=[ys[i]], mode="markers", name="held-out pairs", legendgroup="held", showlegend=i == 0,
            marker={"size": 11, "color": colour, "symbol": "diamond" if i == 0 else "circle"},
            error_x=error_bar([row.gap], colour), error_y=error_bar([percent(row.held_out[way])], colour),
            hovertemplate=f"{names[i]}<br>gap {spoken(row.gap)}<br>R@1 {spoken(percent(held[i]), 1)} %<extra></extra>"))
        figure.add_annotation(x=1, xref="paper", y=labels[i], yref="y", text=plain(shortened(title(row.method), 26)),
                              xanchor="left", showarrow=False, font={"size": theme.SMALLEST_FONT, "color": colour})
    figure.update_xaxes(title_text="gap after closing (length)", range=[left, right])
    figure.update_yaxes(title_text=f"R@1 {WAYS[way]} (%)", range=[low, high])
    framed(figure, _closing_finding(report, way), height=height, dark=dark)
    return figure.update_layout(margin={"r": _LABEL_WIDTH})


def title(method: str) -> str:
    """What a method is called."""
    return method.replace("_", " ").capitalize()


def _colour(method: str, dark: bool) -> str:
    p = theme.palette(dark)
    return p.kinds["plain"] if method == "untouched" else p.categories[8]


def percent(number: Number) -> Number:
    """A share as a percentage."""
    low, high, null = (None if v is None else 100 * v for v in (number.low, number.high, number.null))
    return Number(100 * number.value, low, high, null, number.n, "%")


def _known(report: ClosingReport) -> tuple[ClosingRow, ...]:
    if not report.rows:
        raise ShapeError("a report of one method or more", "none")
    return report.rows


def _ends(numbers: Sequence[Number]) -> tuple[float, float]:
    """Ends of an axis of percentages that holds numbers and their intervals."""
    values = [100 * v for n in numbers for v in (n.value, n.low, n.high) if v is not None]
    room = 0.05 * max(max(values) - min(values), 10.0)
    return max(min(values) - room, -room), min(max(values) + room, 100 + room)


def _x_ends(gaps: Sequence[Number]) -> tuple[float, float]:
    values = [v for g in gaps for v in (g.value, g.low, g.high) if v is not None]
    room = 0.06 * max(max(values) - min(values), 0.1)
    return min(values) - room, max(values) + room


def _segments(figure: go.Figure, x: np.ndarray, y: np.ndarray, name: str, colour: str, width: float) -> None:
    """Lines between two ends each: x and y (n, 2)."""
    import plotly.graph_objects as go

    gap = np.full((len(x), 1), np.nan)
    figure.add_trace(go.Scatter(
        x=np.concatenate([x, gap], 1).ravel(), y=np.concatenate([y, gap], 1).ravel(), mode="lines", name=name,
        showlegend=False, hoverinfo="skip", line={"color": colour, "width": width}))


def _closing_finding(report: ClosingReport, way: str) -> str:
    untouched, *others = report.rows
    text = f"R@1 {WAYS[way]}, untouched: {spoken(percent(untouched.held_out[way]), 0)} % at a gap of " \
           f"{untouched.gap.value:.2f}"
    if others:
        best = max(others, key=lambda r: r.held_out[way].value)
        trap = max(others, key=lambda r: r.in_sample[way].value - r.held_out[way].value)
        text += f"; best held out: {title(best.method)}, {spoken(percent(best.held_out[way]), 0)} %"
        drop = 100 * (trap.in_sample[way].value - trap.held_out[way].value)
        if drop >= 10:
            text += f"; {title(trap.method)} falls from {100 * trap.in_sample[way].value:.0f} % on the pairs it was " \
                    f"fitted on to {100 * trap.held_out[way].value:.0f} % on others"
    return f"{text} ({report.repeats} splits, {report.n_scored:,} pairs scored)"


def closing_table(report: ClosingReport) -> pd.DataFrame:
    """One row a method: each number in a column, its interval and chance beside it, and the splits."""
    rows = []
    for row in _known(report):
        cells: dict[str, object] = {"method": row.method, **_cells("gap", row.gap)}
        for where, numbers in (("held out", row.held_out), ("in sample", row.in_sample)):
            for way, number in numbers.items():
                cells |= _cells(f"{way} {where}", number)
        if row.accuracy is not None:
            cells |= _cells("zero-shot accuracy", row.accuracy)
        rows.append({**cells, "repeats": report.repeats, "fitted on": report.n_fit, "scored on": report.n_scored})
    return pd.DataFrame(rows)


def _cells(name: str, number: Number) -> dict[str, object]:
    cells: dict[str, object] = {name: number.value}
    for end, value in (("low", number.low), ("high", number.high), ("by chance", number.null)):
        if value is not None:
            cells[f"{name} {end}"] = value
    return cells


def fit_size(report: ClosingReport, *, dark: bool = False) -> go.Figure:
    """Held-out R@1 against the number of pairs that a method is fitted on.

    Returns
    -------
    plotly Figure: fitted pairs (logarithmic) against R@1 image to text (%), with 95 % bands, that of the untouched
    vectors as a dotted line.

    Raises
    ------
    ShapeError
        If the report knows no curve over fit size.
    """
    import plotly.graph_objects as go

    if not report.by_fit_size:
        raise ShapeError("a report with curves over the number of fitted pairs", "none",
                         "Choose a method that is fitted on pairs.")
    p = theme.palette(dark)
    figure, sizes = go.Figure(), report.fit_sizes.astype(np.float64)
    for i, (method, curve) in enumerate(report.by_fit_size.items()):
        line(figure, sizes, curve, p.categories[i % len(p.categories)], title(method), None, percent=True)
    untouched = report.rows[0].held_out["r1_image_to_text"]
    if "untouched" not in report.by_fit_size:
        figure.add_trace(go.Scatter(
            x=sizes[[0, -1]], y=[100 * untouched.value] * 2, mode="lines", name="untouched", hoverinfo="skip",
            line={"color": p.muted, "width": 1.6, "dash": "dot"}))
    figure.update_xaxes(title_text="pairs fitted on", type="log", tickvals=sizes, ticktext=[f"{s:.0f}" for s in sizes])
    figure.update_yaxes(title_text="R@1 image to text, held out (%)", rangemode="tozero")
    ends = [f"{title(m)} {100 * c.values[0]:.0f} → {100 * c.values[-1]:.0f} %" for m, c in report.by_fit_size.items()
            if m != "untouched"]
    text = (f"Held-out R@1 from {sizes[0]:.0f} to {sizes[-1]:.0f} fitted pairs: {', '.join(ends)} (untouched "
            f"{100 * untouched.value:.0f} %; {report.repeats} splits)")
    return framed(figure, text, height=400, dark=dark)


def fit_size_table(report: ClosingReport) -> pd.DataFrame:
    """One row a method and fit size: held-out R@1 image to text with its interval."""
    frames = [pd.DataFrame({"method": method, "fitted on": report.fit_sizes, "r1_image_to_text held out": curve.values,
                            "low": curve.low, "high": curve.high})
              for method, curve in report.by_fit_size.items()]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
