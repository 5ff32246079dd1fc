"""The section on the flow field: what is chosen is what is shown; little, one snapshot and none are told."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

LONG = 240


def page(which: str) -> None:
    import numpy as np

    from core.learning.towers.pairs import Lesson, SmallPairs
    from core.learning.towers.setup import Setup
    from core.streamlit_app import state
    from core.streamlit_app.data.opened import Opened
    from core.streamlit_app.dynamics import flow
    from core.streamlit_app.dynamics.data import DynamicsData
    from core.streamlit_app.state import Settings
    from tests.geometry.dynamics.planted import gathering
    from tests.learning.records.test_placed import lifted

    state.enter_page("dynamics")
    record = {"none": None, "one": gathering().only([0]), "flat": gathering(6), "high": lifted(8, turn=True)}[which]
    own = gathering().probe
    probe = SmallPairs(np.zeros((len(own.images), 16, 16, 3), np.uint8), own.labels, own.labels, own.images)
    lesson = Lesson("a lesson", probe.part(np.arange(4)), probe, world=True)
    flow.show(Settings(), DynamicsData(Opened("world", "key"), lesson, Setup(), () if record is None else (record,)))


def opened(which: str, **query: str) -> AppTest:
    at = AppTest.from_function(page, default_timeout=LONG, args=(which,))
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    for _ in range(60):
        if at.exception or not at.get("progress"):
            break
        at.run()
    assert not at.exception
    return at


def titles(at: AppTest) -> list[str]:
    import json

    return [" ".join(json.loads(chart.proto.spec)["layout"]["title"]["text"].replace("<br>", " ").split())
            for chart in at.get("plotly_chart")]


def words(at: AppTest) -> str:
    return " ".join(one.value for kind in (at.markdown, at.caption, at.info, at.warning) for one in kind)


def test_a_flow_is_looked_at_between_two_steps_and_the_training_below_it():
    at = opened("flat")
    said = titles(at)
    assert len(said) == 4
    assert said[0].startswith("Slower than half of the fastest: images from step")
    assert "firm groups" in said[1] and said[2].startswith("Alignment") and "R@1 of images" in said[3]
    assert at.select_slider[0].value == (0, 10), "the fastest stretch"
    assert "at[0], there[1], (0, 10)" in at.code[0].value.replace("there[0]", "at[0]")
    at.select_slider[0].set_range(20, 50).run()
    assert "(20, 50), degrees=15" in at.code[0].value
    at.selectbox[0].set_value("class class 0").run()
    assert not at.exception
    assert "== 'class 0'" in at.code[0].value


def test_a_record_of_more_dimensions_is_turned_mapped_and_says_so():
    at = opened("high", flow_as="arrows", flow_what="speed")
    assert "In 8 dimensions, after turning, these points go" in words(at)
    assert "Divergence and curl are those of the map" in words(at)


@pytest.mark.parametrize(("which", "told"), [("none", "no run to look at yet"), ("one", "one snapshot so far")])
def test_without_two_snapshots_it_says_what_to_do(which, told):
    at = opened(which)
    assert told in " ".join(str(one.proto) for one in at.main)
