"""The measures of a path beside what three nulls give."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.differences import Verdict
from core.geometry.films.against import NULLS, AgainstNull
from core.geometry.films.nulls import NullsReport
from core.geometry.films.paths import MEASURES, Measure, PathReport

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each panel is a measure of the path: the thick bar is the central 95 % of a null, its tick the mean, the "
           "dot the film; a filled dot differs from that null at 5 % (two-sided, corrected for all measures by "
           "Holm). Shuffled frames always look different, since films are smooth. Whole shots shuffled tell whether "
           "the order of the shots matters. A random walk takes the same steps in random directions. Without a bar, "
           "the null cannot tell: it keeps the measure, or has too few shots.")
_SHOWN = {"radians": ("degrees", 180 / math.pi), "radians/s": ("degrees/s", 180 / math.pi), "share": ("%", 100.0)}
_HEAD = 44


def measures(report: NullsReport, *, dark: bool = False) -> go.Figure:
    """Each measure of a path beside its nulls, a panel a measure.

    Returns
    -------
    plotly Figure: for each measure its own axis with its unit; null by null the central 95 % as a bar, the mean as a
    tick and the film as a dot, filled where they differ. Measures that no null can tell have no panel.
    """
    rows = {key: [report.tests[null, key] for null in NULLS] for key in MEASURES}
    return small_multiples(rows, _finding(report), dark=dark)


def small_multiples(tests: Mapping[str, Sequence[AgainstNull]], title: str, *, names: Sequence[str] = (),
                    dark: bool = False) -> go.Figure:
    """Panels of tests, each of one measure on its own axis, a line a test.

    Parameters
    ----------
    tests
        By measure; those of which none is measurable have no panel.
    title
        The finding.
    names
        Of the lines of each panel; their nulls when empty.
    dark
        Colours for a dark background.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    p = theme.palette(dark)
    shown = {key: list(of) for key, of in tests.items() if any(test.p is not None for test in of)}
    lines = max((len(of) for of in shown.values()), default=1)
    row_height, count = 20 * lines + _HEAD, max(len(shown), 1)
    heads = [f"{of[0].measure.title} ({unit_of(of[0].measure)})" for of in shown.values()]
    figure = make_subplots(rows=count, cols=1, vertical_spacing=min(_HEAD / (count * row_height), 0.9 / count),
                           subplot_titles=heads or None)
    for note in figure.layout.annotations:
        note.update(x=0, xanchor="left", font={"size": 13, "color": p.text})
    for row, of in enumerate(shown.values(), start=1):
        for k, test in reversed(list(enumerate(of))):
            _one(figure, row, test, len(of) - 1 - k, p)
        figure.update_xaxes(range=_room(of), row=row, col=1)
        figure.update_yaxes(range=[-0.6, len(of) - 0.4], tickvals=list(range(len(of))),
                            ticktext=list(names or [plain(test.null) for test in of])[::-1], row=row, col=1)
    if not shown:
        figure.add_annotation(text="Nothing is measurable.", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
        figure.update_xaxes(visible=False).update_yaxes(visible=False)
    for name, symbol in (("differs", "circle"), ("not told apart", "circle-open")) if shown else ():
        figure.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=f"the film, {name}",
                                    marker={"size": 10, "symbol": symbol, "color": p.kinds["text"]}))
    framed(figure, title, height=count * row_height + 70, dark=dark)
    return figure.update_layout(margin={"l": 170})


def _one(figure: go.Figure, row: int, test: AgainstNull, place: int, p: theme.Palette) -> None:
    import plotly.graph_objects as go

    factor = factor_of(test.measure)
    differs = test.difference.verdict in (Verdict.HIGHER, Verdict.LOWER)
    if test.p is not None and test.value.null is not None:
        figure.add_trace(go.Scatter(
            x=[factor * test.low, factor * test.high], y=[place] * 2, mode="lines", showlegend=False,
            hoverinfo="skip", line={"width": 9, "color": p.unselected}), row=row, col=1)
        figure.add_trace(go.Scatter(
            x=[factor * test.value.null], y=[place], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"symbol": "line-ns", "size": 12, "line": {"width": 2, "color": p.muted}}), row=row, col=1)
    if math.isfinite(test.value.value):
        figure.add_trace(go.Scatter(
            x=[factor * test.value.value], y=[place], mode="markers", name=plain(test.measure.title), showlegend=False,
            hovertext=plain(test.words, width=50), hovertemplate="%{x:.4~g}: %{hovertext}<extra></extra>",
            marker={"size": 10, "color": p.kinds["text"] if test.p is not None else p.muted,
                    "symbol": "circle" if differs else "circle-open", "line": {"width": 2}}), row=row, col=1)


def _finding(report: NullsReport) -> str:
    used = report.frames["shots"]
    return _told(report) + (f"; on {used:,} of {report.of:,} frames" if used < report.of else "")


def _told(report: NullsReport) -> str:
    told = [test for (null, _), test in report.tests.items() if null == "shots"]
    name = shortened(report.name) or "The path"
    differ = [test.words.removesuffix(")").split(" than ")[0] + f" (p {test.p:.3f})" for test in told
              if test.difference.verdict in (Verdict.HIGHER, Verdict.LOWER)]
    measured = [test for test in told if test.p is not None]
    if differ:
        return f"{name}: beside whole shots shuffled it {', '.join(map(_verb, differ))} ({report.shots:,} shots)"
    if measured:
        least = min(test.p for test in measured if test.p is not None)
        return (f"{name}: none of {len(measured)} measures differs from whole shots shuffled (smallest p {least:.2f}, "
                f"{report.shots:,} shots)")
    return f"{name}: nothing can be told from whole shots shuffled ({report.shots:,} shot{'s' * (report.shots != 1)})"


def _verb(words: str) -> str:
    """ "slower (p ...)" as "is slower (p ...)"; what begins with a verb stays."""
    verbs = ("ends", "turns", "dwells", "stays", "comes")
    return words if words.startswith(verbs) else f"has {words}" if " directions" in words else f"is {words}"


def unit_of(measure: Measure) -> str:
    """The unit that a measure is shown in."""
    return _SHOWN.get(measure.unit, (measure.unit, 1.0))[0]


def factor_of(measure: Measure) -> float:
    """By how much to multiply a measure to show it."""
    return _SHOWN.get(measure.unit, ("", 1.0))[1]


def _room(tests: Sequence[AgainstNull]) -> list[float]:
    """Ends of an axis on which all values and ranges lie inside."""
    ends = [v for t in tests for v in (t.value.value, *((t.low, t.high) if t.p is not None else ()))
            if math.isfinite(v)]
    factor = factor_of(tests[0].measure)
    low, high = factor * min(ends), factor * max(ends)
    more = 0.06 * (high - low) or 0.1 * max(abs(high), 1.0)
    return [low - more, high + more]


def table(report: NullsReport) -> pd.DataFrame:
    """One row a null and measure: value, null and its central 95 %, p after Holm, frames, and what can be said."""
    return tests_table(list(report.tests.values()), draws=report.draws).assign(shots=report.shots)


def tests_table(tests: Sequence[AgainstNull], *, draws: int) -> pd.DataFrame:
    """One row a test, in the units that are shown."""
    return pd.DataFrame([{
        "null": test.null, "measure": test.measure.title, "unit": unit_of(test.measure),
        "value": factor_of(test.measure) * test.value.value,
        "by chance": math.nan if test.value.null is None else factor_of(test.measure) * test.value.null,
        "null low": factor_of(test.measure) * test.low, "null high": factor_of(test.measure) * test.high,
        "p (Holm)": test.p, "frames": test.value.n, "draws": draws, "says": test.words} for test in tests])


def summary(report: PathReport) -> pd.DataFrame:
    """One row a measure of the path itself: value, unit and what it was counted over."""
    return pd.DataFrame([{"measure": of.title, "value": factor_of(of) * report.numbers[key].value,
                          "unit": unit_of(of), "n": report.numbers[key].n} for key, of in MEASURES.items()])
