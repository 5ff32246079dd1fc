"""How much a mesh file would unpack to, by its own headers and by counting, before anything parses it."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from typing import Any

from core.errors import UnreadableItem
from core.settings import settings
from core.sources.gate import refused
from core.sources.reasons import refuse

_HEADER = 64 * 1024
_PACKED = {"KHR_draco_mesh_compression": "Draco", "EXT_meshopt_compression": "meshopt"}
_SIZES = {"char": 1, "int8": 1, "uchar": 1, "uint8": 1, "short": 2, "int16": 2, "ushort": 2, "uint16": 2, "int": 4,
          "int32": 4, "uint": 4, "uint32": 4, "float": 4, "float32": 4, "double": 8, "float64": 8}
_MOST_NODES = 20_000
_MOST_A_VERTEX = 12


def unreadable(name: str, reason: str) -> UnreadableItem:
    """The error of one mesh; ``error.got`` is the reason alone."""
    return refuse(name, reason, "mesh or point cloud")


def check_counts(n_vertices: float, n_faces: float, name: str) -> None:
    """Hold what a mesh has against the budget of this process; SourceError with the number and the limit."""
    budget = settings().budget
    if n_faces > budget.faces:
        raise refused("faces", name, n_faces, budget.faces, advice="Decimate it, or bring a part of it.")
    if n_vertices > budget.vertices:
        raise refused("vertices", name, n_vertices, budget.vertices, advice="Thin it out, or bring a part of it.")


def check_head(data: bytes, kind: str, name: str) -> None:
    """Refuse a file whose headers say more than the budget, or more than the file holds.

    Parameters
    ----------
    data : the whole file.
    kind : a value of `core.sources.meshes.formats.READ`.

    Raises
    ------
    SourceError
        With the number and the limit.
    UnreadableItem
        With the reason, where the file is empty, cut off, or packed in a way that is not read.
    """
    if not data.strip():
        raise unreadable(name, "the file is empty")
    {"PLY": _check_ply, "STL": _check_stl, "OBJ": _check_obj, "OFF": _check_off, "XYZ": _check_lines,
     "GLB": _check_glb, "glTF": _check_gltf}[kind](data, name)


def _check_ply(data: bytes, name: str) -> None:
    end = data.find(b"end_header", 0, _HEADER)
    if not data.startswith(b"ply") or end < 0:
        raise unreadable(name, "the file is damaged: it has no PLY header")
    counts: dict[str, int] = {}
    row: dict[str, int] = {}
    element = ""
    for line in data[:end].decode("latin-1").splitlines():
        words = line.split()
        if words[:1] == ["element"] and len(words) == 3 and words[2].isdecimal():
            element = words[1]
            counts[element], row[element] = int(words[2]), 0
        elif words[:1] == ["property"] and element and len(words) > 2:
            row[element] += _SIZES.get(words[2] if words[1] == "list" else words[1], 1)
    check_counts(counts.get("vertex", 0), counts.get("face", 0), name)
    binary = b"format binary" in data[:end]
    least = sum(n * (row[e] if binary else 2 * bool(row[e])) for e, n in counts.items())
    if least > len(data) - end:
        told = ", ".join(f"{n:,} of {e}" for e, n in counts.items())
        raise unreadable(name, f"the file is cut off: its header says {told}, and it holds less")


def _check_stl(data: bytes, name: str) -> None:
    n = struct.unpack_from("<I", data, 80)[0] if len(data) >= 84 else 0
    if len(data) == 84 + 50 * n and n:
        check_counts(3 * n, n, name)
    elif data.lstrip()[:5].lower() == b"solid":
        check_counts(0, data.lower().count(b"endfacet"), name)
    else:
        raise unreadable(name, f"the file is cut off or damaged: its header says {n:,} faces, "
                           f"and it has room for {max(0, len(data) - 84) // 50:,}")


def _check_obj(data: bytes, name: str) -> None:
    text = b"\n" + data
    check_counts(text.count(b"\nv "), text.count(b"\nf "), name)


def _check_off(data: bytes, name: str) -> None:
    found = re.search(rb"OFF[^\d]*?(\d+)[ \t]+(\d+)", data[:_HEADER])
    if not found:
        raise unreadable(name, "the file is damaged: it has no OFF header")
    n_vertices, n_faces = int(found[1]), int(found[2])
    check_counts(n_vertices, n_faces, name)
    if 4 * (n_vertices + n_faces) > len(data):
        raise unreadable(name, f"the file is cut off: its header says {n_vertices:,} vertices and {n_faces:,} faces, "
                           "and it holds less")


def _check_lines(data: bytes, name: str) -> None:
    check_counts(data.count(b"\n"), 0, name)


def _check_glb(data: bytes, name: str) -> None:
    if len(data) < 20 or data[:4] != b"glTF":
        raise unreadable(name, "the file is damaged: it does not begin as a GLB")
    version, total, length = struct.unpack_from("<III", data, 4)
    if version != 2:
        raise unreadable(name, f"it is glTF {version}, which is not read; save it as glTF 2")
    if total > len(data) or 20 + length > len(data):
        raise unreadable(name, f"the file is cut off: its header says {total:,} bytes, and it has {len(data):,}")
    _check_gltf(data[20:20 + length], name)


def _check_gltf(data: bytes, name: str) -> None:
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise unreadable(name, "the file is damaged: its description (JSON) cannot be read") from error
    try:
        _check_tree(tree, name)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise unreadable(name, "the file is damaged: its description makes no sense") from error


def _check_tree(tree: Mapping[str, Any], name: str) -> None:
    packed = [said for key, said in _PACKED.items() if key in tree.get("extensionsRequired", ())]
    if packed:
        raise unreadable(name, f"its geometry is packed with {packed[0]}, which is not read here; "
                           "save it without compression")
    nodes = tree.get("nodes", [])
    if len(nodes) > _MOST_NODES:
        raise unreadable(name, f"it has {len(nodes):,} nodes; the limit is {_MOST_NODES:,}")
    children = [child for node in nodes for child in node.get("children", ())]
    if len(set(children)) < len(children):
        raise unreadable(name, "the file is damaged or hostile: a part of it stands in two places of its own tree")
    accessors = tree.get("accessors", [])
    everything = sum(int(accessor["count"]) for accessor in accessors)
    check_counts(everything / _MOST_A_VERTEX, 0, name)
    n_vertices = n_faces = 0
    meshes = tree.get("meshes", [])
    for node in nodes:
        for part in meshes[node["mesh"]]["primitives"] if "mesh" in node else ():
            n = int(accessors[part["attributes"]["POSITION"]]["count"]) if "POSITION" in part["attributes"] else 0
            n_vertices += n
            n_faces += (int(accessors[part["indices"]]["count"]) if "indices" in part else n) // 3
    check_counts(n_vertices, n_faces, name)
