"""A ViT image tower whose attention can be biased, read and taken apart head by head.

A tower without a class token (SigLIP) pools by a probe that looks at all patches once, after the last layer. Its
attention is a layer of its own, numbered after the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.attention.interface import Asked, asking, open_tower
from core.attention.masks import FOVEAL, Steering, attention_bias, foveal_weights
from core.attention.regions import Region, Seen, shares
from core.encoding.clip import DualEncoder
from core.encoding.encoder import Encoder
from core.errors import ModelError, ShapeError

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

BATCH = 16               # pictures in one pass, where attention is read
MOST_BYTES = 1 << 30     # of the attention of one call


@dataclass(frozen=True, eq=False)
class Attention:
    """Where each token of n pictures looks.

    Attributes
    ----------
    layers : (n, layers, heads, t, t) float32, by query and key; each row sums to 1. Keys and queries are the class
        token, if there is one, and then the patches row by row.
    pooled : (n, heads, t) float32, of the pooling probe of a tower without a class token; else None.
    grid : (rows, columns) of patches.
    cls : whether the first token is a class token.
    vectors : (n, d) float32, what `ImageTower.encode` gives, but for rounding.
    """

    layers: np.ndarray
    pooled: np.ndarray | None
    grid: tuple[int, int]
    cls: bool
    vectors: np.ndarray


@dataclass(frozen=True, eq=False)
class Written:
    """What heads write into the class token of n pictures.

    Attributes
    ----------
    heads : (n, layers, heads, width) float32, through the output projection of their layer, without its offset.
    state : (n, width) float32, the class token after the last layer, before the last norm.
    """

    heads: np.ndarray
    state: np.ndarray


@dataclass(frozen=True, eq=False)
class Ending:
    """How the class token becomes the embedding: a layer norm, then a projection.

    Attributes
    ----------
    scale, offset : (width,) float64, of the norm.
    epsilon : of the norm, added to the variance.
    projection : (dim, width) float64.
    """

    scale: np.ndarray
    offset: np.ndarray
    epsilon: float
    projection: np.ndarray


class ImageTower:
    """The image tower of a dual encoder.

    With a pooling probe in place of a class token: rows "cls" act on the probe alone, "all" on every patch and on the
    probe, "diagonal" on patches. In `Steering.layers` and `Steering.heads` the probe is the layer after the last, and
    `Steering.unleash` counts it as the last; in layers before it there is no class token whose response could be added.

    Parameters
    ----------
    encoder
        CLIP, SigLIP or a model of their kind, whose image tower is a ViT.

    Attributes
    ----------
    encoder : the same.
    grid : (rows, columns) of patches.
    layers, heads : how many, and how many in each.
    cls : whether it has a class token.
    depth : layers that can be steered: `layers`, and the probe's.
    tokens : patches and the class token.

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
        self._vision = encoder.model.vision_model
        self._blocks = list(self._vision.encoder.layers)
        side = encoder.preprocessor.size
        self.grid = side[0] // int(vision.patch_size), side[1] // int(vision.patch_size)
        self.layers, self.heads = len(self._blocks), int(vision.num_attention_heads)
        self.cls = hasattr(self._vision.embeddings, "class_embedding")
        self.depth = self.layers + int(not self.cls)
        self.tokens = self.grid[0] * self.grid[1] + int(self.cls)
        open_tower(encoder.model)

    def seen(self, picture: tuple[int, int]) -> Seen:
        """What the model sees of a picture of (width, height) pixels."""
        framing = self.encoder.preprocessor.framing
        return (0.0, 0.0, float(picture[0]), float(picture[1])) if framing is None else framing.seen(*picture)

    def shares(self, region: Region, picture: tuple[int, int]) -> np.ndarray:
        """`core.attention.regions.shares` of a picture of (width, height) pixels and this tower's patches."""
        return shares(region, picture, self.seen(picture), self.grid)

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
        weights = [foveal_weights(self.shares(region, image.size), steering)
                   for image, region in zip(images, regions, strict=True)]
        if steering.rows == "cls" and not self.cls:
            return np.stack([w.reshape(-1) for w in weights])
        return np.stack([attention_bias(w, steering.rows, cls=self.cls) for w in weights])

    def encode(self, pixels: torch.Tensor, bias: np.ndarray | None = None,
               steering: Steering = FOVEAL) -> np.ndarray:
        """(n, d) float32 raw vectors of pixels, as `Encoder.encode_pixels`, steered by a bias of each.

        Raises
        ------
        ShapeError
            If the biases are not of these pixels and this tower, or a layer or head is asked for that it has not.
        """
        if bias is None or steering.idle:
            return self.encoder.encode_pixels(pixels)
        asked = self._asked(pixels, bias, steering)
        with asking(asked):
            return self.encoder.encode_pixels(pixels)

    def attention(self, pixels: torch.Tensor, bias: np.ndarray | None = None, steering: Steering = FOVEAL) -> Attention:
        """The attention of n pictures, as it is without or with a bias of each, in float32 whatever the model's dtype.

        Parameters
        ----------
        pixels : (n, 3, h, w) float32, as `Encoder.preprocess` gives them.
        bias, steering : as of `encode`; unleashing changes what heads write, not where they look.

        Raises
        ------
        ShapeError
            As `encode`, and if the attention of so many pictures is over 1 GiB.
        """
        n, t = len(pixels), self.tokens
        each = 4 * self.heads * t * (self.layers * t + int(not self.cls))
        if n * each > MOST_BYTES:
            raise ShapeError(f"at most {max(MOST_BYTES // each, 1):,} pictures at once, whose attention is at most 1 "
                             "GiB", f"{n:,}")
        layers = np.empty((n, self.layers, self.heads, t, t), dtype=np.float32)
        vectors = np.empty((n, self.encoder.spec.dim), dtype=np.float32)
        pooled = None if self.cls else np.empty((n, self.heads, t), dtype=np.float32)
        for part in _parts(n):
            asked = self._asked(pixels[part], None if bias is None else bias[part], steering)
            asked.attention, asked.pooled = layers[part], None if pooled is None else pooled[part]
            with asking(asked):
                vectors[part] = self.encoder.encode_pixels(pixels[part])
        return Attention(layers, pooled, self.grid, self.cls, vectors)

    def written(self, pixels: torch.Tensor, bias: np.ndarray | None = None, steering: Steering = FOVEAL) -> Written:
        """What each head writes into the class token of n pictures.

        Raises
        ------
        ModelError
            If the tower has no class token.
        ShapeError
            As `encode`.
        """
        import torch

        self._need_cls()
        found = []
        for part in _parts(len(pixels)):
            asked = self._asked(pixels[part], None if bias is None else bias[part], steering)
            asked.heads = []
            with asking(asked):
                self.encoder.encode_pixels(pixels[part])
            with torch.inference_mode():
                heads = torch.stack([self._through(block, out)
                                     for block, out in zip(self._blocks, asked.heads, strict=True)], dim=1)
            found.append(Written(heads.cpu().numpy(), asked.states[0].cpu().numpy()))
        return Written(np.concatenate([f.heads for f in found]), np.concatenate([f.state for f in found]))

    def _through(self, block: Any, heads: torch.Tensor) -> torch.Tensor:
        import torch

        weight = block.self_attn.out_proj.weight.float()
        return torch.einsum("nhd,whd->nhw", heads, weight.view(len(weight), self.heads, -1))

    @property
    def ending(self) -> Ending:
        """What comes after the last layer, of a tower with a class token; else ModelError."""
        self._need_cls()
        norm, projection = self._vision.post_layernorm, self.encoder.model.visual_projection
        scale, offset, matrix = (p.detach().double().cpu().numpy() for p in (norm.weight, norm.bias, projection.weight))
        return Ending(scale, offset, float(norm.eps), matrix)

    def _need_cls(self) -> None:
        if not self.cls:
            raise ModelError("an image tower with a class token, into which heads write", self.encoder.spec.id,
                             "It pools by a probe and a network after it: what a head adds to the embedding is no sum.")

    def _asked(self, pixels: torch.Tensor, bias: np.ndarray | None, steering: Steering) -> Asked:
        import torch

        if bias is None or steering.idle:
            return Asked(self.layers, self.cls)
        n, t = len(pixels), self.tokens
        shapes = [(n, t, t)] if self.cls or steering.rows != "cls" else [(n, t)]
        if bias.shape not in shapes:
            raise ShapeError(f"biases of shape {shapes[0]}, one for each picture, as ImageTower.bias gives them",
                             str(bias.shape))
        far = [pair for pair in [*((layer, 0) for layer in steering.layers or ()), *(steering.heads or ())]
               if not (0 <= pair[0] < self.depth and 0 <= pair[1] < self.heads)]
        if far:
            raise ShapeError(f"layers from 0 to {self.depth - 1} and heads from 0 to {self.heads - 1}",
                             f"layer {far[0][0]}, head {far[0][1]}")
        placed = torch.from_numpy(np.ascontiguousarray(bias)).to(self.encoder.device,
                                                                 getattr(torch, self.encoder.dtype))
        return Asked(self.layers, self.cls, placed, steering)


def _parts(n: int) -> list[slice]:
    return [slice(start, start + BATCH) for start in range(0, n, BATCH)]
