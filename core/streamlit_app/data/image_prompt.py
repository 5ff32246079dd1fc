"""Search by an image: a visitor's upload, decoded safely, embedded by the model at hand, and placed like a prompt."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from core.errors import OrreryError
from core.geometry.directions import unit
from core.sources.images.readers import decode_image
from core.streamlit_app import cached, panels, uploads
from core.streamlit_app.state import Settings

TYPES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff")
MOST_MEGABYTES = 20
MOST_KEPT = 16
SIDE = 480


@dataclass(frozen=True)
class SearchImage:
    """An image to search with: what it is called, its (1, d) float32 unit vector, and a WebP of it to look at."""

    name: str
    vector: np.ndarray = field(compare=False)
    picture: bytes


def pick_image(settings: Settings, label: str = "Or an image to search with; it becomes a point too"
               ) -> SearchImage | None:
    """An uploaded image; None without one. Refusals become a panel."""
    upload = st.file_uploader(label, type=list(TYPES), key="prompt.image", max_upload_size=MOST_MEGABYTES)
    if (over := uploads.refusal()) is not None:
        panels.error_panel(over)
        return None
    if upload is None:
        return None
    encoder = cached.encoder(settings.model_id)
    known: dict[tuple[str, str], SearchImage | OrreryError] = st.session_state.setdefault("prompt.image.known", {})
    key = encoder.spec.fingerprint, upload.file_id
    if key not in known:
        try:
            image = decode_image(upload.getvalue(), upload.name)
            vector = unit(encoder.encode_images([image]))
            image.thumbnail((SIDE, SIDE))
            out = io.BytesIO()
            image.save(out, "WEBP", quality=88)
            known[key] = SearchImage(f"image {upload.name}"[:200], vector, out.getvalue())
        except OrreryError as error:
            known[key] = error
        while len(known) > MOST_KEPT:
            known.pop(next(iter(known)))
    found = known[key]
    if isinstance(found, OrreryError):
        panels.error_panel(found)
        return None
    return found
