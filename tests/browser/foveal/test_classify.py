"""Classify in a real browser: masks are uploaded, accuracy is what the core measures, and what is gained is kept."""

from __future__ import annotations

import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from core.attention.foveal.classifying import classify
from core.attention.foveal.foregrounds import of_file
from core.attention.masks import FOVEAL
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.geometry.directions import unit
from core.language.world_evaluation import BARE
from core.sources.foveal.masks import open_regions
from core.sources.solids.seen import solids_seen
from core.sources.solids.world import open_world
from tests.browser.foveal.test_look import shown, table
from tests.browser.objects.test_objects import finding
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, still

SCENES, MASKED = 100, 70


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def masks() -> bytes:
    """Pixels of the labelled solid of the first scenes, at half their size, and a picture that marks nothing."""
    which, _ = solids_seen(open_world(SCENES).images.scenes[:MASKED], 64)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i, mask in enumerate(which == 1):
            png = io.BytesIO()
            Image.fromarray(mask if i else np.zeros_like(mask)).save(png, "PNG")
            archive.writestr(f"masks/scene {i:02d}.png", png.getvalue())
    return out.getvalue()


def test_masks_are_uploaded_and_the_gained_are_kept(browser_page, address):
    page = browser_page
    shown(page, address, "foveal=classify&classify_label=colour&classify_region=file")
    packed = masks()
    page.locator(".st-key-classify-file input[type=file]").set_input_files(
        [{"name": "masks.zip", "mimeType": "application/zip", "buffer": packed}])
    said = finding(page, "foveal.classified", "foveal mask")
    page.get_by_text(f"{SCENES - MASKED + 1} of {SCENES} pictures are left out").wait_for(timeout=LONG)

    world, model = open_world(SCENES), load_model("builtin")
    tower, names = ImageTower(model), sorted(set(world.image_table["colour"]))
    vectors = unit(model.encode_texts([BARE["colour"][name] for name in names]))
    truth = np.array([names.index(colour) for colour in world.image_table["colour"]])
    region = of_file(open_regions([("masks.zip", packed)]), world.image_ids)
    report = classify(tower, world.images, world.image_ids, region, names, vectors, truth, steering=FOVEAL)

    rows = table(page, "foveal.classified")
    assert [float(row["accuracy"]) for row in rows] == pytest.approx(
        [report.accuracy[method].value for method in report.methods])
    assert [float(row["gained"]) for row in rows[1:]] == [len(report.gained(m)) for m in report.methods[1:]]
    assert float(rows[1]["p (Holm)"]) == pytest.approx(report.differences["foveal"].p)
    assert f"No prompt: {100 * report.accuracy['none'].value:.1f} % of {MASKED - 1} pictures right" in said
    gained, lost = len(report.gained("foveal")), len(report.lost("foveal"))
    assert gained > 5 > lost

    still(page)
    page.get_by_role("button", name=f"Keep the {gained} gained as a selection").click()
    page.get_by_text(re.compile(f"Kept as .*Gained by foveal mask, colour.*{gained} images")).first.wait_for(
        timeout=LONG)
    still(page)
    page.get_by_role("link", name="Embedding Sphere").click()
    picker = page.locator(".st-key-selection")
    picker.first.wait_for(timeout=LONG)
    still(page)
    picker.get_by_role("combobox").click()
    page.get_by_role("option", name="Gained by foveal mask, colour").click()
    page.get_by_text(re.compile(f"^{gained} images and 0 texts selected")).first.wait_for(timeout=LONG)
    no_traceback(page)
