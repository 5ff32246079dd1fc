"""Recipes replayed without a browser keep exactly what the page kept, through the same door."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.commands import main
from core.encoding.embedding import embed_with
from core.encoding.export import save_vectors
from core.language.quality.actions import Action, replay, what_is_left
from core.language.quality.kept import dropped_table, kept_table
from core.language.quality.looked import Looked, look
from core.language.quality.recipe import Data, Recipe
from core.sources.sampling import take
from core.sources.solids.faults import plant_all
from core.sources.solids.world import open_world
from core.types import Dataset

SCENES = 80
ACTIONS = (
    Action("drop", {"finding": "copies"}), Action("drop", {"finding": "captions"}), Action("lowest"), Action("relabel"),
    Action("drop", {"finding": "blur"}), Action("rebalance", {"ratio": 3.0}, on=False),
    Action("near", {"around": "image", "centre": "scene 07", "angle": 80.0}),
    Action("prompt", {"prompt": "a red cube", "cosine": 0.05}),
    Action("prompt_against", {"prompt": "a photograph", "against": "a pencil drawing", "margin": -0.2}),
    Action("cap_class", {"most": 6}), Action("random", {"percent": 90.0}),
)


@pytest.fixture(scope="module")
def world() -> Dataset:
    return open_world(SCENES, 3)


def looked_at(dataset: Dataset) -> Looked:
    return look(embed_with("builtin", dataset), dataset, prompts_by="builtin")


def write(recipe: Recipe, folder: Path) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(recipe.written(), encoding="utf-8")
    return path


def kept_by(looked: Looked, recipe: Recipe) -> tuple[pd.DataFrame, pd.DataFrame]:
    steps = replay(recipe.actions, looked, seed=recipe.seed)
    return kept_table(looked, steps), dropped_table(looked, steps)


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_replay_keeps_exactly_the_same(world: Dataset, tmp_path: Path, ending: str,
                                         capsys: pytest.CaptureFixture) -> None:
    recipe = Recipe.of("Clean", ACTIONS, looked_at(world), seed=5, data=Data(scenes=SCENES, world_seed=3))
    kept, dropped = kept_by(looked_at(world), recipe)
    assert 0 < len(kept) < SCENES
    out = tmp_path / "deep" / f"kept.{ending}"
    assert main(["recipe", str(write(recipe, tmp_path)), "--data", "world", "--out", str(out), "--strict"]) == 0
    said = capsys.readouterr()
    assert f"{len(kept)} of {SCENES} images" in said.out
    assert "6. Rebalance classes to at most 3 times the smallest (switched off): 0 images" in said.out
    for table, path in ((kept, out), (dropped, out.with_name(f"kept.dropped.{ending}"))):
        pd.testing.assert_frame_equal(read(path)[list(table.columns)], table, check_dtype=False)


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype={"step": int}, keep_default_na=False)
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_json(path, lines=True, dtype=False)


def test_the_list_is_a_table_that_the_app_opens(world: Dataset, tmp_path: Path) -> None:
    from core.commands._opening import open_source

    folder = tmp_path / "pictures"
    folder.mkdir()
    assert world.images is not None
    for i, name in enumerate(world.image_ids[:6]):
        world.images.decode(i).save(folder / f"{name}.png")
    rows = [f"{name}.png,{world.texts[i]!r},{world.image_table['label'][i]}" for i, name in
            enumerate(world.image_ids[:6])]
    (tmp_path / "data.csv").write_text("\n".join(["image,caption,label", *(r.replace("'", '"') for r in rows)]))
    recipe = write(Recipe("", (Action("lowest", {"percent": 50.0}),)), tmp_path)
    arguments = ["recipe", str(recipe), "--images", str(folder), "--out", str(tmp_path / "kept.csv")]
    assert main([*arguments, "--data", str(tmp_path / "data.csv")]) == 0
    opened = open_source(str(tmp_path / "kept.csv"), str(folder))
    assert isinstance(opened, Dataset)
    assert len(opened.image_ids) == len(opened.texts) == 3
    assert set(opened.texts) <= set(world.texts[:6])


def test_planted_copies_are_dropped_but_for_one_of_each(tmp_path: Path, world: Dataset) -> None:
    planted = plant_all(world, {"duplicates": 0.2})
    recipe = Recipe.of("", [Action("drop", {"finding": "copies", "threshold": 0.9999})], looked_at(planted),
                       data=Data(scenes=SCENES, world_seed=3, faults={"duplicates": 0.2}))
    kept, _ = kept_by(looked_at(planted), recipe)
    assert planted.images is not None
    contents = [planted.images.content_hash(i) for i in range(len(planted.image_ids))]
    assert len(kept) == len(set(contents)) < len(contents)
    out = tmp_path / "kept.jsonl"
    assert main(["recipe", str(write(recipe, tmp_path)), "--data", "world", "--out", str(out), "--strict"]) == 0
    assert read(out)["image"].tolist() == kept["image"].tolist()


def test_a_selection_and_other_data(tmp_path: Path, world: Dataset, capsys: pytest.CaptureFixture) -> None:
    part = take(world, np.arange(10, 40))
    looked = looked_at(part)
    data = Data(scenes=SCENES, world_seed=3, image_ids=part.image_ids, text_ids=())
    recipe = Recipe.of("", [Action("random")], looked, data=data)
    out = tmp_path / "kept.csv"
    replayed = ["recipe", str(write(recipe, tmp_path)), "--data", "world", "--out", str(out)]
    assert main([*replayed, "--strict"]) == 0
    assert set(read(out)["image"]) == set(kept_by(looked, recipe)[0]["image"])
    vectors = save_vectors(embed_with("builtin", world), tmp_path / "vectors.parquet")
    capsys.readouterr()
    assert main([*replayed[:2], "--data", str(vectors), "--out", str(out)]) == 0
    assert "contents or ids are others" in capsys.readouterr().err, "vectors alone are not the pictures"
    assert set(read(out)["image"]) == set(kept_by(looked, recipe)[0]["image"])
    out.unlink()
    assert main([*replayed[:2], "--data", str(vectors), "--out", str(out), "--strict"]) == 2
    assert "the data that the recipe was made for" in capsys.readouterr().err
    assert not out.exists()


def test_an_empty_list_is_an_answer_and_what_cannot_be_done_is_none(tmp_path: Path,
                                                                     capsys: pytest.CaptureFixture) -> None:
    path, out = tmp_path / "r.json", tmp_path / "kept.csv"

    def status(*actions: dict[str, object], to: Path = out, data: str = "world") -> int:
        path.write_text(json.dumps({"data": {"scenes": 5}, "actions": actions}))
        return main(["recipe", str(path), "--data", data, "--out", str(to)])

    assert status({"do": "random", "percent": 0}, {"do": "lowest"}, {"do": "drop", "finding": "outliers"}) == 0
    assert "0 of 5 images and 0 of 5 texts are kept" in capsys.readouterr().out
    assert out.read_bytes() == b"image,id_of_caption,caption,label,label_before,split\r\n"
    assert len(read(tmp_path / "kept.dropped.csv")) == 10
    out.unlink()
    assert status({"do": "drop", "finding": "leaks"}) == 2
    assert "Drop leaks, as proposed: There are no splits" in capsys.readouterr().err
    assert status({"do": "random"}, to=tmp_path / "kept.xlsx") == 2
    assert "to be one of .csv, .parquet, .jsonl" in capsys.readouterr().err
    assert status({"do": "random"}, data=str(tmp_path / "nowhere")) == 2
    assert "which is not there" in capsys.readouterr().err
    assert main(["recipe", str(tmp_path / "none.yaml"), "--data", "world", "--out", str(out)]) == 2
    assert "a file with a recipe; got" in capsys.readouterr().err
    assert not out.exists()


def test_what_is_left_of_three_images() -> None:
    looked = looked_at(open_world(3))
    steps = replay([Action("drop", {"finding": "copies"}), Action("drop", {"finding": "outliers"}),
                    Action("drop", {"finding": "captions"}), Action("lowest", {"percent": 34.0})], looked)
    assert [step.lacks for step in steps] == [""] * 4
    assert what_is_left(steps, looked).images.sum() == 2
