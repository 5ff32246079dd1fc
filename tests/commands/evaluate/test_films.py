"""python -m core evaluate films: every figure with interval and chance, the floors, and seeds that never meet."""

from __future__ import annotations

import contextlib
import io
import json

import pytest

from core.commands import main
from core.errors import ShapeError
from core.language.films.evaluation import MOST_SCORED, TUNED_SEEDS, evaluate_films

# What 12 films must reach, as 60 do with room to spare (python -m core evaluate films); seeded.
FLOORS = {"shot_f1": 0.95, "island_ari": 0.9, "kind_from_path": 0.75}


@pytest.fixture(scope="module")
def printed() -> dict[str, object]:
    """What the command prints of 12 films."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["evaluate", "films", "--films", "12", "--json"]) == 0
    return json.loads(out.getvalue())


def test_every_figure_has_an_interval_its_chance_and_n(printed):
    figures = printed["figures"]
    for name, number in figures.items():
        assert number["n"] == 12, name
        if not name.endswith("_p"):
            assert number["low"] <= number["value"] <= number["high"], name
            assert "null" in number or name == "islands_counted_right", name
    for key in ("content", "adaptive", "hash"):
        assert figures["shot_f1"]["value"] > figures[f"shot_f1_scenedetect_{key}"]["value"]
        assert 0 < figures[f"shot_f1_over_scenedetect_{key}_p"]["value"] < 1


def test_floors_of_the_built_in_model(printed):
    figures = printed["figures"]
    assert {name: figures[name]["value"] for name in FLOORS if figures[name]["value"] < FLOORS[name]} == {}
    assert figures["kind_from_path_p"]["value"] < 0.01
    assert figures["shot_f1_by_median_alone"]["value"] < 0.8, "flashes and whips are there to be fallen for"
    for key in ("order_free", "mean_step", "content"):
        assert figures[f"kind_from_{key}_p"]["value"] > 0.05


def test_what_was_tuned_was_tuned_on_other_seeds(printed):
    chosen = printed["chosen"]
    assert len(chosen["seeds_scored"]) == 12 and chosen["seeds_tuned"] == list(TUNED_SEEDS)
    assert max(TUNED_SEEDS) < 10_000 <= min(chosen["seeds_scored"]), "whatever the seed, scored seeds begin at 10,000"
    assert MOST_SCORED < 1_000, "films of two seeds of the command never meet"
    assert chosen["shots"]["floor_degrees"] == 12 and chosen["islands"]["cut_degrees"] == 30


def test_other_data_and_too_few_films_are_refused(capsys):
    assert main(["evaluate", "films", "--data", "x.npz"]) == 2
    assert "no --data for the subject films" in capsys.readouterr().err
    with pytest.raises(ShapeError, match="6 to 999 films to score"):
        evaluate_films(None, None, scored=5)
