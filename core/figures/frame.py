"""What all flat figures share: a title that states a finding and wraps, panels that say what they show, plain text."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.figures import theme
from core.geometry.curves import Curve
from core.geometry.differences import Difference
from core.geometry.intervals import decimals
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

TITLE_WIDTH = 52
LINE = 20
FEWEST_FOR_PERCENT = 100
_SMALLEST_STEP = 1e-12


def shortened(text: str, longest: int = 40) -> str:
    """Text on one line, cut where it is too long."""
    text = " ".join(str(text).split())
    return text if len(text) <= longest else text[:longest - 1].rstrip() + "…"


def plain(text: str, *, width: int = 0) -> str:
    """Text as plotly shows it, on one line or wrapped, with nothing in it that plotly would obey."""
    text = " ".join(str(text).split())
    lines = textwrap.wrap(text, width) or [""] if width else [text]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def framed(figure: go.Figure, title: str, *, height: int, dark: bool = False, legend: bool = True,
           wide: int = TITLE_WIDTH) -> go.Figure:
    """Give a figure the look of the theme, its finding as a wrapped title and its legend below.

    Parameters
    ----------
    figure
        With its traces and axes; changed in place.
    title
        The finding, in words and numbers; wrapped so that it fits a page 420 pixels wide.
    height
        Of everything but the title, pixels.
    dark, legend
        Colours for a dark background; whether the legend is shown.
    wide
        Letters in a line of the title; fewer for figures narrower than 420 pixels.
    """
    p = theme.palette(dark)
    said = " ".join(title.split()).replace(" %", "\u00a0%").replace(" → ", "\u00a0→\u00a0")
    lines = textwrap.wrap(said, wide, break_on_hyphens=False)
    top = 30 + LINE * len(lines)
    figure.update_layout(
        template=theme.template(dark), height=height + top, showlegend=legend,
        title={"text": "<br>".join(html.escape(line, quote=False) for line in lines), "x": 0, "xref": "container",
               "y": 1, "yref": "container", "yanchor": "top", "pad": {"l": 12, "t": 20},
               "font": {"size": 16, "color": p.text}},
        margin={"l": 60, "r": 16, "t": top + 22, "b": 56},
        legend={"orientation": "h", "x": 0, "xref": "container", "xanchor": "left", "y": 0, "yref": "container",
                "yanchor": "bottom", "tracegroupgap": 0},
    )
    return figure


def panels(titles: Sequence[str], *, heights: Sequence[float] | None = None, gap: float = 0.1,
           dark: bool = False) -> go.Figure:
    """Panels below each other that share what runs from left to right, each with a heading on its left."""
    from plotly.subplots import make_subplots

    p = theme.palette(dark)
    figure = make_subplots(rows=len(titles), cols=1, shared_xaxes=True, vertical_spacing=gap,
                           row_heights=None if heights is None else list(heights),
                           subplot_titles=[plain(shortened(t, 60)) for t in titles])
    for note in figure.layout.annotations:
        note.update(x=0, xanchor="left", align="left", font={"size": 13, "color": p.text})
    return figure


def line(figure: go.Figure, x: np.ndarray, curve: Curve, colour: str, name: str, row: int | None, *,
         dash: str = "solid", as_percent: bool = False, band: bool = True, legend: bool = True,
         dots: bool = False) -> None:
    """A curve with its 95 % band, in one panel; ``as_percent`` draws shares as percentages."""
    import plotly.graph_objects as go

    factor = 100.0 if as_percent else 1.0
    if band and curve.low is not None and curve.high is not None:
        figure.add_trace(go.Scatter(
            x=np.concatenate([x, x[::-1]]), y=factor * np.concatenate([curve.high, curve.low[::-1]]), mode="lines",
            line={"width": 0, "color": colour}, fill="toself", fillcolor=theme.rgba(colour, 0.18), hoverinfo="skip",
            name=f"{plain(name)}, 95 %", legendgroup=name, showlegend=False), row=row, col=None if row is None else 1)
    figure.add_trace(go.Scatter(
        x=x, y=factor * curve.values, mode="lines+markers" if dots else "lines", name=plain(name), legendgroup=name,
        showlegend=legend, marker={"size": 5},
        line={"color": colour, "width": 2.2, "dash": dash},
        hovertemplate=f"%{{y:.{1 if as_percent else 3}f}}{' %' if as_percent else ''} at %{{x:.3f}}<extra>{plain(name)}"
                      "</extra>"), row=row, col=None if row is None else 1)


def among(percentile: float, n: int) -> str:
    """A percentage among n items: "99.5 % of 9,000"; of fewer than 100 items how many: "5 of 6".

    What is neither none nor all is not rounded to it.
    """
    if n < FEWEST_FOR_PERCENT:
        return f"{percentile * n / 100:.0f} of {n:,}"
    digits = 0 if n < 10 * FEWEST_FOR_PERCENT else 1
    least = 10.0 ** -digits
    shown = percentile if percentile in (0, 100) else min(max(percentile, least), 100 - least)
    return f"{shown:.{digits}f} % of {n:,}"


def share(number: Number) -> str:
    """A share of n items: "55 % (51 to 60)", as its interval allows; of fewer than 100 items how many: "28 of 50"."""
    if number.n is not None and number.n < FEWEST_FOR_PERCENT:
        return f"{round(number.value * number.n, 1):g} of {number.n:,}"
    known = percent(number)
    form = f".{decimals(known, 0)}f"
    interval = "" if known.low is None or known.high is None else f" ({known.low:{form}} to {known.high:{form}})"
    return f"{known.value:{form}} %{interval}"


def share_of(number: Number) -> str:
    """A share and of how many, said once: "55 % (51 to 60) of 300"; of fewer than 100 items "28 of 50"."""
    return share(number) + ("" if (number.n or 0) < FEWEST_FOR_PERCENT else f" of {number.n:,}")


def as_percent(number: Number) -> str:
    """A share that is none of so many items, as a percentage: "82 % (74 to 90; by chance 83)"."""
    words, _, rest = spoken(percent(number), 0).partition(" ")
    return f"{words} % {rest}".strip()


def spoken(number: Number, digits: int = 2) -> str:
    """A number with its interval and its null, for a title: "0.55 (0.51 to 0.60; by chance 0.00)".

    The interval decides on the digits; without one there are so many after the point.
    """
    known, digits = [], decimals(number, digits)
    if number.low is not None and number.high is not None:
        known.append(f"{_digits(number.low, digits)} to {_digits(number.high, digits)}")
    if number.null is not None:
        known.append(f"by chance {_digits(number.null, digits)}")
    return _digits(number.value, digits) + (f" ({'; '.join(known)})" if known else "")


def _digits(value: float, digits: int) -> str:
    """A number to some digits, without a negative zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def percent(number: Number) -> Number:
    """A share as a percentage."""
    low, high, null = (None if v is None else 100 * v for v in (number.low, number.high, number.null))
    return Number(100 * number.value, low, high, null, number.n, "%")


def points(difference: Difference) -> str:
    """A difference of two shares in points of a percentage, with its interval and p."""
    if difference.p is None:
        return "not measurable"
    change = percent(difference.change)
    known = "" if change.low is None or change.high is None else f" ({change.low:+.1f} to {change.high:+.1f})"
    return f"{change.value:+.1f} points{known}, p {'< 0.001' if difference.p < 0.001 else f'{difference.p:.3f}'}"


def cells(name: str, number: Number) -> dict[str, object]:
    """A number as cells of a table: value, low, high and chance, as far as they are known."""
    known = {name: number.value, f"{name} low": number.low, f"{name} high": number.high,
             f"{name} by chance": number.null}
    return {key: value for key, value in known.items() if value is not None}


def error_bar(numbers: Sequence[Number], colour: str) -> dict[str, object]:
    """95 % intervals as plotly writes them; none where no interval is known."""
    above = [0.0 if n.high is None else max(n.high - n.value, 0.0) for n in numbers]
    below = [0.0 if n.low is None else max(n.value - n.low, 0.0) for n in numbers]
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": colour, "thickness": 1.5,
            "width": 3}


def spread(places: Sequence[float] | np.ndarray, apart: float, low: float, high: float) -> np.ndarray:
    """Where labels go so that none lies on another: as near to their places as can be, in the same order.

    Parameters
    ----------
    places
        (n,) where each label would like to be.
    apart
        Smallest distance of two labels; made smaller where they would not fit.
    low, high
        Ends of the room for labels.

    Returns
    -------
    (n,) float64 within [low, high], the sum of squared moves being smallest (pool adjacent violators).
    """
    wanted = np.asarray(places, dtype=np.float64)
    n = len(wanted)
    if not n:
        return wanted
    apart = min(apart, (high - low) / max(n - 1, 1))
    order = np.argsort(wanted, kind="stable")
    steps = apart * np.arange(n)
    blocks: list[list[float]] = []
    for value in (wanted[order] - steps).tolist():
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0] - _SMALLEST_STEP:
            last, size = blocks.pop()
            before, more = blocks[-1]
            blocks[-1] = [(last * size + before * more) / (size + more), size + more]
    level = np.concatenate([np.full(int(size), value) for value, size in blocks])
    out = np.empty(n)
    out[order] = np.clip(level, low, high - steps[-1]) + steps
    return out
