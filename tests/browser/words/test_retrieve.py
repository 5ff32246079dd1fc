"""Retrieve in a real browser: a signed query, two hits marked, its path on the sphere, R@k, hubs kept."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.encoding.embedding import embed_with
from core.geometry.directions import angle, unit
from core.geometry.feedback import Round, path
from core.geometry.hubs import hubs_among
from core.geometry.queries import Part
from core.geometry.retrieval import recalls
from core.sources.solids.world import open_world
from tests.browser.foveal.test_refer import table_of
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, exactly, in_view, still

SPHERE = "window.__orrery_sphere['retrieve.sphere']"
ASKED = "words=retrieve&scenes=100&retrieve_parts=2&retrieve_text2=a%20cube&retrieve_weight2=-0.5"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


@pytest.fixture(scope="module")
def world():
    return embed_with("builtin", open_world(100))


def found(scores: np.ndarray, marked: tuple[int, ...] = ()) -> list[int]:
    return [row for row in np.argsort(-scores, kind="stable").tolist() if row not in marked][:12]


def shows(page, ids: tuple[str, ...], rows: list[int], scores: np.ndarray) -> None:
    """Wait until the gallery holds these images, in this order, with their cosines."""
    tiles = page.locator(".st-key-retrieve-hits figcaption")
    tiles.first.filter(has_text=f"cosine {scores[rows[0]]:.3f}").wait_for(timeout=LONG)
    still(page)
    exactly(tiles, len(rows))
    for text, row in zip(tiles.all_inner_texts(), rows):
        assert ids[row] in text and f"cosine {scores[row]:.3f}" in text


def test_a_signed_query_is_moved_by_marks_and_hubs_are_kept(browser_page, address, world):
    from core.encoding.models import load_model

    page, x, y, ids = browser_page, world.images.vectors, world.texts.vectors, world.images.ids
    texts = unit(load_model("builtin").encode_texts(["a red cube", "a cube"]))
    parts = [Part(texts[0], 1.0, "text"), Part(texts[1], -0.5, "text")]
    before = x @ path(parts, x, "image", [])[0]
    first = found(before)

    page.goto(f"{address}/Words_and_Captions?{ASKED}")
    page.get_by_role("heading", name="Words and Captions").wait_for(timeout=LONG)
    shows(page, ids, first, before)
    for row, button in ((first[0], 0), (first[3], 1)):
        mark = page.locator(f".st-key-retrieve-mark-0-image-{row} button").nth(button)
        mark.click()
        still(page)
    page.get_by_role("button", name="Move the query by the marks").click()
    steps = path(parts, x, "image", [Round((first[0],), (first[3],))])
    turned = np.degrees(float(angle(steps[0], steps[1])))
    page.get_by_text(f"1 round of marks moved the query by {turned:.1f}°").wait_for(timeout=LONG)
    after = x @ steps[1]
    shows(page, ids, found(after, (first[0], first[3])), after)
    assert f"_r{first[0]}w{first[3]}" in page.url

    in_view(page.locator(".st-key-retrieve-sphere"))
    page.wait_for_function(f"{SPHERE}?.frames() > 0 && {SPHERE}.count() === 202", timeout=LONG)
    said = page.evaluate(f"JSON.stringify({SPHERE}.labels())")
    assert "as asked" in said and "round 1" in said
    page.get_by_text(re.compile(r"1 round of marks moved the query by \d+° of the true sphere")).first.wait_for()

    page.get_by_text("R@k and hubs").first.click()
    rows = {(row["direction"], int(row["k"])): float(row["R@k"]) for row in table_of(page, "retrieve-recalls")}
    for way, of in (("image to text", recalls(x, y, ks=(1, 5, 10))), ("text to image", recalls(y, x, ks=(1, 5, 10)))):
        assert {k: rows[way, k] for k in of} == pytest.approx({k: number.value for k, number in of.items()})
    hubs = hubs_among(y, x)
    page.get_by_role("button", name=f"Keep the {len(hubs.rows)} hubs as a selection").click()
    page.get_by_text(re.compile(rf"Kept as .*Hubs.*: {len(hubs.rows)} images")).first.wait_for(timeout=LONG)
    still(page)
    page.get_by_role("link", name="Embedding Sphere").first.click()
    page.get_by_role("combobox", name=re.compile("Selection")).wait_for(timeout=LONG)
    no_traceback(page)
