"""What items of a class are called, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.figures import theme
from core.figures.frame import framed, plain, shortened

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Pictures of the class on the left that are called by the class below, in % of the class; what lies on the "
           "diagonal is right.")
MOST_CLASSES = 30


def confusion_map(counts: np.ndarray, asked: np.ndarray, names: Sequence[str], title: str, *,
                  dark: bool = False) -> go.Figure:
    """A heat map in % of each class.

    Parameters
    ----------
    counts : (s, s) int, items of the classes shown by their class and by the class that comes first.
    asked : (s,) int, items of each, also those that are called by a class that is not shown.
    names : s classes.
    title : the finding.
    dark : colours for a dark background.

    Returns
    -------
    plotly Figure: true classes downwards, named ones to the right.
    """
    import plotly.graph_objects as go

    shares = 100 * counts / np.maximum(asked, 1)[:, None]
    said, places = [plain(shortened(name, 18)) for name in names], list(range(len(names)))
    figure = go.Figure(go.Heatmap(
        z=shares, x=places, y=places, colorscale=theme.colorscale(dark), zmin=0, zmax=100,
        customdata=np.stack([counts, np.broadcast_to(asked[:, None], counts.shape)], axis=2),
        hovertemplate="%{customdata[0]} of %{customdata[1]} pictures (%{z:.0f} %)<extra></extra>",
        colorbar={"title": {"text": "%"}, "thickness": 12}))
    figure.update_xaxes(title_text="named by the model", tickvals=places, ticktext=said, tickangle=-60)
    figure.update_yaxes(title_text="label", tickvals=places, ticktext=said, autorange="reversed", automargin=True)
    return framed(figure, title, height=max(300, 20 * len(names) + 200), dark=dark, legend=False)
