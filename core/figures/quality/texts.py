"""Captions by their words: how long they are, and how often each word is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import as_percent, framed, plain, shortened, spoken
from core.figures.quality.numbers import numbers_table
from core.language.quality.texts import SHORT, Vocabulary

if TYPE_CHECKING:
    import plotly.graph_objects as go

LENGTHS = ("Words of each caption. Of scripts without spaces, such as Chinese, Japanese or Thai, each letter counts as "
           "a word. DataComp's basic filter leaves out captions of up to 2 words, shown in full colour.")
RANKS = ("Each point is a word: its rank by how often it is said, and how often that is, both logarithmic. Words of a "
         "language lie near a line that falls as steeply as their exponent says (Zipf: about 1); templates and word "
         "lists do not.")
TITLES = {"captions": "captions", "empty": "empty captions", "length": "words of a caption, median",
          "words": "running words", "vocabulary": "different words", "ratio": "different over running words",
          "once": "of the different words, said once", "distinct": "captions that differ", "zipf": "exponent of ranks"}
MOST_BINS = 60
MOST_WORDS = 2000


def lengths(report: Vocabulary, *, dark: bool = False) -> go.Figure:
    """How many captions have how many words.

    Returns
    -------
    plotly Figure: words to the right, captions up; ``customdata`` of a bar is the largest number of words in it.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    figure = go.Figure()
    if not len(report.lengths):
        return _nothing(figure, "No captions", dark)
    longest = int(report.lengths.max())
    step = max(1, -(-(longest + 1) // MOST_BINS))
    counts = np.bincount(report.lengths // step)
    first = step * np.arange(len(counts))
    few = first <= SHORT
    figure.add_trace(go.Bar(
        x=first + (step - 1) / 2, y=counts, width=step * 0.94, customdata=first + step - 1, showlegend=False,
        marker={"color": np.where(few, p.kinds["text"], theme.rgba(p.kinds["text"], 0.45)).tolist(),
                "line": {"width": 0}},
        hovertext=[f"{a:,}" if step == 1 else f"{a:,} to {a + step - 1:,}" for a in first.tolist()],
        hovertemplate="%{y:,} captions of %{hovertext} words<extra></extra>"))
    figure.update_xaxes(title_text="words of a caption").update_yaxes(title_text="captions", rangemode="tozero")
    said = f"{len(report.lengths):,} captions"
    if "length" in report.numbers:
        said += f" of {spoken(report.numbers['length'], 0)} words (median)"
    short = int((report.lengths <= SHORT).sum())
    return framed(figure, f"{said}; {short:,} have at most {SHORT} words", height=300, dark=dark, legend=False)


def ranks(report: Vocabulary, *, dark: bool = False) -> go.Figure:
    """How often each word is said, over its rank, with the line of their exponent.

    Returns
    -------
    plotly Figure: rank to the right, times said up, both logarithmic; ``customdata`` is the word. Of more than 2,000
    words those are drawn whose ranks are evenly spread on the axis.
    """
    import plotly.graph_objects as go

    p, v = theme.palette(dark), len(report.words)
    figure = go.Figure()
    if not v:
        return _nothing(figure, "No words", dark)
    rows = np.arange(v) if v <= MOST_WORDS else np.unique(np.geomspace(1, v, MOST_WORDS).round().astype(np.int64)) - 1
    figure.add_trace(go.Scatter(
        x=rows + 1, y=report.counts[rows], mode="markers", name="words", marker={"size": 5, "color": p.kinds["text"]},
        customdata=[report.words[i] for i in rows], text=[plain(shortened(report.words[i])) for i in rows],
        hovertemplate="%{text}: %{y:,} times, rank %{x:,}<extra></extra>"))
    zipf = report.numbers["zipf"]
    if np.isfinite(zipf.value):
        rank = np.geomspace(1, v, 50)
        weight = 1 / np.arange(1, v + 1)
        level = np.average(np.log(report.counts) + zipf.value * np.log(np.arange(1, v + 1)), weights=weight)
        figure.add_trace(go.Scatter(x=rank, y=np.exp(level - zipf.value * np.log(rank)), mode="lines",
                                    name=f"exponent {spoken(zipf)}", hoverinfo="skip",
                                    line={"color": p.muted, "dash": "dot", "width": 2}))
    figure.update_xaxes(title_text="rank of the word (logarithmic)", type="log")
    figure.update_yaxes(title_text="times said (logarithmic)", type="log")
    numbers = report.numbers
    once = numbers["once"]
    said = (f"{spoken(numbers['vocabulary'], 0)} different words among {report.at:,}; {as_percent(once)} of them "
            f"are said once; {as_percent(numbers['distinct'])} of {report.captions_at:,} captions differ")
    return framed(figure, said, height=340, dark=dark)


def texts_table(report: Vocabulary) -> pd.DataFrame:
    """One row a number of captions."""
    return numbers_table(report.numbers, TITLES)


def words_table(report: Vocabulary) -> pd.DataFrame:
    """One row a word: rank, times said, share of the running words (%)."""
    total = max(int(report.counts.sum()), 1)
    return pd.DataFrame({"rank": np.arange(1, len(report.words) + 1), "word": list(report.words),
                         "times said": report.counts, "share (%)": 100 * report.counts / total})


def _nothing(figure: go.Figure, words: str, dark: bool) -> go.Figure:
    figure.add_annotation(text=f"{words}.", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    return framed(figure, words, height=180, dark=dark, legend=False)
