"""Of what A and B are composed: the share of each label, cluster, class or region in both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from core.figures import theme
from core.figures.frame import cells, error_bar, framed, percent, plain, share, shortened
from core.geometry.differences import LEVEL
from core.geometry.quality.composition import Composition, Part

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Two dots a line: the share of A and of B that is of this kind, with 95 % intervals. Where they are filled "
           "the two shares are told apart at 5 % (corrected for all kinds by Holm). The largest difference comes "
           "first.")
MOST_SHOWN = 24
_LINE = 30


def composition(report: Composition, names: tuple[str, str] = ("A", "B"), *, what: str = "kind",
                shown: Mapping[str, str] | None = None, most: int = MOST_SHOWN, dark: bool = False) -> go.Figure:
    """Shares of each kind in two sets.

    Parameters
    ----------
    report
        Of `core.geometry.quality.composition`, or that of regions.
    names
        What A and B are called.
    what
        What one kind is called: "label", "cluster", "class", "region".
    shown
        What each name is called instead, such as what a region was named by.
    most
        Kinds that are drawn, those with the largest difference.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: share (%) of A and of B for each kind; ``customdata`` of a dot is the name of its kind.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    parts = report.parts[:most]
    rows = list(range(len(parts)))
    figure = go.Figure()
    figure.add_trace(go.Scatter(
        x=[100 * v for part in parts for v in (part.of_a.value, part.of_b.value, float("nan"))],
        y=[v for row in rows for v in (row, row, row)], mode="lines", hoverinfo="skip", showlegend=False,
        line={"width": 2, "color": p.grid}))
    for side, (name, colour) in enumerate(zip(names, theme.sides(dark))):
        numbers = [percent((part.of_a, part.of_b)[side]) for part in parts]
        figure.add_trace(go.Scatter(
            x=[number.value for number in numbers], y=[row + 0.14 * (2 * side - 1) for row in rows], mode="markers",
            name=plain(shortened(name, 30)), error_x=error_bar(numbers, colour),
            customdata=[part.name for part in parts],
            hovertext=[_told(part, side, name, shown) for part in parts], hovertemplate="%{hovertext}<extra></extra>",
            marker={"size": 10, "color": colour, "line": {"width": 2, "color": colour},
                    "symbol": ["circle" if _apart(part) else "circle-open" for part in parts]}))
    figure.update_yaxes(tickmode="array", tickvals=rows, showgrid=False, zeroline=False,
                        ticktext=[plain(shortened(_called(part, shown), 44), width=24) for part in parts],
                        range=[len(parts) - 0.5, -0.5])
    figure.update_xaxes(title_text="share of the set (%)", rangemode="tozero")
    return framed(figure, _finding(report, names, what, shown), height=120 + _LINE * max(len(parts), 2), dark=dark)


def composition_table(report: Composition, names: tuple[str, str] = ("A", "B"),
                      shown: Mapping[str, str] | None = None) -> pd.DataFrame:
    """One row a kind: counts and shares with intervals, their difference with interval and p."""
    a, b = names if names[0] != names[1] else ("A", "B")
    return pd.DataFrame([{
        "name": _called(part, shown), f"{a} items": part.counts[0], f"{b} items": part.counts[1],
        **cells(f"{a} share", part.of_a), **cells(f"{b} share", part.of_b),
        **{key: value for key, value in cells("difference", part.change.change).items() if "chance" not in key},
        "p (Holm)": part.change.p, "test": part.change.test,
        "says": "told apart" if _apart(part) else "not told apart"} for part in report.parts])


def _apart(part: Part) -> bool:
    return part.change.p is not None and part.change.p <= LEVEL


def _called(part: Part, shown: Mapping[str, str] | None) -> str:
    return (shown or {}).get(part.name) or part.name


def _told(part: Part, side: int, name: str, shown: Mapping[str, str] | None) -> str:
    number, p = (part.of_a, part.of_b)[side], part.change.p
    return (f"{plain(shortened(_called(part, shown), 60))}<br>{part.counts[side]:,} of {plain(shortened(name, 30))}: "
            f"{share(number)}" + ("" if p is None else f"<br>p {p:.3g} (Holm)"))


def _finding(report: Composition, names: tuple[str, str], what: str, shown: Mapping[str, str] | None) -> str:
    a, b = (shortened(name, 24) for name in names)
    told = [part for part in report.parts if _apart(part)]
    apart = percent(report.distance)
    whole = (f"{apart.value:.1f} % of {a} would have to change {what} to be composed as {b}, {apart.null:.1f} % by "
             f"chance (p {report.p:.3g})")
    many = f"{len(report.parts)} {what if len(report.parts) == 1 else _plural(what)}"
    if not told:
        return f"No share of {many} is told apart; {whole}"
    first = told[0]
    return (f"{len(told)} of {many} told apart, first {shortened(_called(first, shown), 40)} ({share(first.of_a)} of "
            f"{a}, {share(first.of_b)} of {b}); {whole}")


def _plural(what: str) -> str:
    return f"{what}es" if what.endswith("s") else f"{what}s"
