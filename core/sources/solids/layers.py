"""What the renderer hands on: the rays of a batch of cameras, and what is known of each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class Layers:
    """What a style needs to know of each pixel, over (b, size, size)."""

    background: Tensor
    albedo: Tensor
    normal: Tensor
    lit: Tensor
    gloss: Tensor
    cover: Tensor
    which: Tensor
    size: int


@dataclass
class View:
    """Camera rays of a batch: eye (b, 3); directions (b, size, size, 3), unit; width of a pixel at distance 1 (b,)."""

    eye: Tensor
    direction: Tensor
    pixel: Tensor
    light: Tensor
    brightness: Tensor
    seed: Tensor
