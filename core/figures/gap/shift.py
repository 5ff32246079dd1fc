"""The modality gap in pictures: cosines within and across the modalities, and what a shift along the gap does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import FEWEST_FOR_PERCENT, cells, framed, line, panels, plain, spoken
from core.geometry.differences import Verdict
from core.geometry.gap.reports import CosineHistograms, Landscape
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

KINDS = {"images": "two images", "texts": "two texts", "matched": "image and its text",
         "unmatched": "image and another text"}
_LOG_FROM = 30   # largest over smallest loss
_ROWS = {"images": 1, "texts": 1, "matched": 2, "unmatched": 2}


def kind_colour(kind: str, dark: bool = False) -> str:
    """Colour of a kind of pair: images and texts have the theme's, pairs across have their own."""
    p = theme.palette(dark)
    return {"images": p.kinds["image"], "texts": p.kinds["text"], "matched": p.categories[6],
            "unmatched": p.muted}[kind]


def histograms(report: CosineHistograms, after: CosineHistograms | None = None, *, dark: bool = False) -> go.Figure:
    """Cosines within and across the modalities; with ``after``, those after a shift over those before it.

    Parameters
    ----------
    report
        Cosines as they are.
    after
        Cosines after a shift, drawn filled; those of ``report`` then become dotted outlines.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of two panels: cosine (no unit) against the share of pairs in a bin (%).
    """
    import plotly.graph_objects as go

    figure = panels(("Within a modality", "Across the modalities"), dark=dark)
    shown = [(report, "", after is None)] if after is None else [(report, " before", False), (after, " after", True)]
    for histogram, when, filled in shown:
        for kind in (k for k in KINDS if k in histogram.shares):
            _outline(figure, histogram, kind, f"{KINDS[kind]}{when}", filled, dark)
    if after is not None:
        figure.add_trace(go.Scatter(x=[None], y=[None], mode="lines", name="dotted: before", hoverinfo="skip",
                                    line={"color": theme.palette(dark).muted, "width": 1.6, "dash": "dot"}),
                         row=1, col=1)
    figure.update_yaxes(title_text="share of pairs (%)", rangemode="tozero")
    figure.update_xaxes(title_text="cosine", row=2, col=1)
    return framed(figure, _cosine_finding(report, after), height=540, dark=dark)


def _outline(figure: go.Figure, histogram: CosineHistograms, kind: str, name: str, filled: bool, dark: bool) -> None:
    import plotly.graph_objects as go

    colour, shares = kind_colour(kind, dark), 100 * np.asarray(histogram.shares[kind])
    edges = np.repeat(histogram.edges, 2)
    some, mean = np.flatnonzero(shares > 0), histogram.mean.numbers[kind]
    if not len(some):
        return
    first, last = 2 * some[0], 2 * some[-1] + 4
    figure.add_trace(go.Scatter(
        x=edges[first:last], y=np.concatenate([[0.0], np.repeat(shares, 2), [0.0]])[first:last], mode="lines",
        name=f"{name}, mean {spoken(mean).split()[0]}", legendgroup=kind, showlegend=filled,
        line={"color": colour, "width": 2 if filled else 1.6, "dash": "solid" if filled else "dot"},
        fill="tozeroy" if filled else None, fillcolor=theme.rgba(colour, 0.16),
        hovertemplate=f"cosine %{{x:.2f}}<br>{in_a_bin(histogram.counts[kind])}"
                      f"<br>mean {spoken(replace(mean, null=None))}<extra>{name}</extra>"),
        row=_ROWS[kind], col=1)


def in_a_bin(n: int, what: str = "pairs") -> str:
    """What a bin of a histogram says of its height: per cent of so many, where these are not few."""
    return f"%{{y:.1f}} % of {n:,} {what}" if n >= FEWEST_FOR_PERCENT else f"of {n:,} {what}"


def _cosine_finding(report: CosineHistograms, after: CosineHistograms | None) -> str:
    def said(kind: str) -> str:
        both = [one.mean.numbers[kind] for one in (report, after) if one is not None and kind in one.mean.numbers]
        return " → ".join(spoken(number).split()[0] for number in both)

    known = report.mean.numbers
    count = f"n = {known['matched'].n:,} pairs" if "matched" in known else \
        f"n = {' and '.join(f'{known[kind].n:,} {kind}' for kind in ('images', 'texts') if kind in known)}"
    parts = [f"{KINDS[k]} {said(k)}" for k in ("images", "texts", "matched", "unmatched") if k in report.shares]
    return f"Mean cosine: {', '.join(parts)} ({count})"


def histograms_table(report: CosineHistograms, after: CosineHistograms | None = None) -> pd.DataFrame:
    """One row a bin and kind: when, kind, from, to, share, the kind's mean with interval and n, and its pairs shown."""
    frames = []
    for when, histogram in (("as it is", report), ("after", after)):
        for kind, shares in ({} if histogram is None else histogram.shares).items():
            assert histogram is not None
            frames.append(pd.DataFrame({"when": when, "kind": kind, "from": histogram.edges[:-1],
                                        "to": histogram.edges[1:], "share": shares,
                                        **cells("mean", replace(histogram.mean.numbers[kind], null=None)),
                                        "n": histogram.mean.numbers[kind].n, "pairs": histogram.counts[kind]}))
    return pd.concat(frames, ignore_index=True)


def landscape(report: Landscape, *, at: float = 0.0, dark: bool = False) -> go.Figure:
    """What a shift along the gap does: loss at each temperature, retrieval with accuracy, and the gap itself.

    Parameters
    ----------
    report
        Numbers along the shift.
    at
        The shift now, marked in every panel.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of three panels over the shift (no unit): loss (nats, lowest value ringed), shares (%), gap (length).
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    headings = {"loss": f"Contrastive loss, batches of {report.batch}", "share": "Right answers", "gap": "Gap"}
    if not report.losses:
        headings.pop("loss")
    if not report.retrieval and report.accuracy is None:
        headings.pop("share")
    row_of = {panel: row for row, panel in enumerate(headings, 1)}
    heights = {"loss": 320.0, "share": 270.0, "gap": 170.0}
    figure = panels(list(headings.values()), heights=[heights[panel] for panel in headings], gap=0.075, dark=dark)
    for colour, (tau, curve) in zip((p.categories[8], p.categories[5], p.categories[3], *p.categories),
                                    sorted(report.losses.items())):
        name = f"loss, temperature {tau:g}"
        line(figure, report.shifts, curve, colour, name, row_of["loss"])
        low = int(np.argmin(curve.values))
        figure.add_trace(go.Scatter(
            x=[report.shifts[low]], y=[curve.values[low]], mode="markers", showlegend=False,
            marker={"symbol": "circle-open", "size": 13, "color": colour, "line": {"width": 2.5}}, name="lowest",
            hovertemplate=f"lowest {plain(name)}: %{{y:.3f}}<br>at shift %{{x:.3f}}<extra></extra>"),
            row=row_of["loss"], col=1)
    for key, curve in report.retrieval.items():
        query = "image" if "image_to_text" in key else "text"
        first = key.startswith("r1_")
        line(figure, report.shifts, curve, p.kinds[query], _retrieval(key), row_of["share"],
             dash="solid" if first else "dash", as_percent=True, band=first)
    if report.accuracy is not None:
        line(figure, report.shifts, report.accuracy, p.kinds["prompt"], "zero-shot accuracy", row_of["share"],
             as_percent=True)
    if report.losses:
        _loss_axis(figure, report)
    line(figure, report.shifts, report.gap, p.kinds["plain"], "gap", row_of["gap"], legend=False)
    figure.add_vline(x=at, line={"color": p.text, "width": 1.5, "dash": "dot"})
    for panel, words in {"share": "share (%)", "gap": "length"}.items():
        if panel in row_of:
            figure.update_yaxes(title_text=words, rangemode="tozero", row=row_of[panel], col=1)
    figure.update_xaxes(title_text="shift λ (0: as it is, 1/2: closed)", row=len(headings), col=1)
    return framed(figure, _landscape_finding(report, at), dark=dark,
                  height=int(110 + sum(0.85 * heights[panel] for panel in headings)))


def _loss_axis(figure: go.Figure, report: Landscape) -> None:
    """Logarithmic where the losses lie so far apart that the small ones would look like nothing."""
    values = np.concatenate([curve.values for curve in report.losses.values()])
    low, high = float(values.min()), float(values.max())
    if low <= 0 or high / low < _LOG_FROM:
        figure.update_yaxes(title_text="loss (nats)", row=1, col=1)
        return
    ends = np.log10([low / 1.6, high * 1.6])
    figure.update_yaxes(title_text="loss (nats, log)", type="log", range=ends, dtick=1, row=1, col=1)
    for trace in figure.data:
        if trace.fill == "toself":
            trace.y = np.maximum(trace.y, 10 ** ends[0])


def _retrieval(key: str) -> str:
    k, _, way = key.partition("_")
    return f"R@{k[1:]} {way.replace('_', ' ')}"


def _landscape_finding(report: Landscape, at: float) -> str:
    if not report.losses:
        as_it_is, now = (spoken(report.gap.at(int(np.argmin(np.abs(report.shifts - lam))))) for lam in (0.0, at))
        return f"Gap {as_it_is} as it is, {now} at shift {at:.3g}; no pairs are known to score retrieval on"
    tau, curve = min(report.losses.items())
    low, zero = int(np.argmin(curve.values)), int(np.argmin(np.abs(report.shifts)))
    text = f"Loss at temperature {tau:g} is lowest at shift {report.shifts[low]:.3g}: {_nats(curve.at(low))}"
    if low != zero and tau in report.lowest and report.lowest[tau].verdict is not Verdict.LOWER:
        text += ", not told apart from 0"
    if abs(at - report.shifts[low]) > 1e-9:
        text += f"; {_nats(curve.at(int(np.argmin(np.abs(report.shifts - at)))))} at {at:.3g}"
    return f"{text}; n = {report.n:,} pairs in batches of {report.batch}"


def _nats(number: Number) -> str:
    """A loss with its interval: two digits after the point, or two that count where that would be nothing."""
    return spoken(replace(number, null=None), 2 if number.value >= 0.1 or number.value == 0 else 4)


def landscape_table(report: Landscape) -> pd.DataFrame:
    """One row a shift: each number in a column, with its interval where one is known."""
    columns: dict[str, np.ndarray] = {"shift": report.shifts}
    named = {**{f"loss at {tau:g}": c for tau, c in report.losses.items()}, **report.retrieval, "gap": report.gap}
    if report.accuracy is not None:
        named["zero-shot accuracy"] = report.accuracy
    for name, curve in named.items():
        columns[name] = curve.values
        if curve.low is not None and curve.high is not None:
            columns[f"{name} low"], columns[f"{name} high"] = curve.low, curve.high
        if curve.null is not None:
            columns[f"{name} by chance"] = curve.null
    return pd.DataFrame(columns)
