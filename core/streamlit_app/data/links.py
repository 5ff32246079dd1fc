"""Whether what a page is asked to open was asked for by the visitor, or stood in the address."""

from __future__ import annotations

import streamlit as st


def of_a_link(key: str, path: str) -> bool:
    """Whether a path was neither typed into a field in this visit nor agreed to: then it stood in the address."""
    wanted: set[str] = st.session_state.setdefault(f"{key}.wanted", set())
    before = st.session_state.get(f"{key}.seen")
    st.session_state[f"{key}.seen"] = path
    if before is not None and path != before:
        wanted.add(path)
    return path not in wanted
