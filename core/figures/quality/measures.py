"""What actions do: every measure before, after and after as many dropped at random; and how many each action drops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import cells, framed, panels, percent, plain, shortened, spoken
from core.geometry.differences import Verdict
from core.geometry.quality.at_random import Beside, in_words
from core.geometry.quality.items import Kept

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each line is a measure on its own axis: the ring is the whole, the dot what is left, the bar where 95 % of "
           "as many dropped at random lie, its tick their mean. A filled dot differs from dropping at random at 5 % "
           "(two-sided, corrected for all measures by Holm): the rest of a change comes from being fewer.")
_ROW, _HEAD = 26, 40
_NOUNS = {"images": "images", "texts": "captions"}
_DIFFER = (Verdict.HIGHER, Verdict.LOWER)


def measures(report: Beside, *, dark: bool = False) -> go.Figure:
    """Each measure before and after, beside as many dropped at random.

    Returns
    -------
    plotly Figure: a panel a measure, on its own axis with its unit; shares are in %. Measures that neither the actions
    nor random drops change have no panel; `measures_table` has them all.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    keys = _changing(report)
    figure = panels([_head(report, key) for key in keys] or [""], gap=_HEAD / (max(len(keys), 1) * (_ROW + _HEAD)),
                    dark=dark)
    for row, key in enumerate(keys, 1):
        factor, drawn = _factor(report, key), report.random.get(key, np.zeros(0))
        drawn = drawn[np.isfinite(drawn)] * factor
        ends: list[float] = []
        if len(drawn) and key in report.differences:
            low, high = _range(report, key, drawn, factor)
            ends += [low, high]
            figure.add_trace(go.Scatter(x=[low, high], y=[0, 0], mode="lines", hoverinfo="skip", showlegend=False,
                                        line={"width": 9, "color": p.unselected}), row=row, col=1)
            figure.add_trace(go.Scatter(
                x=[drawn.mean()], y=[0], mode="markers", showlegend=False,
                hovertemplate="%{x:.4~g}: as many dropped at random<extra></extra>",
                marker={"symbol": "line-ns", "size": 12, "line": {"width": 2, "color": p.muted}}), row=row, col=1)
        for name, numbers, colour in (("before", report.before, p.muted), ("after", report.after, p.text)):
            if key not in numbers:
                continue
            differs = name == "after" and key in report.differences and report.differences[key].verdict in _DIFFER
            ends.append(factor * numbers[key].value)
            figure.add_trace(go.Scatter(
                x=[factor * numbers[key].value], y=[0], mode="markers", showlegend=False, name=name,
                hovertext=_told(report, key, name), hovertemplate="%{hovertext}<extra></extra>",
                marker={"size": 13 if name == "before" else 10, "color": colour, "line": {"width": 2, "color": colour},
                        "symbol": "circle" if differs else "circle-open"}), row=row, col=1)
        span = max(ends) - min(ends) or 0.1 * max(abs(ends[0]), 1.0)
        figure.update_xaxes(range=[min(ends) - 0.08 * span, max(ends) + 0.08 * span], showticklabels=True, nticks=6,
                            exponentformat="power", matches=None, row=row, col=1)
        figure.update_yaxes(range=[-1, 1], visible=False, row=row, col=1)
    if not keys:
        figure.add_annotation(text="No measure changes.", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
        figure.update_xaxes(visible=False).update_yaxes(visible=False)
    for name, symbol, colour in (("before", "circle-open", p.muted), ("after, differs", "circle", p.text),
                                 ("after, not told apart", "circle-open", p.text)) if keys else ():
        figure.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=name,
                                    marker={"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2}}))
    return framed(figure, _finding(report), height=max(len(keys), 1) * (_ROW + _HEAD) + 80, dark=dark)


def measures_table(report: Beside) -> pd.DataFrame:
    """One row a measure: before and after with intervals and n, at random, the difference with interval and p."""
    rows = []
    for key, measure in report.measures.items():
        if key not in report.before and key not in report.after:
            continue
        difference = report.differences.get(key)
        drawn = report.random.get(key, np.zeros(0))
        drawn = drawn[np.isfinite(drawn)]
        row: dict[str, object] = {"measure": measure.title, "unit": measure.unit}
        sides = {name: numbers[key] for name, numbers in (("before", report.before), ("after", report.after))
                 if key in numbers}
        row |= {name: number.value for name, number in sides.items()}
        row |= {"at random": float(drawn.mean()) if len(drawn) else math.nan}
        if difference is not None:
            row |= {"difference": difference.change.value, "difference low": difference.change.low,
                    "difference high": difference.change.high, "p (Holm)": difference.p,
                    "says": in_words(difference, measure), "test": difference.test}
        for name, number in sides.items():
            row |= cells(name, number) | {f"{name} n": number.n}
        row |= {"random drops": len(drawn)}
        rows.append(row)
    return pd.DataFrame(rows)


def drops(steps: Sequence[tuple[str, Kept]], whole: Kept, *, dark: bool = False) -> go.Figure:
    """How many images and captions each action leaves and drops, from all to what is left.

    Parameters
    ----------
    steps : words of each action, and what it left, in order.
    whole : before all of them.
    dark : colours for a dark background.

    Returns
    -------
    plotly Figure: a panel a modality of which there are some; for each action a bar of what is left and, at its end, of
    what it dropped.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    names = ["All", *(f"{i}. {words}" for i, (words, _) in enumerate(steps, 1))]
    shown = {kind: [int(getattr(state, kind).sum()) for state in (whole, *(kept for _, kept in steps))]
             for kind in ("images", "texts") if len(getattr(whole, kind))}
    figure = panels([f"Number of {_NOUNS[kind]}" for kind in shown] or [""], gap=0.16, dark=dark)
    for row, (kind, left) in enumerate(shown.items(), 1):
        gone, nouns = [0, *(a - b for a, b in pairwise(left))], _NOUNS[kind]
        ticks = [plain(shortened(name, 60), width=30) for name in names]
        for label, values, colour in (("left", left, p.kinds[kind.removesuffix("s")]),
                                      ("dropped", gone, p.unselected)):
            figure.add_trace(go.Bar(
                y=ticks, x=values, orientation="h", name=label, showlegend=row == 1, legendgroup=label,
                marker={"color": colour}, text=[f"{v:,}" if v or label == "left" else "" for v in values],
                textposition="auto", hovertemplate=f"%{{y}}: %{{x:,}} {nouns} {label}<extra></extra>"), row=row, col=1)
        figure.update_yaxes(autorange="reversed", tickfont={"color": p.text}, ticklabelstandoff=6, row=row, col=1)
        figure.update_xaxes(range=[0, 1.15 * max(left[0], 1)], showticklabels=True, matches=None,
                            row=row, col=1)
    figure.update_layout(barmode="stack")
    said = [f"{left[-1]:,} of {left[0]:,} {_NOUNS[kind]}" for kind, left in shown.items()]
    title = f"{' and '.join(said)} are left after {len(steps)} action{'s' * (len(steps) != 1)}" if said else "No items"
    return framed(figure, title, height=110 + max(len(shown), 1) * (70 + 40 * len(names)), dark=dark)


def drops_table(steps: Sequence[tuple[str, Kept]], whole: Kept) -> pd.DataFrame:
    """One row an action: its words, images and captions that it left and dropped."""
    states = [whole, *(kept for _, kept in steps)]
    return pd.DataFrame([{"step": i, "action": words, "images left": int(b.images.sum()),
                          "images dropped": int(a.images.sum() - b.images.sum()), "captions left": int(b.texts.sum()),
                          "captions dropped": int(a.texts.sum() - b.texts.sum())}
                         for i, (words, a, b) in enumerate(zip([w for w, _ in steps], states, states[1:]), 1)])


def _changing(report: Beside) -> list[str]:
    """Measures that are not the same before, after and after every random drop."""
    changing = []
    for key in report.measures:
        sides = [numbers[key].value for numbers in (report.before, report.after) if key in numbers]
        drawn = report.random.get(key, np.zeros(0))
        values = np.array([*sides, *drawn[np.isfinite(drawn)]])
        if sides and (len(sides) == 1 or np.ptp(values) > 1e-6 * np.abs(values).max()):
            changing.append(key)
    return changing


def _factor(report: Beside, key: str) -> float:
    return 100.0 if report.measures[key].unit == "share" else 1.0


def _head(report: Beside, key: str) -> str:
    measure = report.measures[key]
    unit = "%" if measure.unit == "share" else measure.unit
    return f"{measure.title} ({unit})" if unit and not measure.title.lower().endswith(unit) else measure.title


def _range(report: Beside, key: str, drawn: np.ndarray, factor: float) -> tuple[float, float]:
    """Where 95 % of random drops lie: the interval of the difference, seen from what is left."""
    change = report.differences[key].change
    if change.low is None or change.high is None:
        return float(drawn.min()), float(drawn.max())
    half, middle = factor * (change.high - change.low) / 2, float(drawn.mean())
    if report.measures[key].unit == "share":
        return max(middle - half, 0.0), min(middle + half, 100.0)
    return middle - half, middle + half


def _told(report: Beside, key: str, name: str) -> str:
    number = (report.before if name == "before" else report.after)[key]
    factor = _factor(report, key)
    digits = 0 if key in ("images", "texts") else 2
    words = f"{name}: {spoken(percent(number) if factor == 100 else number, digits)}"
    words += f", n = {number.n:,}" if number.n else ""
    difference = report.differences.get(key)
    if name == "after" and difference is not None and difference.p is not None:
        words += (f"<br>less at random: {factor * difference.change.value:+.3g}, p {difference.p:.3g} (Holm), "
                  f"{in_words(difference, report.measures[key])}")
    return words


def _finding(report: Beside) -> str:
    images, texts = report.dropped
    gone = " and ".join(f"{count:,} {noun}" for count, noun in ((images, "images"), (texts, "captions")) if count)
    gone += " dropped"
    if not images and not texts:
        return "Nothing is dropped" + (": what changes is by other labels alone" if _changing(report) else "")
    told = [f"{report.measures[key].title} {in_words(d, report.measures[key])}" for key, d in report.differences.items()
            if d.verdict in _DIFFER]
    if not told:
        return f"{gone}: no measure differs from as many dropped at random"
    more = f", and {len(told) - 3} more" if len(told) > 3 else ""
    return f"{gone}; beside as many at random: {'; '.join(told[:3])}{more}"
