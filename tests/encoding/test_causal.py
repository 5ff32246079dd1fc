"""Causal language models: log probabilities as the model itself gives them, from safetensors alone, errors in words."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from core.encoding.causal import (
    LANGUAGE_MODELS,
    download_language_model,
    is_complete,
    load_language_model,
    located,
)
from core.errors import ModelError, ShapeError
from core.settings import settings
from tests.encoding.made_language import save_small_gpt2, small_gpt2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_small_gpt2(tmp_path_factory.mktemp("language") / "small")


def test_probabilities_are_the_models_own_whatever_stands_beside_them_in_a_batch(folder):
    model = load_language_model(str(folder))
    assert load_language_model(str(folder)) is model
    texts = ["a photo of a red cube", "a", "pixel art of a green cone in the snow"]
    sentences = [model.tokens(text) for text in texts]
    bare = small_gpt2()
    for i, sentence in enumerate(sentences):
        with torch.no_grad():
            logs = torch.log_softmax(bare(torch.tensor([[model.start, *sentence]])).logits[0], -1).numpy()
        expected = np.mean([logs[k, token] for k, token in enumerate(sentence)])
        assert model.log_probability(sentences)[i] == pytest.approx(expected, abs=1e-4)
        assert model(texts)[i] == pytest.approx(expected, abs=1e-4)
        np.testing.assert_allclose(model.next_tokens(sentences)[i], logs[-1], atol=1e-3)
        assert model.text(sentence) == texts[i]
    with pytest.raises(ShapeError, match="at most 63 tokens"):
        model.next_tokens([tuple(range(1, 66))])


def test_what_is_damaged_unsafe_or_not_here_is_said(folder, tmp_path, monkeypatch):
    other = tmp_path / "pickled"
    other.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (other / name).write_bytes((folder / name).read_bytes())
    torch.save(small_gpt2().state_dict(), other / "pytorch_model.bin")
    assert not is_complete(other) and located(str(other)) is None
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        load_language_model(str(other))
    (other / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000])
    with pytest.raises(ModelError, match="damaged"):
        load_language_model(str(other))
    for name in LANGUAGE_MODELS:
        assert located(name) is None
        with pytest.raises(ModelError, match="Download it first"):
            load_language_model(name)
    with pytest.raises(ModelError, match="Hugging Face hub"):
        download_language_model("distilbert/distilgpt2")
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    settings.cache_clear()
    try:
        with pytest.raises(ModelError, match="this server offers"):
            located(str(folder))
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_a_copy_in_the_hubs_own_layout_is_found_at_its_pinned_commit(folder, tmp_path, monkeypatch):
    name, entry = next(iter(LANGUAGE_MODELS.items()))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / f"models--{name.replace('/', '--')}" / "snapshots" / entry.revision
    snapshot.mkdir(parents=True)
    for file in folder.iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    assert located(name) == (snapshot, entry.revision)
    assert download_language_model(name) == snapshot
    model = load_language_model(name)
    assert (model.id, model.revision) == (name, entry.revision)
    assert json.loads((snapshot / "config.json").read_text())["model_type"] == "gpt2"
