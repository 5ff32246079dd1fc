"""The fairness curve: unwanted classes by group along the shift of the gap, what tells groups apart, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import as_percent, cells, framed, line, panels, percent, points, shortened
from core.geometry.curves import Curve
from core.geometry.differences import LEVEL
from core.geometry.fairness import Fairness
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Above: share of each group's images that go into an unwanted class (of up to three groups with Wilson's "
           "95 % bands). Middle: how far the groups lie apart, beside what shuffled groups give (dotted); filled dots "
           "have p at most .05 by Holm over the shifts. Below: share of images that get their own, wanted class. Solid "
           "line: the shift chosen; at ½ the gap is closed.")
MOST_BANDS = 3


def at_shift(report: Fairness, shift: float) -> int:
    """Place of the shift that is nearest."""
    return int(np.abs(report.shifts - shift).argmin())


def finding(report: Fairness, place: int) -> str:
    """Shares and what tells them apart at a shift, beside those without one."""
    shares = [numbers[place] for numbers in report.shares]
    order = np.argsort([-n.value for n in shares], kind="stable")
    most, least = int(order[0]), int(order[-1])
    difference = report.differences[place]
    apart = "the groups differ" if difference.p is not None and difference.p <= LEVEL else "not told apart"
    said = (f"At shift {report.shifts[place]:g}: unwanted classes get {100 * shares[most].value:.1f} % of "
            f"{shortened(report.groups[most], 20)} and {100 * shares[least].value:.1f} % of "
            f"{shortened(report.groups[least], 20)}: {apart} ({said_p(difference.p)} by Holm)")
    zero = at_shift(report, 0.0)
    if report.accuracy:
        said += f"; accuracy of the other classes {100 * report.accuracy[place].value:.1f} %"
        if place != zero:
            said += f" ({100 * report.accuracy[zero].value:.1f} % without a shift)"
    return said


def said_p(p: float | None) -> str:
    """A p in words."""
    return "p not known" if p is None else "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def curves(report: Fairness, place: int, *, dark: bool = False) -> go.Figure:
    """Shares by group, their difference and the accuracy along the shift.

    Returns
    -------
    plotly Figure of two or three panels: shift λ to the right, percentages upwards.
    """
    import plotly.graph_objects as go

    titles = ["Images in an unwanted class (%)",
              f"{_pair(report)} (points of a percentage)", "Own class named, of the other classes (%)"]
    p = theme.palette(dark)
    figure = panels(titles[:2 + bool(report.accuracy)], gap=0.09, dark=dark)
    for g, name in enumerate(report.groups):
        line(figure, report.shifts, Curve.of(name, report.shares[g]), p.categories[g % 12],
             shortened(name, 24), 1, as_percent=True, band=len(report.groups) <= MOST_BANDS, dots=True)
    change = [percent(d.change) for d in report.differences]
    line(figure, report.shifts, Curve.of("difference", change), p.kinds["plain"], "difference of the groups", 2,
         legend=False)
    figure.add_trace(go.Scatter(
        x=report.shifts, y=[n.value for n in change], mode="markers", showlegend=False,
        marker={"size": 9, "color": p.kinds["plain"], "line": {"width": 2, "color": p.kinds["plain"]},
                "symbol": ["circle" if d.p is not None and d.p <= LEVEL else "circle-open"
                           for d in report.differences]},
        hovertext=[f"shift {lam:g}: {points(d)} (Holm); shuffled groups {100 * (d.change.null or 0):.1f}"
                   for lam, d in zip(report.shifts, report.differences)],
        hovertemplate="%{hovertext}<extra></extra>"), row=2, col=1)
    figure.add_trace(go.Scatter(x=report.shifts, y=[n.null for n in change], mode="lines", name="groups shuffled",
                                line={"color": p.muted, "width": 1.6, "dash": "dot"}, hoverinfo="skip"), row=2, col=1)
    if report.accuracy:
        line(figure, report.shifts, Curve.of("accuracy", report.accuracy), p.kinds["image"],
             "accuracy of the other classes", 3, as_percent=True, dots=True)
    figure.add_vline(x=float(report.shifts[place]), line={"color": p.muted, "width": 1.4})
    figure.update_xaxes(title_text="shift λ along the gap", row=2 + bool(report.accuracy), col=1)
    return framed(figure, finding(report, place), height=620, dark=dark)


def _pair(report: Fairness) -> str:
    if len(report.groups) == 2:
        return f"{shortened(report.groups[0], 18)} less {shortened(report.groups[1], 18)}"
    return "Largest less smallest share"


def shares_table(report: Fairness, place: int) -> pd.DataFrame:
    """In words, at one shift and without one: the share of each group, their difference, and the accuracy."""
    zero = at_shift(report, 0.0)
    columns = {f"shift {report.shifts[i]:g}": i for i in dict.fromkeys((zero, place))}
    rows: list[dict[str, str]] = [
        {"": name, "n": f"{report.shares[g][place].n:,}"}
        | {title: as_percent(report.shares[g][i]).replace("by chance", "all groups") for title, i in columns.items()}
        for g, name in enumerate(report.groups)]
    rows.append({"": _pair(report), "n": f"{report.differences[place].change.n:,}"}
                | {title: f"{points(report.differences[i])} by Holm; shuffled groups "
                   f"{100 * (report.differences[i].change.null or 0):.1f}" for title, i in columns.items()})
    if report.accuracy:
        rows.append({"": "accuracy of the other classes", "n": f"{report.accuracy[place].n:,}"}
                    | {title: as_percent(report.accuracy[i]) for title, i in columns.items()})
    rows.append({"": "gap that is left", "n": ""} | {title: f"{report.gap[i]:.3f}" for title, i in columns.items()})
    return pd.DataFrame(rows)


def table(report: Fairness) -> pd.DataFrame:
    """One row a shift and group, and one for their difference and the accuracy: with interval and chance, n, p."""
    rows = []
    for i, lam in enumerate(report.shifts.tolist()):
        for g, name in enumerate(report.groups):
            rows.append({"shift": lam, "what": "share in an unwanted class", "group": name}
                        | cells("value", report.shares[g][i]) | {"n": report.shares[g][i].n})
        found = report.differences[i]
        rows.append({"shift": lam, "what": _pair(report), "group": ""} | cells("value", found.change)
                    | {"n": found.change.n, "p (Holm)": found.p, "test": found.test})
        if report.accuracy:
            rows.append({"shift": lam, "what": "accuracy of the other classes", "group": ""}
                        | cells("value", report.accuracy[i]) | {"n": report.accuracy[i].n})
        rows.append({"shift": lam, "what": "gap that is left", "group": ""}
                    | cells("value", Number(float(report.gap[i]))))
    return pd.DataFrame(rows)
