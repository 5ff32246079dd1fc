"""A sentence and no boxes in a real browser: where it points, how well, and the found box as the page's region."""

from __future__ import annotations

import re

import pytest

from core.attention.foveal.finding import Search, finding_report
from core.attention.foveal.scenes import world_references
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from tests.browser.foveal.test_refer import scene_of_three, shown, stated, table_of
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, still


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def test_a_sentence_is_found_above_chance_and_its_box_becomes_the_region(browser_page, address):
    page = browser_page
    number, said, _ = scene_of_three()
    query = f"foveal=find&picture={number}&find="
    best = (0.0, 0.0, "")
    for sentence in said:
        shown(page, address, query + sentence.replace(" ", "%20"))
        title = stated(page, "foveal.heat", f"{sentence}.* is found at")
        iou, chance = map(float, re.search(r"union (\d\.\d+) \(a window at random (\d\.\d+)\)", title).groups())
        best = max(best, (iou - chance, iou, re.search(r"found at (.+?): ", title)[1]))
        if iou > 2 * chance:
            break
    assert best[1] > 0.3 and best[0] > 0.1, best
    assert len(table_of(page, "foveal-heat")) == 64

    place = [float(part) for part in re.split(", | to ", best[2])]
    still(page)
    page.get_by_role("button", name="Take this box as the region").click()
    page.wait_for_function("location.search.includes('at=drawn') && location.search.includes('boxes=')", timeout=LONG)
    taken = page.evaluate("new URLSearchParams(location.search).get('boxes')")
    assert [float(part) for part in taken.split(",")] == pytest.approx(place, abs=0.6)
    stated(page, "foveal.taken", "patches are covered")
    no_traceback(page)


def test_finding_is_scored_on_scenes_beside_chance(browser_page, address):
    page = browser_page
    shown(page, address, "foveal=find&find_scenes=10&find_objects=2&find_sides=0.25%7C0.375&find_step=0.25")
    still(page)
    page.get_by_role("button", name="Score it on these scenes").click()
    stated(page, "foveal.overlaps", "20 sentences")
    rows = {row["window"]: row for row in table_of(page, "foveal-overlaps")}
    report = finding_report(ImageTower(load_model("builtin")), world_references(10, 1, objects=2), ("foveal", "crop"),
                            search=Search((0.25, 0.375), 0.25))
    for name, title in (("foveal", "foveal mask"), ("crop", "crop"), ("centre", "the middle")):
        assert float(rows[title]["intersection over union"]) == pytest.approx(report.iou[name].value, abs=1e-6)
        assert float(rows[title]["intersection over union by chance"]) == pytest.approx(report.chance.mean(), abs=1e-9)
    assert float(rows["foveal mask"]["intersection over union low"]) > report.chance.mean()
    no_traceback(page)
