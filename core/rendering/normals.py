"""Normals at the corners of faces: smooth where a surface bends gently, sharp at creases."""

from __future__ import annotations

import math

import numpy as np

CREASE = 40.0
"""Degrees; faces that meet at a vertex under a larger angle keep their own normals there."""
_MOST_ROUND_A_VERTEX = 64
_AT_ONCE = 500_000


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(m, 3) float32, as long as twice the area of each face."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a).astype(np.float32)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows divided by their lengths; those of length 0 stay as they are."""
    length = np.sqrt(np.einsum("...i,...i->...", rows, rows))[..., None]
    return rows / np.maximum(length, 1e-20)


def corner_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals of the three corners of each face.

    Each is the sum of the faces around its vertex, weighted by area, that lie within CREASE of its own face; faces that
    are wound the other way round count with their other side.

    Parameters
    ----------
    vertices : (n, 3) float32 or float64, each place once.
    faces : (m, 3) int.

    Returns
    -------
    (m, 3, 3) float32: face, corner, direction.
    """
    weighted = face_normals(vertices, faces)
    own = unit_rows(weighted)
    total = np.repeat(weighted[:, None], 3, axis=1).reshape(-1, 3)
    flat = faces.reshape(-1)
    order = np.argsort(flat, kind="stable").astype(np.int64)
    vertex = flat[order]
    face = (order // 3).astype(np.int64)
    limit = math.cos(math.radians(CREASE))
    for start in range(0, len(order), _AT_ONCE):
        left = np.arange(start, min(start + _AT_ONCE, len(order)))
        for step in range(1, _MOST_ROUND_A_VERTEX):
            left = left[left + step < len(order)]
            left = left[vertex[left] == vertex[left + step]]
            if not len(left):
                break
            a, b = face[left], face[left + step]
            bend = np.einsum("ij,ij->i", own[a], own[b])
            near = np.flatnonzero(np.abs(bend) > limit)
            side = np.sign(bend[near])[:, None]
            # Each corner stands once on either side of a step, so that nothing is added to one place twice.
            total[order[left[near]]] += side * weighted[b[near]]
            total[order[left[near] + step]] += side * weighted[a[near]]
    total = unit_rows(total)
    return np.where((np.einsum("ij,ij->i", total, total) < 0.5)[:, None], np.repeat(own, 3, axis=0),
                    total).reshape(-1, 3, 3).astype(np.float32)
