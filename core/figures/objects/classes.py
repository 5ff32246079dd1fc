"""What prompts call an object or a view: probabilities, also before and after a style was carried over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import framed, plain, shortened

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from core.language.objects.classes import ClassScores

MOST_SHOWN = 12
_ROW, _OUTSIDE = 24, 90


def class_scores(name: str, classes: Sequence[str], found: ClassScores, scale: float, *, dark: bool = False
                 ) -> go.Figure:
    """The most probable classes of an object, as bars, with a dotted line at chance.

    Parameters
    ----------
    name : of the object.
    classes : (k,) their names.
    found : scores of the classes.
    scale : factor on the cosine, 1 over the temperature.
    """
    import plotly.graph_objects as go

    p, chances = theme.palette(dark), found.probabilities(scale)
    order = np.argsort(-chances)[:MOST_SHOWN][::-1]
    figure = go.Figure(go.Bar(
        x=100 * chances[order], y=list(range(len(order))), orientation="h", marker={"color": p.kinds["text"]},
        customdata=found.scores[order], hovertemplate="%{x:.1f} %, mean cosine %{customdata:.3f}<extra></extra>"))
    figure.add_vline(x=100 / len(classes), line={"color": p.muted, "width": 1.2, "dash": "dot"})
    _names(figure, [classes[i] for i in order])
    figure.update_xaxes(title_text="probability (%)", rangemode="tozero")
    best = chances[found.best]
    return framed(figure, f"{shortened(name)} is called “{shortened(classes[found.best])}”: {100 * best:.0f} % over "
                  f"{len(found.cosines)} views (by chance {100 / len(classes):.0f} %)",
                  height=_OUTSIDE + _ROW * len(order), dark=dark, legend=False)


def class_scores_table(classes: Sequence[str], found: ClassScores, scale: float) -> pd.DataFrame:
    """One row a class: probability, weighted mean cosine, and the cosine of each view."""
    table = pd.DataFrame({"class": list(classes), "probability": found.probabilities(scale),
                          "mean cosine": found.scores, "by chance": 1 / len(classes)})
    views = pd.DataFrame(found.cosines.T, columns=[f"view {i}" for i in range(len(found.cosines))])
    return pd.concat([table, views], axis=1).sort_values("probability", ascending=False, ignore_index=True)


def before_and_after(what: str, names: Sequence[str], before: np.ndarray, after: np.ndarray, *, dark: bool = False
                     ) -> go.Figure:
    """Zero-shot probabilities of a view, and of what came out of it, side by side.

    Parameters
    ----------
    what : what is asked for, in the singular ("object", "style").
    names : (k,).
    before, after : (k,) shares.
    """
    import plotly.graph_objects as go

    if not len(names) == len(before) == len(after):
        raise ShapeError(f"{len(names)} probabilities before and after", f"{len(before)} and {len(after)}")
    p = theme.palette(dark)
    order = np.sort(np.argsort(-np.maximum(before, after), kind="stable")[:MOST_SHOWN])[::-1]
    figure = go.Figure()
    for title, values, colour in (("after", after, p.kinds["prompt"]), ("before", before, p.kinds["plain"])):
        figure.add_trace(go.Bar(x=100 * values[order], y=list(range(len(order))), orientation="h", name=title,
                                marker={"color": colour}, hovertemplate=f"%{{x:.1f}} % {title}<extra></extra>"))
    _names(figure, [names[i] for i in order])
    figure.update_xaxes(title_text="probability (%)", range=[0, 100])
    figure.update_layout(barmode="group", legend={"traceorder": "reversed"})
    first, last = (names[int(values.argmax())] for values in (before, after))
    says = f"stays “{shortened(last)}”" if first == last else f"goes from “{shortened(first)}” to “{shortened(last)}”"
    return framed(figure, f"By prompts the {what} {says} ({100 * after.max():.0f} %)",
                  height=int(_OUTSIDE + 30 + 1.5 * _ROW * len(order)), dark=dark)


def before_and_after_table(names: Sequence[str], before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    """One row a name: probability before and after."""
    return pd.DataFrame({"name": list(names), "before": before, "after": after})


def _names(figure: go.Figure, names: Sequence[str]) -> None:
    """Names along the upright axis, the first at the bottom."""
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=[plain(shortened(name, 28)) for name in names],
                        automargin=True)
