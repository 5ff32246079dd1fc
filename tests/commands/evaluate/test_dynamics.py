"""python -m core evaluate dynamics: every figure with interval, chance and n, and the conditions as figures."""

from __future__ import annotations

import contextlib
import io
import json

import pytest

from core.commands import main
from core.learning.towers.evaluation import FAULTS
from core.learning.towers.experiments import EXPERIMENTS
from core.learning.towers.setup import DIALS

TINY = ["evaluate", "dynamics", "--seeds", "3", "--steps", "3", "--pairs", "48", "--probe", "24", "--seed", "2"]


@pytest.fixture(scope="module")
def printed() -> dict:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert main([*TINY, "--json"]) == 0
    return json.loads(text.getvalue())


def test_every_figure_that_is_promised_is_there(printed: dict) -> None:
    names = {"live_r1", "gap_at_init_d3", "gap_at_init_d16", "gap_after_d3", "poles_free", "poles_turned",
             "gap_by_temperature_difference", "gap_by_temperature_ordered", "uniformity_by_noise_difference",
             *(f"gap_by_temperature_{t:g}" for t in (0.01, 0.05, 0.1, 0.2)),
             *(f"uniformity_by_noise_{noise:g}" for noise in (0, 0.2, 0.4, 0.6)),
             *(f"dose_{fault}_{level:.3g}" for fault in FAULTS for level in DIALS[fault].doses),
             *(f"dose_{fault}_{what}" for fault in FAULTS for what in ("ordered", "difference"))}
    assert len(FAULTS) == 7 and names - set(printed["figures"]) == set()


def test_every_figure_has_n_and_its_interval_holds_it(printed: dict) -> None:
    for name, number in printed["figures"].items():
        assert number["n"] > 0, name
        if "low" in number:
            assert number["low"] <= number["value"] <= number["high"], name
        assert "low" in number or name.endswith(("_p", "_ordered", "_holds")) or "difference" in name, name
    for fault in FAULTS:
        assert printed["figures"][f"dose_{fault}_{DIALS[fault].doses[-1]:.3g}"]["null"] == pytest.approx(1 / 12)
    assert printed["figures"]["gap_at_init_d3"]["null"] > 0, "a gap has a chance of its own"


def test_seeds_cost_and_sentences_are_said_and_twice_the_same(printed: dict) -> None:
    chosen = printed["chosen"]
    assert chosen["seeds"] == [200, 201, 202] and chosen["seconds_of_processor"] > 0
    assert set(EXPERIMENTS) <= set(chosen) and all(len(chosen[key]) > 40 for key in EXPERIMENTS)
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert main([*TINY, "--json"]) == 0
    assert json.loads(text.getvalue()) == printed, "all of it is kept, its cost too"


def test_what_it_cannot_do_is_refused(capsys: pytest.CaptureFixture) -> None:
    for wrong, says in ((["--data", "x.npz"], "no --data and no --model"), (["--seeds", "2"], "3 to 50 seeds")):
        assert main([*TINY, *wrong]) == 2
        assert says in capsys.readouterr().err
