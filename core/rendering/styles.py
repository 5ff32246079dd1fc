"""How what a camera sees is drawn: nine styles, from a shaded body to a wireframe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.rendering.cameras import frame
from core.rendering.surfaces import Seen

_INK = np.array([0.06, 0.06, 0.08], np.float32)
_JUMP, _BEND = 0.03, 0.62


@dataclass(frozen=True)
class Lit:
    """Under which light and in which plain colour something is drawn, from where, and on what.

    Attributes
    ----------
    light : (3,) float32 unit, towards the light.
    direction : (3,) unit, towards the camera.
    colour : (3,) float32 in [0, 1].
    on_dark : whether the background is darker than middle grey.
    """

    light: np.ndarray
    direction: np.ndarray
    colour: np.ndarray
    on_dark: bool


@dataclass(frozen=True)
class Drawn:
    """Colours (h, 3) float32 of the samples, and how much ink lies on all samples of the picture; None for none.

    ``hollows`` in [0, 1] says how much darker hollows are drawn.
    """

    colour: np.ndarray
    ink: np.ndarray | None = None
    hollows: float = 0.0


def _parts(seen: Seen, lit: Lit) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(h,) each: towards the light in [-1, 1], towards above, gloss, and how edge-on it is seen."""
    x, y, z = (np.ascontiguousarray(seen.normal[:, k]) for k in range(3))
    light = lit.light
    towards = x * light[0] + y * light[1] + z * light[2]
    half = light + np.asarray(lit.direction, np.float32)
    half = half / max(1e-6, float(np.linalg.norm(half)))
    gloss = np.maximum(x * half[0] + y * half[1] + z * half[2], 0)
    for _ in range(5):
        gloss = gloss * gloss
    d = np.asarray(lit.direction, np.float32)
    edge_on = 1 - np.abs(x * d[0] + y * d[1] + z * d[2])
    return towards, y, gloss, edge_on


def _body(seen: Seen, lit: Lit, albedo: np.ndarray) -> Drawn:
    towards, above, gloss, edge_on = _parts(seen, lit)
    wrapped = 0.5 + 0.5 * towards
    light = 0.30 + 0.10 * above + 0.62 * wrapped * wrapped + 0.16 * np.maximum(towards, 0)
    light *= 1 - 0.22 * edge_on * edge_on * edge_on
    colour = np.empty((len(light), 3), np.float32)
    for k in range(3):
        colour[:, k] = (albedo[k] if albedo.ndim == 1 else albedo[:, k]) * light + 0.16 * gloss
    return Drawn(colour, hollows=0.9)


def _shaded(seen: Seen, lit: Lit) -> Drawn:
    return _body(seen, lit, lit.colour)


def _textured(seen: Seen, lit: Lit) -> Drawn:
    return _body(seen, lit, lit.colour if seen.albedo is None else seen.albedo)


def _albedo(seen: Seen, lit: Lit) -> np.ndarray:
    return np.broadcast_to(lit.colour, (len(seen.pixel), 3)) if seen.albedo is None else seen.albedo


def _cartoon(seen: Seen, lit: Lit) -> Drawn:
    towards, _, gloss, _ = _parts(seen, lit)
    tone = 0.58 + 0.24 * (towards > -0.05) + 0.22 * (towards > 0.5)
    colour = _albedo(seen, lit) * tone[:, None].astype(np.float32)
    colour = np.clip(colour + 0.35 * (gloss > 0.55)[:, None].astype(np.float32), 0, 1)
    return Drawn(colour, outline(seen, max(2, seen.size // 110)))


def _sketch(seen: Seen, lit: Lit) -> Drawn:
    towards, above, _, _ = _parts(seen, lit)
    tone = 0.5 + 0.42 * towards + 0.08 * above
    down, across = np.divmod(seen.pixel.astype(np.int32), np.int32(seen.size))
    x, y = (at.astype(np.float32) / np.float32(seen.size) for at in (across, down))
    waver = 0.006 * np.sin(13 * x + 7 * y) + 0.002 * np.sin(41 * y - 17 * x)
    stroke = 0.5 + 0.5 * np.sin((x + y + waver) * 210)
    crossed = 0.5 + 0.5 * np.sin((x - y + waver) * 210)
    grain = 0.94 + 0.06 * np.sin(x * 913.7 + y * 1571.3) * np.sin(x * 677.1 - y * 1201.9)
    dark = np.maximum(np.clip((0.62 - tone - 0.45 * stroke + 0.35) * 2.2, 0, 0.62),
                      np.clip((0.34 - tone - 0.40 * crossed + 0.24) * 2.2, 0, 0.75))
    paper = 0.97 if not lit.on_dark else 0.90
    grey = paper - dark * grain
    return Drawn(np.repeat(grey[:, None], 3, axis=1).astype(np.float32), 0.85 * outline(seen, max(1, seen.size // 220)))


def _silhouette(seen: Seen, lit: Lit) -> Drawn:
    return Drawn(np.full((len(seen.pixel), 3), 0.97 if lit.on_dark else 0.02, np.float32))


def _normals(seen: Seen, lit: Lit) -> Drawn:
    colour = np.empty_like(seen.normal)
    for k, axis in enumerate(frame(lit.direction).astype(np.float32)):
        colour[:, k] = 0.5 + 0.5 * (seen.normal[:, 0] * axis[0] + seen.normal[:, 1] * axis[1]
                                    + seen.normal[:, 2] * axis[2])
    return Drawn(colour)


def _by_depth(seen: Seen, lit: Lit) -> Drawn:
    near = 1 - np.clip(seen.depth, 0, 1)
    grey = 0.15 + 0.85 * near if lit.on_dark else 0.85 - 0.80 * near
    return Drawn(np.repeat(grey[:, None], 3, axis=1).astype(np.float32))


def _wireframe(seen: Seen, lit: Lit) -> Drawn:
    assert seen.line is not None
    face, line = (np.float32(0.13), np.float32(0.95)) if lit.on_dark else (np.float32(0.985), np.float32(0.10))
    towards, _, _, _ = _parts(seen, lit)
    grey = face * (0.90 + 0.10 * towards)
    grey = grey + (line - grey) * seen.line
    return Drawn(np.repeat(grey[:, None], 3, axis=1).astype(np.float32), 0.8 * outline(seen, 1, creases=False))


def _points(seen: Seen, lit: Lit) -> Drawn:
    near = 1 - np.clip(seen.depth, 0, 1)[:, None]
    ground = np.float32(0.0 if lit.on_dark else 1.0)
    colour = (lit.colour if lit.on_dark else 0.35 * lit.colour) if seen.albedo is None else seen.albedo
    return Drawn((ground + (colour - ground) * (0.45 + 0.55 * near)).astype(np.float32))


STYLES: dict[str, Callable[[Seen, Lit], Drawn]] = {
    "shaded": _shaded, "textured": _textured, "cartoon": _cartoon, "sketch": _sketch, "silhouette": _silhouette,
    "normals": _normals, "depth": _by_depth, "wireframe": _wireframe, "points": _points,
}
OWN_COLOURS = ("textured", "cartoon", "points")
"""Styles that show an object's own colours, where it has any."""


def outline(seen: Seen, width: int, *, creases: bool = True) -> np.ndarray:
    """(size, size) float32, 1 where the object ends, where it stands before itself, or where it has a crease.

    Parameters
    ----------
    seen : what the camera sees.
    width : of the line in samples, >= 1.
    creases : whether creases are drawn.
    """
    size = seen.size
    depth = np.full((size, size), 2, np.float32)
    depth.reshape(-1)[seen.pixel] = seen.depth
    planes = np.zeros((3, size, size), np.float32)
    if creases:
        for plane, part in zip(planes, seen.normal.T):
            plane.reshape(-1)[seen.pixel] = part
    edge = np.zeros((size, size), bool)
    for first, second in (((slice(None), slice(0, -1)), (slice(None), slice(1, None))),
                          ((slice(0, -1), slice(None)), (slice(1, None), slice(None)))):
        line = np.abs(depth[first] - depth[second]) > _JUMP
        if creases:
            x, y, z = (plane[first] * plane[second] for plane in planes)
            line |= (x + y + z < _BEND) & (np.maximum(depth[first], depth[second]) < 2)
        edge[first] |= line
    for step in range(width - 1):
        keep, shifted = (slice(0, -1), slice(1, None)) if step % 2 else (slice(1, None), slice(0, -1))
        edge[:, keep] |= edge[:, shifted].copy()
        edge[keep] |= edge[shifted].copy()
    return edge.astype(np.float32)


def ink_on(picture: np.ndarray, ink: np.ndarray, on_dark: bool) -> np.ndarray:
    """A picture (s, s, 3) with ink (s, s) in [0, 1] laid on it; on a dark ground the ink is white."""
    tone = 1 - _INK if on_dark else _INK
    return picture + (tone - picture) * ink[..., None]
