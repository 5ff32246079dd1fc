"""Look: what the model attends to before and after the foveal mask, and what the prompts get."""

from __future__ import annotations

import streamlit as st

from core.streamlit_app import panels
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.state import Settings


def show(settings: Settings, data: FovealData) -> None:
    """Attention by layer and head, rollout, and probabilities of the prompts, before and after."""
    if data.region is None:
        panels.notice("Draw a box on the picture, or pick a region, to see what a mask on it changes.")
    st.caption(f"{len(data.prompts)} prompts")
