"""The frame of the Words and Captions page: what is open, as vectors, and its sections."""

from __future__ import annotations

from collections.abc import Callable

from core.streamlit_app import panels, state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.sample import what_is_shown
from core.streamlit_app.state import Settings
from core.streamlit_app.words import ask, bias, caption, concepts, retrieve, texts, zero_shot

SECTIONS: dict[str, tuple[str, Callable[[Settings, Ready], None]]] = {
    "zero_shot": ("Zero-shot", zero_shot.show),
    "retrieve": ("Retrieve", retrieve.show),
    "concepts": ("Concept words", concepts.show),
    "texts": ("Text geometry", texts.show),
    "caption": ("Caption", caption.show),
    "ask": ("Ask", ask.show),
    "bias": ("Bias", bias.show),
}


def show_words(settings: Settings, ready: Ready) -> None:
    """One section at a time, of all that is open, or of a selection or sample of it."""
    ready = what_is_shown(ready)
    section = state.pick_option("Section", {key: title for key, (title, _) in SECTIONS.items()}, key="words",
                                widget="segments", label_visible=False)
    with panels.friendly_errors():
        SECTIONS[section][1](settings, ready)
