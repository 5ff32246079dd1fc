"""The live sphere in a real browser: it draws, answers clicks, and its camera stays where the user left it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.waits import still

PAGE = Path(__file__).parent / "sphere_page.py"
PROBE = "window.__orrery_sphere?.probe"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(PAGE)


def opened(page, address: str, query: str = ""):
    page.goto(address + query)
    page.wait_for_function(f"{PROBE}?.frames() > 0")
    still(page)
    return page


def camera(page) -> str:
    return page.evaluate(f"{PROBE}.camera()")


def front_points(page, count: int) -> list[dict]:
    """Points of the near half, none of them under a picture or near the rim."""
    found = page.evaluate(f"""Array.from({{length: {PROBE}.count()}}, (_, i) => ({{i, ...{PROBE}.project(i)}}))""")
    box = page.locator(".os-front").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    radius = page.evaluate(f"{PROBE}.radius()")
    near = [p for p in found if p["front"] and (p["x"] - x) ** 2 + (p["y"] - y) ** 2 < (0.8 * radius) ** 2]
    pictures = [p for p in found if p["front"] and p["i"] < 150 and p["i"] % 12 == 0]
    free = [p for p in near if all((p["x"] - q["x"]) ** 2 + (p["y"] - q["y"]) ** 2 > 45**2 for q in pictures)]
    assert len(free) >= count
    return free[:count]


def drag(page, dx: int, dy: int) -> None:
    box = page.locator(".os-front").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_each_click_picks_the_point_under_it(browser_page, address):
    page = opened(browser_page, address)
    for point in front_points(page, 4):
        page.mouse.click(point["x"], point["y"])
        page.get_by_text(f"clicked={point['i']}", exact=True).wait_for()


def test_the_camera_stays_through_a_click_and_another_map(browser_page, address):
    page = opened(browser_page, address)
    start = camera(page)
    drag(page, 140, 60)
    turned = camera(page)
    assert turned != start
    page.get_by_text(f"camera={turned}", exact=True).wait_for()
    point = front_points(page, 1)[0]
    page.mouse.click(point["x"], point["y"])
    page.get_by_text(f"clicked={point['i']}", exact=True).wait_for()
    before = page.evaluate(f"{PROBE}.project(3)")
    page.locator("label", has_text="turned").click()
    page.wait_for_function(f"Math.abs({PROBE}.project(3).x - {before['x']}) > 1")
    assert camera(page) == turned


def test_other_data_face_the_viewer_but_a_turned_camera_stays(browser_page, address):
    page = opened(browser_page, address)
    first = camera(page)

    def tick(name: str) -> str:
        before = page.evaluate(f"{PROBE}.frames()")
        page.get_by_text(name, exact=True).click()
        page.wait_for_function(f"{PROBE}?.frames() > {before}")
        still(page)
        return camera(page)

    of_others = tick("other data")
    assert of_others != first
    assert [tick("turned"), tick("turned")] == [of_others] * 2, "the same data on another map"
    assert tick("other data") == first
    drag(page, 120, 40)
    turned = camera(page)
    assert turned != first
    assert tick("other data") == turned
    page.locator(".os-front").dblclick(position={"x": 20, "y": 20})
    assert camera(page) == of_others
    assert tick("other data") == first, "after a reset it is no longer a turned one"


def test_the_url_opens_the_same_view_in_a_new_window(browser_page, new_page, address):
    page = opened(browser_page, address)
    drag(page, -120, 90)
    page.mouse.wheel(0, -300)
    page.wait_for_function("location.search.includes('camera')")
    page.get_by_text(f"camera={camera(page)}", exact=True).wait_for()
    page.wait_for_function(
        f"new URLSearchParams(location.search).get('camera') === {PROBE}.camera()")
    other = opened(new_page(viewport={"width": 1280, "height": 900}), page.url)
    assert camera(other) == camera(page)
    assert other.evaluate(f"{PROBE}.project(5)") == pytest.approx(page.evaluate(f"{PROBE}.project(5)"), abs=0.5)


def test_keys_turn_and_a_double_click_resets(browser_page, address):
    page = opened(browser_page, address)
    start = camera(page)
    page.locator(".os-front").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    assert camera(page) != start
    page.locator(".os-front").dblclick(position={"x": 20, "y": 20})
    assert camera(page) == start


def test_hovering_shows_text_as_text_and_the_picture(browser_page, address):
    page = opened(browser_page, address)
    tip = page.locator(".os-tip")
    for i, expected in ((1, "<script>document.title = 'hacked'</script><b>bold</b>"), (2, "long long")):
        page.evaluate(f"{PROBE}.face({i})")
        place = page.evaluate(f"{PROBE}.project({i})")
        page.mouse.move(place["x"] + 60, place["y"] + 60)
        page.mouse.move(place["x"], place["y"])
        page.wait_for_function(f"{PROBE}.hovered() === {i}")
        tip.get_by_text(expected).wait_for()
        assert len(tip.inner_text()) < 500
        page.wait_for_function("""() => {
            const find = (node) => node.querySelector?.('.os-tip img') ?? [...node.querySelectorAll?.('*') ?? []]
                .map((n) => n.shadowRoot && find(n.shadowRoot)).find(Boolean);
            const image = find(document);
            return image && image.complete && image.naturalWidth === 48;
        }""")
    assert "hacked" not in page.title()
    assert page.locator(".os-title").inner_text() == "A <b>title</b>"


def test_the_sphere_fills_the_canvas_and_text_is_legible(browser_page, address):
    page = opened(browser_page, address)
    for width in (1280, 500):
        page.set_viewport_size({"width": width, "height": 900})
        still(page)
        box = page.locator(".os-front").bounding_box()
        assert 2 * page.evaluate(f"{PROBE}.radius()") >= 0.6 * box["height"]
        sizes = page.locator(".orrery-sphere *").evaluate_all(
            "nodes => nodes.filter(n => n.innerText).map(n => parseFloat(getComputedStyle(n).fontSize))")
        assert sizes
        assert min(sizes) >= 11


def test_labels_never_overlap_and_stay_inside(browser_page, address):
    page = opened(browser_page, address)
    box = page.locator(".os-front").evaluate("node => [node.width, node.height]")
    for dx, dy in ((0, 0), (120, 30), (-60, 140)):
        if dx:
            drag(page, dx, dy)
        labels = page.evaluate(f"{PROBE}.labels()")
        assert len(labels) >= 5
        for k, (left, top, right, bottom) in enumerate(label["box"] for label in labels):
            assert left >= 0
            assert top >= 0
            assert right <= box[0]
            assert bottom <= box[1]
            for other in labels[:k]:
                a, b, c, d = other["box"]
                assert right <= a or c <= left or bottom <= b or d <= top, (labels[k]["text"], other["text"])


def test_it_comes_back_after_the_graphics_are_lost(browser_page, address):
    page = opened(browser_page, address)
    start = camera(page)
    page.locator(".os-back").evaluate("""node => {
        const lost = node.getContext('webgl2').getExtension('WEBGL_lose_context');
        lost.loseContext();
        setTimeout(() => lost.restoreContext(), 50); }""")
    page.wait_for_function("!document.querySelector('.os-back')?.getContext('webgl2').isContextLost()")
    still(page)
    frames = page.evaluate(f"{PROBE}.frames()")
    drag(page, 80, 10)
    page.wait_for_function(f"{PROBE}.frames() > {frames}")
    assert camera(page) != start
    assert len(set(_pixels(page.locator(".os-stage").screenshot()))) > 500


def test_it_is_drawn_and_follows_the_theme(new_page, address):
    shots = {}
    for scheme in ("light", "dark"):
        page = opened(new_page(viewport={"width": 1000, "height": 800}, color_scheme=scheme), address, "/?heat=1")
        shots[scheme] = page.locator(".os-stage").screenshot()
    means = {name: _mean_grey(shot) for name, shot in shots.items()}
    assert means["light"] > 180 > 100 > means["dark"]
    assert all(len(set(_pixels(shot))) > 500 for shot in shots.values())


def test_a_hundred_thousand_points_are_light_and_fluid(browser_page, address):
    sent: list[int] = []

    def heard(socket) -> None:
        socket.on("framereceived", lambda frame: sent.append(len(frame)))

    browser_page.on("websocket", heard)
    page = opened(browser_page, address, "/?n=100000")
    assert page.evaluate(f"{PROBE}.count()") == 100_000
    assert sum(sent) < 20 * 100_000
    frames = page.evaluate(f"{PROBE}.frames()")
    drag(page, 100, 0)
    page.wait_for_function(f"{PROBE}.frames() > {frames}")
    page.wait_for_function(f"{PROBE}.drawn() === 100000")


def test_without_webgl_a_plotly_figure_stands_in(new_page, address):
    page = new_page()
    page.add_init_script("""const own = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return kind === 'webgl2' ? null : own.call(this, kind, ...rest); };""")
    page.goto(address)
    page.locator(".js-plotly-plot, .stPlotlyChart").first.wait_for()


def _pixels(shot: bytes) -> list[tuple[int, ...]]:
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(shot)).convert("RGB").resize((160, 120))
    return list(image.getdata())


def _mean_grey(shot: bytes) -> float:
    pixels = _pixels(shot)
    return sum(sum(p) for p in pixels) / (3 * len(pixels))


def test_camera_text_is_five_numbers(browser_page, address):
    page = opened(browser_page, address)
    assert re.fullmatch(r"(-?\d+(\.\d+)?,){4}\d+(\.\d+)?", camera(page))
