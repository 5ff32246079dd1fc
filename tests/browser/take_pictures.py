"""Take the pictures of README and Home anew: ``python tests/browser/take_pictures.py`` (needs a chromium)."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.browser.conftest import FLAGS, browser_path
from tests.browser.waits import in_view
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = ROOT / "data" / "pictures"
SEEN = "window.__orrery_sphere?.sphere?.frames() > 0"


def main() -> None:
    from playwright.sync_api import sync_playwright

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port),
               "--server.headless", "true", "--server.fileWatcherType", "none"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
            for theme in ("light", "dark"):
                page = browser.new_page(viewport={"width": 1400, "height": 960}, color_scheme=theme,
                                        device_scale_factor=1.5)
                page.goto(f"http://127.0.0.1:{port}/Embedding_Sphere?point=image%3Ascene+012")
                page.wait_for_function(SEEN, timeout=120_000)
                page.get_by_text("Nearest images").wait_for()
                page.wait_for_timeout(4000)
                window = page.screenshot()
                box = page.locator(".os-front").bounding_box()
                width = min(box["width"], 1.25 * box["height"])
                card = page.screenshot(clip={"x": box["x"] + (box["width"] - width) / 2, "y": box["y"],
                                             "width": width, "height": 0.955 * box["height"]})
                _save(card, FOLDER / f"1_Embedding_Sphere_{theme}.webp", 900)
                if theme == "light":
                    _save(window, FOLDER / "sphere.webp", 1400)
                page.close()
                for take in (_gap, _objects, _films, _quality, _dynamics, _foveal, _words):
                    take(browser.new_page(viewport={"width": 1400, "height": 1010}, color_scheme=theme,
                                          device_scale_factor=1.5), port, theme)
            browser.close()
    finally:
        server.terminate()
        server.wait()


def _gap(page: Page, port: int, theme: str) -> None:
    """The room of the modality gap, and its page for README."""
    page.goto(f"http://127.0.0.1:{port}/Modality_Gap?shift=0.15")
    page.wait_for_function("window.__orrery_sphere?.['gap.sphere']?.frames() > 0 && "
                           "window.__orrery_matrix?.['gap.matrix']?.frames() > 0", timeout=120_000)
    page.wait_for_timeout(4000)
    if theme == "light":
        _save(page.screenshot(), FOLDER / "gap.webp", 1400)
    in_view(page.locator(".orrery-matrix"))
    page.wait_for_timeout(1500)
    box = page.locator(".orrery-matrix canvas").first.bounding_box()
    side = 0.03 * box["width"]
    clip = {"x": box["x"] + side, "y": box["y"], "width": box["width"] - side, "height": 0.78 * box["width"]}
    _save(page.screenshot(clip=clip), FOLDER / f"2_Modality_Gap_{theme}.webp", 900)
    page.close()


def _objects(page: Page, port: int, theme: str) -> None:
    """The room of the object subspaces: the cameras of a solid, with what each sees."""
    page.goto(f"http://127.0.0.1:{port}/Object_Subspaces?object=green+torus&n_views=64&size=128")
    page.wait_for_function("window.__orrery_sphere?.['objects.cameras']?.frames() > 0", timeout=120_000)
    page.wait_for_timeout(6000)
    in_view(page.locator(".os-front").first)
    page.wait_for_timeout(1500)
    box = page.locator(".os-front").first.bounding_box()
    clip = {"x": box["x"], "y": box["y"], "width": box["width"], "height": 0.93 * box["height"]}
    _save(page.screenshot(clip=clip), FOLDER / f"3_Object_Subspaces_{theme}.webp", 900)
    page.close()


def _films(page: Page, port: int, theme: str) -> None:
    """The room of the video trajectories: a film on its way, beside its path."""
    page.goto(f"http://127.0.0.1:{port}/Video_Trajectories?kinds=loop&film_sample=3&each=1")
    page.wait_for_function("window.__orrery_film?.['films.player']?.strip().every((tile) => tile.pictured)",
                           timeout=120_000)
    page.evaluate("window.__orrery_film['films.player'].seek(4.6)")
    in_view(page.locator(".of-strip"))
    page.wait_for_timeout(3000)
    box = page.locator(".orrery-film").bounding_box()
    clip = {"x": box["x"] - 8, "y": box["y"], "width": box["width"] + 16, "height": box["height"]}
    _save(page.screenshot(clip=clip), FOLDER / f"4_Video_Trajectories_{theme}.webp", 900)
    page.close()


def _quality(page: Page, port: int, theme: str) -> None:
    """The room of dataset quality: copies by their cosine, and some of their groups."""
    page.set_viewport_size({"width": 1400, "height": 2600})
    page.goto(f"http://127.0.0.1:{port}/Dataset_Quality?scenes=200&faults=near+duplicates&finding=copies")
    page.get_by_text("the largest of").wait_for(timeout=120_000)
    page.wait_for_timeout(4000)
    figure = page.locator(".st-key-quality-copies .js-plotly-plot").bounding_box()
    groups = page.locator("[class*=st-key-quality-group]").nth(3).bounding_box()
    first = page.locator("[class*=st-key-quality-group]").nth(1).bounding_box()
    above = page.screenshot(clip=figure)
    below = page.screenshot(clip={"x": first["x"], "y": first["y"], "width": first["width"],
                                  "height": groups["y"] + groups["height"] - first["y"]})
    parts = [Image.open(io.BytesIO(part)).convert("RGB") for part in (above, below)]
    whole = Image.new("RGB", (parts[0].width, parts[0].height + parts[1].height), parts[0].getpixel((2, 2)))
    whole.paste(parts[0], (0, 0))
    whole.paste(parts[1], (0, parts[0].height))
    shot = io.BytesIO()
    whole.save(shot, "PNG")
    _save(shot.getvalue(), FOLDER / f"5_Dataset_Quality_{theme}.webp", 900)
    page.close()


def _dynamics(page: Page, port: int, theme: str) -> None:
    """The room of learning dynamics: where images and texts of a probe are after a while, with their trails."""
    page.goto(f"http://127.0.0.1:{port}/Learning_Dynamics?trails=8&colours=class")
    page.get_by_role("button", name="Train", exact=True).click(timeout=120_000)
    page.get_by_text("after 600 steps").first.wait_for(timeout=120_000)
    page.evaluate("window.__orrery_training['dynamics.view'].seek(200)")
    page.wait_for_timeout(3000)
    box = page.locator(".ot-spheres").bounding_box()
    side = (box["width"] - 1.12 * box["height"]) / 2
    clip = {"x": box["x"] + side, "y": box["y"], "width": 1.12 * box["height"], "height": 0.88 * box["height"]}
    _save(page.screenshot(clip=clip), FOLDER / f"6_Learning_Dynamics_{theme}.webp", 900)
    page.close()


def _foveal(page: Page, port: int, theme: str) -> None:
    """The room of foveal attention: a region, where the model then looks, and what a prompt gets."""
    page.set_viewport_size({"width": 1400, "height": 2600})
    page.goto(f"http://127.0.0.1:{port}/Foveal_Attention?scenes=100&picture=36&at=solid2")
    page.locator(".st-key-foveal-large .nsewdrag").wait_for(timeout=120_000)
    page.wait_for_timeout(4000)
    title = page.locator(".st-key-foveal-prompts .gtitle").bounding_box()
    plot = page.locator(".st-key-foveal-prompts .js-plotly-plot").bounding_box()
    places = [page.locator(f".st-key-foveal-{key} .nsewdrag").first.bounding_box() for key in ("taken", "large")]
    places.append({**plot, "height": title["y"] + title["height"] + 8 - plot["y"]})
    first, second, below = (Image.open(io.BytesIO(page.screenshot(clip=place))).convert("RGB") for place in places)
    edge, width = 24, 1200
    ground = below.getpixel((2, 2))
    side = (width - edge) // 2
    below = below.resize((width, round(below.height * width / below.width)), Image.Resampling.LANCZOS)
    whole = Image.new("RGB", (width, side + edge + below.height), ground)
    for place, shot in ((0, first), (side + edge, second)):
        whole.paste(shot.resize((side, side), Image.Resampling.LANCZOS), (place, 0))
    whole.paste(below, (0, side + edge))
    out = io.BytesIO()
    whole.save(out, "PNG")
    _save(out.getvalue(), FOLDER / f"7_Foveal_Attention_{theme}.webp", 900)
    page.close()


def _words(page: Page, port: int, theme: str) -> None:
    """The room of words and captions: a caption on its way to the image, over the sphere."""
    page.goto(f"http://127.0.0.1:{port}/Words_and_Captions?scenes=300&words=caption&image=36")
    page.wait_for_function("window.__orrery_sphere?.['caption.sphere']?.frames() > 0", timeout=120_000)
    page.wait_for_timeout(4000)
    in_view(page.locator(".os-front").first)
    page.wait_for_timeout(1500)
    box = page.locator(".os-front").first.bounding_box()
    clip = {"x": box["x"], "y": box["y"], "width": box["width"], "height": 0.93 * box["height"]}
    _save(page.screenshot(clip=clip), FOLDER / f"8_Words_and_Captions_{theme}.webp", 900)
    page.close()


def _wait(address: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server did not start")


def _save(shot: bytes, path: Path, width: int) -> None:
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, "WEBP", quality=84, method=6)


if __name__ == "__main__":
    main()
