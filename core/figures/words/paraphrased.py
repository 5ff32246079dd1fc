"""How far texts that mean the same lie apart, beside texts that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import as_percent, framed
from core.language.words.paraphrases import Spread

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("A group is texts that mean the same. For each: the mean angle between its own texts, and from its texts to "
           "those of all other groups, of the true sphere. The less the two overlap, the less wording counts.")


def spreads(found: Spread, *, dark: bool = False) -> go.Figure:
    """Groups by the mean angle within them, and to all others.

    Returns
    -------
    plotly Figure: mean angle (degrees) to the right, number of groups upwards.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    highest = max(float(found.within.max()), float(found.between.max()))
    size = max(highest / 45, 0.25)
    for values, name, colour in ((found.within, "texts that mean the same", p.kinds["text"]),
                                 (found.between, "texts that do not", p.kinds["plain"])):
        figure.add_trace(go.Histogram(x=values, name=name, xbins={"start": 0, "end": highest + size, "size": size},
                                      marker={"color": theme.rgba(colour, 0.7)},
                                      hovertemplate="%{x}°: %{y} groups<extra>" + name + "</extra>"))
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title_text="mean angle (degrees)", range=[0, highest + 2 * size])
    figure.update_yaxes(title_text="groups")
    same, other = found.same, found.different
    title = (f"Texts that mean the same lie {_degrees(same.value, same.low, same.high)} apart, others "
             f"{_degrees(other.value, other.low, other.high)}; the nearest text means the same for "
             f"{as_percent(found.found)}")
    return framed(figure, title, height=300, dark=dark)


def _degrees(value: float, low: float | None, high: float | None) -> str:
    return f"{value:.1f}°" + ("" if low is None or high is None else f" ({low:.1f} to {high:.1f})")


def spreads_table(found: Spread) -> pd.DataFrame:
    """One row a group: its texts, and its mean angles in degrees."""
    return pd.DataFrame({"texts": [" | ".join(g) for g in found.groups], "within (°)": np.round(found.within, 4),
                         "to others (°)": np.round(found.between, 4)})
