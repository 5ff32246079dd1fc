"""python -m core evaluate objects: every figure with interval and chance, the floors, and what was tuned on what."""

from __future__ import annotations

import contextlib
import io
import json
import math

import pytest

from core.commands import main

NAMES = ("recognise_subspace", "recognise_mean", "recognise_nearest", "recognise_zero_shot",
         "recognise_subspace_4_views", "recognise_mean_4_views", "transfer_subspace", "transfer_subspace_published",
         "transfer_pae", "transfer_pae_plus", "transfer_arithmetic", "change_subspace", "change_arithmetic")
# What one set of each kind must reach, as all three do (python -m core evaluate objects); seeded.
FLOORS = {"recognise_subspace": 0.98, "transfer_subspace": 0.90, "transfer_pae": 0.90, "transfer_arithmetic": 0.90,
          "change_subspace": 0.90, "change_arithmetic": 0.90, "transfer_subspace_unseen": 0.90,
          "recognise_mean": 0.85, "recognise_zero_shot": 0.9}


@pytest.fixture(scope="module")
def printed() -> dict[str, object]:
    """What the command prints, of one set of each kind, tuned on one more."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["evaluate", "objects", "--sets", "1", "--tuned-on", "1", "--json"]) == 0
    return json.loads(out.getvalue())


@pytest.mark.parametrize("kind", ["", "easy_"])
def test_every_figure_has_an_interval_and_its_chance(printed, kind):
    figures = printed["figures"]
    for name in NAMES:
        number = figures[kind + name]
        assert number["low"] <= number["value"] <= number["high"]
        assert number["null"] == (0.1 if "recognise" in name else pytest.approx(12 / 598))
        assert number["n"] == (600 if "recognise" in name else 1800 if "transfer" in name else 1200)


def test_floors_of_the_built_in_model(printed):
    figures = printed["figures"]
    assert {name: figures[name]["value"] for name in FLOORS if figures[name]["value"] < FLOORS[name]} == {}
    assert figures["recognise_subspace"]["value"] > figures["recognise_mean"]["value"]
    assert figures["transfer_untouched"]["value"] == 0
    assert figures["transfer_subspace_published"]["high"] < 0.1, "as written it collapses at this rank"
    assert figures["transfer_sum"]["high"] < 0.4


def test_what_was_tuned_was_tuned_on_other_seeds(printed):
    chosen = printed["chosen"]
    assert not set(chosen["seeds_scored"]) & set(chosen["seeds_tuned"])
    assert chosen["transfer"]["subspace"]["rank"] >= 2
    assert set(chosen["transfer"]["pae"]) == {"alpha"}
    assert {"subspace", "subspace_published", "subspace_published_own_rank"} < set(chosen["change"])
    assert all(rank >= 1 and math.isfinite(rank) for rank in chosen["rank_recognise_subspace"]["hard"].values())


def test_other_data_and_models_without_texts_of_solids_are_refused(capsys):
    assert main(["evaluate", "objects", "--data", "x.npz"]) == 2
    assert "no --data for the subject objects" in capsys.readouterr().err
    assert main(["evaluate", "objects", "--model", "photo"]) == 2
    assert "an image-text model" in capsys.readouterr().err
    assert main(["evaluate", "objects", "--sets", "0"]) == 2
    assert "1 to 50 sets to score and to tune on; got 0 and 2" in capsys.readouterr().err
