"""What cameras see of meshes and clouds made by hand, and how it is drawn."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from core.errors import Cancelled, ChoiceError, ShapeError
from core.rendering import surfaces
from core.rendering.cameras import DISTANCE, FILL, SPREAD, camera_set, project
from core.rendering.casting import Caster
from core.rendering.depth import depth_views
from core.rendering.drawing import Drawing, render_views, styles_of
from core.rendering.normals import corner_normals
from core.rendering.surfaces import MeshSurface, surface_of
from core.sources.meshes.mesh import Cloud, placed
from tests.rendering.made import ball, box, boxes, card, mesh

FRONT = np.array([[0.0, 0, 1]])
CUBE = camera_set("cube")


def names(colour: np.ndarray) -> str:
    """Which of the colours of `boxes` one is."""
    red, green, blue = colour.astype(int)
    if max(red, green, blue) - min(red, green, blue) < 40:
        return "-"
    return {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 0): "yellow", (0, 1, 1): "cyan",
            (1, 0, 1): "magenta"}[
        tuple(int(c > 0.6 * max(red, green, blue)) for c in (red, green, blue))]


@pytest.mark.parametrize("embree", [True, False])
def test_a_ball_is_a_disc_of_the_right_size_from_everywhere(embree: bool) -> None:
    surface = MeshSurface(placed(ball()), embree)
    for direction in camera_set("random", 8):
        hits = surface.cast(direction, 200)
        assert len(hits.pixel) == pytest.approx(math.pi * (FILL * 100) ** 2, rel=0.004)
        off = np.hypot(hits.pixel % 200 - 99.5, hits.pixel // 200 - 99.5)
        assert off.max() <= FILL * 100 + 0.1
        near = hits.distance[np.argmin(off)]
        assert near == pytest.approx(DISTANCE - 1, abs=2e-3)


def test_both_casters_meet_the_same_places() -> None:
    shape = placed(mesh(trimesh.creation.torus(1, 0.4, major_sections=24, minor_sections=12)))
    fast, slow = (Caster(shape.vertices.astype(np.float32), shape.faces, way) for way in (True, False))
    for direction in camera_set("random", 8, seed=1):
        a, b = fast.first(direction, 96), slow.first(direction, 96)
        both, at, of = np.intersect1d(a.pixel, b.pixel, return_indices=True)
        assert len(both) > 0.999 * max(len(a.pixel), len(b.pixel))
        assert (a.face[at] == b.face[of]).mean() > 0.995
        assert np.median(np.abs(a.distance[at] - b.distance[of])) < 1e-5
        for hits in (a, b):
            met = np.einsum("hk,hki->hi", hits.weights, shape.vertices[shape.faces[hits.face]])
            places, _ = project(met, direction, 96)
            np.testing.assert_allclose(places, np.stack([hits.pixel % 96, hits.pixel // 96], 1) + 0.5, atol=5e-3)


def test_normals_are_smooth_on_a_ball_sharp_on_a_box_and_blind_to_winding() -> None:
    round_, square = ball(), box()
    np.testing.assert_allclose(corner_normals(round_.vertices, round_.faces),
                               round_.vertices[round_.faces], atol=0.01)
    found = corner_normals(square.vertices, square.faces)
    np.testing.assert_allclose(found, trimesh.creation.box().face_normals[:, None].repeat(3, 1), atol=1e-6)
    turned = round_.faces.copy()
    turned[::2] = turned[::2, ::-1]
    mixed = corner_normals(round_.vertices, turned)
    along = np.abs(np.einsum("fki,fki->fk", mixed, round_.vertices[turned]))
    assert along.min() > 0.999


def test_up_is_up_right_is_right_and_the_nearer_hides_the_farther() -> None:
    shape = boxes((0, 1, 0), (1, 0, 0), (0, 0, 1), (0, 0, -1), (0, -1, 0), (-1, 0, 0))
    reach = round(48 / SPREAD / DISTANCE * 0.8)
    spots = (48 - reach, 48), (48, 48 - reach), (48, 48), (48, 48 + reach), (48 + reach, 48)

    def seen(picture: np.ndarray) -> list[str]:
        return [names(picture[spot]) for spot in spots]

    pictures = render_views(shape, CUBE, Drawing("textured", size=96, light="front"))
    assert [seen(picture) for picture in pictures] == [       # top, left, middle, right, bottom
        ["red", "magenta", "blue", "green", "cyan"],           # from the front
        ["red", "blue", "green", "yellow", "cyan"],            # from the right
        ["red", "green", "yellow", "magenta", "cyan"],         # from behind
        ["red", "yellow", "magenta", "blue", "cyan"],          # from the left
        ["yellow", "magenta", "red", "green", "blue"],         # from above
        ["blue", "magenta", "cyan", "green", "yellow"],        # from below
    ]


def test_textures_come_through_the_right_way_up_and_are_averaged_from_afar() -> None:
    quarters = np.zeros((64, 64, 3), np.uint8)
    quarters[:32, :32], quarters[:32, 32:] = [255, 0, 0], [0, 255, 0]
    quarters[32:, :32], quarters[32:, 32:] = [0, 0, 255], [255, 255, 0]
    (picture,) = render_views(card(quarters), FRONT, Drawing("textured", size=64, light="front"))
    assert [names(picture[y, x]) for y, x in ((22, 22), (22, 42), (42, 22), (42, 42))] == [
        "red", "green", "blue", "yellow"]
    fine = (np.indices((1024, 1024)).sum(axis=0) % 2 * 255).astype(np.uint8)
    (picture,) = render_views(card(fine[..., None].repeat(3, 2)), FRONT, Drawing("textured", size=64, light="front"))
    inside = picture[24:40, 24:40].astype(int)
    assert inside.max() - inside.min() < 12
    plain = render_views(card(quarters), FRONT, Drawing("shaded", size=64))[0]
    assert len({names(plain[y, x]) for y, x in ((22, 22), (42, 42))} - {"-"}) == 0


@pytest.mark.parametrize("style", ["textured", "normals", "wireframe"])
def test_units_place_and_up_axis_do_not_change_a_view(style: str) -> None:
    shape = boxes((0, 1, 0), (1.4, 0, 0), (0.2, 0, 1))
    views = camera_set("random", 8)[:3]
    wanted = render_views(shape, views, Drawing(style, size=96)).astype(int)
    moved = replace(shape, vertices=shape.vertices * 2540 + [1e5, -3e4, 7e3])
    lying = replace(shape, vertices=shape.vertices[:, [0, 2, 1]] * [1, -1, 1])
    for other, up in ((moved, "y"), (lying, "z")):
        got = render_views(other, views, Drawing(style, size=96, up=up)).astype(int)
        assert (np.abs(got - wanted).max(axis=3) > 3).mean() < 2e-3
    assert (np.abs(render_views(lying, views, Drawing(style, size=96)).astype(int) - wanted) > 3).mean() > 0.02


def test_every_style_has_its_own_look_and_repeats_to_the_byte() -> None:
    shape, views = boxes((0, 1, 0), (1, 0, 0), (0, 0, 1)), camera_set("ring", 8)[1:3]
    assert len(styles_of(shape)) == 9
    drawn = {style: render_views(shape, views, Drawing(style, size=80)) for style in styles_of(shape)}
    for style, pictures in drawn.items():
        np.testing.assert_array_equal(render_views(shape, views, Drawing(style, size=80)), pictures)
        assert (pictures[0, :4, :4] == 255).all(), style
        for other, others in drawn.items():
            assert style == other or np.abs(pictures.astype(int) - others).mean() > 1, (style, other)
    assert set(np.unique(drawn["silhouette"][..., 0])) >= {5, 255}
    assert (drawn["silhouette"][..., 0] < 128).sum() == pytest.approx((drawn["normals"].min(3) < 255).sum(), rel=0.2)


def test_flat_faces_show_their_normal_and_their_depth() -> None:
    normal, depth, dark = (render_views(box(), FRONT, Drawing(style, size=64, background=ground))[0, 32, 32]
                           for style, ground in (("normals", "white"), ("depth", "white"), ("depth", "black")))
    assert normal.tolist() == [128, 128, 255]
    at = (1 - 1 / math.sqrt(3)) / 2        # the face of the cube lies at 1 / sqrt(3) of the ball's radius
    assert depth.tolist() == [round(255 * (0.85 - 0.80 * (1 - at)))] * 3
    assert dark.tolist() == [round(255 * (0.15 + 0.85 * (1 - at)))] * 3


def test_lights_and_backgrounds_do_what_their_names_say() -> None:
    def halves(light: str, direction: np.ndarray) -> tuple[float, ...]:
        (picture,) = render_views(ball(), direction[None], Drawing(light=light, size=64, background="black"))
        grey = picture.mean(axis=2)
        return tuple(float(part.mean()) for part in (grey[:32], grey[32:], grey[:, :32], grey[:, 32:]))

    top, bottom, left, right = halves("shoulder", FRONT[0])
    assert top > bottom and left > right
    top, bottom, left, right = halves("front", FRONT[0])
    assert left == pytest.approx(right, rel=0.02)
    assert halves("above", CUBE[4])[0] > halves("above", CUBE[5])[0]
    white, studio = (render_views(ball(), FRONT, Drawing(background=b, size=64))[0] for b in ("white", "studio"))
    assert (white[0] == 255).all() and (studio[0, 0] > studio[-1, 0]).all()


def test_a_cloud_shows_its_nearest_points_where_they_are() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 3))
    points *= np.r_[1.0, rng.uniform(0.2, 0.9, 59)][:, None] / np.linalg.norm(points, axis=1, keepdims=True)
    points = np.concatenate([points, -points])              # the middle of its box is the origin
    colours = rng.integers(1, 256, (120, 3), dtype=np.uint8)
    seen = surface_of(Cloud("dots", points, colours)).seen(CUBE[1], 128)
    places, depth = project(placed(Cloud("dots", points)).points, CUBE[1], 128)
    radius = 0.03 * 128                                      # of points so few the largest disc there is
    assert seen.albedo is not None
    drawn = {int(pixel): colour.round().astype(int).tolist() for pixel, colour in zip(seen.pixel, seen.albedo * 255)}
    wanted = {}
    for pixel in range(128 * 128):
        near = np.flatnonzero(np.hypot(*(places - (pixel % 128 + 0.5, pixel // 128 + 0.5)).T) <= radius)
        if len(near):
            wanted[pixel] = colours[near[np.argmin(depth[near])]].tolist()
    assert drawn == wanted


def test_a_dense_cloud_closes_and_has_the_normals_of_its_surface() -> None:
    points = camera_set("fibonacci", 512)
    more = np.concatenate([points @ np.linalg.qr(np.random.default_rng(i).normal(size=(3, 3)))[0] for i in range(8)])
    cloud = Cloud("shell", more)
    seen = surface_of(cloud).seen(FRONT[0], 200)
    assert 1 < len(seen.pixel) / (math.pi * (FILL * 100) ** 2) < 1.15      # by half a disc larger than the ball
    shell = placed(cloud).points
    towards = np.einsum("hi,hi->h", seen.normal, -seen.ray)
    assert (towards >= 0).all()
    assert np.median(np.abs(np.einsum("ni,ni->n", surface_of(cloud)._normals, shell))) > 0.99
    with pytest.raises(ChoiceError, match="style of a cloud to be one of shaded"):
        render_views(cloud, FRONT, Drawing("wireframe"))
    assert "wireframe" not in styles_of(cloud)


def test_depth_pictures_are_bright_where_it_is_near() -> None:
    shape = boxes((-1, 0, 1), (1, 0, -1), side=0.6)
    found = depth_views(shape, CUBE, size=96, smooth=0)
    six = found.pictures
    touched = six[..., 0] > 0
    assert touched[found.drawn].all() and 0.01 < found.drawn[0].mean() < 0.3
    assert (touched & ~found.drawn).mean() < 0.02, "the rest are edges"
    assert six.shape == (6, 96, 96, 3) and six.dtype == np.uint8
    front = six[0, 48, :, 0].astype(int)
    assert front[:40].max() > 240 and 0 < front[56:].max() < 160 and front[48] == 0
    np.testing.assert_array_equal(six[2, 48], six[0, 48])   # from behind the other one is near, on the same side
    white = depth_views(shape, CUBE[:1], size=96, background="white", smooth=0).pictures
    assert white[0, 0, 0, 0] == 255
    smooth = depth_views(shape, CUBE[:1], size=96).pictures[0, 48, :, 0].astype(int)
    assert np.abs(np.diff(smooth)).max() < np.abs(np.diff(front)).max()
    shell = Cloud("shell", camera_set("random", 512))
    closed = depth_views(shell, CUBE[:1], size=96).pictures[0, 20:76, 20:76, 0]
    assert (closed > 60).mean() > 0.97
    one = depth_views(Cloud("two", np.array([[0, 0, 0], [0.01, 0, 1]])), CUBE[:1], size=96).drawn[0]
    assert one.any(), "of what covers no half of a pixel, what it touches"


def test_progress_cancel_and_refusals() -> None:
    told: list[float] = []
    render_views(box(), CUBE, Drawing(size=32), on_progress=lambda f, text: told.append(f))
    np.testing.assert_allclose(told, np.arange(1, 7) / 6)
    stops = iter([False, True])
    with pytest.raises(Cancelled, match="a request to stop after 2 views"):
        render_views(box(), CUBE, Drawing(size=32), should_stop=lambda: next(stops))
    with pytest.raises(ShapeError, match="directions with unit rows"):
        render_views(box(), CUBE * 2, Drawing(size=32))
    with pytest.raises(ShapeError, match="from 32 to 1024 px"):
        Drawing(size=2000)
    with pytest.raises(ChoiceError, match="style to be one of shaded, textured"):
        Drawing("oil")


def test_without_embree_a_view_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    shape, views = boxes((0, 1, 0), (1, 0, 0), (0, 0, 1)), camera_set("ring", 8)[:2]
    wanted = render_views(shape, views, Drawing("textured", size=64)).astype(int)
    monkeypatch.setattr(surfaces, "Caster", lambda vertices, faces, embree: Caster(vertices, faces, False))
    got = render_views(shape, views, Drawing("textured", size=64)).astype(int)
    assert (np.abs(got - wanted).max(axis=3) > 3).mean() < 2e-3
