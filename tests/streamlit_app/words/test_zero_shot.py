"""The section Zero-shot without a browser: each part, its lines of Python, odd classes, uploads and vectors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_foveal import titles
from tests.pages.test_pages import HOSTILE, button, finished, opened, with_images, words
from tests.pages.test_quality import alerts

WORDS = "pages/8_Words_and_Captions.py"
SMALL = {"scenes": "100", "words": "zero_shot", "zero_label": "colour"}


def page(**query: str) -> AppTest:
    at = opened(WORDS, **{**SMALL, **query})
    slow = [b for b in at.button if b.label.startswith("Encode all")]       # asked where the machine is busy
    return finished(slow[0].click().run()) if slow else at


def ran(at: AppTest) -> dict[str, object]:
    """What the Python of the section makes."""
    code = next(block.value for block in at.code if "\n" in block.value)
    said: dict[str, object] = {}
    exec(re.sub(r"^\w+\(.*\)\.show\(\)$", "", code, flags=re.MULTILINE), said)
    return said


def test_accuracy_is_that_of_its_python_and_wrong_images_are_kept():
    at = page()
    assert not alerts(at)
    named = ran(at)["named"]
    assert f"{100 * named.accuracy().value:.0f} %" in titles(at) and named.accuracy().n == 100
    finished(button(at, f"Keep the {len(named.wrong)} wrong").click().run())
    kept = at.session_state["selections"]["Called wrong, colour"]
    assert len(kept.image_ids) == len(named.wrong) > 0


def test_templates_calibration_one_image_and_examples_are_drawn_and_their_python_runs():
    at = page(zero_part="templates")
    assert "Write two templates or more" in words(at)
    at = page(zero_part="templates", zero_ensemble="seven")
    report = ran(at)["report"]
    assert not alerts(at) and len(report.templates) == 7
    assert f"All 7 templates: {100 * report.ensemble.value:.1f} %" in titles(at)
    at = page(zero_part="calibration", zero_factor="2.5")
    report = ran(at)["report"]
    assert not alerts(at) and f"ECE {100 * report.ece.value:.1f} % of 100 images" in titles(at)
    assert report.temperature == 2.5 and "Fitted on 50 images" in words(at)
    at = page(zero_part="image", image="7")
    assert not alerts(at) and "Called “" in titles(at) and "speaks most for" in titles(at)
    assert {"row", "given"} <= set(ran(at))
    at = page(zero_part="examples", zero_shots="4", zero_draws="5")
    at = finished(button(at, "Learn from examples").click().run())
    report = ran(at)["report"]
    assert not alerts(at) and report.ks == (1, 2, 4) and "The prompts are worth" in titles(at)


def test_flags_have_error_rates_with_truth_and_a_share_without():
    at = page(zero_part="flag")
    report = ran(at)["report"]
    assert not alerts(at) and report.auc.value > 0.8 and "no sentiment" in words(at)
    said = titles(at)
    assert f"{int(report.flagged.sum())} of" in said or f"{100 * report.share.value:.0f} %" in said
    assert f"AUC {report.auc.value:.2f}" in said
    finished(button(at, f"Keep the {int(report.flagged.sum())} flagged").click().run())
    assert at.session_state["selections"]["Flagged: Red and pink things"].image_ids
    at = page(zero_part="flag", **{"zero_truth red": "-"})
    assert "Error rates need labels" in words(at) and "error rates need labels" in titles(at)
    at = finished(at.text_area(key="zero_yes red").set_value("  \n").run())
    assert "Write a prompt on either side" in words(at) and not alerts(at)
    at = finished(at.text_area(key="zero_yes red").set_value("a blue thing\n红色\n" + "very " * 400).run())
    assert "On both sides" in words(at) and "longer than the model reads" in words(at) and not alerts(at)


@pytest.mark.parametrize(("classes", "said"), [
    ("", "Write a class a line"), ("red", "There is one class"), ("red\nblue\nred", "more than once"),
    ("猫\nкошка\nقطة", "Words that the model does not know"), ("nothing\nhere", "no accuracy"),
    (f"{HOSTILE}\nred", "no label among the classes"), ("red " * 3000 + "\nblue", "longer than the model reads"),
])
def test_odd_classes_are_sensible(classes: str, said: str):
    at = page()
    at = finished(at.text_area(key="zero_classes colour").set_value(classes).run())
    assert said in words(at) + titles(at) and not alerts(at)


def test_a_list_is_uploaded_and_thousands_of_classes_are_asked():
    at = page(zero_from="file")
    drop = at.file_uploader(key="zero_file.upload")
    rows = ["red = a red thing", "blue = a blue thing", *(f"class {i} = a grey thing {i}" for i in range(4998))]
    at = finished(drop.set_value([("classes.json", json.dumps(rows).encode(), "application/json")]).run())
    assert not alerts(at) and "classes have no image" in words(at) and "colour (2 labels are classes)" in str(
        at.selectbox(key="zero_truth").options)
    at = finished(button(at, "Close").click().run())
    at = finished(at.file_uploader(key="zero_file.upload").set_value([("a.csv", b"", "text/csv")]).run())
    assert "This did not work" in words(at)


def test_photos_of_clip_are_asked_by_class_vectors_with_no_model(reference: Path):
    features = reference / "features"
    at = opened(WORDS, data="vectors", words="zero_shot")
    gold = "clipretrieval7_gold_clip_vitb32.npz"
    at.file_uploader(key="vectors.upload").set_value([(gold, (features / gold).read_bytes(), "application/zip")])
    at = finished(at.run())
    for _ in range(3):
        if any(f.key == "zero_vectors.upload" for f in at.file_uploader):
            break
        at = finished(next(b for b in at.button if b.label.startswith(("Open", "Yes"))).click().run())
    name = "coco80_text_clip_vitb32.npz"
    drop = at.file_uploader(key="zero_vectors.upload")
    at = finished(drop.set_value([(name, (features / name).read_bytes(), "application/zip")]).run())
    assert not alerts(at) and "there is no accuracy" in words(at)
    assert "cat" in words(at) and "motorcycle" in words(at)
    at = finished(at.run())
    for part in ("image", "calibration", "templates", "flag"):
        at.session_state["zero_part"] = part
        at = finished(at.run())
        assert not alerts(at)


def test_the_photo_model_names_photos_by_imagenet(reference: Path):
    files = {file.name: file.read_bytes() for file in (reference / "photos").rglob("*.jpg")}
    at = with_images(WORDS, files, model="photo", words="zero_shot")
    assert not alerts(at) and "there is no accuracy" in words(at)
    assert re.search(r"(tabby|Egyptian cat|tiger cat)", words(at)) and "hotdog" in words(at)
    for part in ("image", "flag"):
        at.session_state["zero_part"] = part
        at = finished(at.run())
        assert not alerts(at)
