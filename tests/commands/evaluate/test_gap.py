"""python -m core evaluate gap: what it prints, on files of vectors and on sources that are embedded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.commands import main
from core.encoding.registry import misfit
from core.geometry.gap.closing import CLOSINGS
from core.geometry.pairs import Pairs
from tests.geometry.gap.test_closing import world
from tests.geometry.test_swaps import views

ROOT = Path(__file__).parents[3]
OF_ALL = ("centroid_gap", "rmg", "l2i", "alignment", "uniformity_image", "uniformity_text", "r1_image_to_text",
          "r1_text_to_image", "loss_at_0", "loss_closed")


def evaluate(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[dict[str, dict[str, float]], str]:
    assert main(["evaluate", "gap", "--data", str(path), "--json", *more]) == 0
    said = capsys.readouterr()
    return json.loads(said.out)["figures"], said.err


def test_every_measure_and_every_way_of_closing_is_printed(tmp_path: Path) -> None:
    pairs = world(n=40)
    np.savez(tmp_path / "v.npz", image=3 * pairs.images, text=pairs.texts)
    command = [sys.executable, "-m", "core", "evaluate", "gap", "--data", str(tmp_path / "v.npz"), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    out = json.loads(done.stdout)
    assert (out["subject"], out["data"], out["seed"]) == ("gap", "v.npz", 0)
    figures = out["figures"]
    closings = {f"{name}_{key}" for key in CLOSINGS for name in (
        "gap", "r1_held_out", "r1_in_sample", "r1_held_out_text_to_image", "r1_in_sample_text_to_image")}
    assert {*OF_ALL, *closings} <= set(figures)
    for name in closings:
        number = figures[name]
        assert number["low"] <= number["value"] <= number["high"]
        assert number["null"] is not None
        assert number["n"] == 20
    gap = np.linalg.norm(pairs.images.mean(axis=0) - pairs.texts.mean(axis=0))
    assert figures["centroid_gap"]["value"] == pytest.approx(gap, abs=1e-5)
    assert "temperature 0.01, batches of 40" in figures["loss_at_0"]["unit"]
    assert "Procrustes, split 1 of 20" in done.stderr


def test_the_numbers_of_coco(reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, _ = evaluate(reference / "features" / "coco500_clip_vitb16_pairs.npz", capsys)
    meant = {"centroid_gap": 0.8514, "rmg": 0.5915, "alignment": 1.3802, "uniformity_image": -1.7945,
             "uniformity_text": -1.8409, "r1_image_to_text": 0.552, "r1_text_to_image": 0.506, "loss_at_0": 0.566,
             "loss_closed": 1.586}
    for name, value in meant.items():
        assert figures[name]["value"] == pytest.approx(value, abs=6e-4), name
    assert 0.15 < figures["r1_held_out_procrustes"]["value"] < 0.22
    assert figures["r1_in_sample_procrustes"]["value"] > 0.95
    assert 0.60 < figures["r1_held_out_untouched"]["value"] < 0.69
    assert figures["r1_held_out_euclid"] == figures["r1_held_out_untouched"]


def test_two_views_of_one_source_have_a_small_gap_by_chance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, move in (("moved", 0.12), ("same", 0.0)):
        pairs = views(move=move)
        np.savez(tmp_path / f"{name}.npz", image=pairs.images, text=pairs.texts)
    moved, _ = evaluate(tmp_path / "moved.npz", capsys, "--no-closings")
    assert moved["centroid_gap"]["value"] == pytest.approx(0.12, abs=0.01)
    assert moved["centroid_gap"]["null"] < 0.07
    assert not any(name.startswith(("gap_", "r1_held_out", "r1_in_sample")) for name in moved)
    same, _ = evaluate(tmp_path / "same.npz", capsys, "--no-closings")
    assert abs(same["mmd"]["value"]) < 0.003


def test_what_cannot_be_split_is_measured_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = world(n=3)
    np.savez(tmp_path / "few.npz", image=pairs.images, text=pairs.texts)
    figures, said = evaluate(tmp_path / "few.npz", capsys)
    assert {"centroid_gap", "r1_image_to_text", "loss_at_0"} <= set(figures)
    assert not any(name.startswith("r1_held_out") for name in figures)
    assert "Expected at least 4 groups of images and texts that belong together" in said


def test_unequal_numbers_of_images_and_texts_are_not_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = world(n=40)
    np.savez(tmp_path / "v.npz", image=pairs.images, text=pairs.texts[:29])
    figures, _ = evaluate(tmp_path / "v.npz", capsys)
    assert {"centroid_gap", "gap_untouched", "gap_centring", "gap_csls"} <= set(figures)
    assert not {"loss_at_0", "l2i", "r1_image_to_text", "r1_held_out_centring", "gap_procrustes"} & set(figures)


def as_csv(path: Path, pairs: Pairs, captions: int) -> Path:
    """Images and their captions as one table, joined by a column of ids."""
    rows = [f"image,{i}," + ",".join(map(str, x)) for i, x in enumerate(pairs.images)]
    rows += [f"text,{i // captions}," + ",".join(map(str, x)) for i, x in enumerate(pairs.texts)]
    path.write_text("\n".join(["modality,id," + ",".join(f"d{k}" for k in range(12)), *rows]))
    return path


def test_the_file_says_what_belongs_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two texts an image: a gallery of 20 images has 40 texts."""
    figures, _ = evaluate(as_csv(tmp_path / "v.csv", world(n=40, captions=2), 2), capsys)
    assert figures["r1_held_out_untouched"]["n"] == 20
    assert figures["r1_held_out_text_to_image_untouched"]["n"] == 40


def test_one_image_with_many_captions_has_a_gap_and_no_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, said = evaluate(as_csv(tmp_path / "v.csv", world(n=1, captions=6), 6), capsys)
    assert "centroid_gap" in figures
    assert "loss_at_0" not in figures
    assert "at least 4 groups" in said


def test_one_modality_is_an_error_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "v.npz", image=world().images)
    assert main(["evaluate", "gap", "--data", str(tmp_path / "v.npz")]) == 2
    assert capsys.readouterr().err == ("Expected images and texts; got no texts in v.npz. A file of vectors has arrays "
                                       "named image and text.\n")


def test_a_source_is_embedded_and_keeps_what_belongs_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]
                                                              ) -> None:
    from PIL import Image

    from core.sources.solids.world import open_world

    shown = open_world(24)
    lines = ["image,caption"]
    for i in range(24):
        Image.Image.save(shown.images.decode(i), tmp_path / f"{i}.png")
        lines += [f"{i}.png,{shown.texts[i]}", f"{i}.png,a picture of {shown.texts[i]}"]
    (tmp_path / "captions.csv").write_text("\n".join(lines))
    figures, _ = evaluate(tmp_path / "captions.csv", capsys)
    assert figures["r1_held_out_untouched"]["n"] == 12
    assert figures["r1_held_out_text_to_image_untouched"]["n"] > 12
    assert figures["r1_held_out_untouched"]["low"] > figures["r1_held_out_untouched"]["null"]


def test_no_gap_is_measured_of_a_classifier(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "gap", "--model", "photo"]) == 2
    assert "means nothing" in capsys.readouterr().err


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photos with captions, of which the built-in model knows nothing."""
    for i in range(6):
        Image.new("RGB", (32, 32), (40 * i, 200 - 30 * i, 90)).save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.txt").write_text(f"a street in the rain {i}")
    return tmp_path


@pytest.mark.parametrize("subject", [["gap", "--no-closings"], ["sphere"]])
def test_a_model_that_does_not_know_what_it_is_shown_is_said_to_measure_nothing(
        photos: Path, subject: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *subject, "--data", str(photos)]) == 0
    assert misfit("builtin", built_in_world=False) in capsys.readouterr().out.splitlines()
    assert main(["evaluate", *subject, "--data", str(photos), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["note"] == misfit("builtin", built_in_world=False)
    assert main(["embed", str(photos), "--out", str(photos / "v.npz")]) == 0
    assert misfit("builtin", built_in_world=False) in capsys.readouterr().err.splitlines()


def test_nothing_is_said_of_vectors_of_another_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = world(n=20)
    np.savez(tmp_path / "v.npz", image=pairs.images, text=pairs.texts)
    assert main(["evaluate", "gap", "--data", str(tmp_path / "v.npz"), "--json", "--no-closings"]) == 0
    assert "note" not in json.loads(capsys.readouterr().out)
