"""One file of a mesh or a point cloud to an object, by trimesh; what that lets through in silence is refused here."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, cast

import numpy as np

from core.errors import OrreryError
from core.settings import settings
from core.sources.meshes.checking import check_counts, check_head, unreadable
from core.sources.meshes.members import Members
from core.sources.meshes.mesh import Cloud, Mesh
from core.sources.meshes.points import read_points

TEXTURE_SIDE = 2048
_NO_COLOUR = 200


@dataclass(frozen=True)
class Part:
    """One piece of a mesh, placed where it belongs."""

    vertices: np.ndarray
    faces: np.ndarray
    colours: np.ndarray | None = None
    uv: np.ndarray | None = None
    texture: np.ndarray | None = None


def read_mesh(data: bytes, name: str, kind: str, members: Members) -> Mesh | Cloud:
    """The object in the bytes of a file, with all its parts in one.

    Parameters
    ----------
    data : the whole file.
    name : its relative name; what a message calls it.
    kind : a value of `core.sources.meshes.formats.READ`.
    members : what was brought beside it.

    Raises
    ------
    UnreadableItem
        With the reason: empty, damaged, cut off, without faces and points, of a single face, with places that are no
        numbers, or without extent.
    SourceError
        Where it is over the budget, with the number and the limit.
    """
    check_head(data, kind, name)
    title = PurePosixPath(name).stem or name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "XYZ":
                return _cloud([read_points(data)], title, name)
            scene = _scene(data, kind, members)
            parts = list(_parts(scene, name))
            return _mesh(parts, title, name) if parts else _cloud(_clouds(scene), title, name)
    except (OrreryError, MemoryError):
        raise
    except Exception as error:
        if members.missing and kind == "glTF":
            raise unreadable(name, f"its data lie in {members.missing[0][:80]}, which is not among what was brought; "
                               "bring all its files together, or save it as GLB") from error
        said = " ".join(str(error).split())[:120]
        raise unreadable(name, f"the file is damaged: it cannot be read as {kind}" + (f" ({said})" if said else "")
                     ) from error


def _scene(data: bytes, kind: str, members: Members) -> Any:
    import trimesh

    return trimesh.load_scene(io.BytesIO(data), file_type=kind.lower(), resolver=cast(Any, members), process=False,
                              allow_remote=False)


def _placed(scene: Any, kind: Any) -> Iterator[tuple[Any, np.ndarray]]:
    """Each geometry of a kind as often as the scene shows it, with its vertices where they belong."""
    for node in scene.graph.nodes_geometry:
        transform, geometry = scene.graph[node]
        piece = scene.geometry[geometry]
        if isinstance(piece, kind):
            vertices = np.asarray(piece.vertices, dtype=np.float64)
            yield piece, vertices @ transform[:3, :3].T + transform[:3, 3]


def _parts(scene: Any, name: str) -> Iterator[Part]:
    import trimesh

    n_vertices = n_faces = 0
    painted: dict[int, tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]] = {}
    for piece, vertices in _placed(scene, trimesh.Trimesh):
        faces = np.asarray(piece.faces, dtype=np.int64)
        if not len(faces):
            continue
        n_vertices, n_faces = n_vertices + len(vertices), n_faces + len(faces)
        check_counts(n_vertices, n_faces, name)
        if faces.min() < 0 or faces.max() >= len(vertices):
            raise unreadable(name, f"the file is damaged: its faces name vertex {int(faces.max()):,}, and it has "
                               f"{len(vertices):,}")
        if id(piece) not in painted:
            painted[id(piece)] = _painted(piece, faces)
        yield Part(vertices, faces, *painted[id(piece)])


def _painted(piece: Any, faces: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Colours (m, 3, 3) uint8 of the corners, their places (m, 3, 2) in a texture, and the texture; None each."""
    kind = piece.visual.kind
    if kind == "face":
        return np.repeat(np.asarray(piece.visual.face_colors)[:, None, :3], 3, axis=1), None, None
    if kind == "vertex":
        return np.asarray(piece.visual.vertex_colors)[:, :3][faces], None, None
    if kind != "texture":
        return None, None, None
    material, uv = piece.visual.material, piece.visual.uv
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if image is not None and image.format is None:  # a blank that trimesh makes where there is none
        image = None
    colour = _colour_of(material)
    if image is not None and uv is not None and len(uv) == len(piece.vertices):
        texture = _texture(image)
        if texture is not None:
            if hasattr(material, "baseColorFactor") and colour is not None:
                texture = (texture * (np.asarray(colour) / 255)).astype(np.uint8)
            corners = np.nan_to_num(np.asarray(uv, dtype=np.float32)[faces], posinf=0, neginf=0)
            return None, corners, texture
    if colour is None:
        return None, None, None
    return np.broadcast_to(colour, (len(faces), 3, 3)), None, None


def _colour_of(material: Any) -> np.ndarray | None:
    """(3,) uint8 sRGB of a material; None where it says none. glTF says its factors in linear light."""
    import trimesh

    if isinstance(material, trimesh.visual.material.PBRMaterial):
        factor = material.baseColorFactor
        if factor is None:
            return None
        linear = np.asarray(factor, dtype=np.float64)[:3] / (255 if np.asarray(factor).dtype.kind in "ui" else 1)
        return (linear.clip(0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)
    diffuse = getattr(material, "diffuse", None)
    if diffuse is None or (np.asarray(diffuse) == trimesh.visual.color.DEFAULT_COLOR).all():
        return None
    return np.asarray(diffuse)[:3].astype(np.uint8)


def _texture(image: Any) -> np.ndarray | None:
    """(h, w, 3) uint8 of at most TEXTURE_SIDE px a side; None for a picture that cannot be unpacked or is too large."""
    if image.width * image.height > settings().budget.megapixels * 1_000_000:
        return None
    try:
        picture = image.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return None
    picture.thumbnail((TEXTURE_SIDE, TEXTURE_SIDE))
    return np.asarray(picture)


def _mesh(parts: list[Part], title: str, name: str) -> Mesh:
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    faces = np.concatenate([part.faces + start for part, start in zip(parts, starts)])
    vertices, faces = joined(np.concatenate([part.vertices for part in parts]), faces)
    if len(faces) == 1:
        raise unreadable(name, "it has a single face, which is no object to look at from all sides")
    _check_places(vertices, name)
    colours = uv = texture_of = None
    if any(part.colours is not None for part in parts):
        colours = np.concatenate([np.full((len(part.faces), 3, 3), _NO_COLOUR, np.uint8) if part.colours is None
                                  else part.colours for part in parts])
    textures = {id(part.texture): part.texture for part in parts if part.texture is not None}
    if textures:
        uv = np.concatenate([np.zeros((len(part.faces), 3, 2), np.float32) if part.uv is None else part.uv
                             for part in parts])
        places = {key: i for i, key in enumerate(textures)}
        texture_of = np.concatenate([np.full(len(part.faces), places.get(id(part.texture), -1), np.int16)
                                     for part in parts])
    return Mesh(title, vertices, faces, colours, uv, texture_of, tuple(textures.values()))


def _clouds(scene: Any) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Points and colours of the clouds of a scene; where there is none, the vertices of what has no faces."""
    import trimesh

    found = []
    for piece, points in _placed(scene, trimesh.PointCloud):
        colours = np.asarray(piece.colors)
        found.append((points, colours[:, :3] if colours.ndim == 2 and len(colours) == len(points) else None))
    return found or [(points, None) for _, points in _placed(scene, trimesh.Trimesh)]


def _cloud(found: list[tuple[np.ndarray, np.ndarray | None]], title: str, name: str) -> Cloud:
    points = np.concatenate([np.empty((0, 3)), *(points for points, _ in found)])
    check_counts(len(points), 0, name)
    if not len(points):
        raise unreadable(name, "it has no faces and no points")
    if len(points) == 1:
        raise unreadable(name, "it has a single point")
    _check_places(points, name)
    colours = [colours for _, colours in found if colours is not None]
    return Cloud(title, points, np.concatenate(colours) if len(colours) == len(found) else None)


def _check_places(points: np.ndarray, name: str) -> None:
    bad = int((~np.isfinite(points)).any(axis=1).sum())
    if bad:
        raise unreadable(name, f"{bad:,} of its {len(points):,} places are no numbers (NaN or infinity)")
    if np.abs(points).max() > 1e150 or not (points.max(axis=0) - points.min(axis=0)).any():
        raise unreadable(name, "it has no extent that can be drawn: all its places are one, or lie beyond all bounds")


def joined(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vertices that faces use, each place once, and the faces renumbered.

    Parameters
    ----------
    vertices : (n, 3) float64.
    faces : (m, 3) int, rows of vertices.
    """
    rows = np.ascontiguousarray(vertices + 0.0).view(np.uint64)
    mixed = np.zeros(len(rows), np.uint64)
    for column, factor in zip(rows.T, (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)):
        mixed = (mixed ^ column) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(29)
    _, first, place = np.unique(mixed, return_index=True, return_inverse=True)
    if not np.array_equal(rows[first][place], rows):
        _, first, place = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    faces = place.reshape(-1)[faces]
    used = np.zeros(len(first), bool)
    used[faces] = True
    return vertices[first[used]], (np.cumsum(used) - 1)[faces]
