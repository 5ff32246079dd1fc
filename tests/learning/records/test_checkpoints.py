"""A folder of checkpoints as a record: in the order of their steps, the damaged ones said, nothing encoded twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.encoding.models import BUILTIN_FOLDER, load_model
from core.encoding.store import Store
from core.errors import Cancelled, OrreryError, ShapeError, SourceError
from core.geometry.directions import unit
from core.learning.records.checkpoints import checkpoints_in, folder_state, record_of_folder
from core.settings import settings
from core.sources.sampling import take
from core.sources.solids.world import open_world
from core.types import Dataset
from tests.learning.records.made_checkpoints import on_the_way


@pytest.fixture(scope="module")
def world() -> Dataset:
    return open_world(n=10, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a Trainer leaves: three good checkpoints on the way from noise to the built-in model, tokenizer and image
    processor above them, and beside them one cut off, one diverged, one pickled, one adapter and one without a step."""
    folder = tmp_path_factory.mktemp("mine")
    save = on_the_way(folder)
    for name, share in (("checkpoint-900", 1.0), ("checkpoint-90", 0.5), ("checkpoint-1000", 1.0)):
        state = {"log_history": [{"step": 50, "loss": 3.5}, {"step": 90, "loss": 2.5, "lr": 0}, {"eval_loss": 1}]}
        (save(name, share) / "trainer_state.json").write_text(json.dumps(state))
    whole = (save("checkpoint-200", 1.0) / "model.safetensors")
    whole.write_bytes(whole.read_bytes()[:5000])
    save("checkpoint-300", float("nan"))
    (folder / "checkpoint-400").mkdir()
    (folder / "checkpoint-400" / "pytorch_model.bin").write_bytes(b"")
    (folder / "checkpoint-500").mkdir()
    (folder / "checkpoint-500" / "adapter_config.json").write_text("{}")
    (folder / "runs").mkdir()
    return folder


def test_checkpoints_stand_in_the_order_of_their_steps_and_the_others_have_reasons(folder: Path) -> None:
    found, refused = checkpoints_in(folder)
    assert [one.step for one in found] == [90, 200, 300, 900, 1000]
    reasons = {one.name: one.reason for one in refused}
    assert set(reasons) == {"checkpoint-400", "checkpoint-500", "runs"}
    assert "pickled and never loaded" in reasons["checkpoint-400"]
    assert "adapter alone" in reasons["checkpoint-500"]
    assert "no number" in reasons["runs"]
    few, left = checkpoints_in(folder, most=2)
    assert [one.step for one in few] == [90, 1000]
    assert sum("evenly spread" in one.reason for one in left) == 3


def test_links_to_nothing_are_no_checkpoint_and_no_error(tmp_path: Path) -> None:
    on_the_way(tmp_path)("checkpoint-10", 1.0)
    before = folder_state(tmp_path)
    for name, there in (("checkpoint-20", tmp_path / "gone"), ("checkpoint-30", tmp_path / "checkpoint-30")):
        (tmp_path / name).mkdir()
        for file in ("config.json", "model.safetensors", "tokenizer.json", "trainer_state.json"):
            (tmp_path / name / file).symlink_to(there / file)
    (tmp_path / "checkpoint-40").symlink_to(tmp_path)
    found, refused = checkpoints_in(tmp_path)
    assert [one.step for one in found] == [10]
    assert {one.name for one in refused} == {"checkpoint-20", "checkpoint-30", "checkpoint-40"}
    assert folder_state(tmp_path) != before


def test_a_folder_becomes_a_record_without_its_damaged_ones(folder: Path, world: Dataset, tmp_path: Path) -> None:
    store = Store(tmp_path)
    texts: list[str] = []
    report = record_of_folder(folder, world, store=store, on_progress=lambda fraction, text: texts.append(text))
    record = report.record
    assert record.steps.tolist() == [90, 900, 1000]
    assert record.name == folder.name
    assert record.probe.images == world.image_ids
    assert record.measures["loss"].tolist() == [2.5, 2.5, 2.5]
    reasons = {one.name: one.reason for one in report.refused}
    assert {"checkpoint-200", "checkpoint-300", "checkpoint-400", "checkpoint-500", "runs"} == set(reasons)
    assert "diverged" in reasons["checkpoint-300"]
    assert record.ended == "", "it went on after that"
    np.testing.assert_array_equal(record.images[1], record.images[2])
    builtin = load_model("builtin", device="cpu", dtype="float32")
    assert world.images is not None
    theirs = unit(builtin.encode_images([world.images.decode(0)]))[0]
    assert theirs @ record.images[-1, 0] > 0.9999
    assert theirs @ record.images[0, 0] < 0.99
    assert record.measures["temperature"][-1] == pytest.approx(1 / builtin.logit_scale)
    assert any("checkpoint-90: Encoding" in text for text in texts)
    texts.clear()
    again = record_of_folder(folder, world, store=store, on_progress=lambda fraction, text: texts.append(text))
    assert again.record.fingerprint == record.fingerprint
    assert not any("checkpoint-9" in text and "Encoding" in text for text in texts), "the store has them"


def test_a_stop_keeps_what_was_encoded(folder: Path, world: Dataset, tmp_path: Path) -> None:
    store, seen = Store(tmp_path), []

    def stop() -> bool:
        return any("checkpoint-900: loading" in text for text in seen)

    with pytest.raises(Cancelled):
        record_of_folder(folder, world, store=store, on_progress=lambda f, text: seen.append(text), should_stop=stop)
    first = load_model(checkpoints_in(folder)[0][0].model_id)
    assert store.has(first.spec.fingerprint, [world.images.content_hash(0)]).all()  # type: ignore[union-attr]


def test_a_training_that_diverged_at_its_end_is_said(folder: Path, world: Dataset, tmp_path: Path) -> None:
    shutil.copytree(folder / "checkpoint-90", tmp_path / "step_1")
    shutil.copytree(folder / "checkpoint-300", tmp_path / "step_2")
    for file in folder.glob("*.json"):
        shutil.copy(file, tmp_path)
    record = record_of_folder(tmp_path, world).record
    assert record.steps.tolist() == [1]
    assert record.ended == "it diverged before step 2: a feature is not a number"


def test_a_probe_of_one_pair_is_enough_and_none_is_said(folder: Path, world: Dataset) -> None:
    report = record_of_folder(folder, world, most=1, most_items=1)
    assert report.record.images.shape[1] == 1
    assert np.isfinite(report.record.measures["r1"]).all()
    with pytest.raises(ShapeError, match="images with captions"):
        record_of_folder(folder, take(world, [0, 1], []))


def test_folders_that_hold_no_checkpoint_are_said(tmp_path: Path, world: Dataset) -> None:
    with pytest.raises(SourceError, match="Give the folder that holds checkpoint-500"):
        checkpoints_in(tmp_path / "absent")
    with pytest.raises(SourceError, match=r"at least one checkpoint in .*; got none"):
        checkpoints_in(tmp_path)
    bad = tmp_path / "checkpoint-1"
    shutil.copytree(BUILTIN_FOLDER, bad)
    (bad / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(OrreryError, match=r"at least one checkpoint in .* that can be used; got checkpoint-1"):
        record_of_folder(tmp_path, world)
    before = folder_state(tmp_path)
    (bad / "model.safetensors").write_bytes(b"other tensors")
    assert folder_state(tmp_path) != before


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def test_a_public_server_opens_no_folder(hosted: None, folder: Path) -> None:
    with pytest.raises(SourceError, match="public server"):
        checkpoints_in(folder)
