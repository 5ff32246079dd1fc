"""What an object is once it has been read: a mesh of triangles, or a cloud of points, each with its colours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.errors import ShapeError, check_choice
from core.types import fingerprint

UP_AXES = ("y", "z")


def _frozen(array: np.ndarray, dtype: type) -> np.ndarray:
    array = np.ascontiguousarray(array, dtype=dtype)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points in space.

    Attributes
    ----------
    name : what a user calls it.
    points : (n, 3) float64, in the units of its file, n >= 2, not all the same.
    colours : (n, 3) uint8 sRGB, or None.
    """

    name: str
    points: np.ndarray
    colours: np.ndarray | None = None

    def __post_init__(self) -> None:
        points = _frozen(self.points, np.float64)
        _check_points(points, "points")
        object.__setattr__(self, "points", points)
        if self.colours is not None:
            colours = _frozen(self.colours, np.uint8)
            if colours.shape != points.shape:
                raise ShapeError(f"colours of shape {points.shape}", f"shape {colours.shape}")
            object.__setattr__(self, "colours", colours)

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint("cloud", self.points, self.colours is not None,
                           *(() if self.colours is None else (self.colours,)))


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in space; colours lie at their corners, and pictures may be laid on them.

    Attributes
    ----------
    name : what a user calls it.
    vertices : (n, 3) float64, in the units of its file.
    faces : (m, 3) int32, rows of vertices, m >= 2.
    colours : (m, 3, 3) uint8 sRGB of the three corners of each face, or None.
    uv : (m, 3, 2) float32, places of the corners in their texture, (0, 0) its lower left, (1, 1) its upper right.
    texture_of : (m,) int16, which texture lies on a face, -1 for none.
    textures : (h, w, 3) uint8 pictures.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    colours: np.ndarray | None = None
    uv: np.ndarray | None = None
    texture_of: np.ndarray | None = None
    textures: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        vertices, faces = _frozen(self.vertices, np.float64), _frozen(self.faces, np.int32)
        if faces.ndim != 2 or faces.shape[1] != 3 or len(faces) < 2:
            raise ShapeError("at least two faces, shape (m, 3)", f"shape {faces.shape}")
        _check_points(vertices, "vertices")
        if faces.min() < 0 or faces.max() >= len(vertices):
            raise ShapeError(f"faces of the {len(vertices):,} vertices at hand", "an index outside them")
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)
        m = len(faces)
        for what, shape, dtype in (("colours", (m, 3, 3), np.uint8), ("uv", (m, 3, 2), np.float32),
                                   ("texture_of", (m,), np.int16)):
            value = getattr(self, what)
            if value is not None:
                if value.shape != shape:
                    raise ShapeError(f"{what} of shape {shape}", f"shape {value.shape}")
                object.__setattr__(self, what, _frozen(value, dtype))
        if self.textures and (self.uv is None or self.texture_of is None or not
                              -1 <= self.texture_of.min() <= self.texture_of.max() < len(self.textures)):
            raise ShapeError("a place in one of the textures for each face", "none, or one outside them")
        object.__setattr__(self, "textures", tuple(_frozen(t, np.uint8) for t in self.textures))

    @property
    def coloured(self) -> bool:
        """Whether it has colours of its own."""
        return self.colours is not None or bool(self.textures)

    @cached_property
    def fingerprint(self) -> str:
        parts = {name: value for name in ("colours", "uv", "texture_of") if (value := getattr(self, name)) is not None}
        return fingerprint("mesh", self.vertices, self.faces, sorted(parts), *(parts[k] for k in sorted(parts)),
                           *self.textures)


def _check_points(points: np.ndarray, what: str) -> None:
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 2:
        raise ShapeError(f"at least two {what}, shape (n, 3)", f"shape {points.shape}")
    if not np.isfinite(points).all():
        raise ShapeError(f"finite {what}", "NaN or infinity")
    if (points == points[0]).all():
        raise ShapeError(f"{what} that differ", "one and the same place")


def placed(shape: Mesh | Cloud, up: str = "y") -> Mesh | Cloud:
    """The object with y up, the middle of its box at the origin, and its farthest point at distance 1.

    Parameters
    ----------
    shape : in any units, anywhere.
    up : which axis of the file points up, y or z.

    Raises
    ------
    ChoiceError
        If the axis is neither.
    """
    check_choice("axis that points up", up, UP_AXES)
    points = shape.points if isinstance(shape, Cloud) else shape.vertices
    low, high = points.min(axis=0), points.max(axis=0)
    size = float((high - low).max())
    points = (points - low) / size - (high - low) / size / 2
    if up == "z":
        points = np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)
    points = points / np.sqrt(np.einsum("ij,ij->i", points, points).max())
    return replace(shape, points=points) if isinstance(shape, Cloud) else replace(shape, vertices=points)
