"""Checkpoints that transformers does not read as safetensors, written as folders that it does.

open_clip publishes its ViT models in a layout of its own (Ilharco et al. 2021, https://github.com/mlfoundations/open_clip);
others publish torch files. Torch files are read with ``weights_only=True``: no code in them is run.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.encoding.preprocessing import OPENAI_MEAN
from core.errors import ModelError

if TYPE_CHECKING:
    import torch

    State = dict[str, torch.Tensor]

OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
HEAD_WIDTH = 64
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt")
OPEN_CLIP_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
                     "open_clip_pytorch_model.bin", "model.safetensors")
_BLOCK = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1",
          "mlp.c_proj": "mlp.fc2"}
_WHOLE = {"visual.class_embedding": "vision_model.embeddings.class_embedding",
          "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
          "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
          "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
          "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
          "visual.ln_post.weight": "vision_model.post_layernorm.weight",
          "visual.ln_post.bias": "vision_model.post_layernorm.bias",
          "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
          "positional_embedding": "text_model.embeddings.position_embedding.weight",
          "ln_final.weight": "text_model.final_layer_norm.weight",
          "ln_final.bias": "text_model.final_layer_norm.bias", "logit_scale": "logit_scale"}
_BESIDE = ("input_resolution", "context_length", "vocab_size", "attn_mask")


def convert_open_clip(weights: Path, out: Path, *, tokenizer: Path, config: Mapping[str, Any] | None = None) -> Path:
    """Write an open_clip checkpoint of a ViT CLIP as a folder of transformers' CLIPModel.

    Parameters
    ----------
    weights : Path
        A safetensors file, or a torch file of tensors alone.
    out : Path
        The folder to make.
    tokenizer : Path
        A folder or tokenizer.json of a CLIP tokenizer, or the BPE vocabulary ``bpe_simple_vocab_16e6.txt.gz``.
    config : mapping, optional
        The content of ``open_clip_config.json``. Without it: heads 64 wide, exact GELU, OpenAI's mean and deviation.

    Returns
    -------
    ``out``.

    Raises
    ------
    ModelError
        If the checkpoint is no ViT CLIP, or a file cannot be read.
    """
    import torch

    from core.encoding.unfit import put_aside_torchvision

    put_aside_torchvision()
    from transformers import CLIPModel, CLIPTokenizer
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    state = read_weights(weights)
    if "text.token_embedding.weight" in state:
        state = {key.removeprefix("text."): value for key, value in state.items()}
    _check_architecture(state, weights)
    settings = dict((config or {}).get("model_cfg", {}))
    clip_config = _config(state, settings)
    with torch.device("meta"):
        model = CLIPModel(clip_config)
    names = {key for key in model.state_dict() if not key.endswith("position_ids")}
    converted = _renamed(state)
    if names != set(converted):
        odd = sorted(names ^ set(converted))
        raise ModelError("the tensors of a ViT CLIP", f"{len(odd)} missing or unknown, the first {odd[0]}",
                         "Only open_clip's plain ViT models can be converted.")
    model = CLIPModel(clip_config)
    model.load_state_dict(converted, strict=False)
    processor = CLIPImageProcessorPil(**_preprocessing(clip_config.vision_config.image_size, config or {}))

    def write(folder: Path) -> None:
        text_config: Any = model.config.text_config
        copy_tokenizer(tokenizer, folder, text_config.max_position_embeddings)
        ends = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        text_config.bos_token_id, text_config.eos_token_id = ends.bos_token_id, ends.eos_token_id
        text_config.pad_token_id = ends.pad_token_id
        model.save_pretrained(folder)
        processor.save_pretrained(folder)

    return _written(out, write)


def convert_snapshot(snapshot: Path, out: Path) -> Path:
    """Write a downloaded model without safetensors of transformers' layout as one with; returns the folder."""
    own = _json(snapshot / "config.json")
    if own.get("model_type") and (snapshot / "pytorch_model.bin").is_file():
        return _written(out, lambda folder: _resave(snapshot, folder))
    weights = next((snapshot / name for name in OPEN_CLIP_WEIGHTS if (snapshot / name).is_file()), None)
    described = _json(snapshot / "open_clip_config.json")
    if weights is None or not described:
        raise ModelError("weights of transformers or of open_clip with its configuration",
                         ", ".join(sorted(f.name for f in snapshot.iterdir())) or "an empty folder",
                         "Take another model of the registry.")
    return convert_open_clip(weights, out, tokenizer=snapshot, config=described)


def read_weights(file: Path) -> State:
    """The tensors of a safetensors or torch file; a training checkpoint's ``state_dict`` without ``module.``."""
    import torch
    from safetensors.torch import load_file

    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(f"a file of tensors alone at {file.name}", f"one that cannot be read ({type(error).__name__})",
                         "Files that hold more than tensors are not opened, since they could run code.") from error
    if isinstance(state, dict) and "state_dict" in state:
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelError(f"a dictionary of tensors in {file.name}", type(state).__name__)
    return {key.removeprefix("module."): value for key, value in state.items()}


def copy_tokenizer(source: Path, folder: Path, length: int) -> None:
    """Put a CLIP tokenizer beside a model: from a folder, a tokenizer.json, or open_clip's BPE vocabulary."""
    from transformers import CLIPTokenizer

    if source.name.endswith((".txt", ".txt.gz")):
        vocab, merges = bpe_vocabulary(source)
        CLIPTokenizer(vocab, merges, model_max_length=length).save_pretrained(folder)
        return
    files = [source] if source.is_file() else [source / name for name in TOKENIZER_FILES if (source / name).is_file()]
    if not any(file.name in ("tokenizer.json", "vocab.json") for file in files):
        raise ModelError("a CLIP tokenizer: a folder with tokenizer.json, that file, or a BPE vocabulary (.txt.gz)",
                         source.name, "Take the tokenizer of openai/clip-vit-base-patch32.")
    for file in files:
        shutil.copyfile(file, folder / file.name)
    if not (folder / "tokenizer_config.json").is_file():
        told = {"tokenizer_class": "CLIPTokenizer", "model_max_length": length,
                "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
                "pad_token": "<|endoftext|>"}
        (folder / "tokenizer_config.json").write_text(json.dumps(told), "utf-8")


def bpe_vocabulary(file: Path, size: int = 49408) -> tuple[dict[str, int], list[Any]]:
    """Vocabulary and merges of the BPE file that OpenAI's CLIP and open_clip carry."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    data = file.read_bytes()
    lines = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8").split("\n")
    letters = list(bytes_to_unicode().values())
    merges = [(a, b) for a, b in (line.split() for line in lines[1:size - 2 * len(letters) - 1] if line.strip())]
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(merge) for merge in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return {token: index for index, token in enumerate(tokens)}, merges


def _check_architecture(state: State, weights: Path) -> None:
    reasons = {"visual.trunk": "an image tower of timm", "visual.attnpool": "a ResNet image tower",
               "visual.attn_pool": "attentional pooling", "text.transformer.embeddings": "a text tower of transformers",
               "logit_bias": "a logit bias, as SigLIP has"}
    for key, what in reasons.items():
        if any(name.startswith(key) for name in state):
            raise ModelError("a ViT CLIP of open_clip", f"{weights.name} with {what}",
                             "Take the model's transformers version from the hub, if there is one.")
    for key in ("visual.conv1.weight", "visual.proj", "token_embedding.weight", "positional_embedding"):
        if key not in state:
            raise ModelError("a ViT CLIP of open_clip", f"{weights.name} without {key}",
                             "It may be a checkpoint of another kind.")


def _config(state: State, settings: Mapping[str, Any]) -> Any:
    from transformers import CLIPConfig

    width, _, patch, _ = state["visual.conv1.weight"].shape
    grid = round((state["visual.positional_embedding"].shape[0] - 1) ** 0.5)
    vocabulary, text_width = state["token_embedding.weight"].shape
    vision, text = dict(settings.get("vision_cfg", {})), dict(settings.get("text_cfg", {}))
    dim = state["visual.proj"].shape[1]
    act = "quick_gelu" if settings.get("quick_gelu") else "gelu"
    return CLIPConfig(
        vision_config={"hidden_size": width, "intermediate_size": _rows(state, "visual."), "hidden_act": act,
                       "num_hidden_layers": _layers(state, "visual."), "patch_size": patch, "image_size": grid * patch,
                       "num_attention_heads": width // vision.get("head_width", HEAD_WIDTH), "projection_dim": dim},
        text_config={"hidden_size": text_width, "intermediate_size": _rows(state, ""), "hidden_act": act,
                     "num_hidden_layers": _layers(state, ""), "vocab_size": vocabulary, "projection_dim": dim,
                     "num_attention_heads": text.get("heads", text_width // HEAD_WIDTH),
                     "max_position_embeddings": state["positional_embedding"].shape[0]},
        projection_dim=dim)


def _renamed(state: State) -> State:
    """The tensors under transformers' names; attention's joint projection is cut in three."""
    import torch

    out: State = {}
    for key, value in state.items():
        block = re.fullmatch(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)", key)
        if block:
            tower = "vision_model" if block[1] else "text_model"
            layer = f"{tower}.encoder.layers.{block[2]}."
            if block[3].startswith("attn.in_proj_"):
                for name, part in zip("qkv", value.chunk(3), strict=True):
                    out[f"{layer}self_attn.{name}_proj.{block[3].removeprefix('attn.in_proj_')}"] = part.clone()
            else:
                stem, _, kind = block[3].rpartition(".")
                out[f"{layer}{_BLOCK.get(stem, stem)}.{kind}"] = value
        elif key == "visual.proj":
            out["visual_projection.weight"] = value.T.contiguous()
        elif key in ("text_projection", "text_projection.weight"):
            out["text_projection.weight"] = value.T.contiguous() if key == "text_projection" else value
        elif key not in _BESIDE:
            out[_WHOLE.get(key, key)] = value
    return {key: value.to(torch.float32) for key, value in out.items()}


def _layers(state: State, prefix: str) -> int:
    return len({m[1] for key in state if (m := re.match(rf"{re.escape(prefix)}transformer\.resblocks\.(\d+)\.", key))})


def _rows(state: State, prefix: str) -> int:
    return int(state[f"{prefix}transformer.resblocks.0.mlp.c_fc.weight"].shape[0])


def _preprocessing(image_size: int, config: Mapping[str, Any]) -> dict[str, Any]:
    told = dict(config.get("preprocess_cfg", {}))
    mode, filters = told.get("resize_mode", "shortest"), {"bicubic": 3, "bilinear": 2}
    if mode not in ("shortest", "squash") or told.get("interpolation", "bicubic") not in filters:
        raise ModelError("resize_mode shortest or squash, and bicubic or bilinear interpolation",
                         f"{mode} and {told.get('interpolation')}", "This preprocessing is not supported.")
    square = {"height": image_size, "width": image_size}
    return {"size": {"shortest_edge": image_size} if mode == "shortest" else square, "crop_size": square,
            "do_center_crop": mode == "shortest", "resample": filters[told.get("interpolation", "bicubic")],
            "image_mean": list(told.get("mean", OPENAI_MEAN)), "image_std": list(told.get("std", OPENAI_STD))}


def _resave(snapshot: Path, folder: Path) -> None:
    from transformers import AutoModel

    try:
        model = AutoModel.from_pretrained(snapshot, use_safetensors=False, weights_only=True, local_files_only=True,
                                          trust_remote_code=False)
    except Exception as error:
        raise ModelError("a torch file of tensors alone", f"one that cannot be read ({type(error).__name__})",
                         "Take another model of the registry.") from error
    model.save_pretrained(folder)
    for file in snapshot.iterdir():
        if file.suffix in (".json", ".txt", ".model") and not (folder / file.name).exists():
            shutil.copyfile(file, folder / file.name)


def _written(out: Path, write: Callable[[Path], None]) -> Path:
    """Write a folder beside and rename it, so that it is there whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        part.chmod(0o755)
        write(part)
        if out.is_dir():
            shutil.rmtree(out)
        os.replace(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return out


def _json(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}
