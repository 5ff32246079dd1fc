"""Many views of one object: the same solid, or group of solids, under a camera that goes round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.errors import ShapeError
from core.sources.solids.scene import Camera, Scene, Solid


def object_views(solids: Solid | Sequence[Solid], n: int, *, styles: Sequence[str] = ("photo",),
                 settings: Sequence[str] = ("studio",), pitches: Sequence[float] = (0.35,), seed: int = 0
                 ) -> list[Scene]:
    """Views from all round an object.

    Parameters
    ----------
    solids : the object.
    n : yaws, evenly spaced over a full turn, >= 1; each is drawn in every style, setting and pitch.
    pitches : camera heights in radians above the horizon.
    seed : grain and pattern of the settings; the same seed gives the same place.

    Returns
    -------
    n * len(styles) * len(settings) * len(pitches) scenes; the yaw changes fastest.
    """
    if n < 1:
        raise ShapeError("at least one view", str(n))
    solids = (solids,) if isinstance(solids, Solid) else tuple(solids)
    height = float(np.mean([s.centre[1] for s in solids]))
    x, z = (float(np.mean([getattr(s, axis) for s in solids])) for axis in "xz")
    reach = max(math.hypot(s.x - x, s.z - z) + s.radius for s in solids)
    scenes = []
    for style in styles:
        for setting in settings:
            for pitch in pitches:
                for step in range(n):
                    yaw = 2 * math.pi * step / n
                    camera = Camera(yaw, pitch, 1.2 + 2.9 * reach, (x, height, z))
                    scenes.append(Scene(solids, setting, style, camera, light_yaw=yaw + 0.7, seed=seed))
    return scenes


def restyled(scene: Scene, *, style: str | None = None, setting: str | None = None, **solid: Any) -> Scene:
    """The same scene with another style, setting, or attribute of its first solid (shape, colour, texture)."""
    first = replace(scene.solids[0], **solid)
    return replace(scene, style=style or scene.style, setting=setting or scene.setting,
                   solids=(first, *scene.solids[1:]))
