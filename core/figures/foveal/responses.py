"""How probabilities and the angle moved answer to alpha."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.foveal.methods import in_percent
from core.figures.frame import framed, line, panels, shortened
from core.geometry.curves import Curve

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from core.attention.foveal.steering import Response

MOST_PROMPTS = 6
HEIGHT = 470


def responses(curve: Response, target: int = 0, *, at: float | None = None, dark: bool = False) -> go.Figure:
    """Probabilities of prompts over alpha, and below them the angle moved.

    Parameters
    ----------
    curve
        Of one picture and region.
    target
        The prompt that the title is about; its line is thick.
    at
        The alpha that is set, marked.
    dark
        Colours for a dark background.
    """
    p = theme.palette(dark)
    figure = panels(["probability of each prompt", "angle from the picture as it is"], gap=0.16, dark=dark)
    order = np.argsort(-curve.probabilities.max(axis=0), kind="stable")
    others = sorted([int(j) for j in order if j != target][:MOST_PROMPTS - 1])
    for number, j in enumerate([target, *others]):
        colour = p.kinds["image"] if j == target else p.categories[number % len(p.categories)]
        name = shortened(curve.prompts[j], 28)
        line(figure, curve.alphas, Curve(name, curve.probabilities[:, j]), colour, name, 1, as_percent=True)
        if j == target:
            figure.data[-1].line.width = 3.5
    line(figure, curve.alphas, Curve("angle", curve.angles), p.kinds["plain"], "angle", 2, legend=False)
    figure.update_yaxes(title_text="%", range=[-8, 108], row=1)
    figure.update_yaxes(title_text="degrees", rangemode="tozero", row=2)
    figure.update_xaxes(title_text="alpha (logits)", row=2)
    if at is not None:
        _mark(figure, curve, target, at, dark)
    return framed(figure, finding(curve, target, at), height=HEIGHT, dark=dark)


def _mark(figure: go.Figure, curve: Response, target: int, at: float, dark: bool) -> None:
    """A ring on both curves at the alpha that is set, read off between the alphas at hand."""
    import plotly.graph_objects as go

    p = theme.palette(dark)
    for row, values, form in ((1, 100 * curve.probabilities[:, target], "%{y:.1f} %"), (2, curve.angles, "%{y:.1f}°")):
        figure.add_trace(go.Scatter(
            x=[at], y=[float(np.interp(at, curve.alphas, values))], mode="markers", name="set", showlegend=False,
            cliponaxis=False,
            marker={"symbol": "circle-open", "size": 14, "color": p.text, "line": {"width": 2.5}},
            hovertemplate=f"{form} at alpha {at:g}<extra>set</extra>"), row=row, col=1)


def finding(curve: Response, target: int, at: float | None) -> str:
    """Where the probability of a prompt is highest, in words."""
    shares = 100 * curve.probabilities[:, target]
    top = int(shares.argmax())
    said = f"“{shortened(curve.prompts[target], 36)}” is most probable at alpha {curve.alphas[top]:g}: " \
           f"{in_percent(shares[top])} % ({in_percent(shares[0])} % without a mask)"
    return said if at is None else f"{said}; alpha {at:g} moves the vector by " \
                                   f"{float(np.interp(at, curve.alphas, curve.angles)):.1f}°"


def table(curve: Response) -> pd.DataFrame:
    """One row an alpha: degrees moved and the probability of each prompt."""
    return pd.DataFrame({"alpha": curve.alphas, "degrees moved": curve.angles,
                         **{f"probability of {prompt}": curve.probabilities[:, j]
                            for j, prompt in enumerate(curve.prompts)}})
