"""The section Heads without a browser: what is chosen, what is missing, a model without a class token, its Python."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

from tests.pages.test_foveal import BOX, page, titles
from tests.pages.test_pages import finished, words


def test_the_head_of_the_address_is_the_one_that_is_told_of():
    at = page(foveal="heads", head="2.1", heads_by="red_ellipse", span_texts="3", picture="36")
    said = titles(at)
    assert "Red ellipse: layer" in said
    assert "Layer 2, head 1 writes along" in said
    assert "3 texts explain" in said
    assert "of 16 heads carry some of it by themselves" in said
    at.selectbox(key="head").set_value("4.2")
    finished(at.run())
    assert "Layer 4, head 2 writes along" in titles(at)
    assert dict(at.query_params)["head"] in ("4.2", ["4.2"])


def test_one_picture_has_no_intervals_and_what_is_missing_is_told():
    at = page(foveal="heads", heads_over="picture", at="drawn", boxes=BOX, asked="a red cube\na cone", picture="36")
    assert "(1 picture)" in titles(at)
    assert "(1 view): too few views for intervals" in titles(at)
    for wrong, told in (({"asked": "a red cube"}, "two prompts or more"), ({"boxes": ""}, "Draw a box"),
                        ({"foveal_alpha": "0"}, "there is no gain to share out")):
        query = {"heads_over": "picture", "at": "drawn", "boxes": BOX, "asked": "a red cube\na cone", **wrong}
        at = page(foveal="heads", **query)
        assert not at.exception
        assert told in words(at)
    at = page(foveal="heads", head="99.x", heads_by="none", heads_over="moon", span_texts="-3")
    assert not at.exception
    assert "1 text explains" in titles(at)


def test_the_lines_of_python_give_the_same_figures():
    at = page(foveal="heads", head="2.1", picture="36")
    code = next(c.value for c in at.get("code") if "head_gains" in c.value)
    found: list[str] = []
    from plotly.graph_objects import Figure

    shown, Figure.show = Figure.show, lambda self: found.append(self.layout.title.text)
    try:
        exec(code, {})
    finally:
        Figure.show = shown
    said = titles(at)
    assert len(found) == 3
    assert all(title.replace("<br>", " ").replace("\u00a0", " ") in said for title in found[:2])
    assert found[2].startswith("Layer 2, head 1 writes along")


def without_a_class_token() -> None:
    from PIL import Image

    from core.attention.regions import Box, Region
    from core.attention.towers import ImageTower
    from core.streamlit_app import state
    from core.streamlit_app.data.opened import Opened
    from core.streamlit_app.foveal import heads
    from core.streamlit_app.foveal.data import FovealData, Looked
    from core.streamlit_app.state import Settings
    from tests.encoding.made_models import dataset, encoder, families, pictures, scattered

    state.enter_page("heads")
    import torch
    from transformers import AutoModel

    torch.manual_seed(0)
    config, tokenizer, processor = families()["siglip"]
    tower = ImageTower(encoder(scattered(AutoModel.from_config(config)), tokenizer, processor))
    image = pictures(1)[0]
    assert isinstance(image, Image.Image)
    heads.show(Settings(model_id="test"), FovealData(
        Opened("test", "test", dataset(None, []), source="images"), tower, Looked(0, "test", image, "test"),
        Region((Box(0, 0, 20, 20),)), ("a red cube", "a cat")))


def test_without_a_class_token_only_gains_are_told_and_why():
    at = finished(AppTest.from_function(without_a_class_token, default_timeout=180).run())
    assert not at.exception
    assert "This model has no class token" in words(at)
    charts = [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]
    assert len(charts) == 1
    assert set(charts[0]["layout"]["yaxis"]["ticktext"]) == {f"probe, head {h}" for h in range(1, 5)}
