"""The built-in world: what is rendered is what the scene says, seeded, true to its captions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import Cancelled, ChoiceError, ShapeError
from core.sources.solids.captions import ALL, attributes, caption, full_caption, known_words, left_to_right, prompt
from core.sources.solids.films import FILMS, frames, make_film
from core.sources.solids.render import render
from core.sources.solids.scene import Camera, Scene, Solid, sample_scene, sample_scenes
from core.sources.solids.shapes import BOUND, DISTANCES, REST, whiteness
from core.sources.solids.views import object_views, restyled
from core.sources.solids.vocabulary import ATTRIBUTES, COLOURS, RGB, SETTINGS, SOLIDS, STYLES, held_out_combinations
from core.sources.solids.world import open_world


def test_the_world_is_as_rich_as_promised() -> None:
    assert len(SOLIDS) == 10
    assert len(COLOURS) >= 9
    assert len(ATTRIBUTES["texture"]) >= 5
    assert len(STYLES) == 5
    assert len(SETTINGS) == 6


def test_a_seed_gives_the_same_pictures_and_another_gives_others() -> None:
    a, b, c = (render(sample_scenes(6, seed), 64).images for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_a_longer_sample_begins_with_the_shorter() -> None:
    assert sample_scenes(5, 3) == sample_scenes(9, 3)[:5]


def test_a_picture_does_not_depend_on_its_batch() -> None:
    scenes = sample_scenes(9, 4)
    together = render(scenes, 64).images.astype(int)
    alone = render(scenes[5:6], 64).images.astype(int)
    assert np.abs(together[5] - alone[0]).max() <= 1


@pytest.mark.parametrize("size", [64, 100, 512])
def test_any_size_from_64_to_512(size: int) -> None:
    out = render(sample_scenes(2, 5), size)
    assert out.images.shape == (2, size, size, 3)
    assert out.images.std() > 10


@pytest.mark.parametrize("size", [63, 513])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ShapeError, match=f"an image size from 64 to 512 px; got {size}"):
        render(sample_scenes(1, 0), size)


def test_rendering_reports_and_stops() -> None:
    said: list[float] = []
    render(sample_scenes(3, 0), 64, on_progress=lambda f, t: said.append(f))
    assert said[-1] == 1
    with pytest.raises(Cancelled, match="3 scenes"):
        render(sample_scenes(3, 0), 64, should_stop=lambda: True)


@pytest.mark.parametrize("shape", DISTANCES)
def test_solids_lie_within_their_bound_and_rest_on_the_ground(shape: str) -> None:
    import torch

    grid = torch.linspace(-1.2, 1.2, 61)
    x, y, z = torch.meshgrid(grid, grid, grid, indexing="ij")
    inside = DISTANCES[shape](x.flatten(), y.flatten(), z.flatten()) < 0
    points = torch.stack([x.flatten(), y.flatten(), z.flatten()], 1)[inside]
    assert len(points) > 500
    assert BOUND[shape] - 0.12 < points.norm(dim=1).max() <= BOUND[shape]
    assert -points[:, 1].min() == pytest.approx(REST[shape], abs=0.06)


@pytest.mark.parametrize("shape", DISTANCES)
def test_distances_never_overshoot(shape: str) -> None:
    """A march that trusts the distance must not jump through the surface: it is 1-Lipschitz."""
    import torch

    generator = torch.Generator().manual_seed(0)
    p = torch.randn(4000, 3, generator=generator)
    q = p + 0.05 * torch.randn(4000, 3, generator=generator)
    f, g = (DISTANCES[shape](*v.unbind(1)) for v in (p, q))
    assert ((f - g).abs() <= (p - q).norm(dim=1) * 1.03 + 1e-5).all()


def test_textures_differ_and_plain_is_plain() -> None:
    import torch

    p = torch.nn.functional.normalize(torch.randn(3000, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    shares = {t: whiteness(t, p, p, torch.full((3000,), 0.02)) for t in ATTRIBUTES["texture"]}
    assert shares["plain"].max() == 0
    for name in ("striped", "dotted", "checkered", "dipped"):
        assert 0.2 < shares[name].mean() < 0.7, name


def test_colour_and_box_are_where_the_solid_is() -> None:
    camera = Camera(yaw=0.4, pitch=0.3, distance=6.0, target=(0, 1, 0))
    for colour in COLOURS:
        out = render([Scene((Solid("sphere", colour),), "studio", "photo", camera)], 128)
        x0, y0, x1, y1 = out.boxes[0, 0]
        assert np.isnan(out.boxes[0, 1:]).all()
        expected = 0.85 * 1.15 / math.sqrt(36 - (0.85 * 1.15) ** 2) / math.tan(0.35) * 64
        assert (x1 - x0) / 2 == pytest.approx(expected, abs=1.6)
        assert (x0 + x1) / 2 == pytest.approx(64, abs=1)
        middle = out.images[0, int((y0 + y1) / 2), int((x0 + x1) / 2)] / 255
        nearest = min(RGB, key=lambda c: np.linalg.norm(middle - np.array(RGB[c])))
        assert nearest == colour


def test_the_nearer_solid_hides_the_farther() -> None:
    near, far = Solid("sphere", "red", z=1.5), Solid("sphere", "blue", z=-1.5)
    camera = Camera(yaw=0, pitch=0.05, distance=7, target=(0, 1, 0))
    one, two = (render([Scene(pair, "studio", "photo", camera)], 64) for pair in ((near, far), (far, near)))
    for out in (one, two):
        red, _, blue = out.images[0, 34, 32].astype(int)
        assert red > blue + 60
    assert np.allclose(one.boxes[0, 0], two.boxes[0, 1])


def test_styles_change_the_picture_and_nothing_of_the_scene() -> None:
    scene = sample_scene(np.random.default_rng(3), count=1, style="photo")
    out = render([restyled(scene, style=s) for s in STYLES], 64)
    assert np.nanmax(np.ptp(out.boxes[:, 0], axis=0)) == 0
    for i in range(len(STYLES)):
        for j in range(i):
            assert np.abs(out.images[i].astype(int) - out.images[j]).mean() > 8


def test_held_out_combinations_are_a_seeded_fifth_and_never_drawn_in_training() -> None:
    combinations = held_out_combinations()
    assert len(combinations) == round(0.2 * 10 * len(COLOURS) * 5)
    assert not any(s.held_out for s in sample_scenes(800, 0))
    assert all(s.held_out for s in sample_scenes(100, 0, count=1, held_out=True))
    assert 0.1 < np.mean([s.held_out for s in sample_scenes(500, 0, count=1, held_out=None)]) < 0.3


def test_fixed_attributes_stay_and_wrong_names_are_told() -> None:
    scene = sample_scene(np.random.default_rng(0), solid="torus", setting="snow")
    assert {s.shape for s in scene.solids} == {"torus"}
    assert scene.setting == "snow"
    with pytest.raises(ChoiceError, match="attribute to be one of solid, colour"):
        sample_scene(np.random.default_rng(0), weight="heavy")
    with pytest.raises(ChoiceError, match="colour to be one of red"):
        sample_scene(np.random.default_rng(0), colour="mauve")
    shape, colour, style = next(iter(held_out_combinations()))
    with pytest.raises(ShapeError, match="combination of solid, colour and style that may be drawn"):
        sample_scene(np.random.default_rng(0), solid=shape, colour=colour, style=style)


def test_a_scene_checks_itself() -> None:
    with pytest.raises(ChoiceError, match="texture to be one of plain"):
        Solid("cube", "red", "furry")
    with pytest.raises(ChoiceError, match="setting to be one of meadow"):
        Scene((Solid("cube", "red"),), "moon")
    with pytest.raises(ChoiceError, match="style to be one of photo"):
        Scene((Solid("cube", "red"),), style="oil")
    with pytest.raises(ShapeError, match="one to three solids; got 0"):
        Scene(())


def test_captions_are_true_in_known_words() -> None:
    words = set(known_words())
    for i, scene in enumerate(sample_scenes(400, 8)):
        rng = np.random.default_rng(i)
        said = caption(scene, rng)
        assert set(said.text.replace(",", "").split()) <= words
        facts = attributes(scene)
        assert all(facts[k] == v for k, v in said.says.items())
        full = caption(scene, rng, mention=ALL).text
        for solid in scene.solids:
            assert any(w in full.split() or f"{w}," in full.split() for w in COLOURS[solid.colour])
            assert any(w in full for w in SOLIDS[solid.shape])


def test_left_is_left_in_the_picture() -> None:
    for scene in [s for s in sample_scenes(60, 9, count=2)][:30]:
        boxes = render([scene], 64).boxes[0]
        order = [scene.solids.index(s) for s in left_to_right(scene)]
        centres = [(boxes[i, 0] + boxes[i, 2]) / 2 for i in order]
        if np.isfinite(centres).all() and min(boxes[order, 2] - boxes[order, 0]) > 6:
            assert centres[0] < centres[1] + 4


def test_prompts_are_canonical_and_checked() -> None:
    assert prompt(solid="octahedron") == "an octahedron"
    assert prompt(style="sketch", size="large", texture="striped", colour="orange", solid="cone", setting="sea") == (
        "a pencil sketch of a large striped orange cone on the sea")
    with pytest.raises(ChoiceError, match="solid to be one of"):
        prompt(solid="dodecahedron")


def test_the_world_is_a_dataset() -> None:
    data = open_world(40, seed=2, size=64)
    assert len(data.image_ids) == len(data.texts) == 40
    assert np.array_equal(data.links[:, 0], data.links[:, 1])
    assert data.images is not None
    assert data.images.decode(33).size == (64, 64)
    assert {"label", "colour", "texture", "style", "setting", "size", "count", "held_out"} <= set(data.image_table)
    assert data == open_world(40, seed=2, size=64) != open_world(40, seed=3, size=64)
    scene = data.images.scenes[7]  # type: ignore[attr-defined]
    assert data.texts[7] == full_caption(scene)
    assert np.array_equal(np.asarray(data.images.decode(7)), render([scene], 64).images[0]) or np.abs(
        np.asarray(data.images.decode(7)).astype(int) - render([scene], 64).images[0]).max() <= 1
    with pytest.raises(ShapeError, match="at least one scene; got 0"):
        open_world(0)


def test_views_go_round_one_object() -> None:
    views = object_views(Solid("heart", "pink", "striped"), 8, styles=("photo", "neon"), pitches=(0.2, 0.6))
    assert len(views) == 32
    assert len({v.camera.yaw for v in views}) == 8
    out = render(views[:8], 64)
    widths = out.boxes[:, 0, 2] - out.boxes[:, 0, 0]
    assert widths.max() > 1.4 * widths.min()
    with pytest.raises(ShapeError, match="at least one view"):
        object_views(Solid("heart", "pink"), 0)


@pytest.mark.parametrize("kind", FILMS)
def test_films_have_the_cuts_they_say(kind: str) -> None:
    film = make_film(kind, 96, seed=1)
    pictures = np.stack(list(frames(film, 64))).astype(float)
    assert len(pictures) == len(film) == len(film.times) == 96
    change = np.abs(np.diff(pictures, axis=0)).mean((1, 2, 3))
    inside = np.delete(change, [c - 1 for c in film.cuts])
    if film.cuts:
        assert min(change[c - 1] for c in film.cuts) > 1.5 * np.quantile(inside, 0.9)
    assert film.kind == kind
    assert bool(film.fades) == (kind == "fades")
    assert bool(film.cuts) == (kind == "montage")


def test_a_fade_is_a_mixture_of_its_ends() -> None:
    film = make_film("fades", 96, seed=1)
    first, _ = film.fades[0]
    a, b = render([film.shots[0][first], film.shots[1][0]], 64).images.astype(float)
    shown = list(frames(film, 64))[first].astype(float)
    assert np.abs(shown - (a * 8 + b) / 9).max() <= 1.5


def test_films_refuse_what_they_cannot_make() -> None:
    with pytest.raises(ChoiceError, match="kind of film to be one of orbit"):
        make_film("western")
    with pytest.raises(ShapeError, match="at least 48 frames; got 12"):
        make_film("orbit", 12)
