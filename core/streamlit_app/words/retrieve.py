"""Retrieve: a query and what it finds, R@k and hubs on pairs, and what feedback does over many queries."""

from __future__ import annotations

from collections.abc import Callable

from core.streamlit_app import state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.retrieval import many, pairs, search

PARTS: dict[str, tuple[str, Callable[[Settings, Ready], None]]] = {
    "search": ("Search", search.show),
    "pairs": ("R@k and hubs", pairs.show),
    "many": ("Feedback over many queries", many.show),
}


def show(settings: Settings, ready: Ready) -> None:
    """One part at a time."""
    part = state.pick_option("Part of Retrieve", {key: title for key, (title, _) in PARTS.items()}, key="retrieve",
                             widget="segments", label_visible=False)
    PARTS[part][1](settings, ready)
