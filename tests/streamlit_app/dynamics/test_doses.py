"""Doses and findings on the page: begun by a button, drawn with their tables, kept, and stopped when asked."""

from __future__ import annotations

import json
import time

import pytest
from streamlit.testing.v1 import AppTest

from core.learning.towers.setup import Setup
from core.streamlit_app.dynamics.dials import in_words

LIMIT = 240.0


def sections() -> None:
    """Both sections on few pairs and steps."""
    import streamlit as st

    from core.learning.towers.concepts import concept_lesson
    from core.learning.towers.setup import Setup
    from core.streamlit_app import panels
    from core.streamlit_app.data.opened import Opened
    from core.streamlit_app.dynamics import doses, findings
    from core.streamlit_app.dynamics.data import DynamicsData
    from core.streamlit_app.state import Settings

    findings.BASE = Setup(steps=3, batch=16)
    steps = int(st.query_params.get("steps", 3))
    lesson = concept_lesson(train=48, probe=24, seed=11)
    data = DynamicsData(Opened("w", "w"), lesson, Setup(steps=steps, batch=16, seed=50))
    with panels.friendly_errors():
        (findings if "findings" in st.query_params else doses).show(Settings(), data)


def finished(at: AppTest) -> AppTest:
    """The page, run until no work is left on it."""
    until = time.monotonic() + LIMIT
    while any(button.label == "Stop" for button in at.button):
        assert time.monotonic() < until, "work that does not end"
        at.run()
    assert not at.exception
    return at


def test_a_run_is_named_after_what_was_turned_alone():
    assert in_words(Setup(steps=100, every=1, caption_noise=0.9)) == "steps 100, caption noise 0.9"


def begun(**query: str) -> AppTest:
    at = AppTest.from_function(sections, default_timeout=LIMIT)
    for key, value in query.items():
        at.query_params[key] = value
    return at.run()


def pressed(at: AppTest, says: str) -> AppTest:
    return next(button for button in at.button if says in button.label).click().run()


def titles(at: AppTest) -> list[str]:
    return [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in at.get("plotly_chart")]


def test_a_dial_is_trained_by_a_button_and_kept() -> None:
    at = begun(dose="projection", dose_seeds="3")
    assert not titles(at) and "Train 6 times (about" in next(b.label for b in at.button if "Train" in b.label)
    at = finished(pressed(at, "Train 6 times"))
    assert titles(at)[0].startswith("Projection: R@1 One for each") and "3 seeds" in titles(at)[0]
    said = " ".join(str(html.proto.body) for html in at.get("html"))
    assert "One for both less One for each" in said and "3 seeds" in said
    code = at.code[0].value
    assert "dose_response(lesson, 'projection', setup, seeds=3)" in code and "Setup(seed=50, steps=3, batch=16)" in code
    again = begun(dose="projection", dose_seeds="3")
    assert titles(finished(again)) == titles(at), "another visit reads what is kept, and needs no button"
    more = begun(dose="projection", dose_seeds="4")
    assert any("Train 2 times" in button.label and "6 are kept" in button.label for button in more.button)


def test_a_dose_is_stopped_and_the_page_says_so() -> None:
    at = pressed(begun(dose="blur", dose_seeds="3", steps="20000"), "Train 12 times")
    stop = next(button for button in at.button if button.label == "Stop")
    asked = time.monotonic()
    at = finished(stop.click().run())
    assert time.monotonic() - asked < 60
    assert any("Stopped, as asked" in str(html.proto.body) for html in at.get("html"))
    assert any("Train 12 times" in button.label for button in at.run().button), "it can be started again"


def test_each_experiment_has_a_button_and_an_answer() -> None:
    at = begun(findings="1")
    assert [head.value for head in at.subheader][:2] == ["The gap before training", "Temperature and gap"]
    assert sum(button.label.startswith("Train ") for button in at.button) == 5
    at = finished(pressed(at, "Train 10 times"))
    bold = [text.value for text in at.markdown if text.value.startswith("**")]
    assert len(bold) == 1 and "Before any training the gap is" in bold[0]
    assert len(titles(at)) == 1 and sum(button.label.startswith("Train ") for button in at.button) == 4
    assert any(button.label.startswith("Run it") for button in at.button)
    assert "run('gap_at_start', lesson)" in at.code[0].value


@pytest.mark.parametrize("query", [{"dose": "colour"}, {"dose": "blur", "dose_seeds": "-4"}])
def test_an_address_that_says_nonsense_is_borne(query: dict[str, str]) -> None:
    at = begun(**query)
    assert not at.exception and any("Train" in button.label for button in at.button)
