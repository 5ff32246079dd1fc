"""A sphere painted into pixels, its near half over its far half, for the pictures of a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import ShapeError
from core.figures import theme
from core.geometry import directions as s2

if TYPE_CHECKING:
    from PIL.Image import Image

SUPERSAMPLED = 2        # pixels painted to one that is given, along each side
BEHIND = 0.4            # share of a colour that is left on the far half
_EYE, _RADIUS = 4.2, 0.43   # as in the live view: distance of the eye in radii, radius of the globe in sides


class PaintedSphere:
    """The empty globe with its grid, seen from one place.

    Parameters
    ----------
    size : of a picture, pixels a side, at least 64; even, for a video.
    direction : (3,) from where to look.
    up : (3,) what is up on the picture; by default the z axis.
    dark : colours for a dark background.

    Raises
    ------
    ShapeError
        If the size is below 64 or odd.
    """

    def __init__(self, *, size: int, direction: np.ndarray, up: np.ndarray | None = None, dark: bool = False) -> None:
        if size < 64 or size % 2:
            raise ShapeError("an even size of at least 64 pixels", str(size))
        self.size, self.dark = size, dark
        self._palette = theme.palette(dark)
        self._turn = _camera(np.asarray(direction, float),
                             np.array([0.0, 0.0, 1.0]) if up is None else np.asarray(up, float))
        self._ground = self._backdrop()
        self._begin()

    def _begin(self) -> None:
        """The layers as they are at first: the far half with all below it, the near half and its mask."""
        from PIL import Image, ImageDraw

        side = self.size * SUPERSAMPLED
        self._layers = (self._ground[0].copy(), Image.new("RGB", (side, side)))
        self._mask = Image.new("L", (side, side), 0)
        self._pens = tuple(ImageDraw.Draw(image) for image in (*self._layers, self._mask))
        self._layers[1].paste(self._ground[1])
        self._mask.paste(self._ground[2])

    def _backdrop(self) -> tuple[Image, Image, Image]:
        """Globe and grid, and what else stands still: its far half, its near half, and the mask of that."""
        from PIL import Image, ImageDraw

        p, side = self._palette, self.size * SUPERSAMPLED
        far = Image.fromarray(_globe(side, theme.rgb(p.background), theme.rgb(p.sphere), self.dark))
        self._layers = (far, Image.new("RGB", (side, side)))
        self._mask = Image.new("L", (side, side), 0)
        self._pens = tuple(ImageDraw.Draw(image) for image in (*self._layers, self._mask))
        for line in s2.graticule(samples=61):
            self._polyline(line, theme.rgb(theme.mixed(p.grid, p.muted, 0.7)), SUPERSAMPLED)
        self._stands_still()
        return (*self._layers, self._mask)

    def _stands_still(self) -> None:
        """Paint what all pictures share."""

    def _merged(self) -> Image:
        """The near half over the far half."""
        picture = self._layers[0].copy()
        picture.paste(self._layers[1], mask=self._mask)
        return picture

    def _polyline(self, line: np.ndarray, colour: tuple[int, ...], width: int) -> None:
        """Each piece on the layer of its half; on the far half weaker."""
        at, facing = self._seen(line)
        behind = towards(colour, theme.rgb(self._palette.sphere), BEHIND)
        near = facing[:-1] + facing[1:] > 0
        for i, front in enumerate(near.tolist()):
            ends = (*at[i].tolist(), *at[i + 1].tolist())
            if front:
                self._pens[1].line(ends, fill=colour, width=width)
                self._pens[2].line(ends, fill=255, width=width)
            else:
                self._pens[0].line(ends, fill=behind, width=width)

    def _seen(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (n, 2) of places, and above 0 where they are on the near half."""
        side = self.size * SUPERSAMPLED
        x, y, z = (places @ self._turn.T).T
        scale = _RADIUS * side * np.sqrt(_EYE**2 - 1) / (_EYE - z)
        return np.stack([side / 2 + scale * x, side / 2 - scale * y], axis=1), z * _EYE - 1


def towards(colour: tuple[int, ...], ground: tuple[int, ...], share: float) -> tuple[int, ...]:
    """A colour of which a share is left, over a ground."""
    return tuple(round(share * c + (1 - share) * g) for c, g in zip(colour, ground))


def _camera(direction: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(3, 3) rows: right, up and towards the eye."""
    towards = direction / np.linalg.norm(direction)
    right = np.cross(up, towards)
    if np.linalg.norm(right) < 1e-6:
        right = s2.perpendicular(towards[None])[0]
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


def _globe(side: int, ground: tuple[int, ...], body: tuple[int, ...], dark: bool) -> np.ndarray:
    """The empty globe: (side, side, 3) uint8, a little darker or lighter towards its rim."""
    middle = (np.arange(side) + 0.5 - side / 2) / (_RADIUS * side)
    r = np.hypot(middle[:, None], middle[None, :])
    rim = np.clip(r, 0, 1)[..., None] ** 6
    shade = np.array(body) * (1 - rim) + np.array(body) * (1.6 if dark else 0.86) * rim
    inside = np.clip((1 - r) * _RADIUS * side + 0.5, 0, 1)[..., None]
    return np.round(np.clip(shade * inside + np.array(ground) * (1 - inside), 0, 255)).astype(np.uint8)
