"""Behind the gap: how typical points are, which dimensions carry it, and why one cosine is what it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import among, cells, framed, line, panels, plain, shortened, spoken
from core.figures.gap.shift import in_a_bin, kind_colour
from core.geometry.gap.reports import Conformity, CosineParts

if TYPE_CHECKING:
    import plotly.graph_objects as go

PARTS = {"means": "mean image, mean text", "image": "what is special about the image",
         "text": "what is special about the text", "both": "both together"}
PARTS_OF_TEXTS = {**PARTS, "means": "mean text, with itself", "image": "what is special about the first",
                  "text": "what is special about the second"}
_BINS = 30


def conformity(report: Conformity, *, dark: bool = False) -> go.Figure:
    """How typical each point is of its modality, and how the two distributions match along v - alpha m.

    Returns
    -------
    plotly Figure of two panels: mean cosine to the others against the share of points in a bin (%), and the distance
    of the two distributions (standard deviations) against alpha, with that of two halves of one modality.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    figure = panels(("How typical of its modality", "Distance of the two distributions"), gap=0.2, dark=dark)
    both = np.concatenate([report.images, report.texts])
    edges = np.histogram_bin_edges(both, bins=_BINS)
    for name, values, mean, colour in (("images", report.images, report.mean_images, p.kinds["image"]),
                                       ("texts", report.texts, report.mean_texts, p.kinds["text"])):
        shares = 100 * np.histogram(values, edges)[0] / len(values)
        figure.add_trace(go.Scatter(
            x=np.repeat(edges, 2), y=np.concatenate([[0.0], np.repeat(shares, 2), [0.0]]), mode="lines",
            name=f"{name}, mean {spoken(mean).split()[0]}", line={"color": colour, "width": 2}, fill="tozeroy",
            fillcolor=theme.rgba(colour, 0.16),
            hovertemplate=f"conformity %{{x:.2f}}<br>{in_a_bin(len(values), name)}<extra></extra>"),
            row=1, col=1)
    line(figure, report.alphas, report.distances, p.kinds["plain"], "distance", 2)
    if report.distances.null is not None:
        figure.add_trace(go.Scatter(
            x=report.alphas, y=report.distances.null, mode="lines", name="two halves of one modality",
            line={"color": p.muted, "width": 1.5, "dash": "dot"}, hoverinfo="skip"), row=2, col=1)
    figure.update_xaxes(matches=None, showticklabels=True)
    figure.update_xaxes(title_text="conformity: mean cosine to the others", row=1, col=1)
    figure.update_xaxes(title_text="α: how much of its mean is taken from each point", row=2, col=1)
    figure.update_yaxes(title_text="share of points (%)", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="distance (SD)", rangemode="tozero", row=2, col=1)
    best = report.distances.at(int(np.argmin(report.distances.values)))
    null = "" if best.null is None else f"; two halves of one modality: {best.null:.2f}"
    means = [spoken(replace(number, null=None)) for number in (report.mean_images, report.mean_texts)]
    title = (f"Conformity {means[0]} of images, {means[1]} of texts; the distributions match best {_near(report)} "
             f"({best.value:.2f} SD apart{null}; n = {len(report.images):,} and {len(report.texts):,})")
    return framed(figure, title, height=560, dark=dark)


def _near(report: Conformity) -> str:
    """The alphas at which the distributions are as near to each other as those of two halves, or about the nearest."""
    distances = report.distances
    best = int(np.argmin(distances.values))
    null = 0.0 if distances.null is None else distances.null[best]
    near = report.alphas[distances.values <= max(null, distances.values[best])]
    return f"near α = {near[0]:.1f}" if len(near) == 1 else f"at α from {near[0]:.2g} to {near[-1]:.2g}"


def conformity_table(report: Conformity) -> pd.DataFrame:
    """One row a point: modality, its row, conformity, and the modality's mean with its interval."""
    sides = (("image", report.images, report.mean_images), ("text", report.texts, report.mean_texts))
    return pd.concat([pd.DataFrame({"modality": name, "row": np.arange(len(values)), "conformity": values,
                                    **cells("mean", replace(mean, null=None))}) for name, values, mean in sides],
                     ignore_index=True)


def dimensions(shares: np.ndarray, *, dark: bool = False) -> go.Figure:
    """Share of the squared gap that each dimension carries, largest first, and how it adds up.

    Parameters
    ----------
    shares
        (d,) float, sum 1, in the order of the dimensions.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of two panels over the rank of a dimension (logarithmic): its share and the sum so far (%), with those
    of a random direction.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    table = dimensions_table(shares)
    figure = panels(("Share of the squared gap", "Sum of the largest"), dark=dark)
    hover = [f"dimension {d}" for d in table["dimension"]]
    for row, (own, null) in enumerate((("share", "share by chance"), ("sum", "sum by chance")), 1):
        figure.add_trace(go.Scatter(
            x=table["rank"], y=100 * table[own], mode="lines+markers", name="gap", showlegend=row == 1,
            line={"color": p.kinds["plain"], "width": 2}, marker={"size": 5}, hovertext=hover,
            hovertemplate="%{hovertext}, rank %{x}<br>%{y:.2f} %<extra></extra>"), row=row, col=1)
        figure.add_trace(go.Scatter(
            x=table["rank"], y=100 * table[null], mode="lines", name="random direction", showlegend=row == 1,
            line={"color": p.muted, "width": 1.5, "dash": "dot"},
            hovertemplate="random direction, rank %{x}<br>%{y:.2f} %<extra></extra>"), row=row, col=1)
    figure.update_yaxes(title_text="share (%)", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="sum (%)", range=[0, 103], row=2, col=1)
    figure.update_xaxes(type="log", dtick=1)
    figure.update_xaxes(title_text="rank of the dimension", row=2, col=1)
    half = int(np.searchsorted(table["sum"], 0.5 - 1e-12)) + 1
    by_chance = int(np.searchsorted(table["sum by chance"], 0.5 - 1e-12)) + 1
    top = table.head(2)
    title = (f"Dimensions {' and '.join(str(d) for d in top['dimension'])} carry {100 * top['share'].sum():.1f} % of "
             f"the squared gap (random direction: {100 * top['share by chance'].sum():.1f} %); "
             f"half of it lies in {half} of {len(table)} (random: {by_chance})")
    return framed(figure, title, height=520, dark=dark)


def dimensions_table(shares: np.ndarray) -> pd.DataFrame:
    """One row a dimension, largest share first: rank, dimension, share, sum, and both for a random direction."""
    shares = np.asarray(shares, dtype=np.float64)
    if shares.ndim != 1 or not len(shares) or not np.isfinite(shares).all():
        raise ShapeError("shares of the squared gap, one a dimension", f"shape {shares.shape}",
                         "A gap of no length has no dimensions that carry it.")
    order = np.argsort(-shares, kind="stable")
    null = _random_shares(len(shares))
    return pd.DataFrame({"rank": np.arange(1, len(shares) + 1), "dimension": order, "share": shares[order],
                         "sum": np.cumsum(shares[order]), "share by chance": null, "sum by chance": np.cumsum(null)})


def _random_shares(d: int) -> np.ndarray:
    """Expected shares of a random direction's squared length, largest first: (d,), by quantiles of chi-squared."""
    from scipy.stats import chi2

    expected = chi2.isf((np.arange(1, d + 1) - 0.5) / d, 1)
    return expected / expected.sum()


def explained(parts: CosineParts, *, image: str = "image", text: str = "text", texts_only: bool = False,
              dark: bool = False) -> go.Figure:
    """What one cosine is made of, and where it lies among cosines of the same model and data.

    Parameters
    ----------
    parts
        Of the cosine.
    image, text
        What the two are called; shown as plain text.
    texts_only
        Whether both are texts, compared with texts.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of two panels: the parts as a waterfall (cosine, no unit), and percentiles (%).
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    table = explained_table(parts)
    figure = panels(("What it is made of", "Where it lies among other cosines"), heights=(0.64, 0.36), gap=0.24,
                    dark=dark)
    figure.update_xaxes(matches=None, showticklabels=True)
    rows = table[table["part"] != "cosine"]
    words = PARTS_OF_TEXTS if texts_only else PARTS
    colours = [p.muted, p.kinds["text" if texts_only else "image"], p.kinds["text"], kind_colour("matched", dark)]
    figure.add_trace(go.Bar(
        y=[*(plain(words[k], width=18) for k in rows["part"]), "cosine"], x=[*rows["value"], parts.cosine],
        base=[*rows["from"], 0.0], orientation="h", marker={"color": [*colours, p.kinds["plain"]]}, showlegend=False,
        text=[*(f"{round(v, 2) + 0.0:+.2f}" for v in rows["value"]), f"{parts.cosine:.2f}"],
        textposition="outside", cliponaxis=False,
        textfont={"size": 13, "color": p.text}, hovertemplate="%{y}: %{text}<extra></extra>"), row=1, col=1)
    others = [(n, f"{n:,} {kind} pairs", place) for n, kind, place in (
        (parts.n_unmatched, "unmatched", parts.percentile), (parts.n_matched, "matched", parts.percentile_matched))
        if n and math.isfinite(place)]
    names, places = [plain(name, width=18) for _, name, _ in others], [place for *_, place in others]
    figure.add_trace(go.Bar(
        y=names, x=[100.0] * len(names), orientation="h", marker={"color": p.grid}, width=0.12, showlegend=False,
        hoverinfo="skip"), row=2, col=1)
    figure.add_trace(go.Scatter(
        y=names, x=places, mode="markers+text", text=[among(place, n).replace(f" of {n:,}", "") if n >= 100 else
                                                       among(place, n) for n, _, place in others],
        textposition="top center", hovertext=[f"above {among(place, n)}" for n, _, place in others],
        cliponaxis=False, textfont={"size": 13, "color": p.text}, showlegend=False,
        marker={"size": 13, "color": p.kinds["plain"]}, hovertemplate="%{hovertext}: %{y}<extra></extra>"),
        row=2, col=1)
    figure.update_yaxes(autorange="reversed", tickfont={"color": p.text}, showgrid=False)
    ends = [min(0.0, *table["from"], *table["to"]), max(0.0, *table["from"], *table["to"])]
    room = 0.16 * max(ends[1] - ends[0], 1e-6)
    figure.update_xaxes(title_text="cosine", range=[ends[0] - 1.8 * room * (ends[0] < 0), ends[1] + room], row=1, col=1)
    figure.update_xaxes(title_text="percentile (%)", range=[-4, 109], row=2, col=1)
    means, where = parts.parts["means"], "in the mean of texts" if texts_only else "between the two means"
    title = (f"Cosine {parts.cosine:.2f} of “{shortened(image)}” and “{shortened(text)}”: {means:.2f} of it lies "
             f"{where}, {parts.cosine - means:+.2f} is their own")
    if parts.n_unmatched:
        title += f"; above {among(parts.percentile, parts.n_unmatched)} unmatched pairs"
    return framed(figure, title, height=470, dark=dark, legend=False)


def explained_table(parts: CosineParts) -> pd.DataFrame:
    """One row a part and one for the cosine: value, from and to in the waterfall, and the percentiles of the cosine."""
    values = [parts.parts[key] for key in PARTS]
    ends = np.cumsum(values)
    return pd.DataFrame({
        "part": [*PARTS, "cosine"], "value": [*values, parts.cosine], "from": [*(ends - values), 0.0],
        "to": [*ends, parts.cosine], "percentile among unmatched": parts.percentile,
        "percentile among matched": parts.percentile_matched, "unmatched": parts.n_unmatched,
        "matched": parts.n_matched})
