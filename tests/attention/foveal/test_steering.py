"""Every way of pointing at a region of one picture: against one-by-one encoding, against chance, over alpha."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.attention.foveal.places import elsewhere, places_of
from core.attention.foveal.steering import (
    ALPHAS,
    effects,
    mean_angle,
    over_alpha,
    point_by_attention,
    point_by_pixels,
    response,
    variants,
)
from core.attention.masks import FOVEAL, Steering
from core.attention.prompts import METHODS, STEERED, encode_prompted
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.sources.solids.world import open_world
from tests.attention.test_towers import made

PROMPTS = ("a yellow cone", "a turquoise octahedron", "a red cube")
REGION = Region((Box(10, 40, 60, 100),))


@pytest.fixture(scope="module")
def tower():
    return ImageTower(load_model("builtin"))


@pytest.fixture(scope="module")
def image():
    return open_world(1, count=2).images.decode(0)


@pytest.fixture(scope="module")
def known(tower, image):
    regions = (REGION, *places_of(tower, image, REGION, n=3))
    return regions, {**point_by_pixels(tower, image, regions, margin=0.2), **point_by_attention(tower, image, regions)}


def test_a_batch_of_all_methods_equals_one_by_one(tower, image, known):
    regions, vectors = known
    assert set(vectors) == set(METHODS) and vectors["none"].shape == (1, 64)
    for method in METHODS[1:]:
        one_by_one = [encode_prompted(tower, [image], [region], method, margin=0.2)[0] for region in regions]
        np.testing.assert_allclose(vectors[method], one_by_one, atol=1e-4, err_msg=method)
    np.testing.assert_array_equal(encode_prompted(tower, [image], [REGION], "none"), vectors["none"])


def test_effects_say_angles_probabilities_and_log_odds(tower, known):
    _, vectors = known
    found = effects(tower, vectors, PROMPTS)
    assert found.methods == METHODS and found.places == 3
    texts = unit(tower.encoder.encode_texts(list(PROMPTS)))
    for i, method in enumerate(METHODS):
        vector, plain = unit(vectors[method][:1])[0], unit(vectors["none"])[0]
        assert found.angles[i] == pytest.approx(np.degrees(np.arccos(min(float(vector @ plain), 1.0))), abs=0.05)
        logits = tower.encoder.logit_scale * (texts @ vector)
        shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        np.testing.assert_allclose(found.probabilities[i], shares, atol=1e-4)
        np.testing.assert_allclose(found.cosines[i], texts @ vector, atol=1e-5)
        open_ = (shares > 1e-4) & (shares < 1 - 1e-4)
        odds = np.log(shares[open_] / (1 - shares[open_]))
        np.testing.assert_allclose(found.log_odds[i][open_], odds, atol=0.02)
    assert np.isfinite(found.log_odds).all() and found.angles[0] == 0
    crop = METHODS.index("crop")
    beside = unit(vectors["crop"][1:]) @ unit(vectors["none"])[0]
    np.testing.assert_allclose(found.elsewhere[crop], np.degrees(np.arccos(beside)), atol=0.05)
    shares = found.elsewhere_probabilities[crop]
    some = (shares > 1e-4) & (shares < 1 - 1e-4)
    np.testing.assert_allclose(found.elsewhere_log_odds[crop][some], np.log(shares[some] / (1 - shares[some])),
                               atol=0.02)
    assert found.as_far("crop") == int((found.elsewhere[crop] >= found.angles[crop]).sum())
    assert np.isnan(found.elsewhere[0]).all()
    assert np.isnan(effects(tower, vectors, PROMPTS[:1]).log_odds).all()
    with pytest.raises(ShapeError, match="own vector"):
        effects(tower, {"crop": vectors["crop"]}, PROMPTS)


def test_over_alpha_goes_through_the_plain_vector_and_the_foveal_one(tower, image, known):
    _, vectors = known
    rows = over_alpha(tower, image, REGION)
    np.testing.assert_array_equal(rows[0], vectors["none"][0])
    np.testing.assert_allclose(rows[ALPHAS.index(FOVEAL.alpha)], vectors["foveal"][0], atol=1e-4)
    curve = response(tower, rows, ALPHAS, PROMPTS)
    assert curve.angles[0] == 0 and curve.angles[-1] > 10 and curve.probabilities.shape == (len(ALPHAS), 3)
    np.testing.assert_allclose(curve.probabilities.sum(axis=1), 1, atol=1e-5)
    hard = over_alpha(tower, image, REGION, Steering(hard=True), (0.0, FOVEAL.alpha))
    np.testing.assert_allclose(hard[1], vectors["foveal"][0], atol=1e-4)
    nothing = over_alpha(tower, image, REGION, Steering(layers=()), (0.0, FOVEAL.alpha))
    np.testing.assert_array_equal(nothing, np.repeat(vectors["none"], 2, axis=0))


def test_dials_become_a_soft_a_hard_and_an_unleashed_mask(tower, image, known):
    _, vectors = known
    dials = Steering(alpha=0.0, rows="all", hard=True, unleash=2)
    assert variants(dials) == {"foveal": replace(dials, hard=False, unleash=0), "hard_mask": replace(dials, unleash=0),
                               "unleash": dials}
    assert variants(FOVEAL)["unleash"] == STEERED["unleash"]
    found = point_by_attention(tower, image, (REGION,), Steering(alpha=0.0))
    np.testing.assert_array_equal(found["foveal"], vectors["none"])
    np.testing.assert_allclose(found["hard_mask"], vectors["hard_mask"][:1], atol=1e-4)
    np.testing.assert_array_equal(tower.encoder.encode_images([image]), vectors["none"])


def test_other_places_are_as_large_within_what_is_seen_and_drawn_by_the_seed():
    seen = (10.0, 0.0, 90.0, 60.0)
    two = Region((Box(20, 10, 40.5, 30), Box(35, 20, 60, 50)))
    found = elsewhere(two, (100, 60), seen, n=12, seed=3)
    assert len(found) == 12 and len({place.boxes for place in found} | {two.boxes}) == 13
    for place in found:
        assert [box.area for box in place.boxes] == [box.area for box in two.boxes]
        assert min(b.left for b in place.boxes) >= 10 and max(b.right for b in place.boxes) <= 90
        assert min(b.top for b in place.boxes) >= 0 and max(b.bottom for b in place.boxes) <= 60
    assert [p.boxes for p in elsewhere(two, (100, 60), seen, n=12, seed=3)] == [p.boxes for p in found]
    assert [p.boxes for p in elsewhere(two, (100, 60), seen, n=12, seed=4)] != [p.boxes for p in found]
    assert elsewhere(Region((Box(-5, 0, 120, 80),)), (100, 60), (0.0, 0.0, 100.0, 60.0)) == ()
    mask = np.zeros((60, 100), dtype=bool)
    mask[5:20, 30:45] = mask[10:12, 45:60] = True
    moved = elsewhere(Region(mask=mask), (100, 60), seen, n=5)
    assert len(moved) == 5 and all(place.mask.sum() == mask.sum() for place in moved)
    assert not any(place.mask[:, :10].any() or place.mask[:, 90:].any() for place in moved)


def test_without_other_places_there_is_no_null(tower, image):
    region = Region((Box(0, 0, *image.size),))
    regions = (region, *places_of(tower, image, region))
    assert len(regions) == 1
    found = effects(tower, {**point_by_pixels(tower, image, regions), **point_by_attention(tower, image, regions)},
                    PROMPTS)
    assert found.places == 0 and found.angles[METHODS.index("crop")] < 1e-3


@pytest.mark.parametrize(("size", "box"), [((1, 50), Box(0, 10, 1, 30)), ((1, 1), Box(0, 0, 1, 1)),
                                           ((60, 60), Box(0.2, 0.2, 0.6, 0.6)), ((60, 60), Box(59.5, 59.5, 80, 80))])
def test_pictures_and_boxes_of_a_pixel_or_less_are_pointed_at_too(tower, size, box):
    image, region = Image.new("RGB", size, (90, 200, 30)), Region((box,))
    regions = (region, *places_of(tower, image, region, n=2))
    known = {**point_by_pixels(tower, image, regions), **point_by_attention(tower, image, regions)}
    found = effects(tower, known, PROMPTS)
    assert found.methods == METHODS and np.isfinite(found.angles).all()


def test_without_a_class_token_the_probe_is_steered_and_odds_are_of_each_prompt_by_itself(image):
    tower = ImageTower(made("siglip"))
    regions = (REGION, *places_of(tower, image, REGION, n=2))
    known = {**point_by_pixels(tower, image, regions), **point_by_attention(tower, image, regions)}
    found = effects(tower, known, PROMPTS)
    assert (found.angles[1:4] > 0).all()
    np.testing.assert_allclose(found.log_odds, np.log(found.probabilities / (1 - found.probabilities)), atol=1e-3)
    rows = over_alpha(tower, image, REGION, FOVEAL, (0.0, FOVEAL.alpha))
    np.testing.assert_allclose(rows[1], known["foveal"][0], atol=1e-4)
    idle = point_by_attention(tower, image, (REGION,), Steering(layers=(0,)))
    np.testing.assert_allclose(idle["foveal"], known["none"], atol=1e-5)


def test_the_scale_is_the_mean_angle_of_pairs():
    x = unit(np.random.default_rng(0).normal(size=(7, 5)))
    pairs = [np.degrees(np.arccos(x[i] @ x[j])) for i in range(7) for j in range(i)]
    number = mean_angle(x)
    assert number.value == pytest.approx(np.mean(pairs)) and number.n == 7
    assert number.low < number.value < number.high
    two = mean_angle(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert two.value == pytest.approx(90) and two.low is None
    assert mean_angle(x[:1]) is None


def test_a_request_to_stop_is_heard(tower, image):
    for work in (point_by_pixels, point_by_attention):
        with pytest.raises(Cancelled):
            work(tower, image, (REGION,), should_stop=lambda: True)
