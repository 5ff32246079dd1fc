"""What a page shows of data with more points than it can draw or measure fluently, and how that is said."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.figures.scenes.embedding import Points
from core.figures.scenes.thinning import MOST_POINTS, thin
from core.streamlit_app import panels
from core.streamlit_app.data.ready import Ready

MOST_KEPT = 2


def what_is_shown(ready: Ready, most: int | None = None) -> Ready:
    """All of it, or a sample of ``most`` (100,000) points, made once in a visit and said on the page."""
    most = most or MOST_POINTS
    whole = sum(0 if part is None else len(part) for part in (ready.images, ready.texts))
    if whole <= most:
        return ready
    kept: dict[tuple[str, str, int], tuple[Ready, str]] = st.session_state.setdefault("sphere.samples", {})
    key = ready.key, ready.opened.key, most
    if key not in kept:
        kept[key] = _sample(ready, whole, most)
        while len(kept) > MOST_KEPT:
            kept.pop(next(iter(kept)))
    shown, words = kept[key]
    panels.notice(words, one_line=True)
    return shown


def _sample(ready: Ready, whole: int, most: int) -> tuple[Ready, str]:
    thinned = thin(Points(ready.images, ready.texts, ready.captions, ready.links), most)
    points = thinned.points
    shown = replace(ready, images=points.images, texts=points.texts, links=points.links,
                    captions=tuple(points.captions), sampled_from=whole,
                    pictures=ready.pictures.of(thinned.images))
    shares = f"each modality and each value of “{thinned.column}”" if thinned.column else "each modality"
    return shown, (f"Shown: {len(points):,} of {whole:,} points, drawn at random (seed 0) so that {shares} keeps its "
                   f"share; texts come with their images. Maps, colours and numbers are of these points.")
