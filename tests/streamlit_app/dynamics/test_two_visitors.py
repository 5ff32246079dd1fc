"""Two visitors train at once: each sees its own run, the rest of the app goes on, and a closed tab stops its run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.learning.records.file import record_bytes
from tests.learning.records.test_file import a_record
from tests.learning.towers.test_process import alive
from tests.streamlit_app.protocol import LIMIT, Visitor
from tests.streamlit_app.test_visits import Held, held, held_when, nothing, pictures

PAGE = "Learning_Dynamics"
LONG = "3000"       # steps, far more than the test waits for


@pytest.fixture
def hasty(streamlit_server: Callable[..., str]) -> str:
    return streamlit_server(Path(__file__).parents[1] / "hasty_app.py", ORRERY_HOSTED="1")


def trains(address: str, noise: str) -> Visitor:
    visitor = Visitor(address, PAGE, steps=LONG, dial_caption_noise=noise).run().settled()
    return visitor.run(**{"dynamics.train": True})


def steps(found: Held) -> list[int]:
    return [at[0] for _, _, at in found["trainings"]]  # type: ignore[attr-defined]


def shown_step(visitor: Visitor) -> int:
    """The step that the page says it is at."""
    said = re.findall(r"Step ([\d,\\]+) of", visitor.run().shown)
    return int(re.sub(r"\D", "", said[-1])) if said else -1


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.2)


def test_each_visitor_has_a_run_of_its_own_and_a_closed_tab_stops_it(hasty: str) -> None:
    held(hasty)
    first, second = trains(hasty, "0.4"), trains(hasty, "0.6")
    both = held_when(hasty, lambda found: len(steps(found)) == 2 and min(steps(found)) > 0)
    pids = [pid for _, pid, _ in both["trainings"]]  # type: ignore[attr-defined]
    assert pids[0] != pids[1] and all(map(alive, pids))
    for visitor, own, other in ((first, "0.4", "0.6"), (second, "0.6", "0.4")):
        until(lambda visitor=visitor: shown_step(visitor) > 0)
        assert f"noise {own}" in visitor.shown and f"noise {other}" not in visitor.shown
        assert 'role=\\"alert' not in visitor.shown and "Traceback" not in visitor.shown

    elsewhere = Visitor(hasty, "Modality_Gap").run().settled()
    assert 'role=\\"alert' not in elsewhere.shown and "Traceback" not in elsewhere.shown
    first.path = "Modality_Gap"
    first.run()
    before = steps(held(hasty))
    held_when(hasty, lambda found: all(b > a for a, b in zip(before, steps(found), strict=True)))
    first.path = PAGE
    until(lambda: shown_step(first) > before[0])

    second.run(**{"dynamics.pause": True})
    held_when(hasty, lambda found: [state for state, _, _ in found["trainings"]] == ["running", "paused"])
    second.leave()
    left = held_when(hasty, lambda found: len(found["trainings"]) == 1)  # type: ignore[arg-type]
    assert left["trainings"][0][1] == pids[0]  # type: ignore[index]
    until(lambda: not alive(pids[1]))
    first.run(**{"dynamics.stop": True})
    held_when(hasty, lambda found: found["trainings"][0][0] == "stopped")  # type: ignore[index]
    until(lambda: "it was stopped at step" in first.run().shown.replace("\\", ""))
    assert "noise 0.4" in first.shown and "R@1" in first.shown
    for visitor in (first, elsewhere):
        visitor.leave()
    held_when(hasty, nothing)
    assert not any(map(alive, pids))


def test_what_is_learnt_from_the_data_of_a_visit_is_seen_by_no_other_nor_kept(
        streamlit_server: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    address = streamlit_server(Path(__file__).parents[1] / "hasty_app.py", ORRERY_HOSTED="1",
                               TMPDIR=str(tmp_path / "tmp"), ORRERY_CACHE=str(tmp_path / "cache"))
    held(address)
    asked = ((PAGE, "dynamics.dose.run", {"dynamics": "doses", "dose": "blur", "dose_seeds": "3", "steps": "50"}),
             (PAGE, "dynamics.tune.run", {"dynamics": "any", "any": "tune", "tune_steps": "10"}),
             (PAGE, "", {"dynamics": "any", "any": "file"}),
             ("Dataset_Quality", "quality.learn", {"quality": "learning", "learn_steps": "50", "learn_seeds": "3"}))
    visits = []
    for words in ("walrus", "narwhal"):
        for page, button, query in asked:
            visit = Visitor(address, page, data="images", **query).run()
            visit.bring("images.upload", (f"{words}.zip", pictures(words))).settled()
            if button:
                visit.run(**{button: True}).settled()
            else:
                record = replace(a_record(), name=f"Run of the {words}")
                visit.bring("run_file.upload", (f"{words}.orrery-run", record_bytes(record))).settled()
            visits.append((words, query, visit))
    for words, query, visit in visits:
        shown = visit.run().settled().shown
        assert 'role=\\"alert' not in shown and "Traceback" not in shown, query
        assert words in shown, query
        assert ("narwhal" if words == "walrus" else "walrus") not in shown, query
        assert "plotly" in shown, query
    for _, _, visit in visits:
        visit.leave()
    held_when(address, nothing)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.parent.name == "trainings" for path in kept)
    for path in kept:
        content = path.read_bytes()
        assert b"walrus" not in content and b"narwhal" not in content, path
