"""The frame of the Dataset Quality page: what it looks at, and its sections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st

from core.streamlit_app import panels, state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.sample import what_is_shown
from core.streamlit_app.quality import against, health, learning, what_if
from core.streamlit_app.quality.data import QualityData, data_of
from core.streamlit_app.quality.flagged import forget_thresholds
from core.streamlit_app.state import Settings

SECTIONS: dict[str, tuple[str, Callable[[Settings, QualityData], None]]] = {
    "health": ("Health", health.show),
    "what_if": ("What if", what_if.show),
    "against": ("A against B", against.show),
    "learning": ("What it does to learning", learning.show),
}


def show_quality(settings: Settings, ready: Ready) -> None:
    """One section at a time, of all that is open, or of a selection or sample of it."""
    ready = what_is_shown(ready)
    if not ready.has_gap:
        if ready.images is None:
            panels.notice("There are no images, and the photo model has no vectors of captions.")
            return
        if ready.texts is not None:
            panels.notice("The photo model's texts are rows of a classifier: captions are not looked at here, images "
                          "and labels are.", one_line=True)
        ready = replace(ready, texts=None, captions=(), links=np.zeros((0, 2), np.int64))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        section = state.pick_option("Section", {key: title for key, (title, _) in SECTIONS.items()}, key="quality",
                                    widget="segments", label_visible=False)
        with st.container(width=220):
            data = data_of(settings, ready)
    before = st.session_state.get("quality.of")
    st.session_state["quality.of"] = data.key
    if before not in (None, data.key):
        forget_thresholds()
    with panels.friendly_errors():
        SECTIONS[section][1](settings, data)
