"""Association tests in pictures: every test as a line, each group alone, and the words that drive one test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import cells, error_bar, framed, plain, shortened, spoken
from core.geometry.differences import LEVEL, Difference, Verdict
from core.language.words.associated import Associated, Known, Lists, Pair
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("A line is a test: by how many standard deviations the first group leans more to the first list of words "
           "than the second group does, with its 95 % interval (from 5 items a group). Filled: p by Holm over all "
           "tests is at most .05. Dotted: no difference.")
CAPTION_OF_SINGLES = ("Mean effect size of the items of each group alone, with Student's 95 % interval over items; "
                      "filled where p (words dealt anew to the two lists, Holm) is at most .05. Dashed: all groups "
                      "together. A model may score one list higher for every image: compare the groups with the "
                      "dashed line, not with 0.")
CAPTION_OF_PARTS = ("What each word adds to the effect size; the bars add up to it. Hover for the effect without the "
                    "word: where that changes much, the word makes the finding.")
MOST_ROWS = 40
_ROW = 28


def told(difference: Difference, alone: float | None = None, *, by: str = " by Holm") -> str:
    """A test in words: effect size with its interval, p and how it was corrected, and p before that."""
    if difference.p is None:
        return "not measurable: all items lean alike"
    before = "" if alone is None else f", {said_p(alone)} alone"
    return f"d = {spoken(_bare(difference.change))}, {said_p(difference.p)}{by}{before}"


def said_p(p: float) -> str:
    """A p in words."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _bare(number: Number) -> Number:
    return Number(number.value, number.low, number.high, None, number.n, number.unit)


def holds(difference: Difference) -> bool:
    """Whether a test is told apart from no association."""
    return difference.p is not None and difference.p <= LEVEL


def finding(report: Associated) -> str:
    """How many tests hold, and the one of the smallest p."""
    known = [found for found in report.tests.values() if found.p is not None]
    if not known:
        return "No test can be made: all items lean alike"
    n = sum(map(holds, known))
    best = clearest(report)[0]
    x, y, key = best
    lists, found = report.titles[key], report.tests[best]
    first, second = (x, y) if found.change.value >= 0 else (y, x)
    many = f"{n} of {len(known)} tests hold at 5 % (Holm); the clearest: " if len(known) > 1 else ""
    verb = "leans" if holds(found) else "is not told to lean"
    return (f"{many}{shortened(first, 24)} {verb} more to {lists.a_name} (against {lists.b_name}) than "
            f"{shortened(second, 24)}: {told(found)}")


def clearest(report: Associated) -> list[Pair]:
    """The tests, those of the smallest p first, among these those of the largest effect."""
    def rank(pair: Pair) -> tuple[bool, float, float]:
        found = report.tests[pair]
        return found.p is None, found.p or 0.0, -abs(found.change.value)

    return sorted(report.tests, key=rank)


def shown_first(report: Associated) -> list[Pair]:
    """The tests in the order they were made; of more than 40 the ones of the smallest p."""
    ranked = set(clearest(report)[:MOST_ROWS])
    return [pair for pair in report.tests if pair in ranked]


def forest(report: Associated, *, dark: bool = False) -> go.Figure:
    """Every test as a line.

    Returns
    -------
    plotly Figure: effect size (standard deviations) to the right, tests downwards, a colour a pair of lists.
    """
    import plotly.graph_objects as go

    p, figure, pairs = theme.palette(dark), go.Figure(), shown_first(report)
    figure.add_vline(x=0, line={"color": p.muted, "width": 1.6, "dash": "dot"})
    for i, (key, lists) in enumerate(report.titles.items()):
        rows = [r for r, pair in enumerate(pairs) if pair[2] == key]
        found = [report.tests[pairs[r]] for r in rows]
        if not rows:
            continue
        figure.add_trace(go.Scatter(
            x=[f.change.value for f in found], y=rows, mode="markers", name=plain(lists.title),
            error_x=error_bar([f.change for f in found], p.muted), marker=_marks(found, p.categories[i % 12]),
            hovertext=[f"{plain(pairs[r][0])} less {plain(pairs[r][1])}, {plain(lists.title)}<br>"
                       f"{told(f, report.alone[pairs[r]])}<br>n = {report.sizes[pairs[r]][0]:,} and "
                       f"{report.sizes[pairs[r]][1]:,}; {f.test}" for r, f in zip(rows, found)],
            hovertemplate="%{hovertext}<extra></extra>"))
    figure.update_xaxes(title_text="effect size d (standard deviations)")
    figure.update_yaxes(tickvals=list(range(len(pairs))), range=[len(pairs) - 0.5, -0.5], zeroline=False,
                        automargin=True, ticktext=[plain(f"{shortened(x, 16)} − {shortened(y, 16)}")
                                                   for x, y, _ in pairs])
    return framed(figure, finding(report), height=_ROW * len(pairs) + 130, dark=dark)


def _marks(found: Sequence[Difference], colour: str) -> dict[str, object]:
    return {"size": 11, "color": colour, "symbol": ["circle" if holds(f) else "circle-open" for f in found],
            "line": {"width": 2, "color": colour}}


def table(report: Associated) -> pd.DataFrame:
    """One row a test: groups, lists, effect size with interval and chance, n of both, p, p by Holm and its kind."""
    return pd.DataFrame([
        {"X": x, "Y": y, "A": report.titles[key].a_name, "B": report.titles[key].b_name}
        | cells("effect size", found.change)
        | {"n of X": report.sizes[x, y, key][0], "n of Y": report.sizes[x, y, key][1],
           "left out (in both)": report.shared[x, y, key], "p": report.alone[x, y, key], "p (Holm)": found.p,
           "sides": "two" if report.two_sided else "one", "test": found.test, "source": report.titles[key].source}
        for (x, y, key), found in report.tests.items()])


def singles(report: Associated, key: str, *, dark: bool = False) -> go.Figure:
    """Each group alone, for one pair of lists.

    Returns
    -------
    plotly Figure: a bar a group, mean effect size (standard deviations) upwards.
    """
    import plotly.graph_objects as go

    p, figure, lists = theme.palette(dark), go.Figure(), report.titles[key]
    names = [name for name, of in report.singles if of == key]
    found = [report.singles[name, key] for name in names]
    figure.add_trace(go.Bar(
        x=list(range(len(names))), y=[f.change.value for f in found], width=0.6,
        error_y=error_bar([f.change for f in found], p.text), showlegend=False,
        marker={"color": [theme.rgba(p.kinds["image"], 0.85 if holds(f) else 0.25) for f in found],
                "line": {"color": p.kinds["image"], "width": 2}},
        hovertext=[f"{plain(name)}<br>{told(f)}<br>n = {f.change.n:,}; {f.test}" for name, f in zip(names, found)],
        hovertemplate="%{hovertext}<extra></extra>"))
    figure.add_hline(y=report.everyone[key].value, line={"color": p.muted, "width": 1.8, "dash": "dash"})
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=[plain(shortened(name, 18)) for name in names])
    figure.update_yaxes(title_text="effect size (standard deviations)", zeroline=True, zerolinewidth=2)
    values = [f.change.value for f in found]
    most, least = names[int(np.nanargmax(values))], names[int(np.nanargmin(values))]
    everyone = report.everyone[key].value
    said = (f"Alone, {shortened(most, 24)} leans most to {lists.a_name} ({max(values):.2f}), {shortened(least, 24)} "
            f"most to {lists.b_name} ({min(values):.2f}); all together {everyone:.2f}")
    return framed(figure, said, height=330, dark=dark, legend=False)


def singles_table(report: Associated) -> pd.DataFrame:
    """One row a group and pair of lists: effect size with interval and chance, n, p by Holm, all groups together."""
    return pd.DataFrame([
        {"group": name, "A": report.titles[key].a_name, "B": report.titles[key].b_name}
        | cells("effect size", found.change)
        | {"n": found.change.n, "p (Holm)": found.p, "sides": "two" if report.two_sided else "one", "test": found.test,
           "all groups together": report.everyone[key].value} for (name, key), found in report.singles.items()])


def parts_table(known: Known, lists: Lists, parts: np.ndarray, without: np.ndarray) -> pd.DataFrame:
    """One row a word: its list, what it adds to the effect size, and the effect size without it."""
    return pd.DataFrame({"word": known.words, "list": [lists.a_name if a else lists.b_name for a in known.first],
                         "adds": parts, "effect size without it": without})


def parts(known: Known, lists: Lists, pair: Pair, adds: np.ndarray, without: np.ndarray, *, dark: bool = False
          ) -> go.Figure:
    """What each word adds to the effect size of one test.

    Parameters
    ----------
    known, lists, pair : the words, what the lists are called, and which test it is.
    adds, without : (w,) floats, see `core.geometry.association`.

    Returns
    -------
    plotly Figure: a bar a word, standard deviations to the right; the largest on top.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    order = np.argsort(-np.abs(adds), kind="stable")[:MOST_ROWS]
    whole = float(adds.sum())
    for of_a, name, colour in ((True, lists.a_name, p.categories[1]), (False, lists.b_name, p.categories[0])):
        rows = [r for r, w in enumerate(order) if known.first[w] is of_a]
        figure.add_trace(go.Bar(
            x=[adds[order[r]] for r in rows], y=rows, orientation="h", name=plain(name), marker={"color": colour},
            hovertext=[f"{plain(known.words[order[r]])}: adds {adds[order[r]]:+.2f}<br>effect size without it "
                       + (f"{without[order[r]]:.2f}" if math.isfinite(without[order[r]]) else "not known")
                       for r in rows], hovertemplate="%{hovertext}<extra></extra>"))
    figure.update_xaxes(title_text="adds to the effect size (standard deviations)")
    figure.update_yaxes(tickvals=list(range(len(order))), range=[len(order) - 0.5, -0.5], automargin=True,
                        ticktext=[plain(shortened(known.words[w], 24)) for w in order])
    first = known.words[order[0]]
    finite = without[np.isfinite(without)]
    span = f"; without any one word it is {finite.min():.2f} to {finite.max():.2f}" if len(finite) else ""
    said = (f"{shortened(pair[0], 20)} less {shortened(pair[1], 20)}: “{shortened(first, 24)}” adds most, "
            f"{adds[order[0]]:+.2f} of {whole:.2f}{span}")
    return framed(figure, said, height=24 * len(order) + 130, dark=dark)


def drivers_table(texts: Sequence[str], groups: Sequence[str], adds: np.ndarray) -> pd.DataFrame:
    """In words, one row an item: its text, its group, and what it adds to the effect size."""
    return pd.DataFrame({"text": list(texts), "group": list(groups), "adds": [f"{add:+.3f}" for add in adds]})


def verdict(report: Associated, pair: Pair) -> str:
    """One sentence on one test."""
    x, y, key = pair
    found, lists = report.tests[pair], report.titles[key]
    n, m = report.sizes[pair]
    if found.p is None:
        return f"{x} and {y} cannot be told apart here: all items lean alike."
    sided = "two-sided" if report.two_sided else "one-sided: whether the first leans more to the first list"
    said = {Verdict.HIGHER: f"“{x}” leans more to {lists.a_name} than “{y}”",
            Verdict.LOWER: f"“{y}” leans more to {lists.a_name} than “{x}”"}.get(
                found.verdict, f"“{x}” and “{y}” are not told apart")
    return f"{said}: {told(found, report.alone[pair])} ({sided}; {found.test}); n = {n:,} and {m:,}."
