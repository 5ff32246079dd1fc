"""Text geometry: sentences as paths, analogies, negation, binding and order, paraphrases."""

from __future__ import annotations

from collections.abc import Callable

from core.encoding.encoder import Encoder
from core.streamlit_app import state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words import analogies, negation, paraphrases, sentences, two_captions
from core.streamlit_app.words.data import reader_of

PARTS: dict[str, tuple[str, Callable[[Settings, Ready, Encoder], None]]] = {
    "sentences": ("Sentence paths", sentences.show),
    "two_captions": ("Binding and order", two_captions.show),
    "negation": ("Negation", negation.show),
    "analogies": ("Analogies", analogies.show),
    "paraphrases": ("Paraphrases", paraphrases.show),
}


def show(settings: Settings, ready: Ready) -> None:
    """One part at a time."""
    encoder = reader_of(settings, ready)
    if encoder is None:
        return
    part = state.pick_option("Part", {key: title for key, (title, _) in PARTS.items()}, key="texts_part",
                             widget="segments", label_visible=False)
    PARTS[part][1](settings, ready, encoder)
