"""Text geometry in a real browser: a sentence's path and its sphere, a test of binding, and a table of one's own."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from core.encoding.models import load_model
from core.language.words.binding import judge, scene_choices
from core.language.words.scenes import SCORED, look
from core.language.words.sentences import sentence_paths
from core.sources.solids.captions import prompt
from core.sources.solids.world import open_world
from tests.browser.foveal.test_refer import table_of
from tests.browser.objects.test_objects import finding
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, still

PAGE = "Words_and_Captions"
SPHERE = "window.__orrery_sphere?.['texts.sphere']"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def test_a_sentence_grows_on_the_sphere_and_its_angles_are_the_cores(browser_page, address):
    page, text = browser_page, "a large red cube in a meadow"
    page.goto(f"{address}/{PAGE}?scenes=100&words=texts&sentences_typed={text.replace(' ', '+')}&sentences_image=0")
    page.wait_for_function(f"{SPHERE}?.frames() > 0 && {SPHERE}.count() === {200 + 7}", timeout=LONG)
    path, = sentence_paths(load_model("builtin"), [text])
    rows = table_of(page, "texts-growing")
    np.testing.assert_allclose([float(row["to the whole (°)"]) for row in rows], path.to_whole, atol=1e-3)
    np.testing.assert_allclose([float(row["shuffled, mean"]) for row in rows], path.shuffled_to_whole[0], atol=1e-3)
    assert f"{path.order.value:.1f}°" in finding(page, "texts.growing", "moves")
    no_traceback(page)


def test_scenes_and_a_table_of_two_captions_are_judged_and_the_wrong_are_kept(browser_page, address):
    page = browser_page
    page.goto(f"{address}/{PAGE}?scenes=100&words=texts&texts_part=two_captions&two_captions_scenes=50")
    page.get_by_role("button", name="Look at scenes and choose").click()
    finding(page, "texts.two_captions", "50 scenes of two")
    model = load_model("builtin")
    scenes = look(model, 50, SCORED, count=2)
    known = judge(model, scenes.images, scene_choices(scenes.scenes))
    rows = {row["what"]: row for row in table_of(page, "texts-two_captions")}
    for name, kind in (("colours swapped", "colours"), ("one wrong colour", "colour")):
        assert float(rows[name]["share"]) == pytest.approx(known.shares[kind].value) and rows[name]["share by chance"] \
            == "0.5"
        assert float(rows[name]["p (Holm)"]) == pytest.approx(known.over_chance[kind].p)

    out, data = io.StringIO(), open_world(100)
    table = csv.writer(out)
    table.writerow(["image", "right", "wrong", "kind"])
    for name, scene in list(zip(data.image_ids, data.images.scenes))[:20]:
        solid = scene.solids[0]
        table.writerow([name, prompt(colour=solid.colour), prompt(colour="pink" if solid.colour != "pink" else "blue"),
                        "colour"])
        table.writerow([name, prompt(texture=solid.texture), prompt(texture=solid.texture) + " thing", "words"])
    table.writerow(["nowhere", "a thing", "an object", "colour"])
    page.get_by_text("A table", exact=True).click()
    field = page.locator("[data-testid=stFileUploader] input[type=file]").last
    field.wait_for(state="attached", timeout=LONG)
    still(page)
    field.set_input_files({"name": "two.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()})
    finding(page, "texts.two_captions", "40 rows")
    page.get_by_text("1 item could not be read").wait_for(timeout=LONG)
    rows = {row["what"]: row for row in table_of(page, "texts-two_captions")}
    assert float(rows["colour"]["share"]) >= 0.8 and rows["words"]["n"] == "20"
    page.get_by_role("button", name="images that are told wrong as a selection").click()
    page.get_by_text("Kept as").first.wait_for(timeout=LONG)
    no_traceback(page)
