"""The page Learning Dynamics without a browser: its sections, odd data, odd links, its lines of Python."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import button, finished, opened, words
from tests.pages.test_quality import alerts, picture, unit_rows

PAGE = "pages/6_Learning_Dynamics.py"
CAPTIONS = ("a red cube", "a blue cone", "a green torus", "a red cone", "a blue cube", "a green sphere")


def page(**query: str) -> AppTest:
    return finished(opened(PAGE, **{"scenes": "100", "steps": "50", **query}))


def with_pairs(n: int, texts: tuple[str, ...] = CAPTIONS, **query: str) -> AppTest:
    """The page with a zip of n pictures, each with a caption beside it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(n):
            archive.writestr(f"p{i}.png", picture(i))
            if texts:
                archive.writestr(f"p{i}.txt", texts[i % len(texts)])
    at = opened(PAGE, data="images", steps="50", **query)
    at.file_uploader(key="images.upload").set_value([("pairs.zip", packed.getvalue(), "application/zip")])
    return finished(at.run())


def trained(at: AppTest) -> AppTest:
    finished(button(at, "Train").click().run())
    return finished(at.run())


@pytest.mark.parametrize("section", ["watch", "flow", "doses", "any", "findings"])
def test_every_section_is_drawn_before_anything_is_trained(section: str):
    at = page(dynamics=section)
    assert not at.exception and not alerts(at), alerts(at)


def test_a_run_is_trained_and_its_python_gives_the_same_numbers():
    at = trained(page(dial_caption_noise="0.4"))
    assert not alerts(at) and "after 50 steps" in words(at)
    code = next(block.value for block in at.code if "train(" in block.value)
    known: dict[str, object] = {}
    exec(code.replace(".show()", ""), known)
    record = next(value for value in known.values() if type(value).__name__ == "Record")
    assert f"{100 * record.measures['r1'][-1]:.0f}" in words(at)
    at.session_state["dynamics"] = "flow"
    finished(at.run())
    assert not alerts(at) and "Over the whole training" in words(at)


@pytest.mark.parametrize("n", [1, 3, 40])
def test_own_pairs_are_learnt_or_it_is_said_why_not(n: int):
    at = with_pairs(n)
    assert not at.exception and not alerts(at), alerts(at)
    said = words(at)
    assert ("are learnt" in said) if n == 40 else ("what is trained here are" in said)
    at = trained(at)
    assert not alerts(at) and "after 50 steps" in words(at)


def test_pictures_without_captions_and_vectors_alone_leave_the_concepts():
    assert "No picture has a caption" in words(with_pairs(6, ()))
    packed = io.BytesIO()
    np.savez(packed, image=unit_rows(20), text=unit_rows(20, seed=1))
    at = opened(PAGE, data="vectors", steps="50")
    at.file_uploader(key="vectors.upload").set_value([("v.npz", packed.getvalue(), "application/zip")])
    at = finished(at.run())
    assert not alerts(at) and "Vectors have no pictures" in words(at)


@pytest.mark.parametrize("query", [
    {"dial_temperature": "nan"}, {"dial_batch": "1e9"}, {"dial_loss": "<b>"}, {"dim": "-4"}, {"steps": "x"},
    {"dynamics": "nowhere"}, {"beside": "first|<img>"}, {"dial_missing": "0.75", "dial_unique": "0.01"},
    {"dynamics": "doses", "dose": "tower"}, {"dynamics": "any", "record_of": "folder"}], ids=json.dumps)
def test_an_odd_link_is_no_error(query: dict[str, str]):
    at = page(**query)
    assert not at.exception and not alerts(at), alerts(at)
