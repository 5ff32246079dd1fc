"""Accuracy of the same classes by several ways of pointing at the foreground; which classes change; confusions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.attention.foveal.classifying import Classified
from core.attention.prompts import TITLES
from core.figures import theme
from core.figures.confusion import MOST_CLASSES, confusion_map
from core.figures.foveal.referred import TOLD
from core.figures.frame import cells, error_bar, framed, percent, plain, points, shortened, spoken

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Share of pictures whose own class comes first, with Wilson's 95 % intervals; dotted 1 over the number of "
           "classes, dashed always naming the largest class. Whether a method differs from no prompt is said by the "
           "table, on the same pictures: intervals that overlap do not say it.")
CAPTION_OF_CLASSES = ("Accuracy of each class without a prompt (ring) and by the method (dot, with Wilson's 95 % "
                      "interval); dotted is chance. Differences of single classes are no tests.")
_ROW = 34


def accuracies(report: Classified, *, dark: bool = False) -> go.Figure:
    """Accuracy of each method.

    Returns
    -------
    plotly Figure: share of pictures whose own class comes first (%) to the right, a line a method; chance dotted, the
    largest class dashed.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    numbers = [percent(report.accuracy[method]) for method in report.methods]
    for at, dash in ((report.chance, "dot"), (report.largest, "dash")):
        figure.add_vline(x=100 * at, line={"color": p.muted, "width": 1.6, "dash": dash})
    colours = [p.kinds["plain"], *[p.kinds["image"]] * (len(numbers) - 1)]
    figure.add_trace(go.Scatter(
        x=[n.value for n in numbers], y=list(range(len(numbers))), mode="markers", showlegend=False,
        error_x=error_bar(numbers, p.muted), hovertext=[
            f"{spoken(n, 1)} %" + ("" if i == 0 else f"<br>{points(report.differences[method])} to no prompt")
            for i, (method, n) in enumerate(zip(report.methods, numbers))],
        hovertemplate="%{hovertext}<extra></extra>", marker={"size": 11, "color": colours}))
    figure.update_xaxes(title_text="pictures whose own class comes first (%)", range=[-2, 102])
    figure.update_yaxes(tickvals=list(range(len(numbers))), ticktext=[plain(TITLES[m]) for m in report.methods],
                        range=[len(numbers) - 0.5, -0.5], zeroline=False)
    return framed(figure, finding(report), height=_ROW * len(numbers) + 90, dark=dark, legend=False)


def finding(report: Classified) -> str:
    """What pointing does to the accuracy, in words: the foveal mask, and the method that is best."""
    n = len(report.ids)
    none = percent(report.accuracy["none"])
    said = f"No prompt: {none.value:.1f} % of {n:,} pictures right"
    others = [method for method in report.methods if method != "none"]
    if not others:
        return said
    first = "foveal" if "foveal" in others else others[0]
    best = max(others, key=lambda method: report.accuracy[method].value)
    for method in dict.fromkeys((first, best)):
        difference = report.differences[method]
        said += (f"; {TITLES[method]} {100 * report.accuracy[method].value:.1f} %, {TOLD[difference.verdict]} "
                 f"no prompt ({points(difference)})")
    return said


def accuracies_table(report: Classified) -> pd.DataFrame:
    """One row a method: accuracy with interval and chance, n, how many gained and lost, difference with interval and
    p by Holm."""
    rows = []
    for method in report.methods:
        row: dict[str, object] = {"method": TITLES[method]} | cells("accuracy", report.accuracy[method])
        row |= {"largest class": report.largest, "n": len(report.ids)}
        if method != "none":
            difference = report.differences[method]
            row |= {"gained": len(report.gained(method)), "lost": len(report.lost(method)),
                    "less no prompt": difference.change.value, "low": difference.change.low,
                    "high": difference.change.high, "p (Holm)": difference.p, "says": difference.verdict.value,
                    "test": difference.test}
        rows.append(row)
    return pd.DataFrame(rows)


def differences_table(report: Classified) -> pd.DataFrame:
    """In words, one row a method: accuracy, what changes, and what can be said of it."""
    rows = []
    for method in report.methods:
        number = percent(report.accuracy[method])
        row = {"method": TITLES[method], "accuracy": f"{number.value:.1f} % ({number.low:.1f} to {number.high:.1f})"}
        if method == "none":
            rows.append(row | {"gained": "", "lost": "", "beside no prompt": f"by chance {100 * report.chance:.1f} %, "
                               f"the largest class {100 * report.largest:.1f} %"})
        else:
            difference = report.differences[method]
            rows.append(row | {"gained": f"{len(report.gained(method)):,}", "lost": f"{len(report.lost(method)):,}",
                               "beside no prompt": f"{TOLD[difference.verdict]} it: {points(difference)}"})
    return pd.DataFrame(rows)


def groups_table(parts: Mapping[str, Classified]) -> pd.DataFrame:
    """In words, one row a group of pictures: how many, accuracy without a prompt, and each method beside it. The p are
    each corrected over the methods and the groups together."""
    from core.geometry.differences import hits_differ, holm

    family = holm({(name, method): hits_differ(part.hits[0], part.hits[i]) for name, part in parts.items()
                   for i, method in enumerate(part.methods) if i})
    return pd.DataFrame([
        {"pictures": name, "n": f"{len(part.ids):,}", "no prompt": f"{100 * part.accuracy['none'].value:.1f} %"}
        | {TITLES[method]: f"{100 * part.accuracy[method].value:.1f} %, {TOLD[family[name, method].verdict]} it: "
           f"{points(family[name, method])}" for method in part.methods[1:]} for name, part in parts.items()])


def by_class(report: Classified, method: str, *, dark: bool = False) -> go.Figure:
    """Accuracy of each class without a prompt and by a method; of more than 30 classes those that change most.

    Returns
    -------
    plotly Figure: accuracy (%) to the right, classes downwards.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    before, after = report.by_class("none"), report.by_class(method)
    known = [k for k in range(len(report.classes)) if before[k].n]
    shown = sorted(sorted(known, key=lambda k: -abs(after[k].value - before[k].value))[:MOST_CLASSES])
    y = list(range(len(shown)))
    figure.add_vline(x=100 * report.chance, line={"color": p.muted, "width": 1.6, "dash": "dot"})
    figure.add_trace(go.Scatter(x=[100 * before[k].value for k in shown], y=y, mode="markers", name=TITLES["none"],
                                hovertext=[f"{spoken(percent(before[k]), 0)} %, {before[k].n:,} pictures"
                                           for k in shown], hovertemplate="%{hovertext}<extra></extra>",
                                marker={"symbol": "circle-open", "size": 12, "color": p.kinds["plain"],
                                        "line": {"width": 2.2}}))
    numbers = [percent(after[k]) for k in shown]
    figure.add_trace(go.Scatter(x=[n.value for n in numbers], y=y, mode="markers", name=TITLES[method],
                                error_x=error_bar(numbers, p.muted), hovertext=[f"{spoken(n, 0)} %" for n in numbers],
                                hovertemplate="%{hovertext}<extra></extra>",
                                marker={"size": 9, "color": p.kinds["image"]}))
    figure.update_xaxes(title_text="accuracy (%)", range=[-3, 103])
    figure.update_yaxes(tickvals=y, ticktext=[plain(shortened(report.classes[k], 24)) for k in shown],
                        range=[len(shown) - 0.5, -0.5], zeroline=False, automargin=True)
    more = sum(after[k].value > before[k].value for k in known)
    less = sum(after[k].value < before[k].value for k in known)
    left_out = "" if len(shown) == len(known) else f" ({len(shown)} of {len(known)} are shown)"
    return framed(figure, f"{TITLES[method].capitalize()} beside no prompt: higher in {more}, lower in {less} of "
                  f"{len(known)} classes{left_out}", height=26 * len(shown) + 120, dark=dark)


def class_table(report: Classified) -> pd.DataFrame:
    """One row a class and method: accuracy with interval and chance, and n."""
    return pd.DataFrame([{"class": name, "method": TITLES[method], **cells("accuracy", number), "n": number.n}
                         for method in report.methods for name, number in zip(report.classes, report.by_class(method))
                         if math.isfinite(number.value)])


def confusion(report: Classified, method: str, *, dark: bool = False) -> go.Figure:
    """Which class pictures of a class are called; of more than 30 classes those with the most pictures.

    Returns
    -------
    plotly Figure: a heat map in % of each class, true classes downwards, named ones to the right.
    """
    counts = report.confusion(method)
    asked = counts.sum(axis=1)
    shown = np.sort(np.argsort(-(asked + counts.sum(axis=0)), kind="stable")[:MOST_CLASSES])
    wrong = counts * (1 - np.eye(len(counts), dtype=np.int64))
    said = f"{TITLES[method].capitalize()}: every picture is called by its class"
    if wrong.any():
        true, named = np.unravel_index(int(wrong.argmax()), wrong.shape)
        said = (f"{TITLES[method].capitalize()}: most often “{shortened(report.classes[true], 24)}” is called "
                f"“{shortened(report.classes[named], 24)}”, {wrong[true, named]:,} of {asked[true]:,}")
    return confusion_map(counts[np.ix_(shown, shown)], asked[shown], [report.classes[k] for k in shown], said,
                         dark=dark)


def confusion_table(report: Classified) -> pd.DataFrame:
    """One row a method, label and named class that occur: how many pictures."""
    rows = []
    for method in report.methods:
        counts = report.confusion(method)
        rows += [{"method": TITLES[method], "label": report.classes[i], "named": report.classes[j],
                  "pictures": int(counts[i, j])} for i, j in zip(*np.nonzero(counts))]
    return pd.DataFrame(rows)


def items_table(report: Classified) -> pd.DataFrame:
    """One row a picture: its label, its region's share of what the model sees, and what each method calls it."""
    table = pd.DataFrame({"image": report.ids, "label": [report.classes[k] for k in report.truth],
                          "region's share": report.shares})
    for i, method in enumerate(report.methods):
        table[TITLES[method]] = [report.classes[k] for k in report.guesses[i]]
    return table
