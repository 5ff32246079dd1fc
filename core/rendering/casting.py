"""Which face each ray meets first: by Embree, or, where that has no wheel, by drawing the faces into a depth buffer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from core.rendering.cameras import DISTANCE, project, rays

_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Hits:
    """What the rays of one view met, a row for each ray that met something.

    Attributes
    ----------
    pixel : (h,) int64, place of the ray in the picture, row by row.
    ray : (h, 3) float32, unit, in the object's frame.
    face : (h,) int32.
    weights : (h, 3) float32, of the corners of the face at the place met; they sum to 1.
    distance : (h,) float32, along the ray.
    """

    pixel: np.ndarray
    ray: np.ndarray
    face: np.ndarray
    weights: np.ndarray
    distance: np.ndarray


@cache
def has_embree() -> bool:
    """Whether rays are cast by Embree here; without it a view takes several times as long."""
    try:
        from embreex import rtcore_scene  # noqa: F401
    except ImportError:
        return False
    return True


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Signed area of the parallelogram of plane vectors (..., 2)."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


class Caster:
    """Finds the face that each ray of a view meets first.

    Parameters
    ----------
    vertices : (n, 3) float32, within the unit ball.
    faces : (m, 3) int32.
    embree : False draws the faces into a depth buffer; by default as `has_embree` says.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, embree: bool | None = None) -> None:
        self._vertices, self._faces = np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.int32)
        self._scene: Any = None
        if has_embree() if embree is None else embree:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene

            self._scene = EmbreeScene()
            TriangleMesh(scene=self._scene, vertices=self._vertices, indices=self._faces)

    def first(self, direction: np.ndarray, size: int, distance: float = DISTANCE) -> Hits:
        """The first face on each ray of the camera in a direction (3,), through the middle of each pixel."""
        pixel, ray = rays(direction, size, distance)
        if self._scene is None:
            return self._drawn(direction, size, distance, pixel, ray)
        return self._cast(distance * np.asarray(direction), pixel, ray)

    def _cast(self, eye: np.ndarray, pixel: np.ndarray, ray: np.ndarray) -> Hits:
        eye = np.broadcast_to(eye.astype(np.float32), ray.shape)
        met = self._scene.run(np.ascontiguousarray(eye), ray, output=1)
        rows = np.flatnonzero(met["primID"] >= 0)
        u, v = met["u"][rows], met["v"][rows]
        return Hits(pixel[rows], ray[rows], met["primID"][rows], np.stack([1 - u - v, u, v], axis=1),
                    met["tfar"][rows])

    def _drawn(self, direction: np.ndarray, size: int, distance: float, pixel: np.ndarray, ray: np.ndarray) -> Hits:
        """Every pixel inside the box of a projected face is tried against its edges; the nearest face stays."""
        places, depth = project(self._vertices.astype(np.float64), direction, size, distance)
        corners, far = places[self._faces], depth[self._faces]
        low = np.clip(np.ceil(corners.min(axis=1) - 0.5), 0, size).astype(np.int64)
        extent = np.clip(np.floor(corners.max(axis=1) - 0.5), -1, size - 1).astype(np.int64) - low + 1
        area = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        tried = np.flatnonzero((extent > 0).all(axis=1) & (np.abs(area) > 1e-12))
        near = np.full(size * size, np.inf)
        face_at = np.full(size * size, -1, np.int32)
        weight_at = np.zeros((size * size, 3))
        counts = np.cumsum(extent[tried].prod(axis=1))
        start = 0
        while start < len(tried):
            done = counts[start - 1] if start else 0
            end = max(start + 1, int(np.searchsorted(counts, done + _AT_ONCE, side="right")))
            some = tried[start:end]
            self._draw(some, corners[some], far[some], low[some], extent[some], area[some], size,
                       near, face_at, weight_at)
            start = end
        rows = np.flatnonzero(face_at[pixel] >= 0)
        at = pixel[rows]
        along = near[at] / -(ray[rows] @ np.asarray(direction, np.float32))
        return Hits(at, ray[rows], face_at[at], weight_at[at].astype(np.float32), along.astype(np.float32))

    @staticmethod
    def _draw(faces: np.ndarray, corners: np.ndarray, far: np.ndarray, low: np.ndarray, extent: np.ndarray,
              area: np.ndarray, size: int, near: np.ndarray, face_at: np.ndarray, weight_at: np.ndarray) -> None:
        n = extent.prod(axis=1)
        owner = np.repeat(np.arange(len(faces)), n)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(n) - n, n)
        x = low[owner, 0] + place % extent[owner, 0]
        y = low[owner, 1] + place // extent[owner, 0]
        middle = np.stack([x, y], axis=1) + 0.5
        a, b, c = (corners[owner, k] - middle for k in range(3))
        flat = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], axis=1) / area[owner, None]
        inside = np.flatnonzero((flat >= 0).all(axis=1))
        owner, at = owner[inside], y[inside] * size + x[inside]
        share = flat[inside] / far[owner]          # perspective: what is linear in the picture is 1 / depth
        depth = 1 / share.sum(axis=1)
        order = np.lexsort((faces[owner], depth))[::-1]
        owner, at, depth, share = owner[order], at[order], depth[order], share[order]
        closest = np.full(len(near), -1, np.int64)
        closest[at] = np.arange(len(at))           # of equal places the last one stays, which is the nearest
        won = closest[closest >= 0]
        won = won[depth[won] < near[at[won]]]
        near[at[won]], face_at[at[won]] = depth[won], faces[owner[won]]
        weight_at[at[won]] = share[won] * depth[won, None]
