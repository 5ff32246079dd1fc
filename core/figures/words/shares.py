"""Shares with their intervals and what chance gives of each, a line a share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from core.figures import theme
from core.figures.frame import cells, error_bar, framed, percent, plain, shortened, spoken
from core.geometry.differences import Difference, Verdict
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Dots: shares with their 95 % intervals. Diamonds: the same by chance. Filled where the share is told apart "
           "from chance, after Holm's correction for how many shares are tested; hollow where it is not.")
_ROW, _LONGEST = 34, 34


def shares(numbers: Mapping[str, Number], title: str, of: str, against: Mapping[str, Difference] | None = None, *,
           dark: bool = False) -> go.Figure:
    """A line a share.

    Parameters
    ----------
    numbers
        By what a user calls them; shares in [0, 1].
    title
        The finding.
    of
        What they are shares of.
    against
        Each share less its chance; dots of shares that are not told apart from it are hollow. Without it all are
        filled.

    Returns
    -------
    plotly Figure: share (%) to the right, a line a name.
    """
    import plotly.graph_objects as go

    p, figure, names = theme.palette(dark), go.Figure(), list(numbers)
    shown = [percent(number) for number in numbers.values()]
    told = [against is None or name not in against or against[name].verdict in (Verdict.HIGHER, Verdict.LOWER)
            for name in names]
    figure.add_trace(go.Scatter(
        x=[n.value for n in shown], y=list(range(len(names))), mode="markers", name="measured",
        error_x=error_bar(shown, p.kinds["image"]), text=[f"{spoken(n, 1)}, n = {n.n:,}" for n in shown],
        hovertemplate="%{text} %<extra></extra>",
        marker={"size": 11, "color": p.kinds["image"], "symbol": ["circle" if t else "circle-open" for t in told],
                "line": {"width": 2, "color": p.kinds["image"]}}))
    by_chance = [(n.null, i) for i, n in enumerate(shown) if n.null is not None]
    figure.add_trace(go.Scatter(
        x=[null for null, _ in by_chance], y=[i for _, i in by_chance], mode="markers", name="by chance",
        hovertemplate="by chance %{x:.1f} %<extra></extra>",
        marker={"size": 9, "color": p.muted, "symbol": "diamond-open", "line": {"width": 2, "color": p.muted}}))
    figure.update_xaxes(title_text=f"{of} (%)", range=[-3, 103])
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=[plain(shortened(n, _LONGEST)) for n in names],
                        range=[len(names) - 0.5, -0.5], zeroline=False, automargin=True)
    return framed(figure, title, height=_ROW * len(names) + 110, dark=dark)


def shares_table(numbers: Mapping[str, Number], against: Mapping[str, Difference] | None = None) -> pd.DataFrame:
    """One row a share: value, interval, chance, n, and p against chance (Holm)."""
    rows = []
    for name, number in numbers.items():
        row: dict[str, object] = {"what": name} | cells("share", number) | {"n": number.n}
        if against is not None and name in against:
            row["p (Holm)"] = against[name].p
        rows.append(row)
    return pd.DataFrame(rows)
