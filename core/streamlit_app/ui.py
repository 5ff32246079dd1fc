"""What every page begins and ends with: frame, model, data, vectors, errors in words, figures with their downloads."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.settings import settings as process_settings
from core.streamlit_app import cached, models, panels, state, style
from core.streamlit_app.data import choose, embedding
from core.streamlit_app.data.fit import say_misfit
from core.streamlit_app.data.opened import Opened, counts
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.pages import HOME, PAGES
from core.streamlit_app.panels import facts, friendly_errors, gallery, notice, refused_panel
from core.streamlit_app.state import Settings, pick_flag, pick_number, pick_option, pick_text
from core.streamlit_app.visits import visitor

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Opened", "Ready", "Settings", "begin_page", "copy_as_python", "counts", "dark", "download_table",
           "ensure_embedded", "facts", "friendly_errors", "gallery", "notice", "pick_dataset", "pick_flag",
           "pick_number", "pick_option", "pick_text", "refused_panel", "show"]


def begin_page(word: str) -> Settings:
    """The first call of the page of a subject: frame, look, and the model in the sidebar."""
    page = PAGES[word]
    state.enter_page(page.word)
    visitor()
    st.set_page_config(page_title="Orrery" if page is HOME else f"{page.title} · Orrery", page_icon=style.MARK,
                       layout="wide", initial_sidebar_state="auto")
    st.html(f"<style>{style.CSS}{style.DARK_CSS if dark() else ''}</style>")
    st.logo(style.MARK, size="large")
    _say_notices()
    with st.sidebar:
        for entry in PAGES.values():
            st.page_link(entry.path, label=entry.title, icon=entry.icon)
        model_id = models.pick_model()
    if page is not HOME:
        st.title(page.title, anchor=False)
        st.caption(page.subtitle)
    return Settings(model_id=model_id)


def _say_notices() -> None:
    """What became of the store of vectors, once a visit; a public server keeps to itself where and why."""
    known = cached.store().notices
    for said in known[st.session_state.get("store.said", 0):]:
        st.toast(panels.plain(said.what if process_settings().hosted else str(said), 600),
                 icon=":material/database_off:", duration="infinite")
    st.session_state["store.said"] = len(known)


def pick_dataset(settings: Settings) -> Opened | None:
    """The dataset that all pages share, None until something is opened; in the sidebar, the model that is behind it."""
    opened = choose.pick_dataset()
    with st.sidebar:
        if opened is not None and opened.vectors is not None:
            models.show_their_model(opened.vectors)
        else:
            models.show_state(settings.model_id)
    return opened


def ensure_embedded(model_id: str, opened: Opened) -> Ready:
    """What is open as vectors, after a word where the model never saw its like; see `data.embedding`."""
    say_misfit(model_id, opened)
    return embedding.ensure_embedded(model_id, opened)


def dark() -> bool:
    """Whether the visitor's page is dark."""
    return st.context.theme.type == "dark"


def show(figure: go.Figure, *, key: str, how_to_read: str, table: Callable[[], pd.DataFrame] | None = None,
         clicks: bool = False) -> Any:
    """A figure with how to read it, and downloads: PNG from its toolbar, HTML, and the numbers behind it as CSV.

    With ``clicks``, the ``customdata`` of the point that was clicked in this run comes back; None where none was.
    """
    name = key.replace(".", "-")
    config = {"displaylogo": False, "toImageButtonOptions": {"format": "png", "filename": name, "scale": 3}}
    if clicks:
        for trace in figure.data:
            if trace.type in ("scatter", "scattergl", "bar"):
                opacity = 1 if trace.marker.opacity is None else trace.marker.opacity
                trace.update(selected={"marker": {"opacity": opacity}}, unselected={"marker": {"opacity": opacity}})
        chosen: Any = st.plotly_chart(figure, key=key, theme=None, width="stretch", config=config, on_select="rerun",
                                      selection_mode="points")
    else:
        st.plotly_chart(figure, key=key, theme=None, width="stretch", config=config)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(how_to_read)
        with st.popover("Download", icon=":material/download:"):
            download_figure(lambda: figure, name)
            if table is not None:
                download_table(table, name)
            st.caption("PNG: the camera in the figure's toolbar.")
    return _new_click(chosen, key) if clicks else None


def _new_click(chosen: Any, key: str) -> Any:
    """What was clicked, once: Streamlit says it again in each run."""
    points = chosen.get("selection", {}).get("points", []) if chosen else []
    clicked = points[0].get("customdata") if points else None
    if isinstance(clicked, dict):       # a row of a typed array, as JSON has it
        clicked = list(clicked.values())
    seen = f"{key}.clicked"
    if clicked == st.session_state.get(seen):
        return None
    st.session_state[seen] = clicked
    return clicked


def download_figure(figure: Callable[[], go.Figure], name: str) -> None:
    """A button for a figure as one HTML file that needs no network, made when it is clicked."""
    st.download_button("HTML", lambda: figure().to_html(include_plotlyjs=True), f"{name}.html", "text/html",
                       key=f"{name}.html", on_click="ignore", icon=":material/html:")


def download_table(table: Callable[[], pd.DataFrame], name: str, *, label: str = "CSV") -> None:
    """A button for a table as CSV, made when it is clicked; cells that a spreadsheet would run are quoted."""

    def as_csv() -> bytes:
        buffer = io.StringIO()
        table().map(_harmless).to_csv(buffer, index=False)
        return buffer.getvalue().encode("utf-8-sig")

    st.download_button(label, as_csv, f"{name}.csv", "text/csv", key=f"{name}.csv", on_click="ignore",
                       icon=":material/table:")


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def as_it_was(cell: str) -> str:
    """A cell of a downloaded table without the quote that keeps a spreadsheet from running it."""
    return cell[1:] if cell[:1] == "'" and _harmless(cell[1:]) == cell else cell


def copy_as_python(code: str) -> None:
    """The few lines of core calls that make what is shown."""
    with st.popover("Python", icon=":material/code:"):
        st.code(code, language="python")


def vectors_in_store() -> str:
    """How large the store of vectors is, in words."""
    folder = cached.store().folder
    size = sum(f.stat().st_size for f in folder.glob("*") if f.is_file()) if folder.is_dir() else 0
    return f"{size / 1e6:,.1f} MB"
