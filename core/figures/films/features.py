"""Features of films by genre, on one scale, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.films.differing import FeatureDifferences
from core.geometry.films.feature_names import FEATURES

if TYPE_CHECKING:
    import plotly.graph_objects as go

HOW_TO_READ = ("A row a feature, a point a film, a bar the mean of a genre; each feature less its mean over all films, "
               "in standard deviations. Rows that differ most between genres come first; p is the chance of as much "
               "when labels are shuffled, corrected for the number of features (Holm).")
MOST_FEATURES = 16
_APART = 0.7   # of a row, taken by all genres
_EDGE = 3.5    # standard deviations that are drawn at least


def by_genre(report: FeatureDifferences, names: Sequence[str] = (), *, most: int = MOST_FEATURES, dark: bool = False
             ) -> go.Figure:
    """The features that differ most between genres, a point a film.

    Parameters
    ----------
    report : features of films.
    names : of the films, for hovering.
    most : features shown, those first that differ most.

    Returns
    -------
    plotly Figure: standard deviations to the right, a row a feature and in it a line a genre; ``customdata`` is the
    index of the film.
    """
    import plotly.graph_objects as go

    n = len(report.labels)
    if names and len(names) != n:
        raise ShapeError(f"{n} names, one a film", str(len(names)))
    p, order = theme.palette(dark), _order(report)[:most]
    k = len(report.classes)
    names = [plain(shortened(name)) for name in names] or [f"film {i + 1}" for i in range(n)]
    figure = go.Figure()
    for c, name in enumerate(report.classes):
        rows = np.flatnonzero(report.labels == c)
        y = np.arange(len(order)) + _APART * ((c + 0.5) / k - 0.5)
        colour, title = p.categories[c % len(p.categories)], plain(shortened(name)) or "films"
        z = report.scores[rows][:, order]
        known = np.isfinite(z)
        film, feature = np.nonzero(known)
        figure.add_trace(go.Scatter(
            x=z[known], y=y[feature], mode="markers", name=title, legendgroup=title, customdata=rows[film],
            marker={"size": 6, "color": colour, "opacity": 0.6},
            text=[f"{names[rows[i]]}: {_value(report, rows[i], order[j])}" for i, j in zip(film, feature)],
            hovertemplate=f"%{{text}}<extra>{title}</extra>"))
        seen = known.any(axis=0)
        means = [float(z[known[:, j], j].mean()) for j in np.flatnonzero(seen)]
        figure.add_trace(go.Scatter(
            x=means, y=y[seen], mode="markers", name=f"mean, {title}", legendgroup=title, showlegend=False,
            marker={"symbol": "line-ns", "size": 13, "color": colour, "line": {"width": 3, "color": colour}},
            hovertemplate=f"mean %{{x:.2f}}<extra>{title}</extra>"))
    ticks = [plain(shortened(_title(report.keys[j]), 34)) for j in order]
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(order))), ticktext=ticks, showgrid=False,
                        range=[len(order) - 0.5, -0.5], zeroline=False)
    known_scores = np.abs(report.scores[:, order])
    edge = max(_EDGE, float(np.nanmax(known_scores, initial=0)) + 0.3)
    figure.update_xaxes(title_text="from the mean (standard deviations)", range=[-edge, edge])
    return framed(figure, _finding(report, order), height=150 + 30 * len(order), dark=dark)


def _order(report: FeatureDifferences) -> list[int]:
    """Features that vary, those that differ most between genres first."""
    varied = [k for k in range(len(report.keys)) if np.nan_to_num(np.abs(report.scores[:, k])).max(initial=0) > 0]
    return sorted(varied, key=lambda k: -np.nan_to_num(report.between[k].value))


def _title(key: str) -> str:
    return FEATURES[key].title if key in FEATURES else key


def _value(report: FeatureDifferences, film: int, feature: int) -> str:
    key = report.keys[feature]
    unit = FEATURES[key].unit if key in FEATURES else ""
    value = float(report.values[film, feature])
    return f"{np.degrees(value):.1f}°" if unit == "radians" else f"{value:.3g} {unit}".rstrip()


def _finding(report: FeatureDifferences, order: Sequence[int]) -> str:
    n = len(report.labels)
    if report.reason or not order:
        return f"Features of {n} films; {report.reason or 'no feature differs among them'}"
    told = [p for p in report.p if p is not None and p <= 0.05]
    best = report.between[order[0]]
    first = (f"{_title(report.keys[order[0]])}: {100 * best.value:.0f} % of its variance lies between genres (shuffled "
             f"{100 * (best.null or 0):.0f} %)")
    tried = sum(p is not None for p in report.p)
    if not told:
        return f"None of {tried} features differs between genres by more than chance ({n} films); most {first}"
    return f"{len(told)} of {tried} features differ between genres ({n} films, p ≤ .05 by Holm); {first}"


def features_table(report: FeatureDifferences, names: Sequence[str] = ()) -> pd.DataFrame:
    """One row a film: name, genre where films have one, and every feature in its unit."""
    table = pd.DataFrame({"film": list(names) or [f"film {i + 1}" for i in range(len(report.labels))]})
    if any(report.classes):
        table["genre"] = [report.classes[c] for c in report.labels]
    columns = {_heading(key): report.values[:, k] for k, key in enumerate(report.keys)}
    return pd.concat([table, pd.DataFrame(columns)], axis=1)


def differences_table(report: FeatureDifferences) -> pd.DataFrame:
    """One row a feature: what it says, means of genres, share of variance between them, by chance, p (Holm)."""
    rows: list[dict[str, object]] = []
    for k, key in enumerate(report.keys):
        known = np.isfinite(report.values[:, k])
        means = {f"mean of {name}": float(report.values[known & (report.labels == c), k].mean())
                 if (known & (report.labels == c)).any() else None for c, name in enumerate(report.classes)}
        rows.append({"feature": _title(key), "unit": FEATURES[key].unit if key in FEATURES else "",
                     "says": FEATURES[key].says if key in FEATURES else "", **means,
                     "share between genres": report.between[k].value, "by chance": report.between[k].null,
                     "films": report.between[k].n, "p (Holm)": report.p[k]})
    return pd.DataFrame(rows)


def _heading(key: str) -> str:
    unit = FEATURES[key].unit if key in FEATURES else ""
    return f"{_title(key)} ({unit})" if unit else _title(key)
