"""Checkpoints in open_clip's layout against a forward pass written here, and other layouts that become safetensors."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from core.encoding.hub import is_complete
from core.encoding.models import load_model
from core.encoding.open_clip import bpe_vocabulary, convert_open_clip, convert_snapshot
from core.errors import ModelError
from tests.encoding.made_models import (
    SENTENCES,
    clip_processor,
    clip_tokenizer,
    pictures,
    save_small_clip,
    small_clip,
)

WIDTH, TEXT_WIDTH, DIM, LENGTH, PATCH, SIZE, LAYERS = 128, 64, 40, 20, 8, 32, 2
CONFIG = {"model_cfg": {"embed_dim": DIM, "quick_gelu": True, "vision_cfg": {"width": WIDTH, "head_width": 32},
                        "text_cfg": {"width": TEXT_WIDTH, "heads": 4}},
          "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], "interpolation": "bicubic",
                             "resize_mode": "squash"}}


def state_dict(seed: int = 0) -> dict[str, torch.Tensor]:
    """Random tensors under open_clip's names."""
    generator = torch.Generator().manual_seed(seed)
    vocabulary = len(clip_tokenizer())

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator) / max(shape[-1], 4) ** 0.5

    def tower(prefix: str, width: int) -> dict[str, torch.Tensor]:
        out = {}
        for layer in range(LAYERS):
            block = f"{prefix}transformer.resblocks.{layer}."
            shapes = {"ln_1": (width,), "ln_2": (width,), "attn.in_proj": (3 * width, width),
                      "attn.out_proj": (width, width), "mlp.c_fc": (3 * width, width), "mlp.c_proj": (width, 3 * width)}
            for name, shape in shapes.items():
                sep = "_" if name == "attn.in_proj" else "."
                out[f"{block}{name}{sep}weight"] = draw(*shape) + (1 if len(shape) == 1 else 0)
                out[f"{block}{name}{sep}bias"] = draw(shape[0])
        return out

    return {
        **tower("visual.", WIDTH), **tower("", TEXT_WIDTH),
        "visual.class_embedding": draw(WIDTH), "visual.positional_embedding": draw((SIZE // PATCH) ** 2 + 1, WIDTH),
        "visual.conv1.weight": draw(WIDTH, 3, PATCH, PATCH), "visual.proj": draw(WIDTH, DIM),
        "visual.ln_pre.weight": 1 + draw(WIDTH), "visual.ln_pre.bias": draw(WIDTH),
        "visual.ln_post.weight": 1 + draw(WIDTH), "visual.ln_post.bias": draw(WIDTH),
        "token_embedding.weight": draw(vocabulary, TEXT_WIDTH), "positional_embedding": draw(LENGTH, TEXT_WIDTH),
        "ln_final.weight": 1 + draw(TEXT_WIDTH), "ln_final.bias": draw(TEXT_WIDTH),
        "text_projection": draw(TEXT_WIDTH, DIM), "logit_scale": torch.tensor(3.3),
    }


def naive_tower(x: torch.Tensor, state: dict, prefix: str, heads: int, quick: bool, causal: bool) -> torch.Tensor:
    """Pre-norm residual blocks on (length, width), one sequence, one head at a time."""
    length, width = x.shape
    mask = torch.full((length, length), float("-inf")).triu(1) if causal else torch.zeros(length, length)
    for layer in range(LAYERS):
        p = {k.removeprefix(f"{prefix}transformer.resblocks.{layer}."): v for k, v in state.items()}
        h = F.layer_norm(x, (width,), p["ln_1.weight"], p["ln_1.bias"])
        q, k, v = (h @ p["attn.in_proj_weight"].T + p["attn.in_proj_bias"]).split(width, dim=1)
        out, each = [], width // heads
        for head in range(heads):
            s = slice(head * each, (head + 1) * each)
            out.append(torch.softmax(q[:, s] @ k[:, s].T / each**0.5 + mask, dim=1) @ v[:, s])
        x = x + torch.cat(out, dim=1) @ p["attn.out_proj.weight"].T + p["attn.out_proj.bias"]
        h = F.layer_norm(x, (width,), p["ln_2.weight"], p["ln_2.bias"])
        h = h @ p["mlp.c_fc.weight"].T + p["mlp.c_fc.bias"]
        h = h * torch.sigmoid(1.702 * h) if quick else F.gelu(h)
        x = x + h @ p["mlp.c_proj.weight"].T + p["mlp.c_proj.bias"]
    return x


def naive_image(pixels: torch.Tensor, state: dict, heads: int, quick: bool) -> np.ndarray:
    patches = F.conv2d(pixels[None], state["visual.conv1.weight"], stride=PATCH)[0].flatten(1).T
    x = torch.cat([state["visual.class_embedding"][None], patches]) + state["visual.positional_embedding"]
    x = F.layer_norm(x, (WIDTH,), state["visual.ln_pre.weight"], state["visual.ln_pre.bias"])
    x = naive_tower(x, state, "visual.", heads, quick, causal=False)[0]
    x = F.layer_norm(x, (WIDTH,), state["visual.ln_post.weight"], state["visual.ln_post.bias"])
    return (x @ state["visual.proj"]).numpy()


def naive_text(text: str, state: dict, heads: int, quick: bool) -> np.ndarray:
    """As open_clip: the row of the end token, found as the largest id, of a sequence filled up with zeros."""
    tokenizer = clip_tokenizer(LENGTH)
    ids = tokenizer(text, truncation=True, max_length=LENGTH)["input_ids"]
    end = len(ids) - 1
    ids = torch.tensor(ids + [0] * (LENGTH - len(ids)))
    x = state["token_embedding.weight"][ids] + state["positional_embedding"]
    x = naive_tower(x, state, "", heads, quick, causal=True)
    x = F.layer_norm(x, (TEXT_WIDTH,), state["ln_final.weight"], state["ln_final.bias"])
    return (x[end] @ state["text_projection"]).numpy()


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    clip_tokenizer(LENGTH).save_pretrained(tmp_path / "tokens")
    return tmp_path / "tokens"


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize("ending", [".safetensors", ".bin"])
def test_features_equal_open_clips_forward_pass(tmp_path: Path, tokens: Path, described: bool, ending: str) -> None:
    state = state_dict()
    weights = tmp_path / f"weights{ending}"
    if ending == ".bin":
        torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}, weights)
    else:
        save_file(state, weights)
    folder = convert_open_clip(weights, tmp_path / "out", tokenizer=tokens, config=CONFIG if described else None)
    model = load_model(str(folder), device="cpu", dtype="float32")
    heads = (WIDTH // 32, 4) if described else (WIDTH // 64, 1)
    pixels = model.preprocess(pictures(3))
    expected = np.stack([naive_image(p, state, heads[0], described) for p in pixels])
    np.testing.assert_allclose(model.encode_pixels(pixels), expected, atol=2e-5)
    expected = np.stack([naive_text(t, state, heads[1], described) for t in SENTENCES])
    np.testing.assert_allclose(model.encode_texts(SENTENCES), expected, atol=2e-5)
    other = np.stack([naive_image(p, state, heads[0], not described) for p in pixels])
    assert np.abs(other - model.encode_pixels(pixels)).max() > 1e-3
    assert model.logit_scale == pytest.approx(np.exp(3.3), rel=1e-6)
    assert model.context_length == LENGTH
    rules = model.preprocessor.processor
    assert bool(rules.do_center_crop) is not described
    assert rules.image_mean[0] == (0.5 if described else 0.48145466)


def test_a_text_tower_with_a_prefix_and_a_linear_projection(tmp_path: Path, tokens: Path) -> None:
    state = state_dict()
    renamed = {k if k.startswith("visual.") or k == "logit_scale" else f"text.{k}": v for k, v in state.items()}
    renamed["text.text_projection.weight"] = renamed.pop("text.text_projection").T.contiguous()
    save_file(state, tmp_path / "a.safetensors")
    save_file(renamed, tmp_path / "b.safetensors")
    from safetensors.torch import load_file

    a, b = (load_file(convert_open_clip(tmp_path / f"{name}.safetensors", tmp_path / name, tokenizer=tokens)
                      / "model.safetensors") for name in "ab")
    assert set(a) == set(b)
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_the_bpe_vocabulary_file_becomes_a_tokenizer(tmp_path: Path) -> None:
    merges = ["t h", "th e</w>", "c a", "ca t</w>"]
    file = tmp_path / "bpe.txt.gz"
    file.write_bytes(gzip.compress("\n".join(["#version", *merges, "never used"]).encode()))
    vocabulary, pairs = bpe_vocabulary(file, size=512 + 4 + 2)
    assert len(vocabulary) == 518
    assert pairs == [("t", "h"), ("th", "e</w>"), ("c", "a"), ("ca", "t</w>")]
    assert vocabulary["!"] == 0
    assert vocabulary["!</w>"] == 256
    assert vocabulary["th"] == 512
    assert vocabulary["<|endoftext|>"] == 517
    state = state_dict()
    state["token_embedding.weight"] = torch.randn(518, TEXT_WIDTH)
    save_file(state, tmp_path / "w.safetensors")
    with gzip.open(file, "wt") as stream:
        stream.write("\n".join(["#version", *merges]))
    model = load_model(str(convert_open_clip(tmp_path / "w.safetensors", tmp_path / "out", tokenizer=file)),
                       device="cpu")
    assert model.token_counts(["the cat", "THE CAT the"]).tolist() == [4, 5]


def test_a_tokenizer_file_alone(tmp_path: Path, tokens: Path) -> None:
    save_file(state_dict(), tmp_path / "w.safetensors")
    out = convert_open_clip(tmp_path / "w.safetensors", tmp_path / "out", tokenizer=tokens / "tokenizer.json")
    assert load_model(str(out), device="cpu").token_counts(["the cube"]).tolist() == [4]


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('code of a checkpoint was run')",)


def test_a_file_that_would_run_code_is_not_opened(tmp_path: Path, tokens: Path) -> None:
    torch.save({"state_dict": Bomb()}, tmp_path / "evil.bin")
    with pytest.raises(ModelError, match=r"a file of tensors alone at evil.bin; .*cannot be read.*they could run code"):
        convert_open_clip(tmp_path / "evil.bin", tmp_path / "out", tokenizer=tokens)
    (tmp_path / "plain.bin").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError, match=r"a file of tensors alone at plain.bin"):
        convert_open_clip(tmp_path / "plain.bin", tmp_path / "out", tokenizer=tokens)
    torch.save([torch.zeros(2)], tmp_path / "list.bin")
    with pytest.raises(ModelError, match=r"a dictionary of tensors in list.bin; got list"):
        convert_open_clip(tmp_path / "list.bin", tmp_path / "out", tokenizer=tokens)
    assert not (tmp_path / "out").exists()


def test_other_architectures_are_refused(tmp_path: Path, tokens: Path) -> None:
    file = tmp_path / "w.safetensors"

    def refused(match: str, change: dict[str, torch.Tensor | None], config: dict | None = None) -> None:
        state = {k: v for k, v in {**state_dict(), **change}.items() if v is not None}
        save_file(state, file)
        with pytest.raises(ModelError, match=match):
            convert_open_clip(file, tmp_path / "out", tokenizer=tokens, config=config)

    refused("with an image tower of timm", {"visual.trunk.norm.weight": torch.ones(2)})
    refused("with a ResNet image tower", {"visual.attnpool.k_proj.weight": torch.ones(2)})
    refused("with attentional pooling", {"visual.attn_pool.query": torch.ones(2)})
    refused("with a text tower of transformers", {"text.transformer.embeddings.word.weight": torch.ones(2)})
    refused("with a logit bias, as SigLIP has", {"logit_bias": torch.ones(1)})
    refused("without visual.proj", {"visual.proj": None})
    refused(r"2 missing or unknown, the first ", {"ln_final.bias": None, "extra": torch.ones(1)})
    refused("resize_mode shortest or squash", {}, {"preprocess_cfg": {"resize_mode": "longest"}})
    save_file(state_dict(), file)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"a CLIP tokenizer: .*; got empty"):
        convert_open_clip(file, tmp_path / "out", tokenizer=tmp_path / "empty")
    assert [f.name for f in tmp_path.iterdir() if f.name.startswith((".out", "out"))] == []


def test_snapshots_of_the_hub_become_safetensors(tmp_path: Path, tokens: Path) -> None:
    snapshot = save_small_clip(tmp_path / "snapshot")
    from safetensors.torch import load_file

    torch.save(load_file(snapshot / "model.safetensors"), snapshot / "pytorch_model.bin")
    (snapshot / "model.safetensors").unlink()
    assert not is_complete(snapshot)
    out = convert_snapshot(snapshot, tmp_path / "deep" / "out")
    assert is_complete(out)
    np.testing.assert_allclose(load_model(str(out), device="cpu").encode_texts(SENTENCES),
                               small_clip().encode_texts(SENTENCES), atol=1e-6)
    save_file(state_dict(), tokens / "open_clip_model.safetensors")
    (tokens / "open_clip_config.json").write_text(json.dumps(CONFIG))
    assert is_complete(convert_snapshot(tokens, tmp_path / "deep" / "out"))
    assert load_model(str(tmp_path / "deep" / "out"), device="cpu").spec.dim == DIM
    clip_processor().save_pretrained(tmp_path / "none")
    with pytest.raises(ModelError, match=r"weights of transformers or of open_clip .*; got preprocessor_config.json"):
        convert_snapshot(tmp_path / "none", tmp_path / "out")
    torch.save({"a": Bomb()}, snapshot / "pytorch_model.bin")
    with pytest.raises(ModelError, match="a torch file of tensors alone"):
        convert_snapshot(snapshot, tmp_path / "out")
