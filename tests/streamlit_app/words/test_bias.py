"""The section Bias without a browser: groups of every source, edited words, the curve, odd input, lines that run."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.types import Selection
from tests.pages.test_foveal import titles
from tests.pages.test_pages import HOSTILE, finished, opened, words
from tests.pages.test_quality import alerts

PAGE = "pages/8_Words_and_Captions.py"


def page(**query: str) -> AppTest:
    return finished(opened(PAGE, **{"scenes": "100", "words": "bias", **query}))


def ran(at: AppTest, **given: object) -> dict[str, object]:
    """What the lines of Python make."""
    code = next(block.value for block in at.code if "report = " in block.value)
    said = dict(given)
    exec(re.sub(r"^.*\.show\(\)$|^print.*$", "", code, flags=re.M), said)
    return said


def text(at: AppTest) -> str:
    return words(at).replace("\\", "")


def test_a_column_is_tested_and_its_python_says_the_same():
    at = page(**{"bias_column": "setting", "bias_of setting": "desert|snow", "bias_lists": "places"})
    assert not alerts(at) and "What this can and cannot show" in text(at)
    assert "The built-in model knows no people" in text(at)
    report = ran(at)["report"]
    found, = report.tests.values()
    assert not report.two_sided and found.p < 0.01 and found.change.low > 0.5
    assert f"d = {found.change.value:.3f}" in titles(at) and "one-sided" in text(at)
    assert "“desert” leans more to warm places than “snow”" in text(at)


def test_words_are_edited_and_unknown_ones_are_named_and_left_out():
    at = page(**{"bias_lists": "own", "bias_a own": "a red thing, a xylograph\na red thing\na blue thing",
                 "bias_b own": f"a blue thing\na green thing\n{HOSTILE}"})
    assert not alerts(at)
    assert "the model never saw xylograph" in words(at) and "it stands in both lists" in words(at)
    assert ran(at)["known"]["own"].words == ("a red thing", "a green thing")
    at = finished(at.text_area(key="bias_a own").set_value("").run())
    assert "is not tested: one of its lists has no word" in words(at) and not alerts(at)
    at = finished(at.text_area(key="bias_a own").set_value("\n".join(f"w{i}" for i in range(201))).run())
    assert "at most 200 words in a list" in alerts(at)


def test_two_selections_and_typed_texts_are_tested():
    at = page(bias_groups="selections", bias_lists="colours")
    assert "Keep two selections" in words(at)
    ids = [f"scene {i:02d}" for i in range(100)]
    at.session_state["selections"] = {name: Selection(name, tuple(part), (), "here") for name, part in
                                      (("one", ids[:30]), ("two", ids[20:60]))}
    at = finished(at.run())
    assert not alerts(at) and "10 items stand in both groups" in words(at) and "n = 20 and 30" in text(at)
    at = page(bias_groups="typed", bias_lists="colours", bias_texts_y="a blue cube\na green cone\na purple star",
              bias_texts_x="a red cube\nan orange cone\na yellow star\na zebra")
    assert not alerts(at) and "a zebra (the model never saw zebra)" in words(at)
    found, = ran(at)["report"].tests.values()
    assert found.p == pytest.approx(1 / 20) and "can have no p below 0.050" in words(at)


def test_the_curve_and_its_python_say_the_same():
    at = page(bias="curve", bias_shift="0.5")
    assert not alerts(at) and "Not shown, since all its images are of an unwanted class: checkered" in text(at)
    report = ran(at)["report"]
    place = int(np.abs(report.shifts - 0.5).argmin())
    assert f"accuracy of the other classes {100 * report.accuracy[place].value:.1f} %" in titles(at)
    at = finished(at.text_area(key="bias_unwanted texture").set_value("").run())
    assert "into each of the two lists" in words(at) and not alerts(at)
    at = finished(at.text_area(key="bias_unwanted texture").set_value(f"{HOSTILE}\nzebra\nodd = a cube").run())
    assert "2 classes are left out" in words(at) and not alerts(at)


def test_vectors_made_elsewhere_are_tested_by_the_texts_that_are_open():
    rng = np.random.default_rng(0)
    texts = ["warm", "cold", "hot", "thief"] * 10
    base = rng.normal(size=(4, 16))
    of = rng.integers(0, 2, 40)
    table = pd.DataFrame({
        "image_embedding": list((base[of] + 0.7 * rng.normal(size=(40, 16))).astype(np.float32)),
        "text_embedding": list(np.tile(base, (10, 1)).astype(np.float32)), "caption": texts,
        "label": [("a", "b")[k] for k in of]})
    out = io.BytesIO()
    table.to_parquet(out)
    at = opened(PAGE, **{"words": "bias", "data": "vectors", "bias_a own": "Warm, tepid", "bias_b own": "cold",
                       "bias_column": "label"})
    at.file_uploader(key="vectors.upload").set_value([("v.parquet", out.getvalue(), "application/octet-stream")])
    at = finished(at.run())
    assert not alerts(at) and "tepid: no text of that wording is open" in words(at)
    assert "“a” leans more to list A than “b”" in text(at)
    at = page(**{"data": "vectors", "bias": "curve", "bias_fair_column": "label", "bias_class": "label",
                 "bias_wanted label": "a = warm\nb = cold", "bias_unwanted label": "thief"})
    at.file_uploader(key="vectors.upload").set_value([("v.parquet", out.getvalue(), "application/octet-stream")])
    at = finished(at.run())
    assert not alerts(at) and "At shift 0: unwanted classes get" in titles(at)
