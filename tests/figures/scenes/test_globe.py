"""Figures of a sphere scene: what is plotted is what the scene says, text is text, colours keep their meaning."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures import theme
from core.figures.colours import NO_VALUE, legend, natural
from core.figures.scenes.globe import HOVER_LENGTH, MOST_PAIRS, hover_text, looking_at, sphere
from core.figures.sphere.flat import flat_sphere
from core.geometry import directions as s2
from core.scene import Arc, Cap, Colouring, Mark, SphereScene

N = 120
HOSTILE = "<script>alert('x')</script><b>bold</b> & more"


def scene(**changes) -> SphereScene:
    coords = s2.fibonacci(N)
    labels = [f"point {i}" for i in range(N)]
    labels[0], labels[1] = HOSTILE, "word " * 10_000
    given = {"coords": coords, "kinds": np.repeat([0, 1, 2], [60, 50, 10]), "labels": tuple(labels),
             "title": "A <i>finding</i>", "note": "Spearman 0.9 <b>really</b>",
             "pairs": np.stack([np.arange(50), np.arange(60, 110)], axis=1),
             "arcs": (Arc(coords[3], coords[70], "gap: 40° on the map, 72° true"),),
             "caps": (Cap(coords[3], 0.5, "half of the images", "image"),),
             "marks": (Mark(coords[3], "mean <of> images", "image"),), **changes}
    return SphereScene(**given)


def named(figure, name: str):
    return next(trace for trace in figure.data if trace.name == name)


def xyz(trace) -> np.ndarray:
    return np.stack([trace.x, trace.y, trace.z], axis=1).astype(float)


@pytest.mark.parametrize("dark", [False, True])
def test_points_are_plotted_where_the_scene_has_them_in_the_colour_of_their_kind(dark):
    figure = sphere(scene(), dark)
    for name, kind, rows in (("images", "image", slice(0, 60)), ("texts", "text", slice(60, 110)),
                             ("prompts", "prompt", slice(110, 120))):
        trace = named(figure, name)
        np.testing.assert_allclose(xyz(trace), scene().coords[rows], atol=1e-6)
        assert trace.marker.color == "rgb({},{},{})".format(*theme.rgb(theme.palette(dark).kinds[kind]))
        np.testing.assert_array_equal(trace.customdata, np.arange(N)[rows])


def test_arcs_pairs_and_caps_lie_on_the_sphere_and_end_where_they_should():
    figure = sphere(scene())
    gap = xyz(named(figure, "gap: 40° on the map, 72° true"))
    np.testing.assert_allclose(np.linalg.norm(gap, axis=1), 1.006, atol=1e-6)
    np.testing.assert_allclose(s2.unit(gap[[0, -1]]), scene().coords[[3, 70]], atol=1e-6)
    middle = s2.unit(gap)[len(gap) // 2]
    assert s2.angle(middle, scene().coords[3]) + s2.angle(middle, scene().coords[70]) == pytest.approx(
        s2.angle(scene().coords[3], scene().coords[70]), abs=1e-6)
    pairs = xyz(named(figure, "pairs"))
    assert np.isnan(pairs[:, 0]).sum() == 50
    assert np.nanmin(np.linalg.norm(pairs, axis=1)) > 0.999   # arcs, not chords
    edge = s2.unit(xyz(named(figure, "half of the images")))
    np.testing.assert_allclose(s2.angle(edge, scene().coords[3]), 0.5, atol=1e-6)


def test_title_says_the_finding_note_the_fidelity_and_both_are_text():
    figure = sphere(scene())
    assert figure.layout.title.text == "A &lt;i&gt;finding&lt;/i&gt;"
    assert figure.layout.annotations[0].text == "Spearman 0.9 &lt;b&gt;really&lt;/b&gt;"
    assert figure.layout.scene.annotations[0].text == "mean &lt;of&gt; images"
    assert not sphere(scene(note="")).layout.annotations


def test_hover_text_is_escaped_shortened_and_wrapped():
    for figure in (sphere(scene()), flat_sphere(scene())):
        hovers = named(figure, "images").hovertext
        assert hovers[0].startswith("&lt;script&gt;alert(&#x27;x&#x27;)")
        assert "<script" not in figure.to_json()
        assert len(hovers[1]) < HOVER_LENGTH * 1.3
        assert hovers[1].endswith("…")
    assert hover_text("a\n\nb") == "a<br><br>b"
    assert max(map(len, hover_text("x" * 200).split("<br>"))) <= 48


def test_unselected_points_turn_grey_and_stay():
    selected = np.zeros(N, dtype=bool)
    selected[:20] = True
    figure = sphere(scene(selected=selected))
    assert len(named(figure, "images").x) == 20
    assert len(named(figure, "images, not selected").x) == 40
    assert named(figure, "images, not selected").marker.color == theme.LIGHT.unselected


def test_groups_beyond_twelve_share_an_entry_and_points_without_one_are_named():
    groups = tuple(f"group {i % 20}" for i in range(N))
    key = legend(scene(colouring=Colouring("label", groups=groups)))
    assert key.names[-1] == "8 more"
    assert sum(key.counts) == N
    assert list(key.names[:-1]) == sorted(key.names[:-1], key=natural)
    few = legend(scene(colouring=Colouring("label", groups=("a", "") * 60)))
    assert (few.names, few.counts) == (("a", "none"), (60, 60))
    names = {trace.name for trace in sphere(scene(colouring=Colouring("label", groups=groups))).data}
    assert "group 3 (images)" in names


def test_values_are_coloured_between_their_percentiles_and_missing_ones_grey():
    values = np.linspace(-1, 1, N)
    values[7] = np.nan
    key = legend(scene(colouring=Colouring("cosine", values=values)))
    assert (key.low, key.high) == pytest.approx(tuple(np.nanpercentile(values, [1, 99])))
    assert key.index[7] == NO_VALUE
    assert (key.index[0], key.index[-1]) == (0, NO_VALUE - 1)
    assert key.title == "cosine (grey: none)"
    trace = named(sphere(scene(colouring=Colouring("cosine", values=values))), "images")
    assert trace.marker.colorbar.title.text == "cosine (grey: none)"
    assert trace.marker.cmin == pytest.approx(key.low)
    whole = legend(scene(colouring=Colouring("time", values=values, whole=True)))
    assert (whole.low, whole.high) == (-1, 1) and (whole.index == NO_VALUE - 1).sum() == 1
    constant = legend(scene(colouring=Colouring("c", values=np.ones(N))))
    assert np.isfinite([constant.low, constant.high]).all()


def test_heat_is_drawn_on_the_surface():
    heat = np.random.default_rng(0).random((16, 32))
    surface = named(sphere(scene(heat=heat, heat_title="search")), "sphere")
    np.testing.assert_array_equal(surface.surfacecolor, heat)
    assert surface.colorbar.title.text == "search"


def test_heat_of_both_signs_has_its_numbers_and_two_colours_that_are_told_apart():
    two = scene(heat=np.full((4, 8), 0.5), heat_range=(-3.0, 3.0), heat_two_way=True)
    surface = named(sphere(two), "sphere")
    assert surface.colorbar.ticktext == ("-3", "0", "3")
    below, nothing, above = (surface.colorscale[i][1] for i in (0, 8, 16))
    assert len({below, nothing, above}) == 3
    assert two.fingerprint != scene(heat=np.full((4, 8), 0.5)).fingerprint


def test_lines_are_drawn_from_place_to_place_with_gaps_between():
    coords = scene().coords.astype(float)
    path = xyz(named(sphere(scene(lines=(coords[:3], coords[5:9]))), "lines"))
    assert np.isnan(path[[3, 8]]).all()
    np.testing.assert_allclose(s2.unit(path[[0, 1, 2, 4, 5, 6, 7]]), coords[[0, 1, 2, 5, 6, 7, 8]], atol=1e-6)


def test_arrows_have_shafts_and_heads():
    coords = scene().coords
    figure = sphere(scene(arrows=np.stack([coords[:4], coords[4:8]], axis=1)))
    heads = named(figure, "arrow heads")
    np.testing.assert_allclose(np.stack([heads.x, heads.y, heads.z], 1), coords[4:8], atol=1e-6)


def test_many_pairs_are_thinned_and_the_legend_says_so():
    pairs = np.stack([np.arange(2000) % 60, 60 + np.arange(2000) % 50], axis=1)
    figure = sphere(scene(pairs=pairs))
    assert named(figure, f"pairs ({MOST_PAIRS} of 2,000)").showlegend


def test_the_flat_figure_has_the_points_at_lamberts_places():
    centre = s2.unit(np.array([[1.0, 2, 3]]))[0]
    figure = flat_sphere(scene(), centre=centre)
    trace = named(figure, "texts")
    expected = s2.equal_area(scene().coords[60:110], centre)
    np.testing.assert_allclose(np.stack([trace.x, trace.y], 1), expected, atol=1e-6)
    np.testing.assert_array_equal(trace.customdata, np.arange(60, 110))
    assert figure.layout.dragmode == "lasso"
    for line in figure.data:
        if line.mode == "lines":
            steps = np.hypot(np.diff(line.x), np.diff(line.y))
            assert np.nanmax(steps) <= 1.0   # nothing jumps across the disc


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_large_enough_and_has_contrast(dark):
    p = theme.palette(dark)
    for colour in (p.text, p.muted, *p.kinds.values()):
        assert theme.contrast(colour, p.background) >= 4.5, colour
        assert theme.contrast(colour, p.panel) >= 4.4, colour
    figure = sphere(scene(), dark)
    template = figure.layout.template.layout
    sizes = [template.font.size, template.legend.font.size, template.hoverlabel.font.size,
             *(a.font.size for a in figure.layout.annotations), *(a.font.size for a in figure.layout.scene.annotations)]
    assert min(sizes) >= 11
    assert figure.layout.scene.bgcolor == p.background
    for colour in p.categories:
        assert theme.contrast(colour, p.background) >= 3, colour


def test_contrast_of_black_and_white_is_twenty_one():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#777777") == 1
    assert theme.mixed("#000000", "#ffffff", 0.5) == "#808080"
    assert theme.rgba("#ff8000", 0.5) == "rgba(255,128,0,0.5)"


@pytest.mark.parametrize("dark", [False, True])
def test_the_sequence_grows_steadily_lighter(dark):
    lightness = theme.sequence(dark).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > -1).all()
    assert lightness[-1] - lightness[0] > 100


def test_the_eye_faces_most_points_and_empty_scenes_are_drawn():
    coords = s2.unit(np.random.default_rng(0).normal(size=(N, 3)) * 0.2 + [0, -1, 0.1])
    assert looking_at(scene(coords=coords)) @ s2.mean_direction(coords) > 0.95
    apart = np.where(np.arange(N)[:, None] < 60, [1.0, 0, 0], [-0.9, np.sqrt(0.19), 0])
    eye = looking_at(scene(coords=apart))
    assert np.degrees(s2.angle(eye, apart[0])) == pytest.approx(50, abs=1e-3)
    empty = SphereScene(np.zeros((0, 3)), np.zeros(0), ())
    assert len(sphere(empty).data) == 2
    assert flat_sphere(empty).data
    one = SphereScene(np.array([[0, 0, 1.0]]), np.zeros(1), ("only",))
    assert named(sphere(one), "images").x.tolist() == [0]


def test_scenes_refuse_what_does_not_fit():
    with pytest.raises(ShapeError, match="with a kind and a label each"):
        scene(labels=("one",))
    with pytest.raises(ShapeError, match="kinds below 3; got 5"):
        scene(kinds=np.full(N, 5))
    with pytest.raises(ShapeError, match="pairs of points at hand; got an index outside"):
        scene(pairs=np.array([[0, N]]))
    with pytest.raises(ShapeError, match="120 colour values, one for each point; got 3"):
        scene(colouring=Colouring("x", values=np.zeros(3)))
    with pytest.raises(ShapeError, match="marks of what is selected"):
        scene(selected=np.zeros(2, dtype=bool))
    with pytest.raises(ShapeError, match="map coordinates with unit rows"):
        scene(coords=2 * s2.fibonacci(N))
    with pytest.raises(ValueError, match="read-only"):
        scene().coords[0, 0] = 5


def test_the_fingerprint_of_a_scene_tells_what_is_drawn():
    first = scene()
    assert scene().fingerprint == first.fingerprint
    for other in (scene(title="x"), scene(selected=np.ones(N, bool)), scene(caps=()), scene(marks=()),
                  scene(colouring=Colouring("c", values=np.zeros(N))), scene(shown=(1,))):
        assert other.fingerprint != first.fingerprint


def test_the_others_are_called_what_they_are():
    selected = np.arange(N) < 20
    assert len(named(sphere(scene(selected=selected, others="fitted on")), "images, fitted on").x) == 40
