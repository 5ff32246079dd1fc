"""What happens along a path, row under row on one time axis: a click on any of it tells the frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import framed, panels, plain, shortened
from core.geometry.films.nulls import NullsReport
from core.geometry.films.paths import PathReport

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each row is drawn over the same seconds of the film. Speed is the angle from a frame to the next over "
           "the time between them; turning is 0° where the path goes straight on, 180° where it goes back the way it "
           "came, and has a gap where two frames are the same. Thin upright lines are cuts. Click a point to see its "
           "frame.")
_ROW, _BARS = 130, 60


class Span(NamedTuple):
    """Part of a film: its seconds, what it is called, and the number of its colour (-1: grey)."""

    start: float
    end: float
    name: str
    colour: int


def timeline(report: PathReport, *, nulls: NullsReport | None = None, signals: Mapping[str, np.ndarray] | None = None,
             prompts: Mapping[str, np.ndarray] | None = None, spans: Mapping[str, Sequence[Span]] | None = None,
             likeness: str = "cosine", percentiles: Mapping[str, np.ndarray] | None = None,
             cuts: Sequence[int] | np.ndarray = (), lines: Sequence[Span] = (), dark: bool = False) -> go.Figure:
    """Speed, turning and whatever else runs along a path, on one time axis.

    Parameters
    ----------
    report
        Of the path.
    nulls
        The same path against its nulls, for the title.
    signals
        (n,) floats each, one a frame, NaN where unknown, by title with its unit: "brightness (0 to 1)".
    prompts
        (n,) floats each, likeness of each frame to a prompt, by the prompt.
    likeness
        What that likeness is: "cosine" or "probability".
    percentiles
        (n,) floats, 0 to 100, of that likeness among other images, by the prompt; said under the mouse.
    spans
        Rows of bars by title, such as islands and shots.
    cuts
        Frames at which a shot begins.
    lines
        Subtitles, which lie in one row and show their text under the mouse.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: the time (s) against speed (degrees/s), turning (degrees) and one row for each signal, for all
    prompts together, for each row of bars and for the subtitles. ``customdata`` is the frame: of a step, the one it
    leads to; of a bar or subtitle, the first one in it.

    Raises
    ------
    ShapeError
        If a signal or the cosines of a prompt do not fit the frames.
    """
    import plotly.graph_objects as go

    p, n = theme.palette(dark), len(report)
    signals, prompts, spans = signals or {}, prompts or {}, dict(spans or {})
    for name, values in {**signals, **prompts}.items():
        if np.shape(values) != (n,):
            raise ShapeError(f"{n} values of {name}, one a frame", f"shape {np.shape(values)}")
    if lines:
        spans["subtitles"] = lines
    titles = ["speed", "turning", *signals, *(["likeness to prompts"] if prompts else []), *spans]
    sizes = [_BARS if title in spans else _ROW for title in titles]
    gap = min(34 / sum(sizes), 0.9 / max(len(titles) - 1, 1))
    figure = panels(titles, heights=sizes, gap=gap, dark=dark)
    frames = np.arange(n)

    def curve(row: int, x: np.ndarray, y: np.ndarray, at: np.ndarray, colour: str, name: str, unit: str,
              legend: bool = False) -> None:
        figure.add_trace(go.Scatter(
            x=x, y=y, customdata=at, mode="lines+markers", name=plain(shortened(name)), showlegend=legend,
            connectgaps=False, line={"color": colour, "width": 1.6}, marker={"size": 4, "color": colour},
            hovertemplate=f"%{{y:.3~g}}{unit} at %{{x:.2f}} s, frame %{{customdata}}"
                          f"<extra>{plain(shortened(name))}</extra>"), row=row, col=1)

    curve(1, report.middles, np.degrees(report.speed), frames[1:], p.kinds["image"], "speed", "°/s")
    curve(2, report.times, np.degrees(report.turning), frames, p.kinds["text"], "turning", "°")
    for row, (name, values) in enumerate(signals.items(), start=3):
        colour = p.categories[row % len(p.categories)]
        curve(row, report.times, np.asarray(values, np.float64), frames, colour, name, "")
    for k, (name, values) in enumerate(prompts.items()):
        curve(3 + len(signals), report.times, np.asarray(values, np.float64), frames,
              p.categories[k % len(p.categories)], name, "", legend=True)
        if percentiles is not None and name in percentiles:
            drawn = figure.data[-1]
            drawn.update(text=[f"{value:.0f}" for value in percentiles[name]],
                         hovertemplate=drawn.hovertemplate.replace("<extra>", "<br>percentile %{text}<extra>"))
    for row, bars in enumerate(spans.values(), start=len(titles) - len(spans) + 1):
        _bars(figure, row, bars, report.times, p)
        figure.update_yaxes(visible=False, range=[-0.6, 0.6], row=row, col=1)
    _cuts(figure, report, np.asarray(cuts, dtype=np.int64), p)
    figure.update_yaxes(title_text="degrees/s", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="degrees", range=[-4, 184], tickvals=[0, 90, 180], row=2, col=1)
    if prompts:
        figure.update_yaxes(title_text=likeness, row=3 + len(signals), col=1)
    figure.update_xaxes(title_text="time (s)", row=len(titles), col=1)
    framed(figure, _finding(report, nulls), height=sum(sizes) + 34 * len(titles) + 60, dark=dark, legend=bool(prompts))
    return figure


def _bars(figure: go.Figure, row: int, bars: Sequence[Span], times: np.ndarray, p: theme.Palette) -> None:
    """Bars of one row, one trace a colour, so that many of them stay light."""
    import plotly.graph_objects as go

    for number in sorted({bar.colour for bar in bars}):
        own = [bar for bar in bars if bar.colour == number]
        colour = p.unselected if number < 0 else p.categories[number % len(p.categories)]
        figure.add_trace(go.Bar(
            x=[bar.end - bar.start for bar in own], base=[bar.start for bar in own], y=[0] * len(own), width=0.9,
            orientation="h", customdata=np.searchsorted(times, [bar.start for bar in own]).clip(0, len(times) - 1),
            hovertext=[f"{plain(shortened(bar.name, 120), width=60)}<br>{bar.start:.2f} to {bar.end:.2f} s"
                       for bar in own],
            text=[plain(shortened(bar.name, 24)) for bar in own], textposition="inside", textangle=0,
            insidetextanchor="middle",
            hovertemplate="%{hovertext}<extra></extra>", showlegend=False,
            marker={"color": colour, "line": {"color": p.background, "width": 1}}), row=row, col=1)
    figure.update_layout(barmode="overlay", uniformtext={"minsize": theme.SMALLEST_FONT - 2, "mode": "hide"})


def _cuts(figure: go.Figure, report: PathReport, cuts: np.ndarray, p: theme.Palette) -> None:
    import plotly.graph_objects as go

    inner = cuts[(cuts > 0) & (cuts < len(report))]
    if not len(inner):
        return
    x = np.repeat(report.middles[inner - 1], 3)
    for row, top in ((1, float(np.degrees(report.speed.max()))), (2, 180.0)):
        figure.add_trace(go.Scatter(
            x=x, y=np.tile([0, top, np.nan], len(inner)), mode="lines", name="cuts", hoverinfo="skip",
            showlegend=False, line={"color": p.muted, "width": 0.8, "dash": "dot"}), row=row, col=1)


def _finding(report: PathReport, nulls: NullsReport | None) -> str:
    numbers = report.numbers
    turned = (f"turns by {np.degrees(numbers['turning'].value):.0f}° on average ({numbers['turning'].n:,} frames)"
              if numbers["turning"].n else "turns nowhere measurable")
    said = (f"{shortened(report.name) or 'The path'} moves at {np.degrees(numbers['speed'].value):.1f}°/s (median of "
            f"{numbers['speed'].n:,} steps) and {turned}")
    if nulls is not None:
        said += "; " + nulls.tests["shots", "turning"].words
    return said


def table(report: PathReport, *, signals: Mapping[str, np.ndarray] | None = None,
          prompts: Mapping[str, np.ndarray] | None = None) -> pd.DataFrame:
    """One row a frame: seconds, step and speed to the next, turning, angle from the first frame, and the curves."""
    beyond = np.nan
    columns: dict[str, object] = {
        "frame": np.arange(len(report)), "time (s)": report.times,
        "step (degrees)": np.append(np.degrees(report.steps), beyond),
        "speed (degrees/s)": np.append(np.degrees(report.speed), beyond),
        "turning (degrees)": np.degrees(report.turning), "from start (degrees)": np.degrees(report.from_start)}
    return pd.DataFrame({**columns, **(signals or {}), **{f"likeness: {k}": v for k, v in (prompts or {}).items()}})
