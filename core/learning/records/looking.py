"""The two towers of anyone's model, found by what they are called, and their features without a trace in a training."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ModelError

if TYPE_CHECKING:
    import torch

Encode = Callable[[Any, Any], Any]
BATCH = 64
_NAMES = (("get_image_features", "get_text_features"), ("encode_image", "encode_text"))
_WRAPPERS = ("module", "_orig_mod")


def dual_in(model: Any) -> Any:
    """The part of a model that has both towers: itself, what a wrapper holds, or the first part of it that does.

    Raises
    ------
    ModelError
        If there is none: then two functions say how to encode.
    """
    for wrapper in _WRAPPERS:
        if hasattr(model, wrapper):
            return dual_in(getattr(model, wrapper))
    parts = model.modules() if hasattr(model, "modules") else [model]
    for part in parts:
        if any(all(callable(getattr(part, name, None)) for name in names) for names in _NAMES):
            return part
    raise ModelError("a model with get_image_features and get_text_features, or encode_image and encode_text",
                     type(model).__name__, "Give encode=(images, texts): two functions of (model, inputs).")


def encode_images(model: Any, images: Any) -> Any:
    """(n, d) tensor of n pictures as the model takes them, a batch at a time."""
    return _in_batches(dual_in(model), 0, images, "pixel_values")


def encode_texts(model: Any, texts: Any) -> Any:
    """(m, d) tensor of m tokenised texts, a batch at a time."""
    return _in_batches(dual_in(model), 1, texts, "input_ids")


def temperature_of(model: Any) -> float:
    """1 over the factor on the cosine, whose logarithm the model learns; NaN where it has none."""
    scale = getattr(model, "logit_scale", None)
    return float("nan") if scale is None or not hasattr(scale, "detach") else float((-scale.detach().double()).exp())


def _in_batches(model: Any, which: int, inputs: Any, called: str) -> Any:
    import torch

    theirs, ours = (names[which] for names in _NAMES)
    parts = dict(inputs) if isinstance(inputs, Mapping) or hasattr(inputs, "input_ids") else {called: inputs}
    if called not in parts or not all(isinstance(part, torch.Tensor) for part in parts.values()):
        raise ModelError(f"tensors as the model takes them, {called} among them", f"{type(inputs).__name__}",
                         "Use the model's own preprocessing and tokeniser, with return_tensors='pt', or give encode=.")
    parameter = next((p for p in model.parameters() if p.is_floating_point()), None)

    def placed(x: torch.Tensor) -> torch.Tensor:
        if parameter is None:
            return x
        return x.to(parameter.device, parameter.dtype if x.is_floating_point() else None)

    found = []
    for start in range(0, len(parts[called]), BATCH):
        part = {key: placed(x[start:start + BATCH]) for key, x in parts.items()}
        output = getattr(model, theirs)(**part) if hasattr(model, theirs) else getattr(model, ours)(part[called])
        found.append(getattr(output, "pooler_output", output))
    return torch.cat(found)


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """The model looked at as if nobody had: no gradients, dropout off, and each module's mode, the states of all random
    generators and what autocast keeps as they were afterwards."""
    import torch

    modes = [(part, part.training) for part in model.modules()] if hasattr(model, "modules") else []
    python, numbers = random.getstate(), np.random.get_state()
    devices = {p.device for p in model.parameters()} if modes else set()
    device = next((one.type for one in devices), "cpu")
    cards = [one.index for one in devices if one.type == "cuda"]
    casting = torch.is_autocast_enabled(device)
    try:
        for part, _ in modes:
            part.training = False
        with torch.random.fork_rng(cards), torch.no_grad(), torch.autocast(
                device, torch.get_autocast_dtype(device), enabled=casting, cache_enabled=False):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numbers)
        for part, mode in modes:
            part.training = mode


def rows_of(features: Any) -> np.ndarray:
    """(n, d) float64 of a tensor or array on any device."""
    if hasattr(features, "detach"):
        features = features.detach().cpu().double().numpy()
    return np.asarray(features, dtype=np.float64)
