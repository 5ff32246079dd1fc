"""What an object is called with a foveal mask on the foreground of its depth pictures, beside no mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.differences import Verdict
from core.geometry.objects.votes import PoseSweep

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from core.language.objects.classes import ClassScores
    from core.language.objects.known import KnownShapes

MOST_SHOWN = 10
_ROW, _OUTSIDE = 36, 120
_FAINT = 0.45


def beside(name: str, classes: Sequence[str], found: ClassScores, pointed: ClassScores, scale: float, *,
           dark: bool = False) -> go.Figure:
    """Probability of the classes without and with the mask.

    Parameters
    ----------
    name : of the object.
    classes : (k,) their names.
    found, pointed : scores without and with the mask.
    scale : factor on the cosine, 1 over the temperature.

    Returns
    -------
    plotly Figure: probability (%) to the right, the classes highest in either downwards; chance dotted.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    before, after = found.probabilities(scale), pointed.probabilities(scale)
    order = np.argsort(-np.maximum(before, after), kind="stable")[:MOST_SHOWN]
    y = list(range(len(order)))
    figure.add_vline(x=100 / len(classes), line={"color": p.muted, "width": 1.2, "dash": "dot"})
    lines = [(x, row) for row, k in zip(y, order) for x in (100 * before[k], 100 * after[k], None)]
    figure.add_trace(go.Scatter(x=[x for x, _ in lines], y=[row for _, row in lines], mode="lines", showlegend=False,
                                hoverinfo="skip", line={"color": p.kinds["image"], "width": 2.5}))
    for title, values, scores, marker in (
            ("no mask", before, found.scores, {"symbol": "circle-open", "color": p.kinds["plain"],
                                               "line": {"width": 2.2}}),
            ("foveal mask", after, pointed.scores, {"color": p.kinds["image"]})):
        figure.add_trace(go.Scatter(
            x=100 * values[order], y=y, mode="markers", name=title, customdata=scores[order],
            marker={"size": 11, **marker},
            hovertemplate=f"%{{x:.1f}} % by {title}, mean cosine %{{customdata:.3f}}<extra></extra>"))
    figure.update_xaxes(title_text="probability (%)", range=[-3, 103])
    figure.update_yaxes(tickvals=y, ticktext=[plain(shortened(classes[k], 28)) for k in order],
                        range=[len(order) - 0.5, -0.5], automargin=True, zeroline=False)
    first, last = found.best, pointed.best
    said = (f"{shortened(name)} stays “{shortened(classes[last])}” under the mask" if first == last else
            f"{shortened(name)} goes from “{shortened(classes[first])}” to “{shortened(classes[last])}” under the mask")
    return framed(figure, f"{said}: {100 * before[last]:.0f} % before, {100 * after[last]:.0f} % after "
                  f"(by chance {100 / len(classes):.0f} %)", height=_OUTSIDE + _ROW * len(order), dark=dark)


def beside_table(classes: Sequence[str], found: ClassScores, pointed: ClassScores, scale: float) -> pd.DataFrame:
    """One row a class: probability and weighted mean cosine without and with the mask, and the differences."""
    before, after = found.probabilities(scale), pointed.probabilities(scale)
    return pd.DataFrame({
        "class": list(classes), "probability": before, "probability, masked": after, "change": after - before,
        "mean cosine": found.scores, "mean cosine, masked": pointed.scores,
        "change of the cosine": pointed.scores - found.scores, "by chance": 1 / len(classes)}).sort_values(
            "probability, masked", ascending=False, ignore_index=True)


def under_mask(picture: np.ndarray, drawn: np.ndarray, *, dark: bool = False) -> Image.Image:
    """A depth picture (s, s, 3) with its foreground (s, s) tinted, in the colour of what is looked at."""
    colour = theme.palette(dark).kinds["image"].lstrip("#")
    tint = np.array([int(colour[i:i + 2], 16) for i in (0, 2, 4)], dtype=np.float64)
    out = picture.astype(np.float64)
    out[drawn] = (1 - _FAINT) * out[drawn] + _FAINT * tint
    return Image.fromarray(out.astype(np.uint8))


def poses_in_words(plain_sweep: PoseSweep, pointed: PoseSweep) -> str:
    """How far the mask changes what comes first over the poses."""
    same = int((plain_sweep.winners == pointed.winners).sum())
    n = len(plain_sweep.degrees)
    return (f"The same class comes first in {same} of {n} poses. Without the mask "
            f"“{shortened(plain_sweep.names[plain_sweep.most])}” wins {round(plain_sweep.share * n)} of them, with it "
            f"“{shortened(pointed.names[pointed.most])}” {round(pointed.share * n)}. Poses of one object are no "
            f"independent items: this is no test.")


def known_in_words(report: KnownShapes) -> str:
    """What the mask does to clouds of known shapes, with intervals and the difference."""
    before, after = report.accuracy
    difference = report.difference
    told = {Verdict.HIGHER: "above", Verdict.LOWER: "below"}.get(difference.verdict, "not told apart from")
    p = "" if difference.p is None else f", p {'< 0.001' if difference.p < 0.001 else f'{difference.p:.3f}'}"
    k, poses = report.hits.shape
    return (f"Clouds of the {k} built-in solids in {poses} poses each, asked for their names: "
            f"{_share(before.value, before.low, before.high)} right without the mask, "
            f"{_share(after.value, after.low, after.high)} with it, by chance {100 / k:.0f} %. With the mask is {told} "
            f"without ({100 * difference.change.value:+.1f} points{p}; sign flips over the {k} solids).")


def known_table(report: KnownShapes) -> pd.DataFrame:
    """One row a solid: in how many of its poses it is called by its name, without and with the mask."""
    return pd.DataFrame({"solid": report.names, "poses": report.hits.shape[1], "right": report.hits.sum(axis=1),
                         "right, masked": report.pointed.sum(axis=1)})


def _share(value: float, low: float | None, high: float | None) -> str:
    interval = "" if low is None or high is None else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{100 * value:.0f} %{interval}"
