"""See the gap: two caps on the sphere, cosines within and across the modalities, all cosines as a matrix."""

from __future__ import annotations

import streamlit as st

from core.figures.gap import shift as figures
from core.geometry.gap.landscape import SHIFTS
from core.geometry.gap.profiles import cosine_histograms
from core.geometry.gap.reports import CosineHistograms
from core.geometry.pairs import Pairs
from core.geometry.shift import shifted
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.concepts import Direction, show_below
from core.streamlit_app.gap import matrix, python, sentences
from core.streamlit_app.gap.clouds import fitted, moved_scene, untouched_scene
from core.streamlit_app.gap.data import GapData
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.state import Settings


def show(settings: Settings, data: GapData) -> None:
    """The sphere and the cosines at the chosen shift, the gap axis in words, then the matrix."""
    fitted(data, settings.seed)
    _live(settings, data)
    show_below(settings, data.ready, lambda: Direction(("images", "texts"), data.pairs.images, data.pairs.texts,
                                                       "difference"), key="gap_axis", label="The gap axis in words")
    matrix.show(settings, data)


def pick_shift() -> float:
    """The shift along the gap, in the steps of the landscape."""
    return state.pick_number("Shift λ: images less λ gaps, texts plus λ gaps", float(SHIFTS[0]), float(SHIFTS[-1]),
                             key="shift", default=0.0, step=float(SHIFTS[1] - SHIFTS[0]),
                             help="0: as the model made them. ½: closed. 1: open again, with the sides changed.")


def histograms_of(data: GapData, pairs: Pairs, what: str, seed: int) -> CosineHistograms:
    """Cosines by kind of pair; made once."""

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> CosineHistograms:
        on_progress(0.1, "Cosines within and across the modalities")
        return cosine_histograms(pairs, seed=seed)

    found: CosineHistograms = work.result_of(f"gap.cosines:{data.ready.key}:{what}:{seed}", measure)
    return found


@st.fragment
def _live(settings: Settings, data: GapData) -> None:
    """A new shift redraws this part alone."""
    left, right = st.columns([1.15, 1], gap="medium")
    with left:
        lam = pick_shift()
        arcs = state.pick_flag("Arcs between pairs", key="gap_arcs", disabled=not len(data.pairs.links))
    pairs = shifted(data.pairs, lam)
    with right:
        before = histograms_of(data, data.pairs, "untouched", settings.seed)
        after = histograms_of(data, pairs, f"shift {lam:g}", settings.seed) if lam else None
        for sentence in sentences.cosines_in_words(after or before):
            st.markdown(panels.plain(sentence))
        ui.show(figures.histograms(before, after, dark=ui.dark()), key="gap.cosines",
                how_to_read="Above: two images, or two texts. Below: an image with its own text, and with others. "
                            "Where the lower curves lie left of the upper ones, the modalities lie apart.",
                table=lambda: figures.histograms_table(before, after))
    with left:
        placed = fitted(data, settings.seed)
        scene = untouched_scene(data, placed, arcs=arcs)
        if lam:
            scene = moved_scene(data, placed, pairs, ("shift", lam), f"Shifted by λ = {lam:g}.", arcs=arcs)
        sphere_view(scene, key="gap.sphere", height=560, dark=ui.dark(), data=data.ready.key)
        ui.copy_as_python(python.see(settings, data, lam))
