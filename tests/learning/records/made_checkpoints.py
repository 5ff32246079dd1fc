"""Checkpoints on the way from noise to the built-in model, as a Trainer of transformers leaves them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from core.encoding.models import BUILTIN_FOLDER


def on_the_way(folder: Path) -> Callable[[str, float], Path]:
    """``save(name, share)`` writes a checkpoint of so much of the built-in model; tokenizer and image processor lie
    above them, in the folder itself."""
    from safetensors.torch import load_file, save_file

    for file in BUILTIN_FOLDER.iterdir():
        if file.suffix in (".json", ".txt") and file.name not in ("config.json", "training.json", "words.json"):
            shutil.copy(file, folder)
    trained = load_file(BUILTIN_FOLDER / "model.safetensors")
    torch.manual_seed(0)
    noise = {name: value + 0.5 * value.float().std(correction=0).nan_to_num() * torch.randn(value.shape)
             for name, value in trained.items()}

    def save(name: str, share: float) -> Path:
        there = folder / name
        there.mkdir()
        shutil.copy(BUILTIN_FOLDER / "config.json", there)
        save_file({key: (share * trained[key] + (1 - share) * noise[key]).contiguous() for key in trained},
                  there / "model.safetensors", metadata={"format": "pt"})
        return there

    return save
