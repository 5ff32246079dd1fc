"""Where the page stands, wide and narrow: reloads, links to uploads and folders, refused files, names and legends."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.data.test_sources import drawn, no_traceback, says, uploaded
from tests.browser.sphere.test_sphere import PROBE
from tests.browser.waits import LONG, still

APP = Path(__file__).parents[3] / "app.py"
BAR = "(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') ?? null)"
BROKEN_NAMES = """() => {
  const broken = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!node.parentElement.checkVisibility()) continue;
    for (const found of node.data.matchAll(/videoclip_random\\.npz/g)) {
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1)
        broken.push(node.parentElement.outerHTML.slice(0, 200));
    }
  }
  return broken;
}"""


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


@pytest.fixture(params=[1280, 420])
def page(request, browser_page):
    browser_page.set_viewport_size({"width": request.param, "height": 900})
    return browser_page


@pytest.fixture(scope="module")
def brought(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("brought")
    (root / "photos").mkdir()
    for i in range(8):
        Image.new("RGB", (40, 30), (25 * i, 40, 250 - 20 * i)).save(root / "photos" / f"{i}.png")
    with zipfile.ZipFile(root / "photos.zip", "w") as packed:
        for file in sorted((root / "photos").iterdir()):
            packed.write(file, file.name)
    (root / "broken.zip").write_bytes(b"no archive")
    (root / "table.csv").write_text("bild,words\n" + "".join(f"{i},a thing of number {i} and more\n" for i in range(8)))
    rng = np.random.default_rng(0)
    np.savez(root / "videoclip_random.npz", image=rng.normal(size=(9, 16)), text=rng.normal(size=(9, 16)))
    return root


def test_a_refused_file_is_gone_and_the_next_good_one_opens_and_a_reload_says_what_to_bring(page, address, brought):
    uploaded(page, f"{address}/Embedding_Sphere", "images", brought / "broken.zip")
    says(page, "This did not work")
    still(page)
    assert page.get_by_test_id("stFileChipName").count() == 0
    page.locator("input[type=file]").first.set_input_files(str(brought / "photos.zip"))
    drawn(page, 8)
    assert page.get_by_text("This did not work").count() == 0
    page.goto(re.sub("map=[a-z]*", "", page.url) + "&map=geodesic_mds")
    says(page, "a view of “photos.zip”, which was uploaded")
    still(page)
    page.locator("input[type=file]").first.set_input_files(str(brought / "photos.zip"))
    drawn(page, 8)
    assert "map=geodesic_mds" in page.url
    page.get_by_text("Geodesic MDS").first.wait_for(timeout=LONG)
    no_traceback(page)


def test_images_with_a_table_are_asked_for_their_column(page, address, brought):
    page.goto(f"{address}/Embedding_Sphere?data=table")
    for key, file in (("upload", "table.csv"), ("images", "photos.zip")):
        drop = page.locator(f".st-key-table-{key} input[type=file]")
        drop.wait_for(state="attached", timeout=LONG)
        still(page)
        drop.set_input_files(str(brought / file))
        page.get_by_test_id("stFileChipName").get_by_text(file).wait_for(timeout=LONG)
    still(page)
    page.get_by_role("button", name="Open the table").click(timeout=LONG)
    says(page, "Which one names them?")
    still(page)
    page.get_by_role("button", name="Open the table so").click(timeout=LONG)
    drawn(page, 16)


def test_a_folder_of_a_link_is_opened_after_a_click(page, address, brought):
    page.goto(f"{address}/Embedding_Sphere?data=folder&folder={brought / 'photos'}")
    says(page, "It is not opened unasked.")
    still(page)
    assert page.get_by_role("button", name="What is loaded").count() == 0
    page.get_by_role("button", name="Yes, open it").click(timeout=LONG)
    drawn(page, 8)


def test_vectors_name_their_model_and_no_name_is_broken(page, address, brought):
    uploaded(page, f"{address}/Embedding_Sphere", "vectors", brought / "videoclip_random.npz")
    drawn(page, 18)
    still(page)
    assert page.evaluate(BROKEN_NAMES) == []
    page.goto(f"{address}/Modality_Gap?data=vectors")
    page.locator("input[type=file]").first.wait_for(state="attached", timeout=LONG)
    still(page)
    page.locator("input[type=file]").first.set_input_files(str(brought / "videoclip_random.npz"))
    page.get_by_text("made elsewhere: videoclip_random").first.wait_for(state="attached", timeout=LONG)
    page.get_by_text("16 dimensions").first.wait_for(state="attached", timeout=LONG)
    still(page)
    assert page.evaluate(BROKEN_NAMES) == []
    no_traceback(page)


def test_a_reload_in_the_middle_of_encoding_waits_for_that_run(page, address):
    seed = page.viewport_size["width"] % 97
    page.goto(f"{address}/Embedding_Sphere?scenes=5000&sample={seed}")
    whole = page.get_by_role("button", name=re.compile("Encode all"))
    encoding = page.get_by_text(re.compile("Encoding images: "))
    whole.or_(encoding).first.wait_for(timeout=LONG)
    if whole.count():
        whole.click()
        encoding.first.wait_for(timeout=LONG)
    before = float(page.evaluate(BAR) or 0)
    page.reload()
    page.wait_for_function(f"{BAR} !== null || {PROBE}?.frames() > 0", timeout=LONG)    # or it was over meanwhile
    after = page.evaluate(BAR)
    assert after is None or float(after) >= before
    assert whole.count() == 0
    assert page.get_by_text("another run").count() == 0
    no_traceback(page)
