"""Meshes and clouds as people bring them: what is read, with its colours; what is refused, with the reason."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from core.errors import Cancelled, SourceError
from core.settings import settings
from core.sources.meshes.apart import Apart
from core.sources.meshes.members import Members
from core.sources.meshes.mesh import Cloud, Mesh, placed
from core.sources.meshes.opening import open_mesh_path, open_meshes
from core.sources.meshes.points import read_points
from core.sources.meshes.reading import joined

OUTCOMES = {
    "CesiumMilkTruck.glb": "3624 faces, textured", "Duck.glb": "4212 faces, textured", "bunny.ply": "16301 faces",
    "busted.STL": "3878 faces", "chair_model.obj": "12756 faces", "fuze.obj": "1000 faces", "monkey.glb": "968 faces",
    "points_agisoft.xyz": "100 points, coloured", "points_emptyface.ply": "1024 points", "rabbit.obj": "1252 faces",
    "suzanne.ply": "968 faces", "teapot.stl": "894 faces", "torus.STL": "8700 faces",
    "empty.obj": "it has no faces and no points", "empty.stl": "it has no faces and no points",
    "empty_nodes.glb": "it has no faces and no points",
    "notenoughindices.obj": "it has a single face, which is no object to look at from all sides",
}
TRIANGLES = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\n"


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def picture(*rows: list[tuple[int, int, int]]) -> bytes:
    """A PNG of so many rows, eight px for each colour."""
    small = np.array(rows, dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small.repeat(8, axis=0).repeat(8, axis=1)).save(buffer, "PNG")
    return buffer.getvalue()


def told(shape: Mesh | Cloud) -> str:
    if isinstance(shape, Cloud):
        return f"{len(shape.points)} points" + (", coloured" if shape.colours is not None else "")
    painted = ", textured" if shape.textures else ", coloured" if shape.coloured else ""
    return f"{len(shape.faces)} faces{painted}"


def reason(*uploads: tuple[str, bytes]) -> str:
    """Why the first of some files is refused, where none is read."""
    with pytest.raises(SourceError) as caught:
        open_meshes(list(uploads))
    found = str(caught.value)
    assert found.startswith("Expected a mesh or a point cloud; got none that can be read (")
    return found.split(": ", 1)[1].rpartition("). What is read ends in")[0]


def test_each_reference_mesh_is_read_or_refused_with_its_reason(reference: Path) -> None:
    found = open_mesh_path(reference / "meshes")
    outcomes = {r.name: r.reason for r in found.refused}
    names = {Path(name).stem: name for name in OUTCOMES if name not in outcomes}
    outcomes |= {names[shape.name]: told(shape) for shape in found.objects}
    assert outcomes == OUTCOMES
    assert found.notices[0] == "chair_model.obj names model.mtl, which is not among what was brought."


@pytest.mark.parametrize("kind", ["ply", "stl", "obj", "glb", "off"])
def test_every_format_gives_the_same_solid_each_place_once(kind: str) -> None:
    ball = trimesh.creation.icosphere(2)
    data = ball.export(file_type=kind)
    found = open_meshes([(f"ball.{kind}", data if isinstance(data, bytes) else data.encode())])
    (shape,) = found.objects
    assert isinstance(shape, Mesh)
    assert shape.name == "ball"
    assert (len(shape.faces), len(shape.vertices)) == (320, 162)
    areas = trimesh.Trimesh(shape.vertices, shape.faces, process=False)
    assert areas.volume == pytest.approx(ball.volume, rel=1e-5)


def test_ascii_stl_quads_clouds_and_colours() -> None:
    stl = trimesh.creation.box().export(file_type="stl_ascii").encode()
    quads = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nf 1 2 3 4\nf 1 2 5\n"
    cloud = b"0 0 0 255 0 0\n1 0 0 0 255 0\n0 1 0 0 0 255\n"
    ply = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 2], [0, 1, 3]], process=False,
                          face_colors=[[200, 10, 20, 255], [1, 2, 3, 255]]).export(file_type="ply")
    brought = open_meshes([("a.stl", stl), ("b.obj", quads), ("c.xyz", cloud), ("d.ply", ply)])
    found = {shape.name: shape for shape in brought.objects}
    assert {name: told(shape) for name, shape in found.items()} == {
        "a": "12 faces", "b": "3 faces", "c": "3 points, coloured", "d": "2 faces, coloured"}
    assert found["c"].colours is not None and found["c"].colours.tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert found["d"].colours is not None and found["d"].colours[:, 0].tolist() == [[200, 10, 20], [1, 2, 3]]


MTL = b"newmtl skin\nKd 1 1 1\nmap_Kd %s\n"
UV = b"mtllib a.mtl\nvt 0.1 0.1\nvt 0.9 0.1\nvt 0.1 0.9\nusemtl skin\n"
TEXTURED = UV + TRIANGLES.replace(b"f 1 2 3", b"f 1/1 2/2 3/3").replace(b"f 1 2 4", b"f 1/1 2/2 4/3")


def test_a_texture_is_found_beside_its_mesh_in_uploads_and_in_a_zip() -> None:
    files = [("a.obj", TEXTURED), ("a.mtl", MTL % b"C:\\work\\Skin.PNG"), ("skin.png", picture([(9, 8, 7), (1, 1, 1)]))]
    (shape,) = open_meshes(files).objects
    assert isinstance(shape, Mesh) and len(shape.textures) == 1 and shape.uv is not None
    assert shape.textures[0][0, 0].tolist() == [9, 8, 7]
    np.testing.assert_allclose(shape.uv[:, 1], [[0.9, 0.1]] * 2, atol=1e-6)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files:
            archive.writestr(f"chair/textures/{name}" if name.endswith("png") else f"chair/{name}", data)
    (again,) = open_meshes([("chair.zip", buffer.getvalue())]).objects
    assert again.fingerprint == shape.fingerprint


def test_gltf_comes_with_its_buffers_its_texture_and_its_colours() -> None:
    box = trimesh.creation.box()
    skin = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.new("RGB", (8, 8), (90, 80, 70)),
                                               baseColorFactor=[255, 55, 255, 255])
    skinned = trimesh.Trimesh(box.vertices, box.faces, process=False,
                              visual=trimesh.visual.TextureVisuals(uv=box.vertices[:, :2] + 0.5, material=skin))
    twice = trimesh.Scene([skinned])
    twice.add_geometry(box, transform=trimesh.transformations.translation_matrix([5, 0, 0]))
    (shape,) = open_meshes(list(twice.export(file_type="gltf").items())).objects
    assert isinstance(shape, Mesh) and len(shape.faces) == 24 and len(shape.textures) == 1
    assert np.ptp(shape.vertices, axis=0).tolist() == [6, 1, 1]
    assert shape.textures[0][0, 0].tolist() == [90, 39, 70]      # a fifth of the light is half of the grey value
    colours = np.arange(32).reshape(8, 4) * 7
    painted = trimesh.Trimesh(box.vertices, box.faces, process=False, vertex_colors=colours)
    for kind in ("glb", "ply", "obj"):
        data = painted.export(file_type=kind)
        (shape,) = open_meshes([(f"a.{kind}", data if isinstance(data, bytes) else data.encode())]).objects
        assert isinstance(shape, Mesh) and shape.colours is not None
        np.testing.assert_array_equal(shape.colours, colours[box.faces][..., :3])


@pytest.mark.parametrize("named", ["../secret.png", "{outside}/secret.png", "https://example.org/secret.png",
                                   "file://{outside}/secret.png", "link.png"])
def test_nothing_outside_what_was_brought_is_followed(named: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.png").write_bytes(picture([(255, 0, 0)]))
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    (inside / "a.obj").write_bytes(TEXTURED)
    named = named.format(outside=tmp_path)
    (inside / "a.mtl").write_bytes(MTL % named.encode())
    for found in (open_mesh_path(inside), open_mesh_path(inside / "a.obj")):
        (shape,) = found.objects
        assert isinstance(shape, Mesh) and not shape.textures
        assert any("net and is not fetched" in n if "://" in named else "not among what was brought" in n
                   for n in found.notices)


def test_members_are_found_in_their_own_folder_first() -> None:
    members = Members(["a/skin.png", "b/skin.png", "b/only.png", "b/x.obj"], lambda name: name.encode(), "b")
    assert members.get("./skin.png") == b"b/skin.png"
    assert members.get("..\\a\\skin.png") == b"a/skin.png"
    assert members.get("deep/only%2Epng") == b"b/only.png"
    for name in ("x.obj", "none.png", "http://a.org/skin.png"):
        with pytest.raises(FileNotFoundError):
            members.get(name)
    assert members.missing == ["x.obj", "none.png", "http://a.org/skin.png"]


def gltf(tree: dict[str, object], body: bytes = b"") -> bytes:
    text = json.dumps({"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], **tree}).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(body), 0x004E4942) + body if body else b""
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def accessor(count: int) -> dict[str, object]:
    return {"accessors": [{"count": count, "componentType": 5126, "type": "VEC3"}],
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}], "nodes": [{"mesh": 0}]}


PLY = b"ply\nformat binary_little_endian 1.0\nelement vertex %d\nproperty float x\nproperty float y\n" \
      b"property float z\nelement face %d\nproperty list uchar int vertex_indices\nend_header\n"


@pytest.mark.parametrize(("name", "data", "said"), [
    ("a.obj", b"", "the file is empty"),
    ("a.obj", b"hello world", "it has no faces and no points"),
    ("a.obj", TRIANGLES.replace(b"f 1 2 4", b""), "a single face"),
    ("a.obj", TRIANGLES.replace(b"f 1 2 4", b"f 1 2 9"), "damaged"),
    ("a.obj", TRIANGLES.replace(b"v 1 0 0", b"v nan 0 0"), "1 of its 4 places are no numbers"),
    ("a.obj", b"v 1 1 1\n" * 4 + b"f 1 2 3\nf 1 2 4\n", "it has no extent that can be drawn"),
    ("a.ply", PLY % (5, 2) + bytes(20), "cut off: its header says 5 of vertex, 2 of face, and it holds less"),
    ("a.ply", PLY % (10**9, 10**9), "1,000,000,000; expected at most 5,000,000 faces in a.ply"),
    ("a.ply", b"a poem", "it has no PLY header"),
    ("a.stl", bytes(80) + struct.pack("<I", 400) + bytes(100), "its header says 400 faces, and it has room for 2"),
    ("a.off", b"OFF\n900 900 0\n0 0 0\n", "cut off: its header says 900 vertices and 900 faces"),
    ("a.xyz", b"1 2\n3 4\n", "cannot be read as XYZ"),
    ("a.xyz", b"1 2 3\n", "it has a single point"),
    ("a.xyz", b"1 2 3\n4 5 6 7\n", "cannot be read as XYZ"),
    ("a.xyz", b"a letter\nto a friend\n", "it has no faces and no points"),
    ("a.glb", gltf(accessor(10**9)), "expected at most 15,000,000 vertices in a.glb"),
    ("a.glb", gltf(accessor(3))[:60], "the file is cut off"),
    ("a.glb", gltf({"nodes": [{"children": [1, 1]}, {"mesh": 0}]}), "stands in two places of its own tree"),
    ("a.glb", gltf({"nodes": [{"children": [1]}, {"children": [1]}]}), "stands in two places of its own tree"),
    ("a.glb", gltf({"extensionsRequired": ["KHR_draco_mesh_compression"]}), "packed with Draco"),
    ("a.glb", gltf({"nodes": 7}), "its description makes no sense"),
    ("a.gltf", b'{"buffers": [{"uri": "https://a.org/a.bin", "byteLength": 9}], "bufferViews": [{"buffer": 0}]}',
     "its data lie in https://a.org/a.bin, which is not among what was brought"),
    ("a.gltf", b"[" * 200_000, "its description .JSON. cannot be read"),
    ("a.fbx", b"Kaydara FBX Binary", "it is FBX, which is not read as a mesh; save it as GLB or OBJ"),
])
def test_a_bad_file_is_refused_with_a_true_reason(name: str, data: bytes, said: str) -> None:
    assert re.search(said, reason((name, data))), reason((name, data))


def test_a_scene_that_shows_one_mesh_too_often_is_counted(hosted: None) -> None:
    tree = accessor(900) | {"nodes": [{"children": list(range(1, 5001))}, *[{"mesh": 0}] * 5000]}
    assert "1,500,000; expected at most 1,000,000 faces" in reason(("a.glb", gltf(tree)))


def test_bad_files_do_not_stop_good_ones_and_names_stay_apart() -> None:
    found = open_meshes([("x/a.obj", TRIANGLES), ("y/a.obj", TRIANGLES), ("b.ply", b"no"), ("notes.txt", b"hi"),
                         (".DS_Store", b"")])
    assert [shape.name for shape in found.objects] == ["a", "a#2"]
    assert [r.name for r in found.refused] == ["b.ply"]
    assert [r.name for r in found.left_out] == ["notes.txt"]
    with pytest.raises(SourceError, match="got nothing"):
        open_meshes([])
    with pytest.raises(Cancelled):
        open_meshes([("a.obj", TRIANGLES)], should_stop=lambda: True)


def test_a_public_server_reads_apart_within_bounds_and_opens_no_path(hosted: None, tmp_path: Path) -> None:
    files = [("a.obj", TEXTURED), ("a.mtl", MTL % b"skin.png"), ("skin.png", picture([(9, 8, 7)])),
             ("bad.obj", b"v 0 0 0\n"), ("c.xyz", b"0 0 0\n1 1 1\n")]
    found = open_meshes(files)
    assert [told(shape) for shape in found.objects] == ["2 faces, textured", "2 points"]
    assert [r.reason for r in found.refused] == ["it has a single point"]
    (tmp_path / "a.obj").write_bytes(TRIANGLES)
    with pytest.raises(SourceError, match="This is a public server"):
        open_mesh_path(tmp_path / "a.obj")
    ball = trimesh.creation.icosphere(6).export(file_type="ply")
    with Apart(memory_bytes=600 * 1024**2) as apart:
        members = Members([], lambda name: b"")
        with pytest.raises(SourceError, match="a mesh that can be read within 600 MB in million"):
            apart.read(b"1.25 2.5 3.75\n" * 2_500_000, "million.xyz", "XYZ", members)
        assert isinstance(apart.read(ball, "ball.ply", "PLY", members), Mesh)


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e-6, 0), (1e5, 5e6)])
def test_units_and_place_do_not_matter(scale: float, shift: float) -> None:
    box = np.array([[x, y, z] for x in (0, 1) for y in (0, 2) for z in (0, 3)], dtype=float)
    cloud = Cloud("box", box * scale + shift)
    found = placed(cloud)
    assert isinstance(found, Cloud)
    np.testing.assert_allclose(found.points, (box - [0.5, 1, 1.5]) / np.linalg.norm([0.5, 1, 1.5]), atol=1e-6)
    turned = placed(cloud, "z")
    assert isinstance(turned, Cloud)
    np.testing.assert_allclose(turned.points, found.points[:, [0, 2, 1]] * [1, 1, -1], atol=1e-12)


def test_places_are_joined_and_unused_ones_go() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [-0.0, 0, 0], [9, 9, 9], [0, 1, 0]])
    places, faces = joined(vertices, np.array([[0, 1, 4], [2, 4, 1]]))
    assert len(places) == 3
    assert np.array_equal(places[faces], vertices[[[0, 1, 4], [2, 4, 1]]])


@pytest.mark.parametrize(("text", "n", "coloured"), [
    (b"2\n0 0 0 10 200 0 0\n1 1 1 10 0 200 0\n", 2, True),
    (b"x,y,z\n0,0,0\n1;1;1\n", 2, False),
    (b"# from a scanner\n0 0 0 0 0 1\n1 1 1 0 1 0\n", 2, False),
    (b"0\t0\t0\t0.5\t0.5\t0.7\r\n1\t1\t1\t0\t0\t1\r\n", 2, False),
])
def test_lines_of_points(text: bytes, n: int, coloured: bool) -> None:
    points, colours = read_points(text)
    assert points.tolist() == [[0, 0, 0], [1, 1, 1]] and len(points) == n
    assert (colours is not None) is coloured
    if colours is not None:
        assert colours.tolist() == [[200, 0, 0], [0, 200, 0]]


def test_a_mesh_in_a_large_folder_opens_without_reading_it(tmp_path: Path) -> None:
    deep = tmp_path
    for name in ("one", "two", "three"):
        deep = deep / name
        deep.mkdir()
    (deep / "skin.png").write_bytes(picture([(1, 2, 3)]))
    (tmp_path / "a.obj").write_bytes(TEXTURED)
    (tmp_path / "a.mtl").write_bytes(MTL % b"skin.png")
    os.symlink(tmp_path, deep / "loop")
    (shape,) = open_mesh_path(tmp_path / "a.obj").objects
    assert isinstance(shape, Mesh) and not shape.textures
    (shape,) = open_mesh_path(tmp_path).objects
    assert isinstance(shape, Mesh) and len(shape.textures) == 1
