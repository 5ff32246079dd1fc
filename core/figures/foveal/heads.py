"""Heads of an image tower: how far a visual prompt moves each, what each carries, and the texts that span one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.attention.foveal.heads import HeadGains, Sensitivity
from core.attention.foveal.spans import DRAWS, TextSpans
from core.attention.prompts import TITLES
from core.figures import theme
from core.figures.frame import as_percent, cells, error_bar, framed, percent, plain, shortened, spoken
from core.geometry.differences import LEAST_GROUPS, Difference, Verdict

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_HEADS = 20
_LINE = 26


def named(head: tuple[int, int], layers: int | None = None) -> str:
    """A head in words, both counted from 1; the layer after the last is the pooling probe's."""
    return f"probe, head {head[1] + 1}" if head[0] == layers else f"layer {head[0] + 1}, head {head[1] + 1}"


def sensitivity(found: Sensitivity, *, chosen: tuple[int, int] | None = None, dark: bool = False) -> go.Figure:
    """A matrix of layers and heads: how far a visual prompt moves what each writes.

    Parameters
    ----------
    found
        Of one picture or more.
    chosen
        The (layer, head) that is looked at elsewhere; it has a frame.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: heads from left to right, layers from above; a dot where more is moved than by the prompt elsewhere,
    a ring where less is. A click has ``customdata`` [layer, head], from 0.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    values = found.moved.mean(axis=0)
    layers, heads = values.shape
    figure = go.Figure(go.Heatmap(
        z=values, zmin=0, hoverinfo="skip", xgap=2, ygap=2, colorscale=theme.colorscale(dark),
        colorbar={"title": {"text": "change", "side": "right", "font": {"size": 13}}, "thickness": 12, "nticks": 5}))
    layer, head = np.mgrid[:layers, :heads]
    pairs = list(zip(layer.ravel().tolist(), head.ravel().tolist()))
    more = found.over_elsewhere()
    verdicts = [more[pair].verdict for pair in pairs]
    for verdict, symbol in ((Verdict.HIGHER, "circle"), (Verdict.LOWER, "circle-open")):
        told = np.array([v is verdict for v in verdicts])
        figure.add_trace(go.Scatter(
            x=head.ravel()[told], y=layer.ravel()[told], mode="markers", hoverinfo="skip",
            marker={"size": 9, "symbol": symbol, "color": p.background, "line": {"width": 1.5, "color":
                    p.text if verdict is Verdict.HIGHER else p.background}}))
    figure.add_trace(go.Scatter(
        x=head.ravel(), y=layer.ravel(), mode="markers", customdata=np.array(pairs), hoverinfo="text",
        text=[f"{named(pair)}: {_of_written(found, pair)}" for pair in pairs], marker={"size": 22, "opacity": 0}))
    if chosen is not None:
        figure.add_shape(type="rect", x0=chosen[1] - 0.5, x1=chosen[1] + 0.5, y0=chosen[0] - 0.5, y1=chosen[0] + 0.5,
                         line={"color": p.kinds["text"], "width": 3})
    figure.update_xaxes(title_text="head", tickvals=list(range(heads)), ticktext=[str(i + 1) for i in range(heads)],
                        range=[-0.5, heads - 0.5], showgrid=False, zeroline=False)
    figure.update_yaxes(title_text="layer", tickvals=list(range(layers)), range=[layers - 0.5, -0.5], showgrid=False,
                        ticktext=[str(i + 1) for i in range(layers)], zeroline=False)
    figure.update_layout(hovermode="closest", hoverdistance=-1, clickmode="event+select", dragmode=False)
    best = pairs[int(values.argmax())]
    n = len(found.moved)
    said = (f"{TITLES[found.method].capitalize()}: {named(best)} is moved most, by "
            f"{_of_written(found, best)} of what it writes ({n:,} {'picture' if n == 1 else 'pictures'})")
    if n > 1:
        said += (f"; {verdicts.count(Verdict.HIGHER)} of {len(verdicts)} heads more than by the same elsewhere, "
                 f"{verdicts.count(Verdict.LOWER)} less")
    return framed(figure, said, height=max(190, min(520, 54 + 44 * layers)), dark=dark, legend=False)


def _of_written(found: Sensitivity, head: tuple[int, int]) -> str:
    return spoken(found.number(*head)).replace("by chance", "elsewhere")


def sensitivity_table(found: Sensitivity) -> pd.DataFrame:
    """One row a head, both from 1: change with interval, the same elsewhere, p corrected by Holm, n pictures."""
    rows = []
    for pair, more in found.over_elsewhere().items():
        number = found.number(*pair)
        rows.append({"layer": pair[0] + 1, "head": pair[1] + 1, **cells("change", number), "p (Holm)": more.p,
                     "prompt": TITLES[found.method], "pictures": number.n})
    return pd.DataFrame(rows).rename(columns={"change by chance": "change elsewhere"})


def gains(found: HeadGains, layers: int, *, dark: bool = False) -> go.Figure:
    """What steering gains with one head alone, and what is lost without it.

    Parameters
    ----------
    found
        Of views.
    layers
        Of the tower; what comes after them is the pooling probe.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: change of the margin (cosine) to the right, heads downwards, at most `MOST_HEADS` that carry most.
    Filled where it differs from nothing.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    heads = sorted(found.alone, key=lambda h: -abs(found.alone[h].change.value))[:MOST_HEADS]
    heads.sort(key=lambda h: -found.alone[h].change.value)
    figure = go.Figure()
    for part, title, symbol, colour, shift in (
            (found.alone, "gained with this head alone", "circle", p.kinds["image"], -0.14),
            (found.lost, "lost without this head", "diamond", p.kinds["text"], 0.14)):
        figure.add_trace(go.Scatter(
            x=[part[h].change.value for h in heads], y=[i + shift for i in range(len(heads))], mode="markers",
            name=title, hoverinfo="text",
            error_x=error_bar([part[h].change for h in heads], colour) if found.groups >= LEAST_GROUPS else None,
            text=[f"{named(h, layers)}: {title} {_said(part[h], 4)}{_p(part[h])}" for h in heads],
            marker={"color": colour, "size": 9, "line": {"width": 2, "color": colour},
                    "symbol": [symbol + ("" if _told(part[h]) else "-open") for h in heads]}))
    figure.add_vline(x=0, line={"color": p.muted, "width": 1.6, "dash": "dot"})
    figure.update_xaxes(title_text="change of the margin (cosine)")
    figure.update_yaxes(tickvals=list(range(len(heads))), ticktext=[named(h, layers) for h in heads],
                        range=[len(heads) - 0.5, -0.5], zeroline=False)
    return framed(figure, _finding(found, heads[0], layers), height=_LINE * len(heads) + 130, dark=dark)


def _finding(found: HeadGains, best: tuple[int, int], layers: int) -> str:
    views = f"{found.n:,} {'view' if found.n == 1 else 'views'}"
    said = (f"Steering changes the margin by {_said(found.whole, 3)}, and {named(best, layers)} alone by "
            f"{_said(found.alone[best], 3)} ({views})")
    if found.groups < LEAST_GROUPS:
        return said + ": too few views for intervals"
    carrying = sum(_told(d) for d in found.alone.values())
    return f"{said}; {carrying} of {len(found.alone)} heads carry some of it by themselves"


def _said(difference: Difference, digits: int) -> str:
    return spoken(replace(difference.change, null=None), digits)


def _told(difference: Difference) -> bool:
    return difference.verdict in (Verdict.HIGHER, Verdict.LOWER)


def _p(difference: Difference) -> str:
    return "" if difference.p is None else f", p {'< 0.001' if difference.p < 1e-3 else f'{difference.p:.3f}'} (Holm)"


def gains_table(found: HeadGains) -> pd.DataFrame:
    """One row a head, both from 1: gained alone and lost without it, with intervals and p corrected by Holm."""
    rows: list[dict[str, object]] = [{"layer": None, "head": None, **_with_p("gained", found.whole),
                                      "views": found.n, "pictures": found.groups}]
    for pair, alone in found.alone.items():
        rows.append({"layer": pair[0] + 1, "head": pair[1] + 1, **_with_p("gained", alone),
                     **_with_p("lost without it", found.lost[pair]), "views": found.n, "pictures": found.groups})
    return pd.DataFrame(rows).astype({"layer": "Int64", "head": "Int64"})


def _with_p(name: str, difference: Difference) -> dict[str, object]:
    return cells(name, difference.change) | {f"{name}, p (Holm)": difference.p}


def spans(found: TextSpans, head: tuple[int, int], *, dark: bool = False) -> go.Figure:
    """The share of variance of a head's contributions that texts explain, one after the other.

    Parameters
    ----------
    found
        Of one head.
    head
        (layer, head), from 0.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: per cent explained by a text and those above it, to the right; texts downwards.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    numbers, y = [percent(n) for n in found.shares], list(range(len(found.texts)))
    figure = go.Figure(go.Bar(
        x=[n.value for n in numbers], y=y, orientation="h", name="these texts", marker={"color": p.kinds["prompt"]},
        error_x=error_bar(numbers, p.text), hoverinfo="text", width=0.62,
        text=[f"{plain(t)}: {spoken(n, 0)} %; {k} of {DRAWS} random draws explain as much"
              for t, n, k in zip(found.texts, numbers, found.as_high)], textposition="none"))
    figure.add_trace(go.Scatter(
        x=[n.null for n in numbers], y=y, mode="markers", name="as many random directions", hoverinfo="text",
        text=[f"random directions: {n.null:.0f} %" for n in numbers],
        marker={"symbol": "line-ns", "size": 17, "line": {"width": 3, "color": p.text}}))
    figure.update_xaxes(title_text="variance explained by this text and those above (%)", range=[0, 102])
    figure.update_yaxes(tickvals=y, ticktext=[plain(shortened(t, 32)) for t in found.texts], zeroline=False,
                        range=[len(y) - 0.5, -0.5])
    last, k = found.shares[-1], len(found.texts)
    said = (f"{named(head).capitalize()} writes along “{shortened(found.texts[0], 40)}” first; {k} "
            f"{'text explains' if k == 1 else 'texts explain'} {as_percent(last)} of how it differs between pictures "
            f"({last.n:,} that did not choose them)")
    return framed(figure, said, height=42 * k + 120, dark=dark)


def spans_table(found: TextSpans) -> pd.DataFrame:
    """One row a text: share of variance explained so far with interval and chance, and how often chance is as high."""
    return pd.DataFrame([{"text": text, **cells("share", number), f"of {DRAWS} random draws as high": k,
                          "pictures": number.n} for text, number, k in zip(found.texts, found.shares, found.as_high)])


