"""Which box a sentence means: the picture with its boxes coloured by score, and the scores by every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.attention.foveal.referring import ALIKE
from core.attention.regions import Box
from core.figures import theme
from core.figures.foveal.outlines import outline
from core.figures.foveal.region import framed_picture, on_picture
from core.figures.frame import framed, plain, shortened

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from PIL.Image import Image

MOST_NAMED = 6
ALL_ALIKE = "none: all alike"


def boxes(image: Image, places: Sequence[Box], names: Sequence[str], scores: np.ndarray, sentence: str, how: str, *,
          truth: int | None = None, dark: bool = False) -> go.Figure:
    """A picture with boxes coloured by their score for a sentence, the winner named.

    Parameters
    ----------
    image
        Upright, RGB.
    places, names
        The k boxes in its pixels, and what each is called.
    scores
        (k,) cosine of each box's view with the sentence, or that less its mean over other captions.
    sentence, how
        What is meant, and the method in words, for the title.
    truth
        The box that is meant, where it is known.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure in pixels of the picture; a scale of the colours beside it. The winner's line is thick, the true box's
    dashed.
    """
    import plotly.graph_objects as go

    p, order = theme.palette(dark), np.argsort(-scores, kind="stable")
    best, colours = winner(scores)[0], theme.sequence(dark)
    low, high = float(scores.min()), float(scores.max())
    span = high - low or 1.0
    figure = on_picture(image, dark=dark)
    named = set(order[:MOST_NAMED].tolist())
    for i in order[::-1].tolist():
        share = (scores[i] - low) / span
        colour = "#{:02x}{:02x}{:02x}".format(*colours[round(share * (len(colours) - 1))].tolist())
        told = f"{names[i]}: {scores[i]:.4f}" + (", the winner" if i == best else "") + \
            (", the box that is meant" if i == truth else "")
        outline(figure, places[i], colour, told, dark=dark, width=5 if i == best else 2.5,
                label=f"{names[i]} {scores[i]:.3f}" if i in named else "")
    if truth is not None:
        outline(figure, places[truth], p.text, f"{names[truth]}: the box that is meant", dark=dark, width=1.5,
                dash="dot", name="the box that is meant", edge=0.0)
    figure.add_trace(go.Scatter(
        x=[None], y=[None], mode="markers", showlegend=False, hoverinfo="skip",
        marker={"color": [low], "cmin": low, "cmax": low + span, "colorscale": theme.colorscale(dark),
                "showscale": high > low, "colorbar": {"title": {"text": "score"}, "thickness": 12, "nticks": 5}}))
    return framed_picture(figure, image, _finding(names, scores, order, sentence, how, truth), dark=dark,
                          legend=truth is not None)


def _finding(names: Sequence[str], scores: np.ndarray, order: np.ndarray, sentence: str, how: str,
             truth: int | None) -> str:
    best = int(order[0])
    if len(order) > 1 and scores[best] - scores[order[1]] <= ALIKE:
        return f"“{shortened(sentence, 60)}” is none of {len(order):,} boxes more than another ({how})"
    said = f"“{shortened(sentence, 60)}” is {shortened(names[best], 30)}"
    if truth is not None:
        said += ", which is right" if best == truth else f", and {shortened(names[truth], 30)} is meant"
    if len(order) > 1:
        said += f": {scores[best]:.3f}, {scores[best] - scores[order[1]]:.3f} above {shortened(names[order[1]], 30)}"
    return f"{said} ({how}, 1 of {len(order):,} boxes by chance {100 / len(order):.3g} %)"


def scores_table(names: Sequence[str], scores: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """One row a box, one column a method; below them the winner of each method and by how much it wins.

    Parameters
    ----------
    names : of the k boxes.
    scores : title of a method -> (k,) scores.
    """
    rows = [{"box": name, **{title: f"{values[i]:.4f}" for title, values in scores.items()}}
            for i, name in enumerate(names)]
    won = {title: winner(values) for title, values in scores.items()}
    rows.append({"box": "winner", **{title: ALL_ALIKE if best is None else names[best]
                                     for title, (best, _) in won.items()}})
    if len(names) > 1:
        rows.append({"box": "margin", **{title: f"{margin:.4f}" for title, (_, margin) in won.items()}})
    return pd.DataFrame(rows)


def winner(values: np.ndarray) -> tuple[int | None, float]:
    """The box that scores highest, None where the next is its equal, and by how much it does."""
    order = np.argsort(-values, kind="stable")
    if len(order) == 1:
        return 0, 0.0
    margin = float(values[order[0]] - values[order[1]])
    return (int(order[0]) if margin > ALIKE else None), margin


def margins(names: Sequence[str], scores: Mapping[str, np.ndarray], *, truth: int | None = None,
            dark: bool = False) -> go.Figure:
    """By how much each method prefers its winner: a bar a method, its winner written on it.

    Returns
    -------
    plotly Figure: score of the winner less that of the next box, to the right; methods downwards. Where the box that
    is meant is known, bars of methods that name another are hollow.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    won = {title: winner(values) for title, values in scores.items()}
    right = [best is not None and truth in (None, best) for best, _ in won.values()]
    figure = go.Figure(go.Bar(
        x=[margin for _, margin in won.values()], y=list(map(plain, scores)), orientation="h", textposition="auto",
        text=[ALL_ALIKE if best is None else plain(shortened(names[best], 24)) for best, _ in won.values()],
        hovertemplate="%{y}: %{text}, %{x:.4f} above the next<extra></extra>",
        marker={"color": [p.kinds["image"] if ok else p.background for ok in right],
                "line": {"color": p.kinds["image"], "width": 1.5}}))
    figure.update_xaxes(title_text="winner less the next box (score)")
    figure.update_yaxes(autorange="reversed")
    named = [best for best, _ in won.values() if best is not None]
    agree = max(named, key=named.count, default=None)
    said = "No method names a box" if agree is None else (
        f"{named.count(agree)} of {len(scores)} methods name {shortened(names[agree], 30)}")
    return framed(figure, said, dark=dark, legend=False, height=26 * len(scores) + 70)
