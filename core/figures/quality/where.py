"""Where A and B differ: whose neighbourhood the items of each live in, beside dealt labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.differences import LEVEL
from core.geometry.quality.where import Where

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("For each item, the share of A among its nearest items of both sets (as many of each are looked among): "
           "50 % where the two are mixed. The line is the same with labels dealt at random; beyond the dashed lines "
           "dealt labels put no item in 19 of 20 draws.")
_BINS = 26


def shares(report: Where, names: tuple[str, str] = ("A", "B"), *, dark: bool = False) -> go.Figure:
    """How mixed the two sets are around their items.

    Parameters
    ----------
    report
        Of `where_apart`.
    names
        What A and B are called.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: local share of A (%) against the share of the items of A, of B and of those under dealt labels (%).
    """
    import plotly.graph_objects as go

    p, table = theme.palette(dark), shares_table(report)
    a, b = (shortened(name, 30) for name in names)
    middle = (table["from"] + table["to"]) / 2
    figure = go.Figure()
    for column, name, colour in (("of A", a, theme.sides(dark)[0]), ("of B", b, theme.sides(dark)[1])):
        figure.add_trace(go.Bar(
            x=middle, y=table[column], width=table["to"] - table["from"], name=plain(name), opacity=0.6,
            marker={"color": colour},
            hovertemplate=f"%{{y:.1f}} % of {plain(name)} have %{{x:.0f}} % of {plain(a)} around them<extra></extra>"))
    figure.add_trace(go.Scatter(
        x=[*table["from"], table["to"].iloc[-1]], y=[*table["dealt labels"], table["dealt labels"].iloc[-1]],
        mode="lines", name="dealt labels", line={"color": p.text, "width": 1.6, "shape": "hv"},
        hovertemplate="%{y:.1f} % under dealt labels<extra></extra>"))
    for end in (report.low, report.high):
        figure.add_vline(x=100 * end, line={"color": p.muted, "width": 1.4, "dash": "dash"})
    figure.update_xaxes(title_text=plain(f"{a} among the {report.k} nearest items (%)"),
                        range=[table["from"].iloc[0], table["to"].iloc[-1]])
    figure.update_yaxes(title_text="items of the set (%)", rangemode="tozero")
    figure.update_layout(barmode="overlay", bargap=0)
    return framed(figure, _finding(report, (a, b)), height=300, dark=dark)


def shares_table(report: Where) -> pd.DataFrame:
    """One row a bin of the local share of A (%): the share of the items of A, of B, and under dealt labels (%)."""
    k = report.k
    wide = -(-(k + 1) // _BINS)
    count = -(-(k + 1) // wide)
    edges = 100 * (np.arange(count + 1) * wide - 0.5) / k
    columns = {}
    for name, values in (("of A", report.share_a), ("of B", report.share_b), ("dealt labels", report.by_chance)):
        at = np.rint(values.astype(np.float64) * k).astype(np.int64) // wide
        columns[name] = 100 * np.bincount(at, minlength=count) / max(len(values), 1)
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], **columns})


def only_sentence(report: Where, names: tuple[str, str] = ("A", "B")) -> str:
    """How many items of each set lie apart from the other, beside chance, as a sentence."""
    said = []
    for finding, name, other in ((report.only_a, *names), (report.only_b, *names[::-1])):
        p = report.p[finding.key]
        number = finding.share()
        told = "not told from chance" if p is None or p > LEVEL else "more than chance"
        said.append(f"{len(finding.flagged()):,} items of {shortened(name, 30)} ({100 * number.value:.1f} %) lie apart "
                    f"from {shortened(other, 30)}; by chance {100 * (number.null or 0):.1f} %, {told}"
                    + ("" if p is None else f" (p {p:.3f})"))
    return ". ".join(said) + "."


def _finding(report: Where, names: tuple[str, str]) -> str:
    p = report.p["places"]
    of = f"(p {p:.3f}, {report.n:,} items of each)" if p is not None else f"({report.n:,} items of each)"
    if p is None or p > LEVEL:
        return (f"No place is told to be {names[0]}'s or {names[1]}'s: {100 * report.told.value:.1f} % of the items "
                f"lie beyond what dealt labels give {of}")
    mine = float((report.share_a > report.high).mean()), float((report.share_b < report.low).mean())
    return (f"{100 * mine[0]:.1f} % of {names[0]} lie where mostly {names[0]} is, {100 * mine[1]:.1f} % of {names[1]} "
            f"where mostly {names[1]} is; by chance {100 * (report.told.null or 0):.1f} % {of}")
