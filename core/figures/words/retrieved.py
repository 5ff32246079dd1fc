"""Retrieval on pairs: R@k both ways, who is found how often, repairs of hubs, and feedback over many queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import as_percent, cells, error_bar, framed, percent, points, share, spoken
from core.geometry.differences import Difference, Verdict
from core.geometry.feedback import AFTER, BEFORE, MEASURES, SHUFFLED, FeedbackReport
from core.geometry.hub_repairs import REPAIRS
from core.geometry.hub_scoring import RepairReport
from core.geometry.hubs import Hubs
from core.types import Number

if TYPE_CHECKING:
    import plotly.graph_objects as go

WAYS = {"image_to_text": "image to text", "text_to_image": "text to image"}
OF_RECALLS = ("R@k: share of queries with a right answer among the first k, with Wilson's 95 % interval, the gallery "
              "kept; ticks: in random order. Several captions of one image count for less than as many "
              "images.")
OF_HUBS = ("How many items are found so often among the k nearest of the queries; the line is what neighbours at "
           "random would give, the dotted line the bar that any item would pass once in 20 galleries. What lies right "
           "of it is a hub.")
OF_REPAIRS = ("R@1 in the half that is scored, with the other half as the bank, both ways round (dots, 95 %; dotted: "
              "random order). The differences are on the same queries, p by Holm.")
OF_FEEDBACK = ("On what was not marked: the query as asked, moved by the marks, and moved by as many marks dealt out "
               "at random among the same items. Ticks: random order. The differences have intervals, in the table, "
               "over labels or groups of pairs, and p by Holm: an interval may leave out 0 where its p is above .05.")
_TITLES = {BEFORE: "as asked", AFTER: "after the marks", SHUFFLED: "after shuffled marks"}
_TOLD = {Verdict.HIGHER: "more than", Verdict.LOWER: "less than", Verdict.NOT_TOLD_APART: "not told apart from",
         Verdict.NOT_MEASURABLE: "not measurable beside"}


def recalls(found: Mapping[str, Mapping[int, Number]], *, dark: bool = False) -> go.Figure:
    """R@k each way: plotly Figure, k to the right, share of queries (%) upwards; ``found`` by key of WAYS and by k."""
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    for way, side in (("image_to_text", -0.12), ("text_to_image", 0.12)):
        numbers = {k: percent(n) for k, n in found.get(way, {}).items()}
        if not numbers:
            continue
        at = np.arange(len(numbers)) + side
        colour = p.kinds["image" if way == "image_to_text" else "text"]
        figure.add_trace(go.Scatter(
            x=at, y=[n.value for n in numbers.values()], mode="markers", name=WAYS[way],
            error_y=error_bar(list(numbers.values()), colour), marker={"size": 10, "color": colour},
            hovertext=[f"R@{k} {spoken(n, 1)} %, n = {n.n:,}" for k, n in numbers.items()],
            hovertemplate="%{hovertext}<extra></extra>"))
        figure.add_trace(go.Scatter(x=at, y=[n.null for n in numbers.values()], mode="markers", showlegend=False,
                                    marker={"symbol": "line-ew-open", "size": 16, "color": p.muted}, hoverinfo="skip"))
    ks = list(next(iter(found.values())))
    figure.update_xaxes(title_text="k, how many are looked at", tickvals=list(range(len(ks))),
                        ticktext=[f"{k:,}" for k in ks], range=[-0.6, len(ks) - 0.4])
    figure.update_yaxes(title_text="queries with a right one (%)", range=[-3, 103])
    said = "; ".join(f"{WAYS[way]} R@{ks[0]} {share(numbers[ks[0]])}" for way, numbers in found.items())
    return framed(figure, said, height=280, dark=dark)


def recalls_table(found: Mapping[str, Mapping[int, Number]]) -> pd.DataFrame:
    """One row a direction and k: R@k with interval and chance, and n."""
    return pd.DataFrame([{"direction": WAYS[way], "k": k} | cells("R@k", number) | {"n": number.n}
                         for way, numbers in found.items() for k, number in numbers.items()])


def hubs(found: Hubs, what: str, *, dark: bool = False) -> go.Figure:
    """How often items are found: plotly Figure, times found to the right, items upwards; ``what`` the items are."""
    import plotly.graph_objects as go
    from scipy.stats import binom

    p, figure, m = theme.palette(dark), go.Figure(), len(found.found)
    times = np.floor(found.found + 1e-9).astype(int)
    most = int(max(times.max(), found.most)) + 1
    width = max(1, -(-most // 60))
    edges = np.arange(0, most + width, width)
    counts = np.histogram(times, np.append(edges, edges[-1] + width))[0]
    by_chance = m * np.diff(binom.cdf(np.append(edges, edges[-1] + width) - 1, found.queries, found.k / m))
    figure.add_trace(go.Bar(x=edges, y=counts, width=0.9 * width, name=what, marker={"color": p.kinds["image"]},
                            hovertemplate="found %{x} times: %{y} of them<extra></extra>"))
    figure.add_trace(go.Scatter(x=edges, y=by_chance, mode="lines", name="neighbours at random",
                                line={"color": p.muted, "width": 2}))
    figure.add_vline(x=found.most + width / 2, line={"color": p.text, "width": 1.4, "dash": "dot"})
    figure.update_xaxes(title_text=f"times found among the {found.k} nearest")
    figure.update_yaxes(title_text=what)
    skew = "" if found.skew is None else f"; skew {spoken(found.skew)}"
    return framed(figure, f"{len(found.rows):,} of {m:,} {what} are hubs, found more than {found.most:.0f} times where "
                          f"{found.expected:.1f} is expected{skew}; {as_percent(found.never)} never",
                  height=280, dark=dark)


def hubs_table(found: Hubs, ids: tuple[str, ...]) -> pd.DataFrame:
    """One row an item, most found first: id, times found, expected by chance, whether it is a hub."""
    order = np.argsort(-found.found, kind="stable")
    return pd.DataFrame({"id": [ids[i] for i in order], "times found": found.found[order],
                         "by chance": found.expected, "bar": found.most,
                         "hub": np.isin(order, found.rows)})


def repairs(report: RepairReport, way: str, *, dark: bool = False) -> go.Figure:
    """R@1 by each repair: plotly Figure, share (%) to the right, a line a repair."""
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    numbers = [percent(row.recall) for row in report.rows]
    names = [REPAIRS[row.method].title for row in report.rows]
    figure.add_vline(x=numbers[0].null, line={"color": p.muted, "width": 1.6, "dash": "dot"})
    hovers = [f"{spoken(n, 1)} %" + ("" if row.change is None else f"<br>{points(row.change)} to the cosine")
              for n, row in zip(numbers, report.rows)]
    figure.add_trace(go.Scatter(
        x=[n.value for n in numbers], y=list(range(len(numbers))), mode="markers", error_x=error_bar(numbers, p.muted),
        marker={"size": 11, "color": [p.kinds["plain"], *[p.kinds["image"]] * (len(numbers) - 1)]},
        hovertext=hovers, hovertemplate="%{hovertext}<extra></extra>"))
    figure.update_xaxes(title_text=f"R@1, {way} (%)")
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=[name.replace(" (", "<br>(") for name in names],
                        range=[len(names) - 0.5, -0.5], zeroline=False)
    return framed(figure, repairs_finding(report), height=240, dark=dark, legend=False)


def repairs_finding(report: RepairReport) -> str:
    """What the best repair does to R@1 and to the hubs, in words."""
    plain, others = report.rows[0], report.rows[1:]
    best = max(others, key=lambda row: row.recall.value)
    assert best.change is not None
    hubs_said = "" if plain.hubness is None or best.hubness is None else \
        f"; skew of hubs {plain.hubness.value:.2f} to {best.hubness.value:.2f} (by chance {plain.hubness.null:.2f})"
    told = f"R@1 {_TOLD[best.change.verdict]} the cosine's, {points(best.change)}"
    return f"{REPAIRS[best.method].title}: {told}{hubs_said}"


def repairs_table(report: RepairReport) -> pd.DataFrame:
    """One row a repair: R@1 with interval and chance, n, the skew, and the difference with interval and p by Holm."""
    rows = []
    for row in report.rows:
        said: dict[str, object] = {"repair": REPAIRS[row.method].title} | cells("R@1", row.recall)
        said |= {"n": row.recall.n, "hubness": None if row.hubness is None else row.hubness.value,
                 "hubness by chance": None if row.hubness is None else row.hubness.null}
        rows.append(said | ({} if row.change is None else _difference(row.change)))
    return pd.DataFrame(rows)


def feedback(report: FeedbackReport, *, dark: bool = False) -> go.Figure:
    """Before, after and shuffled: plotly Figure, share (%) upwards, the two measures from left to right."""
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    colours = {BEFORE: p.kinds["plain"], AFTER: p.kinds["image"], SHUFFLED: p.muted}
    for way, side in ((BEFORE, -0.18), (AFTER, 0.0), (SHUFFLED, 0.18)):
        numbers = [percent(report.numbers[name, way]) for name in MEASURES]
        at = np.arange(len(MEASURES)) + side
        figure.add_trace(go.Scatter(
            x=at, y=[n.value for n in numbers], mode="markers", name=_TITLES[way],
            error_y=error_bar(numbers, colours[way]),
            marker={"size": 10, "color": colours[way], "symbol": "diamond-open" if way == SHUFFLED else "circle"},
            hovertext=[f"{spoken(n, 1)} %, n = {n.n:,}" for n in numbers],
            hovertemplate="%{hovertext}<extra></extra>"))
        figure.add_trace(go.Scatter(x=at, y=[n.null for n in numbers], mode="markers", showlegend=False,
                                    marker={"symbol": "line-ew-open", "size": 14, "color": p.muted}, hoverinfo="skip"))
    figure.update_xaxes(tickvals=[0, 1], range=[-0.6, 1.6],
                        ticktext=[f"precision of the first {report.k}", f"R@{report.k}"])
    figure.update_yaxes(title_text="of what was not marked (%)", range=[-3, 103])
    return framed(figure, feedback_finding(report), height=280, dark=dark)


def feedback_finding(report: FeedbackReport) -> str:
    """What the marks do, in words."""
    before, after = (percent(report.numbers["precision", way]).value for way in (BEFORE, AFTER))
    change, marks = report.after["precision"], report.from_marks["precision"]
    return (f"Precision of the first {report.k} unmarked: {before:.1f} % as asked, {after:.1f} % after "
            f"{report.rounds} × {report.marked} marks, {_TOLD[change.verdict]} as asked ({points(change)}), "
            f"{_TOLD[marks.verdict]} shuffled marks")


def feedback_table(report: FeedbackReport) -> pd.DataFrame:
    """One row a measure and when: the share with interval and chance, n, and the difference to before or shuffled."""
    rows = []
    for (name, way), number in report.numbers.items():
        said: dict[str, object] = {"measure": f"{name} at {report.k}", "when": _TITLES[way]} | cells("share", number)
        said |= {"n": number.n}
        if way != AFTER:
            of = report.after if way == BEFORE else report.from_marks
            said |= {f"after {key}": value for key, value in _difference(of[name]).items()}
        rows.append(said)
    return pd.DataFrame(rows)


def _difference(found: Difference) -> dict[str, object]:
    return {"less it": found.change.value, "low": found.change.low, "high": found.change.high, "p (Holm)": found.p,
            "says": found.verdict.value, "test": found.test}


def repairs_in_words(report: RepairReport) -> pd.DataFrame:
    """One row a repair, as text: R@1, hubs, and what can be said of the difference."""
    return pd.DataFrame([
        {"repair": REPAIRS[row.method].title, "R@1": share(row.recall),
         "hubs (skew)": "" if row.hubness is None else spoken(row.hubness),
         "beside the cosine": "" if row.change is None else f"{row.change.verdict.value}: {points(row.change)}"}
        for row in report.rows])


def feedback_in_words(report: FeedbackReport) -> pd.DataFrame:
    """One row a measure, as text: before, after, shuffled, and the two differences."""
    names = {"precision": f"precision of the first {report.k}", "recall": f"R@{report.k}"}
    return pd.DataFrame([
        {"of what was not marked": names[name]}
        | {_TITLES[way]: as_percent(report.numbers[name, way]) for way in _TITLES}
        | {"after less as asked": points(report.after[name]), "after less shuffled": points(report.from_marks[name])}
        for name in MEASURES])
