"""The page Foveal Attention without a browser: its sections, odd pictures, regions and links, its lines of Python."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from transformers import SiglipModel

from core.streamlit_app.foveal.page import SECTIONS
from core.types import Selection
from tests.encoding.made_models import families, scattered
from tests.pages.test_pages import button, finished, opened, with_images, words
from tests.pages.test_quality import alerts, picture, unit_rows

PAGE = "pages/7_Foveal_Attention.py"
BOX = "20, 30, 90, 100"


def page(**query: str) -> AppTest:
    return finished(opened(PAGE, **{"scenes": "100", **query}))


def png(width: int, height: int, seed: int = 0) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def titles(at: AppTest) -> str:
    """What the figures state, one a line."""
    return "\n".join(json.loads(chart.proto.spec)["layout"]["title"]["text"].replace("<br>", " ").replace("\u00a0", " ")
                     for chart in at.get("plotly_chart"))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_on_the_world_and_on_own_pictures(section: str):
    at = page(foveal=section)
    assert not at.exception and not alerts(at), alerts(at)
    files = {f"p{i}.png": picture(i) for i in range(3)} | {f"p{i}.txt": f"thing {i}".encode() for i in range(3)}
    at = with_images(PAGE, files, foveal=section, boxes="5, 5, 30, 30")
    assert not at.exception and not alerts(at), alerts(at)
    assert "has only ever seen rendered solids" in words(at)


@pytest.mark.parametrize("section", SECTIONS)
def test_pictures_of_one_pixel_in_width_or_height(section: str):
    at = with_images(PAGE, {"a.png": png(1, 40), "b.png": png(60, 1), "c.png": png(1, 1)}, foveal=section)
    for number, box in enumerate(("0, 5, 1, 30", "10, 0, 40, 1", "0, 0, 1, 1")):
        at.session_state["picture"] = str(number)
        finished(at.run())
        at.session_state["boxes"] = box
        finished(at.run())
        assert not at.exception and not alerts(at) and "patches are covered" in titles(at), alerts(at)


def test_the_mask_raises_what_lies_in_the_region_and_lowers_what_lies_in_the_other():
    at = page(picture="36")
    assert at.text_area(key="asked").value.splitlines()[:2] == ["a blue pyramid", "a purple sphere"]
    first = titles(at)
    assert "“a blue pyramid” rises from" in first and "looks at lies in the region" in first
    at.session_state["at"] = "solid2"
    finished(at.run())
    assert "“a purple sphere” rises from" in titles(at)
    assert dict(at.query_params)["at"] in ("solid2", ["solid2"])


def test_an_address_brings_a_view_back():
    at = page(picture="scene 07", at="drawn", boxes=f"{BOX}\n5, 5, 40, 40", asked="a red cube\na dog", token="3.4",
              large="2.1", kind="change", foveal_alpha="2")
    assert not alerts(at), alerts(at)
    assert at.text_area(key="boxes").value.splitlines() == [BOX, "5, 5, 40, 40"]
    said = titles(at)
    assert "The patch in row 3, column 4 looks elsewhere with" in said and "Layer 2, head 1, the change" in said
    assert "alpha 2" in words(at) and at.text_area(key="asked").value == "a red cube\na dog"


def test_another_picture_has_nothing_drawn_yet_and_prompts_of_its_own():
    at = page(picture="3", at="drawn", boxes=BOX)
    before = at.text_area(key="asked").value
    finished(button(at, "Next").click().run())
    assert at.text_input(key="picture").value == "4" and at.text_area(key="boxes").value == ""
    assert at.text_area(key="asked").value != before and "boxes" not in at.query_params
    at.session_state["asked"] = "a red cube"
    finished(at.run())
    finished(button(at, "Next").click().run())
    assert at.text_area(key="asked").value == "a red cube", "what a visitor wrote stays"


@pytest.mark.parametrize(("boxes", "outline", "said"), [
    ("1, 2, 3", "", "in line 1 4 numbers"), ("<b>x</b>", "", "in line 1 4 numbers"),
    ("5, 5, nan, 9", "", "in line 1 4 numbers"), ("200, 5, 300, 40", "", "lies in the picture of 128 x 128"),
    ("20, 20, 20, 60", "", "a box with an area"), ("9, 9, 30, 30\n\n1 2", "", "in line 3 4 numbers"),
    ("\n".join(["1, 1, 9, 9"] * 401), "", "at most 400 boxes"), ("", "1,2 3,4", "3 to 48 corners"),
    ("", "500,500 600,500 600,600", "holds a pixel"), ("", "1e308,0 0,1e308 -1e308,5", "")])
def test_a_region_that_is_none_is_told_in_words(boxes: str, outline: str, said: str):
    at = page(at="drawn")
    at.session_state["boxes"], at.session_state["outline"] = boxes, outline
    finished(at.run())
    assert not at.exception
    assert (said in alerts(at).replace("&#x27;", "'")) if said else not alerts(at)
    assert "class token" in titles(at), "the page goes on without the region"


def test_four_hundred_boxes_and_an_outline_become_one_mask():
    at = page(at="drawn")
    at.session_state["boxes"] = "\n".join(f"{i % 20 * 6}, {i // 20 * 6}, {i % 20 * 6 + 5}, {i // 20 * 6 + 5}"
                                          for i in range(400))
    finished(at.run())
    assert not alerts(at) and "64 of 64 patches are covered" in titles(at)
    assert "do not fit into the address" in words(at)
    at.session_state["boxes"], at.session_state["outline"] = "0, 0, 32, 32", "64,64 128,64 128,128 64,128"
    finished(at.run())
    assert not alerts(at) and "20 of 64 patches are covered" in titles(at)


def test_a_mask_or_a_table_of_boxes_is_the_region_and_one_that_marks_nothing_is_refused():
    mask = np.zeros((128, 128), dtype=np.uint8)
    mask[:32, :64] = 255
    out, dark = io.BytesIO(), io.BytesIO()
    Image.fromarray(mask).save(out, "PNG")
    Image.fromarray(0 * mask).save(dark, "PNG")
    at = page(at="mask", picture="36")
    at.file_uploader(key="foveal.mask").set_value(("mask.png", out.getvalue(), "image/png"))
    finished(at.run())
    assert not alerts(at) and "8 of 64 patches are covered" in titles(at)
    at.file_uploader(key="foveal.mask").set_value(("boxes.csv", b"name,left,top,right,bottom\nscene 36,0,0,32,32\n"
                                                   b"scene 37,0,0,9,9\n", "text/csv"))
    finished(at.run())
    assert not alerts(at) and "4 of 64 patches are covered" in titles(at)
    for name, data in (("dark.png", dark.getvalue()), ("bad.png", b"no picture")):
        at.file_uploader(key="foveal.mask").set_value((name, data, "image/png"))
        finished(at.run())
        assert name in alerts(at) and "no region yet" in titles(at)


def test_a_picture_of_ones_own_is_looked_at_until_one_of_what_is_open_is_asked_for():
    at = page()
    at.file_uploader(key="foveal.file.0").set_value(("mine.png", png(90, 50), "image/png"))
    finished(at.run())
    at.session_state["boxes"], at.session_state["at"] = "60, 10, 70, 30", "drawn"
    finished(at.run())
    assert not alerts(at) and "% is cut away" in titles(at) and "has only ever seen" in words(at)
    finished(button(at, "Next").click().run())
    assert not alerts(at) and "is cut away" not in titles(at)
    at.file_uploader(key="foveal.file.1").set_value(("bad.png", b"no picture", "image/png"))
    finished(at.run())
    assert "bad.png" in alerts(at)


def test_vectors_alone_texts_alone_and_the_photo_model_are_told_what_is_missing():
    packed = io.BytesIO()
    np.savez(packed, image=unit_rows(20), text=unit_rows(20, seed=1))
    at = opened(PAGE, data="vectors")
    at.file_uploader(key="vectors.upload").set_value([("v.npz", packed.getvalue(), "application/zip")])
    at = finished(at.run())
    assert not alerts(at) and "A mask acts within the image tower" in words(at)
    at = page(model="photo")
    assert not alerts(at)
    if "is used." not in words(at):     # the photo model is installed
        assert "no ViT" in words(at)
        finished(button(at, "Take the built-in model").click().run())
        assert "class token" in titles(at) and not alerts(at)


@pytest.mark.parametrize("query", [
    {"picture": "99999999999999999999"}, {"picture": "-1"}, {"picture": "<img src=x>"}, {"at": "solid9"},
    {"at": "solid1", "boxes": "x" * 3000}, {"token": "99.99"}, {"token": "\u0663.\u0663"}, {"large": "9.9"},
    {"kind": "<b>"}, {"asked": "\n\n"}, {"asked": "a\n" * 200}, {"foveal": "nowhere"},
    {"outline": "1,1 " * 400, "at": "drawn"}], ids=json.dumps)
def test_an_odd_link_is_no_traceback(query: dict[str, str]):
    at = page(**query)
    assert not at.exception and "fault of Orrery" not in alerts(at)
    if "picture" not in query and "outline" not in query:
        assert not alerts(at), alerts(at)


def test_the_lines_of_python_give_the_same_numbers():
    at = page(picture="36", token="2.2")
    code = next(block.value for block in at.code if "attend(" in block.value)
    known: dict[str, object] = {}
    exec(code.replace(".show()", ""), known)
    vectors, tower = known["vectors"], known["tower"]
    after = tower.encoder.probabilities(vectors, np.ones(2), known["prompts"])[1]
    assert f"to {100 * after[0]:.0f} %" in titles(at)


def test_an_image_clicked_on_the_sphere_is_looked_at_and_a_kept_selection_offers_its_own():
    at = page(foveal="look")
    at.session_state["kept"] = {**at.session_state["kept"], "point": "image:scene 07"}
    at.session_state["selections"] = {"mine": Selection("mine", ("scene 05", "elsewhere"), (), "the world")}
    finished(at.run())
    assert at.text_input(key="picture").value == "scene 07" and not alerts(at)
    finished(button(at, "Look at it").click().run())
    assert at.text_input(key="picture").value == "scene 05" and not alerts(at)


def test_a_tower_without_a_class_token_says_what_the_mask_acts_on(tmp_path):
    config, tokens, pixels = families()["siglip"]
    for part in (scattered(SiglipModel(config)), tokens, pixels):
        part.save_pretrained(tmp_path)
    model = {"model": "other", "model_id": str(tmp_path)}
    at = page(**model)
    assert not alerts(at) and "pooling probe's row" in words(at)
    assert "of what the pooling probe looks at lies in the region" in titles(at)
    for section in [*SECTIONS][1:]:
        at = page(foveal=section, **model)
        assert not at.exception and "fault of Orrery" not in alerts(at), alerts(at)
