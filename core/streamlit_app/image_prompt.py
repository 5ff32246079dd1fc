"""Search by an image: a visitor's upload, decoded safely, embedded by the model at hand, and placed like a prompt."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.errors import OrreryError
from core.geometry.sphere import unit
from core.sources.images import decode_image
from core.streamlit_app import cached, panels
from core.streamlit_app.state import Settings

TYPES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff")
MOST_MEGABYTES = 20
MOST_KEPT = 16


def pick_image(settings: Settings) -> tuple[str, np.ndarray] | None:
    """The name and the (1, d) float32 unit vector of an uploaded image; None without one. Refusals become a panel."""
    upload = st.file_uploader("Or an image to search with; it becomes a point too", type=list(TYPES),
                              key="prompt.image", max_upload_size=MOST_MEGABYTES)
    if upload is None:
        return None
    encoder = cached.encoder(settings.model_id)
    vectors: dict[tuple[str, str], np.ndarray | OrreryError] = st.session_state.setdefault("prompt.image.vectors", {})
    key = encoder.spec.fingerprint, upload.file_id
    if key not in vectors:
        try:
            vectors[key] = unit(encoder.encode_images([decode_image(upload.getvalue(), upload.name)]))
        except OrreryError as error:
            vectors[key] = error
        while len(vectors) > MOST_KEPT:
            vectors.pop(next(iter(vectors)))
    found = vectors[key]
    if isinstance(found, OrreryError):
        panels.error_panel(found)
        return None
    return f"image {upload.name}"[:200], found
