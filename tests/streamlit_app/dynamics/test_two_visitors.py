"""Two visitors train at once: each sees its own run, the rest of the app goes on, and a closed tab stops its run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.learning.towers.test_process import alive
from tests.streamlit_app.protocol import LIMIT, Visitor
from tests.streamlit_app.test_visits import Held, held, held_when, nothing

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
