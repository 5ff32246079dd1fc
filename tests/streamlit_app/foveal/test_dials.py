"""The dials of the mask: first setting, address, the published setting, addresses that are wrong."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.attention.masks import FOVEAL, Steering
from core.attention.towers import ImageTower
from core.streamlit_app.foveal.dials import as_code, in_words, last_third
from tests.attention.test_towers import made


def page() -> None:
    import streamlit as st

    from core.attention.towers import ImageTower
    from core.encoding.models import load_model
    from core.streamlit_app import state
    from core.streamlit_app.foveal.dials import as_code, pick_steering

    state.enter_page("dials")
    st.code(as_code(pick_steering(ImageTower(load_model("builtin")))))


def opened(**query: str) -> AppTest:
    at = AppTest.from_function(page, default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def steering(at: AppTest) -> Steering:
    return eval(at.code[0].value, {"Steering": Steering})


@pytest.mark.parametrize(("query", "wanted", "said"), [
    ({}, FOVEAL, "alpha 8, class token's row, all layers"),
    ({"foveal_alpha": "2.5", "foveal_sigma": "3", "foveal_rows": "all", "foveal_layers": "last"},
     Steering(2.5, 3.0, (3,), "all"), "alpha 2.5, sigma 3, all rows, layer 4 of 4"),
    ({"foveal_layers": "these", "foveal_these_layers": "2|0", "foveal_heads": "these", "foveal_these_heads": "3.1|0.0"},
     Steering(layers=(0, 2), heads=((0, 0), (3, 1))), "alpha 8, class token's row, layers 1, 3 of 4, heads 1.1, 4.2"),
    ({"foveal_profile": "gaussian", "foveal_alpha": "4"}, Steering(alpha=4.0, profile="gaussian"),
     "as published, alpha 4, class token's row, all layers"),
    ({"foveal_hard": "1", "foveal_unleash": "2"}, Steering(hard=True, unleash=2),
     "hard mask, class token's row, all layers, unleashed in the last 2 layers"),
    ({"foveal_alpha": "nan", "foveal_sigma": "-7", "foveal_rows": "columns", "foveal_layers": "99",
      "foveal_unleash": "77", "foveal_hard": "maybe"}, Steering(sigma=0.5, unleash=4),
     "alpha 8, sigma 0.5, class token's row, all layers, unleashed in the last 4 layers"),
    ({"foveal_heads": "these", "foveal_these_heads": "9.9|x"}, Steering(heads=()),
     "Changes nothing: no head is chosen"),
    ({"foveal_alpha": "0"}, Steering(alpha=0.0), "Changes nothing: alpha 0"),
])
def test_what_an_address_says_is_set_as_far_as_it_can_be(query, wanted, said):
    at = opened(**query)
    assert steering(at) == wanted
    assert at.text[0].value == said


def test_the_published_setting_and_the_first_one_are_one_click_away():
    at = opened(foveal_hard="1", foveal_rows="all")
    at.button(key="foveal.published").click().run()
    assert steering(at) == Steering(alpha=0.2, layers=(2, 3), profile="gaussian")
    assert at.query_params["foveal_layers"] in ("third", ["third"]) and "foveal_hard" not in at.query_params
    at.slider(key="foveal_alpha").set_value(1.0).run()
    assert steering(at).alpha == 1.0
    at.button(key="foveal.reset").click().run()
    assert steering(at) == FOVEAL and not at.query_params


def test_code_names_what_is_unlike_the_first_setting():
    assert as_code(FOVEAL) == "Steering()"
    assert as_code(Steering(alpha=1.5, rows="all", heads=((0, 1),))) == \
        "Steering(alpha=1.5, rows='all', heads=((0, 1),))"


@pytest.mark.parametrize(("asked", "said"), [
    ({}, "alpha 2, pooling probe's row, all layers"),
    ({"layers": (2,)}, "alpha 2, pooling probe's row, the probe alone"),
    ({"layers": (0,)}, "Changes nothing: the probe is not among the layers"),
    ({"layers": (0, 2), "rows": "all"}, "alpha 2, all rows, layer 1 of 2 and the probe"),
])
def test_a_pooling_probe_is_called_so_and_counted_as_a_layer(asked, said):
    tower = ImageTower(made("siglip"))
    assert (tower.layers, last_third(tower)) == (2, (2,))
    assert in_words(Steering(2.0, **asked), tower) == said
