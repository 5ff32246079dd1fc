"""Views as a dataset, and objects in the look of the built-in world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from core.encoding.models import load_model
from core.encoding.pipeline import embed
from core.encoding.store import Store
from core.errors import Cancelled, ChoiceError, ShapeError
from core.geometry.directions import unit
from core.rendering.cameras import camera_set
from core.rendering.drawing import Drawing, render_views
from core.rendering.views import ViewImages, views_dataset
from core.rendering.world import WorldDrawer, WorldLook, solid_scenes
from core.sources.images.thumbnails import thumbnail
from core.sources.meshes.mesh import Cloud, Mesh
from core.sources.solids.render import render
from core.sources.solids.scene import Solid
from core.sources.solids.views import object_views
from core.sources.solids.vocabulary import SOLIDS, STYLES
from tests.rendering.made import ball, box, mesh

MADE = {
    "cube": (trimesh.creation.box(), "y"), "sphere": (trimesh.creation.icosphere(3), "y"),
    "cone": (trimesh.creation.cone(0.75, 1.55), "z"), "cylinder": (trimesh.creation.cylinder(0.57, 1.44), "z"),
    "torus": (trimesh.creation.torus(0.62, 0.29), "y"),
}


def named(pictures: np.ndarray, solid: str) -> float:
    """Share of pictures that the built-in model calls by the name of the solid."""
    from PIL import Image

    model = load_model("builtin")
    texts = unit(model.encode_texts([f"a photo of a {name}" for name in SOLIDS]))
    images = unit(model.encode_images([Image.fromarray(p) for p in pictures]))
    return float(((images @ texts.T).argmax(axis=1) == list(SOLIDS).index(solid)).mean())


def test_the_built_in_model_names_primitives_in_the_look_of_its_world_and_not_in_grey() -> None:
    views = camera_set("ring", 8)[::2]
    world, grey = [], []
    for solid, (made, up) in MADE.items():
        world.append(named(WorldDrawer(mesh(made), WorldLook(up=up)).draw_all(views), solid))
        grey.append(named(render_views(mesh(made), views, Drawing(size=128, up=up)), solid))
    assert np.mean(world) > 0.9
    assert np.mean(grey) < 0.5


def test_a_ball_in_the_world_is_drawn_as_the_world_draws_its_own() -> None:
    views = camera_set("ring", 8)[:2]
    ours = WorldDrawer(ball(), WorldLook(size=96)).draw_all(views).astype(int)
    theirs = WorldDrawer(Solid("sphere", "green", radius=1.08 / 0.85), WorldLook(size=96)).draw_all(views).astype(int)
    # The world's camera stands farther from a solid of this radius; the middle of both is the same paint in one light.
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a[40:56, 40:56].mean(axis=(0, 1)), b[40:56, 40:56].mean(axis=(0, 1)), atol=12)
        np.testing.assert_allclose(a[2:8, 2:8].mean(axis=(0, 1)), b[2:8, 2:8].mean(axis=(0, 1)), atol=25)
    assert ours[0, 48, 48, 1] > 2 * ours[0, 48, 48, 0]


def test_every_style_of_the_world_is_drawn_and_repeats() -> None:
    drawn = [WorldDrawer(box(), WorldLook(style, size=64, setting="meadow")).draw_all(camera_set("cube"))
             for style in STYLES]
    again = WorldDrawer(box(), WorldLook("neon", size=64, setting="meadow")).draw_all(camera_set("cube"))
    np.testing.assert_array_equal(drawn[list(STYLES).index("neon")], again)
    assert min(np.abs(a.astype(int) - b).mean() for i, a in enumerate(drawn) for b in drawn[:i]) > 3
    seen = WorldDrawer(Cloud("shell", camera_set("fibonacci", 512)), WorldLook(size=64)).draw_all(camera_set("ten"))
    assert (seen[:, 32, 32, 1] > seen[:, 32, 32, 0] + 10).all()


def test_solids_are_seen_by_the_same_cameras_as_meshes() -> None:
    scenes = solid_scenes(Solid("star", "red"), camera_set("cube"), WorldLook(colour=""))
    assert all(scene.solids[0].colour == "red" for scene in scenes)
    theirs = object_views(Solid("star", "green"), 8, pitches=[np.radians(20)])
    ours = WorldDrawer(Solid("star", "red"), WorldLook(size=64)).draw_all(camera_set("ring", 8))
    assert np.abs(ours.astype(int) - render(theirs, 64).images).mean() < 1


def test_views_are_a_dataset_that_the_pipeline_embeds(tmp_path: Path) -> None:
    views = camera_set("fibonacci", 9)
    looks = [Drawing(size=64), WorldLook(size=64)]
    data = views_dataset([box(), ball()], views, looks)
    assert len(data.image_ids) == len(set(data.image_ids)) == 36
    assert data.image_ids[0] == "box, shaded, view 0" and data.name == "box, ball"
    table = data.image_table
    assert list(table) == ["label", "object", "style", "look", "azimuth", "elevation", "view"]
    assert table["object"].tolist() == ["box"] * 18 + ["ball"] * 18
    assert table["look"].tolist() == (["plain"] * 9 + ["world"] * 9) * 2
    assert table["view"].tolist() == list(range(9)) * 4
    assert table["elevation"].iloc[0] == pytest.approx(np.degrees(np.arcsin(8 / 9)), abs=0.01)
    assert data.images is not None
    np.testing.assert_array_equal(np.asarray(data.images.decode(20)), render_views(ball(), views, looks[0])[2])
    embedded = embed(data, load_model("builtin"), Store(tmp_path))
    assert embedded.images is not None and len(embedded.images) == 36 and embedded.encoded == 36
    more = views_dataset([ball()], np.concatenate([views[::-1], camera_set("cube")]), looks)
    assert embed(more, load_model("builtin"), Store(tmp_path)).encoded == 12, "views in common are known"
    assert thumbnail(data.images, 3, 32).size == (32, 32)


def test_a_view_is_known_by_what_it_shows() -> None:
    def print_of(shape: Mesh | Solid, look: Drawing | WorldLook, direction: np.ndarray) -> str:
        return ViewImages([shape], direction[None], [look]).content_hash(0)

    front, above = camera_set("cube")[[0, 4]]
    one = print_of(box(), Drawing(), front)
    assert one == print_of(Mesh("another name", box().vertices, box().faces), Drawing(), front)
    others = [print_of(ball(), Drawing(), front), print_of(box(), Drawing("sketch"), front),
              print_of(box(), Drawing(), above), print_of(box(), WorldLook(), front),
              *(print_of(Solid("cube", "red"), WorldLook(seed=seed), front) for seed in (0, 1))]
    assert len({one, *others}) == 7


def test_views_are_drawn_ahead_with_progress_and_stop() -> None:
    images = ViewImages([box(), Solid("cube", "red")], camera_set("ring", 20), [WorldLook(size=64)])
    told: list[float] = []
    images.draw_all(lambda fraction, text: told.append(fraction))
    assert told[-1] == 1 and told == sorted(told) and len(told) == 6
    assert len(images._chunks) == 6
    with pytest.raises(Cancelled):
        images.draw_all(should_stop=lambda: True)
    with pytest.raises(ChoiceError, match="solids of the built-in world to be drawn in the look of the world"):
        ViewImages([Solid("cube", "red")], camera_set("cube"), [Drawing()])
    with pytest.raises(ShapeError, match="at least one object"):
        ViewImages([], camera_set("cube"), [Drawing()])
