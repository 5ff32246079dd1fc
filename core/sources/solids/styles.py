"""Five ways to draw what was traced: photo, cartoon, neon, pencil sketch, pixel art."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.sources.solids.scene import Scene
from core.sources.solids.settings import noise
from core.sources.solids.vocabulary import STYLES

if TYPE_CHECKING:
    from torch import Tensor

    from core.sources.solids.layers import Layers, View

PIXEL_GRID = 32


def _blur(picture: Tensor, radius: int) -> Tensor:
    """Box blur twice, over (b, h, w, c)."""
    import torch.nn.functional as F

    planes = picture.permute(0, 3, 1, 2).contiguous()
    width = 2 * radius + 1
    for _ in range(2):
        planes = F.avg_pool2d(planes, (1, width), stride=1, padding=(0, radius), count_include_pad=False)
        planes = F.avg_pool2d(planes, (width, 1), stride=1, padding=(radius, 0), count_include_pad=False)
    return planes.permute(0, 2, 3, 1)


def _outline(layers: Layers, index: Tensor, width: int) -> Tensor:
    """(b, size, size) in [0, 1]: where another solid, the background or a crease begins."""
    import torch
    import torch.nn.functional as F

    which, normal = layers.which[index], layers.normal[index]
    edge = torch.zeros(which.shape, device=which.device)
    for axis in (1, 2):
        near, far = which.narrow(axis, 0, layers.size - 1), which.narrow(axis, 1, layers.size - 1)
        bend = (normal.narrow(axis, 0, layers.size - 1) * normal.narrow(axis, 1, layers.size - 1)).sum(-1)
        line = (near != far) | ((near > 0) & (bend < 0.72))
        edge.narrow(axis, 0, layers.size - 1).copy_(edge.narrow(axis, 0, layers.size - 1).maximum(line.float()))
    if width > 1:
        edge = F.max_pool2d(edge[:, None], width | 1, stride=1, padding=width // 2)[:, 0]
    return edge


def _pixels(size: int, device: object) -> tuple[Tensor, Tensor]:
    import torch

    line = torch.arange(size, device=device) * (64 / size)  # type: ignore[call-overload]
    return line[None, None, :], line[None, :, None]


def _photo(layers: Layers, view: View, index: Tensor) -> Tensor:
    lit, gloss = layers.lit[index], layers.gloss[index]
    light = (0.32 + 0.86 * lit.clamp(0, 1)) * view.brightness[index][:, None, None]
    solid = layers.albedo[index] * light[..., None] + 0.45 * gloss[..., None]
    picture = layers.background[index] + (solid - layers.background[index]) * layers.cover[index][..., None]
    across, down = _pixels(layers.size, picture.device)
    grain = noise(across * 0.9, down * 0.9, view.seed[index][:, None, None]) - 0.5
    vignette = 1 - 0.18 * (((across - 32) / 32) ** 2 + ((down - 32) / 32) ** 2) / 2
    return (picture + 0.035 * grain[..., None]) * vignette[..., None]


def _cartoon(layers: Layers, view: View, index: Tensor) -> Tensor:
    background = layers.background[index]
    grey = background.mean(-1, keepdim=True)
    flat = ((grey + 1.35 * (background - grey)).clamp(0, 1) * 4).round() / 4 * 0.8 + 0.2
    tone = 0.62 + 0.22 * (layers.lit[index] > 0.42).float() + 0.18 * (layers.lit[index] > 0.70).float()
    solid = (layers.albedo[index] * tone[..., None] + 0.5 * (layers.gloss[index] > 0.5).float()[..., None]).clamp(0, 1)
    picture = flat + (solid - flat) * layers.cover[index][..., None]
    ink = _outline(layers, index, max(1, round(layers.size / 56)))
    return picture * (1 - 0.92 * ink[..., None])


def _neon(layers: Layers, view: View, index: Tensor) -> Tensor:
    albedo, cover = layers.albedo[index], layers.cover[index][..., None]
    dark = layers.background[index] ** 1.4 * 0.30 + 0.015
    solid = albedo * (0.16 + 0.34 * layers.lit[index] ** 2)[..., None]
    picture = dark + (solid - dark) * cover
    tube = _outline(layers, index, max(1, round(layers.size / 64)))[..., None]
    paint = _blur(albedo * cover, max(1, layers.size // 48)) / _blur(cover, max(1, layers.size // 48)).clamp(min=1e-2)
    paint = paint / paint.amax(-1, keepdim=True).clamp(min=0.62)
    glow = _blur(tube * paint, max(1, layers.size // 24)) * 1.1 + _blur(tube * paint, max(1, layers.size // 12))
    return picture + glow + tube * (0.8 * paint + 0.1)


def _sketch(layers: Layers, view: View, index: Tensor) -> Tensor:
    across, down = _pixels(layers.size, view.eye.device)
    seed = view.seed[index][:, None, None]
    tooth = noise(across * 1.7, down * 1.7, seed)[..., None]
    sheet = 0.955 + 0.035 * tooth
    background = sheet + (layers.background[index] - sheet) * (0.30 + 0.10 * tooth)
    lit = layers.lit[index]
    solid = sheet + (layers.albedo[index] - sheet) * (0.50 + 0.18 * tooth)
    wobble = noise(across * 0.12, down * 0.12, seed)
    lines = ((across + down) * 0.95 + 5 * wobble).sin() > (lit * 2.6 - 1.15)
    solid = solid * (1 - 0.26 * lines.float()[..., None])
    picture = background + (solid - background) * layers.cover[index][..., None]
    ink = _outline(layers, index, max(1, round(layers.size / 64)))
    return picture * (1 - ink[..., None] * (0.62 + 0.25 * tooth))


def _pixel(layers: Layers, view: View, index: Tensor) -> Tensor:
    import torch
    import torch.nn.functional as F

    tone = 0.45 + 0.68 * layers.lit[index]
    solid = layers.albedo[index] * tone[..., None] + 0.35 * (layers.gloss[index] > 0.4).float()[..., None]
    picture = layers.background[index] + (solid - layers.background[index]) * layers.cover[index][..., None]
    coarse = F.adaptive_avg_pool2d(picture.permute(0, 3, 1, 2), PIXEL_GRID)
    bayer = torch.tensor([[0, 2], [3, 1]], device=picture.device).repeat(PIXEL_GRID // 2, PIXEL_GRID // 2) / 4 - 0.375
    levels = ((coarse.clamp(0, 1) * 5 + 0.3 * bayer).round() / 5)
    fine = F.interpolate(levels, size=(layers.size, layers.size), mode="nearest")
    return fine.permute(0, 2, 3, 1)


_FINISHERS = {"photo": _photo, "cartoon": _cartoon, "neon": _neon, "sketch": _sketch, "pixel": _pixel}


def finish(scenes: Sequence[Scene], view: View, layers: Layers) -> Tensor:
    """(b, size, size, 3) float32 pictures, each in the style of its scene."""
    import torch

    pictures = torch.empty_like(layers.background)
    for style in STYLES:
        rows = [i for i, s in enumerate(scenes) if s.style == style]
        if rows:
            index = torch.tensor(rows, device=pictures.device)
            pictures[index] = _FINISHERS[style](layers, view, index)
    return pictures
