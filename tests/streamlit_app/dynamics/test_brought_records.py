"""Records that others made, some to do harm: every section shows them, and what is written in them stays text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.figures.dynamics.animation import animation
from core.learning.records.file import record_bytes
from core.learning.records.placed import placed
from core.learning.records.record import Probe, Record
from core.learning.towers.setup import Setup
from core.streamlit_app import cached
from core.streamlit_app.dynamics import runs, watch
from tests.learning.records.test_file import a_record
from tests.pages.test_pages import HOSTILE, finished, opened, words
from tests.streamlit_app.dynamics.test_checkpoints import PAGE

HALF = "\ud83e"      # of a letter, as JSON can say it
SECTIONS = ("any", "watch", "flow")
EVIL = f"{HOSTILE} </script><script>alert(1)</script> | %{{x}} {{}} {HALF}"


def hostile(d: int) -> Record:
    """Markup in all that is text."""
    record = a_record(n=16, m=4, d=d)
    probe = Probe(tuple(f"{EVIL} {name}" for name in record.probe.images),
                  tuple(f"{EVIL} {text}" for text in record.probe.texts), record.probe.links,
                  tuple(f"{EVIL} {label}" for label in record.probe.labels))
    return replace(record, name=EVIL, probe=probe, setup={EVIL: EVIL, "steps": 10**4000}, ended=f"{EVIL}.")


def alike() -> Record:
    """All features are equal, and nothing is linked."""
    x = np.zeros((3, 9, 5), np.float32)
    x[..., 0] = 1
    probe = Probe(tuple("abcdefghi"), tuple("ABCDEFGHI"), np.zeros((0, 2)))
    return Record("", probe, np.arange(3), x, x, {"loss": np.array([np.nan, np.inf, -1e308])})


def shown(at: AppTest, section: str) -> str:
    at.session_state["dynamics"] = section
    finished(at.run())
    said = words(at)
    assert 'role="alert"' not in said, section
    return said


@pytest.mark.parametrize("record", [
    hostile(3), hostile(6), alike(), a_record(s=1, n=1, m=1, d=2), replace(a_record(d=3), setup=Setup().as_json()),
], ids=["sphere", "space", "alike", "one", "other pairs"])
def test_every_section_shows_what_others_recorded_as_text(record: Record) -> None:
    at = opened(PAGE, scenes="100", dynamics="any", any="file")
    at.file_uploader(key="run_file.upload").set_value([("run.orrery-run", record_bytes(record), "")])
    for section in SECTIONS:
        said = shown(at, section)
        assert "<img src=x" not in said and "<script>" not in said
    at.session_state["dynamics.clicked"] = at.session_state["dynamics.kept"][0].name, 0
    shown(at, "watch")
    code = at.code[-1].value
    assert "read_record(" in code and "train(" not in code
    compile(code, "shown", "exec")


def test_packed_records_that_unpack_to_too_much_are_not_all_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEPT_MB", 1)
    at = opened(PAGE, scenes="100", dynamics="any", any="file")
    large = [record_bytes(a_record(s=60, n=600, m=3, d=3, seed=seed)) for seed in (0, 1, 2)]      # half a MB each
    at.file_uploader(key="run_file.upload").set_value([(f"{i}.orrery-run", one, "") for i, one in enumerate(large)])
    for _ in range(2):
        said = words(finished(at.run()))
        assert said.count('role="alert"') == 1 and "1 MB of features open together" in said
        assert at.session_state["dynamics.kept"] and at.selectbox(key="any_file").options == [
            "My run (0.orrery-run)", "My run (1.orrery-run)"]


def test_the_built_in_training_is_looked_at_where_runs_are_trained() -> None:
    at = opened(PAGE, scenes="100", dynamics="any")
    assert "Built-in model" in shown(at, "watch").replace("\\", "")


def all_steps() -> None:
    from core.streamlit_app.dynamics import watch
    from tests.learning.records.test_file import a_record

    record = a_record(s=watch.MOST_MEASURED + 9, n=3, m=3, d=3)
    for at in range(len(record)):
        assert watch.numbers_at(record, at)["r1"].n == 3


def test_whoever_goes_through_all_steps_pushes_out_nothing_that_others_wait_for() -> None:
    before = len(cached.results())
    at = AppTest.from_function(all_steps, default_timeout=120).run()
    assert not at.exception
    assert len(at.session_state["dynamics.measured"]) == watch.MOST_MEASURED
    assert len(cached.results()) == before


def test_an_animation_of_a_hostile_record_holds_no_markup_of_it() -> None:
    record = hostile(3)
    places = placed(record)
    page = animation(record, places.images, places.texts, title=record.name).to_html(include_plotlyjs="cdn")
    assert "<img src=x" not in page and "<script>alert" not in page
    assert page.count("\\u0026lt;img src=x") + page.count("&lt;img src=x") >= 20, "as text"
