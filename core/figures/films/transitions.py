"""Where a film goes from each island: moves as a matrix, beside whole shots in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.films.transitions import Transitions

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each cell counts the moves from the island of its row to the island of its column. A film that always goes "
           "on in the same way has one filled cell a row, and an entropy rate of 0 bits; one that goes to and fro "
           "fills pairs of cells across the diagonal. What the order adds is told from the same shots in any order.")
MOST_SHOWN = 40


def transitions(report: Transitions, *, names: Sequence[str] | None = None, dark: bool = False) -> go.Figure:
    """Moves between islands as a matrix of counts.

    Parameters
    ----------
    report
        Of a film.
    names
        Of the islands; their numbers from 1 when None.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: island that is left (rows) against island that is gone to (columns). Of more than 40 islands those
    with the most moves are drawn.

    Raises
    ------
    ShapeError
        If the names do not fit.
    """
    import plotly.graph_objects as go

    called, p = _called(report, names), theme.palette(dark)
    busy = report.counts.sum(axis=0) + report.counts.sum(axis=1)
    shown = np.sort(np.argsort(-busy, kind="stable")[:MOST_SHOWN])
    counts = report.counts[np.ix_(shown, shown)]
    figure = go.Figure()
    figure.add_trace(go.Heatmap(
        z=np.where(counts > 0, counts, np.nan), colorscale=theme.colorscale(dark), zmin=0,
        zmax=max(int(counts.max(initial=0)), 1), xgap=1, ygap=1, hoverongaps=False,
        text=counts.astype(str), texttemplate="%{text}" if len(shown) <= 16 else None,
        hovertext=[[f"{plain(called[a])} to {plain(called[b])}" for b in shown] for a in shown],
        hovertemplate="%{hovertext}: %{z} moves<extra></extra>",
        colorbar={"title": {"text": "moves"}, "thickness": 12}))
    for axis, text in ((figure.update_xaxes, "to"), (figure.update_yaxes, "from")):
        axis(tickvals=list(range(len(shown))), ticktext=[plain(shortened(called[k], 22)) for k in shown],
             title_text=text, showgrid=False, zeroline=False, range=[-0.5, len(shown) - 0.5])
    figure.update_yaxes(range=[len(shown) - 0.5, -0.5])
    figure.update_layout(plot_bgcolor=p.panel)
    more = "" if len(shown) == len(called) else f"; the {len(shown)} busiest of {len(called)} islands are drawn"
    return framed(figure, _finding(report) + more, height=max(220, 160 + 26 * len(shown)), dark=dark, legend=False)


def _called(report: Transitions, names: Sequence[str] | None) -> list[str]:
    if names is not None and len(names) != len(report.counts):
        raise ShapeError(f"{len(report.counts)} names, one an island", str(len(names)))
    return list(names) if names is not None else [f"island {k + 1}" for k in range(len(report.counts))]


def _finding(report: Transitions) -> str:
    moves, test = int(report.counts.sum()), report.tests["entropy_rate"]
    said = f"{moves:,} move{'' if moves == 1 else 's'} between {len(report.counts):,} islands"
    if moves:
        said += f", entropy rate {test.value.value:.2f} bits"
    if test.p is None:
        return f"{said}; {test.words}"
    return (f"{said} (whole shots shuffled: {test.low:.2f} to {test.high:.2f}); the film is "
            f"{test.words if test.difference.verdict.value in ('higher', 'lower') else 'not told apart from any order'}"
            f"; {report.tests['there_and_back'].words}")


def table(report: Transitions, names: Sequence[str] | None = None) -> pd.DataFrame:
    """One row a pair of islands that a move joins, then one a rate: value, central 95 % by chance, corrected p, n."""
    called = _called(report, names)
    rows: list[dict[str, object]] = [
        {"from": called[a], "to": called[b], "moves": int(report.counts[a, b])}
        for a, b in np.argwhere(report.counts > 0).tolist()]
    rows += [{"rate": test.measure.title, "unit": test.measure.unit, "value": test.value.value,
              "by chance": test.value.null, "by chance low": test.low, "by chance high": test.high, "p": test.p,
              "n": test.value.n, "why not measurable": test.why} for test in report.tests.values()]
    return pd.DataFrame(rows)
