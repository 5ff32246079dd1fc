"""What holds for every figure of the gap and of objects: it can be read, light and dark, narrow, and text is text."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from core.figures import theme
from core.figures.frame import TITLE_WIDTH, among, cells, error_bar, percent, plain, share, shortened, spoken, spread
from core.figures.gap import closing, explained, matrix, models, shift
from core.figures.objects import angles, equivariance, poses, recognition, styles, subspaces
from core.geometry.curves import Curve
from core.types import Number
from tests.figures.gap import reports as made
from tests.figures.objects import reports as objects

BAD = "<b>bold</b> & <a href='x'>"
STEPS = np.array([0, 10, 100, 1000])
CURVES = {"Gap": [Curve("gap", np.array([1.1, 0.9, 0.7, 0.6]), np.array([1.0, 0.8, 0.6, 0.5]),
                        np.array([1.2, 1.0, 0.8, 0.7]), 0.1, "length")],
          f"Cones {BAD}": [Curve(f"image {BAD}", np.arange(4.0)), Curve("text", np.arange(4.0) + 1)]}
CKA = [[Number(1.0), Number(0.4, 0.3, 0.5)], [Number(0.4, 0.3, 0.5), Number(1.0)]]
FIGURES = {
    "histograms": lambda dark: shift.histograms(made.histograms(), dark=dark),
    "histograms after": lambda dark: shift.histograms(made.histograms(), made.histograms(0.5), dark=dark),
    "landscape": lambda dark: shift.landscape(made.along(), at=0.25, dark=dark),
    "landscape unpaired": lambda dark: shift.landscape(made.along(False), at=0.25, dark=dark),
    "conformity": lambda dark: explained.conformity(made.typical(), dark=dark),
    "dimensions": lambda dark: explained.dimensions(made.shares(), dark=dark),
    "explained": lambda dark: explained.explained(made.parts(), image=BAD, text=BAD, dark=dark),
    "closing": lambda dark: closing.closing(made.closings(), dark=dark),
    "fit size": lambda dark: closing.fit_size(made.closings(), dark=dark),
    "matrix": lambda dark: matrix.matrix(made.matrix(), images=[BAD] * made.N, texts=[BAD] * made.N, dark=dark),
    "matrix by block": lambda dark: matrix.matrix(made.matrix(), scale="block", dark=dark),
    "over training": lambda dark: models.over_training(STEPS, CURVES, dark=dark),
    "cones": lambda dark: models.cones(made.histograms(), made.histograms(0.25), dark=dark),
    "models": lambda dark: models.models_compared({**made.models(), BAD: made.models()["third"]}, dark=dark),
    "agreement": lambda dark: models.agreement([BAD, "other"], CKA, CKA, dark=dark),
    "energies": lambda dark: subspaces.energies([replace(r, name=f"{r.name} {BAD}") for r in objects.energies()],
                                                dark=dark),
    "memberships": lambda dark: subspaces.memberships(replace(objects.memberships(), name=BAD), dark=dark),
    "distances": lambda dark: angles.matrix(replace(objects.angles(), names=(BAD, *"abcd")), dark=dark),
    "distance map": lambda dark: angles.distance_map(replace(objects.angles(), names=(BAD, *"abcd")), dark=dark),
    "recognition by views": lambda dark: recognition.by_views(objects.recognition(), dark=dark),
    "recognition by rank": lambda dark: recognition.by_rank(objects.recognition(), dark=dark),
    "equivariance": lambda dark: equivariance.equivariance(objects.views(), name=BAD, views=[BAD] * 24, dark=dark),
    "transfer": lambda dark: styles.success(objects.styles(), dark=dark),
    "change": lambda dark: styles.success(objects.styles(True), dark=dark),
    "poses": lambda dark: poses.poses(replace(objects.poses(), names=(BAD, *"abcd")), dark=dark),
    "over rank": lambda dark: styles.over_rank(objects.styles(), dark=dark),
}


@pytest.fixture(params=FIGURES)
def name(request):
    return request.param


def strings(node, key=""):
    if isinstance(node, dict):
        for k, value in node.items():
            if k != "template":
                yield from strings(value, k)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value, key)
    elif isinstance(node, str) and key in {"text", "name", "hovertext", "hovertemplate", "ticktext", "y", "x"}:
        yield node


@pytest.mark.parametrize("dark", [False, True])
def test_words_are_large_enough_and_stand_out(name, dark):
    figure, p = FIGURES[name](dark), theme.palette(dark)
    spec = json.loads(figure.to_json())
    sizes = [int(v) for v in re.findall(r'"font":\s*\{[^}]*?"size":\s*(\d+)', json.dumps(spec))]
    assert sizes and min(sizes) >= theme.SMALLEST_FONT
    assert figure.layout.template.layout.paper_bgcolor == p.background
    assert theme.contrast(figure.layout.title.font.color, p.background) >= 7
    for note in figure.layout.annotations:
        if re.fullmatch(r"#[0-9a-f]{6}", note.font.color or "") and name not in ("agreement", "distances"):
            assert theme.contrast(note.font.color, p.background) >= 4.5, note.text
    for trace in figure.data:
        colour = getattr(trace.line, "color", None) if trace.type == "scatter" and "lines" in trace.mode else None
        if colour and colour != p.grid and trace.line.width:
            assert theme.contrast(colour, p.background) >= 3, trace.name


def test_the_title_is_a_finding_in_numbers_that_fits_a_narrow_page(name):
    lines = [html.unescape(line) for line in FIGURES[name](False).layout.title.text.split("<br>")]
    assert re.search(r"\d", " ".join(lines))
    assert max(map(len, lines)) <= TITLE_WIDTH
    assert len(lines) <= 5


def test_axes_say_what_they_measure(name):
    figure = FIGURES[name](False)
    axes = [axis for axis in figure.select_xaxes() if axis.title.text]
    assert axes or name in ("models", "agreement")
    if name not in ("models", "agreement", "explained"):
        assert all(axis.title.text for axis in figure.select_yaxes())


def test_text_is_text(name):
    spec = json.loads(FIGURES[name](False).to_json())
    tags = {tag for text in strings({"data": spec["data"], "layout": spec["layout"]})
            for tag in re.findall(r"</?\w+[^>]*>", text)}
    assert tags <= {"<br>", "<extra>", "</extra>"}


def test_colours_of_images_and_texts_are_the_themes():
    for dark in (False, True):
        kinds = theme.palette(dark).kinds
        found = {t.name.split(",")[0]: t.line.color for t in shift.histograms(made.histograms(), dark=dark).data}
        assert found["two images"] == kinds["image"] and found["two texts"] == kinds["text"]
        assert set(kinds.values()).isdisjoint({found["image and its text"], found["image and another text"]})
        cones = {t.name: t.line.color for t in FIGURES["cones"](dark).data}
        assert cones == found
        typical = {t.name.split(",")[0]: t.line.color for t in FIGURES["conformity"](dark).data}
        assert (typical["images"], typical["texts"]) == (kinds["image"], kinds["text"])


def test_labels_are_spread_as_little_as_can_be():
    np.testing.assert_allclose(spread([1, 5, 9], 2, 0, 10), [1, 5, 9])
    np.testing.assert_allclose(spread([5, 5], 2, 0, 10), [4, 6])
    np.testing.assert_allclose(spread([9, 1, 9, 9.5], 2, 0, 10), [6, 1, 8, 10])
    np.testing.assert_allclose(spread([0, 0, 0], 9, 0, 10), [0, 5, 10])
    assert spread([], 1, 0, 1).shape == (0,)
    assert spread([3.0], 1, 0, 10).tolist() == [3.0]


@pytest.mark.parametrize("seed", range(8))
def test_spread_labels_keep_their_order_distance_and_room(seed):
    rng = np.random.default_rng(seed)
    places = rng.uniform(-2, 12, size=9)
    out = spread(places, 1.1, 0, 10)
    order = np.argsort(places)
    assert (np.diff(out[order]) >= 1.1 - 1e-9).all()
    assert out.min() >= -1e-9 and out.max() <= 10 + 1e-9
    best = min(((trial[order] - places[order]) ** 2).sum() for trial in _others(out, order, rng))
    assert ((out - places) ** 2).sum() <= best + 1e-9


def _others(out, order, rng):
    """Other ways of placing that keep distance, order and room."""
    for _ in range(300):
        trial = out[order] + rng.normal(0, 0.2, size=len(out))
        for i in range(1, len(trial)):
            trial[i] = max(trial[i], trial[i - 1] + 1.1)
        trial -= max(0.0, trial[-1] - 10)
        if trial[0] >= 0:
            placed = np.empty_like(out)
            placed[order] = trial
            yield placed


def test_numbers_are_spoken_with_interval_and_chance():
    number = Number(0.5521, 0.508, 0.596, 0.002, 500, "share")
    assert spoken(number) == "0.55 (0.51 to 0.60; by chance 0.00)"
    assert spoken(Number(0.21, -0.02, 0.44, null=-0.001)) == "0.2 (0.0 to 0.4; by chance 0.0)"
    assert spoken(percent(number), 1) == "55 (51 to 60; by chance 0)"
    assert spoken(Number(1.5)) == "1.50"
    assert (spoken(Number(1.5), 4), spoken(Number(0.85, 0.848, 0.8523))) == ("1.5000", "0.850 (0.848 to 0.852)")
    assert spoken(Number(0.75, 0.4, 1.1)) == "0.8 (0.4 to 1.1)"
    assert share(number) == "55 % (51 to 60)"
    assert (share(Number(0.56, 0.42, 0.69, n=50)), share(Number(0.57, n=50))) == ("28 of 50", "28.5 of 50")
    assert [among(place, n) for place, n in ((99.53, 9000), (99.99, 9000), (99.53, 400), (100, 400), (100, 6))] == \
        ["99.5 % of 9,000", "99.9 % of 9,000", "99 % of 400", "100 % of 400", "6 of 6"]
    assert cells("r", Number(1.0, null=0.5)) == {"r": 1.0, "r by chance": 0.5}
    bar = error_bar([number, Number(1.0)], "#000000")
    np.testing.assert_allclose(bar["array"], [0.596 - 0.5521, 0])
    np.testing.assert_allclose(bar["arrayminus"], [0.5521 - 0.508, 0])


def test_plain_text_is_escaped_wrapped_and_shortened():
    assert plain(BAD) == "&lt;b&gt;bold&lt;/b&gt; &amp; &lt;a href='x'&gt;"
    assert plain("one two three", width=8) == "one two<br>three"
    assert shortened("a b\nc") == "a b c"
    assert shortened("x" * 50) == "x" * 39 + "…"
