"""python -m core evaluate words: every figure with n, interval and chance; a table of one's own; what is refused."""

from __future__ import annotations

import contextlib
import csv
import io
import json

import pytest

from core.commands import main
from core.sources.solids.captions import prompt
from core.sources.solids.world import open_world

# What 40 scenes must reach, as 300 do with room to spare (python -m core evaluate words); seeded.
CHOSEN = {"concept_penalty", "concept_seed_tuned", "concept_seed_scored"}
FLOORS = {"question_colour": 0.9, "question_solid": 0.75, "question_setting": 0.9, "question_style": 0.9,
          "binding_colour": 0.9, "caption_colour": 0.9, "caption_solid": 0.75, "concept_cosine": 0.8,
          "analogies": 0.9, "paraphrase_nearer": 0.95}


def printed(*words: str) -> dict:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["evaluate", "words", *words, "--json"]) == 0
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def world() -> dict:
    return printed("--scenes", "40")


def test_every_figure_has_its_n_its_interval_and_its_chance(world):
    figures = world["figures"]
    for name, number in figures.items():
        assert number["n"] > 1, name
        if not name.endswith("_p") and name not in CHOSEN:
            assert number["low"] <= number["value"] <= number["high"] and "null" in number, name
    for kind in ("colour", "solid", "texture", "setting", "style"):
        assert figures[f"question_{kind}"]["low"] > figures[f"question_{kind}_no_image"]["high"]
    assert world["chosen"] == {"scenes_scored": 60_000, "scenes_tuned": 61_000}
    assert "chosen on scenes 61,000" in figures["counting"]["unit"]


def test_floors_and_what_is_not_seen(world):
    figures = world["figures"]
    assert {name: figures[name]["value"] for name, least in FLOORS.items() if figures[name]["value"] < least} == {}
    for kind in ("colours", "left_right", "order"):
        assert figures[f"binding_{kind}"]["low"] < 0.5 < figures[f"binding_{kind}"]["high"], kind
    assert figures["binding_negation"]["high"] < 0.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve single solids as pictures, and two captions of each, one of them wrong."""
    path, data = tmp_path_factory.mktemp("choices"), open_world(60)
    rows = [row for row, scene in enumerate(data.images.scenes) if len(scene.solids) == 1][:12]
    with (path / "choices.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "right", "wrong", "kind"])
        for row in rows:
            solid = data.images.scenes[row].solids[0]
            data.images.decode(row).save(path / f"scene {row}.png")
            other = "red" if solid.colour != "red" else "blue"
            table.writerow([f"scene {row}.png", prompt(colour=solid.colour), prompt(colour=other), "colour"])
        table.writerow(["gone.png", "a thing", "an object", "colour"])
    with (path / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "caption"], *(
            [f"scene {row}.png", f"a {data.images.scenes[row].solids[0].colour} thing"] for row in rows)])
    return path


def test_a_table_of_two_captions_and_one_of_pairs(folder, capsys):
    found = printed("--data", str(folder / "choices.csv"))["figures"]
    assert found["binding_colour"]["value"] >= 0.9 and found["binding_colour"]["n"] == 12
    assert found["binding_colour"]["null"] == 0.5 and found["binding_colour_p"]["value"] < 0.05
    assert "row 13: no image at hand is called 'gone.png'" in capsys.readouterr().err
    pairs = printed("--data", str(folder / "pairs.csv"))["figures"]
    assert set(pairs) == {"r1_image_to_text", "r1_text_to_image", "r5_image_to_text", "r5_text_to_image"}
    assert pairs["r1_image_to_text"]["low"] > pairs["r1_image_to_text"]["null"]


def test_what_cannot_be_scored_is_said(tmp_path, capsys):
    assert main(["evaluate", "words", "--scenes", "3"]) == 2
    assert "20 scenes or more" in capsys.readouterr().err
    (tmp_path / "t.csv").write_text("image,wrong\na.png,a cat\n")
    assert main(["evaluate", "words", "--data", str(tmp_path / "t.csv")]) == 2
    assert main(["evaluate", "words", "--data", str(tmp_path / "gone.csv")]) == 2
