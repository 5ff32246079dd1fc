"""The matrix of all cosines on the page, with a click on a cell that shows both items."""

from __future__ import annotations

import streamlit as st

from core.figures import gap_matrix as figures
from core.geometry.gap.reports import SimilarityMatrix
from core.geometry.gap.seriation import similarity_matrix
from core.streamlit_app import gap_python, state, ui, work
from core.streamlit_app.gap_data import GapData
from core.streamlit_app.state import Settings

MOST = 400


def show(settings: Settings, data: GapData) -> None:
    """All cosines of up to some hundred images and texts, like beside like."""
    st.subheader("All cosines", anchor=False)
    most = max(1, min(MOST, max(len(data.pairs.images), len(data.pairs.texts))))

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> SimilarityMatrix:
        on_progress(0.1, "Ordering images and texts, like beside like")
        return similarity_matrix(data.pairs, most=most, seed=settings.seed)

    report: SimilarityMatrix = work.result_of(f"gap.matrix:{data.ready.key}:{most}:{settings.seed}", measure)
    scale = state.pick_option("Colours", figures.SCALES, key="matrix_scale", widget="segments", label_visible=False)
    names = data.ready.images.ids if data.ready.images else (), data.ready.captions
    ui.show(figures.matrix(report, scale=scale, images=names[0], texts=names[1], dark=ui.dark()), key="gap.matrix",
            how_to_read="Dark to bright: low to high cosine. On one scale the gap is the dim blocks across; a scale "
                        "for each block shows the diagonal of pairs in them.",
            table=lambda: figures.matrix_table(report, *names))
    ui.copy_as_python(gap_python.matrix(settings, data, most))
