"""Boxes and sentences in a real browser: one picture, many scenes, a file of one's own, and what is wrong taken on."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.attention.foveal.referring import refer, score_boxes
from core.attention.foveal.scenes import world_references
from core.attention.regions import Box
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.sources.foveal.opening import open_boxed
from core.sources.solids.captions import prompt
from core.sources.solids.render import render
from core.sources.solids.world import open_world
from tests.browser.objects.test_objects import downloaded, finding
from tests.browser.sphere.test_sphere import APP, drawn, no_traceback
from tests.browser.waits import LONG, at_least, still

PAGE = "Foveal_Attention"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


@pytest.fixture(scope="module")
def tower() -> ImageTower:
    return ImageTower(load_model("builtin"))


def shown(page, address: str, query: str) -> None:
    page.goto(f"{address}/{PAGE}?{query}")
    page.get_by_role("heading", name="Foveal Attention").wait_for(timeout=LONG)


def stated(page, key: str, part: str) -> str:
    """The title of a figure, once it says some words, on one line or on two."""
    return finding(page, key, part.replace(" ", r"\s*"))


def table_of(page, key: str) -> list[dict[str, str]]:
    """The numbers of a figure, as its CSV gives them."""
    still(page)
    page.locator(f".st-key-{key}").locator("xpath=following::button[contains(., 'Download')][1]").click()
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "CSV").decode("utf-8-sig"))))
    page.keyboard.press("Escape")
    return rows


def scene_of_three(n: int = 300) -> tuple[int, list[str], list[Box]]:
    """The first scene of the sample that has three solids of different names, all in sight; what each is called."""
    dataset = open_world(n)
    for number, scene in enumerate(dataset.images.scenes):
        names = [(solid.colour, solid.shape) for solid in scene.solids]
        if len(set(names)) == 3:
            boxes = render([scene], 512).boxes[0] * (128 / 512)
            if np.isfinite(boxes).all() and (boxes[:, 2:] - boxes[:, :2]).min() > 16:
                return number, [prompt(colour=c, solid=s) for c, s in names], [Box(*map(float, b)) for b in boxes]
    raise AssertionError("no such scene")


def test_a_sentence_names_the_box_that_it_means_and_its_score_is_the_cores(browser_page, address, tower):
    page = browser_page
    number, said, boxes = scene_of_three()
    image = open_world(300).images.decode(number)
    scores = score_boxes(tower, image, boxes, said, "crop").subtracted
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
    shown(page, address, f"foveal=refer&picture={number}&refer_by=crop&refer_sentence={said[2].replace(' ', '%20')}")
    name = said[2].split(" ", 1)[1]
    title = stated(page, "foveal.boxes", f"{said[2]}.* is {name}, which is right")
    assert f"{scores[2].max():.3f}" in title and "crop, other captions subtracted" in title
    rows = [row for row in table_of(page, "foveal-boxes") if row["method"] == "crop" and row["sentence"] == said[2]]
    np.testing.assert_allclose([float(row["others subtracted"]) for row in rows], scores[2], atol=2e-5)
    assert [row["wins, others subtracted"] for row in rows] == ["False", "False", "True"]

    field = page.get_by_label("Sentences, one a line")
    field.fill(f"{said[1]}\n{said[0]}")
    field.press("Control+Enter")
    stated(page, "foveal.boxes", f"{said[1]}.* is {said[1].split(' ', 1)[1]}, which is right")
    assert "sentences=" in page.url
    no_traceback(page)


def test_sixty_scenes_have_the_cores_accuracy_and_what_is_wrong_is_opened_on_the_sphere(browser_page, address, tower):
    page = browser_page
    shown(page, address, "foveal=refer&refer_wrong=red_ellipse&refer_wrong_less=0")
    still(page)
    page.get_by_role("button", name="Score all methods").click()
    stated(page, "foveal.accuracies", "180 sentences")
    report = refer(tower, world_references(60, 1), ("foveal", "red_ellipse"))
    rows = {(row["method"], row["scores"]): row for row in table_of(page, "foveal-accuracies")}
    for method, title in (("foveal", "foveal mask"), ("red_ellipse", "red ellipse")):
        for subtracted, side in ((False, "as scored"), (True, "other captions subtracted")):
            known, number = rows[title, side], report.accuracy[method, subtracted]
            assert abs(float(known["accuracy"]) - number.value) < 1e-9 and int(known["n"]) == 180
            assert abs(float(known["accuracy low"]) - number.low) < 1e-6
            assert abs(float(known["accuracy by chance"]) - 1 / 3) < 1e-9
    meant = np.array([r.gold for r in world_references(60, 1).references])
    wrong = report.chosen["red_ellipse", False] != meant
    page.get_by_role("button", name=f"Keep the {wrong.sum()} wrong as a selection").click()
    page.get_by_text(re.compile(r"Kept as .*Wrong by red ellipse")).first.wait_for(timeout=LONG)
    at_least(page.locator(".st-key-foveal-wrong .orrery-gallery img"), 24)
    still(page)
    page.get_by_role("button", name="Look at these pictures on every page").click()
    drawn(page, 240)
    still(page)
    page.get_by_role("combobox", name=re.compile("Selection")).click()
    page.get_by_role("option", name="Wrong by red ellipse").click()
    pictures = len(set(report.picture[wrong].tolist()))
    page.get_by_text(re.compile(rf"{pictures} images and {wrong.sum()} texts selected")).wait_for(timeout=LONG)
    no_traceback(page)


@pytest.fixture(scope="module")
def refs(tmp_path_factory) -> dict[str, Path]:
    """Six scenes as RefCOCO keeps them: references (one about a box that is not there), COCO instances, pictures."""
    folder, data = tmp_path_factory.mktemp("refs"), world_references(6, 77, objects=2)
    names = [f"COCO_train2014_{i:012d}.png" for i in range(6)]
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for i, name in enumerate(names):
            out = io.BytesIO()
            data.images.decode(i).save(out, "PNG")
            archive.writestr(f"train2014/{name}", out.getvalue())
    annotations = [{"id": 10 * i + k, "image_id": i, "category_id": 1,
                    "bbox": [left, top, right - left, bottom - top]}
                   for i, boxes in enumerate(data.boxes) for k, (left, top, right, bottom) in enumerate(boxes.tolist())]
    (folder / "instances.json").write_text(json.dumps({
        "images": [{"id": i, "file_name": name, "width": 128, "height": 128} for i, name in enumerate(names)],
        "annotations": annotations, "categories": [{"id": 1, "name": "solid"}]}))
    rows = [{"ref_id": row, "image_id": r.picture, "ann_id": 10 * r.picture + r.gold, "split": "val",
             "file_name": names[r.picture].replace(".png", f"_{row}.png"), "sentences": [{"sent": r.sentence}]}
            for row, r in enumerate(data.references)]
    rows.append({**rows[0], "ref_id": 99, "ann_id": 999})
    (folder / "refs.json").write_text(json.dumps(rows))
    return {path.name: path for path in folder.iterdir()}


def test_a_file_of_ones_own_is_scored_and_its_bad_row_is_listed(browser_page, address, tower, refs):
    page = browser_page
    shown(page, address, "foveal=refer")
    still(page)
    page.get_by_text("Boxes and sentences of your own").click()
    page.locator(".st-key-refs-upload input[type=file], [data-testid=stFileUploader] input[type=file]").last \
        .set_input_files([str(path) for path in refs.values()])
    page.get_by_role("button", name="Open the file").click()
    page.get_by_text("12 sentences about 12 boxes of 6 pictures").wait_for(timeout=LONG)
    page.get_by_text("Rows, boxes and pictures that are not taken: 1").wait_for(timeout=LONG)
    page.locator("canvas td", has_text="999").first.wait_for(state="attached", timeout=LONG)
    still(page)
    page.get_by_role("button", name="Score all methods").click()
    stated(page, "foveal.accuracies", "12 sentences")
    data = open_boxed([refs["refs.json"], refs["instances.json"]], refs["pictures.zip"])
    report = refer(tower, data, ("foveal", "crop"))
    rows = {(row["method"], row["scores"]): row for row in table_of(page, "foveal-accuracies")}
    for method, title in (("foveal", "foveal mask"), ("crop", "crop")):
        known = rows[title, "other captions subtracted"]
        assert float(known["accuracy"]) == pytest.approx(report.accuracy[method, True].value, abs=1e-9)
        assert float(known["accuracy by chance"]) == 0.5 and known["pictures"] == "6"
    no_traceback(page)
