"""Zero-shot in pictures: accuracy of each class, what is confused, and one image with its classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.confusion import MOST_CLASSES, confusion_map
from core.figures.frame import cells, error_bar, framed, percent, plain, share, share_of, shortened, spoken
from core.geometry.classification import Classification

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Share of the images of each class whose class has the highest score, with Wilson's 95 % intervals; dotted "
           "is chance, 1 over the number of classes. Of many classes the best and the worst are shown; the table has "
           "all.")
CAPTION_OF_PAIRS = ("How often images of one class are called by another: the pairs that are mixed up most, in images. "
                    "Of many classes a matrix would not be read.")


def finding(report: Classification) -> str:
    """Top 1 and top 5, beside chance and the largest class."""
    first, among = report.accuracy(), report.accuracy(5)
    if first is None or among is None:
        return "No image has a label among the classes: there is no accuracy"
    k = len(report.classes)
    top5 = f", {share(among)} among the first 5" if k > 5 else ""
    return (f"{share_of(first)} images are called by their class{top5}; by chance "
            f"{100 * (first.null or 0):.3g} %, by the largest class {100 * report.largest:.3g} %")


def by_class(report: Classification, *, dark: bool = False) -> go.Figure:
    """Accuracy of each class that has images; of more than 30 the 15 best and the 15 worst.

    Returns
    -------
    plotly Figure: accuracy (%) to the right, classes downwards, the best first.
    """
    import plotly.graph_objects as go

    p, numbers = theme.palette(dark), report.by_class()
    order = sorted(numbers, key=lambda k: (-numbers[k].value, -(numbers[k].n or 0), k))
    shown = order if len(order) <= MOST_CLASSES else order[:MOST_CLASSES // 2] + order[-(MOST_CLASSES // 2):]
    figure, y = go.Figure(), list(range(len(shown)))
    figure.add_vline(x=100 / len(report.classes), line={"color": p.muted, "width": 1.6, "dash": "dot"})
    of = [percent(numbers[k]) for k in shown]
    figure.add_trace(go.Scatter(
        x=[n.value for n in of], y=y, mode="markers", error_x=error_bar(of, p.muted), showlegend=False,
        hovertext=[f"{plain(shortened(report.classes[k]))}: {spoken(n, 0)} %, {n.n:,} images"
                   for k, n in zip(shown, of)],
        hovertemplate="%{hovertext}<extra></extra>", marker={"size": 9, "color": p.kinds["image"]}))
    figure.update_xaxes(title_text="accuracy (%)", range=[-3, 103])
    figure.update_yaxes(tickvals=y, ticktext=[plain(shortened(report.classes[k], 24)) for k in shown],
                        range=[max(len(shown), 1) - 0.5, -0.5], zeroline=False, automargin=True)
    said = finding(report)
    if len(shown) < len(order):
        said += f". {len(shown)} of {len(order):,} classes are shown"
    return framed(figure, said, height=26 * max(len(shown), 3) + 90, dark=dark, legend=False)


def class_table(report: Classification) -> pd.DataFrame:
    """One row a class that has images: accuracy with interval and chance, and n."""
    return pd.DataFrame([{"class": report.classes[k], **cells("accuracy", number), "n": number.n}
                         for k, number in report.by_class().items()])


def confusion(report: Classification, *, dark: bool = False) -> go.Figure:
    """A heat map of up to 30 classes; of more the pairs that are mixed up most, as bars."""
    pairs = report.confused()
    asked = np.bincount(report.truth[report.known], minlength=len(report.classes))
    said = "Every image is called by its class"
    if pairs:
        true, named, count = pairs[0]
        said = (f"Most often “{shortened(report.classes[true], 24)}” is called “{shortened(report.classes[named], 24)}”"
                f": {count:,} of {asked[true]:,}")
    if len(report.classes) <= MOST_CLASSES:
        shown = list(range(len(report.classes)))
        return confusion_map(report.confusion(shown), asked, report.classes, said, dark=dark)
    return _pairs(report, pairs, asked, said, dark)


def _pairs(report: Classification, pairs: Sequence[tuple[int, int, int]], asked: np.ndarray, said: str,
           dark: bool) -> go.Figure:
    import plotly.graph_objects as go

    p, y = theme.palette(dark), list(range(len(pairs)))
    figure = go.Figure(go.Bar(
        x=[count for _, _, count in pairs], y=y, orientation="h", marker={"color": p.kinds["image"]},
        hovertext=[f"{count:,} of {asked[true]:,} images of {plain(shortened(report.classes[true]))}"
                   for true, _, count in pairs], hovertemplate="%{hovertext}<extra></extra>"))
    figure.update_xaxes(title_text="images", rangemode="tozero")
    figure.update_yaxes(tickvals=y, ticktext=[plain(f"{shortened(report.classes[a], 16)} → "
                                                    f"{shortened(report.classes[b], 16)}") for a, b, _ in pairs],
                        range=[max(len(pairs), 1) - 0.5, -0.5], automargin=True)
    return framed(figure, said, height=24 * max(len(pairs), 3) + 90, dark=dark, legend=False)


def confusion_table(report: Classification) -> pd.DataFrame:
    """One row a label and named class that occur together: how many images, and of how many."""
    asked = np.bincount(report.truth[report.known], minlength=len(report.classes))
    shown = report.confused(len(report.classes) ** 2)
    right = [(int(k), int(k), int(n)) for k, n in enumerate(np.bincount(
        report.truth[report.known][report.guesses[report.known] == report.truth[report.known]],
        minlength=len(report.classes))) if n]
    return pd.DataFrame([{"label": report.classes[a], "named": report.classes[b], "images": count,
                          "of": int(asked[a])} for a, b, count in sorted(right + shown)],
                        columns=["label", "named", "images", "of"])


def items_table(report: Classification, ids: Sequence[str], given: np.ndarray) -> pd.DataFrame:
    """One row an image: its label, the class that comes first, and the probabilities of both ((n, k) given)."""
    rows, own = np.arange(len(ids)), report.truth
    sure = given[rows, report.guesses]
    right = np.where(own >= 0, given[rows, np.maximum(own, 0)], np.nan)
    return pd.DataFrame({"image": list(ids), "label": [report.classes[k] if k >= 0 else "" for k in own.tolist()],
                         "named": [report.classes[k] for k in report.guesses.tolist()], "probability": sure,
                         "probability of the label": right})


def one_image(names: Sequence[str], given: np.ndarray, percentiles: np.ndarray, values: np.ndarray, what: str,
              right: int | None, *, dark: bool = False) -> go.Figure:
    """The first classes of one image.

    Parameters
    ----------
    names : c classes, the first first.
    given : (c,) probabilities among the classes.
    percentiles : (c,) in [0, 100], of the value among unmatched pairs.
    values : (c,) cosines, or scores of the model's own.
    what : what these are.
    right : which of them is the label, None where none is.
    dark : colours for a dark background.

    Returns
    -------
    plotly Figure: probability (%) to the right, classes downwards; the label in the colour of texts, the others plain.
    """
    import plotly.graph_objects as go

    p, y = theme.palette(dark), list(range(len(names)))
    figure = go.Figure(go.Bar(
        x=100 * given, y=y, orientation="h", cliponaxis=False,
        marker={"color": [p.kinds["text"] if i == right else p.kinds["plain"] for i in y]},
        text=[f" {what} {v:.3g}, above {q:.1f} %" for v, q in zip(values, percentiles)], textposition="outside",
        textfont={"color": p.text, "size": theme.SMALLEST_FONT},
        hovertext=[f"{plain(shortened(name, 60))}: {100 * g:.3g} %, {what} {v:.4f}, above {q:.1f} % of unmatched pairs"
                   for name, g, v, q in zip(names, given, values, percentiles)],
        hovertemplate="%{hovertext}<extra></extra>"))
    figure.update_xaxes(title_text="probability among these classes (%)", range=[0, 165],
                        tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(tickvals=y, ticktext=[plain(shortened(name, 22)) for name in names],
                        range=[len(names) - 0.5, -0.5], automargin=True)
    said = f"Called “{shortened(names[0], 30)}” with {_probability(given[0])}"
    if right is not None:
        said += ", as its label says" if right == 0 else (f"; its label “{shortened(names[right], 30)}” has "
                                                          f"{_probability(given[right])}")
    return framed(figure, said, height=30 * len(names) + 80, dark=dark, legend=False)


def _probability(p: float) -> str:
    return f"{100 * p:.3g} %" if p >= 1e-4 else "less than 0.01 %"
