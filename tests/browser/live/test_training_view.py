"""The training view in a real browser: points move between snapshots, one step and one camera for all runs."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.figures.theme import contrast
from tests.browser.live.training_page import CLASSES, EVERY, IMAGES, PLANNED, TEXTS, places
from tests.browser.waits import still

PAGE = Path(__file__).parent / "training_page.py"
PROBE = "window.__orrery_training?.probe"


@pytest.fixture(scope="module")
def address(streamlit_server: Callable[..., str]) -> str:
    return streamlit_server(PAGE)


@pytest.fixture
def opened(new_page, address):
    def open_page(query: str = "", **context: object):
        page = new_page(**{"viewport": {"width": 1280, "height": 1000}, **context})
        page.goto(address + "/?" + query)
        page.wait_for_function(f"{PROBE}?.frames() > 1")
        return page

    return open_page


def ask(page, what: str):
    return page.evaluate(f"{PROBE}.{what}")


def at_step(run: int, step: float) -> np.ndarray:
    """Where points are, by hand: spherical interpolation between two snapshots."""
    points, k = places(run, PLANNED // EVERY + 1).astype(float), int(step // EVERY)
    if k + 1 >= len(points) or step == k * EVERY:
        return points[k]
    a, b, share = points[k], points[k + 1], step / EVERY - k
    angle = np.arccos(np.clip((a * b).sum(axis=1, keepdims=True), -1, 1))
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)


def shown(page, run: int) -> np.ndarray:
    return np.array(page.evaluate(f"[...Array({IMAGES + TEXTS}).keys()].map((i) => {PROBE}.point(i, {run}))"))


def assert_drawn_there(page) -> None:
    """Images that are looked at are seen in the middle of a globe that is there."""
    page.mouse.move(5, 5)
    for run in (0, 1):
        seen, box = [], page.locator(".os-front").nth(run).bounding_box()
        for image in (0, 7, 20):
            page.evaluate(f"window.__orrery_sphere['probe.{run}'].face({image})")
            picture = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB"), dtype=int)
            y, x = (np.array(picture.shape[:2]) / 2).astype(int)
            seen.append(np.abs(picture[y, x] - [0x00, 0x72, 0xb2]).max() < 40)
            around = picture[y - 60:y + 60, x - 60:x + 60]
            assert (around.min(axis=2) < 253).mean() > 0.9, "the body of the globe"
        assert sum(seen) >= 2, "one may lie under another"


def test_runs_grow_are_followed_and_held_at_any_step(opened):
    page = opened()
    assert ask(page, "count()") == 2 and ask(page, "steps()") == [0] and ask(page, "following()")
    for times in (1, 2, 3):      # 22 snapshots: two files and a tail
        page.get_by_role("button", name="more").click()
        page.wait_for_function(f"{PROBE}.steps(1).length === {1 + 7 * times}")
        page.wait_for_function(f"{PROBE}.at() === {70 * times}")
    assert ask(page, "updates()") == 3 and ask(page, "moves()") > 3, "it glides there"
    for run in (0, 1):
        np.testing.assert_allclose(shown(page, run), at_step(run, 210), atol=1e-4)
    assert_drawn_there(page)
    for step in (95, 3, 140):
        ask(page, f"seek({step})")
        page.wait_for_function(f"{PROBE}.at() === {step}")
        page.get_by_text(f"step={step} ").wait_for()
        for run in (0, 1):
            np.testing.assert_allclose(shown(page, run), at_step(run, step), atol=1e-4)
    page.get_by_role("button", name="more").click()
    page.wait_for_function(f"{PROBE}.steps().length === 29")
    assert ask(page, "at()") == 140 and not ask(page, "following()"), "who looks back is left there"
    assert page.get_by_text("step 140 · R@1").count() == 2
    page.get_by_role("button", name="Newest").click()
    page.wait_for_function(f"{PROBE}.at() === 280")
    page.get_by_text("step=None").wait_for()
    page.get_by_role("button", name="to step 300").click()
    page.wait_for_function(f"{PROBE}.at() === 280 && !{PROBE}.following()")
    page.get_by_role("button", name="more").click()
    page.wait_for_function(f"{PROBE}.steps().length === 36")
    assert ask(page, "at()") == 280, "the same wish is not heard twice"


def test_a_run_is_played_paused_and_stepped_through_with_keys(opened):
    page = opened("snapshots=61&flow=3&trails=8")
    assert ask(page, "at()") == PLANNED, "what is over stands at its end"
    page.get_by_label("Play (space)").click()
    page.wait_for_function(f"{PROBE}.at() > 30 && {PROBE}.at() < 500")
    page.get_by_label("Pause (space)").click()
    assert not ask(page, "playing()")
    step = ask(page, "at()")
    np.testing.assert_allclose(shown(page, 1), at_step(1, step), atol=1e-3)
    page.get_by_label("Step of the training").focus()
    page.keyboard.press("ArrowRight")
    after = EVERY * (int(step // EVERY) + 1)
    page.wait_for_function(f"{PROBE}.at() === {after}")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{PROBE}.at() === {after - EVERY}")
    page.keyboard.press("Home")
    page.wait_for_function(f"{PROBE}.at() === 0")
    page.locator(".oc-speed select").select_option("4")
    page.get_by_label("Play (space)").click()
    page.wait_for_function(f"{PROBE}.at() === {PLANNED} && !{PROBE}.playing()")
    page.get_by_text(f"step={PLANNED} ").wait_for()


def test_one_camera_turns_all_and_stays_and_a_click_is_told(opened):
    page = opened("snapshots=20")
    still(page)
    box = page.locator(".os-front").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y + 150)
    page.mouse.down()
    page.mouse.move(x + 60, y + 120, steps=4)
    page.mouse.up()
    camera = ask(page, "camera()")
    assert ask(page, "camera(1)") == camera
    page.get_by_text(f"camera={camera}").wait_for()
    page.get_by_role("button", name="more").click()
    page.wait_for_function(f"{PROBE}.steps().length === 27 && {PROBE}.at() === 260")
    assert ask(page, "camera()") == ask(page, "camera(1)") == camera
    near = next(i for i in range(IMAGES) if ask(page, f"project({i}, 1)")["front"])
    place = ask(page, f"project({near}, 1)")
    page.mouse.click(place["x"], place["y"])
    page.get_by_text("clicked=(1, ").wait_for()
    picked = ask(page, "picked(1)")
    assert ask(page, "picked(0)") == picked >= 0, "the same item is ringed in both"
    page.get_by_text(f"clicked=(1, {picked})").wait_for()
    told = page.locator(".os-tip").nth(1).inner_text()
    assert (f"item <b>{picked}</b>" in told) if picked < IMAGES else ("a thing, number" in told), "text, not markup"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (420, "dark")])
def test_all_is_legible_and_nothing_overlaps(opened, width, scheme):
    page = opened("snapshots=30&by_class=1", viewport={"width": width, "height": 1400}, color_scheme=scheme)
    still(page)
    assert page.locator(".os-legend").first.get_by_text(CLASSES[0]).is_visible()
    parts = [one.bounding_box() for of in (".os-title", ".os-legend", ".os-stage", ".os-note", ".oc-bar", ".oc-row")
             for one in page.locator(f".orrery-training {of}").all()]
    assert len(parts) == 10
    for k, a in enumerate(parts):
        assert a["width"] > 0 and a["x"] >= 0 and a["x"] + a["width"] <= width
        for b in parts[:k]:
            assert (a["x"] + a["width"] <= b["x"] + 0.5 or b["x"] + b["width"] <= a["x"] + 0.5
                    or a["y"] + a["height"] <= b["y"] + 0.5 or b["y"] + b["height"] <= a["y"] + 0.5), (a, b)
    stages = parts[4:6]
    assert (stages[1]["x"] > stages[0]["x"]) is (width == 1280) and (stages[1]["y"] > stages[0]["y"]) is (width == 420)
    texts = page.locator(".orrery-training *").evaluate_all(
        "nodes => nodes.filter(n => n.innerText && !n.children.length && n.getClientRects().length).map(n => { "
        "const s = getComputedStyle(n), hex = (c) => '#' + c.match(/\\d+/g).slice(0, 3).map((v) => "
        "(+v).toString(16).padStart(2, '0')).join(''); return [n.innerText, parseFloat(s.fontSize), hex(s.color)]; })")
    assert len(texts) > 8
    ground = "#ffffff" if scheme == "light" else "#171c26"
    for text, size, colour in texts:
        assert size >= 11, text
        assert contrast(colour, ground) >= 4.5, (text, colour)


def test_without_webgl_a_plotly_figure_of_one_step_stands_there(new_page, address):
    page = new_page(viewport={"width": 1280, "height": 1000})
    page.add_init_script("""const own = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return kind === 'webgl2' ? null : own.call(this, kind, ...rest); };""")
    page.goto(address + "/?snapshots=5")
    page.get_by_text("has no WebGL 2").first.wait_for()
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length === 2")
    page.get_by_text("step=40 ").wait_for()
