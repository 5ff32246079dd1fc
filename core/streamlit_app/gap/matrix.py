"""The matrix of all cosines on the page: a click on a cell shows both items and what their cosine is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.figures.frame import among
from core.figures.gap import matrix as figures
from core.figures.gap.matrix import Cell
from core.geometry.gap.reports import SimilarityMatrix
from core.geometry.gap.seriation import MOST_ITEMS, similarity_matrix
from core.geometry.neighbours import percentile
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.card import image_card
from core.streamlit_app.gap import python
from core.streamlit_app.gap.data import GapData
from core.streamlit_app.live.matrix_view import matrix_view
from core.streamlit_app.state import Settings

if TYPE_CHECKING:
    import plotly.graph_objects as go

CELL = "cell"
_KINDS = {("image", "image"): "two images", ("text", "text"): "two texts"}


def show(settings: Settings, data: GapData) -> None:
    """All cosines of up to 1,000 images and as many texts, like beside like."""
    most = MOST_ITEMS // 2

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> SimilarityMatrix:
        on_progress(0.1, "Ordering images and texts, like beside like")
        return similarity_matrix(data.pairs, most=most, seed=settings.seed)

    st.subheader("All cosines, like beside like", anchor=False)
    report: SimilarityMatrix = work.result_of(f"gap.matrix:{data.ready.key}:{most}:{settings.seed}", measure)
    _live(settings, data, report, most)


@st.fragment
def _live(settings: Settings, data: GapData, report: SimilarityMatrix, most: int) -> None:
    """A click redraws this part alone."""
    assert data.ready.images is not None
    names = data.ready.images.ids, data.ready.captions
    left, right = st.columns([1.7, 1], gap="medium")
    with left:
        scale = state.pick_option("Colours", figures.SCALES, key="matrix_scale", widget="segments",
                                  label_visible=False)
        picked = _picked(report)
        clicked = matrix_view(report, key="gap.matrix", scale=scale, images=names[0], texts=names[1], height=640,
                              picked=picked)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Point at a cell, scroll to come nearer, click for both items. On one scale the gap is the "
                       "block across, images with texts; a scale for each block shows the pairs in it.")
            with st.popover("Download", icon=":material/download:"):
                ui.download_figure(lambda: _figure(report, scale, data), "gap-matrix")
                ui.download_table(lambda: figures.matrix_table(report, *names), "gap-matrix")
                st.caption("PNG: the button in the matrix.")
            ui.copy_as_python(python.matrix(settings, data, most))
    if clicked is not None and clicked != picked:
        state.kept()[CELL] = f"{clicked.row},{clicked.column}"
        state.write_url(CELL, str(state.kept()[CELL]))
        st.rerun(scope="fragment")
    with right:
        _card(data, report, picked)


def _figure(report: SimilarityMatrix, scale: str, data: GapData) -> go.Figure:
    assert data.ready.images is not None
    return figures.matrix(report, scale=scale, images=data.ready.images.ids, texts=data.ready.captions, dark=ui.dark())


def _picked(report: SimilarityMatrix) -> Cell | None:
    """The cell that was clicked, here or in a link."""
    row, _, column = str(st.query_params.get(CELL) or state.kept().get(CELL) or "").partition(",")
    if not (row.isdecimal() and column.isdecimal()) or max(int(row), int(column)) >= len(report.cosines):
        return None
    return figures.cell_of(report, int(column), int(row))


def _card(data: GapData, report: SimilarityMatrix, cell: Cell | None) -> None:
    """Both items of a cell and their cosine with its percentile among unrelated ones."""
    if cell is None:
        panels.notice("Click a cell: its two items stand here.")
        return
    others = cached.unmatched(data.ready.key, cell.row_modality, cell.column_modality, data.ready)
    kind = _KINDS.get((cell.row_modality, cell.column_modality),
                      "an image and its own text" if cell.matched else "an image and another text")
    rank = percentile(cell.cosine, others)
    st.metric(f"Cosine of {kind}", f"{cell.cosine:.3f}")
    if rank == rank:
        st.caption(f"Higher than {among(rank, len(others))} cosines of such two that do not belong together.")
    for side, modality, row in (("Row", cell.row_modality, cell.row_item),
                                ("Column", cell.column_modality, cell.column_item)):
        _item(data, side, modality, row)


def _item(data: GapData, side: str, modality: str, row: int) -> None:
    st.html(f'<div class="orrery-h">{side}: {modality}</div>')
    if modality == "image":
        assert data.ready.images is not None
        name = data.ready.images.ids[row]
        image_card(data.ready, row, name)
        st.caption(panels.plain(name))
    else:
        st.html(f'<div class="orrery-card"><blockquote>{panels.text_html(data.ready.captions[row], 600)}</blockquote>'
                "</div>")
