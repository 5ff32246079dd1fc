"""Views of a mesh or a cloud: what each camera sees, drawn in a style under a light on a background."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np

from core.errors import Cancelled, ChoiceError, ShapeError, check_choice, check_vectors
from core.rendering.cameras import frame
from core.rendering.samples import averaged
from core.rendering.styles import OWN_COLOURS, STYLES, Drawn, Lit, ink_on
from core.rendering.surfaces import CloudSurface, MeshSurface, Seen, surface_of
from core.sources.meshes.mesh import UP_AXES, Cloud, Mesh
from core.sources.solids.vocabulary import RGB
from core.types import fingerprint

Made = TypeVar("Made")
DRAWING_VERSION = "1"
SIZES_PX = (32, 1024)
LIGHTS: dict[str, tuple[float, float, float]] = {
    "shoulder": (-0.45, 0.70, 0.62), "front": (0.0, 0.0, 1.0), "left": (-0.95, 0.25, 0.25),
    "above": (0.25, 1.0, 0.35), "side": (1.0, 0.35, 0.2),
}
FIXED_LIGHTS = ("above", "side")
"""Lights that stay where they are as the camera goes round; the others go with it: right, up and back of it."""
BACKGROUNDS: dict[str, tuple[float, float]] = {
    "white": (1.0, 1.0), "grey": (0.5, 0.5), "black": (0.0, 0.0), "studio": (0.93, 0.70),
}
"""Grey at the top and at the bottom."""
COLOURS: dict[str, tuple[float, float, float]] = {"grey": (0.74, 0.75, 0.78), **RGB}


@dataclass(frozen=True)
class Drawing:
    """How an object is drawn.

    Attributes
    ----------
    style : a key of STYLES; clouds have no wireframe.
    light : a key of LIGHTS.
    background : a key of BACKGROUNDS.
    colour : a key of COLOURS, of what has no colours of its own or is drawn without them.
    size : side of the picture in px, 32 to 1024.
    up : which axis of the object points up, y or z.
    samples : rays a pixel across and down, 1 to 4.
    """

    style: str = "shaded"
    light: str = "shoulder"
    background: str = "white"
    colour: str = "grey"
    size: int = 224
    up: str = "y"
    samples: int = 2

    def __post_init__(self) -> None:
        for what, value, valid in (("style", self.style, STYLES), ("light", self.light, LIGHTS),
                                   ("background", self.background, BACKGROUNDS), ("colour", self.colour, COLOURS),
                                   ("axis that points up", self.up, UP_AXES), ("samples", self.samples, range(1, 5))):
            check_choice(what, value, valid)
        if not SIZES_PX[0] <= self.size <= SIZES_PX[1]:
            raise ShapeError(f"an image size from {SIZES_PX[0]} to {SIZES_PX[1]} px", str(self.size))

    @property
    def fingerprint(self) -> str:
        return fingerprint("drawing", DRAWING_VERSION, asdict(self))


def styles_of(shape: Mesh | Cloud) -> tuple[str, ...]:
    """The styles in which an object can be drawn."""
    return tuple(style for style in STYLES if style != "wireframe" or isinstance(shape, Mesh))


class Drawer:
    """Draws one object in one way, from anywhere.

    Parameters
    ----------
    shape : the object, as it was brought.
    drawing : how it is drawn.
    surface : the object made ready, where that was done before (`core.rendering.surfaces.surface_of`).

    Raises
    ------
    ChoiceError
        For a cloud as a wireframe.
    """

    def __init__(self, shape: Mesh | Cloud, drawing: Drawing,
                 surface: MeshSurface | CloudSurface | None = None) -> None:
        if drawing.style not in styles_of(shape):
            raise ChoiceError(f"style of a cloud to be one of {', '.join(styles_of(shape))}", repr(drawing.style))
        self.drawing = drawing
        self.surface = surface or surface_of(shape, drawing.up)
        if drawing.style == "points":
            self.surface = self.surface.points()

    def draw(self, direction: np.ndarray) -> np.ndarray:
        """(size, size, 3) uint8 from a unit direction (3,)."""
        how = self.drawing
        seen = self.surface.seen(direction, how.size * how.samples, own_colours=how.style in OWN_COLOURS,
                                 lines=how.style == "wireframe")
        axes = frame(direction)
        light = np.asarray(LIGHTS[how.light])
        light = light if how.light in FIXED_LIGHTS else light @ axes
        light = (light / np.linalg.norm(light)).astype(np.float32)
        on_dark = sum(BACKGROUNDS[how.background]) < 0.9
        lit = Lit(light, np.asarray(direction), np.asarray(COLOURS[how.colour], np.float32), on_dark)
        return self._composed(seen, STYLES[how.style](seen, lit), on_dark)

    def _composed(self, seen: Seen, drawn: Drawn, on_dark: bool) -> np.ndarray:
        size, samples = self.drawing.size, self.drawing.samples
        cover, depth, *colour = averaged(seen.pixel, size, samples, seen.depth, *drawn.colour.T)
        picture = np.stack(colour, axis=2)
        if drawn.hollows:
            picture *= hollows(depth, cover, drawn.hollows)[..., None]
        top, bottom = BACKGROUNDS[self.drawing.background]
        ground = np.linspace(top, bottom, size)[:, None]
        picture += ((1 - cover) * ground)[..., None]
        if drawn.ink is not None:
            ink = drawn.ink.reshape(size, samples, size, samples).mean(axis=(1, 3))
            picture = ink_on(picture, ink, on_dark)
        return (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def hollows(depth: np.ndarray, cover: np.ndarray, strength: float) -> np.ndarray:
    """(s, s) in [0.5, 1]: darker where the surface lies deeper than what surrounds it.

    Parameters
    ----------
    depth : (s, s), times the coverage.
    cover : (s, s) in [0, 1].

    References
    ----------
    Luft, Colditz and Deussen, "Image enhancement by unsharp masking the depth buffer", SIGGRAPH 2006.
    """
    from scipy.ndimage import uniform_filter

    width = max(3, len(depth) // 16 | 1)
    around = uniform_filter(depth, width, mode="constant")
    weight = uniform_filter(cover, width, mode="constant")
    own = depth / np.maximum(cover, 1e-6)
    deeper = np.where(cover > 0, own - around / np.maximum(weight, 1e-6), 0)
    return 1 - np.clip(strength * 4 * (deeper - 0.01), 0, 0.5)


def render_views(shape: Mesh | Cloud, directions: np.ndarray, drawing: Drawing = Drawing(), *,
                 on_progress: Callable[[float, str], None] | None = None,
                 should_stop: Callable[[], bool] | None = None) -> np.ndarray:
    """Views of an object.

    Parameters
    ----------
    shape : the object, as it was brought: its place, its units and its size do not matter.
    directions : (v, 3) unit rows from the object to the cameras, as `core.rendering.cameras.camera_set` gives.
    drawing : style, light, background and size.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between views.

    Returns
    -------
    (v, size, size, 3) uint8 sRGB.

    Raises
    ------
    ShapeError, ChoiceError
        If the directions are no unit rows, or a cloud is to be drawn as a wireframe.
    Cancelled
        If asked to stop.
    """
    check_vectors(np.asarray(directions, dtype=np.float64), what="directions", unit=True)
    out = np.empty((len(directions), drawing.size, drawing.size, 3), np.uint8)
    drawer = Drawer(shape, drawing)
    for i, picture in enumerate(drawn_in_order(drawer.draw, directions)):
        out[i] = picture
        if on_progress is not None:
            on_progress((i + 1) / len(out), f"{i + 1:,} of {len(out):,} views of {shape.name} drawn")
        if should_stop is not None and should_stop() and i + 1 < len(out):
            raise Cancelled(f"{i + 1:,} views")
    return out


def drawn_in_order(draw: Callable[[np.ndarray], Made], directions: Sequence[np.ndarray] | np.ndarray
                   ) -> Iterator[Made]:
    """The views in order; while one is shaded, rays are cast for the next."""
    threads = min(2, os.cpu_count() or 1, len(directions))
    if threads < 2:
        yield from map(draw, directions)
        return
    with ThreadPoolExecutor(threads) as pool:
        ahead = [pool.submit(draw, direction) for direction in directions[:threads + 1]]
        try:
            for i in range(len(directions)):
                yield ahead.pop(0).result()
                if i + threads + 1 < len(directions):
                    ahead.append(pool.submit(draw, directions[i + threads + 1]))
        finally:
            for future in ahead:
                future.cancel()
