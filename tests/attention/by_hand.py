"""Image towers written out in float64, head by head, with a mask on the logits of any; and the masks of whole patches.

They read a model's weights and its activation, and nothing else of transformers or of the project.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf

Mask = Callable[[int, int], "np.ndarray | None"]
Box = tuple[int, int, int, int]      # top, left, bottom, right, in patches, the last two just outside


def weights(model: Any) -> dict[str, np.ndarray]:
    return {name: value.double().numpy() for name, value in model.state_dict().items()}


def embedding(model: Any, w: dict[str, np.ndarray], pixels: np.ndarray, mask: Mask = lambda layer, head: None, *,
              unleash: int = 0) -> np.ndarray:
    """(d,) of one picture (3, h, w); ``mask(layer, head)`` is (t, t), or (t,) in the layer of a pooling probe."""
    config = model.config.vision_config
    pre = "vision_model."
    side, heads, layers = config.patch_size, config.num_attention_heads, config.num_hidden_layers
    kernel = w[f"{pre}embeddings.patch_embedding.weight"]
    kernel = kernel.reshape(len(kernel), -1)
    x = np.array([kernel @ pixels[:, i:i + side, j:j + side].reshape(-1)
                  for i in range(0, pixels.shape[1], side) for j in range(0, pixels.shape[2], side)])
    x = x + w.get(f"{pre}embeddings.patch_embedding.bias", 0)
    first = w.get(f"{pre}embeddings.class_embedding")
    if first is not None:
        x = np.concatenate([first[None], x])
    x = x + w[f"{pre}embeddings.position_embedding.weight"]
    if first is not None:
        x = _norm(w, f"{pre}pre_layrnorm", x, config)
    last = layers + (first is None)
    for layer in range(layers):
        at = f"{pre}encoder.layers.{layer}."
        y = _norm(w, f"{at}layer_norm1", x, config)
        q, k, v = (_linear(w, f"{at}self_attn.{name}_proj", y) for name in "qkv")
        out = np.concatenate([_head(q, k, v, heads, h, mask(layer, h), layer >= last - unleash and first is not None)
                              for h in range(heads)], axis=1)
        x = x + _linear(w, f"{at}self_attn.out_proj", out)
        x = x + _mlp(w, f"{at}mlp.", _norm(w, f"{at}layer_norm2", x, config), config)
    if first is not None:
        return w["visual_projection.weight"] @ _norm(w, f"{pre}post_layernorm", x[:1], config)[0]
    x = _norm(w, f"{pre}post_layernorm", x, config)
    joint, offset = w[f"{pre}head.attention.in_proj_weight"], w[f"{pre}head.attention.in_proj_bias"]
    width = x.shape[1]
    q, k, v = (tokens @ joint[i * width:(i + 1) * width].T + offset[i * width:(i + 1) * width]
               for i, tokens in enumerate((w[f"{pre}head.probe"][0], x, x)))
    out = np.concatenate([_head(q, k, v, heads, h, mask(layers, h), unleash > 0) for h in range(heads)], axis=1)
    out = _linear(w, f"{pre}head.attention.out_proj", out)
    return (out + _mlp(w, f"{pre}head.mlp.", _norm(w, f"{pre}head.layernorm", out, config), config))[0]


def _head(q: np.ndarray, k: np.ndarray, v: np.ndarray, heads: int, head: int, mask: np.ndarray | None,
          unleashed: bool) -> np.ndarray:
    size = q.shape[1] // heads
    q, k, v = (part[:, head * size:(head + 1) * size] for part in (q, k, v))
    plain = _softmax(q @ k.T / np.sqrt(size)) @ v
    if mask is None:
        return plain
    masked = _softmax(q @ k.T / np.sqrt(size) + mask) @ v
    if unleashed:
        masked[0] = masked[0] + (masked[0] - plain[0])
    return masked


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _linear(w: dict[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def _norm(w: dict[str, np.ndarray], name: str, x: np.ndarray, config: Any) -> np.ndarray:
    centred = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + config.layer_norm_eps)
    return centred / spread * w[f"{name}.weight"] + w[f"{name}.bias"]


def _mlp(w: dict[str, np.ndarray], at: str, x: np.ndarray, config: Any) -> np.ndarray:
    x = _linear(w, f"{at}fc1", x)
    act = {"quick_gelu": lambda v: v / (1 + np.exp(-1.702 * v)),
           "gelu": lambda v: v * (1 + erf(v / np.sqrt(2))) / 2,
           "gelu_pytorch_tanh": lambda v: v * (1 + np.tanh(np.sqrt(2 / np.pi) * (v + 0.044715 * v**3))) / 2}
    return _linear(w, f"{at}fc2", act[config.hidden_act](x))


def foveal(boxes: list[Box], grid: int, alpha: float, sigma: float, *, hard: bool = False,
           profile: str = "gaussian") -> np.ndarray:
    """(grid, grid) bias of boxes of whole patches."""
    out = np.full((grid, grid), -1e4 if hard else 0.0)
    for top, left, bottom, right in boxes:
        height, width = bottom - top, right - left
        r = np.array([[np.exp(-((i - (height - 1) / 2) ** 2 + (j - (width - 1) / 2) ** 2) / (2 * sigma**2))
                       for j in range(width)] for i in range(height)])
        one = r.size == 1 or r.max() == r.min()
        value = np.ones(r.shape) if one else (r - r.min() + 1e-6) / (r.max() - r.min() + 1e-6)
        part = out[top:bottom, left:right]
        out[top:bottom, left:right] = 0.0 if hard else np.maximum(part, value if profile == "gaussian" else r / r.max())
    if hard:
        return out
    if profile == "gaussian":
        return alpha * out
    lowered = np.log(np.maximum(out, np.exp(-abs(alpha))))
    return lowered if alpha > 0 else alpha - lowered


def on_rows(bias: np.ndarray, rows: str, cls: bool) -> np.ndarray:
    """(t, t) of a bias of patches."""
    flat, first = bias.reshape(-1), int(cls)
    out = np.zeros((flat.size + first,) * 2)
    for query in range(len(out)):
        for key in range(first, len(out)):
            if rows == "all" or (rows == "cls" and query == 0 and cls) or (rows == "diagonal" and query == key):
                out[query, key] = flat[key - first]
    return out
