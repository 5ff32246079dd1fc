"""Ask without a browser: probabilities and accuracies of the core, its Python, hostile questions, the photo model."""

from __future__ import annotations

import json

import numpy as np

from core.language.words.questions import score
from core.streamlit_app.data.classes import labels_as_classes
from tests.pages.test_pages import HOSTILE, finished, opened, words
from tests.streamlit_app.words.test_texts import PAGE, run_python, titles


def page(**query: str):
    return opened(PAGE, words="ask", scenes="100", **query)


def test_a_question_of_the_world_is_answered_as_the_core_answers_it():
    at = page(ask_kind="solid", image="3")
    ran = run_python(at)
    found = ran["found"]
    best = int(found.probabilities[3].argmax())
    assert titles(at)[0].startswith(f"“{found.answers[best]}”: {100 * found.probabilities[3, best]:.1f} %")
    labels = ran["points"].images.table["solid"].astype(str).tolist()
    names, _ = labels_as_classes(labels)
    scored = score(found, np.array([found.answers.index(label) for label in labels]))
    assert set(names) <= set(found.answers)
    drawn = json.loads(at.get("plotly_chart")[1].proto.spec)["data"][0]
    assert len(drawn["text"]) == 3 and f"{100 * scored.right.value:.0f} % (" in titles(at)[1]
    assert f"Keep the {int((scored.hits < 0.5).sum())} that are wrong as a selection" in [b.label for b in at.button]
    at.button(key="ask.keep").click()
    finished(at.run())
    kept = at.session_state["selections"]["Wrong solid"]
    assert len(kept.image_ids) == int((scored.hits < 0.5).sum())


def test_typed_questions_odd_answers_and_statements():
    at = page(ask_kind="typed", ask_question="What colour is the cube?", ask_answers="red\nblue\ngreen")
    assert "a {} cube" in words(at).replace("\\", "") and "Column with the right answers" in [
        s.label for s in at.selectbox] and len(at.get("plotly_chart")) == 2
    at.text_input(key="ask_statement").set_value(HOSTILE)
    finished(at.run())
    assert "where the answer goes" in words(at)
    at.text_input(key="ask_statement").set_value("{} {} thing")
    at.text_area(key="ask_answers").set_value(f"{HOSTILE}\n青い\n{{0}}")
    finished(at.run())
    assert not at.exception and "never seen" in words(at) and "No column of what is open" in words(at)
    at.text_area(key="ask_answers").set_value("one")
    finished(at.run())
    assert "Type 2 to 200 answers" in words(at)
