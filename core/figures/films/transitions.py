"""Where a film goes from each island: moves as a matrix and as arrows, beside whole shots in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.films.islands import colours, titles
from core.figures.frame import framed, plain, shortened
from core.geometry.films.transitions import Transitions

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each cell counts the moves from the island of its row to the island of its column. A film that always goes "
           "on in the same way has one filled cell a row, and an entropy rate of 0 bits; one that goes to and fro "
           "fills pairs of cells across the diagonal. What the order adds is told from the same shots in any order.")
GRAPH_CAPTION = ("Each dot is an island, in the order in which the film first shows them, clockwise from the top; its "
                 "area is the time on it. An arrow is as wide as there are moves.")
MOST_SHOWN, MOST_WRITTEN = 40, 16


def transitions(report: Transitions, *, names: Sequence[str] | None = None, dark: bool = False) -> go.Figure:
    """Moves between islands as a matrix of counts.

    Parameters
    ----------
    report
        Of a film.
    names
        Of the islands, "" where one has none.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: island that is left (rows) against island that is gone to (columns). Of more than 40 islands those
    with the most moves are drawn. Points without colour over the filled cells carry both islands as ``customdata``,
    since Streamlit hears no clicks on heat maps.

    Raises
    ------
    ShapeError
        If the names do not fit.
    """
    import plotly.graph_objects as go

    called, p = titles(report.counts, names), theme.palette(dark)
    busy = report.counts.sum(axis=0) + report.counts.sum(axis=1)
    shown = np.sort(np.argsort(-busy, kind="stable")[:MOST_SHOWN])
    counts = report.counts[np.ix_(shown, shown)]
    top = max(int(counts.max(initial=0)), 1)
    figure = go.Figure(go.Heatmap(
        z=np.where(counts > 0, counts, np.nan), colorscale=theme.colorscale(dark), zmin=0,
        zmax=top, xgap=1, ygap=1, hoverongaps=False, hoverinfo="skip",
        colorbar={"title": {"text": "moves"}, "thickness": 12, "tickformat": ",d", "nticks": min(top + 1, 6)}))
    rows, columns = np.nonzero(counts)
    figure.add_trace(go.Scatter(
        x=columns, y=rows, mode="markers+text" if len(shown) <= MOST_WRITTEN else "markers", showlegend=False,
        name="moves", text=counts[rows, columns].astype(str),
        textfont={"color": [_ink(value / top, dark) for value in counts[rows, columns].tolist()]},
        marker={"symbol": "square", "size": max(6, min(24, 400 // max(len(shown), 1))), "opacity": 0, "color": p.text},
        customdata=np.stack([shown[rows], shown[columns]], axis=1),
        hovertext=[f"{plain(called[shown[a]])} to {plain(called[shown[b]])}: {_moves(int(counts[a, b]))}"
                   for a, b in zip(rows, columns)],
        hovertemplate="%{hovertext}<extra></extra>"))
    for axis, text in ((figure.update_xaxes, "to"), (figure.update_yaxes, "from")):
        axis(tickvals=list(range(len(shown))), ticktext=[plain(shortened(called[k], 22)) for k in shown],
             title_text=text, showgrid=False, zeroline=False, range=[-0.5, len(shown) - 0.5])
    figure.update_yaxes(range=[len(shown) - 0.5, -0.5])
    figure.update_layout(plot_bgcolor=p.panel)
    more = "" if len(shown) == len(called) else f"; the {len(shown)} busiest of {len(called)} islands are drawn"
    return framed(figure, _finding(report) + more, height=max(220, 160 + 26 * len(shown)), dark=dark, legend=False)


def graph(report: Transitions, dwell: np.ndarray, *, names: Sequence[str] | None = None, dark: bool = False
          ) -> go.Figure:
    """Moves as arrows between islands on a circle, in the order in which the film first shows them.

    Parameters
    ----------
    report, names, dark
        As in `transitions`.
    dwell
        (k,) seconds on each island, the area of its dot.

    Returns
    -------
    plotly Figure: an arrow a pair of islands, as wide as its share of the moves; of more than 40 islands those with the
    most moves. ``customdata`` of the dots is the island.
    """
    import plotly.graph_objects as go

    called, p = titles(report.counts, names), theme.palette(dark)
    busy = report.counts.sum(axis=0) + report.counts.sum(axis=1)
    shown = np.sort(np.argsort(-busy, kind="stable")[:MOST_SHOWN])
    angle = np.pi / 2 - 2 * np.pi * np.arange(len(shown)) / max(len(shown), 1)
    at = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    counts, figure = report.counts[np.ix_(shown, shown)], go.Figure()
    top = max(int(counts.max(initial=0)), 1)
    for a, b in np.argwhere(counts > 0).tolist():
        bend = (at[a] + at[b]) / 2 + 0.22 * np.array([at[b][1] - at[a][1], at[a][0] - at[b][0]])
        share = np.linspace(0.08, 0.9, 24)[:, None]
        line = (1 - share) ** 2 * at[a] + 2 * share * (1 - share) * bend + share ** 2 * at[b]
        figure.add_trace(go.Scatter(
            x=line[:, 0], y=line[:, 1], mode="lines+markers", showlegend=False, hoverinfo="text",
            hovertext=f"{plain(called[shown[a]])} to {plain(called[shown[b]])}: {_moves(int(counts[a, b]))}",
            line={"width": 1 + 4 * counts[a, b] / top, "color": theme.rgba(p.muted, 0.8)},
            marker={"symbol": "arrow", "angleref": "previous", "color": p.muted,
                    "size": [0] * 23 + [8 + 4 * counts[a, b] / top]}))
    seconds = np.asarray(dwell, dtype=np.float64)[shown]
    figure.add_trace(go.Scatter(
        x=at[:, 0], y=at[:, 1], mode="markers+text", showlegend=False, customdata=shown,
        text=[plain(shortened(called[k], 22)) for k in shown],
        textposition=["top center" if y > 0.3 else "bottom center" if y < -0.3 else "middle right" if x > 0 else
                      "middle left" for x, y in at],
        hovertext=[f"{plain(called[k])}: {second:.1f} s" for k, second in zip(shown, seconds)], hoverinfo="text",
        marker={"size": 10 + 22 * np.sqrt(seconds / max(float(seconds.max(initial=0)), 1e-9)), "opacity": 1,
                "line": {"width": 0}, "color": [colours(len(called), dark=dark)[k] for k in shown]}))
    figure.update_xaxes(visible=False, range=[-1.9, 1.9])
    figure.update_yaxes(visible=False, range=[-1.45, 1.45], scaleanchor="x")
    ways = np.argwhere(counts == counts.max(initial=0))
    said = f"{_moves(int(counts.sum()))} along {int((counts > 0).sum()):,} ways between {len(shown):,} islands"
    if len(ways) == 1 and counts.any():
        start, end = (called[shown[i]] for i in ways[0])
        said += f", most often from {start} to {end} ({int(counts.max()):,})"
    return framed(figure, said, height=400, dark=dark, legend=False)


def _ink(share: float, dark: bool) -> str:
    """Black or white, whichever is read on a share of the colour scale."""
    behind = "#{:02x}{:02x}{:02x}".format(*theme.sequence(dark, steps=101)[round(100 * share)])
    return max(("#000000", "#ffffff"), key=lambda ink: theme.contrast(ink, behind))


def _finding(report: Transitions) -> str:
    moves, test, back = int(report.counts.sum()), report.tests["entropy_rate"], report.tests["revisits"]
    count = len(report.counts)
    said = f"{_moves(moves)} between {count:,} island{'' if count == 1 else 's'}"
    if moves:
        said += f", entropy rate {test.value.value:.2f} bits"
    if test.p is None:
        return f"{said}; {test.words}"
    return (f"{said} (whole shots shuffled: {test.low:.2f} to {test.high:.2f}); the film is "
            f"{test.words if test.difference.verdict.value in ('higher', 'lower') else 'not told apart from any order'}"
            f"; {100 * back.value.value:.0f} % of visits come back ({100 * back.low:.0f} to {100 * back.high:.0f} %"
            f"{'' if back.p is None else f', p {back.p:.3f}'}); {report.tests['there_and_back'].words}")


def _moves(count: int) -> str:
    return f"{count:,} move{'' if count == 1 else 's'}"


def table(report: Transitions, names: Sequence[str] | None = None) -> pd.DataFrame:
    """One row a pair of islands that a move joins, then one a rate: value, central 95 % by chance, corrected p, n."""
    called = titles(report.counts, names)
    rows: list[dict[str, object]] = [
        {"from": called[a], "to": called[b], "moves": int(report.counts[a, b])}
        for a, b in np.argwhere(report.counts > 0).tolist()]
    rows += [{"rate": test.measure.title, "unit": test.measure.unit, "value": test.value.value,
              "by chance": test.value.null, "by chance low": test.low, "by chance high": test.high, "p": test.p,
              "n": test.value.n, "why not measurable": test.why} for test in report.tests.values()]
    return pd.DataFrame(rows)
