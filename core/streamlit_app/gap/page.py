"""The frame of the Modality Gap page: what it measures, what is odd about that, and its sections."""

from __future__ import annotations

from collections.abc import Callable

from core.streamlit_app import panels, state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.sample import what_is_shown
from core.streamlit_app.gap import close, compare, explain, images, measure, see, why
from core.streamlit_app.gap.data import MOST_POINTS, GapData, gap_pairs, lacks, what_is_odd
from core.streamlit_app.state import Settings

SECTIONS: dict[str, tuple[str, Callable[[Settings, GapData], None]]] = {
    "see": ("See it", see.show),
    "measure": ("Measure it", measure.show),
    "explain": ("Explain it", explain.show),
    "close": ("Close it", close.show),
    "compare": ("Compare models", compare.show),
    "why": ("Why 0.25?", why.show),
}


def show_gap(settings: Settings, ready: Ready) -> None:
    """One section at a time; what none of them can do with these data is said first."""
    if ready.images is not None and not ready.has_gap:
        panels.notice(images.WHY_NO_GAP)
        with panels.friendly_errors():
            images.show(settings, what_is_shown(ready, MOST_POINTS))
        return
    missing = lacks(ready)
    if missing:
        panels.notice(missing)
        return
    ready = what_is_shown(ready, MOST_POINTS)
    data = GapData(ready, gap_pairs(ready))
    section = state.pick_option("Section", {key: title for key, (title, _) in SECTIONS.items()}, key="gap",
                                widget="segments", label_visible=False)
    odd = what_is_odd(data.pairs)
    if odd:
        panels.notice(" ".join(odd), one_line=True)
    with panels.friendly_errors():
        SECTIONS[section][1](settings, data)
