"""Which files are meshes or point clouds, by name and by first bytes."""

from __future__ import annotations

from pathlib import PurePosixPath

READ = {".obj": "OBJ", ".ply": "PLY", ".stl": "STL", ".glb": "GLB", ".gltf": "glTF", ".off": "OFF", ".xyz": "XYZ",
        ".pts": "XYZ"}
FOREIGN = {".fbx": "FBX", ".blend": "a Blender file", ".dae": "COLLADA", ".3ds": "3DS", ".usdz": "USDZ", ".usd": "USD",
           ".usda": "USD", ".usdc": "USD", ".3mf": "3MF", ".step": "STEP", ".stp": "STEP", ".iges": "IGES",
           ".igs": "IGES", ".max": "a 3ds Max file", ".ma": "a Maya file", ".mb": "a Maya file", ".c4d": "Cinema 4D",
           ".skp": "SketchUp", ".x3d": "X3D", ".wrl": "VRML", ".pcd": "PCD", ".las": "LAS", ".laz": "LAZ",
           ".e57": "E57", ".vtk": "VTK"}
BESIDE = (".mtl", ".bin", ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tga", ".tif", ".tiff", ".gif")
"""What a mesh may name: materials, buffers and textures."""


def kind_of(name: str, head: bytes = b"") -> str:
    """The format (a value of READ) by the ending of a name, else by the first bytes; "" where neither says."""
    ending = PurePosixPath(name.lower()).suffix
    if ending in READ:
        return READ[ending]
    if head.startswith(b"ply"):
        return "PLY"
    if head.startswith(b"glTF"):
        return "GLB"
    if head[:4].strip() in (b"OFF", b"COFF"):
        return "OFF"
    return "STL" if head.startswith(b"solid ") else ""


def foreign(name: str) -> str:
    """What a file of a known but unread format is; "" otherwise."""
    return FOREIGN.get(PurePosixPath(name.lower()).suffix, "")
