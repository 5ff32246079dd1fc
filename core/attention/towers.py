"""A ViT image tower whose attention can be biased, read and taken apart head by head.

The door is transformers' AttentionInterface: one function is registered, and the image tower is told to use it. While
nobody steers it calls the function that the tower used before. What is asked for lies in a variable of the thread, so
that a model serves several visitors at once.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.attention.masks import FOVEAL, Steering, attention_bias, foveal_weights
from core.attention.regions import Region, shares
from core.encoding.clip import DualEncoder
from core.encoding.encoder import Encoder
from core.errors import ModelError, ShapeError

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

NAME = "orrery_steered"
_lock = threading.Lock()
_seen: contextvars.ContextVar[_Asked | None] = contextvars.ContextVar("asked of attention", default=None)


@dataclass
class _Asked:
    """What one pass asks of the attention of its layers."""

    layers: int                            # of the tower
    bias: torch.Tensor | None = None       # (n, t, t), of a tower without a class token (n, t) for its probe
    steering: Steering = FOVEAL
    keep_attention: bool = False
    keep_heads: bool = False
    attention: list[torch.Tensor] = field(default_factory=list)    # a layer: (n, heads, t, t)
    heads: list[torch.Tensor] = field(default_factory=list)        # a layer: (n, heads, head_dim), of the class token

    def mask(self, layer: int, heads: int) -> torch.Tensor | None:
        """(n, 1 or heads, t, t) for one layer; None where it is not steered."""
        if self.bias is None or self.bias.ndim != 3 or layer not in (self.steering.layers or range(self.layers)):
            return None
        if self.steering.heads is None:
            return self.bias[:, None]
        chosen = self.bias.new_tensor([float((layer, head) in self.steering.heads) for head in range(heads)])
        return self.bias[:, None] * chosen[:, None, None] if chosen.any() else None


class ImageTower:
    """The image tower of a dual encoder.

    Parameters
    ----------
    encoder
        CLIP, SigLIP or a model of their kind, whose image tower is a ViT.

    Attributes
    ----------
    encoder : the same.
    grid : (rows, columns) of patches.
    layers, heads : how many, and how many in each.
    cls : whether it has a class token; SigLIP pools by a probe instead, and rows "cls" act on that.

    Raises
    ------
    ModelError
        If the model has no ViT image tower that transformers can be asked to steer.
    """

    def __init__(self, encoder: Encoder) -> None:
        if not isinstance(encoder, DualEncoder):
            raise ModelError("a model whose image tower is a ViT, as CLIP and SigLIP", encoder.spec.id,
                             "The photo model is a network of convolutions: it has no attention to steer.")
        self.encoder = encoder
        vision = encoder.model.config.vision_config
        self._blocks = list(encoder.model.vision_model.encoder.layers)
        side = encoder.preprocessor.size
        self.grid = side[0] // int(vision.patch_size), side[1] // int(vision.patch_size)
        self.layers, self.heads = len(self._blocks), int(vision.num_attention_heads)
        self.cls = hasattr(encoder.model.vision_model.embeddings, "class_embedding")
        _open(encoder.model)

    def bias(self, images: Sequence[Image], regions: Sequence[Region], steering: Steering) -> np.ndarray:
        """Biases of n pictures, each with its region.

        Returns
        -------
        (n, t, t) float32, in logits, t tokens; (n, t) for rows "cls" of a tower without a class token.

        Raises
        ------
        ShapeError
            As `core.attention.regions.shares`.
        """
        framing = self.encoder.preprocessor.framing
        weights = [foveal_weights(shares(region, image.size, framing, self.grid), steering)
                   for image, region in zip(images, regions, strict=True)]
        if steering.rows == "cls" and not self.cls:
            return np.stack([w.reshape(-1) for w in weights])
        return np.stack([attention_bias(w, steering.rows, cls=self.cls) for w in weights])

    def encode(self, pixels: torch.Tensor, bias: np.ndarray | None = None,
               steering: Steering = FOVEAL) -> np.ndarray:
        """(n, d) float32 raw vectors of pixels, as `Encoder.encode_pixels`, steered by a bias of each."""
        if bias is None or steering.idle:
            return self.encoder.encode_pixels(pixels)
        with self._asking(_Asked(self.layers, self._placed(bias, len(pixels)), steering)):
            return self.encoder.encode_pixels(pixels)

    def _placed(self, bias: np.ndarray, n: int) -> torch.Tensor:
        import torch

        if len(bias) != n:
            raise ShapeError(f"{n} biases, one a picture", str(len(bias)))
        return torch.from_numpy(bias).to(self.encoder.device, getattr(torch, self.encoder.dtype))

    @contextlib.contextmanager
    def _asking(self, asked: _Asked) -> Iterator[_Asked]:
        token = _seen.set(asked)
        try:
            yield asked
        finally:
            _seen.reset(token)


def _open(model: Any) -> None:
    """Let the image tower of a model go through `_attend`, once."""
    from transformers import AttentionInterface

    with _lock:
        config = model.config.vision_config
        before = config._attn_implementation
        if before == NAME:
            return
        AttentionInterface.register(NAME, _attend)
        for number, block in enumerate(model.vision_model.encoder.layers):
            block.self_attn.orrery_layer = number
            block.self_attn.orrery_before = _function(before, block.self_attn)
        model.set_attn_implementation({"vision_config": NAME})


def _function(name: str, module: Any) -> Callable[..., Any]:
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    return ALL_ATTENTION_FUNCTIONS.get_interface(name, sys.modules[type(module).__module__].eager_attention_forward)


def _attend(module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
            attention_mask: torch.Tensor | None, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Attention of one layer, (n, heads, t, head_dim) in and (n, t, heads, head_dim) out."""
    asked, before = _seen.get(), module.orrery_before
    if asked is None:
        return before(module, query, key, value, attention_mask, **kwargs)
    mask = asked.mask(module.orrery_layer, query.shape[1])
    out = before(module, query, key, value, mask, **kwargs)[0]
    if mask is not None and module.orrery_layer >= asked.layers - asked.steering.unleash:
        without = before(module, query, key, value, None, **kwargs)[0]
        out[:, 0] += out[:, 0] - without[:, 0]
    if asked.keep_attention:
        logits = query.float() @ key.float().transpose(-1, -2) * kwargs["scaling"]
        asked.attention.append((logits if mask is None else logits + mask.float()).softmax(dim=-1))
    if asked.keep_heads:
        asked.heads.append(out[:, 0].float())
    return out, None
