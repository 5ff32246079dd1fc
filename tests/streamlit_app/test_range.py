"""A slider of two ends: its values stand in the URL, and what a URL says wrongly does no harm."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from core.streamlit_app import state

    state.enter_page("range")
    st.text(state.pick_range("Steps", [0, 10, 20, 30, 40, 50, 60, 70, 100], key="ends", default=(10, 20)))


@pytest.mark.parametrize(("asked", "there"), [(None, (10, 20)), ("31-60", (30, 60)), ("60-30", (30, 60)),
                                              ("40-900", (40, 100)), ("none", (10, 20)), ("-5-3", (10, 20))])
def test_ends_come_from_the_url_as_far_as_they_can(asked, there):
    at = AppTest.from_function(page, default_timeout=60)
    if asked is not None:
        at.query_params["ends"] = asked
    at.run()
    assert not at.exception
    assert at.text[0].value == str(there)
    at.select_slider[0].set_range(50, 70).run()
    assert at.text[0].value == "(50, 70)" and "50-70" in at.query_params["ends"]
    at.select_slider[0].set_range(10, 20).run()
    assert "ends" not in at.query_params
