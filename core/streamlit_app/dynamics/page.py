"""The frame of the Learning Dynamics page: what is learnt, the dials, and the sections."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.learning.towers.setup import Setup
from core.streamlit_app import panels, state
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.dynamics import checkpoints, doses, findings, flow, runs, take, watch
from core.streamlit_app.dynamics.data import DynamicsData
from core.streamlit_app.dynamics.dials import pick_setup
from core.streamlit_app.dynamics.lesson import pick_lesson
from core.streamlit_app.state import Settings

SECTIONS: dict[str, tuple[str, Callable[[Settings, DynamicsData], None]]] = {
    "watch": ("Train live", watch.show),
    "flow": ("Flow field", flow.show),
    "any": ("Any dimension", checkpoints.show),
    "doses": ("Dose and response", doses.show),
    "findings": ("Findings", findings.show),
}
TURNED = ("watch", "doses")     # sections whose trainings the dials change


def show_dynamics(settings: Settings, opened: Opened) -> None:
    """One section at a time; runs go on while others are looked at."""
    lesson = pick_lesson(opened)
    section = state.pick_option("Section", {key: title for key, (title, _) in SECTIONS.items()}, key="dynamics",
                                widget="segments", label_visible=False)
    with st.container(horizontal=True, vertical_alignment="center", key="dynamics.bar"):
        setup = pick_setup(world=lesson.world) if section in TURNED else Setup()
        data = DynamicsData(opened, lesson, setup, runs.records())
        with panels.friendly_errors():
            take.show(settings, data)
    with panels.friendly_errors():
        SECTIONS[section][1](settings, data)
