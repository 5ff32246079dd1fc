"""A recorder in real training loops of each kind: what it writes, and that the training does not notice it."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from core.errors import ChoiceError, ModelError, ShapeError, SourceError
from core.learning.contrastive import info_nce
from core.learning.records.file import read_record
from core.learning.records.recorder import Recorder

N, WORDS, LENGTH, SIDE = 12, 40, 8, 16
TEXTS = tuple(f"thing {i % 10}" for i in range(N))      # two captions stand twice
LABELS = tuple("ab"[i % 2] for i in range(N))


def data(seed: int = 0, n: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    tokens = torch.randint(2, WORDS - 1, (n, LENGTH), generator=g)
    tokens[:, -1] = WORDS - 1
    return torch.randn(n, 3, SIDE, SIDE, generator=g), tokens


def tiny_clip(seed: int = 0) -> Any:
    """A CLIP of transformers with dropout in its attention, so that random numbers are drawn in training."""
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(seed)
    shared = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "num_hidden_layers": 1,
              "attention_dropout": 0.3}
    return CLIPModel(CLIPConfig(
        text_config={**shared, "vocab_size": WORDS, "max_position_embeddings": LENGTH, "eos_token_id": WORDS - 1},
        vision_config={**shared, "image_size": SIDE, "patch_size": 8}, projection_dim=8))


class OpenClipLike(nn.Module):
    """Two towers under open_clip's names, with batch normalisation, which a look must not feed."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.visual = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 8), nn.BatchNorm1d(8), nn.Dropout(0.2))
        self.words = nn.Embedding(WORDS, 8)
        self.logit_scale = nn.Parameter(torch.tensor(2.0))

    def encode_image(self, image: torch.Tensor, normalize: bool = False) -> torch.Tensor:
        return self.visual(image)

    def encode_text(self, text: torch.Tensor, normalize: bool = False) -> torch.Tensor:
        return self.words(text).mean(1)


def by_hand(model: Any, recorder: Recorder | None, steps: int = 10, rate: float = 1e-2) -> Any:
    """A plain loop; random numbers of all three kinds are drawn in each step."""
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate)
    pixels, tokens = data(7)
    loss = torch.tensor(float("nan"))
    model.train()
    for step in range(steps):
        if recorder is not None:
            recorder(step, model, **({"loss": loss} if step else {}))
        noisy = pixels + 0.1 * torch.randn_like(pixels) + float(np.random.rand()) + random.random()
        if hasattr(model, "get_image_features"):
            x, y = model.get_image_features(noisy).pooler_output, model.get_text_features(tokens).pooler_output
        else:
            x, y = model.encode_image(noisy), model.encode_text(tokens)
        loss = info_nce(F.normalize(x, dim=-1), F.normalize(y, dim=-1), model.logit_scale.exp())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    if recorder is not None:
        recorder.keep(steps, model, loss=loss)
    return model


def recorder_at(path: Path | None, **also: Any) -> Recorder:
    pixels, tokens = data()
    return Recorder(pixels, TEXTS, path, **{"tokens": tokens, "every": 4, "labels": LABELS, **also})


@pytest.mark.parametrize("make", [tiny_clip, OpenClipLike])
def test_a_plain_loop_is_recorded_and_does_not_notice(make: Callable[[], Any], tmp_path: Path) -> None:
    recorder = recorder_at(tmp_path / "mine", setup={"seed": 1})
    watched, alone = by_hand(make(), recorder), by_hand(make(), None)
    for name, value in watched.state_dict().items():
        assert torch.equal(value, alone.state_dict()[name]), name
    assert watched.training
    record = read_record(tmp_path / "mine.orrery-run")
    assert record.steps.tolist() == [0, 4, 8, 10]
    assert (record.name, record.ended, record.setup) == ("mine", "", {"seed": 1})
    assert record.probe.texts == tuple(dict.fromkeys(TEXTS))
    assert record.probe.links.tolist() == [[i, i % 10] for i in range(N)]
    assert record.probe.labels == LABELS
    assert record.measures["temperature"][-1] == pytest.approx((-watched.logit_scale).exp().item())
    assert np.isfinite(record.measures["loss"]).tolist() == [False, True, True, True]
    assert np.isfinite(record.measures["r1"]).all()
    pixels, _ = data()
    with torch.no_grad():
        watched.eval()
        x = watched.get_image_features(pixels).pooler_output if make is tiny_clip else watched.encode_image(pixels)
    np.testing.assert_allclose(record.images[-1], F.normalize(x, dim=-1).numpy(), atol=1e-5)
    assert recorder.record is not None
    assert recorder.record.fingerprint == record.fingerprint


def test_the_trainer_of_transformers_is_recorded(tmp_path: Path) -> None:
    from transformers import Trainer, TrainingArguments

    def trained(*callbacks: Any) -> Any:
        pixels, tokens = data(3, 24)
        rows = [{"pixel_values": pixels[i], "input_ids": tokens[i]} for i in range(24)]

        def together(batch: list[dict[str, Any]]) -> dict[str, Any]:
            return {key: torch.stack([row[key] for row in batch]) for key in batch[0]} | {"return_loss": True}

        arguments = TrainingArguments(output_dir=str(tmp_path / "out"), per_device_train_batch_size=8, max_steps=7,
                                      logging_steps=2, save_strategy="no", report_to=[], use_cpu=True, seed=4,
                                      disable_tqdm=True)
        trainer = Trainer(model=tiny_clip(), args=arguments, train_dataset=rows, data_collator=together,
                          callbacks=list(callbacks))
        trainer.train()
        return trainer.model

    watched = trained(recorder_at(tmp_path / "trainer", every=3).for_trainer())
    record, alone = read_record(tmp_path / "trainer.orrery-run"), trained()
    assert record.steps.tolist() == [0, 3, 6, 7]
    assert np.isfinite(record.measures["loss"]).tolist() == [False, True, True, True]
    assert all(torch.equal(value, alone.state_dict()[name]) for name, value in watched.state_dict().items())
    assert not np.allclose(record.images[0], record.images[-1], atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_lightning_is_recorded_also_when_it_crashes(tmp_path: Path) -> None:
    import lightning.pytorch as pl

    class Learning(pl.LightningModule):
        def __init__(self, crash_at: int = 99) -> None:
            super().__init__()
            self.clip, self.crash_at = tiny_clip(), crash_at

        def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
            if batch_idx == self.crash_at:
                raise RuntimeError("no memory left")
            pixels, tokens = batch
            return self.clip(pixel_values=pixels, input_ids=tokens, return_loss=True).loss

        def configure_optimizers(self) -> Any:
            return torch.optim.AdamW(self.parameters(), lr=1e-2)

    def trained(model: Any, *callbacks: Any) -> Any:
        pl.seed_everything(5)
        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data(3, 48)), batch_size=8, shuffle=True)
        pl.Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=list(callbacks),
                   enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path).fit(model, loader)
        return model

    watched = trained(Learning(), recorder_at(tmp_path / "whole").for_lightning())
    record, alone = read_record(tmp_path / "whole.orrery-run"), trained(Learning())
    assert record.steps.tolist() == [0, 4, 6]
    assert np.isfinite(record.measures["loss"][1])
    assert all(torch.equal(value, alone.state_dict()[name]) for name, value in watched.state_dict().items())
    with pytest.raises(RuntimeError, match="no memory left"):
        trained(Learning(crash_at=5), recorder_at(tmp_path / "crashed").for_lightning())
    crashed = read_record(tmp_path / "crashed.orrery-run")
    assert crashed.steps.tolist() == [0, 4]
    assert crashed.ended == "it stopped after step 5: RuntimeError"


def test_a_training_that_diverges_keeps_what_was_before(tmp_path: Path) -> None:
    recorder, model = recorder_at(tmp_path / "d"), tiny_clip()
    assert recorder(0, model)
    assert recorder(4, model, loss=float("nan"))
    assert read_record(tmp_path / "d.orrery-run").ended == "it diverged at step 4: the loss is not a finite number"
    for weight in model.parameters():
        weight.data.fill_(float("nan"))
    assert not recorder(8, model)
    record = read_record(tmp_path / "d.orrery-run")
    assert record.steps.tolist() == [0, 4]
    assert record.ended == "it diverged at step 8: a feature is not a number, or has no direction"
    lost = recorder_at(None)
    with pytest.warns(UserWarning, match="not recorded: it diverged at step 0"):
        lost(0, model)
    assert lost.record is None


def test_two_functions_say_how_anything_else_is_encoded(tmp_path: Path) -> None:
    pictures = [np.full(4, i, float) + np.arange(4) for i in range(3)]
    calls: list[Any] = []

    def images(model: Any, given: Any) -> np.ndarray:
        calls.append((model, given))
        return np.stack(given) * model

    recorder = Recorder(pictures, ["a", "b"], tmp_path / "other", links=[[0, 0], [1, 1], [2, 1]],
                        encode=(images, lambda model, texts: np.eye(4)[:len(texts)]), every=1, ids=("x", "y", "z"))
    assert recorder(0, 2.0)
    assert calls[0][1] is pictures
    record = read_record(tmp_path / "other.orrery-run")
    assert record.probe.images == ("x", "y", "z")
    assert record.dim == 4
    assert "temperature" not in record.measures


def test_a_probe_of_one_and_an_empty_class_are_recorded(tmp_path: Path) -> None:
    pixels, tokens = data()
    recorder = Recorder(pixels[:1], TEXTS[:1], tmp_path / "one", tokens=tokens[:1], labels=("",))
    assert recorder(0, tiny_clip())
    record = read_record(tmp_path / "one.orrery-run")
    assert record.images.shape == (1, 1, 8)
    assert np.isnan(record.measures["worst_class"]).all()


def test_a_crashed_training_is_gone_on_with_and_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    model = tiny_clip()
    first = recorder_at(tmp_path / "r")
    for step in (0, 4, 8):
        first(step, model)
    with pytest.raises(SourceError, match=r"not taken.*existing='replace'"):
        recorder_at(tmp_path / "r")
    again = recorder_at(tmp_path / "r", existing="go_on")
    again(4, model)
    again(12, model)
    assert read_record(tmp_path / "r.orrery-run").steps.tolist() == [0, 4, 12], "what came after the checkpoint is new"
    with pytest.raises(SourceError, match="same images and texts"):
        Recorder(data()[0][:2], TEXTS[:2], tmp_path / "r", tokens=data()[1][:2], existing="go_on")
    recorder_at(tmp_path / "r", existing="replace")(0, model)
    assert read_record(tmp_path / "r.orrery-run").steps.tolist() == [0]


def test_what_does_not_fit_is_said_at_once_and_later_trouble_never_stops_a_training(tmp_path: Path) -> None:
    pixels, tokens = data()
    with pytest.raises(ShapeError, match="12 captions"):
        Recorder(pixels, TEXTS[:3], tmp_path / "x", tokens=tokens)
    with pytest.raises(ShapeError, match=r"tokens=tokenizer\(texts\)"):
        Recorder(pixels, TEXTS, tmp_path / "x")
    with pytest.raises(ModelError, match="Give encode="):
        recorder_at(tmp_path / "x")(0, nn.Linear(2, 2))
    with pytest.raises(ModelError, match="return_tensors='pt'"):
        recorder_at(tmp_path / "x", tokens=[[1, 2]] * N)(0, tiny_clip())
    with pytest.raises(ShapeError, match="Are images and tokens those of the probe"):
        recorder_at(tmp_path / "x", tokens=tokens[:5])(0, tiny_clip())
    with pytest.raises(ChoiceError, match="a measure to be one of loss"):
        recorder_at(tmp_path / "x").keep(1, tiny_clip(), accuracy=1.0)
    assert not list(tmp_path.iterdir())
    folder = tmp_path / "folder"
    recorder = recorder_at(folder / "x")
    assert recorder(0, tiny_clip())
    (folder / "x.orrery-run").unlink()
    folder.rmdir()
    folder.write_text("a file where the folder was")
    with pytest.warns(UserWarning, match="not recorded at step 4"):
        assert not recorder(4, tiny_clip())


def test_wrapped_models_are_found_inside() -> None:
    model = copy.deepcopy(tiny_clip())
    recorder = recorder_at(None)
    assert recorder(0, nn.Sequential(nn.Identity(), model))
    assert recorder(4, nn.ModuleDict({"module": model})["module"])
    assert recorder(8, torch.nn.DataParallel(model))
    record = recorder.record
    assert record is not None
    np.testing.assert_array_equal(record.images[0], record.images[2])
