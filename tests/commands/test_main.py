"""python -m core: figures as a table or as JSON, errors in one line, and the floors of the built-in model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.commands import main
from core.commands.evaluate._report import Evaluation, as_json, as_table
from core.encoding.models import load_model
from core.language.world_evaluation import BARE, NAMED, distinct_scenes, evaluate_model
from core.sources.solids.captions import known_words
from core.types import Number

FIGURES = Evaluation("model", "m", "d", 3, {
    "whole": Number(0.5, 0.4, 0.6, 0.1, 100, "share"), "bare": Number(2.0, unit="rad"),
    "odd": Number(1.0, float("nan"), float("inf"))})

# What a smaller sample than the full evaluation must reach; seeded, so the same in every run.
FLOORS = {"zero_shot_colour": 0.95, "zero_shot_setting": 0.95, "zero_shot_style": 0.95, "zero_shot_solid": 0.80,
          "zero_shot_texture": 0.70, "retrieval_r1_of_1000_image_to_text": 0.9,
          "retrieval_r1_of_1000_text_to_image": 0.9}


@pytest.fixture(scope="module")
def figures() -> dict[str, Number]:
    said: list[float] = []
    found = evaluate_model(load_model("builtin"), shots=500, on_progress=lambda f, t: said.append(f))
    assert said == sorted(said)
    assert said[-1] == pytest.approx(1)
    return found


@pytest.mark.parametrize("name", FLOORS)
def test_the_built_in_model_reads_what_it_never_saw(figures: dict[str, Number], name: str) -> None:
    number = figures[name]
    assert number.value >= FLOORS[name]
    assert number.low is not None
    assert number.high is not None
    assert number.low <= number.value <= number.high
    assert number.null is not None
    assert number.null < 0.25


def test_every_attribute_is_asked_bare_as_well(figures: dict[str, Number]) -> None:
    assert {f"zero_shot_bare_{name}" for name in NAMED} < set(figures)
    words = set(known_words())
    assert {w for prompts in BARE.values() for p in prompts.values() for w in p.split()} <= words


def test_an_untrained_model_stays_at_chance(tmp_path: Path) -> None:
    from core.learning.builtin import Recipe, build_model, build_tokenizer, write

    tokenizer = build_tokenizer()
    write(build_model(Recipe(seed=3), tokenizer), tokenizer, tmp_path)
    figures = evaluate_model(load_model(str(tmp_path)), shots=200, gallery=100)
    for name in ("solid", "texture", "colour"):
        number = figures[f"zero_shot_{name}"]
        assert number.value < number.null + 0.2  # type: ignore[operator]
    assert figures["retrieval_r1_of_100_image_to_text"].value < 0.15


def test_galleries_hold_distinct_descriptions() -> None:
    scenes = distinct_scenes(300, 1)
    said = {(s.setting, s.style, *sorted((x.shape, x.colour, x.texture, x.size) for x in s.solids)) for s in scenes}
    assert len(said) == len(scenes) == 300


def test_json_leaves_out_what_is_absent() -> None:
    out = as_json(FIGURES)
    assert json.loads(json.dumps(out, allow_nan=False)) == {
        "subject": "model", "model": "m", "data": "d", "seed": 3,
        "figures": {"whole": {"value": 0.5, "low": 0.4, "high": 0.6, "null": 0.1, "n": 100, "unit": "share"},
                    "bare": {"value": 2.0, "unit": "rad"}, "odd": {"value": 1.0, "unit": ""}}}


def test_the_table_has_a_line_a_figure() -> None:
    lines = as_table(FIGURES).splitlines()
    assert lines[0] == "model: m on d, seed 3"
    assert lines[1].split() == ["figure", "value", "95", "%", "interval", "null", "n", "unit"]
    assert lines[2].split() == ["whole", "0.5", "0.4", "to", "0.6", "0.1", "100", "share"]
    assert len(lines) == 5


def test_the_sphere_is_measured_on_vectors_of_any_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    x = 0.4 * rng.normal(size=(120, 8)) + np.eye(8)[np.arange(120) % 4]
    np.savez(tmp_path / "v.npz", image=x[:60], text=x[60:])
    assert main(["evaluate", "sphere", "--data", str(tmp_path / "v.npz"), "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert (out["subject"], out["data"]) == ("sphere", "v.npz")
    for key in ("pca", "pca_centred", "pca_centred_each", "geodesic_mds", "umap"):
        for name in ("spearman", "knn_overlap", "trustworthiness"):
            number = out["figures"][f"{name}_{key}"]
            assert number["value"] > number["null"]
            assert "low" not in number
        for name in ("spearman", "knn_overlap"):
            assert {f"{name}_{part}_{key}" for part in ("images", "texts", "across")} < set(out["figures"])
        assert out["figures"][f"seconds_{key}"]["unit"] == "s"
    assert main(["evaluate", "sphere", "--data", str(tmp_path / "none.npz")]) == 2
    assert "which is not there" in capsys.readouterr().err


def test_by_chance_a_map_of_random_directions_is_as_good_as_it_is(tmp_path: Path,
                                                                 capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "v.npz", image=np.random.default_rng(1).normal(size=(100, 512)))
    assert main(["evaluate", "sphere", "--data", str(tmp_path / "v.npz"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["figures"]
    assert 0.25 < found["spearman_pca"]["null"] < 0.42
    assert found["spearman_pca"]["value"] == pytest.approx(found["spearman_pca"]["null"], abs=0.04)
    assert found["variance_pca"]["null"] == pytest.approx(0.06, abs=0.005)
    assert not [name for name in found if "images" in name or "each" in name]


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "model", "--data", "x.npz"]) == 2
    assert capsys.readouterr().err == (
        "Expected no --data for the subject model, which is measured on the built-in world; got x.npz.\n")


def test_unknown_subjects_list_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "weather"])
    assert "model" in capsys.readouterr().err


def test_the_contact_sheet_is_a_picture(tmp_path: Path) -> None:
    from PIL import Image

    assert main(["sheet", str(tmp_path / "s.png"), "--size", "64"]) == 0
    assert Image.open(tmp_path / "s.png").size == (640, 384)
