"""Films beside films: the matrix of their distances with its tree, a map, an alignment, and what order adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError, check_choice
from core.figures import theme
from core.figures.frame import framed, plain, shortened, spoken
from core.geometry.films.alignment import Alignment
from core.geometry.films.between import MEASURES, FilmDistances
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

HOW_TO_READ: dict[str, str] = {
    "matrix": "Mean angle between the frames of two films, in degrees. Dynamic time warping lays both along each other "
              "and forgives dwelling; the Fréchet distance is the largest angle on the best way along both; with order "
              "forgotten, frames are matched one to one wherever they stand. Films are in the order of the tree on "
              "the right, where they join at the mean distance of their branches.",
    "map": "Films as points, as far apart in the plane as their distances are, as nearly as a plane allows. Spearman's "
           "correlation says how far to trust it, beside that of as many random directions.",
    "alignment": "Angle between each frame of one film and each of the other; dark is alike. The line is the way along "
                 "both on which the mean angle is least: it runs straight where both go at one pace, and up or aside "
                 "where one of them waits.",
    "order": "The dot is the distance of two films as they are, by dynamic time warping; the line is the middle 95 % "
             "of it when their shots are shuffled, each shot kept whole. A dot left of its line: the films are alike "
             "in the order of their shots too.",
}
_SHORT, _MOST_WRITTEN, _TREE = 20, 12, 0.2
MOST_PAIRS_SHOWN = 40


def distance_matrix(report: FilmDistances, *, measure: str = "warped", dark: bool = False) -> go.Figure:
    """Distances of all pairs of films on colour, in the order of the tree that stands beside.

    Returns
    -------
    plotly Figure: degrees; points without colour over the cells carry both films as ``customdata``, since Streamlit
    hears no clicks on heat maps.
    """
    import plotly.graph_objects as go

    check_choice("distance of films", measure, MEASURES)
    p, arranged, n = theme.palette(dark), report.arranged[measure], len(report.names)
    values = np.degrees(report.distances[measure])[np.ix_(arranged.leaves, arranged.leaves)]
    names = [plain(shortened(report.names[i], _SHORT)) for i in arranged.leaves]
    apart = values[np.triu_indices(n, 1)]
    top = max(float(apart.max()), 1e-6)
    low = max(0.0, float(apart.min()) - 0.1 * (top - float(apart.min())))
    low = low if low < top - 1e-6 else 0.0
    figure = go.Figure(go.Heatmap(
        z=values, zmin=low, zmax=top, colorscale=theme.colorscale(dark), xgap=1, ygap=1, hoverinfo="skip",
        colorbar={"title": {"text": "degrees", "side": "right"}, "orientation": "h", "thickness": 10, "y": 0,
                  "yanchor": "top", "len": 1 - _TREE, "x": 0, "xanchor": "left", "nticks": 6}))
    rows, columns = (part.ravel() for part in np.indices((n, n)))
    figure.add_trace(go.Scatter(
        x=columns, y=rows, mode="markers", showlegend=False,
        marker={"symbol": "square", "size": max(4, min(30, 300 // n)), "opacity": 0, "color": p.text},
        customdata=np.stack([arranged.leaves[rows], arranged.leaves[columns]], axis=1),
        text=[f"{names[i]} and {names[j]}: {values[i, j]:.1f}°" for i, j in zip(rows, columns)], hoverinfo="text"))
    if n <= _MOST_WRITTEN:
        colours = theme.sequence(dark, steps=101)
        for i, j in zip(rows.tolist(), columns.tolist()):
            share = min(max((values[i, j] - low) / (top - low), 0), 1)
            behind = "#{:02x}{:02x}{:02x}".format(*colours[int(100 * share)])
            ink = max(("#000000", "#ffffff"), key=lambda c: theme.contrast(c, behind))
            figure.add_annotation(x=j, y=i, text=f"{values[i, j]:.0f}", showarrow=False,
                                  font={"size": 12, "color": ink})
    _tree(figure, report, measure, p)
    ticks = {"tickmode": "array", "tickvals": list(range(n)), "ticktext": names, "showgrid": False, "zeroline": False}
    figure.update_layout(
        xaxis={"domain": [0, 1 - _TREE], "showticklabels": False, "ticks": "", "showgrid": False,
               "zeroline": False},
        yaxis={**ticks, "range": [n - 0.5, -0.5], "title": {"text": "film"}},
        xaxis2={"domain": [1 - _TREE + 0.01, 1], "anchor": "y", "title": {"text": "tree (°)"}, "showgrid": False,
                "rangemode": "tozero", "nticks": 3, "side": "top"})
    return framed(figure, _matrix_finding(report, measure), height=120 + max(130, min(26 * n, 620), 15 * n), dark=dark,
                  legend=False)


def _tree(figure: go.Figure, report: FilmDistances, measure: str, p: theme.Palette) -> None:
    import plotly.graph_objects as go
    from scipy.cluster.hierarchy import dendrogram

    drawn = dendrogram(report.arranged[measure].tree, no_plot=True)
    x: list[float | None] = []
    y: list[float | None] = []
    for places, heights in zip(drawn["icoord"], drawn["dcoord"]):
        x += [*np.degrees(heights).tolist(), None]
        y += [*((np.array(places) - 5) / 10).tolist(), None]
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", xaxis="x2", yaxis="y", hoverinfo="skip", showlegend=False,
                                line={"color": p.muted, "width": 1.4}, name="tree"))


def _matrix_finding(report: FilmDistances, measure: str) -> str:
    values = np.degrees(report.distances[measure])
    rows, columns = np.triu_indices(len(values), 1)
    flat = values[rows, columns]
    near, far = int(flat.argmin()), int(flat.argmax())

    def pair(k: int) -> str:
        return f"{shortened(report.names[rows[k]], _SHORT)} and {shortened(report.names[columns[k]], _SHORT)}"

    text = f"{MEASURES[measure].capitalize()}: {pair(near)} {flat[near]:.1f}°"
    if len(flat) > 1:
        text += f", nearest; {pair(far)} {flat[far]:.1f}°, farthest"
    unmatched = np.degrees(report.unmatched[rows, columns].mean())
    return f"{text}; frames at random {unmatched:.1f}° (tree: {_kept(report.arranged[measure].tree_fidelity)})"


def _kept(fidelity: Number) -> str:
    if not np.isfinite(fidelity.value):
        return "too few different distances to judge it"
    return f"{fidelity.unit} with the distances {spoken(fidelity)}, {fidelity.n:,} pairs"


def film_map(report: FilmDistances, labels: Sequence[str] | None = None, *, measure: str = "warped",
             dark: bool = False) -> go.Figure:
    """Films as points in a plane, coloured by label.

    Returns
    -------
    plotly Figure: both axes in degrees, of one scale; ``customdata`` is the index of the film.
    """
    import plotly.graph_objects as go

    check_choice("distance of films", measure, MEASURES)
    n = len(report.names)
    if labels is not None and len(labels) != n:
        raise ShapeError(f"{n} labels, one a film", str(len(labels)))
    p, x = theme.palette(dark), np.degrees(report.arranged[measure].coords)
    of_films = ["films"] * n if labels is None else [str(label) or "no label" for label in labels]
    figure = go.Figure()
    for i, label in enumerate(sorted(set(of_films))):
        rows = np.array([k for k, own in enumerate(of_films) if own == label])
        figure.add_trace(go.Scatter(
            x=x[rows, 0], y=x[rows, 1], mode="markers+text" if n <= 24 else "markers", name=plain(shortened(label)),
            text=[plain(shortened(report.names[k], _SHORT)) for k in rows], textposition="top center",
            textfont={"size": 12, "color": p.text}, cliponaxis=False, customdata=rows,
            marker={"size": 11, "color": p.categories[i % len(p.categories)],
                    "symbol": ("circle", "diamond", "square", "cross")[i // len(p.categories) % 4]},
            hovertemplate=f"%{{text}}<extra>{plain(shortened(label))}</extra>"))
    room = 0.25 * max(float(np.ptp(x, axis=0).max()), 1e-6)
    figure.update_xaxes(title_text="distance (degrees)", range=[x[:, 0].min() - room, x[:, 0].max() + room])
    figure.update_yaxes(title_text="distance (degrees)", scaleanchor="x")
    text = f"Map of {n} films, {MEASURES[measure]}: {_kept(report.arranged[measure].map_fidelity)}"
    return framed(figure, text, height=470, dark=dark, legend=labels is not None)


def alignment(report: Alignment, *, dark: bool = False) -> go.Figure:
    """Angles between the frames of two films, and the way along both.

    Returns
    -------
    plotly Figure: seconds of the first film upwards and of the second to the right, degrees on colour; points of the
    way have ``customdata`` (frame of the first, frame of the second).
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    names = [plain(shortened(name or what)) for name, what in zip(report.names, ("first film", "second film"))]
    a, b = report.times
    figure = go.Figure(go.Heatmap(
        z=np.degrees(report.cost), x=b, y=a, colorscale=theme.colorscale(dark), zmin=0,
        colorbar={"title": {"text": "degrees", "side": "right"}, "thickness": 12},
        hovertemplate="%{y:.2f} s and %{x:.2f} s: %{z:.1f}°<extra></extra>"))
    rows, columns = report.way.T
    figure.add_trace(go.Scatter(
        x=b[columns], y=a[rows], mode="lines+markers", name="way along both",
        line={"color": p.kinds["text"], "width": 2.4}, marker={"size": 4, "color": p.kinds["text"]},
        customdata=np.stack([report.rows[0][rows], report.rows[1][columns]], axis=1),
        text=[f"{v:.1f}" for v in np.degrees(report.cost[rows, columns])],
        hovertemplate="%{y:.2f} s with %{x:.2f} s: %{text}°<extra></extra>"))
    figure.update_xaxes(title_text=f"{names[1]} (s)")
    figure.update_yaxes(title_text=f"{names[0]} (s)")
    unmatched = float(np.degrees(report.cost.mean(dtype=np.float64)))
    text = (f"{' and '.join(shortened(n or 'a film', _SHORT) for n in report.names)}: {np.degrees(report.warped):.1f}° "
            f"a pair along the way, {np.degrees(report.frechet):.1f}° at worst (Fréchet); frames at random "
            f"{unmatched:.1f}° ({len(a):,} and {len(b):,} frames)")
    return framed(figure, text, height=430, dark=dark, legend=False)


def order_adds(report: FilmDistances, *, dark: bool = False) -> go.Figure:
    """Distances of pairs of films as they are, beside those with their shots shuffled, nearest first.

    Returns
    -------
    plotly Figure: degrees to the right, a row a pair (at most 40); ``customdata`` are the two films.

    Raises
    ------
    ShapeError
        If shots were not given.
    """
    import plotly.graph_objects as go

    if not report.order:
        raise ShapeError("films compared with the starts of their shots", "films without", "Find shots first.")
    p = theme.palette(dark)
    shown = sorted(report.order, key=lambda o: o.warped - o.shuffled.value)[:MOST_PAIRS_SHOWN]
    y = list(range(len(shown)))
    names = [" and ".join(plain(shortened(report.names[i], 16)) for i in o.pair) for o in shown]
    figure = go.Figure()
    ends = [np.degrees([o.shuffled.low or 0.0, o.shuffled.high or 0.0]).tolist() for o in shown]
    figure.add_trace(go.Scatter(
        x=[v for pair in ends for v in (*pair, None)], y=[v for i in y for v in (i, i, None)], mode="lines",
        name="shots shuffled, middle 95 %", line={"color": p.unselected, "width": 7}, hoverinfo="skip"))
    figure.add_trace(go.Scatter(
        x=[float(np.degrees(o.shuffled.value)) for o in shown], y=y, mode="markers", name="their mean",
        marker={"symbol": "line-ns", "size": 11, "color": p.muted, "line": {"width": 2, "color": p.muted}},
        hoverinfo="skip"))
    told = ["p not measurable" if o.corrected is None else f"p {o.corrected:.3f} (Holm)" for o in shown]
    figure.add_trace(go.Scatter(
        x=[float(np.degrees(o.warped)) for o in shown], y=y, mode="markers", name="as they are",
        marker={"size": 10, "color": [p.kinds["image"] if o.corrected is not None and o.corrected <= 0.05
                                      else p.kinds["plain"] for o in shown]},
        customdata=[list(o.pair) for o in shown], text=[f"{n}: {t}" for n, t in zip(names, told)],
        hovertemplate="%{text}, %{x:.1f}°<extra></extra>"))
    figure.update_yaxes(tickmode="array", tickvals=y, ticktext=names, range=[len(y) - 0.5, -0.5], showgrid=False,
                        zeroline=False)
    drawn = [v for pair in ends for v in pair] + [float(np.degrees(o.warped)) for o in shown]
    middle = (min(drawn) + max(drawn)) / 2
    figure.update_xaxes(title_text="dynamic time warping (degrees)",
                        range=[middle - 1, middle + 1] if max(drawn) - min(drawn) < 1 else None)
    return framed(figure, _order_finding(report), height=150 + 24 * len(y), dark=dark)


def _order_finding(report: FilmDistances) -> str:
    tried = f"{len(report.order):,} pair{'s' if len(report.order) > 1 else ''}"
    if report.order_together is None or report.order_p is None:
        return f"What order adds is not measurable: no film of the {tried} has two shots"
    change = float(np.degrees(report.order_together.value))
    apart = "nearer" if change < 0 else "farther"
    if report.order_p <= 0.05:
        said = f"In their order films are {abs(change):.1f}° {apart} than with shots shuffled"
    else:
        said = f"Films in their order are not told from films with shots shuffled: {change + 0.0:+.1f}°"
    low, high = (np.degrees(end or 0.0) for end in (report.order_together.low, report.order_together.high))
    return f"{said} (by chance {low:+.1f} to {high:+.1f}°; p {report.order_p:.3f}, {tried})"


def distances_table(report: FilmDistances) -> pd.DataFrame:
    """One row a pair of films: every distance in degrees, that of frames at random, and what order adds where asked."""
    rows, columns = np.triu_indices(len(report.names), 1)
    names = np.array(report.names, dtype=object)
    table = pd.DataFrame({"film": names[rows], "other": names[columns]})
    for key, title in MEASURES.items():
        table[f"{title} (degrees)"] = np.degrees(report.distances[key][rows, columns])
    table["frames at random (degrees)"] = np.degrees(report.unmatched[rows, columns])
    asked = {o.pair: o for o in report.order}
    if asked:
        found = [asked.get(pair) for pair in zip(rows.tolist(), columns.tolist())]
        table["as they are, up to 100 frames (degrees)"] = [None if o is None else np.degrees(o.warped) for o in found]
        for name, end in (("mean", "value"), ("low", "low"), ("high", "high")):
            table[f"shots shuffled, {name} (degrees)"] = [
                None if o is None else np.degrees(getattr(o.shuffled, end)) for o in found]
        table["p"] = [None if o is None else o.p for o in found]
        table["p (Holm)"] = [None if o is None else o.corrected for o in found]
    return table


def map_table(report: FilmDistances, labels: Sequence[str] | None = None) -> pd.DataFrame:
    """One row a film: label, and its place on the map of each distance, degrees."""
    table = pd.DataFrame({"film": list(report.names)})
    if labels is not None:
        table["label"] = list(labels)
    for key, title in MEASURES.items():
        x = np.degrees(report.arranged[key].coords)
        table[f"x, {title} (degrees)"], table[f"y, {title} (degrees)"] = x[:, 0], x[:, 1]
    return table


def alignment_table(report: Alignment) -> pd.DataFrame:
    """One row an aligned pair of frames: frame and second of each film, and their angle in degrees."""
    rows, columns = report.way.T
    return pd.DataFrame({
        "frame": report.rows[0][rows], "second": report.times[0][rows], "frame of other": report.rows[1][columns],
        "second of other": report.times[1][columns], "angle (degrees)": np.degrees(report.cost[rows, columns])})
