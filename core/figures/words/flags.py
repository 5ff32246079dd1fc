"""What two sets of prompts flag, in pictures: probabilities with the threshold, and the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, share_of, spoken
from core.geometry.flagging import Flagged

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Images by the probability, at even odds, that the prompts which flag give them; from the dashed threshold "
           "on they are flagged. False positives: the share of what should not be flagged that is; false negatives: "
           "the share of what should be that is not; precision: the share of what is flagged that should be. By "
           "chance: as many flagged at random.")
CAPTION_OF_ROC = ("Over all thresholds: the share of what should be flagged that is, against the share of what should "
                  "not and is. The dot is the threshold of the dial; the dashed diagonal is chance. AUC is how often "
                  "one that should be flagged has the higher probability.")
_BINS = 40
_KINDS = {1: "should be flagged", 0: "should not", -1: "not known"}


def histogram(report: Flagged, *, dark: bool = False) -> go.Figure:
    """How many images have which probability, those that should be flagged above those that should not.

    Returns
    -------
    plotly Figure: probability (%) against images.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    flagged, rest = theme.sides(dark)
    colours = {1: flagged, 0: rest, -1: p.muted}
    edges = np.linspace(0, 100, _BINS + 1)
    for kind, name in _KINDS.items():
        of = report.truth == kind
        if of.any():
            counts, _ = np.histogram(100 * report.probability[of], edges)
            figure.add_trace(go.Bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, width=100 / _BINS, marker={
                "color": colours[kind]}, name=f"{name} ({int(of.sum()):,})",
                hovertemplate="%{y:,} images at about %{x:.1f} %<extra></extra>"))
    figure.add_vline(x=100 * report.threshold, line={"color": p.text, "width": 2, "dash": "dash"})
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title_text="probability of being flagged (%)", range=[-1, 101])
    figure.update_yaxes(title_text="images", rangemode="tozero")
    return framed(figure, finding(report), height=320, dark=dark)


def finding(report: Flagged) -> str:
    """The share that is flagged, and the error rates where they are known."""
    said = f"{share_of(report.share)} images are flagged"
    false, missed = report.false_positives, report.false_negatives
    if false is None and missed is None:
        return f"{said}; error rates need labels"
    told = [f"flagged wrongly {share_of(false)} that should not be" if false is not None else
            "no image should not be flagged", f"missed {share_of(missed)} that should be"
            if missed is not None else "no image should be flagged"]
    return f"{said}; {'; '.join(told)}"


def roc(report: Flagged, *, dark: bool = False) -> go.Figure:
    """The ROC curve, with the threshold on it.

    Returns
    -------
    plotly Figure: false positive rate (%) against true positive rate (%).
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    false, true, at = report.curve()
    figure.add_trace(go.Scatter(x=[0, 100], y=[0, 100], mode="lines", name="chance", hoverinfo="skip",
                                line={"color": p.muted, "width": 1.6, "dash": "dash"}))
    figure.add_trace(go.Scatter(x=100 * false, y=100 * true, mode="lines", name="prompts", customdata=100 * np.minimum(
        at, 1), line={"color": p.kinds["prompt"], "width": 2.4}, hovertemplate=(
            "%{y:.1f} % found, %{x:.1f} % wrongly flagged,<br>from %{customdata:.1f} % on<extra></extra>")))
    wrongly, missed = report.false_positives, report.false_negatives
    assert wrongly is not None and missed is not None
    figure.add_trace(go.Scatter(x=[100 * wrongly.value], y=[100 * (1 - missed.value)], mode="markers",
                                name=f"from {100 * report.threshold:.0f} % on",
                                marker={"size": 12, "color": p.text},
                                hovertemplate="%{y:.1f} % found, %{x:.1f} % wrongly flagged<extra></extra>"))
    figure.update_xaxes(title_text="wrongly flagged, of what should not be (%)", range=[-2, 102])
    figure.update_yaxes(title_text="flagged, of what should be (%)", range=[-2, 102])
    auc = report.auc
    said = "Too few of either kind for an AUC" if auc is None else f"AUC {spoken(auc)} of {auc.n:,} images"
    return framed(figure, said, height=380, dark=dark)


def roc_table(report: Flagged) -> pd.DataFrame:
    """One row a step of the curve: from which probability on, false and true positive rate; AUC with interval."""
    false, true, at = report.curve()
    auc = report.auc
    return pd.DataFrame({"from": np.minimum(at, 1), "false positive rate": false, "true positive rate": true,
                         "AUC": None if auc is None else auc.value, "AUC low": None if auc is None else auc.low,
                         "AUC high": None if auc is None else auc.high})


def items_table(report: Flagged, ids: Sequence[str]) -> pd.DataFrame:
    """One row an image: its probability, whether it is flagged, and whether it should be where that is known."""
    return pd.DataFrame({"image": list(ids), "probability": report.probability, "log odds": report.odds,
                         "flagged": report.flagged, "should be": [{1: "yes", 0: "no", -1: ""}[int(t)]
                                                                  for t in report.truth]})
