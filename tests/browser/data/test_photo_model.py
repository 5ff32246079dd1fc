"""A visitor's own photos with no network: uploaded, looked at with the photo model, asked for a cat; in a browser."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.browser.data.test_sources import uploaded
from tests.browser.sphere.test_sphere import PROBE, drawn, no_traceback
from tests.browser.waits import LONG, still

APP = Path(__file__).parents[3] / "app.py"
CATS = ("123_456.jpg", "456_123.jpg", "cat_720p.jpg")


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


@pytest.fixture(scope="module")
def photos(reference, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((reference / "photos").rglob("*.*")):
            archive.write(file, file.relative_to(reference))
    return path


def click_point(page, i: int) -> None:
    """Turn the sphere until a point is in front, and click it."""
    page.evaluate(f"{PROBE}.face({i})")
    page.wait_for_function(f"{PROBE}.project({i}).front", timeout=LONG)
    spot = page.evaluate(f"{PROBE}.project({i})")
    page.mouse.click(spot["x"], spot["y"])


def names_under(page, heading: str) -> list[str]:
    """File names in the gallery below a heading, in order."""
    page.get_by_text(heading).first.wait_for(timeout=LONG)
    captions = page.locator(".orrery-gallery figcaption span")
    captions.first.wait_for(timeout=LONG)
    still(page)
    return [Path(text.strip()).name for text in captions.all_inner_texts()]


def test_a_zip_of_photos_is_looked_at_with_the_photo_model_and_asked_for_a_cat(browser_page, address, photos):
    page = browser_page
    uploaded(page, f"{address}/Embedding_Sphere", "images", photos)
    offer = page.get_by_role("button", name="Look at them with the photo model")
    offer.wait_for(timeout=LONG)
    drawn(page, 16)
    offer.click()                                             # the one click after the upload
    page.get_by_text("1280 dimensions").first.wait_for(timeout=LONG)
    offer.wait_for(state="detached", timeout=LONG)
    drawn(page, 16)
    assert "model=photo" in page.url

    click_point(page, 0)
    page.get_by_text("What the classifier calls it").wait_for(timeout=LONG)
    assert names_under(page, "Nearest images")[0] in CATS     # a cat beside a cat

    page.get_by_role("button", name="Your prompts").click()
    field = page.get_by_label("One prompt a line; each becomes a point")
    field.fill("cat\na glorp from outer space")
    field.press("Control+Enter")
    page.get_by_text("it says no name that the photo model knows").first.wait_for(timeout=LONG)
    page.keyboard.press("Escape")
    drawn(page, 17)                                           # the prompt that says nothing is left out
    click_point(page, 16)
    assert set(names_under(page, "Images that it names")[:3]) == set(CATS)

    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name="probability of “cat”").click()
    page.locator(".os-legend").get_by_text("probability of “cat”").wait_for(timeout=LONG)
    no_traceback(page)


def test_no_gap_is_measured_of_it_and_it_is_compared_on_the_images(browser_page, address, photos):
    page = browser_page
    uploaded(page, f"{address}/Modality_Gap", "images", photos)
    offer = page.get_by_role("button", name="Look at them with the photo model")
    offer.wait_for(timeout=LONG)
    offer.click()
    page.get_by_text("no gap is measured here").wait_for(timeout=LONG)
    page.locator("[data-testid=stPlotlyChart]").first.wait_for(timeout=LONG)
    page.get_by_text("CKA").first.wait_for(timeout=LONG)
    assert page.get_by_text("gap 0.").count() == 0
    no_traceback(page)
