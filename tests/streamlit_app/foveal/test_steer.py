"""The section Steer without a browser: its numbers are those of the core, the address brings it back, its Python
runs, and what cannot be shown is said."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd
import pytest

from core.attention.foveal.places import places_of
from core.attention.foveal.steering import effects, point_by_attention, point_by_pixels
from core.attention.masks import Steering
from core.attention.prompts import METHODS
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.figures.foveal.methods import in_words
from core.sources.solids.world import open_world
from tests.pages.test_pages import finished, opened, words

PAGE = "pages/7_Foveal_Attention.py"
PROMPTS = "a red sphere\na yellow cone\na blue star"
REGION = "70, 44, 120, 108"


def page(**query: str):
    return opened(PAGE, foveal="steer", scenes="100", at="drawn", picture="0", asked=PROMPTS, **query)


def shown(at) -> pd.DataFrame:
    """The table of methods as the page has it."""
    body = next(e.proto.body for e in at.get("html") if "angle moved" in e.proto.body)
    rows = [[html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
            for row in re.findall(r"<tr>(.*?)</tr>", body)]
    return pd.DataFrame(rows[1:], columns=rows[0]).set_index("method")


def computed(steering: Steering, margin: float, target: int) -> pd.DataFrame:
    tower, image = ImageTower(load_model("builtin")), open_world(100).images.decode(0)
    region = Region((Box(70, 44, 120, 108),))
    regions = (region, *places_of(tower, image, region, seed=0))
    known = {**point_by_pixels(tower, image, regions, margin=margin),
             **point_by_attention(tower, image, regions, steering)}
    return in_words(effects(tower, known, PROMPTS.splitlines()), target).set_index("method")


def test_the_table_is_what_the_core_gives_and_dials_change_it():
    at = page(boxes=REGION)
    pd.testing.assert_frame_equal(shown(at), computed(Steering(), 0.2, 0), check_dtype=False)
    before = shown(at)
    at.slider(key="foveal_alpha").set_value(9.0)
    at.slider(key="foveal_margin").set_value(0.5)
    at.selectbox(key="foveal_target").set_value("2")
    finished(at.run())
    pd.testing.assert_frame_equal(shown(at), computed(Steering(alpha=9.0), 0.5, 2), check_dtype=False)
    moved = before["angle moved"] != shown(at)["angle moved"]
    assert set(moved[moved].index) == {"foveal mask", "foveal, unleashed", "crop"}
    assert at.query_params["foveal_alpha"] in ("9.0", ["9.0"])
    assert "two pictures of these data lie" in words(at).replace("\\", "")


def test_an_address_brings_dials_and_a_point_back():
    at = page(boxes=REGION, foveal_rows="all", foveal_layers="last", foveal_point="method:crop", foveal_margin="0.1")
    table = computed(Steering(rows="all", layers=(3,)), 0.1, 0)
    pd.testing.assert_frame_equal(shown(at), table, check_dtype=False)
    degrees = table["angle moved"]["crop"]
    assert f"{degrees} of the true sphere" in words(at)
    for point in ("image:scene 03", "prompt:a blue star"):
        said = words(page(boxes=REGION, foveal_point=point))
        assert "° away" in said and 'role="alert"' not in said
    said = words(page(boxes=REGION, foveal_point="method:none such", foveal_margin="x", foveal_target="77"))
    assert "No point is picked" in said and 'role="alert"' not in said


@pytest.mark.parametrize("query", [{"boxes": REGION, "foveal_alpha": "2.3", "foveal_told": "odds"},
                                   {"boxes": REGION, "foveal_hard": "1"}, {"outline": "20,20 100,30 60,100"}])
def test_its_lines_of_python_give_what_is_shown(query):
    at = page(**query)
    space: dict[str, object] = {}
    for code in (block.value for block in at.code if "point_by_pixels" in block.value):
        exec(code.replace(".show()", ""), space)
    assert len(space["scene"]) == 100 + len(PROMPTS.splitlines()) + len(METHODS)
    again = in_words(space["found"], 0).set_index("method")
    pd.testing.assert_frame_equal(shown(at), again, check_dtype=False)
    assert np.isfinite(space["curve"].angles).all()


def test_without_a_region_it_is_said_and_with_the_whole_picture_there_is_no_null():
    assert re.search("everything here points at it", words(page()))
    table = shown(page(boxes="0, 0, 128, 128"))
    assert (table["at random places"] == "–").all() and table["angle moved"]["crop"] == "0.0°"


def test_one_prompt_has_no_odds():
    at = opened(PAGE, foveal="steer", scenes="100", at="solid1", asked="a red sphere")
    assert 'role="alert"' not in words(at)
    assert (shown(at)["log-odds"] == "–").all()
