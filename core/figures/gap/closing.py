"""What closing the gap does to retrieval: each method on pairs that it was not fitted on, beside those that it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError, check_choice
from core.figures import theme
from core.figures.frame import cells, error_bar, framed, line, percent, plain, share, shortened, spoken, spread
from core.geometry.differences import Verdict
from core.geometry.gap.closing import CLOSINGS
from core.geometry.gap.reports import ClosingReport, ClosingRow
from core.geometry.intervals import decimals
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

WAYS = {"r1_image_to_text": "image to text", "r1_text_to_image": "text to image"}
FITS = {"nothing": "nothing to fit", "means": "fitted on means", "pairs": "fitted on pairs"}
INSIDE = "on the pairs it was fitted on"
_LABEL_WIDTH = 176
_LINE = 17
_OUTSIDE = 130


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
    right in the order of R@1, coloured by what it is fitted on; a dotted line at the untouched R@1.

    Raises
    ------
    ShapeError
        If nothing is known to belong together, so that there is no R@1.
    """
    import plotly.graph_objects as go

    check_choice("way of retrieval", way, WAYS)
    rows = [row for row in report.rows if way in row.held_out]
    if not rows:
        raise ShapeError("pairs that belong together, to score retrieval on", "none",
                         "Open images with their captions, or a table that links them.")
    p, height = theme.palette(dark), max(430, _OUTSIDE + _LINE * len(rows))
    numbers = [percent(n) for r in rows for n in (r.held_out[way], *_fitted(r, way))]
    (low, high), (left, right) = _ends(numbers, 10.0), _ends([r.gap for r in rows], 0.1)
    xs, ys = np.array([r.gap.value for r in rows]), 100 * np.array([r.held_out[way].value for r in rows])
    labels = spread(ys, _LINE * (high - low) / (height - _OUTSIDE), low, high)
    figure = go.Figure()
    figure.add_hline(y=ys[0], line={"color": p.muted, "width": 1, "dash": "dot"})
    _segments(figure, [((x, right), (y, label)) for x, y, label in zip(xs, ys, labels)], p.grid, 1)
    _segments(figure, [((r.gap.value,) * 2, (100 * r.held_out[way].value, 100 * n.value))
                       for r in rows for n in _fitted(r, way)], p.muted, 1.2)
    for fits, words in FITS.items():
        group, colour = [r for r in rows if CLOSINGS[r.method].fits == fits], _colour(fits, dark)
        if group:
            _markers(figure, group, [r.held_out[way] for r in group], colour, words, held_out=True, dark=dark)
        inside = [r for r in group if _fitted(r, way)]
        if inside:
            _markers(figure, inside, [r.in_sample[way] for r in inside], colour, INSIDE, held_out=False, dark=dark)
    if any(_fitted(row, way) for row in rows):
        figure.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=f"hollow: {INSIDE}", hoverinfo="skip",
                                    marker={"symbol": "circle-open", "size": 10, "color": p.text}))
    for row, label in zip(rows, labels):
        figure.add_annotation(x=1, xref="paper", y=label, yref="y", text=plain(shortened(title(row.method), 26)),
                              xanchor="left", showarrow=False,
                              font={"size": theme.SMALLEST_FONT, "color": _colour(CLOSINGS[row.method].fits, dark)})
    figure.update_xaxes(title_text="gap after closing (length)", range=[left, right])
    figure.update_yaxes(title_text=f"R@1 {WAYS[way]} (%)", range=[low, high])
    framed(figure, _closing_finding(report, rows, way), height=height, dark=dark)
    return figure.update_layout(margin={"r": _LABEL_WIDTH})


def title(method: str) -> str:
    """What a method is called."""
    return CLOSINGS[method].title


def _colour(fits: str, dark: bool) -> str:
    p = theme.palette(dark)
    return {"nothing": p.kinds["plain"], "means": p.categories[2], "pairs": p.categories[4]}[fits]


def _fitted(row: ClosingRow, way: str) -> list[Number]:
    """R@1 on the fitted pairs, where a method learns from them."""
    return [row.in_sample[way]] if CLOSINGS[row.method].fits != "nothing" and way in row.in_sample else []


def _ends(numbers: Sequence[Number], least: float) -> tuple[float, float]:
    """Ends of an axis that holds numbers and their intervals."""
    values = [v for n in numbers for v in (n.value, n.low, n.high) if v is not None]
    room = 0.06 * max(max(values) - min(values), least)
    return min(values) - room, max(values) + room


def _segments(figure: go.Figure, ends: Sequence[tuple[Sequence[float], Sequence[float]]], colour: str,
              width: float) -> None:
    """Lines from (x, x), (y, y) each."""
    import plotly.graph_objects as go

    x, y = ([v for end in ends for v in (*end[axis], None)] for axis in (0, 1))
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", showlegend=False, hoverinfo="skip",
                                line={"color": colour, "width": width}))


def _markers(figure: go.Figure, rows: Sequence[ClosingRow], shares: Sequence[Number], colour: str, name: str, *,
             held_out: bool, dark: bool) -> None:
    import plotly.graph_objects as go

    numbers = [percent(n) for n in shares]
    hover = [f"{plain(title(r.method))}<br>gap {spoken(r.gap)}<br>R@1 {share(n)}" for r, n in zip(rows, shares)]
    bars = {"error_x": error_bar([r.gap for r in rows], colour), "error_y": error_bar(numbers, colour)}
    figure.add_trace(go.Scatter(
        x=[r.gap.value for r in rows], y=[n.value for n in numbers], mode="markers", name=name, hovertext=hover,
        hovertemplate=f"%{{hovertext}}<extra>{name}</extra>", **(bars if held_out else {}), showlegend=held_out,
        marker={"size": 11 if held_out else 10, "color": colour, "symbol": "circle" if held_out else "circle-open",
                "line": {"width": 1, "color": theme.palette(dark).background} if held_out else {"width": 2}}))


def _closing_finding(report: ClosingReport, rows: Sequence[ClosingRow], way: str) -> str:
    text = f"R@1 {WAYS[way]}: untouched {share(rows[0].held_out[way])}"
    others = [r for r in rows[1:] if not math.isclose(r.held_out[way].value, rows[0].held_out[way].value)]
    if others:
        best = max(others, key=lambda r: r.held_out[way].value)
        more = best.held_out[way].value > rows[0].held_out[way].value
        text += f", {'best' if more else 'none better, next'} {title(best.method)} {_gain(best, way)}"
    falls = [(n.value - r.held_out[way].value, r) for r in rows for n in _fitted(r, way)]
    if falls and (drop := max(falls, key=lambda f: f[0]))[0] >= 0.1:
        row = drop[1]
        text += f"; {title(row.method)} {share(row.in_sample[way])} on the pairs it was fitted on, " \
                f"{share(row.held_out[way])} on others"
    return f"{text} ({report.repeats} splits, {report.n_scored:,} pairs scored in each)"


def _gain(row: ClosingRow, way: str) -> str:
    """What a method adds, item by item where that is known, and whether it is told apart from nothing."""
    if way not in row.change:
        return share(row.held_out[way])
    gain = percent(row.change[way].change)
    digits = decimals(gain, 1)
    interval = "" if gain.low is None or gain.high is None else f" ({gain.low:+.{digits}f} to {gain.high:+.{digits}f})"
    told = {Verdict.NOT_TOLD_APART: ", not told apart", Verdict.NOT_MEASURABLE: ", not measurable"}
    return f"{gain.value:+.{digits}f} points{interval}{told.get(row.change[way].verdict, '')}"


def closing_table(report: ClosingReport) -> pd.DataFrame:
    """One row a method: each number in a column, its interval and chance beside it, and the splits."""
    rows = []
    for row in report.rows:
        line_of: dict[str, object] = {"method": row.method, "title": title(row.method),
                                      "fitted on": CLOSINGS[row.method].fits, **cells("gap", row.gap)}
        for where, numbers in (("held out", row.held_out), ("in sample", row.in_sample)):
            for way, number in numbers.items():
                line_of |= cells(f"{way} {where}", number)
        for way, difference in row.change.items():
            line_of |= cells(f"{way} change", difference.change)
            line_of |= {f"{way} change p": difference.p, f"{way} after": difference.verdict.value}
        if row.accuracy is not None:
            line_of |= cells("zero-shot accuracy", row.accuracy)
        rows.append({**line_of, "splits": report.repeats, "pairs fitted on": report.n_fit,
                     "pairs scored": report.n_scored})
    return pd.DataFrame(rows)


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
        line(figure, sizes, curve, p.categories[i % len(p.categories)], title(method), None, as_percent=True, dots=True)
    untouched = report.rows[0].held_out["r1_image_to_text"]
    figure.add_trace(go.Scatter(
        x=sizes[[0, -1]], y=[100 * untouched.value] * 2, mode="lines", name="untouched", hoverinfo="skip",
        line={"color": p.muted, "width": 1.6, "dash": "dot"}))
    ends = np.log10(sizes[[0, -1]]) + np.array([-0.03, 0.03])
    figure.update_xaxes(title_text="pairs fitted on", type="log", tickvals=sizes, ticktext=[f"{s:,.0f}" for s in sizes],
                        range=ends)
    figure.update_yaxes(title_text="R@1 image to text, held out (%)", rangemode="tozero")
    said = [f"{title(m)} " + " → ".join(share(replace(c.at(i), n=report.n_scored)) for i in (0, -1))
            for m, c in report.by_fit_size.items()]
    text = (f"Held-out R@1 from {sizes[0]:,.0f} to {sizes[-1]:,.0f} fitted pairs: {', '.join(said)} (untouched "
            f"{share(untouched)})")
    return framed(figure, text, height=400, dark=dark)


def fit_size_table(report: ClosingReport) -> pd.DataFrame:
    """One row a method and fit size: held-out R@1 image to text with its interval."""
    frames = [pd.DataFrame({"method": method, "fitted on": report.fit_sizes, "r1_image_to_text held out": curve.values,
                            "low": curve.low, "high": curve.high})
              for method, curve in report.by_fit_size.items()]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
