"""A against B: are they samples of one distribution, where do they differ, and of what are they composed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.figures.quality import against as figures
from core.geometry.quality.against import Against, compare
from core.geometry.quality.shared import AgainstRandom, against_random
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.concepts import Direction, show_below
from core.streamlit_app.quality import composed, python, where
from core.streamlit_app.quality.data import QualityData
from core.streamlit_app.quality.second import pick_two
from core.streamlit_app.quality.sides import Sides, sides_of, without_shared
from core.streamlit_app.state import Settings
from core.types import fingerprint


def show(settings: Settings, data: QualityData) -> None:
    """What is compared, then one of three questions."""
    two = pick_two(settings, data)
    if two is None:
        return
    sides = sides_of(settings, data, two)
    if sides is None:
        return
    shared, here = sides.shared, sides
    if shared.meaningless:
        less = without_shared(settings, data, sides)
        if less is None:
            panels.notice(f"A and B share {shared.count:,} {sides.of}s ({100 * shared.of_a:.0f} % of A, "
                          f"{100 * shared.of_b:.0f} % of B), and nearly nothing else: they are not two samples.",
                          "warning")
            if two.kept is not None:
                _beside_subsets(settings, data, two.kept)
            return
        panels.notice(f"Both hold the same {shared.count:,} {sides.of}s ({100 * shared.of_a:.0f} % of A, "
                      f"{100 * shared.of_b:.0f} % of B). They are left out of both here: two samples share nothing.",
                      "warning", one_line=True)
        here = less
    sizes = [len(x) for x in here.vectors]
    st.text(f"A: {two.names[0]}, {sizes[0]:,} {sides.of}s.  B: {two.names[1]}, {sizes[1]:,} {sides.of}s.")
    part = state.pick_option("Question", {key: title for key, (title, _) in QUESTIONS.items()}, key="against",
                             widget="segments", label_visible=False)
    QUESTIONS[part][1](settings, data, here)
    show_below(settings, here.a.ready, lambda: Direction(here.short, *here.vectors, "difference"), key="quality_apart",
               label="What tells A from B, in words")


def _apart(settings: Settings, data: QualityData, sides: Sides) -> None:
    """The statistics beside two halves of one set and dealt labels."""

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Against:
        return compare(*sides.vectors, together=sides.together, seed=settings.seed, on_progress=on_progress,
                       should_stop=should_stop)

    found: Against = work.result_of(fingerprint("against", sides.key, settings.seed), measure)
    if found.reason:
        panels.notice(f"Nothing can be measured: {found.reason}.")
        if sides.two.kept is not None:
            _beside_subsets(settings, data, sides.two.kept)
        return
    ui.show(figures.against(found, sides.short, dark=ui.dark()), key="quality.statistics",
            how_to_read=figures.CAPTION, table=lambda: figures.against_table(found))
    st.dataframe(figures.against_table(found), hide_index=True, height="content", key="quality.statistics.table",
                 column_config={"statistic": st.column_config.Column(width=200)})
    for note in found.notes:
        panels.notice(note, one_line=True)
    if sides.two.kept is not None:
        _beside_subsets(settings, data, sides.two.kept)
    ui.copy_as_python(python.against(settings, sides.a, sides.of))


def _beside_subsets(settings: Settings, data: QualityData, kept: np.ndarray) -> None:
    """How well what is kept stands for the whole, beside random subsets of its size."""
    items = data.looked.items
    whole = items.images if items.images is not None and len(kept) == items.n_images else items.texts
    assert whole is not None

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> AgainstRandom:
        return against_random(kept, whole, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    found: AgainstRandom = work.result_of(fingerprint("subsets", data.key, kept, settings.seed), measure)
    st.subheader("What is kept, beside random subsets of its size", anchor=False)
    if found.reason:
        panels.notice(f"Nothing can be measured: {found.reason}.")
        return
    ui.show(figures.kept(found, dark=ui.dark()), key="quality.subsets", how_to_read=figures.CAPTION_OF_KEPT,
            table=lambda: figures.kept_table(found))
    for note in found.notes:
        panels.notice(note, one_line=True)


QUESTIONS: dict[str, tuple[str, Callable[[Settings, QualityData, Sides], None]]] = {
    "apart": ("Are they told apart?", _apart), "where": ("Where do they differ?", where.show),
    "composed": ("Of what are they composed?", composed.show),
}
