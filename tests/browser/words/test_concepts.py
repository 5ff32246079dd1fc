"""Concept words in a real browser: of an image, a selection and an own list, and the gap axis on its own page."""

from __future__ import annotations

import re

import pytest

from core.encoding.embedding import embed_with
from core.geometry.concepts import explain
from core.language.vocabularies import concepts_of, read_vocabulary, vocabulary
from core.sources.solids.world import open_world
from tests.browser.foveal.test_look import table
from tests.browser.objects.test_objects import finding
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, in_view, still

OWN = b"red\nblue\nstriped\ncube\ncone\nzebra\n"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def test_what_is_told_in_words_is_what_the_core_finds(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Words_and_Captions?words=concepts&scenes=100&image=3")
    world = embed_with("builtin", open_world(100))
    x, concepts = world.images.vectors, concepts_of("builtin", vocabulary("world"))

    own = explain(x[[3]], x, concepts.axes)
    title = finding(page, "concepts.said", "carry cosine")
    assert f"{len(own.order)} words carry cosine {own.cosine.value:.2f}" in title
    rows = table(page, "concepts.said")
    assert [row["word"] for row in rows] == [concepts.words[i] for i in own.order]
    assert [float(row["weight"]) for row in rows] == pytest.approx(own.weights[own.order].tolist(), abs=1e-6)

    in_view(page.get_by_text("A cluster", exact=True))
    page.get_by_text("A cluster", exact=True).click()
    keep = page.get_by_role("button", name="Keep this cluster as a selection")
    keep.wait_for(timeout=LONG)
    finding(page, "concepts.said", "carr")
    still(page)
    cluster = float(table(page, "concepts.said")[0]["cosine of the sum"])
    in_view(keep)
    keep.click()
    page.get_by_text(re.compile("Kept as .*group 1 of 8")).first.wait_for(timeout=LONG)
    still(page)
    page.get_by_text("A selection", exact=True).click()
    page.get_by_text("Selection to tell").wait_for(timeout=LONG)
    still(page)
    assert float(table(page, "concepts.said")[0]["cosine of the sum"]) == pytest.approx(cluster)
    assert float(table(page, "concepts.said")[0]["stays in draws"]) > 0.5

    still(page)
    page.get_by_text("An image", exact=True).click()
    still(page)
    words = page.locator(".st-key-concept_list")
    in_view(words)
    words.get_by_role("combobox").click()
    page.get_by_role("option", name="A list of your own").click()
    field = page.locator(".st-key-concept\\.file input[type=file], .st-key-concept-file input[type=file]")
    field.wait_for(state="attached", timeout=LONG)
    field.set_input_files([{"name": "own.txt", "mimeType": "text/plain", "buffer": OWN}])
    page.get_by_text("1 word is left out, since the model does not know them: zebra").wait_for(timeout=LONG)
    still(page)
    few = concepts_of("builtin", read_vocabulary(OWN, "own.txt"))
    told = explain(x[[3]], x, few.axes)
    rows = table(page, "concepts.said")
    assert [row["word"] for row in rows] == [few.words[i] for i in told.order]
    assert float(rows[0]["cosine of the sum"]) == pytest.approx(told.cosine.value, abs=1e-6)
    no_traceback(page)


def test_the_gap_axis_is_told_on_its_own_page(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Modality_Gap?scenes=100&gap_axis_words=1&concept_penalty=0.05")
    world = embed_with("builtin", open_world(100))
    axes = concepts_of("builtin", vocabulary("world")).axes
    towards = explain(world.images.vectors, world.texts.vectors, axes, kind="difference", penalty=0.05)
    finding(page, "gap_axis.said", "Towards images")
    still(page)
    rows = [row for row in table(page, "gap_axis.said") if row["of"] == "images"]
    assert len(rows) == len(towards.order)
    assert float(rows[0]["cosine of the sum"]) == pytest.approx(towards.cosine.value, abs=1e-5)
    assert float(rows[0]["by chance"]) == pytest.approx(towards.cosine.null, abs=1e-5)
    no_traceback(page)
