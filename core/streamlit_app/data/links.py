"""Whether what a page is asked to open was asked for by the visitor, or stood in the address."""

from __future__ import annotations

import streamlit as st

from core.streamlit_app import panels


def wanted(key: str, path: str) -> bool:
    """Whether a path was typed into a field in this visit, or is agreed to; one that stood in the address is asked.

    Parameters
    ----------
    key : of the field.
    path : what stands in it.
    """
    known: set[str] = st.session_state.setdefault(f"{key}.wanted", set())
    before = st.session_state.get(f"{key}.seen")
    st.session_state[f"{key}.seen"] = path
    if before is not None and path != before:
        known.add(path)
    if path in known:
        return True
    panels.notice(f"The address names something on this machine: {path}. It is not opened unasked.", "warning")
    if st.button("Yes, open it", type="primary", icon=":material/folder_open:", key=f"{key}.yes"):
        known.add(path)
        st.rerun()
    return False
