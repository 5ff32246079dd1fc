"""Objects in the look of the built-in world: its light, its settings, its styles, one plain colour.

The built-in CLIP knows nothing else. A mesh stands where a solid would stand; what the camera sees of it is handed to
the world's own styles. The world's solids are seen by the same cameras.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ShapeError, check_choice
from core.rendering.cameras import angles
from core.rendering.samples import averaged
from core.rendering.surfaces import CloudSurface, MeshSurface, surface_of
from core.sources.meshes.mesh import UP_AXES, Cloud, Mesh
from core.sources.solids.render import RENDERER_VERSION, SIZES_PX, camera_view, render
from core.sources.solids.scene import Camera, Scene, Solid
from core.sources.solids.vocabulary import COLOURS, RGB, SETTINGS, STYLES
from core.types import fingerprint

if TYPE_CHECKING:
    from torch import Tensor

    from core.sources.solids.layers import View

LOOK_VERSION = "1"
RADIUS = 1.08
"""Of the ball that a mesh fills, in units of the world."""
_SAMPLES = 2
_CHUNK = 8


@dataclass(frozen=True)
class WorldLook:
    """How an object is drawn in the built-in world.

    Attributes
    ----------
    style : a key of the world's STYLES: photo, cartoon, neon, sketch, pixel.
    setting : a key of its SETTINGS.
    colour : a key of its COLOURS; "" draws what has colours of its own in these, and a solid in the one it has.
    size : side of the picture in px, 64 to 512.
    up : which axis of a mesh points up, y or z.
    seed : of the grain and the pattern of the setting.
    """

    style: str = "photo"
    setting: str = "studio"
    colour: str = "green"
    size: int = 128
    up: str = "y"
    seed: int = 0

    def __post_init__(self) -> None:
        for what, value, valid in (("style", self.style, STYLES), ("setting", self.setting, SETTINGS),
                                   ("colour", self.colour, ("", *COLOURS)), ("axis that points up", self.up, UP_AXES)):
            check_choice(what, value, valid)
        if not SIZES_PX[0] <= self.size <= SIZES_PX[1]:
            raise ShapeError(f"an image size from {SIZES_PX[0]} to {SIZES_PX[1]} px", str(self.size))

    @property
    def fingerprint(self) -> str:
        return fingerprint("world look", LOOK_VERSION, RENDERER_VERSION, asdict(self))


def solid_scenes(solid: Solid, directions: np.ndarray, look: WorldLook) -> list[Scene]:
    """The scenes of a solid as cameras in directions (v, 3) see it; from below, nothing but the backdrop is behind."""
    solid = replace(solid, colour=look.colour or solid.colour)
    return [_scene(solid, direction, solid.centre, 1.2 + 2.9 * solid.radius, look) for direction in directions]


def _scene(solid: Solid, direction: np.ndarray, target: tuple[float, float, float], distance: float,
           look: WorldLook) -> Scene:
    azimuth, elevation = (math.radians(float(angle[0])) for angle in angles(np.asarray(direction)[None]))
    camera = Camera(azimuth, elevation, distance, target)
    return Scene((solid,), look.setting, look.style, camera, light_yaw=azimuth + 0.7, seed=look.seed)


class WorldDrawer:
    """Draws one object in the look of the built-in world, from anywhere.

    Parameters
    ----------
    shape : a solid of the world, or a mesh or cloud as it was brought.
    look : how.
    surface : the mesh made ready, where that was done before.
    """

    def __init__(self, shape: Mesh | Cloud | Solid, look: WorldLook,
                 surface: MeshSurface | CloudSurface | None = None) -> None:
        self.shape, self.look = shape, look
        self._surface = None if isinstance(shape, Solid) else surface or surface_of(shape, look.up)

    def draw_all(self, directions: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """(v, size, size, 3) uint8 from unit directions (v, 3)."""
        directions = np.asarray(directions, dtype=np.float64)
        if isinstance(self.shape, Solid):
            return render(solid_scenes(self.shape, directions, self.look), self.look.size).images
        parts = [self._chunk(directions[i:i + _CHUNK]) for i in range(0, len(directions), _CHUNK)]
        return np.concatenate(parts) if parts else np.empty((0, self.look.size, self.look.size, 3), np.uint8)

    def _chunk(self, directions: np.ndarray) -> np.ndarray:
        import torch

        from core.sources.solids.layers import Layers
        from core.sources.solids.settings import paint_background
        from core.sources.solids.styles import finish

        assert self._surface is not None
        look, size = self.look, self.look.size
        rest = -self._surface.lowest * RADIUS
        stand_in = Solid("sphere", look.colour or "green", radius=RADIUS)
        distance = 1.2 + 2.9 * RADIUS
        scenes = [_scene(stand_in, direction, (0.0, rest, 0.0), distance, look) for direction in directions]
        with torch.inference_mode():
            view = camera_view(scenes, size)
            layers = Layers(background=paint_background(scenes, view), size=size,
                            **self._layers(directions, distance / RADIUS, view))
            pictures = finish(scenes, view, layers)
        return (pictures.clamp(0, 1) * 255 + 0.5).to(torch.uint8).numpy()

    def _layers(self, directions: np.ndarray, distance: float, view: View) -> dict[str, Tensor]:
        """What the world's styles need to know of each pixel, from a few samples of it."""
        import torch

        assert self._surface is not None
        size, fine = self.look.size, self.look.size * _SAMPLES
        sums = np.empty((len(directions), 9, size, size))
        for i, direction in enumerate(directions):
            seen = self._surface.seen(direction, fine, distance, own_colours=not self.look.colour)
            light = view.light[i].numpy()
            half = light - seen.ray
            half /= np.linalg.norm(half, axis=1, keepdims=True)
            lit = (0.5 + 0.5 * (seen.normal @ light) + 0.12 * seen.normal[:, 1]).clip(0, 1)
            gloss = np.einsum("hi,hi->h", seen.normal, half).clip(0) ** 40
            plain = np.asarray(RGB[self.look.colour] if self.look.colour else (0.7, 0.7, 0.7))
            albedo = np.broadcast_to(plain, seen.normal.shape) if seen.albedo is None else seen.albedo
            sums[i] = averaged(seen.pixel, size, _SAMPLES, lit, gloss, *albedo.T, *seen.normal.T)
        cover = sums[:, :1]
        sums[:, [1, 3, 4, 5]] /= np.maximum(cover, 1e-3)
        maps = torch.from_numpy(sums.astype(np.float32))
        return {"cover": maps[:, 0], "lit": maps[:, 1], "gloss": maps[:, 2],
                "albedo": maps[:, 3:6].permute(0, 2, 3, 1), "normal": maps[:, 6:9].permute(0, 2, 3, 1),
                "which": (maps[:, 0] > 0.5).long()}
