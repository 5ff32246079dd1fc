"""The section Classify without a browser: regions of every source, its classes, and its lines of Python."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.pages.test_foveal import titles
from tests.pages.test_pages import finished, opened, words
from tests.pages.test_quality import alerts

SMALL = {"scenes": "100", "foveal": "classify", "classify_n": "24", "classify_methods": "foveal|crop"}


def page(**query: str) -> AppTest:
    return finished(opened("pages/7_Foveal_Attention.py", **{**SMALL, **query}))


@pytest.mark.parametrize("source", ["box", "pixels", "all boxes", "all"])
def test_its_python_measures_what_the_page_shows(source: str):
    at = page(classify_region=source, classify_label="texture", picture="3", foveal_alpha="3")
    assert not alerts(at)
    code = next(block.value for block in at.code if "classify(" in block.value)
    said: dict[str, object] = {}
    exec(code.replace("accuracies(report).show()", ""), said)
    report = said["report"]
    assert report.methods == ("none", "foveal", "crop") and len(report.ids) + len(report.refused) == 24
    shown = "".join(html.proto.body for html in at.get("html"))
    for method in report.methods:
        number = report.accuracy[method]
        assert f"{100 * number.value:.1f} % ({100 * number.low:.1f} to {100 * number.high:.1f})" in shown


def test_classes_are_edited_and_what_is_none_of_them_is_left_out():
    at = page(classify_label="colour")
    field = at.text_area(key="classify_classes colour")
    at = finished(field.set_value("red = a red solid\nblue\n").run())
    assert not alerts(at) and "pictures are left out" in "".join(e.label for e in at.expander)
    assert any("none of the classes" in str(frame.value) for frame in at.dataframe)
    at = finished(at.text_area(key="classify_classes colour").set_value("red").run())
    assert "Write 2 to 100 classes" in words(at)
    at = finished(at.text_area(key="classify_classes colour").set_value("red\nxylograph").run())
    assert "Words that the model does not know: xylograph" in words(at)


def test_a_file_without_a_region_is_refused_in_words_and_one_with_boxes_is_used():
    at = page(classify_region="file")
    assert "stands in no address" in words(at)
    dark = io.BytesIO()
    Image.new("L", (8, 8)).save(dark, "PNG")
    drop = at.file_uploader(key="classify.file")
    at = finished(drop.set_value([("scene 00.png", dark.getvalue(), "image/png")]).run())
    assert "a picture with a class and a region" in alerts(at)
    rows = "".join(["name,left,top,right,bottom\n", *(f"scene {i:02d},20,20,100,100\n" for i in range(90)),
                    "other,1,2,3,4\n"])
    at = finished(at.file_uploader(key="classify.file").set_value([("b.csv", rows.encode(), "text/csv")]).run())
    assert not alerts(at) and re.search(r"No prompt: [\d.]+ % of 2\d pictures right; foveal mask", titles(at))
    assert "1 of 91 regions go by the name of no picture that is open, such as other" in words(at)
