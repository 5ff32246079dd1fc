"""Pictures of all points of a large folder: fetched when they are hovered over, without drawing the sphere anew."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.waits import LONG, still

APP = Path(__file__).parents[3] / "app.py"
PROBE = "window.__orrery_sphere?.sphere"
N = 2200
NEAR = f"""([x, y]) => {{ const view = {PROBE}, i = view.hovered();
    return i >= 0 && Math.hypot(view.project(i).x - x, view.project(i).y - y) < 12; }}"""
TIP = """() => { const find = (node) => node.querySelector?.('.os-tip img') ?? [...node.querySelectorAll?.('*') ?? []]
    .map((n) => n.shadowRoot && find(n.shadowRoot)).find(Boolean);
    const image = find(document);
    if (!image || !image.complete || !image.naturalWidth || image.style.display === 'none') return null;
    const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    return [image.naturalWidth, image.naturalHeight, ...pen.getImageData(12, 8, 1, 1).data].slice(0, 5); }"""


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


@pytest.fixture(scope="module")
def colours(tmp_path_factory) -> tuple[Path, np.ndarray]:
    """A folder of many small images, each of a colour of its own."""
    folder = tmp_path_factory.mktemp("many")
    rgb = np.random.default_rng(0).integers(0, 255, (N, 3))
    for i, colour in enumerate(rgb):
        Image.new("RGB", (24, 16), tuple(map(int, colour))).save(folder / f"{i:04d}.png")
    return folder, rgb


def test_every_point_of_a_large_folder_has_its_picture_on_hover(browser_page, address, colours):
    folder, rgb = colours
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?data=folder&folder={folder}")
    page.get_by_role("button", name="Yes, open it").click(timeout=60_000)
    every = page.get_by_role("button", name="Encode all")
    every.or_(page.locator(".os-front")).first.wait_for(timeout=LONG)
    if every.is_visible():
        every.click()
    page.wait_for_function(f"{PROBE}?.frames() > 0 && {PROBE}.count() === {N}", timeout=LONG)
    page.wait_for_function(f"{PROBE}.tiles() >= 12", timeout=LONG)
    assert len(page.evaluate(f"{PROBE}.pictures()")) < 200
    camera = page.evaluate(f"{PROBE}.camera()")
    for i in np.random.default_rng(1).permutation(N)[:6].tolist():
        page.evaluate(f"{PROBE}.face({i})")
        place = page.evaluate(f"{PROBE}.project({i})")
        page.mouse.move(place["x"] + 40, place["y"] + 200)
        page.mouse.move(place["x"], place["y"])
        page.wait_for_function(NEAR, arg=[place["x"], place["y"]])
        still(page)
        hovered = page.evaluate(f"{PROBE}.hovered()")
        page.wait_for_function(f"{PROBE}.pictures().includes({hovered})")
        page.wait_for_function(TIP)
        width, height, *seen = page.evaluate(TIP)
        assert (width, height) == (24, 16)
        np.testing.assert_allclose(seen, rgb[hovered], atol=8)
    page.evaluate(f"{PROBE}.face(0)")
    assert camera != page.evaluate(f"{PROBE}.camera()")
    assert 12 < len(page.evaluate(f"{PROBE}.pictures()")) < 300


def test_a_hover_does_not_draw_the_page_anew_nor_move_the_camera(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?scenes=400&pictures=0")
    page.wait_for_function(f"{PROBE}?.count() === 800", timeout=LONG)
    page.locator("[data-testid=data-grid-canvas] table").first.wait_for(state="attached")   # which comes late
    still(page)
    camera = page.evaluate(f"{PROBE}.camera()")
    page.evaluate("""() => { window.changes = 0; new MutationObserver((found) => window.changes += found.length)
        .observe(document.querySelector('[data-testid=stMain]'), {childList: true, subtree: true}); }""")
    assert page.evaluate(f"{PROBE}.pictures()") == []
    places = page.evaluate(f"Array.from({{length: 400}}, (_, i) => ({{i, ...{PROBE}.project(i)}}))")
    place = next(p for p in places if p["front"])
    page.mouse.move(place["x"], place["y"])
    page.wait_for_function(f"{PROBE}.pictures().length >= 8", timeout=LONG)
    page.wait_for_function(TIP)
    assert page.evaluate(f"{PROBE}.camera()") == camera
    assert page.evaluate("window.changes") == 0


def test_the_searched_picture_is_shown_on_hover_and_in_its_card(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?scenes=100")
    page.wait_for_function(f"{PROBE}?.count() === 200", timeout=LONG)
    out = io.BytesIO()
    Image.new("RGB", (90, 60), (40, 160, 220)).save(out, "PNG")
    page.get_by_role("button", name="Your prompts").click()
    page.locator("[data-testid=stPopoverBody] input[type=file]").set_input_files(
        {"name": "blue.png", "mimeType": "image/png", "buffer": out.getvalue()})
    page.wait_for_function(f"{PROBE}.count() === 201", timeout=LONG)
    page.keyboard.press("Escape")
    page.evaluate(f"{PROBE}.face(200)")
    place = page.evaluate(f"{PROBE}.project(200)")
    page.mouse.move(place["x"] + 30, place["y"] + 30)
    page.mouse.move(place["x"], place["y"])
    page.wait_for_function(f"{PROBE}.hovered() === 200")
    page.wait_for_function(TIP)
    assert page.evaluate(TIP)[:2] == [90, 60]
    np.testing.assert_allclose(page.evaluate(TIP)[2:], (40, 160, 220), atol=8)
    page.mouse.click(place["x"], place["y"])
    page.get_by_text("an image of yours").wait_for(timeout=LONG)
    page.locator(".orrery-card img[alt='image blue.png']").wait_for(timeout=LONG)
