"""The six settings, painted along camera rays: a ground with its pattern, a sky or a wall, shadows of the solids."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from core.sources.solids.scene import Scene
from core.sources.solids.vocabulary import SETTINGS

if TYPE_CHECKING:
    from torch import Tensor

    from core.sources.solids.layers import View

WALL_DISTANCE = 3.4
NOISE_SIDE = 512


@cache
def _noise_table() -> np.ndarray:
    """(512, 512) float32 in [0, 1]: tileable noise of four octaves, the same in every process."""
    rng = np.random.default_rng(7)
    total = np.zeros((NOISE_SIDE, NOISE_SIDE))
    for cell, weight in ((64, 1.0), (32, 0.6), (16, 0.4), (8, 0.25)):
        coarse = rng.random((NOISE_SIDE // cell, NOISE_SIDE // cell))
        at = np.arange(NOISE_SIDE) / cell
        low = at.astype(int)
        share = at - low
        share = share * share * (3 - 2 * share)
        high = (low + 1) % len(coarse)
        rows = coarse[low] * (1 - share)[:, None] + coarse[high] * share[:, None]
        total += weight * (rows[:, low] * (1 - share) + rows[:, high] * share)
    total -= total.min()
    return (total / total.max()).astype(np.float32)


def noise(x: Tensor, y: Tensor, seed: Tensor | None = None) -> Tensor:
    """Smooth noise in [0, 1]; one cell of the coarsest octave is 2 units wide. ``seed`` (b, 1, 1) shifts it."""
    import torch

    table = torch.from_numpy(_noise_table()).to(x.device).reshape(-1)
    i, j = (x * 32).floor().long(), (y * 32).floor().long()
    if seed is not None:
        i, j = i + seed * 37, j + seed * 91
    return table[(i % NOISE_SIDE) * NOISE_SIDE + j % NOISE_SIDE]


def _mix(low: tuple[float, float, float], high: tuple[float, float, float], share: Tensor) -> Tensor:
    import torch

    a, b = torch.tensor(low, device=share.device), torch.tensor(high, device=share.device)
    return a + (b - a) * share[..., None]


def _over(base: Tensor, top: Tensor, share: Tensor) -> Tensor:
    return base + (top - base) * share[..., None]


def _speckles(x: Tensor, y: Tensor, seed: Tensor, density: float, radius: float) -> Tensor:
    """1 inside small discs, one at a hashed place of some cells of the unit grid."""
    i, j = x.floor(), y.floor()
    key = (i * 127.1 + j * 311.7 + seed * 0.731).sin() * 43758.5453
    key = key - key.floor()
    cx = i + 0.25 + 0.5 * ((key * 57.0) % 1)
    cy = j + 0.25 + 0.5 * ((key * 131.0) % 1)
    inside = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
    return (inside & (key < density)).to(x.dtype)


def _meadow(x: Tensor, z: Tensor, far: Tensor, azimuth: Tensor, height: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
    blades = noise(x * 5, z * 5, seed) * (1 - far) + 0.5 * far
    ground = _mix((0.13, 0.40, 0.10), (0.46, 0.74, 0.24), blades)
    flowers = _speckles(x * 2.2, z * 2.2, seed, 0.16, 0.13) * (1 - far)
    ground = _over(ground, _mix((1.0, 0.95, 0.55), (1.0, 1.0, 1.0), (x * 3).frac().abs()), flowers)
    sky = _mix((0.80, 0.91, 1.0), (0.25, 0.55, 0.95), (height * 2.2).clamp(0, 1))
    clouds = (noise(azimuth * 3, height * 9, seed) * 3 - 1.7).clamp(0, 1) * (height * 8).clamp(0, 1)
    return ground, _over(sky, sky * 0 + 1.0, clouds)


def _sea(x: Tensor, z: Tensor, far: Tensor, azimuth: Tensor, height: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
    swell = ((z * 3.1 + x * 1.2 + noise(x * 0.8, z * 0.8, seed) * 6).sin() * 0.5 + 0.5) * (1 - far) + 0.5 * far
    ground = _mix((0.02, 0.20, 0.42), (0.16, 0.50, 0.68), swell)
    foam = (swell - 0.93).clamp(0, 0.07) / 0.07 * noise(x * 4, z * 4, seed)
    ground = _over(ground, ground * 0 + 0.95, foam * 0.8)
    ground = _over(ground, _mix((0.45, 0.68, 0.82), (0.45, 0.68, 0.82), far), far * 0.6)
    sky = _mix((0.98, 0.86, 0.74), (0.45, 0.62, 0.86), (height * 2.6).clamp(0, 1))
    return ground, sky


def _desert(x: Tensor, z: Tensor, far: Tensor, azimuth: Tensor, height: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
    ripple = ((x * 2.3 + z * 3.7 + noise(x * 0.5, z * 0.5, seed) * 7).sin() * 0.5 + 0.5) * (1 - far) + 0.5 * far
    ground = _mix((0.80, 0.58, 0.30), (0.97, 0.82, 0.53), ripple)
    dune = (noise(azimuth * 1.3, azimuth * 0 + 3, seed) * 0.18 - height).clamp(0, 0.01) / 0.01
    sky = _mix((0.99, 0.93, 0.78), (0.42, 0.70, 0.93), (height * 2.0).clamp(0, 1))
    return ground, _over(sky, _mix((0.90, 0.70, 0.42), (0.97, 0.83, 0.56), (height * 6).clamp(0, 1)), dune)


def _snow(x: Tensor, z: Tensor, far: Tensor, azimuth: Tensor, height: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
    drifts = noise(x * 0.9, z * 0.9, seed) * (1 - 0.7 * far) + 0.5 * far * 0.7
    ground = _mix((0.76, 0.83, 0.94), (0.98, 0.99, 1.0), (drifts * 1.6 - 0.2).clamp(0, 1))
    sky = _mix((0.86, 0.89, 0.94), (0.60, 0.68, 0.80), (height * 2).clamp(0, 1))
    saw = ((azimuth * 9 + noise(azimuth * 4, azimuth * 0, seed)).frac().abs() - 0.5).abs() * 2
    trees = (0.03 + 0.15 * saw * noise(azimuth * 2, azimuth * 0 + 1, seed) - height).clamp(0, 0.008) / 0.008
    sky = _over(sky, _mix((0.16, 0.30, 0.27), (0.35, 0.47, 0.46), (height * 6).clamp(0, 1)), trees)
    flakes = _speckles(azimuth * 26, height * 26, seed, 0.35, 0.16)
    return ground, _over(sky, sky * 0 + 1.0, flakes)


def _bricks(along: Tensor, up: Tensor, seed: Tensor) -> Tensor:
    row = (up / 0.36).floor()
    shifted = along / 0.80 + 0.5 * (row % 2)
    brick = shifted.floor()
    tone = ((brick * 12.9898 + row * 78.233).sin() * 43758.5453)
    wall = _mix((0.50, 0.16, 0.10), (0.74, 0.33, 0.22), tone - tone.floor())
    mortar = ((up / 0.36 - row < 0.16) | (shifted - brick < 0.075)).to(up.dtype)
    return _over(wall, wall * 0 + 0.78, mortar)


def _brick_wall(x: Tensor, z: Tensor, far: Tensor, azimuth: Tensor, height: Tensor, seed: Tensor
                ) -> tuple[Tensor, Tensor]:
    slab = ((x * 0.8).frac().abs() < 0.05) | ((z * 0.8).frac().abs() < 0.05)
    ground = _mix((0.48, 0.47, 0.46), (0.62, 0.61, 0.59), noise(x * 3, z * 3, seed))
    return _over(ground, ground * 0 + 0.36, slab.to(x.dtype)), ground


def _studio(x: Tensor, z: Tensor, far: Tensor, azimuth: Tensor, height: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
    pool = (-(x * x + z * z) / 14).exp()
    ground = _mix((0.52, 0.53, 0.56), (0.86, 0.86, 0.87), pool)
    return ground, _mix((0.52, 0.53, 0.56), (0.72, 0.73, 0.76), (height * 2.5).clamp(0, 1))


_PAINTERS = {"meadow": _meadow, "sea": _sea, "desert": _desert, "snow": _snow, "brick wall": _brick_wall,
             "studio": _studio}


def paint_background(scenes: Sequence[Scene], view: View) -> Tensor:
    """(b, size, size, 3) float32 in about [0, 1]: what the camera sees behind the solids, with their soft shadows."""
    import torch

    b, size = view.direction.shape[:2]
    picture = torch.empty(b, size, size, 3, device=view.eye.device)
    for setting in SETTINGS:
        rows = [i for i, s in enumerate(scenes) if s.setting == setting]
        if not rows:
            continue
        index = torch.tensor(rows, device=view.eye.device)
        d, eye, seed = view.direction[index], view.eye[index][:, None, None], view.seed[index][:, None, None]
        down = (-d[..., 1]).clamp(min=1e-4)
        reach = (eye[..., 1].clamp(min=0.05) / down).clamp(max=60)
        x, z = eye[..., 0] + reach * d[..., 0], eye[..., 2] + reach * d[..., 2]
        far = ((reach - 7) / 22).clamp(0, 1)
        level = d[..., 0].hypot(d[..., 2]).clamp(min=1e-4)
        azimuth, height = torch.atan2(d[..., 0], d[..., 2]), d[..., 1] / level
        ground, beyond = _PAINTERS[setting](x, z, far, azimuth, height, seed)
        shade = torch.ones_like(x)
        for slot in range(3):
            solids = [scenes[i].solids[slot] if slot < len(scenes[i].solids) else None for i in rows]
            spot = torch.tensor([(s.x, s.z, s.radius) if s else (0, 0, 0) for s in solids], dtype=torch.float32,
                                device=x.device)
            light = view.light[index]
            slide = light[:, [0, 2]] / light[:, 1:2].clamp(min=0.3) * spot[:, 2:3] * 0.35
            cx, cz = (spot[:, k] - slide[:, k] for k in (0, 1))
            r2 = (spot[:, 2] ** 2)[:, None, None].clamp(min=1e-6)
            away = ((x - cx[:, None, None]) ** 2 + (z - cz[:, None, None]) ** 2) / r2
            shade = shade * (1 - 0.55 * (-1.3 * away).exp())
        ground = ground * shade[..., None]
        if setting == "brick wall":
            ground, beyond = _with_wall(d, eye, seed, ground)
        picture[index] = torch.where((d[..., 1] < 0)[..., None], ground, beyond)
    return picture * view.brightness[:, None, None, None]


def _with_wall(d: Tensor, eye: Tensor, seed: Tensor, ground: Tensor) -> tuple[Tensor, Tensor]:
    """The ground up to a round wall, and the wall: bricks on a cylinder about the origin."""
    import torch

    a = (d[..., 0] ** 2 + d[..., 2] ** 2).clamp(min=1e-6)
    half_b = eye[..., 0] * d[..., 0] + eye[..., 2] * d[..., 2]
    c = eye[..., 0] ** 2 + eye[..., 2] ** 2 - WALL_DISTANCE**2
    t = (-half_b + (half_b**2 - a * c).clamp(min=0).sqrt()) / a
    x, y, z = (eye[..., k] + t * d[..., k] for k in range(3))
    wall = _bricks(torch.atan2(x, z) * WALL_DISTANCE, y, seed)
    return torch.where((y > 0)[..., None], wall, ground), wall
