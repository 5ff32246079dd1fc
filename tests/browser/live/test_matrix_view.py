"""The live matrix in a real browser: every cell can be pointed at and clicked, up to 2,000 by 2,000."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.figures.gap.matrix import block_cosines, cell_of, scales
from core.figures.theme import sequence
from core.geometry.gap.reports import SimilarityMatrix
from tests.browser.live.matrix_pairs import report
from tests.browser.waits import still

PAGE = Path(__file__).parent / "matrix_page.py"
PROBE = "window.__orrery_matrix?.probe"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(PAGE)


def opened(page, address: str, n: int = 100):
    page.goto(f"{address}?n={n}")
    page.wait_for_function(f"{PROBE}?.loaded() === {-(-2 * n // 256)} && {PROBE}.frames() > 0")
    still(page)
    return page


def words(shown: SimilarityMatrix, row: int, column: int) -> str:
    c = cell_of(shown, column, row)
    return (f"picked {row} {column} {c.row_modality} {c.column_modality} {c.row_item} {c.column_item} {c.cosine:.3f} "
            f"{c.matched}")


def point_at(page, row: int, column: int) -> dict:
    at = page.evaluate(f"{PROBE}.project({row}, {column})")
    page.mouse.move(at["x"], at["y"])
    return at


def test_a_click_picks_the_cell_under_it(browser_page, address):
    page, shown = opened(browser_page, address), report()
    for row, column in ((0, 0), (3, 17), (40, 150), (199, 2), (120, 130)):
        at = point_at(page, row, column)
        page.mouse.click(at["x"], at["y"])
        page.get_by_text(words(shown, row, column), exact=True).wait_for()


def test_pointing_names_both_items_as_plain_text(browser_page, address):
    page, shown = opened(browser_page, address), report()
    row, column = shown.links[5].tolist()
    point_at(page, row, column)
    tip = page.locator(".os-tip")
    tip.wait_for()
    said = tip.inner_text()
    assert f"cosine {float(shown.cosines[row, column]):.3f}, a pair" in said
    assert f"Image: <b>picture</b> {shown.image_rows[row]}" in said
    assert f"</script> caption {shown.text_rows[column - 100]}" in said
    assert page.title() != "hacked"


def test_colours_are_those_of_the_scale(browser_page, address):
    page, shown = opened(browser_page, address), report()
    for scale in ("one", "block"):
        ends, table = scales(shown, scale), sequence(False)
        for row, column, block in ((2, 9, "images"), (11, 140, "cross"), (140, 11, "cross"), (150, 180, "texts")):
            low, high = ends[block]
            share = (round(float(shown.cosines[row, column]), 4) - low) / (high - low)
            wanted = table[int(np.clip(round(share * 255), 0, 255))]
            seen = page.evaluate(f"{PROBE}.colour({row}, {column})")[:3]
            assert np.abs(wanted.astype(int) - seen).max() <= 3
        if scale == "one":
            page.locator("label", has_text="block").click()
            page.get_by_text("cosine, images with texts").wait_for()
    shown_ends = page.locator(".os-ends").all_inner_texts()
    assert len(shown_ends) == 3
    low, high = np.percentile(block_cosines(shown, "cross"), [1, 99])
    assert shown_ends[1].split() == [f"{low:.2f}", f"{high:.2f}"]


def test_wheel_zooms_keys_point_and_the_part_shown_stays_through_a_click(browser_page, address):
    page, shown = opened(browser_page, address), report()
    point_at(page, 60, 30)
    page.mouse.wheel(0, -900)
    page.wait_for_function(f"{PROBE}.part().span < 100")
    part = page.evaluate(f"{PROBE}.part()")
    assert page.evaluate(f"{PROBE}.cell()") == [60, 30]
    at = point_at(page, 60, 30)
    page.mouse.click(at["x"], at["y"])
    page.get_by_text(words(shown, 60, 30), exact=True).wait_for()
    assert page.evaluate(f"{PROBE}.part()") == part
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.get_by_text(words(shown, 61, 32), exact=True).wait_for()
    page.keyboard.press("0")
    page.wait_for_function(f"{PROBE}.part().span === 200")


def test_a_drag_moves_the_part_shown_and_picks_nothing(browser_page, address):
    page = opened(browser_page, address)
    at = point_at(page, 100, 100)
    page.mouse.wheel(0, -900)
    page.wait_for_function(f"{PROBE}.part().span < 100")
    before = page.evaluate(f"{PROBE}.part()")
    page.mouse.down()
    page.mouse.move(at["x"] - 60, at["y"] - 90)
    page.mouse.up()
    page.wait_for_function(f"{PROBE}.part().x > {before['x']} && {PROBE}.part().y > {before['y']}")
    still(page)
    assert page.get_by_text("none", exact=True).is_visible()


def test_two_thousand_items_are_drawn_and_each_cell_clicked(browser_page, address):
    page = opened(browser_page, address, 1000)
    shown = report(1000)
    for row, column in ((60, 1900), (1203, 77)):
        point_at(page, row, column)
        page.mouse.wheel(0, -2500)
        page.wait_for_function(f"{PROBE}.part().span < 50")
        assert page.evaluate(f"{PROBE}.value({row}, {column})") == pytest.approx(
            float(shown.cosines[row, column]), abs=6e-5)
        at = point_at(page, row, column)
        page.mouse.click(at["x"], at["y"])
        page.get_by_text(words(shown, row, column), exact=True).wait_for()
        page.keyboard.press("0")
        page.wait_for_function(f"{PROBE}.part().span === 2000")


def test_a_narrow_dark_page_shows_it_whole(new_page, address):
    page = new_page(viewport={"width": 420, "height": 900}, color_scheme="dark")
    opened(page, address)
    box = page.locator(".os-front").bounding_box()
    assert 250 < box["width"] <= 420 and abs(box["width"] - box["height"]) < 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    seen = page.evaluate(f"{PROBE}.colour(0, 0)")[:3]
    assert np.abs(np.array(seen) - sequence(True)[255]).max() <= 3
    with page.expect_download() as download:
        page.locator(".os-save").click()
    assert Path(download.value.path()).read_bytes()[:4] == b"\x89PNG"
