"""Heads in a real browser: a head is clicked in the matrix, and the texts that span what it writes are read back."""

from __future__ import annotations

import csv
import io
import re

import pytest

from core.language.world_evaluation import BARE
from tests.browser.objects.test_objects import finding
from tests.browser.quality.test_quality import section
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, still

CLICK = """([key, x, y]) => { const node = document.querySelector(`.st-key-${key} .js-plotly-plot`);
  node.scrollIntoView({block: 'center'}); const box = node.getBoundingClientRect(), at = node._fullLayout;
  return [box.left + at.xaxis._offset + at.xaxis.l2p(x), box.top + at.yaxis._offset + at.yaxis.l2p(y)]; }"""


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def table(page, figure: str) -> list[dict[str, str]]:
    """The numbers behind a figure, as they are downloaded beside it."""
    still(page)
    below = page.locator(f"xpath=//div[contains(@class, 'st-key-{figure}')]/following-sibling::*").first
    below.get_by_test_id("stPopoverButton").click()
    with page.expect_download(timeout=LONG) as known:
        page.locator(f".st-key-{figure}-csv button").click()
    page.keyboard.press("Escape")
    return list(csv.DictReader(io.StringIO(known.value.path().read_text("utf-8-sig"))))


def test_a_head_is_clicked_and_its_texts_and_its_gain_are_read(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Foveal_Attention?foveal=heads&scenes=120")
    assert "16 heads more than by the same elsewhere" in finding(page, "foveal.sensitivity", "moved most")
    assert re.search(r"[1-9]\d? of 16 heads carry some of it", finding(page, "foveal.gains", "carry some"))
    gains = table(page, "foveal-gains")
    assert len(gains) == 17 and {row["pictures"] for row in gains} == {"40"}
    assert float(gains[0]["gained low"]) > 0.05
    assert all(float(row["gained low"]) <= float(row["gained"]) <= float(row["gained high"]) for row in gains)

    still(page)
    page.mouse.click(*page.evaluate(CLICK, ["foveal-sensitivity", 0, 1]))
    page.get_by_role("heading", name="What layer 2, head 1 writes").wait_for(timeout=LONG)
    title = finding(page, "foveal.spans", "Layer 2, head 1 writes along")
    assert "head=2.1" in page.url
    spans = table(page, "foveal-spans")
    assert sum(row["text"] in BARE["style"].values() for row in spans[:3]) >= 2, "this head writes the style"
    assert float(spans[-1]["share low"]) > float(spans[-1]["share by chance"])
    assert title.startswith(f"Layer 2, head 1 writes along “{spans[0]['text']}” first")

    page.goto(page.url)
    assert finding(page, "foveal.spans", "Layer 2, head 1 writes along") == title
    still(page)
    section(page, "this picture")
    assert "too few views for intervals" in finding(page, "foveal.gains", "too few")
    assert "(1 picture)" in finding(page, "foveal.sensitivity", "1 picture")
    no_traceback(page)
