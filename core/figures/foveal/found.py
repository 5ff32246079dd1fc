"""How well the best window lies on the box that a sentence means, beside windows at random and in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.attention.foveal.finding import CENTRE, FindingReport
from core.attention.prompts import TITLES
from core.figures import theme
from core.figures.foveal.referred import TOLD
from core.figures.frame import cells, error_bar, framed, spoken
from core.geometry.differences import Difference

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Mean intersection over union of the window found with the box that is meant, 1 where the two are one, with "
           "95 % intervals by pictures. Dotted, a window at random; “the middle” is the window in the middle of the "
           "picture whatever the sentence says: only what lies above both was found. p by Holm.")
_ROW = 34


def overlaps(report: FindingReport, *, dark: bool = False) -> go.Figure:
    """Overlap of the best window with the true box by each method, and of the window in the middle.

    Returns
    -------
    plotly Figure: mean intersection over union to the right, a line a method; a window at random dotted.
    """
    import plotly.graph_objects as go

    p, names = theme.palette(dark), list(report.iou)
    numbers = list(report.iou.values())
    chance = float(numbers[0].null or 0.0)
    figure = go.Figure()
    figure.add_vline(x=chance, line={"color": p.muted, "width": 1.6, "dash": "dot"})
    figure.add_trace(go.Scatter(
        x=[n.value for n in numbers], y=list(range(len(names))), mode="markers", showlegend=False,
        error_x=error_bar(numbers, p.kinds["image"]), text=[spoken(n) for n in numbers],
        hovertemplate="%{text}<extra></extra>",
        marker={"size": 11, "color": [p.muted if name == CENTRE else p.kinds["image"] for name in names]}))
    figure.update_xaxes(title_text="intersection over union", range=[-0.01, 1])
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=[_title(name) for name in names],
                        range=[len(names) - 0.5, -0.5], zeroline=False)
    return framed(figure, _finding(report), height=_ROW * len(names) + 90, dark=dark, legend=False)


def overlaps_table(report: FindingReport) -> pd.DataFrame:
    """One row a method: mean overlap with interval, chance and n, the first method less it, p by Holm."""
    rows = []
    for name, number in report.iou.items():
        row: dict[str, object] = {"window": _title(name)} | cells("intersection over union", number)
        row |= {"n": number.n, "pictures": len(set(report.picture.tolist()))}
        difference = report.over.get(name)
        if difference is not None:
            first = _title(next(iter(report.iou)))
            row |= {f"{first} less it": difference.change.value, "low": difference.change.low,
                    "high": difference.change.high, "p (Holm)": difference.p}
        rows.append(row)
    return pd.DataFrame(rows)


def _title(name: str) -> str:
    return "the middle" if name == CENTRE else TITLES[name]


def _finding(report: FindingReport) -> str:
    first, number = next(iter(report.iou.items()))
    said = f"{_title(first).capitalize()}: intersection over union {spoken(number)}, {number.n:,} sentences"
    for name, difference in report.over.items():
        said += f"; {TOLD[difference.verdict]} {_title(name)} {_by(difference)}"
    return said


def _by(difference: Difference) -> str:
    if difference.p is None:
        return ""
    return f"({difference.change.value:+.3f}, p {'< 0.001' if difference.p < 0.001 else f'{difference.p:.3f}'})"
