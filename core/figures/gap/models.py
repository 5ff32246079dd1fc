"""The gap of several models: over training, before any training, and side by side on the same pairs."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import cells, error_bar, framed, line, panels, percent, plain, shortened, spoken
from core.figures.gap.shift import KINDS, in_a_bin, kind_colour
from core.geometry.curves import Curve
from core.geometry.gap.reports import CosineHistograms
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

Numbers = Sequence[Sequence[Number]]
_ROW, _PANEL = 36, 66
_SHORT = 34
_LOG_FROM = 50
_BEGINNINGS = {"image": "images", "text": "texts", "pair": "matched", "no pair": "unmatched"}


def over_training(steps: Sequence[int] | np.ndarray, curves: Mapping[str, Sequence[Curve]], *,
                  dark: bool = False) -> go.Figure:
    """Numbers over the steps of a training, a panel for each quantity.

    Parameters
    ----------
    steps
        (s,) int, growing; 0 is before training.
    curves
        By heading of the panel, the curves in it, all of one unit; a curve whose title begins with "image", "text",
        "pair" or "no pair" has the colour of its kind.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of one panel a heading over the training step; nulls are dotted lines.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    steps = _steps(steps, curves)
    at = _places(steps)
    figure = panels(list(curves), gap=min(0.08, 0.3 / len(curves)), dark=dark)
    for row, of_panel in enumerate(curves.values(), 1):
        others = iter((p.kinds["plain"], *p.categories[3:]))
        for curve in of_panel:
            kind = next((k for k in _BEGINNINGS if curve.title.lower().startswith(k)), None)
            colour = next(others) if kind is None else kind_colour(_BEGINNINGS[kind], dark)
            line(figure, at, curve, colour, curve.title, row, legend=len(of_panel) > 1, dots=True)
            figure.data[-1].update(customdata=steps, hovertemplate=f"%{{y:.3f}} at step %{{customdata:,}}<extra>"
                                   f"{plain(curve.title)}</extra>")
            if curve.null is not None:
                figure.add_trace(go.Scatter(
                    x=at, y=curve.null, mode="lines", name=f"{plain(curve.title)}, by chance",
                    line={"color": colour, "width": 1.4, "dash": "dot"}, hoverinfo="skip", legendgroup=curve.title,
                    showlegend=False), row=row, col=1)
        unit = next((c.unit for c in of_panel if c.unit), "")
        figure.update_yaxes(title_text=plain(unit or "no unit"), row=row, col=1)
    if (at != steps).any():
        powers = [10**e for e in range(7) if at[0] < 10**e <= steps[-1]]
        figure.update_xaxes(type="log", tickvals=[at[0], *powers], ticktext=["0", *(f"{v:,}" for v in powers)])
    figure.update_xaxes(title_text="training step", row=len(curves), col=1)
    first = next(iter(curves.values()))[0]
    unit = f" {first.unit}" if first.unit else ""
    title = f"{first.title}: {_at(first, 0)}{unit} at step {steps[0]:,}, {_at(first, -1)}{unit} at step {steps[-1]:,}"
    return framed(figure, title, height=110 + 170 * len(curves), dark=dark)


def _steps(steps: Sequence[int] | np.ndarray, curves: Mapping[str, Sequence[Curve]]) -> np.ndarray:
    at = np.asarray(steps)
    if not curves or not all(curves.values()):
        raise ShapeError("one curve or more in each panel", "a panel without" if curves else "no panel")
    wrong = [c.title for of_panel in curves.values() for c in of_panel if len(c.values) != len(at)]
    if wrong or not len(at):
        raise ShapeError(f"curves of {len(at)} steps, one or more", f"others ({', '.join(wrong)})" if wrong else "none")
    return at


def _places(steps: np.ndarray) -> np.ndarray:
    """Where steps are drawn: as they are, or, where they grow far apart, for a logarithmic axis, with 0 at its left."""
    later = steps[steps > 0].astype(np.float64)
    if steps[0] or not len(later) or later[-1] / later[0] < _LOG_FROM:
        return steps.astype(np.float64)
    return np.concatenate([[later[0] / 2], later])


def _at(curve: Curve, i: int) -> str:
    return spoken(replace(curve.at(i), null=None))


def over_training_table(steps: Sequence[int] | np.ndarray, curves: Mapping[str, Sequence[Curve]]) -> pd.DataFrame:
    """One row a step and curve: quantity, curve, step, value, low, high, chance, unit."""
    at = _steps(steps, curves)
    return pd.concat([pd.DataFrame({"quantity": heading, "curve": curve.title, "step": at, "value": curve.values,
                                    "low": curve.low, "high": curve.high, "by chance": curve.null, "unit": curve.unit})
                      for heading, of_panel in curves.items() for curve in of_panel], ignore_index=True)


def cones(trained: CosineHistograms, untrained: CosineHistograms, *, dark: bool = False) -> go.Figure:
    """Cosines of a trained model above those of the same model before any training: the cones are there from the start.

    Returns
    -------
    plotly Figure of two panels: cosine (no unit) against the share of pairs in a bin (%).
    """
    import plotly.graph_objects as go

    figure = panels(("Trained", "Untrained, same architecture"), dark=dark, gap=0.12)
    for row, report in enumerate((trained, untrained), 1):
        for kind in (k for k in ("images", "texts", "unmatched", "matched") if k in report.shares):
            colour, shares = kind_colour(kind, dark), 100 * np.asarray(report.shares[kind])
            some = np.flatnonzero(shares > 0)
            x, y = np.repeat(report.edges, 2), np.concatenate([[0.0], np.repeat(shares, 2), [0.0]])
            part = slice(2 * some[0], 2 * some[-1] + 4)
            figure.add_trace(go.Scatter(
                x=x[part], y=y[part], mode="lines", name=KINDS[kind], legendgroup=kind, showlegend=row == 1,
                line={"color": colour, "width": 2}, fill="tozeroy", fillcolor=theme.rgba(colour, 0.14),
                hovertemplate=f"cosine %{{x:.2f}}<br>{in_a_bin(report.counts[kind])}<br>mean "
                              f"{spoken(replace(report.mean.numbers[kind], null=None))}<extra>{KINDS[kind]}</extra>"),
                row=row, col=1)
    figure.update_yaxes(title_text="share of pairs (%)", rangemode="tozero")
    figure.update_xaxes(title_text="cosine", row=2, col=1)
    early, late = untrained.mean.numbers, trained.mean.numbers
    said = [f"{KINDS[k]} {spoken(early[k]).split()[0]} → {spoken(late[k]).split()[0]}"
            for k in ("images", "texts", "unmatched", "matched") if k in early and k in late]
    count = " and ".join(f"{late[k].n:,} {k}" for k in ("images", "texts") if k in late)
    title = f"Mean cosine, untrained → trained: {', '.join(said)} (n = {count})"
    return framed(figure, title, height=540, dark=dark)


def cones_table(trained: CosineHistograms, untrained: CosineHistograms) -> pd.DataFrame:
    """One row a bin, kind and model: from, to, share, the kind's mean with interval and n, and its pairs shown."""
    return pd.concat([pd.DataFrame({"model": model, "kind": kind, "from": report.edges[:-1], "to": report.edges[1:],
                                    "share": shares, **cells("mean", replace(report.mean.numbers[kind], null=None)),
                                    "n": report.mean.numbers[kind].n, "pairs": report.counts[kind]})
                      for model, report in (("trained", trained), ("untrained", untrained))
                      for kind, shares in report.shares.items()], ignore_index=True)


def models_compared(table: Mapping[str, Mapping[str, Number]], *, titles: Mapping[str, str] | None = None,
                    dark: bool = False) -> go.Figure:
    """The same numbers of several models, a panel for each number.

    Parameters
    ----------
    table
        By model, its numbers by name; a number that a model has not is left out.
    titles
        What each number is called, in the order of the panels; all numbers under their names when None.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: each panel has a row for each model, a point with its 95 % interval, and a thin bar at its null.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    p = theme.palette(dark)
    names = _measures(table, titles)
    rows = (len(names) + 1) // 2
    height = rows * (_PANEL + _ROW * len(table))
    units = {m: next((numbers[m].unit for numbers in table.values() if m in numbers and numbers[m].unit), "")
             for m in names}
    headings = [plain(names[m] + (f" ({units[m]})" if units[m] else ""), width=24) for m in names]
    figure = make_subplots(rows=rows, cols=2, shared_yaxes=True, horizontal_spacing=0.06, subplot_titles=headings,
                           vertical_spacing=min(0.9 / rows, 74 / height) if rows > 1 else 0)
    for note in figure.layout.annotations:
        note.update(font={"size": theme.SMALLEST_FONT, "color": p.text})
    for i, measure in enumerate(names):
        where = {"row": i // 2 + 1, "col": i % 2 + 1}
        known = [(model, numbers[measure]) for model, numbers in table.items() if measure in numbers]
        nulls = [(model, n.null) for model, n in known if n.null is not None]
        figure.add_trace(go.Scatter(
            x=[v for _, v in nulls], y=[_model(m) for m, _ in nulls], mode="markers", name="by chance",
            legendgroup="null", showlegend=i == 0, hovertemplate="by chance %{x:.3g}<extra></extra>",
            marker={"symbol": "line-ns-open", "size": 13, "color": p.muted, "line": {"width": 2}}), **where)
        figure.add_trace(go.Scatter(
            x=[n.value for _, n in known], y=[_model(m) for m, _ in known], mode="markers", name="value with 95 %",
            legendgroup="value", showlegend=i == 0, marker={"size": 10, "color": p.kinds["plain"]},
            error_x=error_bar([n for _, n in known], p.kinds["plain"]),
            hovertext=[f"{plain(m)}<br>{spoken(n, 3)}{f', n = {n.n:,}' if n.n else ''}" for m, n in known],
            hovertemplate="%{hovertext}<extra></extra>"), **where)
    figure.update_yaxes(categoryorder="array", categoryarray=[_model(m) for m in table], autorange="reversed",
                        tickfont={"color": p.text})
    figure.update_xaxes(nticks=4)
    return framed(figure, _comparison(table, names), height=height + 60, dark=dark)


def _measures(table: Mapping[str, Mapping[str, Number]], titles: Mapping[str, str] | None) -> dict[str, str]:
    there = list(dict.fromkeys(m for numbers in table.values() for m in numbers))
    names = {m: t for m, t in (titles or {m: m for m in there}).items() if m in there}
    if not names:
        raise ShapeError("models with one number or more to compare", "none")
    return names


def _model(name: str) -> str:
    return plain(shortened(name, _SHORT), width=18)


def _comparison(table: Mapping[str, Mapping[str, Number]], names: Mapping[str, str]) -> str:
    measure = next(iter(names))
    known = [(model, numbers[measure]) for model, numbers in table.items() if measure in numbers]
    low, high = min(known, key=lambda c: c[1].value), max(known, key=lambda c: c[1].value)
    text = f"{names[measure]}: {spoken(low[1])} for {shortened(low[0], _SHORT)}"
    if low[0] != high[0]:
        text += f", {spoken(replace(high[1], null=None))} for {shortened(high[0], _SHORT)}"
    return f"{text} ({len(table)} models, the same pairs)"


def models_compared_table(table: Mapping[str, Mapping[str, Number]]) -> pd.DataFrame:
    """One row a model and number: value, low, high, chance, n, unit."""
    return pd.DataFrame([{"model": model, "number": name, "value": n.value, "low": n.low, "high": n.high,
                          "by chance": n.null, "n": n.n, "unit": n.unit}
                         for model, numbers in table.items() for name, n in numbers.items()])


def agreement(names: Sequence[str], cka: Numbers, overlap: Numbers, *, k: int = 10, dark: bool = False) -> go.Figure:
    """How far models agree on the same items: CKA of their vectors and shared nearest neighbours.

    Parameters
    ----------
    names
        Of the m models, lettered in the figure; 2 to 26.
    cka, overlap
        (m, m) symmetric numbers: centred kernel alignment, and share of the k nearest neighbours in common (0 to 1).
    k
        Neighbours.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of two tables of numbers on colour; intervals and chance on hover.

    Raises
    ------
    ShapeError
        If the tables do not fit the names.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    agreed = (("CKA (1: the same up to rotation)", _square(cka, names), 1.0),
              (f"Shared {k} nearest neighbours (%)", [[percent(n) for n in row] for row in _square(overlap, names)],
               100.0))
    letters, colours = list(string.ascii_uppercase[:len(names)]), theme.sequence(dark, steps=101)
    side = max(40 * len(names), 110)
    figure = panels([heading for heading, _, _ in agreed], gap=48 / (2 * side + 48), dark=dark)
    rows = [f"{plain(shortened(name, _SHORT), width=18)} {letter}" for name, letter in zip(names, letters)]
    for at, (heading, numbers, top) in enumerate(agreed, 1):
        digits = 2 if top == 1 else 0
        figure.add_trace(go.Heatmap(
            z=np.array([[n.value for n in row] for row in numbers]), x=letters, y=rows, zmin=0, zmax=top,
            colorscale=theme.colorscale(dark), showscale=False, xgap=2, ygap=2, name=plain(heading),
            hovertext=[[spoken(n, digits + 1) for n in row] for row in numbers],
            hovertemplate="%{y} and %{x}: %{hovertext}<extra></extra>"), row=at, col=1)
        for i, j in np.ndindex(len(names), len(names)):
            value = numbers[i][j].value
            behind = "#{:02x}{:02x}{:02x}".format(*colours[int(np.clip(100 * value / top, 0, 100))])
            ink = max(("#000000", "#ffffff"), key=lambda c: theme.contrast(c, behind))
            figure.add_annotation(x=letters[j], y=rows[i], text=f"{value:.{digits}f}", showarrow=False,
                                  font={"size": 13, "color": ink}, row=at, col=1)
    figure.update_yaxes(autorange="reversed", tickfont={"color": p.text}, showgrid=False)
    figure.update_xaxes(showgrid=False, showticklabels=True, tickfont={"color": p.text})
    return framed(figure, _agreed(names, cka, overlap, k), height=130 + 2 * side, dark=dark,
                  legend=False)


def _square(values: Numbers, names: Sequence[str]) -> Numbers:
    m = len(names)
    if not 2 <= m <= len(string.ascii_uppercase) or len(values) != m or any(len(row) != m for row in values):
        raise ShapeError("a square table of numbers for 2 to 26 models",
                         f"{m} names, rows of {', '.join(str(len(row)) for row in values)}")
    return values


def _agreed(names: Sequence[str], cka: Numbers, overlap: Numbers, k: int) -> str:
    pairs = [(j, i) for i in range(len(names)) for j in range(i)]
    i, j = max(pairs, key=lambda pair: cka[pair[0]][pair[1]].value)
    text = f"Most alike: {shortened(names[i], 28)} and {shortened(names[j], 28)}, CKA {spoken(cka[i][j])}, " \
           f"{overlap[i][j].value:.2f} of the {k} nearest neighbours shared"
    least = min((cka[i][j] for i, j in pairs), key=lambda number: number.value)
    return text + (f"; least alike: CKA {spoken(least)}" if len(pairs) > 1 else "")


def agreement_table(names: Sequence[str], cka: Numbers, overlap: Numbers) -> pd.DataFrame:
    """One row a pair of models: CKA and share of common neighbours, with intervals and chance."""
    return pd.DataFrame([{"model": names[i], "other": names[j], **cells("cka", cka[i][j]),
                          **cells("shared neighbours", overlap[i][j])}
                         for i in range(len(names)) for j in range(i + 1, len(names))])
