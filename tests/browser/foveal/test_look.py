"""Foveal attention in a real browser: a box is drawn, the model looks there, and what lies in it becomes likelier."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.objects.test_objects import downloaded, finding
from tests.browser.quality.test_quality import section
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, in_view, still

SIDE = 128      # of a picture of the built-in world, pixels
RISES = re.compile(r"“a (.+?)” rises from (\d+) to (\d+) % \(mask elsewhere (\d+) % on average\); the embedding "
                   r"moves by ([\d.]+)° \(elsewhere ([\d.]+)°, n = 20 places\)")


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def shown(page, address: str, query: str = "") -> None:
    page.goto(f"{address}/Foveal_Attention?scenes=100&{query}")
    page.get_by_role("heading", name="Foveal Attention").wait_for(timeout=LONG)
    finding(page, "foveal.taken", "patches")
    still(page)


def drawn(page, left: float, top: float, right: float, bottom: float) -> None:
    """Draw a box on the picture with the mouse, in pixels of the picture."""
    still(page)
    sheet = page.locator(".stPlotlyChart").filter(has_text="Draw a box").locator(".nsewdrag").first
    in_view(sheet)
    room = sheet.bounding_box()

    def at(x: float, y: float) -> tuple[float, float]:
        return room["x"] + x / SIDE * room["width"], room["y"] + y / SIDE * room["height"]

    page.mouse.move(*at(left, top))
    page.mouse.down()
    page.mouse.move(*at((left + right) / 2, (top + bottom) / 2), steps=4)
    page.mouse.move(*at(right, bottom), steps=4)
    page.mouse.up()


def boxes(page, n: int) -> list[list[float]]:
    """The boxes that the address holds, once there are so many."""
    page.wait_for_function(f"(new URLSearchParams(location.search).get('boxes') ?? '').split('\\n').filter(Boolean)"
                           f".length === {n}", timeout=LONG)
    still(page)
    lines = parse_qs(urlsplit(page.url).query)["boxes"][0].splitlines()
    return [[float(side) for side in line.split(",")] for line in lines]


def table(page, key: str) -> list[dict[str, str]]:
    """The numbers of a figure as they are downloaded."""
    still(page)
    page.locator(f".st-key-{key.replace('.', '-')}").locator(
        "xpath=following::button[contains(., 'Download')]").first.click()
    found = downloaded(page, "CSV")
    page.keyboard.press("Escape")
    return list(csv.DictReader(io.StringIO(found.decode("utf-8-sig"))))


def mean(rows: list[dict[str, str]], column: str) -> float:
    return sum(float(row[column]) for row in rows) / len(rows)


def test_a_box_is_drawn_and_the_model_looks_there(browser_page, address):
    page = browser_page
    shown(page, address, "picture=36")
    drawn(page, 74, 30, 122, 84)
    (found,) = boxes(page, 1)
    assert all(abs(a - b) < 2 for a, b in zip(found, (74, 30, 122, 84))), found
    said = RISES.search(finding(page, "foveal.prompts", "purple sphere.* rises.*places"))
    assert said and said[1] == "purple sphere"
    before, after, elsewhere = (int(said[k]) for k in (2, 3, 4))
    assert after > before + 20 and after > elsewhere + 20 and float(said[5]) > 5

    inside = re.search(r"(\d+) % of what the class token looks at lies in the region, (\d+) % with the mask "
                       r"\((\d+) % of the patches", finding(page, "foveal.within", "region"))
    assert inside and int(inside[2]) > int(inside[1]) + 10
    rows = table(page, "foveal.within")
    assert len(rows) == 16 and {row["by chance"] for row in rows} == {rows[0]["by chance"]}
    assert round(100 * mean(rows, "before")) == int(inside[1]) and round(100 * mean(rows, "after")) == int(inside[2])
    prompts = {row["prompt"]: row for row in table(page, "foveal.prompts")}
    assert round(100 * float(prompts["a purple sphere"]["after"])) == after
    assert sum(float(row["before"]) for row in prompts.values()) == pytest.approx(1, abs=1e-4)

    page.keyboard.down("Shift")
    drawn(page, 20, 54, 56, 104)
    page.keyboard.up("Shift")
    first, second = boxes(page, 2)
    assert first == found and all(abs(a - b) < 2 for a, b in zip(second, (20, 54, 56, 104))), second
    both = re.search(r"(\d+) % with the mask", finding(page, "foveal.within", "region"))
    assert both
    no_traceback(page)
    page.reload()
    finding(page, "foveal.taken", "patches are covered")
    assert boxes(page, 2) == [first, second], "the address brings both boxes back"


def test_a_solid_is_picked_a_head_is_seen_large_and_a_patch_is_asked(browser_page, address):
    page = browser_page
    shown(page, address, "picture=36")
    assert RISES.search(finding(page, "foveal.prompts", "rises.*places"))[1] == "blue pyramid"
    section(page, "purple sphere")
    said = RISES.search(finding(page, "foveal.prompts", "purple sphere.* rises.*places"))
    assert said and int(said[3]) > int(said[2])
    section(page, "the change")
    moved = re.search(r"with (\d+) % of its attention \(mean of 16 heads\)",
                      finding(page, "foveal.mosaic", "elsewhere"))
    assert moved and int(moved[1]) > 10

    still(page)
    mosaic = page.locator(".st-key-foveal-mosaic .nsewdrag").first
    in_view(mosaic)
    room = mosaic.bounding_box()
    page.mouse.click(room["x"] + 2.45 / 4 * room["width"], room["y"] + 1.45 / 4 * room["height"])
    large = finding(page, "foveal.large", "Layer 2, head 3, the change")
    place = re.search(r"row (\d), column (\d)", large)
    rows = {(row["row"], row["column"]): float(row["change"]) for row in table(page, "foveal.large")}
    assert len(rows) == 64 and max(rows, key=lambda at: abs(rows[at])) == place.groups()

    picture = page.locator(".st-key-foveal-large .nsewdrag").first
    in_view(picture)
    room = picture.bounding_box()
    page.mouse.click(room["x"] + 5.5 / 8 * room["width"], room["y"] + 3.5 / 8 * room["height"])
    finding(page, "foveal.mosaic", "The patch in row 4, column 6 looks")
    assert parse_qs(urlsplit(page.url).query)["token"] == ["4.6"]
    page.get_by_role("button", name="Back to the class token").click()
    finding(page, "foveal.mosaic", "The class token looks")
    no_traceback(page)


def test_an_outline_becomes_a_mask_and_numbers_typed_take_its_place(browser_page, address):
    page = browser_page
    shown(page, address, "picture=36")
    page.locator("[data-title='Lasso Select']").first.click()
    still(page)
    sheet = page.locator(".stPlotlyChart").filter(has_text="Draw a box").locator(".nsewdrag").first
    room = sheet.bounding_box()
    corners = [(80, 30), (120, 34), (122, 80), (78, 84), (80, 32)]
    page.mouse.move(room["x"] + 80 / SIDE * room["width"], room["y"] + 30 / SIDE * room["height"])
    page.mouse.down()
    for x, y in corners[1:]:
        page.mouse.move(room["x"] + x / SIDE * room["width"], room["y"] + y / SIDE * room["height"], steps=6)
    page.mouse.up()
    page.wait_for_function("new URLSearchParams(location.search).has('outline')", timeout=LONG)
    still(page)
    outline = parse_qs(urlsplit(page.url).query)["outline"][0]
    assert 3 <= len(outline.split()) <= 48
    taken = re.search(r"(\d+) of 64 patches", finding(page, "foveal.taken", "patches are covered"))
    assert 4 <= int(taken[1]) <= 16
    page.get_by_text("The region in numbers").click()
    page.get_by_label("Outlines: x,y").fill("")
    page.get_by_label("Boxes: left").fill("0, 0, 32, 64")
    page.keyboard.press("Control+Enter")
    finding(page, "foveal.taken", "8 of 64 patches are covered")
    no_traceback(page)
