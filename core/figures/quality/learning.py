"""What sets taught the same learner: each measure with its band, beside chance, and accuracy class by class."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import cells, error_bar, framed, panels, percent, plain, shortened, spoken
from core.geometry.differences import Difference, Verdict
from core.learning.comparing import ALL, KEPT, MEASURES, RANDOM, Learned
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION_OF_CLASSES = ("Zero-shot: a class stands for the mean of its captions, without the own one of the image that "
                      "is asked. Bars are 95 % intervals, of towers over seeds and of adapters over the images of the "
                      "class; the dotted line is chance. Differences of single classes are no tests.")
CAPTION_OF_PROBED = ("Accuracy of each class, with Wilson's 95 % interval over its items; the dotted line is chance. "
                     "Differences of single classes are no tests; zero-shot, a class whose name the model does not "
                     "read is never right.")
MOST_CLASSES = 24
_ROW, _HEAD = 22, 44


def caption(report: Learned) -> str:
    """How to read the figure."""
    dots = "Small dots are single runs, large ones their mean" if any(
        len(runs) > 1 for runs in report.runs.values()) else "Dots are values"
    random = ("“As many at random” drops as many items as the what-if, for each seed others: what “kept” has in common "
              "with it comes from fewer data, not from better ones. ") if RANDOM in report.sets else ""
    return (f"{dots} with a 95 % interval {report.over}; dotted lines are chance. {random}{report.asked:,} items are "
            f"asked; the learner is {report.how}.")


def learning(report: Learned, *, dark: bool = False) -> go.Figure:
    """Measures of every set, one panel each on its own axis with its unit; shares are in %.

    Parameters
    ----------
    report
        Of `core.learning.comparing` or `core.learning.probes`.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: for each measure a row a set, its runs, its mean with interval, and chance as a dotted line.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    colours, ticks = _colours(report, dark), [plain(shortened(name, 26)) for name in report.sets]
    inside = _ROW * len(report.sets)
    rows = max(len(report.measures), 1)
    figure = panels([_head(key) for key in report.measures] or [""], gap=_HEAD / (rows * (inside + _HEAD)), dark=dark)
    for row, key in enumerate(report.measures, 1):
        factor, ends = _factor(key), list[float]()
        for place, name in enumerate(report.sets):
            if (name, key) not in report.numbers:
                continue
            number, runs = report.numbers[name, key], factor * report.runs.get((name, key), np.zeros(0))
            runs = runs[np.isfinite(runs)]
            ends += runs.tolist()
            if len(runs) > 1 and np.ptp(runs) > 0:
                figure.add_trace(go.Scatter(
                    x=runs, y=[place] * len(runs), mode="markers", hoverinfo="skip", showlegend=False,
                    marker={"size": 5, "color": theme.rgba(colours[name], 0.45)}), row=row, col=1)
            shown = percent(number) if factor == 100 else number
            ends += [end for end in (shown.value, shown.low, shown.high) if end is not None and math.isfinite(end)]
            figure.add_trace(go.Scatter(
                x=[shown.value], y=[place], mode="markers", showlegend=False, name=plain(name),
                error_x=error_bar([shown], colours[name]), hovertext=_told(report, name, key),
                hovertemplate="%{hovertext}<extra></extra>", marker={"size": 10, "color": colours[name]}),
                row=row, col=1)
        null = report.numbers[report.sets[-1], key].null if (report.sets[-1], key) in report.numbers else None
        if null is not None:
            ends.append(factor * null)
            figure.add_vline(x=factor * null, line={"color": p.muted, "dash": "dot", "width": 1.5}, row=row, col=1)
        figure.update_xaxes(range=_around(ends, key), matches=None, showticklabels=True, nticks=6,
                            exponentformat="power", row=row, col=1)
        figure.update_yaxes(tickvals=list(range(len(ticks))), ticktext=ticks, range=[len(ticks) - 0.5, -0.5],
                            tickfont={"color": p.text}, row=row, col=1)
    return framed(figure, finding(report), height=rows * (inside + _HEAD) + 70, dark=dark, legend=False)


def by_class(report: Learned, *, dark: bool = False) -> go.Figure:
    """Accuracy class by class of every set, in %; of more than 24 classes those in which sets differ most."""
    import plotly.graph_objects as go

    p = theme.palette(dark)
    colours, names = _colours(report, dark), _most_different(report)
    figure = go.Figure()
    shift = 0.7 / max(len(report.sets), 1)
    for place, name in enumerate(report.sets):
        found = [(row, percent(report.classes[name, label])) for row, label in enumerate(names)
                 if (name, label) in report.classes and math.isfinite(report.classes[name, label].value)]
        figure.add_trace(go.Scatter(
            x=[number.value for _, number in found],
            y=[row + (place - (len(report.sets) - 1) / 2) * shift for row, _ in found], mode="markers",
            name=plain(shortened(name, 26)), error_x=error_bar([number for _, number in found], colours[name]),
            marker={"size": 8, "color": colours[name]},
            hovertext=[f"{plain(shortened(names[row], 40))}, {plain(name)}: {spoken(number, 0)} %" for row, number in
                       found], hovertemplate="%{hovertext}<extra></extra>"))
    nulls = [number.null for number in report.classes.values() if number.null is not None]
    if nulls:
        figure.add_vline(x=100 * nulls[0], line={"color": p.muted, "dash": "dot", "width": 1.5})
    figure.update_xaxes(title="accuracy (%)", range=[-3, 103])
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=[plain(shortened(label, 24)) for label in names],
                        range=[len(names) - 0.5, -0.5], tickfont={"color": p.text})
    return framed(figure, _finding_of_classes(report, names), height=130 + len(names) * max(26, 13 * len(report.sets)),
                  dark=dark)


def finding(report: Learned) -> str:
    """What was found, as a title: the differences that are told apart, each with its interval."""
    pairs = [(name, other) for name, other in report.beside.items() if name in report.sets]
    if not pairs:
        best = report.measures[0] if report.measures else ""
        if not best:
            return "Nothing can be measured"
        number = report.numbers[report.sets[-1], best]
        return f"{shortened(report.sets[-1], 24)}: {_short(best)} {_number(number, best)}"
    said = []
    for name, other in pairs:
        told = [key for key in report.measures if (name, key) in report.differences
                and report.differences[name, key].verdict in (Verdict.HIGHER, Verdict.LOWER)]
        if told:
            changes = "; ".join(f"{_short(key)} {_change(report.differences[name, key], key)}" for key in told[:2])
            said.append(f"{shortened(name, 24)} beside {shortened(other, 24)}: {changes}"
                        + (f"; and {len(told) - 2} more" if len(told) > 2 else ""))
    if said:
        return ". ".join(said[:2])
    name, other = pairs[0]
    key = next((key for key in report.measures if (name, key) in report.differences), "")
    change = f": {_short(key)} {_change(report.differences[name, key], key)}" if key else ""
    return f"{shortened(name, 24)} is not told apart from {shortened(other, 24)}{change}"


def learning_table(report: Learned) -> pd.DataFrame:
    """One row a measure and set: value with interval, chance and n; the difference with interval, p and its verdict."""
    rows = []
    for key in report.measures:
        for name in report.sets:
            if (name, key) not in report.numbers:
                continue
            number, difference = report.numbers[name, key], report.differences.get((name, key))
            row: dict[str, object] = {"measure": MEASURES[key].title, "unit": MEASURES[key].unit, "set": name,
                                      "trained on": report.trained.get(name, 0), "asked": report.asked}
            row |= cells("value", number) | {"n": number.n}
            if difference is not None:
                row |= {"beside": report.beside[name], "difference": difference.change.value,
                        "difference low": difference.change.low, "difference high": difference.change.high,
                        "p (Holm)": difference.p, "says": difference.verdict.value, "test": difference.test}
            rows.append(row)
    return pd.DataFrame(rows)


def shown_table(report: Learned) -> pd.DataFrame:
    """The same in words for the page: a row a measure, a column a set, and one for each difference."""
    rows = [{"measure": "Items trained on", "by chance": "",
             **{name: f"{report.trained.get(name, 0):,}" for name in report.sets}}]
    for key in report.measures:
        numbers = {name: report.numbers[name, key] for name in report.sets if (name, key) in report.numbers}
        null = next((number.null for number in numbers.values() if number.null is not None), None)
        row = {"measure": _short(key), "by chance": "" if null is None else _number(Number(null), key)}
        row |= {name: _number(replace(number, null=None), key) for name, number in numbers.items()}
        for name, other in report.beside.items():
            if (name, key) in report.differences:
                difference = report.differences[name, key]
                row[f"{name}, less {other}"] = f"{_change(difference, key)}: {difference.verdict.value}"
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def class_table(report: Learned) -> pd.DataFrame:
    """One row a class and set: accuracy with interval, chance and n."""
    return pd.DataFrame([{"class": label, "set": name, **cells("accuracy", number), "n": number.n}
                         for (name, label), number in report.classes.items() if math.isfinite(number.value)])


def _most_different(report: Learned) -> list[str]:
    names = list(report.class_names)
    if len(names) <= MOST_CLASSES:
        return names

    def apart(label: str) -> float:
        values = [report.classes[name, label].value for name in report.sets if (name, label) in report.classes]
        values = [value for value in values if math.isfinite(value)]
        return max(values) - min(values) if values else -1.0

    most = set(sorted(names, key=apart, reverse=True)[:MOST_CLASSES])
    return [name for name in names if name in most]


def _finding_of_classes(report: Learned, names: list[str]) -> str:
    pair = next(((name, other) for name, other in report.beside.items()
                 if name in report.sets and other in report.sets), None)
    shown = f" ({len(names)} of {len(report.class_names)} classes are shown)" if len(names) < len(
        report.class_names) else ""
    if pair is None:
        return _lowest_and_highest(report) + shown
    steps = {label: report.classes[pair[0], label].value - report.classes[pair[1], label].value
             for label in report.class_names if all((name, label) in report.classes for name in pair)}
    steps = {label: step for label, step in steps.items() if math.isfinite(step)}
    if not steps:
        return f"Accuracy of {len(report.class_names)} classes{shown}"
    more, less = sum(step > 0 for step in steps.values()), sum(step < 0 for step in steps.values())
    return (f"{shortened(pair[0], 24)} beside {shortened(pair[1], 24)}: higher in {more}, lower in {less} "
            f"of {len(steps)} classes{shown}")


def _lowest_and_highest(report: Learned) -> str:
    found = {label: number for (name, label), number in report.classes.items()
             if name == report.sets[-1] and math.isfinite(number.value)}
    said = f"Accuracy of {len(report.class_names)} classes"
    if len(found) < 2:
        return said
    low, high = (pick(found, key=lambda label: found[label].value) for pick in (min, max))
    null = next((number.null for number in found.values() if number.null is not None), None)
    return (f"{said}: from {100 * found[low].value:.0f} % ({shortened(low, 20)}) to {100 * found[high].value:.0f} % "
            f"({shortened(high, 20)})" + ("" if null is None else f", by chance {100 * null:.0f} %"))


def _colours(report: Learned, dark: bool) -> dict[str, str]:
    p = theme.palette(dark)
    plainer = {RANDOM: p.muted, ALL: p.kinds["image"], KEPT: p.kinds["prompt"]}
    free = [p.kinds["text"], *p.categories[4:], *p.categories[:4]]
    others = [name for name in report.sets if name not in plainer]
    return plainer | {name: free[i % len(free)] for i, name in enumerate(others)}


def _around(ends: list[float], key: str) -> list[float]:
    """The ends of an axis: shares from 0 on, at least ten points wide; all with some room."""
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if MEASURES[key].unit == "share":
        low, high = 0.0, max(high, 10.0)
    room = 0.06 * (high - low or 1.0)
    return [low - room, high + room]


def _factor(key: str) -> float:
    return 100.0 if MEASURES[key].unit == "share" else 1.0


def _head(key: str) -> str:
    title, unit = MEASURES[key].title, "%" if MEASURES[key].unit == "share" else MEASURES[key].unit
    return title if unit in title else f"{title} ({unit})"


def _short(key: str) -> str:
    return MEASURES[key].title.split(":")[0].split(",")[0]


def _number(number: Number, key: str) -> str:
    if not math.isfinite(number.value):
        return "not measurable"
    if _factor(key) == 100:
        words, _, rest = spoken(percent(number), 1).partition(" ")
        return f"{words} % {rest}".strip()
    return spoken(number)


def _change(difference: Difference, key: str, *, p: bool = True) -> str:
    factor, change = _factor(key), difference.change
    if not math.isfinite(change.value):
        return "not measurable"
    digits = 1 if factor == 100 else 3
    words = f"{factor * change.value:+.{digits}f}{' points' if factor == 100 else ''}"
    if change.low is not None and change.high is not None:
        words += f" ({factor * change.low:+.{digits}f} to {factor * change.high:+.{digits}f})"
    return words + (f", p {difference.p:.3f}" if p and difference.p is not None else "")


def _told(report: Learned, name: str, key: str) -> str:
    words = f"{plain(name)}: {_number(report.numbers[name, key], key)}<br>trained on {report.trained.get(name, 0):,}"
    difference = report.differences.get((name, key))
    if difference is not None and difference.p is not None:
        words += (f"<br>beside {plain(report.beside[name])}: {_change(difference, key)} (Holm), "
                  f"{difference.verdict.value}")
    return words
