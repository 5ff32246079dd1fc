"""A against B: every statistic on its own axis, beside dealt labels and beside two halves of one set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import cells, framed, panels, percent, plain, shortened
from core.geometry.quality.against import STATISTICS, Against, Measure, Statistic
from core.geometry.quality.shared import FROM_WHOLE, AgainstRandom

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each line is a statistic on its own axis: the dot is A against B, the bar where it lies for 95 % of labels "
           "dealt at random, its tick their mean, and the rings two halves of one set of as many items. A filled dot "
           "is told apart at 5 % (p by dealt labels, corrected for all statistics by Holm).")
CAPTION_OF_KEPT = ("Each line is a statistic on its own axis: the dot is what is kept, the bar where 95 % of random "
                   "subsets of its size lie, its tick their mean. A filled dot differs from them at 5 % (two-sided, "
                   "corrected for all statistics by Holm).")
_ROW, _HEAD = 26, 40


def against(report: Against, names: tuple[str, str] = ("A", "B"), *, dark: bool = False) -> go.Figure:
    """Statistics of two sets beside chance and beside halves of one set.

    Parameters
    ----------
    report
        Of `compare`; one of which nothing is measurable says why.
    names
        What A and B are called.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: a panel a statistic, on its own axis with its unit; shares are in %.
    """
    return _statistics(STATISTICS, report.statistics, _finding(report, names), f"{shortened(names[0], 20)} against "
                       f"{shortened(names[1], 20)}", "dealt labels", dark)


def kept(report: AgainstRandom, *, dark: bool = False) -> go.Figure:
    """What was kept beside random subsets of its size: a panel a statistic, as in `against`."""
    return _statistics(FROM_WHOLE, report.statistics, _finding_of_kept(report), "kept", "random subsets", dark)


def against_table(report: Against) -> pd.DataFrame:
    """One row a statistic: value with interval, by chance, two halves (mean, least, largest), p alone and by Holm."""
    return _table(STATISTICS, report.statistics)


def kept_table(report: AgainstRandom) -> pd.DataFrame:
    """One row a statistic: value, that of random subsets, p alone and by Holm."""
    return _table(FROM_WHOLE, report.statistics)


def _statistics(measures: Mapping[str, Measure], found: Mapping[str, Statistic], title: str, seen: str, chance: str,
                dark: bool) -> go.Figure:
    import plotly.graph_objects as go

    p = theme.palette(dark)
    keys = [key for key in measures if key in found]
    figure = panels([_head(measures[key], found[key]) for key in keys] or [""],
                    gap=_HEAD / (max(len(keys), 1) * (_ROW + _HEAD)), dark=dark)
    for row, key in enumerate(keys, 1):
        statistic, factor = found[key], _factor(measures[key])
        low, high = (factor * np.quantile(statistic.by_chance, [0.025, 0.975])).tolist()
        middle, value, halves = factor * statistic.by_chance.mean(), factor * statistic.number.value, \
            factor * statistic.halves
        traces = [
            go.Scatter(x=[low, high], y=[0, 0], mode="lines", hoverinfo="skip", showlegend=False,
                       line={"width": 9, "color": p.unselected}),
            go.Scatter(x=[middle], y=[0], mode="markers", showlegend=False,
                       hovertemplate=f"%{{x:.4~g}}: mean of {chance}<extra></extra>",
                       marker={"symbol": "line-ns", "size": 12, "line": {"width": 2, "color": p.muted}}),
            go.Scatter(x=halves, y=np.zeros(len(halves)), mode="markers", showlegend=False,
                       hovertemplate="%{x:.4~g}: two halves of one set<extra></extra>",
                       marker={"symbol": "circle-open", "size": 9, "color": p.muted, "opacity": 0.7}),
            go.Scatter(x=[value], y=[0], mode="markers", showlegend=False, name=seen,
                       error_x=_interval(statistic, factor, p), hovertext=_told(measures[key], statistic, seen),
                       hovertemplate="%{hovertext}<extra></extra>",
                       marker={"size": 11, "color": p.text, "line": {"width": 2, "color": p.text},
                               "symbol": "circle" if statistic.told_apart else "circle-open"})]
        figure.add_traces(traces, rows=row, cols=1)
        ends = [low, high, value, *halves.tolist(),
                *(factor * e for e in (statistic.number.low, statistic.number.high) if e is not None)]
        span = max(ends) - min(ends) or 0.1 * max(abs(ends[0]), 1.0)
        figure.update_xaxes(range=[min(ends) - 0.06 * span, max(ends) + 0.06 * span], showticklabels=True, nticks=6,
                            exponentformat="power", matches=None, row=row, col=1)
        figure.update_yaxes(range=[-1, 1], visible=False, row=row, col=1)
    _legend(figure, found, seen, chance, p)
    if not keys:
        figure.add_annotation(text="Nothing is measurable.", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
        figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return framed(figure, title, height=max(len(keys), 1) * (_ROW + _HEAD) + 80, dark=dark)


def _interval(statistic: Statistic, factor: float, p: theme.Palette) -> dict[str, object] | None:
    number = statistic.number
    if number.low is None or number.high is None:
        return None
    return {"type": "data", "symmetric": False, "array": [factor * (number.high - number.value)],
            "arrayminus": [factor * (number.value - number.low)], "color": p.text, "thickness": 1.5,
            "width": 3}


def _legend(figure: go.Figure, found: Mapping[str, Statistic], seen: str, chance: str, p: theme.Palette) -> None:
    import plotly.graph_objects as go

    if not found:
        return
    entries = [(f"{seen}, told apart", "circle", p.text),
               (f"{seen}, not told apart", "circle-open", p.text), (chance, "square", p.unselected)]
    if any(len(statistic.halves) for statistic in found.values()):
        entries.append(("two halves of one set", "circle-open", p.muted))
    for name, symbol, colour in entries:
        figure.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=plain(name),
                                    marker={"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2}}))


def _factor(measure: Measure) -> float:
    return 100.0 if measure.unit == "share" else 1.0


def _head(measure: Measure, statistic: Statistic) -> str:
    p = "" if statistic.p is None else f", {_p(statistic.p)}"
    return f"{measure.title}{' (%)' if measure.unit == 'share' else ''}{p}"


def _p(p: float) -> str:
    return f"p {p:.3f}" if p >= 0.001 else "p below 0.001"


def _told(measure: Measure, statistic: Statistic, seen: str) -> str:
    number = percent(statistic.number) if measure.unit == "share" else statistic.number
    words = f"{seen}: {number.value:.4g}"
    if number.low is not None and number.high is not None:
        words += f" ({number.low:.4g} to {number.high:.4g})"
    words += f"<br>by chance {number.null:.4g}, n = {number.n:,} of each"
    words += f"<br>p {statistic.p_alone:.3f} alone"
    return words if statistic.p is None else f"{words}, {statistic.p:.3f} by Holm"


def _finding(report: Against, names: tuple[str, str]) -> str:
    a, b = (shortened(name, 24) for name in names)
    if report.reason:
        return f"{a} against {b} is not measurable: {report.reason}"
    told = [STATISTICS[key].title for key, s in report.statistics.items() if s.told_apart]
    of = f"({report.n:,} items of each, {report.permutations:,} dealt labels)"
    if not told:
        return f"{a} and {b} are not told apart by any statistic {of}"
    accuracy = percent(report.statistics["accuracy"].number)
    return (f"{a} and {b} are told apart by {len(told)} of {len(report.statistics)} statistics; a classifier tells "
            f"{accuracy.value:.0f} % of left-out items, {accuracy.null:.0f} % by chance {of}")


def _finding_of_kept(report: AgainstRandom) -> str:
    if report.reason:
        return f"What is kept cannot be compared with random subsets: {report.reason}"
    told = [f"{FROM_WHOLE[key].title} {'higher' if s.number.value > (s.number.null or 0) else 'lower'}"
            for key, s in report.statistics.items() if s.told_apart]
    of = f"({report.kept:,} of {report.n:,} items, {report.draws:,} random subsets)"
    if not told:
        return f"What is kept stands for the whole as random subsets of its size do {of}"
    return f"What is kept differs from random subsets of its size: {'; '.join(told)} {of}"


def _table(measures: Mapping[str, Measure], found: Mapping[str, Statistic]) -> pd.DataFrame:
    rows = []
    for key, statistic in found.items():
        row: dict[str, object] = {"statistic": measures[key].title, "unit": measures[key].unit,
                                  **cells("value", statistic.number)}
        halves = statistic.of_halves
        if halves is not None:
            row |= {"two halves": halves.value, "two halves least": halves.low, "two halves largest": halves.high}
        rows.append({**row, "p": statistic.p_alone, "p (Holm)": statistic.p, "n": statistic.number.n,
                     "says": "told apart" if statistic.told_apart else "not told apart"})
    return pd.DataFrame(rows)
