"""Fine-tuning: held-out items get better, what should not learn does not, the same seed gives the same record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.encoding.models import load_model
from core.errors import Cancelled, ChoiceError, ModelError, ShapeError, SourceError
from core.geometry.directions import unit
from core.learning.records import fine_tuning
from core.learning.records.adapting import Adapted
from core.learning.records.fine_tuning import fine_tune, seconds_of
from core.learning.records.record import Record
from core.settings import settings
from core.sources.sampling import take
from core.sources.solids.world import open_world
from core.types import Dataset
from tests.encoding.made_models import (
    Pictures,
    save_small_clip,
    siglip_processor,
    siglip_tokenizer,
    small_clip,
)


@pytest.fixture(scope="module")
def world() -> Dataset:
    """Scenes of one solid, each colour called by the name of another: what the built-in model has to learn anew."""
    scenes = open_world(n=260, seed=2)
    scenes = take(scenes, np.flatnonzero(scenes.image_table["count"].astype(int) == 1)[:96])
    colours = scenes.image_table["colour"].tolist()
    known = sorted(set(colours))
    other = dict(zip(known, (*known[1:], known[0]), strict=True))
    row_of = dict((int(image), int(text)) for image, text in scenes.links)
    texts = list(scenes.texts)
    for image, colour in enumerate(colours):
        texts[row_of[image]] = f"a {other[colour]} solid"
    return replace(scenes, texts=tuple(texts))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_small_clip(tmp_path_factory.mktemp("small-clip")))


def tune(model: str, pairs: Dataset, **also: Any) -> Record:
    return fine_tune(model, pairs, **{"steps": 6, "every": 3, "batch": 8, **also})


def test_the_built_in_model_learns_other_words_for_colours_by_adapters(world: Dataset) -> None:
    before = load_model("builtin", dtype="float32").encode_texts(["a red cube"])
    said: list[str] = []
    seen: list[int] = []
    record = fine_tune("builtin", world, steps=30, every=15, learning_rate=1e-2, batch=24,
                       on_record=lambda r: seen.append(len(r)), on_progress=lambda fraction, text: said.append(text))
    assert record.steps.tolist() == [0, 15, 30]
    assert seen == [1, 2, 3]
    assert record.measures["r1"][-1] > record.measures["r1"][0] + 0.2
    assert record.measures["loss"][-1] < 0.5 * record.measures["loss"][0]
    assert record.measures["temperature"][-1] != record.measures["temperature"][0]
    assert record.ended == ""
    assert len(record.probe.images) == 24
    assert record.setup["trained_on"] == 72
    assert {"model": "builtin", "how": "lora", "seed": 0}.items() <= record.setup.items()
    assert any("Step 30 of 30" in text for text in said)
    np.testing.assert_array_equal(load_model("builtin", dtype="float32").encode_texts(["a red cube"]), before)


@pytest.mark.parametrize("how", ["lora", "last_layers"])
def test_what_comes_out_is_a_model_that_opens_and_sees_as_the_last_step_did(how: str, model: str, world: Dataset,
                                                                            tmp_path: Path) -> None:
    record = tune(model, world, how=how, save_to=tmp_path / "mine")
    assert tune(model, world, how=how).fingerprint == record.fingerprint
    assert tune(model, world, how=how, seed=1).fingerprint != record.fingerprint
    opened = load_model(str(tmp_path / "mine"), dtype="float32")
    np.testing.assert_allclose(unit(opened.encode_texts(record.probe.texts)), record.texts[-1], atol=2e-5)
    assert np.abs(record.texts[-1] - record.texts[0]).max() > 1e-3
    assert world.images is not None
    rows = [world.image_ids.index(name) for name in record.probe.images[:3]]
    seen = unit(opened.encode_images([world.images.decode(row) for row in rows]))
    np.testing.assert_allclose(seen, record.images[-1, :3], atol=2e-5)


def test_only_what_should_learn_does() -> None:
    for how, learning in (("lora", ("lora_A", "lora_B", "logit_scale")),
                          ("last_layers", ("layers.1.", "projection", "layer_norm", "layernorm", "logit_scale"))):
        model = small_clip().model
        adapted = Adapted(model, how)
        names = {name for name, weight in model.named_parameters() if weight.requires_grad}
        assert len(adapted.learning) == len(names) > 4
        assert all(any(part in name for part in learning) for name in names), names


def test_siglip_learns_by_its_own_loss(world: Dataset, tmp_path: Path) -> None:
    from transformers import SiglipConfig, SiglipModel

    tiny = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    torch.manual_seed(0)
    siglip = SiglipModel(SiglipConfig(
        vision_config={**tiny, "image_size": 32, "patch_size": 8},
        text_config={**tiny, "vocab_size": 200, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 0}))
    siglip.save_pretrained(tmp_path)
    siglip_tokenizer().save_pretrained(tmp_path)
    siglip_processor().save_pretrained(tmp_path)
    for how in ("lora", "last_layers"):
        record = tune(str(tmp_path), world, how=how, learning_rate=1e-2)
        scale, bias = siglip.logit_scale.exp().item(), siglip.logit_bias.item()
        assert record.measures["loss"][0] != pytest.approx(np.log(8), abs=0.3), "not the softmax loss of 8 pairs"
        assert record.measures["loss"][-1] != record.measures["loss"][0]
        assert np.isfinite([scale, bias]).all()


def test_a_stop_and_a_divergence_keep_what_was_recorded(model: str, world: Dataset,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    stopped = tune(model, world, steps=50, on_record=lambda r: seen.append(len(r)), should_stop=lambda: len(seen) == 3)
    assert stopped.steps.tolist() == [0, 3, 6]
    assert stopped.ended == "it was stopped after step 6"
    with pytest.raises(Cancelled):
        tune(model, world, should_stop=lambda: True)
    real, calls = fine_tuning.pair_loss, []

    def failing(*args: Any, **kwargs: Any) -> torch.Tensor:
        calls.append(1)
        return real(*args, **kwargs) * (float("nan") if len(calls) == 6 else 1)

    monkeypatch.setattr(fine_tuning, "pair_loss", failing)
    diverged = tune(model, world, steps=50)
    assert diverged.steps.tolist() == [0, 3]
    assert diverged.ended == "it diverged at step 5: the loss is not a finite number"


def test_few_pairs_are_enough_and_too_few_are_said(model: str, world: Dataset) -> None:
    record = tune(model, take(world, [0, 1, 2]), steps=2, every=1)
    assert record.images.shape[:2] == (3, 1)
    with pytest.raises(ShapeError, match="two unlike images"):
        tune(model, take(world, [0]))
    with pytest.raises(ShapeError, match="unlike captions"):
        tune(model, replace(world, texts=("a cube",) * len(world.texts)))
    with pytest.raises(ShapeError, match="images with captions"):
        tune(model, take(world, [0, 1], []))
    with pytest.raises(ShapeError, match="not looked at as well"):
        tune(model, take(world, [0, 1]), probe=take(world, [0, 1, 2]))


def test_unreadable_images_are_left_out_and_equal_ones_never_in_both_parts(model: str, world: Dataset) -> None:
    assert world.images is not None
    pictures = [world.images.decode(i // 2) for i in range(24)]     # each stands twice
    part = replace(take(world, list(range(24))), images=Pictures(pictures, broken=(0, 1)))
    record = tune(model, part, steps=1)
    ids = {part.image_ids[i]: i // 2 for i in range(24)}
    looked = [ids[name] for name in record.probe.images]
    assert len(set(looked)) == len(looked)
    left_out = record.setup["left_out"]
    assert isinstance(left_out, list)
    assert (len(looked), record.setup["trained_on"], len(left_out)) in ((2, 18, 1), (3, 16, 2)), "0 and 1 are alike"


def test_what_cannot_be_is_said(model: str, world: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ({"how": "all"}, {"steps": 0}, {"steps": 10**6}, {"learning_rate": 0.0}, {"batch": 1}):
        with pytest.raises(ChoiceError):
            tune(model, world, **wrong)
    with pytest.raises(ModelError, match="a classifier"):
        tune("photo", world)
    assert 0 < seconds_of(model, 100, steps=10, every=5, batch=8) < 600


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def test_a_public_server_writes_no_model(hosted: None, world: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="public server"):
        tune("builtin", world, save_to=tmp_path / "mine")
