"""Islands of a film over time: a bar a visit, a row an island, how long it dwells on each."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.films.islands import Islands, Visit

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each bar is one stay on an island, a place of the sphere that shots share; a row holds all stays on one "
           "island, so that a film that comes back has several bars in a row. Colours are those of the islands "
           "everywhere on this page. The longest-dwelt islands have rows of their own. Click a bar to see its frame.")
MOST_ROWS = 24
_OTHERS = "other islands"


def titles(report: Sized, names: Sequence[str] | None = None) -> list[str]:
    """What each island is called: its number from 1, and its name where it has one."""
    if names is not None and len(names) != len(report):
        raise ShapeError(f"{len(report)} names, one an island", str(len(names)))
    return [f"island {k + 1}" + (f": {name}" if name else "") for k, name in enumerate(names or [""] * len(report))]


def colours(count: int, *, dark: bool = False) -> list[str]:
    """#rrggbb of each island, the same wherever it is drawn."""
    categories = theme.palette(dark).categories
    return [categories[k % len(categories)] for k in range(count)]


def islands(report: Islands, *, names: Sequence[str] | None = None, dark: bool = False) -> go.Figure:
    """Visits of the islands over time, with the time spent on each.

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
    plotly Figure: time (s) against islands in the order of appearance; on the right the seconds on each. ``customdata``
    is the first frame of a visit, and of the seconds the frame that stands for the island. Of more than 24 islands
    those with the most seconds have rows of their own.

    Raises
    ------
    ShapeError
        If the names do not fit.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    p, called, dwell = theme.palette(dark), titles(report, names), report.dwell
    own = np.sort(np.argsort(-dwell, kind="stable")[:MOST_ROWS])
    row_of = {int(k): row for row, k in enumerate(own)}
    rows = len(own) + (len(own) < len(report))
    paint = colours(len(report), dark=dark)
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, column_widths=[0.76, 0.24], horizontal_spacing=0.03)
    by_row: list[list[Visit]] = [[] for _ in range(rows)]
    for visit in report.visits:
        by_row[row_of.get(visit.island, rows - 1)].append(visit)
    for row, visits in enumerate(by_row):
        said = [f"{plain(called[v.island])}<br>{v.start:.2f} to {v.start + v.seconds:.2f} s, "
                f"frames {v.first} to {v.after - 1}" for v in visits]
        colour = paint[own[row]] if row < len(own) else p.unselected
        figure.add_trace(go.Bar(
            x=[v.seconds for v in visits], base=[v.start for v in visits], y=[row] * len(visits), orientation="h",
            width=0.8, customdata=[v.first for v in visits], showlegend=False,
            name=plain(called[own[row]]) if row < len(own) else _OTHERS,
            hovertext=said, hovertemplate="%{hovertext}<extra></extra>",
            marker={"color": colour, "line": {"color": p.background, "width": 1}}), row=1, col=1)
    labels = [called[k] for k in own] + ([f"{len(report) - len(own)} {_OTHERS}"] if rows > len(own) else [])
    seconds = [*dwell[own], *([dwell.sum() - dwell[own].sum()] if rows > len(own) else [])]
    counts = [len(visits) for visits in by_row]
    standing = [*report.medoids[own], *(visits[0].first for visits in by_row[len(own):])]
    figure.add_trace(go.Bar(
        x=seconds, y=list(range(rows)), orientation="h", width=0.8, showlegend=False, name="seconds in all",
        customdata=standing, hovertext=[f"{count:,} visit{'' if count == 1 else 's'}" for count in counts],
        hovertemplate="%{x:.2f} s in %{hovertext}, frame %{customdata} stands for it<extra></extra>",
        marker={"color": [*(paint[k] for k in own), *([p.unselected] if rows > len(own) else [])]}), row=1, col=2)
    figure.update_yaxes(tickvals=list(range(rows)), ticktext=[plain(shortened(label, 26)) for label in labels],
                        range=[rows - 0.4, -0.6], showgrid=False, zeroline=False)
    figure.update_xaxes(title_text="time (s)", row=1, col=1)
    figure.update_xaxes(title_text="seconds in all", rangemode="tozero", row=1, col=2)
    figure.update_layout(barmode="overlay")
    return framed(figure, _finding(report), height=max(140 + 26 * rows, 220), dark=dark, legend=False)


def _finding(report: Islands) -> str:
    shots, visits, away = len(report.of_shots), len(report.visits), [seconds for _, seconds in report.returns]
    said = (f"{shots:,} shot{'' if shots == 1 else 's'} on {len(report):,} island{'' if len(report) == 1 else 's'} "
            f"(cut at {np.degrees(report.cut):.0f}°), {visits:,} visit{'' if visits == 1 else 's'}")
    if not away:
        return f"{said}: the film never comes back"
    return (f"{said}: it comes back {len(away):,} time{'' if len(away) == 1 else 's'}, after a median of "
            f"{np.median(away):.1f} s away")


def table(report: Islands, names: Sequence[str] | None = None) -> pd.DataFrame:
    """One row a visit: island, name, first and last frame, seconds; and of its island dwell, visits and medoid."""
    called = titles(report, names)
    return pd.DataFrame([{
        "island": v.island + 1, "name": called[v.island], "first frame": v.first, "last frame": v.after - 1,
        "start (s)": v.start, "seconds": v.seconds, "seconds in all": report.dwell[v.island],
        "visits": report.counts[v.island], "frame that stands for it": report.medoids[v.island],
        "spread (degrees)": float(np.degrees(report.spreads[v.island]))} for v in report.visits])
