"""Meshes made by hand, of which one knows what a camera must see."""

from __future__ import annotations

import numpy as np
import trimesh

from core.sources.meshes.mesh import Mesh


def mesh(made: trimesh.Trimesh, name: str = "made") -> Mesh:
    return Mesh(name, made.vertices, made.faces)


def ball() -> Mesh:
    return mesh(trimesh.creation.icosphere(5), "ball")


def box() -> Mesh:
    return mesh(trimesh.creation.box(), "box")


def boxes(*places: tuple[float, float, float], side: float = 0.4) -> Mesh:
    """Small cubes at some places, each in a colour of its own: red, green, blue, yellow, cyan, magenta."""
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255]], np.uint8)
    one = trimesh.creation.box(extents=[side] * 3)
    vertices = np.concatenate([one.vertices + place for place in places])
    faces = np.concatenate([one.faces + 8 * i for i in range(len(places))])
    return Mesh("boxes", vertices, faces, colours=np.repeat(colours[:len(places)], 12, axis=0)[:, None].repeat(3, 1))


def card(texture: np.ndarray) -> Mesh:
    """A square that faces +z, with a picture on it."""
    vertices = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=float)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    return Mesh("card", vertices, faces, uv=uv[faces], texture_of=np.zeros(2, np.int16), textures=(texture,))
