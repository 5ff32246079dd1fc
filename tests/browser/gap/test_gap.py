"""The page Modality Gap in a real browser: data, shift, numbers, cells, linked spheres, and every figure downloaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.waits import LONG, at_least, exactly, in_view, still

APP = Path(__file__).parents[3] / "app.py"
SPHERES = "window.__orrery_sphere"
MATRIX = "window.__orrery_matrix?.['gap.matrix']"
PNG = b"\x89PNG"
FIGURES = {"gap=see": 1, "gap=measure": 2, "gap=explain&classes=none": 1, "gap=explain&explain=cones": 1,
           "gap=explain&explain=training": 1, "gap=close&classes=none": 2, "gap=compare": 2, "gap=why": 1}


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def go(page, address: str, query: str) -> None:
    page.goto(f"{address}/Modality_Gap?scenes=100&{query}")
    settled(page)


def settled(page) -> None:
    """Wait until no work is left on the page and its figures are drawn."""
    page.wait_for_function(
        "document.querySelector('[data-test-script-state]')?.dataset.testScriptState === 'notRunning' "
        "&& !document.querySelector('[data-testid=stProgress]') "
        "&& (document.querySelector('.js-plotly-plot .main-svg') || document.querySelector('[data-testid=stMetric]') "
        "|| document.querySelector('.orrery-note'))", timeout=LONG, polling=200)
    still(page)


def saved(page, click) -> tuple[str, bytes]:
    """Name and bytes of what a click downloads."""
    with page.expect_download(timeout=LONG) as waiting:
        click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def sphere_drawn(page, key: str, n: int) -> None:
    page.wait_for_function(f"{SPHERES}?.['{key}']?.frames() > 0 && {SPHERES}['{key}'].count() === {n}", timeout=LONG)


def shift_by(page, steps: int) -> None:
    """Move the slider from 0 by its keys."""
    settled(page)
    for step in range(1, steps + 1):
        page.get_by_role("slider").first.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("value => new URLSearchParams(location.search).get('shift') === value",
                               arg=f"{step / 40:g}", timeout=LONG)
    settled(page)


def degrees_apart(page) -> int:
    return int(re.search(r"lie (\d+)° apart", page.locator(".os-title").first.inner_text())[1])


def no_error(page) -> None:
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.locator(".orrery-error").count() == 0


def test_from_home_to_two_caps_and_a_shift_that_closes_the_gap(browser_page, address):
    page = browser_page
    page.goto(address)
    page.get_by_role("link", name="Modality Gap").last.click()
    sphere_drawn(page, "gap.sphere", 600)
    settled(page)
    before = degrees_apart(page)
    assert before > 90
    shift_by(page, 4)
    assert degrees_apart(page) < before
    page.goto(f"{page.url.split('shift=')[0]}shift=0.5")
    sphere_drawn(page, "gap.sphere", 600)
    assert degrees_apart(page) < 10
    no_error(page)


def test_the_shift_moves_the_metrics(browser_page, address):
    page = browser_page
    go(page, address, "gap=explain&classes=none")
    metric = page.get_by_test_id("stMetricValue").first
    before = float(metric.inner_text())
    assert before > 0.5
    shift_by(page, 4)
    assert float(metric.inner_text()) < before - 0.05
    assert "from shift 0" in page.get_by_test_id("stMetric").first.inner_text()
    at_least(page.get_by_text("by chance"), 2)
    no_error(page)


def test_every_figure_downloads_as_png_html_and_csv(browser_page, address):
    page = browser_page
    page.set_viewport_size({"width": 1280, "height": 1900})
    for query, count in FIGURES.items():
        go(page, address, query)
        plots = page.locator(".js-plotly-plot")
        page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {count}",
                               timeout=LONG)
        exactly(plots, count)
        for i in range(count):
            plots.nth(i).hover(position={"x": 200, "y": 90})
            camera = plots.nth(i).locator("[data-title^='Download plot']")
            name, image = saved(page, lambda camera=camera: camera.click(force=True))
            assert name.endswith(".png")
            assert image.startswith(PNG)
            assert len(image) > 10_000
        downloads = page.get_by_test_id("stPopoverButton").filter(has_text="Download")
        at_least(downloads, count)
        for i in range(downloads.count()):
            downloads.nth(i).click()
            name, figure = saved(page, lambda: page.get_by_role("button", name="HTML").last.click())
            assert name.endswith(".html")
            assert b"plotly" in figure[:5_000_000]
            name, table = saved(page, lambda: page.get_by_role("button", name="CSV").last.click())
            assert name.endswith(".csv")
            assert len(table.decode("utf-8-sig").splitlines()) >= 2
            page.keyboard.press("Escape")
        no_error(page)


def test_spheres_and_matrix_are_saved_as_png(browser_page, address):
    page = browser_page
    go(page, address, "gap=see")
    sphere_drawn(page, "gap.sphere", 200)
    page.wait_for_function(f"{MATRIX}?.frames() > 0", timeout=LONG)
    buttons = page.get_by_role("button", name="PNG", exact=True)
    exactly(buttons, 2)
    for i in range(2):
        _, image = saved(page, lambda i=i: buttons.nth(i).click())
        assert image.startswith(PNG)
        assert len(image) > 20_000


def test_a_click_on_a_cell_shows_both_items(browser_page, address):
    page = browser_page
    go(page, address, "gap=see")
    page.wait_for_function(f"{MATRIX}?.frames() > 0", timeout=LONG)
    in_view(page.locator(".orrery-matrix"))
    at = page.evaluate(f"{MATRIX}.project(20, 150)")
    page.mouse.click(at["x"], at["y"])
    page.get_by_text("Row: image").wait_for(timeout=LONG)
    page.get_by_text("Column: text").wait_for()
    exactly(page.locator(".orrery-card img"), 1)
    page.wait_for_function("location.search.includes('cell=20')", timeout=LONG)
    no_error(page)


def test_the_spheres_before_and_after_turn_together(browser_page, address):
    page = browser_page
    go(page, address, "gap=close&classes=none")
    for key in ("gap.before", "gap.after"):
        sphere_drawn(page, key, 200)
    box = page.locator(".os-front").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y + 30, steps=4)
    page.mouse.up()
    cameras = [page.evaluate(f"{SPHERES}['{key}'].camera()") for key in ("gap.before", "gap.after")]
    assert cameras[0] == cameras[1]
    page.get_by_text("What the numbers say").wait_for(timeout=LONG)
    no_error(page)


def test_vectors_made_elsewhere_are_explained(browser_page, address, reference):
    page = browser_page
    page.goto(f"{address}/Modality_Gap?data=vectors&gap=explain")
    page.locator("input[type=file]").wait_for(state="attached", timeout=LONG)
    page.locator("input[type=file]").set_input_files(str(reference / "features" / "coco500_clip_vitb16_pairs.npz"))
    page.locator("[data-testid=stMetricValue]").first.wait_for(timeout=LONG)
    settled(page)
    shown = page.locator("[data-testid=stMetricValue]").all_inner_texts()
    assert shown[:4] == ["0.851", "0.57", "55\u00a0%", "51\u00a0%"]
    no_error(page)


@pytest.mark.parametrize("query", ["gap=see", "gap=measure", "gap=close&classes=none"])
def test_the_page_fits_a_narrow_screen(new_page, address, query):
    page = new_page(viewport={"width": 420, "height": 860})
    go(page, address, query)
    assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    for table in page.locator(".orrery-table").all():
        assert table.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    behind = page.locator("[data-testid=stHeader]").evaluate("e => getComputedStyle(e).backgroundColor")
    assert behind.startswith("rgb("), f"content would show through the header: {behind}"
    for button in page.locator("[data-testid=stButtonGroup] button").all():
        edges = button.evaluate("""e => { const s = getComputedStyle(e); return ['Top', 'Right', 'Bottom', 'Left'].map(
            (side) => [parseFloat(s[`border${side}Width`]), s[`border${side}Color`]]) }""")
        assert all(width >= 1 and not re.match(r"rgba\(.*, 0\)", colour) for width, colour in edges), edges
        assert button.evaluate("e => parseFloat(getComputedStyle(e).borderTopLeftRadius)") > 0
