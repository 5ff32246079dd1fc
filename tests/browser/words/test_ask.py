"""Ask in a real browser: a question, its probability, accuracy over a column beside no image, the wrong ones kept."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.encoding.embedding import embed_with
from core.encoding.models import load_model
from core.language.words.questions import answer, score, statements
from core.sources.solids.vocabulary import ATTRIBUTES
from core.sources.solids.world import open_world
from tests.browser.foveal.test_refer import table_of
from tests.browser.objects.test_objects import finding
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, still

PAGE = "Words_and_Captions"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def test_a_question_is_asked_scored_beside_no_image_and_the_wrong_are_kept(browser_page, address):
    page, names = browser_page, list(ATTRIBUTES["solid"])
    page.goto(f"{address}/{PAGE}?scenes=100&words=ask&ask_kind=typed&ask_question=Where+is+it%3F&image=5&ask_answers="
              + "%0A".join(names))
    page.get_by_text("Asked as: a photo {}").wait_for(timeout=LONG)
    still(page)
    field = page.get_by_role("textbox", name="Question")
    field.fill("What is in the picture?")
    field.press("Enter")
    page.get_by_text("Asked as: a photo of a {}").wait_for(timeout=LONG)
    images = embed_with("builtin", open_world(100)).images
    found = answer(load_model("builtin"), images.vectors, images.norms, names, statements("a photo of a {}", names),
                   images.vectors, images.norms)
    best = names[int(found.probabilities[5].argmax())]
    finding(page, "ask.answers", f"“{best}”: {100 * found.probabilities[5].max():.1f}")
    rows = table_of(page, "ask-answers")
    np.testing.assert_allclose([float(row["probability"]) for row in rows], found.probabilities[5], atol=1e-4)
    np.testing.assert_allclose([float(row["probability without an image"]) for row in rows], found.without, atol=1e-4)
    scored = score(found, np.array([names.index(v) for v in images.table["solid"].astype(str)]))
    rows = {row["what"]: row for row in table_of(page, "ask-scored")}
    assert float(rows["with the image"]["share"]) == pytest.approx(scored.right.value)
    assert float(rows["without an image"]["share"]) == pytest.approx(scored.without.value)
    wrong = int((scored.hits < 0.5).sum())
    page.get_by_role("button", name=f"Keep the {wrong} that are wrong as a selection").click()
    page.get_by_text(re.compile(rf"Kept as .*Wrong solid.*{wrong} images")).first.wait_for(timeout=LONG)
    no_traceback(page)
