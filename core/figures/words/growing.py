"""Sentences word by word: how far each beginning lies from the whole and from an image, as curves and on the sphere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, panels, plain, shortened
from core.geometry.directions import arcs
from core.language.words.sentences import SentencePath
from core.scene import Colouring, Mark, SphereScene

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Lines: the sentence as it grows. Dotted, with a band: the mean and the central 95 % of the same words in "
           "shuffled orders, which is what the words give whatever their order. Where a line lies in its band, the "
           "order of the words so far shows nothing. Angles are true ones, of all dimensions.")
OPEN = "what is open"


def growing(paths: Sequence[SentencePath], *, dark: bool = False) -> go.Figure:
    """Angles along each sentence, and the length of each step.

    Returns
    -------
    plotly Figure: words so far to the right; panels of the angle to the whole sentence, to the image where there is
    one, and of the steps (degrees).
    """
    import plotly.graph_objects as go

    p, image = theme.palette(dark), paths[0].to_image is not None
    titles = ["to the whole sentence", *(["to the image"] if image else []), "step from the beginning before"]
    figure = panels(titles, gap=0.12, dark=dark)
    for at, path in enumerate(paths):
        colour, name = p.categories[at % len(p.categories)], shortened(path.text, 46)
        x = np.arange(1, len(path.words) + 1)
        curves = [(path.to_whole, path.shuffled_to_whole)]
        if path.to_image is not None and path.shuffled_to_image is not None:
            curves.append((path.to_image, path.shuffled_to_image))
        for row, (values, band) in enumerate(curves, 1):
            _shuffled(figure, x, band, colour, name, row)
            figure.add_trace(_line(x, values, path.words, colour, name, first=row == 1), row=row, col=1)
        figure.add_trace(_line(x[1:], path.steps, path.words[1:], colour, name, first=False), row=len(titles), col=1)
    for row in range(1, len(titles) + 1):
        mode = "normal" if image and row == 2 else "tozero"
        figure.update_yaxes(title_text="degrees", rangemode=mode, row=row, col=1)
    longest = max(paths, key=lambda path: len(path.words))
    ticks = [plain(shortened(w, 12)) for w in longest.words] if len(paths) == 1 else list(
        map(str, range(1, len(longest.words) + 1)))
    figure.update_xaxes(tickvals=list(range(1, len(longest.words) + 1)), ticktext=ticks)
    figure.update_xaxes(title_text="word that came last" if len(paths) == 1 else "words so far", row=len(titles), col=1)
    figure = framed(figure, finding(paths), height=190 * len(titles) + 60 + 20 * len(paths), dark=dark)
    figure.update_layout(legend={"y": -0.02, "yref": "paper", "yanchor": "top", "orientation": "v"}
                         if len(paths) > 3 else {})
    return go.Figure(figure)


def _line(x: np.ndarray, values: np.ndarray, words: Sequence[str], colour: str, name: str, *, first: bool
          ) -> go.Scatter:
    import plotly.graph_objects as go

    return go.Scatter(x=x, y=values, mode="lines+markers", name=plain(name), legendgroup=name, showlegend=first,
                      text=[plain(shortened(w)) for w in words], line={"color": colour, "width": 2.4},
                      marker={"size": 7}, hovertemplate="… %{text}: %{y:.1f}°<extra>" + plain(name) + "</extra>")


def _shuffled(figure: go.Figure, x: np.ndarray, band: np.ndarray, colour: str, name: str, row: int) -> None:
    import plotly.graph_objects as go

    mean, low, high = band
    figure.add_trace(go.Scatter(x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), mode="lines",
                                line={"width": 0, "color": colour}, fill="toself", hoverinfo="skip",
                                fillcolor=theme.rgba(colour, 0.13), legendgroup=name, showlegend=False), row=row, col=1)
    figure.add_trace(go.Scatter(x=x, y=mean, mode="lines", line={"color": colour, "width": 1.4, "dash": "dot"},
                                name="shuffled", legendgroup=name, showlegend=False,
                                hovertemplate="shuffled: %{y:.1f}°<extra></extra>"), row=row, col=1)


def finding(paths: Sequence[SentencePath]) -> str:
    """Which word moves the first sentence most, and what the order of its words is worth."""
    path = paths[0]
    if len(path.words) < 2:
        return f"“{shortened(path.text)}” is one word: a point, and no path"
    order = path.order
    known = "" if order.low is None else f" ({order.low:.1f} to {order.high:.1f}, {order.n:,} orders)"
    other = "" if order.null is None else f"; another sentence lies {order.null:.0f}° off"
    return (f"“{shortened(path.words[path.longest_step], 24)}” moves “{shortened(path.text)}” most, by "
            f"{path.steps.max():.0f}°; its words in another order lie {order.value:.1f}°{known} from it{other}")


def growing_table(paths: Sequence[SentencePath]) -> pd.DataFrame:
    """One row a word of a sentence: its angles, its step, and those of shuffled words, degrees."""
    rows = []
    for path in paths:
        for k, word in enumerate(path.words):
            row: dict[str, object] = {"sentence": path.text, "words": k + 1, "word": word,
                                      "to the whole (°)": path.to_whole[k]}
            row |= dict(zip(("shuffled, mean", "shuffled, 2.5 %", "shuffled, 97.5 %"), path.shuffled_to_whole[:, k]))
            row["step (°)"] = path.steps[k - 1] if k else None
            if path.to_image is not None and path.shuffled_to_image is not None:
                row["to the image (°)"] = path.to_image[k]
                row["to the image, shuffled, mean"] = path.shuffled_to_image[0, k]
            rows.append(row)
    return pd.DataFrame(rows)


def growing_scene(paths: Sequence[SentencePath], places: Sequence[np.ndarray], coords: np.ndarray, kinds: np.ndarray,
                  labels: Sequence[str], *, image: int | None = None, note: str = "",
                  thumbnails: Mapping[int, bytes] | None = None) -> SphereScene:
    """Paths of sentences among what is open.

    Parameters
    ----------
    paths, places : of each sentence of k words, and (k, 3) unit rows: where its beginnings lie on the map.
    coords, kinds, labels : (n, 3) places, (n,) kinds and names of what is open.
    image : the point among these that is compared with; None without one.
    note : the map and its fidelity.
    thumbnails : encoded small pictures by point.
    """
    said = [f"{i + 1}. {' '.join(path.words[:k + 1])}\n{path.to_whole[k]:.1f}° from the whole sentence"
            for i, path in enumerate(paths) for k in range(len(path.words))]
    names = [f"{i + 1}. {shortened(path.text)}" for i, path in enumerate(paths)]
    marks = [Mark(place[-1], name, "prompt") for place, name in zip(places, names)]
    marks += [Mark(place[0], shortened(path.words[0], 20), "plain") for place, path in zip(places, paths)
              if len(place) > 1]
    if image is not None:
        marks.append(Mark(coords[image], "the image", "image"))
    lines = tuple(arcs(place[:-1], place[1:], steps=12).reshape(-1, 3) for place in places if len(place) > 1)
    grown = sum(map(len, places))
    return SphereScene(
        coords=np.concatenate([coords, *places]), kinds=np.concatenate([kinds, np.full(grown, 2, dtype=np.uint8)]),
        labels=(*labels, *said), title=finding(paths), note=note, lines=lines, marks=tuple(marks),
        colouring=Colouring("sentences", groups=("",) * len(coords) + tuple(
            name for name, place in zip(names, places) for _ in place)),
        selected=np.arange(len(coords) + grown) >= len(coords), others=OPEN,
        thumbnails=thumbnails or {}, shown=() if image is None else (image,))
