"""The page Object Subspaces on a real model, without a browser: its sections, odd data, its lines of Python."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.attention.masks import Steering
from core.sources.solids.clouds import solid_cloud
from tests.pages.test_foveal import titles
from tests.pages.test_pages import finished, opened, words

PAGE = "pages/3_Object_Subspaces.py"
SMALL = {"n_views": "8", "world_size": "64", "world_styles": "photo|sketch"}
SECTIONS = ("views", "subspace", "compare", "style", "recognise")


def page(**query: str) -> AppTest:
    return finished(opened(PAGE, **{**SMALL, **query}))


def alerts(at: AppTest) -> str:
    return "\n".join(html.proto.body for html in at.get("html") if 'role="alert"' in html.proto.body)


def uploaded(source: str, *files: tuple[str, bytes], **query: str) -> AppTest:
    at = opened(PAGE, **{**SMALL, "size": "64", "objects": source, **query})
    drop = at.file_uploader(key=f"{source}.upload")
    return finished(drop.set_value([(name, data, "application/octet-stream") for name, data in files]).run())


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("solids", ["cube|cone|torus", "cube"])
def test_every_section_of_solids(section: str, solids: str):
    at = page(objects_at=section, solids=solids)
    assert not alerts(at) and not at.exception
    code = [block.value for block in at.code]
    assert bool(code) == (section != "recognise")
    if section in ("views", "subspace", "compare") and solids != "cube":
        said: dict[str, object] = {}
        exec("\n".join(line for line in code[-1].splitlines() if not line.endswith(".show()")), said)
        assert said["views"].names == ("green cube", "green cone", "green torus")


def test_the_python_of_a_carried_style_finds_what_the_page_shows():
    at = page(objects_at="style", solids="cube|cone|torus", to_style="sketch")
    said: dict[str, object] = {}
    exec(next(block.value for block in at.code if "compose(" in block.value), said)
    shown = "".join(html.proto.body for html in at.get("html") if "✓" in html.proto.body)
    inputs = {said["images"].ids[said["content"]], said["images"].ids[said["source"]]}
    nearest = [name for name in said["nearest"] if name not in inputs]
    assert nearest[0] in shown


@pytest.mark.parametrize("section", SECTIONS[1:])
def test_the_photo_model_has_no_prompts_and_the_rest_is_measured(section: str):
    from core.streamlit_app.objects.page import WITHOUT_PROMPTS

    at = page(objects_at=section, solids="cube|cone|torus", model="photo", looks_like="a cube")
    assert WITHOUT_PROMPTS[:40] in words(at) and not alerts(at)
    if section == "style":
        assert "PAE" not in at.selectbox(key="method").options
    if section == "compare":
        assert not [field for field in at.text_input if field.label.startswith("Prompt")]


def test_other_objects_have_prompts_of_their_own():
    at = page(objects_at="compare", solids="cube|cone")
    at.session_state["solids"] = ["torus", "cone"]
    at = finished(at.run())
    prompts = {field.label: field.value for field in at.text_input if field.label.startswith("Prompt")}
    assert prompts == {"Prompt for green torus": "a photo of a torus", "Prompt for green cone": "a photo of a cone"}


def test_meshes_of_one_shape_and_other_names_are_not_taken_for_each_other(reference):
    from core.sources.meshes.opening import open_meshes
    from core.streamlit_app.objects.bring import _brought

    torus = (reference / "meshes" / "torus.STL").read_bytes()
    one, other = (_brought(open_meshes([(name, torus)])) for name in ("mine.stl", "yours.stl"))
    assert one.shapes[0].fingerprint == other.shapes[0].fingerprint and one.key != other.key


def test_a_mesh_and_photos_of_objects(reference):
    from core.streamlit_app.objects.page import WITHOUT_A_NAME

    chair = (reference / "meshes" / "chair_model.obj").read_bytes()
    at = uploaded("meshes", ("chair_model.obj", chair), ("broken.stl", b"solid nothing"), objects_at="subspace")
    assert WITHOUT_A_NAME[:40] in words(at) and "broken.stl" in words(at) + str([f.value for f in at.dataframe])
    assert not alerts(at)

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(12):
            picture = io.BytesIO()
            Image.fromarray(np.random.default_rng(i).integers(0, 255, (32, 32, 3), np.uint8)).save(picture, "PNG")
            archive.writestr(f"{'mug' if i < 6 else 'shoe'}/{i}.png", picture.getvalue())
    at = uploaded("photos", ("objects.zip", packed.getvalue()), objects_at="compare")
    assert "Principal angles" in words(at) and not alerts(at)
    assert "Look at them with the photo model" in [button.label for button in at.button]
    at = uploaded("photos", ("objects.zip", packed.getvalue()), objects_at="subspace")
    assert "nobody knows where they were taken from" in words(at) and not alerts(at)


def test_what_is_no_mesh_is_refused_in_words_and_another_can_be_taken(reference):
    at = uploaded("meshes", ("notes.obj", b"hello"))
    assert "a mesh or a point cloud" in alerts(at)
    good = (reference / "meshes" / "teapot.stl").read_bytes()
    drop = at.file_uploader(key="meshes.upload.1")
    at = finished(drop.set_value([("teapot.stl", good, "model/stl")]).run())
    assert not alerts(at) and "teapot" in words(at)


def test_too_many_views_are_said_before_they_are_drawn():
    at = page(solids="cube|sphere|cone|cylinder|torus|pyramid|octahedron|star|heart|cross", n_views="512",
              world_styles="photo|cartoon|neon|sketch|pixel")
    assert "25,600 views are more than the 20,000" in words(at)


def test_the_python_of_a_masked_recogniser_finds_what_the_page_shows(tmp_path):
    points = "\n".join(" ".join(f"{side:.5f}" for side in point) for point in solid_cloud("cross", 800).points)
    (tmp_path / "scan.xyz").write_text(points)
    at = uploaded("meshes", ("scan.xyz", points.encode()), objects_at="recognise", depth_mask="1", depth_alpha="3",
                  world_styles="photo", depth_views="cube")
    assert not alerts(at) and "of 12 poses" in words(at)
    code = next(block.value for block in at.code if "pointed_scores" in block.value)
    said: dict[str, object] = {}
    exec("\n".join(line for line in code.replace("chair.obj", str(tmp_path / "scan.xyz")).splitlines()
                   if not line.startswith(("beside(", "print(poses_of"))), said)
    assert said["steering"] == Steering(alpha=3.0)
    assert f"“{said['names'][said['pointed'].best]}” under the mask" in titles(at)
