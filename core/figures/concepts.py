"""A direction told in words: the words with their weights, and how much more words would carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.concepts import Said, Sweep

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_SHOWN = 24
CAPTION = ("Bars: weights of the words in the sum that is nearest to it, none of them negative; most words have none. "
           "Cosine: of the sum and what is told, both from their own means (SpLiCE, arXiv 2402.10376). By chance: as "
           "many random directions in the place of the words; other items, or items dealt at random: in the place of "
           "these, told in the same words; where they do as well, the words hold of any items. Per cent: in how "
           "many draws of the items a word stays.")
CURVE_CAPTION = ("Cosine of the sum with what is told, over the number of words: each point is one penalty. Dotted: as "
                 "many random directions in the place of the words. The ring is what is shown. Far above the dotted "
                 "line, the words say something; where both meet, any directions would do; below it, what is told lies "
                 "across all that the words name.")
_LINE = 26
_TICKS = [step * 10**power for power in range(5) for step in (1, 2, 5)]


def words(said: Sequence[Said], names: Sequence[str], sides: Sequence[str], *, dark: bool = False) -> go.Figure:
    """The words of a direction, and of the opposite one to the left where there are two.

    Parameters
    ----------
    said
        One, or two: towards the first side, and towards the second.
    names
        All concepts.
    sides
        What each is called.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: weight (no unit) to the right, words downwards; weights of the second side are drawn to the left.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    labels: list[str] = []
    colours = (p.kinds["text"],) if len(said) == 1 else theme.sides(dark)
    for i, (one, side) in enumerate(zip(said, sides)):
        order = one.order[:MOST_SHOWN // len(said)]
        rows = list(range(len(labels), len(labels) + len(order)))
        labels += [plain(shortened(names[j], 26)) for j in order]
        figure.add_trace(go.Bar(
            x=[(1, -1)[i] * one.weights[j] for j in order], y=rows, orientation="h", marker={"color": colours[i]},
            name=plain(shortened(f"towards {side}" if len(said) > 1 else side, 40)),
            text=[_stays(one, j) for j in order],
            textposition="outside", cliponaxis=False, textfont={"color": p.muted},
            hovertext=[f"{plain(names[j])}<br>weight {one.weights[j]:.3f}, cosine with it {one.alike[j]:.3f}"
                       + (f"<br>stays in {_stays(one, j)} of {one.draws:,} draws" if one.stays is not None else "")
                       for j in order], hovertemplate="%{hovertext}<extra></extra>"))
    most = max((one.weights.max(initial=0.0) for one in said), default=0.0) or 1.0
    figure.update_xaxes(title_text="weight in the sum", range=[-1.3 * most if len(said) > 1 else 0, 1.3 * most])
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels, range=[max(len(labels), 1) - 0.5, -0.5],
                        automargin=True, zeroline=False, showgrid=False)
    return framed(figure, finding(said, names, sides), height=_LINE * max(len(labels), 2) + 120, dark=dark,
                  legend=len(said) > 1)


def _stays(one: Said, j: int) -> str:
    return "" if one.stays is None else f"{100 * one.stays[j]:.0f} %"


def finding(said: Sequence[Said], names: Sequence[str], sides: Sequence[str]) -> str:
    """What the words say and how much of it they carry."""
    return "; ".join(_found(one, names, side if len(said) > 1 else "") for one, side in zip(said, sides))


def _found(one: Said, names: Sequence[str], side: str) -> str:
    towards = f"Towards {shortened(side, 30)}: " if side else ""
    order = one.order
    if not len(order):
        return (f"{towards}no word reaches the penalty {one.penalty:g}: the largest cosine of a word is "
                f"{one.alike.max():.2f}")
    first = ", ".join(shortened(names[j], 24) for j in order[:3]) + (", …" if len(order) > 3 else "")
    carry = "1 word carries" if len(order) == 1 else f"{len(order)} words carry"
    return (f"{towards}{first}: {carry} cosine {one.cosine.value:.2f} (by chance {one.cosine.null:.2f}; "
            f"{'other items' if one.cosine.n == 1 else 'items dealt at random'} {one.dealt:.2f})")


def curve(said: Sequence[Said], sides: Sequence[str], *, dark: bool = False) -> go.Figure:
    """Cosine of the sum over the number of words, beside that of random directions.

    Returns
    -------
    plotly Figure: words with a weight to the right (logarithmic), cosine upwards.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    colours = (p.kinds["text"],) if len(said) == 1 else theme.sides(dark)
    for one, side, colour in zip(said, sides, colours):
        name, s = plain(shortened(side, 30)), one.sweep
        for counts, cosines, dash, called in ((s.counts, s.cosines, "solid", name),
                                              (s.chance_counts, s.chance_cosines, "dot", f"{name}, by chance")):
            there = counts >= 1
            figure.add_trace(go.Scatter(
                x=counts[there], y=cosines[there], mode="lines+markers", name=called, marker={"size": 5},
                line={"color": colour, "dash": dash, "width": 2.2}, customdata=s.penalties[there],
                hovertemplate="%{x:.3g} words, cosine %{y:.3f}, penalty %{customdata:.3f}<extra></extra>"))
        if len(one.order):
            figure.add_trace(go.Scatter(x=[len(one.order)], y=[one.cosine.value], mode="markers", showlegend=False,
                                        marker={"size": 15, "symbol": "circle-open", "color": colour,
                                                "line": {"width": 2.4}}, hoverinfo="skip"))
    most = max(float(max(one.sweep.counts.max(), one.sweep.chance_counts.max())) for one in said)
    figure.update_xaxes(title_text="words with a weight", type="log", tickvals=_TICKS,
                        range=[np.log10(0.8), np.log10(1.3 * max(most, 4))])
    figure.update_yaxes(title_text="cosine of their sum", range=[-0.02, 1.02])
    return framed(figure, _curve_finding(said, sides), height=330, dark=dark)


def _curve_finding(said: Sequence[Said], sides: Sequence[str]) -> str:
    told = []
    for one, side in zip(said, sides):
        few = np.flatnonzero(one.sweep.counts >= 1)
        if not len(few):
            told.append("No word has a weight at any penalty")
            continue
        towards = f"Towards {shortened(side, 24)}: " if len(said) > 1 else ""
        ends = [few[0]] if len(few) == 1 else [few[0], few[-1]]
        told.append(towards + ", ".join(_carried(one.sweep, int(i)) for i in ends))
    return "; ".join(told)


def _carried(found: Sweep, i: int) -> str:
    n = int(found.counts[i])
    by_chance = np.interp(n, found.chance_counts, found.chance_cosines)
    return (f"{n:,} word{'s' * (n != 1)} carr{'y' if n != 1 else 'ies'} {found.cosines[i]:.2f} (as many random "
            f"directions {by_chance:.2f})")


def table(said: Sequence[Said], names: Sequence[str], sides: Sequence[str], groups: Sequence[str] = ()
          ) -> pd.DataFrame:
    """One row a word with a weight: side, kind, weight, share of draws in which it stays, its own cosine; and on each
    row the cosine of the whole sum, the same by chance, the penalty and n."""
    rows: list[dict[str, object]] = []
    for one, side in zip(said, sides):
        for j in one.order:
            row: dict[str, object] = {"of": side, "word": names[j]} | ({"kind": groups[j]} if groups else {})
            row |= {"weight": one.weights[j]} | ({} if one.stays is None else {"stays in draws": one.stays[j]})
            rows.append(row | {"cosine with it": one.alike[j], "cosine of the sum": one.cosine.value,
                               "by chance": one.cosine.null, "random direction in these words": one.random_direction,
                               "items dealt at random": one.dealt, "means apart": one.apart.value,
                               "means apart, dealt": one.apart.null,
                               "words": len(one.order), "penalty": one.penalty, "items": one.cosine.n})
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else ["of", "word", "weight"])


def curve_table(said: Sequence[Said], sides: Sequence[str]) -> pd.DataFrame:
    """One row a penalty: words and cosine, and the same of random directions."""
    return pd.concat([pd.DataFrame({
        "of": side, "penalty": one.sweep.penalties, "words": one.sweep.counts, "cosine": one.sweep.cosines,
        "words by chance": one.sweep.chance_counts, "cosine by chance": one.sweep.chance_cosines})
        for one, side in zip(said, sides)], ignore_index=True)
