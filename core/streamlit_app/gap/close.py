"""Close the gap: the sphere before and after, and what closing does to retrieval on pairs it was not fitted on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.gap import closing as figures
from core.figures.scenes.globe import looking_at
from core.geometry.gap.closing import CLOSINGS, UNTOUCHED, FittedClosing, available, fit_closing
from core.geometry.gap.reports import ClosingReport
from core.geometry.gap.scoring import score_closings
from core.geometry.gap.splits import fit_half
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.gap import python
from core.streamlit_app.gap.closing_sentences import closing_in_words, title_of
from core.streamlit_app.gap.clouds import fitted, moved_scene, untouched_scene
from core.streamlit_app.gap.data import GapData, with_classes
from core.streamlit_app.gap.sentences import WAYS, say
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.state import Settings
from core.types import Number

FITS = {"nothing": "nothing", "means": "means", "pairs": "pairs"}


def show(settings: Settings, data: GapData) -> None:
    """The spheres before and after, then the scores of all methods."""
    fitted(data, settings.seed)
    left, middle, right = st.columns(3, gap="medium", vertical_alignment="bottom")
    with left:
        options = {key: CLOSINGS[key].title for key in available(data.pairs) if CLOSINGS[key].moves}
        method = state.pick_option("Way of closing", options, key="closing",
                                   help="\n".join(f"- **{title}**: {CLOSINGS[key].explanation}"
                                                  for key, title in options.items()))
    with middle:
        strength = state.pick_number("Strength", 0.0, 1.0, key="strength", default=1.0, step=0.05,
                                     help="0 leaves the vectors as they were, 1 goes all the way.")
    with right:
        data = with_classes(settings, data)
    _spheres(settings, data, method, strength)
    with panels.friendly_errors():
        _scores(settings, data)
    ui.copy_as_python(python.close(settings, data, method, strength))


def _spheres(settings: Settings, data: GapData, method: str, strength: float) -> None:
    """The sphere as it is and after one method, turning together; grey is what the method was fitted on."""
    placed = fitted(data, settings.seed)
    images, texts = fit_half(data.pairs, settings.seed)
    closing = _fitted(data, method, settings.seed, images, texts)
    moved = closing.at(strength).apply(data.pairs)
    before = untouched_scene(data, placed, arcs=False)
    after = moved_scene(data, placed, moved, ("closing", method, strength, settings.seed),
                        f"{title_of(method)}, strength {strength:g}, fitted on the half that is grey.", arcs=False)
    held = ~np.concatenate([images, texts])
    facing = looking_at(before)
    for column, scene, when in zip(st.columns(2, gap="medium"), (before, after), ("Before", "After")):
        with column:
            st.html(f'<div class="orrery-h">{when}</div>')
            sphere_view(replace(scene, selected=held, others="fitted on"), key=f"gap.{when.lower()}", height=430,
                        dark=ui.dark(), linked="gap.closing", facing=facing, data=data.ready.key)


def _fitted(data: GapData, method: str, seed: int, images: np.ndarray, texts: np.ndarray) -> FittedClosing:
    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedClosing:
        on_progress(0.1, f"Fitting: {title_of(method)}")
        return fit_closing(method, data.pairs.part(np.flatnonzero(images), np.flatnonzero(texts)), seed=seed)

    found: FittedClosing = work.result_of(f"gap.fit:{data.key}:{method}:{seed}", fit)
    return found


def _scores(settings: Settings, data: GapData) -> None:
    """What the numbers say, the figure, the table, the curve over fit size."""

    def score(on_progress: work.Progress, should_stop: work.Stop) -> ClosingReport:
        return score_closings(data.pairs, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    report: ClosingReport = work.result_of(f"gap.closings:{data.key}:{settings.seed}", score)
    st.subheader("What the numbers say", anchor=False)
    for sentence in closing_in_words(report):
        st.markdown(f"- {panels.plain(sentence, 1500)}")
    ways = {key: way for key, way in WAYS.items() if key in report.rows[0].held_out}
    if ways:
        _figures(report, ways)
    st.dataframe(closing_shown(report), hide_index=True, height="content", key="gap.closings")
    st.caption(f"Means over {report.repeats} random splits with 95 % intervals, which allow for other pairs to fit on "
               "and other queries. Change: against untouched, item by item; whether it is a gain or a loss is decided "
               "by sign flips over the items, corrected for all methods and both ways (Holm). In sample: on the pairs "
               "fitted on, in galleries of the same size.")


def _figures(report: ClosingReport, ways: dict[str, str]) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        way = state.pick_option("Retrieval", ways, key="way", widget="segments", label_visible=False)
        ui.show(figures.closing(report, way=way, dark=ui.dark()), key="gap.closing",
                how_to_read="Left: the gap is closed. Up: more queries find their own. Filled: on pairs the method was "
                            "not fitted on; hollow: on those it was fitted on. What counts is filled.",
                table=lambda: figures.closing_table(report))
    with right:
        if report.by_fit_size:
            ui.show(figures.fit_size(report, dark=ui.dark()), key="gap.fit-size",
                    how_to_read="The same held-out score when a method has fewer pairs to learn from. Below as many "
                                "pairs as dimensions, a turn that is fitted to pairs is arbitrary in the rest.",
                    table=lambda: figures.fit_size_table(report))


def closing_shown(report: ClosingReport) -> pd.DataFrame:
    """One row a method, as text: what it is fitted on, gap, R@1 held out, its change, in sample, zero-shot."""
    rows = []
    for row in report.rows:
        method = CLOSINGS.get(row.method)
        cells = {"method": title_of(row.method), "fitted on": FITS[method.fits] if method else "", "gap": say(row.gap)}
        for key, way in WAYS.items():
            if key in row.held_out:
                cells[f"R@1 {way}"] = say(row.held_out[key])
                cells[f"change, {way}"] = "" if row.method == UNTOUCHED or key not in row.change else \
                    _signed(row.change[key].change)
                cells[f"in sample, {way}"] = say(row.in_sample[key]) if key in row.in_sample else ""
        if row.accuracy is not None:
            cells["zero-shot"] = say(row.accuracy)
        rows.append(cells)
    return pd.DataFrame(rows)


def _signed(number: Number) -> str:
    value, low, high = (None if v is None else f"{round(v, 3) + 0.0:+.3f}" for v in
                        (number.value, number.low, number.high))
    return f"{value}" if low is None or high is None else f"{value} ({low} to {high})"
