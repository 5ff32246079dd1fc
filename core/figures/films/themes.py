"""Which prompt leads along a film, for how long, and what chance gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures.films.measures import small_multiples
from core.figures.films.timeline import Span
from core.figures.frame import plain, shortened
from core.geometry.differences import Verdict
from core.geometry.films.paths import durations
from core.geometry.films.themes import LEADING, OWN, ThemesReport

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("A prompt leads where no other is more like the frame. The share of time is compared with prompts "
           "shuffled within each shot, where each leads for an equal share; the longest lead with whole shots "
           "shuffled. A model may favour a prompt whatever the film, so look at the percentiles among unmatched "
           "images too.")


def leads(report: ThemesReport, *, measure: str = "share", dark: bool = False) -> go.Figure:
    """How much of the film each prompt leads, or how long at most, beside its null; one line a prompt."""
    named = {plain(shortened(prompt, 28)): report.tests[k, measure] for k, prompt in enumerate(report.prompts)}
    return small_multiples({measure: list(named.values())}, _finding(report, measure), names=list(named), dark=dark)


def leads_as_spans(report: ThemesReport) -> list[Span]:
    """When each prompt leads, as bars of a timeline; the colour is the prompt's."""
    leader, seconds = report.leader, durations(report.times)
    first = np.flatnonzero(np.r_[True, leader[1:] != leader[:-1]])
    last = np.r_[first[1:] - 1, len(leader) - 1]
    return [Span(float(report.times[a] - seconds[a] / 2), float(report.times[b] + seconds[b] / 2),
                 report.prompts[leader[a]], int(leader[a])) for a, b in zip(first, last)]


def _finding(report: ThemesReport, measure: str) -> str:
    found = [report.tests[k, measure] for k in range(len(report.prompts))]
    best = max(range(len(found)), key=lambda k: np.nan_to_num(found[k].value.value, nan=-1.0))
    test, of = found[best], {"share": "of the time", "longest": "at most", "mean": "on average"}[measure]
    if test.p is None or test.value.null is None:
        known = test.why
    else:
        told = "" if test.difference.verdict in (Verdict.HIGHER, Verdict.LOWER) else ", not told apart"
        known = f"by chance {_shown(test.value.null, measure)}{told}, p {test.p:.3f}, {report.shots:,} shots"
    return (f'{shortened(report.name) or "The film"}: "{shortened(report.prompts[best])}" leads '
            f"{_shown(test.value.value, measure)} {of} ({known})")


def _shown(value: float, measure: str) -> str:
    return f"{100 * value:.0f} %" if measure == "share" else f"{value:.1f} s"


def table(report: ThemesReport) -> pd.DataFrame:
    """One row a prompt: mean likeness with its null, mean percentile and among what, and how it leads beside chance."""
    rows = []
    for k, prompt in enumerate(report.prompts):
        row: dict[str, object] = {"prompt": prompt, f"mean {report.unit}": report.scores[k].value,
                                  "of the others": report.scores[k].null, "frames": report.scores[k].n}
        if report.among != OWN:
            row |= {"mean percentile": report.percentiles[k].mean(),
                    "among": f"{report.compared_with:,}, {report.among}"}
        for key, of in LEADING.items():
            test = report.tests[k, key]
            row |= {f"{of.title} ({of.unit})": test.value.value, f"{of.title} by chance": test.value.null,
                    f"{of.title} p (Holm)": test.p}
        rows.append(row)
    return pd.DataFrame(rows)
