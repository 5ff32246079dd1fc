"""Searches for captions: their course over the steps, their candidates under two scores, their path on the sphere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import cells, error_bar, framed, panels, percent, plain, shortened, spoken
from core.geometry.directions import angle
from core.scene import Colouring, Mark, SphereScene

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from core.language.words.captioned import Contents
    from core.language.words.scored import Caption, Search

MOST_NAMED = 3
OF, ON_WAY = "pictures that are open", "the caption, step by step"
_SHORTEST = np.radians(0.05)
COURSE_CAPTION = ("Each dot is the caption after a step; hover to read it. Dashed: the caption that the image came "
                  "with. Dotted: log N, what a caption can tell at most. While attributes or words are added, "
                  "the cosine may fall though the caption gets better: only steps that say equally much compare by it.")
CANDIDATES_CAPTION = ("Each dot is a caption that was looked at; hover to read it. Further right fits the image "
                      "better by cosine, further up tells it better from the other images. The dotted line is log N, "
                      "the ceiling: near it only the cosine tells captions apart, among those that say equally much.")
CONTENTS_CAPTION = ("The same scenes, described by captions that name one attribute to all six. Bars: 95 % intervals "
                    "over scenes; the best of 100 is chosen anew for each scene. Dotted: log N. In the upper panel the "
                    "best vague caption beats the whole true one; in the lower one it does not.")


def course(report: Search, true: Caption | None = None, *, at: int | None = None, dark: bool = False) -> go.Figure:
    """Cosine, information and fluency of the caption after each step.

    Parameters
    ----------
    report
        Of s steps.
    true
        The caption that the image came with, drawn as a level.
    at
        A step to mark.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: three panels over the steps.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    figure = panels(["Cosine with the image", "Pointwise mutual information (nats)",
                     "Fluency: mean log probability a word (nats)"], gap=0.09, dark=dark)
    steps = list(range(1, len(report.best) + 1))
    texts = [plain(f"{did}: {c.text}", width=60) for did, c in zip(report.did, report.best)]
    for row, name in enumerate(("cosine", "information", "fluency"), 1):
        values = [getattr(c, name) for c in report.best]
        figure.add_trace(go.Scatter(
            x=steps, y=values, mode="lines+markers", showlegend=False, text=texts, name=name,
            line={"color": p.kinds["text"], "width": 2.2},
            marker={"size": [12 if i == at else 7 for i in range(len(steps))]},
            hovertemplate="%{text}<br>%{y:.3f}<extra></extra>"), row=row, col=1)
        if true is not None:
            figure.add_hline(y=getattr(true, name), line={"color": p.muted, "width": 1.4, "dash": "dash"}, row=row,
                             col=1)
    figure.add_hline(y=np.log(report.references), line={"color": p.muted, "width": 1.4, "dash": "dot"}, row=2, col=1)
    figure.update_xaxes(title_text="step", row=3, col=1)
    first, last = report.best[0], report.found
    words = f"“{shortened(last.text, 70)}”: cosine {first.cosine:.2f} after step 1, {last.cosine:.2f} after " \
            f"{len(steps)}; {last.information:.1f} nats of at most {np.log(report.references):.1f} " \
            f"(N = {report.references:,})"
    return framed(figure, words, height=480, dark=dark, legend=False)


def course_table(report: Search) -> pd.DataFrame:
    """One row a step: what it did, the caption after it, and its scores."""
    return pd.DataFrame([(i + 1, did, c.text, c.said, c.cosine, c.information, c.fluency)
                         for i, (did, c) in enumerate(zip(report.did, report.best))],
                        columns=["step", "did", "caption", _unit(report), "cosine", "information (nats)",
                                 "fluency (nats a word)"])


def candidates(report: Search, beside: Mapping[str, Sequence[Caption]] | None = None, *, dark: bool = False
               ) -> go.Figure:
    """All captions looked at, by cosine and by information, coloured by how much they say.

    Parameters
    ----------
    report
        Of the search.
    beside
        Captions to compare with, by what they are: the true one, those with one attribute wrong, random ones.
    dark
        Colours for a dark background.
    """
    import plotly.graph_objects as go

    p, unit = theme.palette(dark), _unit(report)
    said = [c.said for c in report.candidates]
    figure = go.Figure(go.Scatter(
        x=[c.cosine for c in report.candidates], y=[c.information for c in report.candidates], mode="markers",
        name="looked at", text=[plain(c.text, width=60) for c in report.candidates], customdata=said,
        hovertemplate="%{text}<br>cosine %{x:.3f}, %{y:.2f} nats, %{customdata} " + unit + "<extra></extra>",
        marker={"size": 8, "color": said, "colorscale": theme.colorscale(dark),
                "line": {"width": 0.5, "color": p.muted},
                "colorbar": {"title": {"text": unit}, "thickness": 12, "dtick": 1 if max(said) < 9 else None}}))
    looks = [("x-thin", p.kinds["text"]), ("cross-thin", p.categories[1]), ("diamond-open", p.categories[0])]
    for (title, captions), (symbol, colour) in zip((beside or {}).items(), looks):
        figure.add_trace(go.Scatter(
            x=[c.cosine for c in captions], y=[c.information for c in captions], mode="markers", name=title,
            text=[plain(c.text, width=60) for c in captions],
            hovertemplate="%{text}<br>cosine %{x:.3f}, %{y:.2f} nats<extra>" + title + "</extra>",
            marker={"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}}))
    figure.add_trace(go.Scatter(
        x=[report.found.cosine], y=[report.found.information], mode="markers", name="found",
        text=[plain(report.found.text, width=60)], hovertemplate="%{text}<extra>found</extra>",
        marker={"size": 16, "symbol": "circle-open", "color": p.text, "line": {"width": 2.5, "color": p.text}}))
    figure.add_hline(y=np.log(report.references), line={"color": p.muted, "width": 1.4, "dash": "dot"})
    figure.update_xaxes(title_text="cosine with the image")
    figure.update_yaxes(title_text="pointwise mutual information (nats)")
    return framed(figure, _which_wins(report), height=430, dark=dark)


def candidates_table(report: Search, percentiles: Sequence[float] | None = None) -> pd.DataFrame:
    """One row a caption: its scores, and the percentile of its cosine among unmatched pairs."""
    table = pd.DataFrame([(c.text, c.said, c.cosine, c.information, c.fluency, c.step + 1) for c in report.candidates],
                         columns=["caption", _unit(report), "cosine", "information (nats)", "fluency (nats a word)",
                                  "step"])
    if percentiles is not None:
        table.insert(3, "percentile among unmatched pairs", list(percentiles))
    return table


def path(report: Search, coords: np.ndarray, images: np.ndarray, names: Sequence[str], rows: Sequence[int], *,
         at: int | None = None, note: str = "", true: np.ndarray | None = None,
         thumbnails: Mapping[int, bytes] | None = None) -> SphereScene:
    """The caption's way over the sphere, step by step, towards what it describes.

    Parameters
    ----------
    report
        Of s steps.
    coords, images
        (s, 3) and (n, 3) unit rows: places of the caption after each step, and of the images, on one map.
    names
        Of the n images.
    rows
        The images that are captioned.
    at
        The step that is named; the last by default.
    note
        The map and its fidelity.
    true
        (3,) place of the caption that the image came with.
    thumbnails
        Encoded small pictures by image.
    """
    n, s = len(images), len(report.best)
    at = s - 1 if at is None else at
    moves = [i for i in range(1, s) if float(angle(coords[i], coords[i - 1])) > _SHORTEST]
    arrows = np.stack([np.stack([coords[i - 1], coords[i]]) for i in moves]) if moves else np.zeros((0, 2, 3))
    wanted = np.asarray(rows, dtype=np.int64)
    middle = images[wanted].sum(axis=0)
    length = float(np.linalg.norm(middle))
    marks = [Mark(coords[at], f"{at + 1}: {shortened(report.best[at].text)}", "text")]
    if at:
        marks.append(Mark(coords[0], f"1: {shortened(report.best[0].text)}", "text"))
    if length > 0:
        marks.append(Mark(middle / length, "the image" if len(wanted) == 1 else f"{len(wanted):,} images", "image"))
    if true is not None:
        marks.append(Mark(true, "its own caption", "prompt"))
    selected = np.ones(n + s, dtype=bool)
    selected[:n] = False
    selected[wanted] = True
    told = [f"step {i + 1}, {did}: {c.text}\ncosine {c.cosine:.3f}, {c.information:.2f} nats"
            for i, (did, c) in enumerate(zip(report.did, report.best))]
    return SphereScene(
        coords=np.concatenate([images, coords]), kinds=np.repeat(np.array([0, 1], dtype=np.uint8), (n, s)),
        labels=(*map(str, names), *told), title=_approach(report), note=note, selected=selected,
        others="other images", colouring=Colouring("what is shown", groups=(OF,) * n + (ON_WAY,) * s),
        marks=tuple(marks), arrows=arrows.astype(np.float32), thumbnails=thumbnails or {},
        shown=tuple(int(row) for row in wanted[:MOST_NAMED]))


def contents(report: Contents, *, dark: bool = False) -> go.Figure:
    """Cosine and information of captions that say more and more, true ones and the best of 100 random ones."""
    import plotly.graph_objects as go

    p = theme.palette(dark)
    figure = panels(["Cosine with the image", f"Pointwise mutual information (nats, N = {report.n:,})"], gap=0.14,
                    dark=dark)
    rows = (("true caption", report.cosine, report.information, p.kinds["text"], "circle"),
            ("best of 100 random captions", report.cosine_random, report.information_random, p.kinds["plain"],
             "diamond"))
    for title, *numbers, colour, symbol in rows:
        for row, values in enumerate(numbers, 1):
            figure.add_trace(go.Scatter(
                x=list(report.named), y=[v.value for v in values], error_y=error_bar(values, colour), name=title,
                legendgroup=title, showlegend=row == 1, mode="lines+markers", line={"color": colour, "width": 2},
                marker={"size": 9, "symbol": symbol}, hovertemplate="%{y:.3f}, %{x} attributes<extra>" + title +
                "</extra>"), row=row, col=1)
    figure.add_hline(y=float(np.log(report.n)), line={"color": p.muted, "width": 1.4, "dash": "dot"}, row=2, col=1)
    figure.update_xaxes(title_text="attributes that the caption names", dtick=1, row=2, col=1)
    wins, _, rest = spoken(percent(report.vague_wins), 0).partition(" ")
    tells = percent(report.vague_tells).value
    words = f"Cosine rewards saying little: in {wins} % {rest} of scenes the best of 100 random captions with one " \
            f"attribute beats the whole true one; by mutual information in {tells:.1f} % (n = {report.n:,})"
    return framed(figure, words, height=470, dark=dark)


def contents_table(report: Contents) -> pd.DataFrame:
    """One row a number of attributes: both scores, true and random, with intervals and the mean random caption."""
    return pd.DataFrame([{"attributes": k, "scenes": report.n} | cells("cosine", report.cosine[i])
                         | cells("cosine, best of 100", report.cosine_random[i])
                         | cells("information", report.information[i])
                         | cells("information, best of 100", report.information_random[i])
                         for i, k in enumerate(report.named)])


def _unit(report: Search) -> str:
    return "attributes" if report.attributes else "words"


def _which_wins(report: Search) -> str:
    high, found, unit = report.by_cosine, report.found, _unit(report)
    if high.said < found.said and high.cosine > found.cosine:
        counted = f"{high.said} {unit if high.said != 1 else unit.removesuffix('s')}"
        return f"By cosine alone the vaguer “{shortened(high.text, 50)}” would win ({high.cosine:.2f}, {counted}, " \
               f"{high.information:.1f} nats) over what was found ({found.cosine:.2f}, {found.said} {unit}, " \
               f"{found.information:.1f} nats)"
    if high.cosine > found.cosine:
        return f"“{shortened(high.text, 60)}” has the highest cosine, {high.cosine:.2f}, of " \
               f"{len(report.candidates):,} looked at; found was one of {found.cosine:.2f}"
    return f"“{shortened(found.text, 60)}” has the highest cosine of {len(report.candidates):,} looked at, " \
           f"{found.cosine:.2f}, and tells {found.information:.1f} nats of at most {np.log(report.references):.1f}"


def _approach(report: Search) -> str:
    first, last = (float(np.degrees(np.arccos(np.clip(c.cosine, -1, 1)))) for c in (report.best[0], report.found))
    return f"“{shortened(report.found.text, 60)}”: {len(report.best)} steps, from {first:.0f}° to {last:.0f}° from " \
           f"what it describes"
