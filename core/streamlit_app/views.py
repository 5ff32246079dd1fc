"""Views of this visit: what the URL says, kept under a name with a note, to come back to."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

import streamlit as st

from core.streamlit_app import state


@dataclass(frozen=True)
class View:
    """A page as its URL says it, with a note."""

    name: str
    note: str
    query: dict[str, str]


def kept() -> list[View]:
    """The views of this visit."""
    return st.session_state.setdefault("views", [])


def views_panel() -> None:
    """A form that keeps the present view, and the views kept so far."""
    with st.popover("Views", icon=":material/bookmarks:"):
        with st.form("views.form", border=False, clear_on_submit=True):
            name = st.text_input("Name", key="views.name", max_chars=60, placeholder=f"View {len(kept()) + 1}")
            note = st.text_area("Note", max_chars=2000, height=80)
            if st.form_submit_button("Keep this view", icon=":material/bookmark_add:"):
                kept().append(View(name.strip() or f"View {len(kept()) + 1}", note, dict(st.query_params)))
        for i, view in enumerate(kept()):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(f"{view.name}: {view.note}" if view.note else view.name)
                st.button("Open", key=f"views.open.{i}", type="tertiary", on_click=state.open_view, args=(view.query,))
        if kept():
            st.code("?" + urlencode(kept()[-1].query), language=None, wrap_lines=True)
            st.download_button("Download", json.dumps([asdict(view) for view in kept()], indent=1),
                               "orrery-views.json", "application/json", key="views.download", on_click="ignore")
