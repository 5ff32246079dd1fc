"""What each way of pointing at a region does to a picture's vector: a table, and probabilities before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.attention.prompts import TITLES
from core.figures import theme
from core.figures.frame import framed, plain, shortened

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from core.attention.foveal.steering import Effects

MOST_PROMPTS = 5
_ROW, _OUTSIDE = 34, 96


def probabilities(found: Effects, target: int = 0, *, odds: bool = False, dark: bool = False) -> go.Figure:
    """Probability of one prompt by each method: a ring for the picture as it is, a dot for what the method gives.

    Parameters
    ----------
    found
        Of a region.
    target
        Which prompt.
    odds
        Draw natural log-odds instead, which tell near 0 and near 100 % apart.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: per cent, or log-odds, to the right, methods downwards. Thin strokes are the same method at random
    places.
    """
    import plotly.graph_objects as go

    p, methods = theme.palette(dark), found.methods[1:]
    values, beside = _values(found, target, odds)
    form, unit = ("%{x:+.1f}", "log-odds") if odds else ("%{x:.1f} %", "probability")
    figure = go.Figure()
    y = np.arange(len(methods))
    if found.places:
        figure.add_trace(go.Scatter(
            x=beside[1:].ravel(), y=np.repeat(y, found.places), mode="markers", name="at random places",
            marker={"symbol": "line-ns", "size": 13, "opacity": 0.8, "line": {"color": p.muted, "width": 1.4}},
            hovertemplate=f"{form} at a random place<extra></extra>"))
    lines = [(x, row) for row in y.tolist() for x in (values[0], values[row + 1], None)]
    figure.add_trace(go.Scatter(x=[x for x, _ in lines], y=[row for _, row in lines], mode="lines", showlegend=False,
                                hoverinfo="skip", line={"color": p.kinds["image"], "width": 2.5}))
    figure.add_trace(go.Scatter(
        x=[values[0]] * len(methods), y=y, mode="markers", name="as it is",
        marker={"symbol": "circle-open", "size": 11, "color": p.kinds["plain"], "line": {"width": 2.2}},
        hovertemplate=f"{form} without pointing<extra></extra>"))
    figure.add_trace(go.Scatter(
        x=values[1:], y=y, mode="markers", name="pointed at", marker={"size": 12, "color": p.kinds["image"]},
        customdata=np.stack([found.angles[1:], found.cosines[1:, target]], axis=1),
        hovertemplate=f"{form}, moved by %{{customdata[0]:.1f}}°, cosine %{{customdata[1]:.3f}}<extra></extra>"))
    figure.update_xaxes(title_text=f"{unit} of “{plain(shortened(found.prompts[target], 40))}” "
                                   f"({'natural logarithm' if odds else '%'})", range=None if odds else [-3, 103])
    figure.update_yaxes(tickvals=y, ticktext=[plain(TITLES[method]) for method in methods], autorange="reversed",
                        automargin=True)
    return framed(figure, finding(found, target, odds=odds), height=_OUTSIDE + _ROW * len(methods), dark=dark)


def finding(found: Effects, target: int = 0, *, odds: bool = False) -> str:
    """What pointing does to the probability or the log-odds of a prompt, in words."""
    values, others = _values(found, target, odds)
    best = 1 + int(values[1:].argmax())

    def told(value: float) -> str:
        return f"{value:+.1f}" if odds else f"{in_percent(value)} %"

    said = f"“{shortened(found.prompts[target], 40)}”: {'log-odds ' if odds else ''}{told(values[0])} as the picture " \
           f"is, at most {told(values[best])}, by {TITLES[found.methods[best]]}"
    if not found.places:
        return f"{said}; the region leaves no other place to compare with"
    return f"{said} (the same at {found.places} random places: {told(others[best].mean())} on average)"


def _values(found: Effects, target: int, odds: bool) -> tuple[np.ndarray, np.ndarray]:
    """(m,) of each method and (m, k) at random places: log-odds, or percentages."""
    if odds:
        return found.log_odds[:, target], found.elsewhere_log_odds[:, :, target]
    return 100 * found.probabilities[:, target], 100 * found.elsewhere_probabilities[:, :, target]


def in_percent(value: float) -> str:
    """A percentage with one digit; what is neither none nor all is not rounded to it."""
    return "below 0.1" if 0 < value < 0.1 else "above 99.9" if 99.9 < value < 100 else f"{value:.1f}"


def _short(value: float) -> str:
    return in_percent(value).replace("below ", "<").replace("above ", ">")


def in_words(found: Effects, target: int = 0, most: int = MOST_PROMPTS) -> pd.DataFrame:
    """The table of a page: one row a method, cells as text.

    Parameters
    ----------
    found
        Of a region.
    target
        The prompt that comes first, and whose log-odds are told.
    most
        Prompts that have a column: the target, then those that any method makes most probable.
    """
    columns = shown(found, target, most)
    rows = []
    for i, method in enumerate(found.methods):
        beside = found.elsewhere[i]
        row = {"method": TITLES[method], "angle moved": f"{found.angles[i]:.1f}°",
               "at random places": f"{beside.mean():.1f}° ({beside.min():.1f} to {beside.max():.1f})"
               if i and found.places else "–",
               "as far or farther": f"{found.as_far(method)} of {found.places}" if i and found.places else "–",
               "log-odds": _odds(found.log_odds[i, target], found.log_odds[0, target] if i else None)}
        for j in columns:
            before, after = (_short(100 * value) for value in found.probabilities[[0, i], j])
            row[shortened(found.prompts[j], 40)] = f"{before} → {after} %" if i else f"{before} %"
        rows.append(row)
    return pd.DataFrame(rows)


def shown(found: Effects, target: int, most: int = MOST_PROMPTS) -> list[int]:
    """Prompts that have a column: the target first, then the most probable ones in their own order."""
    order = np.argsort(-found.probabilities.max(axis=0), kind="stable")
    return [target, *sorted([int(j) for j in order if j != target][:most - 1])]


def _odds(after: float, before: float | None) -> str:
    if not np.isfinite(after):
        return "–"
    return f"{after:+.1f}" if before is None else f"{after:+.1f} ({after - before:+.1f})"


def table(found: Effects, target: int = 0) -> pd.DataFrame:
    """One row a method: degrees moved beside random places, log-odds of the target, probability and cosine of each
    prompt."""
    k = found.places

    def over(reduce: str, values: np.ndarray = found.elsewhere) -> list[float]:
        return [float(getattr(rows, reduce)()) if i and k else float("nan") for i, rows in enumerate(values)]

    columns = {"method": list(found.methods), "degrees moved": found.angles,
               "at random places, mean": over("mean"), "at random places, least": over("min"),
               "at random places, most": over("max"), "random places": k,
               "places that move as far": [found.as_far(m) if i and k else 0 for i, m in enumerate(found.methods)],
               f"log-odds of {found.prompts[target]}": found.log_odds[:, target],
               "log-odds at random places, mean": over("mean", found.elsewhere_log_odds[:, :, target])}
    for j, prompt in enumerate(found.prompts):
        columns[f"probability of {prompt}"] = found.probabilities[:, j]
        columns[f"cosine with {prompt}"] = found.cosines[:, j]
    return pd.DataFrame(columns)


def vectors_table(found: Effects) -> pd.DataFrame:
    """One row a method: its name, the length of the raw vector, and the unit vector."""
    names = [f"v{i}" for i in range(found.vectors.shape[1])]
    return pd.concat([pd.DataFrame({"method": found.methods, "norm": found.norms}),
                      pd.DataFrame(found.vectors, columns=names)], axis=1)
