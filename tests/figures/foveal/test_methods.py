"""Figures of pointing at a region: what is plotted is what the report says, and titles say how it is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.attention.foveal.steering import Effects, Response
from core.attention.masks import SHUT
from core.attention.prompts import METHODS, TITLES
from core.figures.foveal import methods, responses
from core.figures.foveal.thumbnails import SIDE, smaller, under_bias
from core.figures.foveal.where import PICTURES, PROMPTS, THIS, in_order, where
from core.geometry.directions import unit

HOSTILE = "<b>a</b> red cube"
RNG = np.random.default_rng(0)


def made(places: int = 4, prompts: int = 3) -> Effects:
    m = len(METHODS)
    shares = RNG.dirichlet(np.ones(prompts), size=m)
    beside, angles = RNG.uniform(0, 60, size=(m, places)), RNG.uniform(5, 60, size=m)
    beside[0], angles[0] = np.nan, 0.0
    elsewhere = RNG.dirichlet(np.ones(prompts), size=(m, places))
    return Effects(METHODS, (HOSTILE, *(f"prompt {i}" for i in range(1, prompts))), unit(RNG.normal(size=(m, 8))),
                   np.full(m, 2.0), shares, RNG.uniform(-1, 1, size=(m, prompts)), np.log(shares / (1 - shares)),
                   angles, beside, elsewhere, np.log(elsewhere / (1 - elsewhere)))


def test_rings_dots_and_strokes_are_the_probabilities_of_the_report():
    found = made()
    figure = methods.probabilities(found, 0, dark=True)
    traces = {trace.name: trace for trace in figure.data if trace.name}
    np.testing.assert_allclose(traces["pointed at"].x, 100 * found.probabilities[1:, 0])
    np.testing.assert_allclose(traces["as it is"].x, 100 * found.probabilities[0, 0])
    np.testing.assert_allclose(traces["at random places"].x, 100 * found.elsewhere_probabilities[1:, :, 0].ravel())
    assert list(figure.layout.yaxis.ticktext) == [TITLES[method] for method in METHODS[1:]]
    assert "%" in figure.layout.xaxis.title.text and "&lt;b&gt;" in figure.layout.xaxis.title.text
    best = 1 + int(found.probabilities[1:, 0].argmax())
    assert TITLES[METHODS[best]] in methods.finding(found) and "4 random places" in methods.finding(found)
    told = methods.probabilities(found, 1, odds=True)
    odds = {trace.name: trace for trace in told.data if trace.name}
    np.testing.assert_allclose(odds["pointed at"].x, found.log_odds[1:, 1])
    np.testing.assert_allclose(odds["at random places"].x, found.elsewhere_log_odds[1:, :, 1].ravel())
    assert "log-odds of “prompt 1”" in told.layout.xaxis.title.text
    assert "log-odds" in methods.finding(found, 1, odds=True)
    alone = made(places=0)
    assert "no other place" in methods.finding(alone)
    assert "at random places" not in [trace.name for trace in methods.probabilities(alone).data]


def test_the_table_of_a_page_says_before_and_after_and_the_file_has_all():
    found = made(prompts=9)
    shown = methods.in_words(found, 4)
    assert len(shown) == len(METHODS) and len(shown.columns) == 5 + methods.MOST_PROMPTS
    assert shown.columns[5] == "prompt 4"
    i = METHODS.index("crop")
    assert shown["prompt 4"][i] == \
        f"{100 * found.probabilities[0, 4]:.1f} → {100 * found.probabilities[i, 4]:.1f} %"
    assert shown["angle moved"][i] == f"{found.angles[i]:.1f}°"
    assert shown["at random places"][i].startswith(f"{found.elsewhere[i].mean():.1f}° ({found.elsewhere[i].min():.1f}")
    assert shown["as far or farther"][i] == f"{found.as_far('crop')} of 4" and shown["as far or farther"][0] == "–"
    sure = made()
    sure.probabilities[0], sure.probabilities[i] = [0.9999, 0.0001, 0.0], [0.0, 0.0004, 0.9996]
    row = methods.in_words(sure).iloc[i]
    assert list(row[-3:]) == [">99.9 → 0.0 %", "<0.1 → <0.1 %", "0.0 → >99.9 %"]
    whole = methods.table(found, 4)
    np.testing.assert_allclose(whole["probability of prompt 8"], found.probabilities[:, 8])
    np.testing.assert_allclose(whole["at random places, most"][1:], found.elsewhere[1:].max(axis=1))
    assert whole.shape == (len(METHODS), 9 + 2 * 9)
    vectors = methods.vectors_table(found)
    assert list(vectors["method"]) == list(METHODS)
    np.testing.assert_allclose(vectors[[f"v{i}" for i in range(8)]], found.vectors)
    assert (methods.in_words(made(places=0))["at random places"] == "–").all()


@pytest.mark.parametrize(("value", "said"), [(0.0, "0.0"), (0.04, "below 0.1"), (99.97, "above 99.9"), (100.0, "100.0"),
                                             (41.26, "41.3")])
def test_what_is_neither_none_nor_all_is_not_rounded_to_it(value, said):
    assert methods.in_percent(value) == said


def test_curves_over_alpha_are_those_of_the_report_and_the_set_alpha_is_ringed():
    alphas = np.array([0.0, 1.0, 2.0])
    curve = Response(alphas, (HOSTILE, "b"), np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]), np.array([0.0, 10, 30]))
    figure = responses.responses(curve, 0, at=1.0)
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.fill is None]
    np.testing.assert_allclose(lines[0].y, [20, 60, 50])
    np.testing.assert_allclose(lines[-1].y, curve.angles)
    rings = [trace for trace in figure.data if trace.name == "set"]
    assert [(ring.x[0], ring.y[0]) for ring in rings] == [(1.0, pytest.approx(60)), (1.0, pytest.approx(10))]
    assert figure.layout.xaxis2.title.text == "alpha (logits)" and figure.layout.yaxis2.title.text == "degrees"
    assert "most probable at alpha 1: 60.0 % (20.0 % without a mask); alpha 1 moves the vector by 10.0°" in \
        responses.finding(curve, 0, 1.0)
    assert not [trace for trace in responses.responses(curve).data if trace.name == "set"]
    np.testing.assert_allclose(responses.table(curve)["degrees moved"], curve.angles)


def test_the_sphere_holds_pictures_prompts_and_ways_with_an_arrow_to_each_that_moves():
    found, m = made(), len(METHODS)
    coords = unit(RNG.normal(size=(m, 3)))
    coords[3] = coords[0]
    prompts, pictures = unit(RNG.normal(size=(3, 3))), unit(RNG.normal(size=(5, 3)))
    scene = where(found, coords, prompts, pictures, [f"p{i}" for i in range(5)], note="a map")
    assert len(scene) == 5 + 3 + m and scene.note == "a map"
    np.testing.assert_allclose(scene.coords, np.concatenate([pictures, prompts, coords]), atol=1e-6)
    assert scene.colouring.groups == (PICTURES,) * 5 + (PROMPTS,) * 3 + (THIS,) * m
    assert scene.arrows.shape == (m - 2, 2, 3)
    np.testing.assert_allclose(scene.arrows[:, 0], np.repeat(coords[:1], m - 2, axis=0), atol=1e-6)
    crop = METHODS.index("crop")
    on_map = np.degrees(np.arccos(np.clip(coords[crop] @ coords[0], -1, 1)))
    assert scene.labels[8 + crop] == f"crop: moved by {found.angles[crop]:.1f}°, {on_map:.1f}° on the map"
    assert {"as it is", "crop", "red ellipse"} <= {mark.label for mark in scene.marks}
    assert TITLES[METHODS[int(found.angles.argmax())]] in scene.title.lower()
    assert in_order(found, 2 * found.angles).endswith(f"Spearman 1.00 (n = {m - 1} methods, by chance 0).")
    assert in_order(found, np.zeros(m)) == ""
    assert where(found, np.repeat(coords[:1], m, axis=0), prompts, pictures, ["p"] * 5).arrows.shape == (0, 2, 3)


def test_a_bias_is_warm_where_it_is_and_a_hard_mask_covers_what_is_outside():
    image = Image.new("RGB", (40, 20), (10, 10, 10))
    assert smaller(image).size == (160, 80) and max(smaller(Image.new("RGB", (900, 300))).size) == SIDE
    weights = np.zeros((2, 2), dtype=np.float32)
    weights[0, 1] = 3.0
    warm = np.asarray(under_bias(image, weights, (10.0, 0.0, 30.0, 20.0), hard=False)).astype(int)
    assert (warm[10, 100] != 10).any() and (warm[60, 100] == 10).all() and (warm[10, 60] == 10).all()
    assert (warm[:, :40] == 10).all() and (warm[:, 120:] == 10).all()
    taken = np.asarray(under_bias(image, weights - 3.0, (10.0, 0.0, 30.0, 20.0), hard=False))
    np.testing.assert_array_equal(taken, warm, "what is taken from outside is what is added inside")
    assert (np.asarray(under_bias(image, 0 * weights, (10.0, 0.0, 30.0, 20.0), hard=False)) == 10).all()
    hard = np.where(weights > 0, 0.0, SHUT)
    cold = np.asarray(under_bias(image, hard, (10.0, 0.0, 30.0, 20.0), hard=True))
    assert (cold[10, 100] == 10).all() and (cold[60, 100] > 100).all()
