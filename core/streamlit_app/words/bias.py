"""Bias: association tests of groups with words, the fairness curve, and what neither can show."""

from __future__ import annotations

import streamlit as st

from core.streamlit_app import cached, state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words import bias_fairness, bias_tests

PARTS = {"tests": "Association tests", "curve": "Fairness curve"}
CAUTION = (
    "**The words decide.** Another list for the same idea can give another answer: see below which words drive it.",
    "**Groups are groups of this data,** not of people: how pictures were taken, cut out and labelled is in every "
    "difference.",
    "**An association is not harm,** and none found is no proof of fairness: what is done with the scores decides.",
    "**Few items or few words** give wide intervals, and a p that cannot be small. Tests that were tried and not shown "
    "count too.",
)
NO_PEOPLE = ("**The built-in model knows no people:** solids, colours and places only. Here it shows how the tests "
             "work, and what they say where nobody is judged.")


def show(settings: Settings, ready: Ready) -> None:
    """The caution, and one of the two ways of looking."""
    small = ready.opened.dataset is not None and ready.has_gap and cached.encoder(settings.model_id).known_words
    with st.container(border=True, key="bias.caution"):
        st.markdown("##### What this can and cannot show")
        st.markdown("\n".join(f"- {line}" for line in (*CAUTION, *((NO_PEOPLE,) if small else ()))))
    part = state.pick_option("Look at", PARTS, key="bias", widget="segments", label_visible=False)
    (bias_tests if part == "tests" else bias_fairness).show(settings, ready)
