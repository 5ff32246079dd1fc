"""The door to a model's attention: one function registered with transformers, and hooks where torch attends by itself.

While nobody asks for anything the function calls the one that the tower used before. What is asked for lies in a
variable of the thread, so that a model serves several visitors at once and a mask is gone with the pass that wanted it.
Transformers saves configurations without the function's name, and a copy of a model takes the function along.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.attention.masks import FOVEAL, Steering
from core.errors import ModelError

if TYPE_CHECKING:
    import torch

NAME = "orrery_steered"
_lock = threading.Lock()
_seen: contextvars.ContextVar[Asked | None] = contextvars.ContextVar("asked of attention", default=None)


@dataclass
class Asked:
    """What one pass asks of the attention of its layers."""

    layers: int                              # the probe, if there is one, is the layer of this number
    cls: bool
    bias: torch.Tensor | None = None         # (n, t, t), or (n, t) for the probe alone
    steering: Steering = FOVEAL
    attention: np.ndarray | None = None      # (n, layers, heads, t, t), to be filled
    pooled: np.ndarray | None = None         # (n, heads, t), to be filled
    heads: list[torch.Tensor] | None = None  # of each layer (n, heads, head_dim), of the class token
    states: list[torch.Tensor] = field(default_factory=list)

    def mask(self, layer: int, heads: int) -> torch.Tensor | None:
        """(n, 1 or heads, t, t) of a layer, (n, 1 or heads, t) of the probe; None where it is not steered."""
        steering, bias = self.steering, self.bias
        if bias is None or (steering.layers is not None and layer not in steering.layers):
            return None
        if layer == self.layers:
            if bias.ndim == 3:
                if steering.rows != "all":
                    return None
                bias = bias[:, 0]
        elif bias.ndim == 2:
            return None
        bias = bias[:, None]
        if steering.heads is None:
            return bias
        chosen = bias.new_tensor([float((layer, head) in steering.heads) for head in range(heads)])
        return bias * chosen.view(-1, *[1] * (bias.ndim - 2)) if chosen.any() else None

    def unleashed(self, layer: int) -> bool:
        """Whether the class token's (the probe's) response in a layer is added once more."""
        last = self.layers if self.cls else self.layers + 1
        return layer >= last - self.steering.unleash and (self.cls or layer == self.layers)


@contextlib.contextmanager
def asking(asked: Asked | None) -> Iterator[None]:
    """Within it, passes of this thread through towers that were opened do what is asked."""
    token = _seen.set(asked)
    try:
        yield
    finally:
        _seen.reset(token)


def open_tower(model: Any) -> None:
    """Let the image tower of a dual encoder do what is asked of it; a second time changes nothing.

    Raises
    ------
    ModelError
        If transformers does not let its attention be replaced.
    """
    from transformers import AttentionInterface

    with _lock:
        vision, config = model.vision_model, model.config.vision_config
        before = config._attn_implementation
        if before == NAME:
            return
        AttentionInterface.register(NAME, _attend)
        for number, block in enumerate(vision.encoder.layers):
            block.self_attn.orrery_layer = number
            block.self_attn.orrery_before = _function(before, block.self_attn)
            block.self_attn.orrery_masked = _function(before if before == "eager" else "sdpa", block.self_attn)
        if hasattr(vision.embeddings, "class_embedding"):
            vision.post_layernorm.register_forward_pre_hook(_keep_state)
        else:
            vision.head.attention.register_forward_pre_hook(_steer_probe, with_kwargs=True)
            vision.head.attention.register_forward_hook(_read_probe, with_kwargs=True)
        model.set_attn_implementation({"vision_config": NAME})
        if config._attn_implementation != NAME:
            raise ModelError("an image tower whose attention transformers lets others replace", type(model).__name__)


def _function(name: str, module: Any) -> Callable[..., Any]:
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    return ALL_ATTENTION_FUNCTIONS.get_interface(name, sys.modules[type(module).__module__].eager_attention_forward)


def _attend(module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
            attention_mask: torch.Tensor | None, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Attention of one layer, (n, heads, t, head_dim) in and (n, t, heads, head_dim) out."""
    asked = _seen.get()
    if asked is None:
        return module.orrery_before(module, query, key, value, attention_mask, **kwargs)
    layer = module.orrery_layer
    mask = asked.mask(layer, query.shape[1])
    if asked.attention is not None:
        logits = query.float() @ key.float().transpose(-1, -2) * kwargs["scaling"]
        looks = (logits if mask is None else logits + mask.float()).softmax(dim=-1)
        asked.attention[:, layer] = looks.cpu().numpy()
        out = (looks.to(value.dtype) @ value).transpose(1, 2).contiguous()
    else:
        out = module.orrery_masked(module, query, key, value, mask, **kwargs)[0]
    if mask is not None and asked.unleashed(layer):
        without = module.orrery_masked(module, query, key, value, None, **kwargs)[0]
        out[:, 0] += out[:, 0] - without[:, 0]
    if asked.heads is not None:
        asked.heads.append(out[:, 0].float())
    return out, None


def _keep_state(module: Any, args: tuple[torch.Tensor, ...]) -> None:
    asked = _seen.get()
    if asked is not None and asked.heads is not None:
        asked.states.append(args[0].float())


def _steer_probe(module: Any, args: tuple[torch.Tensor, ...],
                 kwargs: dict[str, Any]) -> tuple[tuple[torch.Tensor, ...], dict[str, Any]] | None:
    asked = _seen.get()
    if asked is None:
        return None
    mask = asked.mask(asked.layers, module.num_heads)
    if mask is not None:
        heads = mask.expand(-1, module.num_heads, -1)
        kwargs = {**kwargs, "attn_mask": heads.reshape(-1, 1, heads.shape[-1])}
    return args, {**kwargs, "need_weights": True, "average_attn_weights": False}


def _read_probe(module: Any, args: tuple[torch.Tensor, ...], kwargs: dict[str, Any],
                output: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor] | None:
    asked = _seen.get()
    if asked is None:
        return None
    out, looks = output
    if asked.pooled is not None:
        asked.pooled[:] = looks[:, :, 0].float().cpu().numpy()
    if kwargs.get("attn_mask") is not None and asked.unleashed(asked.layers):
        with asking(None):
            out = 2 * out - module(*args)[0]
    return out, looks
