"""The PNG of the live sphere: as large as the view, in the colours of its theme, with everything that is seen on it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.waits import still

PAGE = Path(__file__).parent / "sphere_page.py"
PROBE = "window.__orrery_sphere?.probe"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(PAGE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_is_what_is_seen(new_page, address, tmp_path, scheme):
    page = new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page.goto(f"{address}/?heat=1")
    page.wait_for_function(f"{PROBE}?.frames() > 0")
    still(page)
    view = page.locator(".orrery-sphere")
    box, stage = view.bounding_box(), page.locator(".os-stage").bounding_box()
    canvas = page.locator(".os-front").evaluate("node => [node.width, node.height]")
    button = page.get_by_role("button", name="PNG")
    with page.expect_download() as waiting:
        button.click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.name == "probe.png"
    picture = Image.open(path)
    assert picture.format == "PNG"
    assert picture.size == (round(2 * box["width"] + 64), round(2 * box["height"] + 64))
    pixels = np.asarray(picture.convert("RGB"), dtype=int)
    assert (pixels[-1, -1] == pixels[0, -1]).all()
    assert pixels[0, -1].sum() > 700 if scheme == "light" else pixels[0, -1].sum() < 150
    x, y = (int(2 * (stage[c] - box[c])) + 32 for c in "xy")
    middle = pixels[y + 200:y + 1000, x + 600:-600].reshape(-1, 3)
    assert len(np.unique(middle // 8, axis=0)) > 300
    title = pixels[:y - 8 if y > 60 else 40, :400].reshape(-1, 3)
    assert (np.abs(title - pixels[0, -1]).sum(axis=1) > 200).mean() > 0.005
    shown = Image.open(io.BytesIO(page.locator(".os-stage").screenshot())).convert("RGB")
    saved = picture.convert("RGB").crop((x, y, x + 2 * shown.width, y + 2 * shown.height)).resize(shown.size)
    apart = np.abs(np.asarray(saved, dtype=int) - np.asarray(shown, dtype=int)).mean()
    assert apart < 6
    assert page.locator(".os-front").evaluate("node => [node.width, node.height]") == canvas
