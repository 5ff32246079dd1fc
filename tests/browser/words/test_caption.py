"""Caption in a real browser: a caption equal to the core's with its steps on the sphere, a group captioned, many
stopped and gone on with, and their table opened again as data."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest

from core.encoding.embedding import embed_with
from core.encoding.models import load_model
from core.language.words.by_grammar import search
from core.language.words.fluency import of_the_world
from core.language.words.scored import Search, Target, Texts
from core.sources.solids.world import open_world
from core.sources.tables.opening import open_table
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, in_view, still

PROBE = "window.__orrery_sphere?.['caption.sphere']"
IMAGES = 150
QUERY = f"words=caption&scenes={IMAGES}&image=3"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def computed(rows: list[int]) -> Search:
    images = embed_with("builtin", open_world(IMAGES)).images.vectors
    return search(Target.among(images, rows), Texts(load_model("builtin"), of_the_world(), attributes=True))


def test_an_image_a_group_and_many_are_captioned_and_the_table_opens(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Words_and_Captions?{QUERY}")
    expected = computed([3])
    found = page.locator(".st-key-caption-found")
    found.get_by_text(f"{expected.found.cosine:.3f}, above").wait_for(timeout=LONG)
    page.get_by_text(expected.found.text, exact=True).first.wait_for(timeout=LONG)
    steps = len(expected.best)
    page.wait_for_function(f"{PROBE}?.frames() > 0 && {PROBE}.count() === {IMAGES + steps}", timeout=LONG)
    page.get_by_text(f"Step {steps} of {steps}").wait_for(timeout=LONG)
    slider = page.locator(".st-key-caption_step").get_by_role("slider")
    in_view(slider)
    slider.press("Home")
    page.get_by_text(f"Step 1 of {steps}, {expected.did[0]}: {expected.best[0].text}").wait_for(timeout=LONG)

    column = open_world(IMAGES).image_table["setting"].astype(str)
    page.goto(f"{address}/Words_and_Captions?{QUERY}&caption_of=class&caption_column=setting&caption_class=snow")
    group = computed(np.flatnonzero(column == "snow").tolist())
    page.get_by_text(group.found.text, exact=True).first.wait_for(timeout=LONG)
    page.locator(".st-key-caption-found").get_by_text(f"{group.found.cosine:.3f}, above").wait_for(timeout=LONG)

    page.goto(f"{address}/Words_and_Captions?{QUERY}&caption_view=many&caption_count={IMAGES}")
    page.get_by_role("button", name="Caption them").click(timeout=LONG)
    page.get_by_text(re.compile(rf"^\d+ of {IMAGES}: ")).wait_for(timeout=LONG)
    page.get_by_role("button", name="Stop").click(timeout=LONG)
    page.get_by_text(re.compile(rf"^Stopped: \d+ of {IMAGES} images have a caption")).wait_for(timeout=LONG)
    still(page)
    page.get_by_role("button", name="Go on").click(timeout=LONG)
    page.get_by_text(f"{IMAGES} captions: cosine").wait_for(timeout=LONG)
    still(page)
    with page.expect_download(timeout=LONG) as known:
        page.get_by_role("button", name="Captions (CSV)").click()
    data = known.value.path().read_bytes()
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    images = embed_with("builtin", open_world(IMAGES)).images
    assert [row["image"] for row in rows] == list(images.ids)
    assert rows[3]["caption"] == expected.found.text and float(rows[3]["cosine"]) == pytest.approx(
        expected.found.cosine, abs=1e-4)
    opened = open_table(("captions.csv", data))
    assert list(opened.texts) == [row["caption"] for row in rows]
    no_traceback(page)
