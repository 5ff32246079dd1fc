"""Views of one link name follow each other in the browser: camera, the point pointed at, the point picked."""

from __future__ import annotations

from pathlib import Path

import pytest

PAGE = Path(__file__).parent / "linked_page.py"
VIEWS = "window.__orrery_sphere"


@pytest.fixture
def page(browser_page, streamlit_server):
    browser_page.goto(streamlit_server(PAGE))
    browser_page.wait_for_function(
        f"['one', 'other', 'alone'].every((key) => {VIEWS}?.[key]?.frames() > 0)", timeout=120_000)
    return browser_page


def ask(page, key: str, what: str):
    return page.evaluate(f"{VIEWS}.{key}.{what}()")


def wait(page, condition: str) -> None:
    page.wait_for_function(condition, timeout=120_000)


def front_of(page, key: str, i: int) -> dict:
    """Turn a view so that a point faces the visitor, and say where it is."""
    page.evaluate(f"{VIEWS}.{key}.face({i})")
    return page.evaluate(f"{VIEWS}.{key}.project({i})")


def near(place: dict) -> tuple[float, float]:
    return place["x"] + 50, place["y"] + 50


def test_the_point_pointed_at_is_ringed_in_the_linked_view_alone_and_no_script_runs_again(page):
    for key, follower in (("one", "other"), ("other", "one")):
        for i in (7, 63):
            place = front_of(page, key, i)
            page.mouse.move(*near(place))
            page.mouse.move(place["x"], place["y"])
            wait(page, f"{VIEWS}.{key}.hovered() === {i} && {VIEWS}.{follower}.lit() === {i}")
            assert (ask(page, key, "lit"), ask(page, follower, "hovered")) == (-1, -1)
            assert (ask(page, "alone", "lit"), ask(page, "alone", "hovered")) == (-1, -1)
        page.mouse.move(2, 2)
        wait(page, f"{VIEWS}.{follower}.lit() === -1")
    place = front_of(page, "alone", 7)
    page.mouse.move(*near(place))
    page.mouse.move(place["x"], place["y"])
    wait(page, f"{VIEWS}.alone.hovered() === 7")
    assert (ask(page, "one", "lit"), ask(page, "other", "lit")) == (-1, -1)
    assert page.get_by_text("runs=1 ").is_visible()


def test_the_ring_is_drawn(page):
    canvas = page.locator(".os-front").nth(1)
    seen = ("node => node.getContext('2d').getImageData(0, 0, node.width, node.height).data"
            ".filter((v, i) => i % 4 === 3 && v).length")
    assert canvas.evaluate(seen) == 0
    place = front_of(page, "one", 7)
    page.mouse.move(*near(place))
    page.mouse.move(place["x"], place["y"])
    wait(page, f"{VIEWS}.other.lit() === 7")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert canvas.evaluate(seen) > 20


def test_a_click_rings_the_point_in_the_linked_view(page):
    page.evaluate(f"""() => {{ window.seen = []; const views = {VIEWS}; const look = () => {{
        window.seen.push([views.one.picked(), views.other.picked(), views.alone.picked()].join());
        requestAnimationFrame(look); }};
        look(); }}""")
    place = front_of(page, "one", 7)
    page.mouse.move(*near(place))
    page.mouse.click(place["x"], place["y"])
    wait(page, "window.seen.includes('7,7,-1')")
    page.get_by_text("clicked={'one': 7, 'other': None, 'alone': None}").wait_for(timeout=120_000)


def test_linked_views_turn_together_and_the_third_stays(page):
    still = ask(page, "alone", "camera")
    box = page.locator(".os-front").nth(1).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 20)
    page.mouse.move(x + 80, y + 30)
    page.mouse.up()
    wait(page, f"{VIEWS}.other.camera() !== '{still}' && {VIEWS}.one.camera() === {VIEWS}.other.camera()")
    assert ask(page, "alone", "camera") == still
