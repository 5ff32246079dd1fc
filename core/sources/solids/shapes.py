"""Signed distances and surface textures of the solids, in object space: y up, all within their BOUND.

Distances follow Quilez, "3D distance functions" (iquilezles.org). Flat shapes lie in the x-y plane and face z.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

THICKNESS = 0.27

# Radius of a ball that holds the solid.
BOUND: dict[str, float] = {
    "sphere": 0.86, "cube": 1.06, "cone": 1.07, "cylinder": 0.92, "torus": 0.92, "pyramid": 1.21, "octahedron": 0.98,
    "star": 1.02, "heart": 0.99, "cross": 0.96,
}

# How far the lowest point lies below the centre: a solid rests on the ground at this height.
REST: dict[str, float] = {
    "sphere": 0.85, "cube": 0.62, "cone": 0.75, "cylinder": 0.72, "torus": 0.91, "pyramid": 0.72,
    "octahedron": 0.97, "star": 0.78, "heart": 0.80, "cross": 0.86,
}


def _length(*parts: Tensor) -> Tensor:
    total = parts[0] * parts[0]
    for part in parts[1:]:
        total = total + part * part
    return total.sqrt()


def _extrude(flat: Tensor, z: Tensor) -> Tensor:
    """The solid of thickness 2 * THICKNESS over a plane shape with signed distance ``flat``."""
    depth = z.abs() - THICKNESS
    outside = _length(flat.clamp(min=0), depth.clamp(min=0))
    return outside + flat.maximum(depth).clamp(max=0)


def sphere(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return _length(x, y, z) - 0.85


def cube(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    half = 0.58
    a, b, c = x.abs() - half, y.abs() - half, z.abs() - half
    inside = a.maximum(b).maximum(c).clamp(max=0)
    return _length(a.clamp(min=0), b.clamp(min=0), c.clamp(min=0)) + inside - 0.04


def cylinder(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    side, top = _length(x, z) - 0.55, y.abs() - 0.70
    return _length(side.clamp(min=0), top.clamp(min=0)) + side.maximum(top).clamp(max=0) - 0.02


def cone(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    radius, height = 0.75, 1.55
    slope = math.hypot(radius, height)
    side = (_length(x, z) * height + (y - 0.80) * radius) / slope
    return side.maximum(-0.75 - y)


def pyramid(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    half, height = 0.68, 1.45
    slope = math.hypot(half, height)
    side = (x.abs().maximum(z.abs()) * height + (y - 0.73) * half) / slope
    return side.maximum(-0.72 - y)


def torus(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return _length(_length(x, y) - 0.62, z) - 0.29


def octahedron(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return (x.abs() * 1.25 + y.abs() + z.abs() * 1.25 - 0.97) / math.sqrt(1 + 2 * 1.25**2)


def star(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    outer, inner = 0.97, 0.47
    k1x, k1y = math.cos(math.pi / 5), -math.sin(math.pi / 5)
    px, py = x.abs(), y
    fold = (px * k1x + py * k1y).clamp(min=0)
    px, py = px - 2 * fold * k1x, py - 2 * fold * k1y
    fold = (-px * k1x + py * k1y).clamp(min=0)
    px, py = px + 2 * fold * k1x, py - 2 * fold * k1y
    px, py = px.abs(), py - outer
    bx, by = inner * -k1y, inner * k1x - outer
    along = ((px * bx + py * by) / (bx * bx + by * by)).clamp(0, 1)
    distance = _length(px - bx * along, py - by * along)
    flat = distance * (py * bx - px * by).sign()
    return _extrude(flat - 0.01, z)


def heart(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    scale = 1.42
    px, py = x.abs() / scale, (y + 0.78) / scale
    lobe = _length(px - 0.25, py - 0.75) - math.sqrt(2) / 4
    diagonal = 0.5 * (px + py).clamp(min=0)
    point = _length(px, py - 1).minimum(_length(px - diagonal, py - diagonal)) * (px - py).sign()
    flat = (px + py > 1).to(px.dtype)
    return _extrude((flat * lobe + (1 - flat) * point) * scale, z)


def cross(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    arm, width = 0.86, 0.29
    px, py = x.abs(), y.abs()
    px, py = px.maximum(py), px.minimum(py)
    a, b = px - arm, py - width
    beyond = a.maximum(b).clamp(max=0) + _length(a.clamp(min=0), b.clamp(min=0))
    return _extrude(beyond, z)


DISTANCES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "sphere": sphere, "cube": cube, "cone": cone, "cylinder": cylinder, "torus": torus, "pyramid": pyramid,
    "octahedron": octahedron, "star": star, "heart": heart, "cross": cross,
}


def _step(value: Tensor, footprint: Tensor) -> Tensor:
    """0 below zero, 1 above, with an edge as wide as a pixel."""
    return (0.5 + value / footprint).clamp(0, 1)


def whiteness(texture: str, point: Tensor, normal: Tensor, footprint: Tensor) -> Tensor:
    """Share of white, in [0, 1], at surface points.

    Parameters
    ----------
    texture : a key of vocabulary.TEXTURES.
    point, normal : (n, 3) object space.
    footprint : (n,) width of a pixel in object units.
    """
    x, y, z = point.unbind(1)
    if texture == "striped":
        return _step((y * 2 * math.pi / 0.62 + 0.8).sin() * 0.09, footprint)
    if texture in ("checkered", "dotted"):
        axis = normal.abs().argmax(dim=1)
        u, v = y.where(axis == 0, x), z.where(axis != 2, y)
        if texture == "checkered":
            cell = 0.46
            return _step((u * math.pi / cell + 0.6).sin() * (v * math.pi / cell + 0.6).sin() * 0.14, footprint)
        cell = 0.56
        row = (v / cell).round()
        du = u / cell + 0.5 * (row % 2)
        return _step((0.31 - _length(du - du.round(), v / cell - row)) * cell, footprint)
    if texture == "dipped":
        return _step(-0.05 - y, footprint)
    return x.new_zeros(x.shape)
