"""Zero-shot: images against classes, how sure and how right, and what a prompt is worth; prompts that flag."""

from __future__ import annotations

from collections.abc import Callable

from core.streamlit_app import panels, state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words import asked, calibrated, decided, examples, flagged, named, templates
from core.streamlit_app.words.asked import Asked

OF_CLASSES: dict[str, tuple[str, Callable[[Settings, Ready, Asked], None]]] = {
    "named": ("Accuracy", named.show),
    "templates": ("Templates", templates.show),
    "calibration": ("Calibration", calibrated.show),
    "image": ("One image", decided.show),
    "examples": ("Worth in examples", examples.show),
}
FLAG = "flag"


def show(settings: Settings, ready: Ready) -> None:
    """What is asked of the images, and one part of the answer at a time."""
    if ready.images is None:
        panels.notice("There is no image here: zero-shot asks images. Open a dataset with images.")
        return
    part = state.pick_option("Part", {key: title for key, (title, _) in OF_CLASSES.items()} | {
        FLAG: "Sentiment and moderation"}, key="zero_part", widget="segments", label_visible=False)
    if part == FLAG:
        flagged.show(settings, ready)
        return
    found = asked.pick(settings, ready)
    if found is not None:
        OF_CLASSES[part][1](settings, ready, found)
