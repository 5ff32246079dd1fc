"""How often each method finds the box that a sentence means, with and without other captions subtracted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.attention.foveal.referring import ReferringReport
from core.attention.prompts import TITLES
from core.figures import theme
from core.figures.frame import cells, error_bar, framed, percent, points, spoken
from core.geometry.differences import Difference, Verdict

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Share of sentences whose own box scores highest, with 95 % intervals by pictures: hollow as scored, filled "
           "with the mean score of other captions subtracted; dotted, a box at random. Whether two methods differ is "
           "said by the table, on the same sentences: intervals that overlap do not say it. Its p are corrected for "
           "the number of methods (Holm), its intervals are of one difference each.")
SIDES = {False: "as scored", True: "other captions subtracted"}
TOLD = {Verdict.HIGHER: "above", Verdict.LOWER: "below", Verdict.NOT_TOLD_APART: "not told apart from",
        Verdict.NOT_MEASURABLE: "not comparable with"}
_ROW = 34


def accuracies(report: ReferringReport, *, dark: bool = False) -> go.Figure:
    """Accuracy of each method, as scored and with other captions subtracted.

    Returns
    -------
    plotly Figure: share of sentences whose own box scores highest (%) to the right, a line a method; chance dotted.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    names = [TITLES[method] for method in report.methods]
    chance = 100 * (report.accuracy[report.methods[0], True].null or 0.0)
    figure.add_vline(x=chance, line={"color": p.muted, "width": 1.6, "dash": "dot"})
    for subtracted, title in SIDES.items():
        numbers = [percent(report.accuracy[method, subtracted]) for method in report.methods]
        colour = p.kinds["image"] if subtracted else p.kinds["text"]
        figure.add_trace(go.Scatter(
            x=[n.value for n in numbers], y=[i + (0.14 if subtracted else -0.14) for i in range(len(names))],
            mode="markers", name=title, error_x=error_bar(numbers, colour), text=[spoken(n, 1) for n in numbers],
            hovertemplate="%{text} %<extra>" + title + "</extra>",
            marker={"size": 10, "color": colour, "symbol": "circle" if subtracted else "circle-open",
                    "line": {"width": 2, "color": colour}}))
    figure.update_xaxes(title_text="sentences whose own box scores highest (%)", range=[-2, 102])
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5],
                        zeroline=False)
    return framed(figure, _finding(report), height=_ROW * len(names) + 110, dark=dark)


def accuracies_table(report: ReferringReport) -> pd.DataFrame:
    """One row a method and side: accuracy with interval, chance and n, the first method less it, p by Holm."""
    rows = []
    for method in report.methods:
        for subtracted, title in SIDES.items():
            number = report.accuracy[method, subtracted]
            row: dict[str, object] = {"method": TITLES[method], "scores": title} | cells("accuracy", number)
            row |= {"n": number.n, "pictures": len(set(report.picture.tolist()))}
            row |= _difference(f"{TITLES[report.methods[0]]} less it", report.over.get((method, subtracted)))
            row |= _difference("subtracting adds", report.gain[method] if subtracted else None)
            rows.append(row)
    return pd.DataFrame(rows)


def differences_table(report: ReferringReport) -> pd.DataFrame:
    """In words, one row a method: the first beside it, and what subtraction adds; points, interval, p by Holm."""
    first = TITLES[report.methods[0]]
    rows = []
    for method in report.methods:
        over = {SIDES[s]: report.over.get((method, s)) for s in SIDES}
        rows.append({"method": TITLES[method],
                     **{f"{first} is, {title}": "" if d is None else f"{TOLD[d.verdict]} it: {points(d)}"
                        for title, d in over.items()},
                     "subtracting other captions adds": points(report.gain[method])})
    return pd.DataFrame(rows)


def _difference(name: str, difference: Difference | None) -> dict[str, object]:
    if difference is None:
        return {}
    return {name: difference.change.value, f"{name}, low": difference.change.low,
            f"{name}, high": difference.change.high, f"{name}, p (Holm)": difference.p}


def _finding(report: ReferringReport) -> str:
    first = report.methods[0]
    number = percent(report.accuracy[first, True])
    words, _, rest = spoken(number, 1).partition(" ")
    said = f"{TITLES[first].capitalize()} finds {words} % {rest}, {number.n:,} sentences"
    best = max(report.methods, key=lambda method: report.accuracy[method, True].value)
    if best != first:
        difference = report.over[best, True]
        said += f"; {TOLD[difference.verdict]} {TITLES[best]}, {points(difference)}"
    return f"{said} (other captions subtracted)"
