"""The live sphere under fingers: a drag turns it, two fingers zoom and roll it, a tap picks, and the page stays put."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.browser.waits import still

PAGE = Path(__file__).parent / "sphere_page.py"
PROBE = "window.__orrery_sphere?.probe"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(PAGE)


@pytest.fixture
def phone(new_page, address) -> object:
    """A page of 420 x 860 CSS pixels under fingers."""
    page = new_page(viewport={"width": 420, "height": 860}, has_touch=True, is_mobile=True)
    page.goto(address)
    page.wait_for_function(f"{PROBE}?.frames() > 0")
    still(page)
    return page


def camera(page) -> list[float]:
    return [float(v) for v in page.evaluate(f"{PROBE}.camera()").split(",")]


def middle(page) -> tuple[float, float]:
    box = page.locator(".os-front").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def points(page) -> list[dict]:
    """Where each point is in the window."""
    return page.evaluate(f"Array.from({{length: {PROBE}.count()}}, (_, i) => ({{i, ...{PROBE}.project(i)}}))")


def fingers(page, paths: list[list[tuple[float, float]]]) -> None:
    """Put fingers down at the first place of each path, move them along, lift them."""
    session = page.context.new_cdp_session(page)

    def at(step: int) -> list[dict]:
        return [{"x": path[step][0], "y": path[step][1], "id": k} for k, path in enumerate(paths)]

    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at(0)})
    for step in range(1, len(paths[0])):
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": at(step)})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def line(start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> list[tuple[float, float]]:
    return [tuple(a + (b - a) * k / steps for a, b in zip(start, end)) for k in range(steps + 1)]


def test_a_finger_turns_the_sphere_and_does_not_scroll_the_page(phone):
    x, y = middle(phone)
    front = phone.evaluate(f"{PROBE}.project(3)")
    before, scrolled = camera(phone), phone.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    fingers(phone, [line((x, y), (x + 60, y - 50))])
    after = camera(phone)
    assert after[:4] != before[:4]
    assert after[4] == before[4]
    assert phone.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == scrolled
    moved = phone.evaluate(f"{PROBE}.project(3)")
    assert math.hypot(moved["x"] - front["x"], moved["y"] - front["y"]) > 10
    phone.get_by_text(f"camera={phone.evaluate(f'{PROBE}.camera()')}", exact=True).wait_for()
    phone.get_by_text("clicked=None", exact=True).wait_for()


def test_what_is_in_the_middle_follows_the_finger(phone):
    x, y = middle(phone)
    found = [p for p in points(phone) if p["front"]]
    start = min(found, key=lambda p: math.hypot(p["x"] - x, p["y"] - y))
    fingers(phone, [line((x, y), (x + 50, y + 30), 25)])
    phone.get_by_text(f"camera={phone.evaluate(f'{PROBE}.camera()')}", exact=True).wait_for()
    end = phone.evaluate(f"{PROBE}.project({start['i']})")
    slack = 16   # a browser waits so many pixels before it takes a touch for a move
    assert math.hypot(end["x"] - start["x"] - 50, end["y"] - start["y"] - 30) < slack


@pytest.mark.parametrize(("first", "last", "zoom"), [(40, 80, 2.0), (80, 64, 0.8)])
def test_two_fingers_zoom_by_how_far_they_part(phone, first, last, zoom):
    x, y = middle(phone)
    before = camera(phone)
    fingers(phone, [line((x - first, y), (x - last, y)), line((x + first, y), (x + last, y))])
    after = camera(phone)
    assert after[4] / before[4] == pytest.approx(zoom, rel=0.06)
    assert after[:4] == pytest.approx(before[:4], abs=0.02)
    phone.get_by_text("clicked=None", exact=True).wait_for()


def test_two_fingers_that_circle_roll_the_sphere(phone):
    x, y = middle(phone)
    place = phone.evaluate(f"{PROBE}.project(3)")
    turn = [math.radians(3 * k) for k in range(11)]
    fingers(phone, [[(x + 70 * math.cos(t), y + 70 * math.sin(t)) for t in turn],
                    [(x - 70 * math.cos(t), y - 70 * math.sin(t)) for t in turn]])
    rolled = phone.evaluate(f"{PROBE}.project(3)")
    angle = math.atan2(rolled["y"] - y, rolled["x"] - x) - math.atan2(place["y"] - y, place["x"] - x)
    assert math.degrees(math.remainder(angle, 2 * math.pi)) == pytest.approx(30, abs=4)
    assert camera(phone)[4] == pytest.approx(1, abs=0.02)


def test_a_tap_picks_and_shows_the_tip_and_turns_nothing(phone):
    x, y = middle(phone)
    radius = phone.evaluate(f"{PROBE}.radius()")
    front = [p for p in points(phone) if p["front"]]
    pictures = [p for p in front if p["i"] < 150 and p["i"] % 12 == 0]
    point = next(p for p in front if math.hypot(p["x"] - x, p["y"] - y) < 0.8 * radius and p["i"] > 2
                 and all(math.hypot(p["x"] - q["x"], p["y"] - q["y"]) > 40 for q in pictures))
    before = camera(phone)
    phone.touchscreen.tap(point["x"], point["y"])
    phone.get_by_text(f"clicked={point['i']}", exact=True).wait_for()
    assert camera(phone) == before
    phone.locator(".os-tip").get_by_text(f"point {point['i']}", exact=True).wait_for()
    bounds = phone.locator(".os-tip").bounding_box()
    assert bounds["x"] >= 0
    assert bounds["x"] + bounds["width"] <= 420
    phone.touchscreen.tap(x - 1.12 * radius, y - 1.12 * radius)
    phone.locator(".os-tip").wait_for(state="hidden")
