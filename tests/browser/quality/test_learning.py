"""What it does to learning, in a real browser: wrong captions are planted, found and dropped; towers learn again."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.browser.objects.test_objects import downloaded, finding
from tests.browser.quality.test_quality import left_after, section, shown
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, still

WRONG = "scenes=300&faults=wrong%20captions&faults_share=45&learn_steps=150&learn_seeds=4"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def learnt(page) -> dict[tuple[str, str], dict[str, str]]:
    """The numbers behind the figure, as they are downloaded, by measure and set."""
    still(page)
    page.locator(".st-key-quality-learning").wait_for(timeout=LONG)
    page.get_by_test_id("stPopoverButton").filter(has_text="Download").first.click()
    table = csv.DictReader(io.StringIO(downloaded(page, "CSV").decode("utf-8-sig")))
    page.keyboard.press("Escape")
    return {(row["measure"].split(":")[0], row["set"]): row for row in table}


def test_wrong_captions_are_found_and_dropped_and_the_towers_retrieve_again(browser_page, address):
    page = browser_page
    shown(page, address, f"{WRONG}&finding=captions")
    finding(page, "quality.captions", "captions")
    page.get_by_role("button", name=re.compile("^What if the .* were dropped")).click()
    page.get_by_text(re.compile("Added to the what-if")).first.wait_for(timeout=LONG)
    section(page, "What if")
    left = left_after(page, "after 1 action")
    assert left in range(120, 240)
    section(page, "What it does to learning")
    page.get_by_text("3 sets (all, kept, as many at random), 12 trainings").wait_for(timeout=LONG)
    still(page)
    page.get_by_role("button", name="Start", exact=True).click()
    title = finding(page, "quality.learning", "kept")
    found = learnt(page)
    kept, random, every = (found["R@1 of images", name] for name in ("kept", "as many at random", "all"))
    assert int(every["trained on"]) == 240 > int(kept["trained on"]) == int(random["trained on"])
    assert float(kept["value"]) > max(float(random["value"]), float(every["value"]), float(kept["value by chance"]))
    assert float(found["Alignment", "kept"]["difference high"]) < 0
    assert kept["beside"] == "as many at random" and "beside as many at random" in title

    page.goto(page.url)
    assert finding(page, "quality.learning", "kept") == title
    section(page, "Linear probes")
    still(page)
    page.get_by_role("button", name="Start", exact=True).click()
    finding(page, "quality.learning", "Accuracy")
    probed = learnt(page)
    accuracy = probed["Accuracy by class", "all"]
    assert float(accuracy["value low"]) > float(accuracy["value by chance"])
    drawn = page.evaluate("document.querySelector('.st-key-quality-learning-classes .js-plotly-plot').data.length")
    assert drawn == 4
    no_traceback(page)
