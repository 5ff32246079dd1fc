"""Calibration in a picture: how sure the model is against how often it is right, beside a calibrated one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import cells, error_bar, framed, percent
from core.geometry.calibration import Reliability, Tempered
from core.geometry.differences import Verdict
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Images in bins of how sure the model is of the class it names: how many of a bin are right, with Wilson's "
           "95 % intervals. A calibrated model lies on the dashed line; below it the model is too sure. Bars, to the "
           "right axis, are the share of the images in each bin. ECE is the mean distance from the line; of a "
           "calibrated model it is not 0 either, since bins are small: that is its chance.")


def reliability(report: Reliability, *, dark: bool = False) -> go.Figure:
    """The reliability diagram.

    Returns
    -------
    plotly Figure: mean probability of the named class (%) against images that are right (%); bars of how many.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    middles = 50 * (report.edges[:-1] + report.edges[1:])
    figure.add_trace(go.Bar(x=middles, y=100 * report.counts / report.counts.sum(), yaxis="y2",
                            name="share of the images", width=100 / len(middles),
                            marker={"color": theme.rgba(p.muted, 0.25)},
                            hovertemplate="%{y:.1f} % of the images<extra></extra>"))
    figure.add_trace(go.Scatter(x=[0, 100], y=[0, 100], mode="lines", name="calibrated", hoverinfo="skip",
                                line={"color": p.muted, "width": 1.6, "dash": "dash"}))
    some = [i for i, number in enumerate(report.accuracy) if number is not None]
    numbers = [percent(number) for number in report.accuracy if number is not None]
    figure.add_trace(go.Scatter(
        x=[100 * report.confidence[i] for i in some], y=[n.value for n in numbers], mode="markers", name="right",
        error_y=error_bar(numbers, p.muted), marker={"size": 10, "color": p.kinds["image"]},
        hovertext=[f"{n.value:.1f} % of {n.n:,} right, {100 * report.confidence[i]:.1f} % sure"
                   for i, n in zip(some, numbers)], hovertemplate="%{hovertext}<extra></extra>"))
    figure.update_xaxes(title_text="probability of the class named first (%)", range=[-3, 103])
    figure.update_yaxes(title_text="images that are right (%)", range=[-3, 103])
    figure.update_layout(yaxis2={"overlaying": "y", "side": "right", "range": [0, 206], "showgrid": False,
                                 "tickvals": [0, 50, 100], "title": {"text": "images (%)"}, "zeroline": False})
    return framed(figure, finding(report), height=380, dark=dark).update_layout(margin_r=60)


def finding(report: Reliability) -> str:
    """ECE beside its chance, and which way the model is off."""
    n = int(report.counts.sum())
    ece, null = 100 * report.ece.value, 100 * (report.ece.null or 0)
    low, high = (100 * q for q in report.ece_by_chance)
    said = f"ECE {ece:.1f} % of {n:,} images; a calibrated model gives {null:.1f} % ({low:.1f} to {high:.1f})"
    p = "p < 0.001" if report.p < 0.0015 else f"p {report.p:.3f}"
    if report.p > 0.05:
        return f"Not told from calibrated: {said}, {p}"
    some = report.counts > 0
    sure = float((report.counts[some] * report.confidence[some]).sum() / n)
    right = sum(number.value * (number.n or 0) for number in report.accuracy if number is not None) / n
    return (f"Too {'sure' if sure > right else 'unsure'}: {said}, {p}; right {100 * right:.1f} %, sure "
            f"{100 * sure:.1f} %")


def reliability_table(report: Reliability) -> pd.DataFrame:
    """One row a bin: its ends, how many images, how sure, how often right with interval; ECE, Brier and NLL in all."""
    return pd.DataFrame([{
        "from": low, "to": high, "images": int(count), "confidence": sure,
        **({} if number is None else cells("accuracy", number)), "temperature factor": report.temperature,
        "ECE": report.ece.value, "ECE by chance": report.ece.null, "ECE p": report.p, "Brier": report.brier.value,
        "NLL": report.nll.value} for low, high, count, sure, number in zip(
            report.edges[:-1], report.edges[1:], report.counts, report.confidence, report.accuracy)])


def tempered_finding(found: Tempered, own: float) -> str:
    """What the fitted temperature does to the half it was not fitted on; ``own`` is the temperature of 1."""
    n = len(found.scored_on)
    if found.unbounded:
        return (f"No temperature is best for the {len(found.fitted_on):,} images of the first half: all of them are "
                "right, or the scores are no better than chance.")
    nll = found.nll
    told = {Verdict.LOWER: "better", Verdict.HIGHER: "worse"}.get(nll.verdict, nll.verdict.value)
    p = "" if nll.p is None else f", p {'< 0.001' if nll.p < 0.001 else f'{nll.p:.3f}'}"
    change = nll.change
    known = "" if change.low is None or change.high is None else f" ({change.low:+.3f} to {change.high:+.3f})"
    return (f"Fitted on {len(found.fitted_on):,} images: temperature {own * found.temperature:.4g} "
            f"({found.temperature:.3g} times the one at the start). On the other {n:,}: NLL "
            f"{found.before.nll.value:.3f} before, {found.after.nll.value:.3f} after: {change.value:+.3f}{known} "
            f"nats{p}, {told}.")


def tempered_table(found: Tempered) -> pd.DataFrame:
    """Before and after on the half that was not fitted on: NLL, ECE and Brier with intervals or chance."""
    rows = []
    for name, of in (("before", found.before), ("after", found.after)):
        low, high = of.ece_by_chance
        rows.append({"": name, "temperature": f"{of.temperature:.4g} x", "NLL (nats)": _told(of.nll),
                     "ECE (%)": f"{100 * of.ece.value:.1f}; calibrated: {100 * (of.ece.null or 0):.1f} "
                                f"({100 * low:.1f} to {100 * high:.1f}), p {of.p:.3f}", "Brier": _told(of.brier)})
    return pd.DataFrame(rows)


def _told(number: Number) -> str:
    known = "" if number.low is None or number.high is None else f" ({number.low:.3f} to {number.high:.3f})"
    null = "" if number.null is None or not np.isfinite(number.null) else f"; by chance {number.null:.3f}"
    return f"{number.value:.3f}{known}{null}"
