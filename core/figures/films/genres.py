"""Genres told from left-out films: how often, which for which, by what, and several genres a film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import cells, error_bar, framed, percent, plain, share, shortened
from core.geometry.differences import Difference, Verdict
from core.geometry.films.carriers import Carriers
from core.geometry.films.classified import Classified
from core.geometry.films.many_labels import ManyClassified

if TYPE_CHECKING:
    import plotly.graph_objects as go

HOW_TO_READ: dict[str, str] = {
    "accuracies": "Each film is told by a model of all other films. The dot is the balanced accuracy, the mean over "
                  "genres of the films told right, with its 95 % interval; the thick line is the middle 95 % of it for "
                  "the same fit on shuffled labels, and p the chance of as much there.",
    "confusion": "Films of each genre (rows) by the genre they were told to be of (columns).",
    "carriers": "Above, what a family of features tells with no other, beside shuffled labels. Below, what accuracy "
                "loses when the family is taken away: little where others say the same. p is corrected for the number "
                "of families (Holm).",
    "many": "How well the films of each genre stand out: average precision of the ranking of left-out films, 1 where "
            "all of them come first. The thick line is the mean on shuffled labels.",
}
_SHORT = 30
LEVEL = 0.05


def accuracies(found: Mapping[str, Classified], *, dark: bool = False) -> go.Figure:
    """Balanced accuracy of several ways to tell genres, each beside its own chance.

    Parameters
    ----------
    found : at least one, by what the user calls it ("path", "content", "both", ...); what is not measurable says so.

    Returns
    -------
    plotly Figure: balanced accuracy (%) to the right, a row each; intervals, and the middle 95 % of shuffled labels.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    names = [plain(shortened(name, _SHORT)) for name in found]
    reports = list(found.values())
    known = [i for i, report in enumerate(reports) if not report.reason]
    figure = go.Figure()
    _chance_lines(figure, [reports[i].by_chance for i in known], known, "labels shuffled, middle 95 %", p)
    told = [reports[i].p is not None and (reports[i].p or 0) <= LEVEL for i in known]
    numbers = [percent(reports[i].balanced) for i in known]
    figure.add_trace(go.Scatter(
        x=[number.value for number in numbers], y=known, mode="markers", name="told right",
        error_x=error_bar(numbers, p.muted),
        marker={"size": 11, "color": [p.kinds["image"] if t else p.kinds["plain"] for t in told]},
        text=[f"{names[i]}: accuracy {share(reports[i].accuracy)}, p {reports[i].p:.3f}" for i in known],
        hovertemplate="%{text}, balanced %{x:.1f} %<extra></extra>"))
    for i, report in enumerate(reports):
        said = report.reason or f"p {report.p:.3f}"
        figure.add_annotation(x=0 if report.reason else 1, xref="x" if report.reason else "paper", y=i, yshift=11,
                              text=plain(shortened(said, 60)), showarrow=False,
                              xanchor="left" if report.reason else "right",
                              font={"size": theme.SMALLEST_FONT, "color": p.muted})
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(names))), ticktext=names, showgrid=False,
                        range=[len(names) - 0.5, -0.5], zeroline=False)
    figure.update_xaxes(title_text="balanced accuracy of left-out films (%)", range=[-2, 104])
    return framed(figure, _accuracies_finding(found), height=150 + 46 * len(names), dark=dark)


def _chance_lines(figure: go.Figure, ends: Sequence[tuple[float, float] | None], rows: Sequence[int], name: str,
                  p: theme.Palette) -> None:
    import plotly.graph_objects as go

    pairs = [(100 * e[0], 100 * e[1]) if e else (None, None) for e in ends]
    figure.add_trace(go.Scatter(
        x=[v for pair in pairs for v in (*pair, None)], y=[v for i in rows for v in (i, i, None)], mode="lines",
        name=name, line={"color": p.unselected, "width": 9}, hoverinfo="skip"))


def _accuracies_finding(found: Mapping[str, Classified]) -> str:
    measured = {name: report for name, report in found.items() if not report.reason}
    if not measured:
        return f"Genres: {next(iter(found.values())).reason}"
    first = next(iter(measured.values()))
    above = [name for name, report in measured.items() if report.p is not None and report.p <= LEVEL]
    below = [name for name in measured if name not in above]
    said = []
    if above:
        said.append("told above chance by " + ", ".join(_told(name, measured[name]) for name in above))
    if below:
        said.append("not told from chance by " + ", ".join(_told(name, measured[name]) for name in below))
    chance = 100 * (first.balanced.null or 0)
    text = "; ".join(said)
    return f"{len(first.classes)} genres of {len(first.labels)} films {text} (chance {chance:.0f} %)"


def _told(name: str, report: Classified) -> str:
    return f"{shortened(name, _SHORT)} {100 * report.balanced.value:.0f} %"


def differences_sentence(found: Mapping[tuple[str, str], Difference]) -> str:
    """Pairs of ways to tell genres, compared on the same films, as a sentence."""
    said = {Verdict.HIGHER: "more films than", Verdict.LOWER: "fewer films than",
            Verdict.NOT_TOLD_APART: "not told apart from", Verdict.NOT_MEASURABLE: "not comparable with"}
    parts = []
    for (before, after), change in found.items():
        p = "" if change.p is None else f" (p {change.p:.3f})"
        told = change.verdict in (Verdict.HIGHER, Verdict.LOWER)
        parts.append(f"{after}{' tells' if told else ':'} {said[change.verdict]} {before}{p}")
    said_of = "; ".join(parts)
    return f"{said_of[:1].upper()}{said_of[1:]}." if parts else ""


def confusion(report: Classified, *, dark: bool = False) -> go.Figure:
    """Films of each genre by what they were told to be.

    Returns
    -------
    plotly Figure: a heat map of shares of each row, with the number of films written in every cell.
    """
    import plotly.graph_objects as go

    counts, k = report.confusion, len(report.classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [plain(shortened(name, 20)) for name in report.classes]
    figure = go.Figure(go.Heatmap(
        z=100 * shares, zmin=0, zmax=100, colorscale=theme.colorscale(dark), xgap=1, ygap=1, customdata=counts,
        colorbar={"title": {"text": "of the genre (%)", "side": "right"}, "thickness": 12},
        hovertemplate="%{y} told to be %{x}: %{customdata} films, %{z:.0f} %<extra></extra>", x=names, y=names))
    colours = theme.sequence(dark, steps=101)
    for i, j in np.ndindex(k, k):
        behind = "#{:02x}{:02x}{:02x}".format(*colours[int(100 * shares[i, j])])
        ink = max(("#000000", "#ffffff"), key=lambda c: theme.contrast(c, behind))
        figure.add_annotation(x=j, y=i, text=f"{counts[i, j]:,}", showarrow=False, font={"size": 13, "color": ink})
    figure.update_xaxes(title_text="told to be", showgrid=False, type="category")
    figure.update_yaxes(title_text="is", autorange="reversed", showgrid=False, type="category")
    return framed(figure, _confusion_finding(report), height=150 + 44 * min(max(k, 3), 14), dark=dark, legend=False)


def _confusion_finding(report: Classified) -> str:
    if report.reason:
        return f"Genres: {report.reason}"
    counts = report.confusion.copy()
    text = (f"{share(report.accuracy)} films told right (by chance {100 * (report.accuracy.null or 0):.0f} %, p "
            f"{report.p:.3f})")
    np.fill_diagonal(counts, 0)
    if not counts.any():
        return text
    i, j = np.unravel_index(counts.argmax(), counts.shape)
    own, other = (shortened(report.classes[c], 20) for c in (i, j))
    return f"{text}; most often “{own}” is taken for “{other}”, {counts[i, j]} of {report.confusion[i].sum()}"


def carriers(report: Carriers, *, dark: bool = False) -> go.Figure:
    """What parts of the features tell alone, and what is lost without them.

    Returns
    -------
    plotly Figure of two panels, a row a part: balanced accuracy alone (%) with intervals beside shuffled labels;
    percentage points of accuracy lost, with intervals.
    """
    from plotly.subplots import make_subplots

    p = theme.palette(dark)
    names = [plain(shortened(part.title, _SHORT)) for part in report.parts]
    rows = list(range(len(names)))
    figure = make_subplots(rows=2, cols=1, vertical_spacing=0.24 if len(names) < 8 else 0.14,
                           subplot_titles=("alone: balanced accuracy (%)", "lost without it: accuracy (points)"))
    for note in figure.layout.annotations:
        note.update(x=0, xanchor="left", font={"size": 13, "color": p.text})
    figure.add_traces(_alone(report, names, p), rows=1, cols=1)
    figure.add_traces(_lost(report, names, p), rows=2, cols=1)
    figure.add_vline(x=0, line={"color": p.muted, "width": 1.2, "dash": "dot"}, row=2, col=1)
    figure.update_yaxes(tickmode="array", tickvals=rows, ticktext=names, showgrid=False, zeroline=False,
                        range=[len(names) - 0.5, -0.5])
    figure.update_xaxes(range=[-2, 104], row=1, col=1)
    return framed(figure, _carriers_finding(report), height=240 + 56 * len(names), dark=dark)


def _alone(report: Carriers, names: Sequence[str], p: theme.Palette) -> list[object]:
    import plotly.graph_objects as go

    known = [i for i, part in enumerate(report.parts) if part.alone.p is not None]
    figure = go.Figure()
    _chance_lines(figure, [report.parts[i].alone.by_chance for i in known], known, "labels shuffled, middle 95 %", p)
    numbers = [percent(report.parts[i].alone.balanced) for i in known]
    p_values = [report.parts[i].alone.p or 0.0 for i in known]
    figure.add_trace(go.Scatter(
        x=[number.value for number in numbers], y=known, mode="markers", name="alone",
        error_x=error_bar(numbers, p.muted),
        marker={"size": 10, "color": [p.kinds["image"] if v <= LEVEL else p.kinds["plain"] for v in p_values]},
        text=[f"{names[i]}, p {v:.3f} (Holm)" for i, v in zip(known, p_values)],
        hovertemplate="%{text}: %{x:.1f} %<extra></extra>"))
    return list(figure.data)


def _lost(report: Carriers, names: Sequence[str], p: theme.Palette) -> list[object]:
    import plotly.graph_objects as go

    known = [i for i, part in enumerate(report.parts) if part.lost.p is not None]
    changes = [percent(report.parts[i].lost.change) for i in known]
    p_values = [report.parts[i].lost.p or 0.0 for i in known]
    return [go.Scatter(
        x=[change.value for change in changes], y=known, mode="markers", name="lost", showlegend=False,
        error_x=error_bar(changes, p.muted),
        marker={"size": 10, "symbol": "diamond",
                "color": [p.kinds["text"] if v <= LEVEL else p.kinds["plain"] for v in p_values]},
        text=[f"{names[i]}, p {v:.3f} (Holm)" for i, v in zip(known, p_values)],
        hovertemplate="%{text}: %{x:.1f} points<extra></extra>")]


def _carriers_finding(report: Carriers) -> str:
    whole = report.whole
    if whole.reason:
        return f"Genres: {whole.reason}"
    above = [part for part in report.parts if part.alone.p is not None and part.alone.p <= LEVEL]
    missed = [part.title for part in report.parts if part.lost.verdict is Verdict.HIGHER]
    if above:
        best = max(above, key=lambda part: part.alone.balanced.value)
        text = (f"{len(above)} of {len(report.parts)} families of features tell genres alone, best {best.title} "
                f"{100 * best.alone.balanced.value:.0f} %")
    else:
        text = f"None of {len(report.parts)} families of features tells genres alone"
    lost = f"missed when taken away: {', '.join(missed)}" if missed else "none is missed when taken away"
    return (f"{text} (all {100 * whole.balanced.value:.0f} %, chance {100 * (whole.balanced.null or 0):.0f} %); {lost} "
            f"({len(whole.labels)} films)")


def many(report: ManyClassified, *, dark: bool = False) -> go.Figure:
    """Average precision of each of several genres a film, beside that of shuffled labels.

    Returns
    -------
    plotly Figure: average precision (0 to 1) to the right, a row a genre, best first.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    shown = sorted(report.labels, key=lambda label: -np.nan_to_num(label.precision.value, nan=-1))
    rows = [i for i, label in enumerate(shown) if label.p is not None]
    figure = go.Figure()
    figure.add_trace(go.Scatter(
        x=[shown[i].precision.null for i in rows], y=rows, mode="markers", name="labels shuffled, mean",
        marker={"symbol": "line-ns", "size": 15, "color": p.muted, "line": {"width": 3, "color": p.muted}},
        hovertemplate="shuffled %{x:.2f}<extra></extra>"))
    told = [(shown[i].corrected or 0.0) <= LEVEL for i in rows]
    figure.add_trace(go.Scatter(
        x=[shown[i].precision.value for i in rows], y=rows, mode="markers", name="average precision",
        marker={"size": 11, "color": [p.kinds["image"] if t else p.kinds["plain"] for t in told]},
        text=[f"{plain(shortened(shown[i].name))}: {shown[i].films} films, p {shown[i].corrected:.3f} (Holm)"
              for i in rows], hovertemplate="%{text}, %{x:.2f}<extra></extra>"))
    for i, label in enumerate(shown):
        if label.p is None:
            figure.add_annotation(x=0, y=i, text=plain(shortened(label.reason, 50)), showarrow=False, xanchor="left",
                                  font={"size": theme.SMALLEST_FONT, "color": p.muted})
    figure.update_yaxes(tickmode="array", tickvals=list(range(len(shown))), showgrid=False, zeroline=False,
                        ticktext=[plain(shortened(label.name, _SHORT)) for label in shown],
                        range=[len(shown) - 0.5, -0.5])
    figure.update_xaxes(title_text="average precision of left-out films", range=[-0.02, 1.04])
    mean = report.mean_precision
    text = f"Genres: {report.reason}" if report.reason else (
        f"Mean average precision {mean.value:.2f} (shuffled {mean.null:.2f}, p {report.p:.3f}); {sum(told)} of "
        f"{len(rows)} genres stand out ({mean.n} films)")
    return framed(figure, text, height=150 + 34 * max(len(shown), 2), dark=dark)


def accuracies_table(found: Mapping[str, Classified]) -> pd.DataFrame:
    """One row a way to tell genres: accuracy and balanced accuracy with interval and chance, p, n, and what went in."""
    return pd.DataFrame([{
        "by": name, **cells("accuracy", report.accuracy), **cells("balanced accuracy", report.balanced), "p": report.p,
        "films": len(report.labels), "genres": len(report.classes), "permutations": report.permutations,
        "features": report.features, "constant features": report.constant, "undefined numbers": report.undefined,
        "not measurable": report.reason} for name, report in found.items()])


def predictions_table(found: Mapping[str, Classified], names: Sequence[str] = ()) -> pd.DataFrame:
    """One row a film: its genre, and what each way told it to be; empty where nothing could be measured."""
    first = next(iter(found.values()))
    table = pd.DataFrame({"film": list(names) or [f"film {i + 1}" for i in range(len(first.labels))],
                          "genre": [first.classes[c] for c in first.labels]})
    for name, report in found.items():
        table[f"told by {name}"] = ["" if c < 0 else report.classes[c] for c in report.predictions]
    return table


def confusion_table(report: Classified) -> pd.DataFrame:
    """One row a genre: its films, and how many of them were told to be of each."""
    table = pd.DataFrame(report.confusion, columns=[f"told to be {name}" for name in report.classes])
    table.insert(0, "genre", list(report.classes))
    return table


def carriers_table(report: Carriers) -> pd.DataFrame:
    """One row a part of the features: accuracy alone, and what is lost without it, each with interval and p (Holm)."""
    return pd.DataFrame([{
        "features": part.title, "number of features": len(part.columns),
        **cells("balanced accuracy alone", part.alone.balanced), "p alone (Holm)": part.alone.p,
        **cells("accuracy lost without", part.lost.change), "p lost (Holm)": part.lost.p, "test": part.lost.test,
        "films": len(part.alone.labels)} for part in report.parts])


def many_table(report: ManyClassified) -> pd.DataFrame:
    """One row a genre: its films, average precision with chance, p, and why it is not measurable where it is not."""
    return pd.DataFrame([{
        "genre": label.name, "films with it": label.films, **cells("average precision", label.precision),
        "p": label.p, "p (Holm)": label.corrected, "films": label.precision.n, "not measurable": label.reason}
        for label in report.labels])
