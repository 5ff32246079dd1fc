"""Steer in a real browser: a dial is turned and the table agrees with the core, a point is clicked and read, the
address brings all of it back, and what was found is taken away."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest

from core.attention.foveal.places import places_of
from core.attention.foveal.steering import effects, point_by_attention, point_by_pixels
from core.attention.masks import Steering
from core.attention.prompts import METHODS
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.figures.foveal.methods import in_words
from core.geometry.directions import unit
from core.sources.solids.world import open_world
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, exactly, in_view, still

PROMPTS = ("a red sphere", "a yellow cone", "a blue star")
QUERY = "foveal=steer&scenes=100&picture=0&at=drawn&boxes=70,44,120,108&asked=" + "%0A".join(PROMPTS)
PROBE = "window.__orrery_sphere?.['foveal.sphere']"
POINTS = 100 + len(PROMPTS) + len(METHODS)


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def computed(steering: Steering):
    tower, image = ImageTower(load_model("builtin")), open_world(100).images.decode(0)
    region = Region((Box(70, 44, 120, 108),))
    regions = (region, *places_of(tower, image, region, seed=0))
    return effects(tower, {**point_by_pixels(tower, image, regions),
                           **point_by_attention(tower, image, regions, steering)}, PROMPTS)


def agrees(page, steering: Steering) -> None:
    """Wait until the row of the foveal mask says what the core computes here: angle, chance, odds, probabilities."""
    row = in_words(computed(steering)).iloc[METHODS.index("foveal")].tolist()
    found = page.locator(".st-key-foveal-methods tbody tr").nth(METHODS.index("foveal"))
    for i, cell in enumerate(row[1:]):
        found.locator("td").nth(i).get_by_text(cell, exact=True).wait_for(timeout=LONG)


def drawn(page) -> None:
    page.wait_for_function(f"{PROBE}?.frames() > 0 && {PROBE}.count() === {POINTS}", timeout=LONG)
    still(page)


def test_dials_are_turned_a_way_is_read_on_the_sphere_and_the_address_brings_it_back(browser_page, new_page, address):
    page = browser_page
    page.goto(f"{address}/Foveal_Attention?{QUERY}")
    drawn(page)
    agrees(page, Steering())
    exactly(page.locator(".st-key-foveal-thumbs img"), len(METHODS))
    ellipse = page.locator(".st-key-foveal-thumbs img[alt='red ellipse']")
    red = ellipse.evaluate("""(node) => { const c = document.createElement('canvas');
        c.width = node.naturalWidth; c.height = node.naturalHeight; const g = c.getContext('2d');
        g.drawImage(node, 0, 0); const at = g.getImageData(Math.round(c.width * 95 / 128),
        Math.round(c.height * 44.5 / 128), 1, 1).data; return [at[0], at[1], at[2]]; }""")
    assert red[0] > 180 and max(red[1:]) < 90, "the top of the ellipse is red"

    page.get_by_role("button", name="Mask", exact=True).click()
    dials = page.get_by_test_id("stPopoverBody")
    dials.get_by_role("slider").first.press("End")
    page.get_by_text("alpha 12, class token's row, all layers").wait_for(timeout=LONG)
    agrees(page, Steering(alpha=12.0))
    dials.get_by_text("all rows", exact=True).click()
    dials.get_by_text("last third", exact=True).click()
    page.get_by_text("alpha 12, all rows, layers 3 to 4 of 4").wait_for(timeout=LONG)
    agrees(page, Steering(alpha=12.0, rows="all", layers=(2, 3)))
    page.keyboard.press("Escape")
    still(page)

    row = 100 + len(PROMPTS) + METHODS.index("crop")
    in_view(page.locator(".orrery-sphere").last)
    page.evaluate(f"{PROBE}.face({row})")
    page.wait_for_function(f"{PROBE}.project({row}).front", timeout=LONG)
    still(page)
    spot = page.evaluate(f"{PROBE}.project({row})")
    page.mouse.click(spot["x"], spot["y"])
    moved = computed(Steering()).angles[METHODS.index("crop")]
    card = page.locator(".st-key-foveal-card")
    card.get_by_text(f"{moved:.1f}° of the true sphere").wait_for(timeout=LONG)
    page.wait_for_function("location.search.includes('foveal_point=method%3Acrop')", timeout=LONG)
    still(page)

    with page.expect_download(timeout=LONG) as known:
        page.get_by_role("button", name="Vectors (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(known.value.path().read_bytes().decode("utf-8-sig"))))
    assert [one["method"] for one in rows] == list(METHODS)
    vectors = np.array([[float(one[f"v{i}"]) for i in range(64)] for one in rows])
    expected = computed(Steering(alpha=12.0, rows="all", layers=(2, 3)))
    np.testing.assert_allclose(vectors, unit(expected.vectors), atol=1e-3)

    again = new_page(viewport={"width": 1280, "height": 900})
    again.goto(page.url)
    drawn(again)
    again.get_by_text("alpha 12, all rows, layers 3 to 4 of 4").wait_for(timeout=LONG)
    agrees(again, Steering(alpha=12.0, rows="all", layers=(2, 3)))
    again.locator(".st-key-foveal-card").get_by_text(f"{moved:.1f}° of the true sphere").wait_for(timeout=LONG)
    again.locator(".st-key-foveal-responses .gtitle").filter(has_text=re.compile(r"alpha\W*12\W*moves")).wait_for(
        timeout=LONG)
    no_traceback(page)
    no_traceback(again)
