"""Which weights of a dual encoder are trained on: low-rank adapters in its attention, or its last layers."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from core.errors import ModelError

if TYPE_CHECKING:
    import torch

WAYS: dict[str, str] = {
    "lora": "Low-rank adapters in the attention (LoRA)",
    "last_layers": "Last layer of each tower, and the projections",
}
RANK = 8
_ATTENTION = ("q_proj", "k_proj", "v_proj", "out_proj", "query", "key", "value")
_ENDS = ("visual_projection", "text_projection", "post_layernorm", "final_layer_norm", "pre_LN", "pooler", "head")
_TEMPERATURE = ("logit_scale", "logit_bias")


class Adapted:
    """A model of which a part learns; the temperature learns too.

    Parameters
    ----------
    model : a dual encoder of transformers, which is changed.
    how : a key of `WAYS`.
    seed : of the adapters.
    rank : of the adapters, >= 1.

    Attributes
    ----------
    model : where the towers are called.
    learning : the tensors that learn.
    """

    def __init__(self, model: Any, how: str, *, seed: int = 0, rank: int = RANK) -> None:
        self.model = model.requires_grad_(False)
        self._wrapped: Any = None
        if how == "lora":
            self._add_adapters(seed, rank)
        else:
            for part in _last_parts(model):
                part.requires_grad_(True)
        for name in _TEMPERATURE:
            if hasattr(model, name):
                getattr(model, name).requires_grad_(True)
        self.learning: list[torch.Tensor] = [p for p in model.parameters() if p.requires_grad]

    def _add_adapters(self, seed: int, rank: int) -> None:
        """Adapters whose first factors are drawn by the seed alone, and whose second ones begin at 0."""
        import torch
        from peft import LoraConfig, get_peft_model

        own = [name for name, part in self.model.named_modules() if isinstance(part, torch.nn.MultiheadAttention)]
        names = [name for name, part in self.model.named_modules()
                 if isinstance(part, torch.nn.Linear) and name.rsplit(".", 1)[-1] in _ATTENTION
                 and not any(name.startswith(f"{one}.") for one in own)]
        if not names:
            raise ModelError("attention with linear projections to adapt", type(self.model).__name__,
                             "Train its last layers instead.")
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)      # of names that transformers gives up
            self._wrapped = get_peft_model(self.model, LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0,
                                                                  target_modules=names, bias="none"))
        drawn = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, weight in sorted(self.model.named_parameters()):
                if ".lora_A." in name:
                    bound = 1 / math.sqrt(weight.shape[1])
                    weight.copy_(2 * bound * torch.rand(weight.shape, generator=drawn) - bound)

    def merged(self) -> Any:
        """The model with what it learnt in its own weights; it is not trained on after this."""
        return self.model if self._wrapped is None else self._wrapped.merge_and_unload()


def _last_parts(model: Any) -> list[Any]:
    """The last layer of each tower's stack, and what comes after it."""
    from torch import nn

    stacks = [part for part in model.modules() if isinstance(part, nn.ModuleList) and len(part)]
    ends = [part for name, part in model.named_modules() if name.rsplit(".", 1)[-1] in _ENDS]
    if not stacks:
        raise ModelError("towers of layers", type(model).__name__)
    return [*(stack[-1] for stack in stacks), *ends]
