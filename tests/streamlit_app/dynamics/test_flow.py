"""The section on the flow field: what is chosen is what is shown; little, one snapshot and none are told."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.figures.dynamics.flow import marks_table
from core.geometry.dynamics.look import look_at
from core.learning.records.file import SUFFIX, write_record
from tests.geometry.dynamics.planted import gathering

LONG = 240


def page(which: str) -> None:
    from dataclasses import replace

    import numpy as np

    from core.learning.towers.pairs import Lesson, SmallPairs
    from core.learning.towers.setup import Setup
    from core.sources.solids.world import open_world
    from core.streamlit_app import state
    from core.streamlit_app.data.opened import Opened
    from core.streamlit_app.dynamics import flow
    from core.streamlit_app.dynamics.data import DynamicsData
    from core.streamlit_app.state import Settings
    from tests.geometry.dynamics.planted import gathering
    from tests.learning.records.test_placed import lifted

    state.enter_page("dynamics")
    record = {"none": None, "one": gathering().only([0]), "flat": gathering(6), "high": lifted(8, turn=True),
              "kept": None}[which]
    own, dataset = gathering().probe, None
    if which == "kept":
        dataset = open_world(len(own.images))
        own = replace(own, images=dataset.image_ids)
        record = replace(gathering(6), probe=own)
    probe = SmallPairs(np.zeros((len(own.images), 16, 16, 3), np.uint8), own.labels, own.labels, own.images)
    lesson = Lesson("a lesson", probe.part(np.arange(4)), probe, world=True)
    flow.show(Settings(), DynamicsData(Opened("world", "key", dataset), lesson, Setup(),
                                       () if record is None else (record,)))


def opened(which: str, **query: str) -> AppTest:
    at = AppTest.from_function(page, default_timeout=LONG, args=(which,))
    for key, value in query.items():
        at.query_params[key] = value
    return settled(at.run())


def settled(at: AppTest) -> AppTest:
    """The page once its work is done."""
    for _ in range(240):
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
    assert "less firm from step" in said[1] and said[2].startswith("Alignment") and "R@1 of images" in said[3]
    assert at.select_slider[0].value == (0, 10), "the fastest stretch"
    assert "at[0], there[1], (0, 10)" in at.code[0].value.replace("there[0]", "at[0]")
    settled(at.select_slider[0].set_range(20, 50).run())
    assert "(20, 50), degrees=15" in at.code[0].value
    settled(at.selectbox[0].set_value("class class 0").run())
    assert "== 'class 0'" in at.code[0].value
    assert "class 5" not in at.get("plotly_chart")[0].proto.spec
    settled(at.segmented_control(key="flow_speed").set_value("classes").run())
    assert "class 5" in at.get("plotly_chart")[0].proto.spec
    settled(at.toggle(key="flow_way_words").set_value(True).run())
    assert "the mean way of images of class 0: " in " ".join(one.value for one in at.text)


@pytest.mark.parametrize(("who", "rows"), [("images", slice(0, 120)), ("both", slice(0, 126)),
                                           ("class class 0", slice(0, 20))])
def test_the_python_that_is_offered_finds_the_same_marks(who, rows, tmp_path, monkeypatch, capsys):
    write_record(gathering(6), tmp_path / f"gathering{SUFFIX}")
    at = opened("flat", flow_of=who, flow_steps="30-50")
    monkeypatch.chdir(tmp_path)
    exec(at.code[0].value, {})
    there = np.concatenate([gathering(6).images, gathering(6).texts], axis=1)[:, rows]
    look = look_at(there[3], there[5], (30, 50), degrees=15, group=np.arange(len(there[0])) >= 120)
    assert look.marks.found
    assert capsys.readouterr().out.strip() == str(marks_table(look)).strip()


def test_images_nearest_to_a_mark_are_kept_as_a_selection():
    at = opened("kept", flow_steps="30-50")
    at.button(key="dynamics.flow.keep").click().run()
    assert not at.exception
    (kept,) = at.session_state["selections"].values()
    assert len(kept.image_ids) == 24 and kept.source.startswith("world: nearest at step 50 to a")


def test_a_record_of_more_dimensions_is_turned_mapped_and_says_so():
    at = opened("high", flow_as="arrows", flow_what="speed")
    assert "In 8 dimensions, after turning, these points go" in words(at)
    assert "Divergence and curl are those of the map" in words(at)


@pytest.mark.parametrize(("which", "told"), [("none", "no run to look at yet"), ("one", "one snapshot so far")])
def test_without_two_snapshots_it_says_what_to_do(which, told):
    at = opened(which)
    assert told in " ".join(str(one.proto) for one in at.main)
