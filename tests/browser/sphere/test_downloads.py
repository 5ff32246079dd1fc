"""What the sphere page gives away: points, figure, views and selections; and selections loaded in a new visit."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.browser.waits import LONG, still

APP = Path(__file__).parents[3] / "app.py"
PROBE = "window.__orrery_sphere?.sphere"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def drawn(page, n: int) -> None:
    page.wait_for_function(f"{PROBE}?.frames() > 0 && {PROBE}.count() === {n}", timeout=LONG)


def saved(page, button, folder: Path) -> Path:
    with page.expect_download(timeout=LONG) as waiting:
        button.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_everything_is_downloaded_whole_and_selections_come_back(browser_page, new_page, address, tmp_path):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?scenes=100&point=image%3Ascene+07&cap=30&prompts=a+red+cube")
    drawn(page, 201)
    downloads = page.locator("[data-testid=stDownloadButton] button")

    page.get_by_role("button", name="Views", exact=True).click()
    page.locator("[data-testid=stPopoverBody]").get_by_label("Note").fill("thirty degrees")
    page.get_by_role("button", name="Keep this view").click()
    page.get_by_text("View 1: thirty degrees").wait_for(timeout=LONG)
    views = json.loads(saved(page, downloads.filter(has_text="Download"), tmp_path).read_text())
    assert [view["note"] for view in views] == ["thirty degrees"]
    assert views[0]["query"]["cap"] == "30"
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Download", exact=True).first.click()
    points = pd.read_csv(saved(page, downloads.filter(has_text="CSV"), tmp_path))
    assert list(points["modality"].value_counts()[["image", "text", "prompt"]]) == [100, 100, 1]
    html = saved(page, downloads.filter(has_text="HTML"), tmp_path).read_text("utf-8")
    assert "Plotly.newPlot" in html
    assert "100 images and 100 texts" in html
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("Your selections").wait_for(timeout=LONG)
    still(page)     # a page that is drawn anew has another file behind the button
    path = saved(page, downloads.filter(has_text="Download").last, tmp_path)
    chosen = pd.read_csv(path)
    assert set(chosen["selection"]) == {"Selection 1"}
    assert "scene 07" in set(chosen["id"])

    other = new_page(viewport={"width": 1280, "height": 900})
    other.goto(f"{address}/Embedding_Sphere?scenes=100&selection=Selection+1")
    drawn(other, 200)
    other.get_by_text("asks for the selection “Selection 1”").wait_for(timeout=LONG)
    other.get_by_role("button", name="Load selections").click()
    other.locator("[data-testid=stPopoverBody] input[type=file]").set_input_files(str(path))
    both = chosen["id"].str.extract(r"(\d+)")[0].nunique()
    drawn(other, 2 * both)


def test_a_prompt_is_a_star_of_its_colour(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?scenes=100&prompts=a+red+cube&means=0&pictures=0")
    drawn(page, 201)
    page.evaluate(f"{PROBE}.face(200)")
    page.mouse.move(2, 2)
    still(page)
    place = page.evaluate(f"{PROBE}.project(200)")
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    colour = next(label["colour"] for label in page.evaluate(f"{PROBE}.labels()") if label["text"] == "a red cube")
    wanted = [int(colour[i:i + 2], 16) for i in (1, 3, 5)]

    def far(dx: int, dy: int) -> int:
        seen = shot.getpixel((round(place["x"]) + dx, round(place["y"]) + dy))
        return max(abs(a - b) for a, b in zip(seen, wanted))

    assert far(0, -9) < 50          # the upper point of the star, outside its mark
    assert far(10, 10) > 50         # between two points of it
    assert far(-10, 10) > 50
