"""Objects made ready to be looked at: what a camera sees of a mesh or a cloud, ray by ray."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.rendering.cameras import DISTANCE, SPREAD, frame, project
from core.rendering.casting import Caster, Hits
from core.rendering.normals import corner_normals, face_normals, unit_rows
from core.sources.meshes.mesh import Cloud, Mesh, placed

_NEIGHBOURS = 12
_MOST_SPACED = 20_000
_AT_ONCE = 50_000
_CLOSED = 1.35
"""Radius of a disc over the distance to the third neighbour: of points spread at random 1 in 200 gaps stays open."""
_DOT_SIDE = (1.2, 0.03)
_SMALL = 0.23
_SAMPLED = 4_000


@dataclass(frozen=True)
class Seen:
    """What one camera sees, a row for each sample of the picture that falls on the object.

    Attributes
    ----------
    size : samples across and down.
    pixel : (h,) int64, place of the sample, row by row.
    ray : (h, 3) float32, unit, from the camera.
    normal : (h, 3) float32, unit, of the side that is seen.
    depth : (h,) float32, along the camera's axis, 0 at the near side of the unit ball, 1 at its far side.
    albedo : (h, 3) float32 in [0, 1], the object's own colours, or None.
    line : (h,) float32 in [0, 1], how much of the sample lies on an edge of a face, or None for clouds.
    """

    size: int
    pixel: np.ndarray
    ray: np.ndarray
    normal: np.ndarray
    depth: np.ndarray
    albedo: np.ndarray | None
    line: np.ndarray | None = None


def surface_of(shape: Mesh | Cloud, up: str = "y") -> MeshSurface | CloudSurface:
    """The object, placed, with what all its views share."""
    shape = placed(shape, up)
    return CloudSurface(shape) if isinstance(shape, Cloud) else MeshSurface(shape)


def _depth(hits: Hits, direction: np.ndarray, distance: float) -> np.ndarray:
    along = -hits.distance * (hits.ray @ np.asarray(direction, np.float32))
    return ((along - (distance - 1)) / 2).astype(np.float32)


class MeshSurface:
    """A mesh with its tree of faces, its normals and its textures at the size at which they are seen."""

    def __init__(self, mesh: Mesh, embree: bool | None = None) -> None:
        self.mesh = mesh
        self._vertices = mesh.vertices.astype(np.float32)
        self._caster = Caster(self._vertices, mesh.faces, embree)
        self._normals = corner_normals(self._vertices, mesh.faces)
        self._halved: dict[tuple[int, int], np.ndarray] = {}
        self._lock = threading.Lock()

    @property
    def lowest(self) -> float:
        """Height of its lowest place."""
        return float(self.mesh.vertices[:, 1].min())

    def cast(self, direction: np.ndarray, size: int, distance: float = DISTANCE) -> Hits:
        """The bare hits of a view."""
        return self._caster.first(direction, size, distance)

    def seen(self, direction: np.ndarray, size: int, distance: float = DISTANCE, *, own_colours: bool = True,
             lines: bool = False) -> Seen:
        """What the camera in a direction (3,) sees, at ``size`` samples a side."""
        hits = self.cast(direction, size, distance)
        normal = unit_rows(np.einsum("hk,hki->hi", hits.weights, self._normals[hits.face]))
        away = np.einsum("hi,hi->h", self._flat[hits.face], hits.ray) > 0
        normal[away] *= -1
        return Seen(size, hits.pixel, hits.ray, normal, _depth(hits, direction, distance),
                    self._albedo(hits, size) if own_colours and self.mesh.coloured else None,
                    self._line(hits, size) if lines else None)

    @cached_property
    def _flat(self) -> np.ndarray:
        return face_normals(self._vertices, self.mesh.faces)

    def _albedo(self, hits: Hits, size: int) -> np.ndarray:
        mesh = self.mesh
        if mesh.colours is None:
            colour = np.full((len(hits.face), 3), 0.78, np.float32)
        else:
            colour = np.einsum("hk,hkc->hc", hits.weights, mesh.colours[hits.face], dtype=np.float32) / 255
        if mesh.texture_of is not None and mesh.uv is not None:
            of = mesh.texture_of[hits.face]
            for i in range(len(mesh.textures)):
                rows = np.flatnonzero(of == i)
                if len(rows):
                    uv = np.einsum("hk,hkc->hc", hits.weights[rows], mesh.uv[hits.face[rows]])
                    colour[rows] = _looked_up(self._texture(i, size), uv)
        return colour

    def _texture(self, i: int, size: int) -> np.ndarray:
        """A texture in [0, 1], halved until a sample is about one of its texels."""
        level = max(0, int(np.floor(np.log2(max(1e-6, self._texels[i] * 2 * SPREAD * DISTANCE / size)) + 0.25)))
        with self._lock:
            if (i, level) not in self._halved:
                texture = self.mesh.textures[i].astype(np.float32) / 255
                for _ in range(level):
                    texture = _half(texture)
                self._halved[i, level] = texture
            return self._halved[i, level]

    @cached_property
    def _texels(self) -> list[float]:
        """Texels a unit of length of the object, of the middle face of each texture by area."""
        mesh = self.mesh
        assert mesh.uv is not None and mesh.texture_of is not None
        area = np.linalg.norm(self._flat, axis=1)
        a, b = mesh.uv[:, 1] - mesh.uv[:, 0], mesh.uv[:, 2] - mesh.uv[:, 0]
        in_picture = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        out = []
        for i, texture in enumerate(mesh.textures):
            rows = np.flatnonzero((mesh.texture_of == i) & (area > 0))
            if not len(rows):
                out.append(0.0)
                continue
            ratio = in_picture[rows] / area[rows]
            order = np.argsort(ratio)
            share = np.cumsum(area[rows][order])
            middle = ratio[order][np.searchsorted(share, share[-1] / 2)]
            out.append(float(np.sqrt(middle * texture.shape[0] * texture.shape[1])))
        return out

    def _line(self, hits: Hits, size: int) -> np.ndarray:
        """Coverage of each sample by the nearest edge of its face; fine meshes are drawn in paler lines."""
        height = self._heights[hits.face] * (size / (2 * SPREAD) / hits.distance)[:, None]
        off = hits.weights * height
        nearest, least = (np.minimum(np.minimum(a[:, 0], a[:, 1]), a[:, 2]) for a in (off, height))
        pale = np.clip(least / 10, 0.12, 1)
        return np.clip(size / 300 + 0.5 - nearest, 0, 1) * pale

    @cached_property
    def _heights(self) -> np.ndarray:
        """(m, 3) height of each face over the edge opposite to each corner."""
        corner = self._vertices[self.mesh.faces]
        area = np.linalg.norm(self._flat, axis=1)
        edge = np.stack([np.linalg.norm(corner[:, (k + 1) % 3] - corner[:, (k + 2) % 3], axis=1) for k in range(3)], 1)
        return (area[:, None] / np.maximum(edge, 1e-20)).astype(np.float32)

    def points(self, seed: int = 0) -> CloudSurface:
        """Points on its faces, uniform by area, with the normals and colours that they have there."""
        mesh, rng = self.mesh, np.random.default_rng(seed)
        area = np.cumsum(np.linalg.norm(self._flat, axis=1).astype(np.float64))
        face = np.searchsorted(area, rng.random(_SAMPLED) * area[-1]).clip(0, len(mesh.faces) - 1)
        root, share = np.sqrt(rng.random(_SAMPLED)), rng.random(_SAMPLED)
        weights = np.stack([1 - root, root * (1 - share), root * share], axis=1).astype(np.float32)
        places = np.einsum("hk,hki->hi", weights, mesh.vertices[mesh.faces[face]])
        normal = unit_rows(np.einsum("hk,hki->hi", weights, self._normals[face]))
        hits = Hits(face, normal, face, weights, normal[:, 0])
        colours = (self._albedo(hits, 1024) * 255 + 0.5).astype(np.uint8) if mesh.coloured else None
        return CloudSurface(Cloud(mesh.name, places, colours), normal, dot=_SMALL)


def _half(texture: np.ndarray) -> np.ndarray:
    """A picture of half the height and width, of means; a side of one texel stays."""
    h, w = (side // 2 * 2 for side in texture.shape[:2])
    if h:
        texture = (texture[0:h:2] + texture[1:h:2]) / 2
    if w:
        texture = (texture[:, 0:w:2] + texture[:, 1:w:2]) / 2
    return texture


def _looked_up(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(h, 3) colours of a texture at places (h, 2), between its texels; beyond its rim it begins again."""
    h, w = texture.shape[:2]
    x, y = (uv[:, 0] % 1) * w - 0.5, (1 - uv[:, 1] % 1) * h - 0.5
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = (x - left)[:, None].astype(np.float32), (y - top)[:, None].astype(np.float32)
    left, top, right, bottom = left % w, top % h, (left + 1) % w, (top + 1) % h
    upper = texture[top, left] * (1 - fx) + texture[top, right] * fx
    lower = texture[bottom, left] * (1 - fx) + texture[bottom, right] * fx
    return upper * (1 - fy) + lower * fy


class CloudSurface:
    """A cloud whose points are drawn as small discs, as large as the gaps between them.

    Parameters
    ----------
    cloud : placed in the unit ball.
    normals : (n, 3) float32 where they are known; otherwise they are those of the planes through the nearest points.
    dot : size of the discs, 1 for such that nearly close the gaps.
    """

    def __init__(self, cloud: Cloud, normals: np.ndarray | None = None, dot: float = 1.0) -> None:
        self.cloud, self._dot = cloud, dot
        self._given = normals

    @property
    def lowest(self) -> float:
        """Height of its lowest place."""
        return float(self.cloud.points[:, 1].min())

    @cached_property
    def _normals(self) -> np.ndarray:
        if self._given is not None:
            return self._given
        points = self.cloud.points
        k = min(_NEIGHBOURS, len(points))
        out = np.empty((len(points), 3), np.float32)
        for start in range(0, len(points), _AT_ONCE):
            some = points[start:start + _AT_ONCE]
            patch = points[self._tree.query(some, k=k)[1].reshape(len(some), k)]
            patch = patch - patch.mean(axis=1, keepdims=True)
            out[start:start + _AT_ONCE] = np.linalg.eigh(np.einsum("nki,nkj->nij", patch, patch))[1][:, :, 0]
        return out

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(self.cloud.points)

    @cached_property
    def _spacing(self) -> float:
        """Middle distance between a point and its third neighbour."""
        points = self.cloud.points
        some = points[np.random.default_rng(0).permutation(len(points))[:_MOST_SPACED]]
        k = min(4, len(points))
        return float(np.median(self._tree.query(some, k=k)[0].reshape(len(some), k)[:, -1]))

    def seen(self, direction: np.ndarray, size: int, distance: float = DISTANCE, *, own_colours: bool = True,
             lines: bool = False) -> Seen:
        """What the camera in a direction (3,) sees, at ``size`` samples a side: of each sample the nearest point."""
        places, depth = project(self.cloud.points, direction, size, distance)
        radius = np.clip(_CLOSED * self._spacing * self._dot * size / 2 / SPREAD / distance, _DOT_SIDE[0] * size / 448,
                         _DOT_SIDE[1] * size * (2 if self._dot > 1 else 1))
        order = np.argsort(-depth, kind="stable")
        left, top = places[order, 0], places[order, 1]
        column, row = np.floor(left).astype(np.int64), np.floor(top).astype(np.int64)
        nearest = np.full(size * size, -1, np.int64)
        reach = int(np.ceil(radius))
        for down in range(-reach, reach + 1):
            for across in range(-reach, reach + 1):
                x, y = column + across, row + down
                rows = np.flatnonzero(((x + 0.5 - left) ** 2 + (y + 0.5 - top) ** 2 <= radius**2)
                                      & (x >= 0) & (x < size) & (y >= 0) & (y < size))
                at = y[rows] * size + x[rows]
                np.maximum.at(nearest, at, rows)  # rows run from far to near
        pixel = np.flatnonzero(nearest >= 0)
        point = order[nearest[pixel]]
        to_camera = frame(direction)[2]
        ray = unit_rows(self.cloud.points[point] - distance * to_camera).astype(np.float32)
        normal = self._normals[point].copy()
        normal[np.einsum("hi,hi->h", normal, ray) > 0] *= -1
        albedo = None if self.cloud.colours is None or not own_colours else \
            self.cloud.colours[point].astype(np.float32) / 255
        return Seen(size, pixel, ray, normal, ((depth[point] - (distance - 1)) / 2).astype(np.float32), albedo)

    def points(self, seed: int = 0) -> CloudSurface:
        """Itself, in smaller dots."""
        return CloudSurface(self.cloud, self._given, dot=_SMALL)
