"""The app in a real browser: the built-in world, a zip of photos, broken files, clicks, the camera and the URL."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.waits import LONG, in_view, still

APP = Path(__file__).parents[3] / "app.py"
PROBE = "window.__orrery_sphere?.sphere"
COPIES = 40
PHOTOS = 16 * (1 + COPIES)


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


@pytest.fixture(scope="module")
def photos(reference, tmp_path_factory) -> Path:
    """The 16 photos, and small darker copies of each: enough work for a progress bar to be seen."""
    path = tmp_path_factory.mktemp("zip") / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((reference / "photos").rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(reference))
                picture = Image.open(file).convert("RGB")
                picture.thumbnail((400, 400))
                for step in range(1, COPIES + 1):
                    darker = io.BytesIO()
                    picture.point(lambda v, step=step: v * (1 - 0.015 * step)).save(darker, "JPEG")
                    archive.writestr(f"photos/darker/{file.stem} {step}.jpg", darker.getvalue())
    return path


def drawn(page, n: int | None = None) -> None:
    """Wait for a sphere, of n points where given."""
    count = "true" if n is None else f"{PROBE}.count() === {n}"
    page.wait_for_function(f"{PROBE}?.frames() > 0 && {count}", timeout=LONG)


def front_point(page) -> dict:
    """A point of the near half, away from the rim."""
    found = page.evaluate(f"Array.from({{length: {PROBE}.count()}}, (_, i) => ({{i, ...{PROBE}.project(i)}}))")
    box = page.locator(".os-front").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    radius = page.evaluate(f"{PROBE}.radius()")
    near = [p for p in found if p["front"] and (p["x"] - x) ** 2 + (p["y"] - y) ** 2 < (0.7 * radius) ** 2]
    return near[0]


def watch_for_progress(page) -> None:
    """Note whether a progress bar is ever seen, and what it says."""
    page.evaluate("""() => { window.sawProgress = false; window.progressSaid = []; new MutationObserver(() => {
        const bar = document.querySelector('[data-testid=stProgress]');
        if (bar) { window.sawProgress = true; window.progressSaid.push(bar.innerText); }
    }).observe(document.body, {childList: true, subtree: true, characterData: true}); }""")


def no_traceback(page) -> None:
    assert page.locator("[data-testid=stException]").count() == 0
    assert "Traceback" not in page.inner_text("body")


def test_the_sphere_of_the_built_in_world_appears_from_home(browser_page, address):
    page = browser_page
    page.goto(address)
    page.get_by_role("link", name="Embedding Sphere").last.click()
    drawn(page, 600)
    page.get_by_text("their means lie").first.wait_for()
    no_traceback(page)


def test_a_click_shows_the_card_and_the_camera_stays(browser_page, new_page, address):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?scenes=200&pictures=0")
    drawn(page, 400)
    box = page.locator(".os-front").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 40, steps=4)
    page.mouse.up()
    page.wait_for_function("location.search.includes('camera=')", timeout=LONG)
    turned = page.evaluate(f"{PROBE}.camera()")
    point = front_point(page)
    page.mouse.click(point["x"], point["y"])
    page.get_by_text("Nearest images").wait_for(timeout=LONG)
    page.wait_for_function("location.search.includes('point=')", timeout=LONG)
    assert page.evaluate(f"{PROBE}.camera()") == turned
    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name="solid").first.click()
    page.wait_for_function("location.search.includes('colour=column')", timeout=LONG)
    drawn(page, 400)
    assert page.evaluate(f"{PROBE}.camera()") == turned

    other = new_page(viewport={"width": 1280, "height": 900})
    other.goto(page.url)
    drawn(other, 400)
    other.get_by_text("Nearest images").wait_for(timeout=LONG)
    assert other.evaluate(f"{PROBE}.camera()") == turned


def test_a_zip_of_photos_is_embedded_with_progress_and_the_second_time_at_once(browser_page, new_page, address, photos):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?data=images")
    page.locator("input[type=file]").wait_for(state="attached", timeout=LONG)
    watch_for_progress(page)
    page.locator("input[type=file]").set_input_files(str(photos))
    drawn(page, PHOTOS)
    assert page.evaluate("window.sawProgress")
    assert any("Encoding images" in text for text in page.evaluate("window.progressSaid"))
    page.get_by_text(f"{PHOTOS} images").first.wait_for()
    no_traceback(page)

    again = new_page(viewport={"width": 1280, "height": 900})
    again.goto(f"{address}/Embedding_Sphere?data=images")
    again.locator("input[type=file]").wait_for(state="attached", timeout=LONG)
    watch_for_progress(again)
    again.locator("input[type=file]").set_input_files(str(photos))
    drawn(again, PHOTOS)
    said = again.evaluate("window.progressSaid")
    assert not any("Encoding images" in text for text in said), said


def test_broken_images_are_listed_with_reasons(browser_page, address, reference):
    page = browser_page
    files = sorted(str(f) for f in (reference / "broken_images").iterdir() if f.is_file())
    page.goto(f"{address}/Embedding_Sphere?data=images")
    page.locator("input[type=file]").wait_for(state="attached", timeout=LONG)
    page.locator("input[type=file]").set_input_files(files)
    drawn(page)
    refused = page.get_by_text("could not be read").first
    refused.wait_for(timeout=LONG)
    shown = page.evaluate(f"{PROBE}.count()")
    said = int(refused.inner_text().split()[0])
    assert shown + said == len(files)
    no_traceback(page)


def test_the_page_fits_a_narrow_screen(new_page, address):
    page = new_page(viewport={"width": 420, "height": 860})
    page.goto(f"{address}/Embedding_Sphere?scenes=200")
    drawn(page, 400)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 0


def test_at_1280_the_map_is_named_in_full_and_what_must_be_known_takes_a_line(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?scenes=200&map=pca_centred_each")
    drawn(page, 400)
    still(page)
    name = page.get_by_role("combobox", name="Map")
    assert name.input_value() == "PCA, each modality centred"
    assert name.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    line = page.locator("details.orrery-line")
    assert line.bounding_box()["height"] < 50
    assert page.locator(".os-stage").bounding_box()["y"] < 330
    line.locator("summary").click()
    page.wait_for_function("document.querySelector('details.orrery-line').getBoundingClientRect().height > 80")
    assert "removes the modality gap" in line.inner_text()


def test_a_lasso_on_the_flat_view_selects_on_the_sphere(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?scenes=200&below=flat")
    drawn(page, 400)
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    in_view(plot)
    box = plot.bounding_box()
    x, y, r = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, 0.22 * box["height"]
    page.mouse.move(x - r, y - r)
    page.mouse.down()
    for corner in ((x + r, y - r), (x + r, y + r), (x - r, y + r), (x - r, y - r)):
        page.mouse.move(*corner, steps=6)
    page.mouse.up()
    page.get_by_text("by a lasso on the flat view").first.wait_for(timeout=LONG)
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("Your selections").wait_for(timeout=LONG)
    no_traceback(page)


def test_what_lies_in_a_closed_popover_keeps_its_value(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?scenes=100&prompts=a+red+cube%0Aa+star")
    drawn(page, 202)
    for colour in ("solid", "style"):   # runs of the page before any popover is opened
        page.get_by_role("combobox", name="Colour by").click()
        page.get_by_role("option", name=colour, exact=True).click()
        page.wait_for_function(f"location.search.includes('column%3A{colour}')", timeout=LONG)
    page.get_by_role("button", name="Your prompts", exact=True).click()
    prompts = page.get_by_label("One prompt a line")
    prompts.wait_for()
    assert prompts.input_value() == "a red cube\na star"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_text("Arcs between pairs").click()
    page.wait_for_function("location.search.includes('arcs=1')", timeout=LONG)
    still(page)
    for gone in ("means=0", "pictures=0"):
        assert gone not in page.url
    drawn(page, 202)


def test_the_camera_stays_while_a_map_is_made_anew(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?scenes=100")
    drawn(page, 200)
    start = page.evaluate(f"{PROBE}.camera()")
    for name in ("UMAP on the sphere", "Geodesic MDS"):
        page.get_by_role("combobox", name="Map").click()
        page.get_by_role("option", name=name).click()
        page.get_by_text(f"Map: {name}.").wait_for(timeout=LONG)
        drawn(page, 200)
        assert page.evaluate(f"{PROBE}.camera()") == start
