"""How well each finding finds what was planted, beside the obvious ways of finding it and beside chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.figures import theme
from core.figures.frame import cells, error_bar, framed, plain
from core.language.quality.evaluation import BESIDE, QualityEvaluation

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Faults were planted into scenes of the built-in world. The filled point is the finding, with its 95 % "
           "interval; open points are the obvious ways of finding the same; the tick is chance. Right is better.")
TITLES = {
    "duplicate_f1": "copies, exact and mild (F1)", "duplicate_harsh_f1": "copies, harsh (F1)",
    "caption_auc": "one wrong attribute (AUC)", "caption_of_several_auc": "the same, up to three solids (AUC)",
    "mislabel_ap": "wrong labels (average precision)",
    "mislabel_of_several_ap": "the same, up to three solids (average precision)", "blur_auc": "blur (AUC)",
    "outlier_auc": "pictures of another world (AUC)",
}
WAYS = {
    "content": "same content", "cosine_95": "cosine above .95", "cosine": "cosine alone", "mutual": "mutual nearest",
    "percentile": "percentile among images", "shuffled": "shuffled", "fitted": "fitted on the labels",
    "zero_shot": "zero-shot", "neighbours": "10 nearest neighbours", "edge_variance": "variance of edges",
    "mean": "distance to the mean",
}


def beside(found: QualityEvaluation, *, dark: bool = False) -> go.Figure:
    """Scores of findings and of simpler ways, a row each kind of fault.

    Parameters
    ----------
    found
        What `evaluate_quality` measured.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: score in [0, 1] to the right; the finding with its interval, simpler ways, and chance.
    """
    import plotly.graph_objects as go

    p, numbers = theme.palette(dark), found.figures()
    rows = [name for name in TITLES if name in numbers]
    ways = [(i, way, numbers[f"{name}_{way}"]) for i, name in enumerate(rows) for way in BESIDE[name]
            if f"{name}_{way}" in numbers]
    nulls = [(i, numbers[name].null) for i, name in enumerate(rows) if numbers[name].null is not None]
    figure = go.Figure()
    figure.add_trace(go.Scatter(
        x=[null for _, null in nulls], y=[i for i, _ in nulls], mode="markers", name="chance",
        marker={"symbol": "line-ns-open", "size": 13, "color": p.text, "line": {"width": 1.6}},
        hovertemplate="chance %{x:.3f}<extra></extra>"))
    figure.add_trace(go.Scatter(
        x=[number.value for *_, number in ways], y=[i for i, *_ in ways], mode="markers", name="the obvious way",
        marker={"symbol": "circle-open", "size": 9, "color": p.kinds["plain"], "line": {"width": 1.6}},
        text=[WAYS[way] for _, way, _ in ways], hovertemplate="%{text} %{x:.3f}<extra></extra>"))
    scores = [numbers[name] for name in rows]
    figure.add_trace(go.Scatter(
        x=[number.value for number in scores], y=list(range(len(rows))), mode="markers", name="the finding",
        error_x=error_bar(scores, p.muted), marker={"size": 11, "color": p.text},
        text=[f"{number.n:,} items" for number in scores], hovertemplate="%{x:.3f}, %{text}<extra></extra>"))
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(rows))), ticktext=[plain(TITLES[r]) for r in rows],
                        showgrid=False, range=[len(rows) - 0.5, -0.5], zeroline=False)
    figure.update_xaxes(title_text="score, 1 is best", range=[-0.03, 1.03])
    return framed(figure, _title(found, rows), height=150 + 40 * len(rows), dark=dark)


def beside_table(found: QualityEvaluation) -> pd.DataFrame:
    """One row a way of finding a kind of fault: score with interval and chance, n, and what the finding has over it."""
    numbers, out = found.figures(), []
    for name, title in TITLES.items():
        for way in ("", *BESIDE[name]):
            key = f"{name}_{way}" if way else name
            if key not in numbers:
                continue
            over = found.over.get(key)
            out.append({"planted": title, "way": WAYS[way] if way else "the finding", **cells("score", numbers[key]),
                        "n": numbers[key].n, "the finding over it": None if over is None else over.change.value,
                        "p (Holm)": None if over is None else over.p})
    return pd.DataFrame(out)


def _title(found: QualityEvaluation, rows: list[str]) -> str:
    """What the picture shows: how many obvious ways are beaten, and by which the finding is."""
    said = [difference.verdict.value for key, difference in found.over.items()
            if any(key.startswith(f"{row}_") for row in rows)]
    lower = said.count("lower")
    return (f"Findings score higher than {said.count('higher')} of {len(said)} obvious ways" +
            (f", lower than {lower}" if lower else ""))
