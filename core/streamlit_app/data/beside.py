"""What other pages of this visit have open as vectors: films and views of objects, which a caption can be asked of."""

from __future__ import annotations

import streamlit as st

from core.streamlit_app.data.ready import Ready


def note(page: str, ready: Ready, column: str) -> None:
    """Say that a page has this open, whose images belong together where a column of their table says so."""
    st.session_state.setdefault("beside", {})[page] = ready, column


def noted(model_id: str) -> dict[str, tuple[Ready, dict[str, list[int]]]]:
    """By page, what it has open by this model, and the rows of each value of its column."""
    found = {}
    for page, (ready, column) in st.session_state.get("beside", {}).items():
        if ready.images is None or ready.images.model.id != model_id or column not in ready.images.table:
            continue
        groups: dict[str, list[int]] = {}
        for row, value in enumerate(ready.images.table[column].astype(str)):
            groups.setdefault(value, []).append(row)
        found[page] = ready, groups
    return found
