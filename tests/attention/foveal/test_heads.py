"""Heads: how far prompts move them and what they carry, against passes one by one; texts that span planted axes."""

from __future__ import annotations

import numpy as np
import pytest

from core.attention.foveal.heads import head_gains, sensitivity, steered_heads, views_told_apart
from core.attention.foveal.places import places_of
from core.attention.foveal.scenes import world_references
from core.attention.foveal.spans import contributions, text_spans
from core.attention.masks import Steering
from core.attention.prompts import edited
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.errors import Cancelled, ChoiceError, ModelError, ShapeError
from core.geometry.differences import Verdict
from core.geometry.directions import unit
from tests.attention import by_hand
from tests.encoding.made_models import encoder, families, pictures, scattered, small_clip


@pytest.fixture(scope="module")
def tower() -> ImageTower:
    return ImageTower(small_clip())


@pytest.fixture(scope="module")
def squashed() -> ImageTower:
    """Of SigLIP, without a class token."""
    import torch
    from transformers import AutoModel

    torch.manual_seed(3)
    config, tokenizer, processor = families()["siglip"]
    return ImageTower(encoder(scattered(AutoModel.from_config(config)), tokenizer, processor))


@pytest.fixture(scope="module")
def builtin() -> ImageTower:
    return ImageTower(load_model("builtin", device="cpu", dtype="float32"))


def written_by_hand(tower: ImageTower, image: object, bias: np.ndarray | None) -> np.ndarray:
    """(layers, heads, width), each head's change of the class token: the pass with all other outputs as they are."""
    model, seen = tower.encoder.model, []
    hooks = [block.self_attn.out_proj.register_forward_pre_hook(lambda _module, args: seen.append(args[0][0, 0]))
             for block in model.vision_model.encoder.layers]
    pixels = tower.encoder.preprocess([image])
    tower.encode(pixels, bias, Steering(alpha=3.0)) if bias is not None else tower.encode(pixels)
    for hook in hooks:
        hook.remove()
    out = np.empty((tower.layers, tower.heads, len(seen[0])))
    for layer, block in enumerate(model.vision_model.encoder.layers):
        weight = block.self_attn.out_proj.weight.double().numpy()
        size = weight.shape[1] // tower.heads
        for head in range(tower.heads):
            part = slice(head * size, (head + 1) * size)
            out[layer, head] = weight[:, part] @ seen[layer].double().numpy()[part]
    return out


@pytest.mark.parametrize("method", ["foveal", "red_box"])
def test_sensitivity_is_the_change_of_what_a_head_writes(tower: ImageTower, method: str) -> None:
    images = pictures(2, size=(32, 32))
    regions = [Region((Box(8, 0, 32, 24),)), Region((Box(0, 8, 16, 16),))]
    steering = Steering(alpha=3.0)
    found = sensitivity(tower, images, regions, method, steering, seed=5)
    assert found.moved.shape == found.elsewhere.shape == (2, 2, 4)
    for i, (image, region) in enumerate(zip(images, regions)):
        plain = written_by_hand(tower, image, None)

        def moved(at: Region, image: object = image, plain: np.ndarray = plain) -> np.ndarray:
            if method == "foveal":
                other = written_by_hand(tower, image, tower.bias([image], [at], steering))
            else:
                other = written_by_hand(tower, edited(image, at, method), None)
            return np.linalg.norm(other - plain, axis=-1) / np.linalg.norm(plain, axis=-1)

        np.testing.assert_allclose(found.moved[i], moved(region), rtol=1e-4)
        there = [moved(at) for at in places_of(tower, image, region, n=8, seed=5 + i)]
        np.testing.assert_allclose(found.elsewhere[i], np.mean(there, axis=0), rtol=1e-4)
    number = found.number(1, 2)
    assert (number.n, number.low) == (2, None)
    assert number.null == pytest.approx(found.elsewhere[:, 1, 2].mean())
    assert all(d.verdict is Verdict.NOT_MEASURABLE for d in found.over_elsewhere().values())


def test_heads_of_the_built_in_model_are_moved_by_the_solid_more_than_by_what_is_beside_it(builtin: ImageTower) -> None:
    images, regions, _ = views_told_apart(builtin, world_references(16, 4))
    found = sensitivity(builtin, images, regions, "foveal", Steering(alpha=4.0, profile="gaussian"))
    more = found.over_elsewhere()
    assert len(more) == 16
    assert sum(d.verdict is Verdict.HIGHER for d in more.values()) >= 3
    assert found.number(0, 0).low is not None


def test_gains_are_margins_of_passes_with_these_heads_alone(tower: ImageTower) -> None:
    images = pictures(5, size=(32, 32))
    regions = [Region((Box(8 * (i % 3), 0, 8 * (i % 3) + 8, 24),)) for i in range(5)]
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((5, 24))
    steering = Steering(alpha=3.0, rows="all", layers=(1,))
    together = np.array([7, 7, 3, 9, 9])
    found = head_gains(tower, images, regions, directions, steering, together=together)
    assert set(found.alone) == set(found.lost) == {(1, head) for head in range(4)}
    assert (found.n, found.groups) == (5, 3)
    pixels, bias = tower.encoder.preprocess(images), tower.bias(images, regions, steering)

    def mean(heads: tuple[tuple[int, int], ...]) -> float:
        asked = Steering(alpha=3.0, rows="all", heads=heads)
        values = (unit(tower.encode(pixels, bias, asked)) * directions).sum(axis=1)
        return float(np.mean([values[together == g].mean() for g in (3, 7, 9)]))

    every = tuple((1, head) for head in range(4))
    assert found.whole.change.value == pytest.approx(mean(every) - mean(()), abs=1e-6)
    for head in range(4):
        rest = tuple(pair for pair in every if pair[1] != head)
        assert found.alone[1, head].change.value == pytest.approx(mean(((1, head),)) - mean(()), abs=1e-6)
        assert found.lost[1, head].change.value == pytest.approx(mean(every) - mean(rest), abs=1e-6)
    assert abs(found.whole.change.value) > 1e-3


def test_the_built_in_models_gain_is_carried_by_some_heads(builtin: ImageTower) -> None:
    found = head_gains(builtin, *views_told_apart(builtin, world_references(30, 8)))
    assert found.whole.verdict is Verdict.HIGHER
    assert found.whole.change.value > 0.08
    carrying = [pair for pair, d in found.alone.items() if d.verdict is Verdict.HIGHER]
    assert 1 <= len(carrying) < 16
    assert all(d.p is not None and d.change.n == 30 for d in found.alone.values())


def test_which_heads_a_steering_reaches(tower: ImageTower, squashed: ImageTower) -> None:
    assert len(steered_heads(tower, Steering())) == 8
    assert steered_heads(tower, Steering(layers=(1,), heads=((1, 2), (0, 0)))) == [(1, 2)]
    assert steered_heads(squashed, Steering()) == [(2, head) for head in range(4)]
    assert len(steered_heads(squashed, Steering(rows="all"))) == 12
    assert len(steered_heads(squashed, Steering(rows="diagonal"))) == 8
    gains = head_gains(squashed, pictures(1), [Region((Box(0, 0, 20, 20),))], np.ones((1, squashed.encoder.spec.dim)))
    assert set(gains.alone) == {(2, head) for head in range(4)}
    assert gains.whole.p is None


def test_refusals_and_stops(tower: ImageTower, squashed: ImageTower) -> None:
    images, regions = pictures(1), [Region((Box(0, 0, 20, 20),))]
    with pytest.raises(ModelError, match="a class token"):
        sensitivity(squashed, images, regions, "foveal")
    with pytest.raises(ModelError, match="a class token"):
        contributions(squashed, images)
    with pytest.raises(ChoiceError):
        sensitivity(tower, images, regions, "none")
    with pytest.raises(ShapeError, match="changes something"):
        head_gains(tower, images, regions, np.ones((1, 24)), Steering(alpha=0))
    with pytest.raises(ShapeError, match="a direction for each view"):
        head_gains(tower, images, regions, np.ones((2, 24)))
    with pytest.raises(Cancelled):
        head_gains(tower, images, regions, np.ones((1, 24)), should_stop=lambda: True)
    with pytest.raises(ShapeError, match="20 pictures or more"):
        text_spans(np.ones((19, 4)), ["a"], np.ones((1, 4)))
    with pytest.raises(ShapeError, match="adds the same to all"):
        text_spans(np.ones((30, 4)), ["a"], np.ones((1, 4)))


def test_contributions_and_the_rest_sum_to_the_embedding(tower: ImageTower, builtin: ImageTower) -> None:
    for some in (tower, builtin):
        images = pictures(18)
        whole = some.encoder.encode_images(images)
        every = contributions(some, images)
        assert every.heads.shape == (18, some.layers * some.heads, whole.shape[1])
        np.testing.assert_allclose(every.heads.sum(axis=1) + every.rest, whole, rtol=0, atol=1e-4)
        one = contributions(some, images, [(1, 2)])
        np.testing.assert_allclose(one.heads[:, 0], every.heads[:, some.heads + 2], rtol=0, atol=1e-5)
        np.testing.assert_allclose(one.heads[:, 0] + one.rest, whole, rtol=0, atol=1e-4)
        assert np.linalg.norm(one.heads) > 0.01 * np.linalg.norm(whole)


def test_contributions_by_hand(tower: ImageTower) -> None:
    """Taking a head's output away before the last norm, whose divisor stays, takes its contribution away."""
    image = pictures(1, size=(32, 32))[0]
    model, w = tower.encoder.model, by_hand.weights(tower.encoder.model)
    writes = written_by_hand(tower, image, None)
    found = contributions(tower, [image])
    states = []
    hook = model.vision_model.post_layernorm.register_forward_pre_hook(lambda _m, args: states.append(args[0][0]))
    tower.encoder.encode_images([image])
    hook.remove()
    state = states[0].double().numpy()
    divisor = np.sqrt(state.var() + model.config.vision_config.layer_norm_eps)

    def ended(x: np.ndarray) -> np.ndarray:
        normed = (x - x.mean()) / divisor * w["vision_model.post_layernorm.weight"] + w[
            "vision_model.post_layernorm.bias"]
        return w["visual_projection.weight"] @ normed

    for layer in range(2):
        for head in range(4):
            np.testing.assert_allclose(found.heads[0, layer * 4 + head],
                                       ended(state) - ended(state - writes[layer, head]), atol=1e-5)


def test_texts_of_planted_axes_are_found_in_order_and_random_ones_explain_less() -> None:
    rng = np.random.default_rng(1)
    texts = unit(rng.standard_normal((40, 32)))
    strengths = rng.standard_normal((300, 3)) * [4.0, 2.0, 1.0]
    added = 5.0 + strengths @ texts[[7, 21, 3]] + 0.2 * rng.standard_normal((300, 32))
    found = text_spans(added, [f"text {i}" for i in range(40)], texts, count=4)
    assert found.texts[:3] == ("text 7", "text 21", "text 3")
    values = [number.value for number in found.shares]
    assert values == sorted(values)
    assert values[2] > 0.9
    for number, high in zip(found.shares[:3], found.as_high):
        assert number.n == 150
        assert number.low < number.value < number.high
        assert number.null < number.low
        assert high == 0
    assert abs(np.corrcoef(found.along[:, 0], strengths[:, 0])[0, 1]) > 0.9
    rows = added - added.mean(axis=0)
    assert found.deviation == pytest.approx(np.sqrt((rows**2).sum(axis=1).mean()))

    noise = rng.standard_normal((300, 32))
    by_chance = text_spans(noise, [f"text {i}" for i in range(40)], texts, count=4)
    assert by_chance.as_high[-1] >= 3, "texts are no better than random directions where there is nothing"


def test_the_built_in_models_heads_write_what_the_world_varies(builtin: ImageTower) -> None:
    from core.language.world_evaluation import BARE
    from core.sources.solids.world import open_world

    data = open_world(120)
    words = {text: kind for kind, values in BARE.items() for text in values.values()}
    vectors = unit(builtin.encoder.encode_texts(list(words)))
    added = contributions(builtin, [data.images.decode(i) for i in range(120)], [(1, 0), (2, 1)])
    for at, kind in ((0, "style"), (1, "texture")):
        found = text_spans(added.heads[:, at], list(words), vectors, count=3)
        assert sum(words[text] == kind for text in found.texts) >= 2
        assert found.shares[-1].low > found.shares[-1].null
