"""What every section of the page asks of what is open: its model, vectors of texts, one image of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.encoding.encoder import Encoder
from core.encoding.registry import PHOTO
from core.streamlit_app import cached, panels, state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings

IMAGE = "image"
NO_MODEL = ("Vectors made elsewhere are open, and the model that made them is not here: it cannot read a text. Bring "
            "the pictures themselves, or open the built-in world.")
NO_LANGUAGE = ("The photo model is an ImageNet classifier: it knows 1,000 class names and reads no sentence. Choose a "
               "CLIP in the sidebar.")


def encoder_of(settings: Settings, ready: Ready) -> Encoder | None:
    """The model in use; None, which is said, where vectors made elsewhere are open."""
    if ready.opened.dataset is None:
        panels.notice(NO_MODEL, "warning")
        return None
    return cached.encoder(settings.model_id)


def reader_of(settings: Settings, ready: Ready) -> Encoder | None:
    """The model in use, where it reads sentences; None, which is said, where it does not."""
    if settings.model_id == PHOTO and ready.opened.dataset is not None:
        panels.notice(NO_LANGUAGE, "warning")
        return None
    return encoder_of(settings, ready)


def vectors_of(settings: Settings, texts: Sequence[str]) -> np.ndarray:
    """(n, d) float32 unit vectors of texts by the model in use."""
    encoder = cached.encoder(settings.model_id)
    return cached.prompt_vectors(encoder.spec.fingerprint, tuple(texts), settings.model_id)


def pick_image(ready: Ready, label: str = "Image") -> int:
    """Row of one image of what is open, by its number; the same in all sections."""
    assert ready.images is not None
    n = len(ready.images)
    row = state.pick_number(label, 0, n - 1, key=IMAGE, default=0) if n > 1 else 0
    picture = ready.pictures.whole(row)
    if picture is not None:
        st.image(picture, width=220)
    st.caption(panels.plain(ready.images.ids[row], 80))
    return row
