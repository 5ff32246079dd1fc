"""Steered image towers against attention written out by hand; what is read of them; what they leave alone."""

from __future__ import annotations

import copy
import json
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.attention import towers
from core.attention.interface import NAME
from core.attention.masks import Steering
from core.attention.regions import Box, Region
from core.attention.rollout import rollout
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.errors import ChoiceError, ModelError, ShapeError
from tests.attention import by_hand
from tests.encoding.made_models import (
    clip_config,
    clip_processor,
    clip_tokenizer,
    encoder,
    families,
    pictures,
    scattered,
)

BASE = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
        "image_size": 224}
STEERINGS = [
    Steering(alpha=3.0, sigma=1.5),
    Steering(alpha=3.0, sigma=1.5, profile="gaussian"),
    Steering(alpha=3.0, sigma=1.5, rows="all", profile="gaussian"),
    Steering(alpha=3.0, rows="diagonal"),
    Steering(alpha=-2.0, layers=(1,)),
    Steering(alpha=-2.0, layers=(1,), profile="gaussian"),
    Steering(alpha=3.0, heads=((0, 1), (1, 0), (1, 3))),
    Steering(hard=True),
    Steering(alpha=3.0, rows="all", unleash=1),
    Steering(alpha=3.0, unleash=2, heads=((1, 2), (0, 0))),
]


@lru_cache(maxsize=3)
def made(shape: str) -> Any:
    """A DualEncoder with random weights of a family, or of the shape of ViT-B/16 or B/32."""
    from transformers import AutoModel

    torch.manual_seed(3)
    if shape in families():
        config, tokenizer, processor = families()[shape]
    else:
        config = clip_config(vision={**BASE, "patch_size": int(shape)}, dim=512, vocabulary=len(clip_tokenizer()))
        tokenizer, processor = clip_tokenizer(20), clip_processor(224)
    return encoder(scattered(AutoModel.from_config(config)), tokenizer, processor)


def scene(ours: Any, boxes: list[list[by_hand.Box]]) -> tuple[ImageTower, list[Image.Image], list[Region]]:
    """A tower, and pictures of its size with boxes of whole patches."""
    tower, side = ImageTower(ours), ours.image_size
    patch = side // tower.grid[0]
    regions = [Region(tuple(Box(left * patch, top * patch, right * patch, bottom * patch)
                            for top, left, bottom, right in some)) for some in boxes]
    return tower, pictures(len(boxes), size=(side, side)), regions


def check_by_hand(ours: Any, boxes: list[list[by_hand.Box]], steering: Steering, plain: np.ndarray) -> None:
    """Steered vectors, as one batch, are those written out by hand, and are not those of nobody steering."""
    tower, images, regions = scene(ours, boxes)
    pixels, w = ours.preprocess(images), by_hand.weights(ours.model)
    found = tower.encode(pixels, tower.bias(images, regions, steering), steering)
    for image, some, vector, unsteered in zip(pixels.double().numpy(), boxes, found, plain, strict=True):
        flat = by_hand.foveal(some, tower.grid[0], steering.alpha, steering.sigma, hard=steering.hard,
                              profile=steering.profile)
        square = by_hand.on_rows(flat, steering.rows, tower.cls)

        def mask(layer: int, head: int, square: np.ndarray = square, flat: np.ndarray = flat) -> np.ndarray | None:
            if steering.layers is not None and layer not in steering.layers:
                return None
            if steering.heads is not None and (layer, head) not in steering.heads:
                return None
            probe = layer == tower.layers
            return (flat.reshape(-1) if steering.rows != "diagonal" else None) if probe else square

        wanted = by_hand.embedding(ours.model, w, image, mask, unleash=steering.unleash)
        np.testing.assert_allclose(vector, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
        assert np.abs(vector - unsteered).max() > 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("steering", STEERINGS, ids=str)
@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_masks_equal_attention_by_hand(family: str, steering: Steering) -> None:
    ours = made(family)
    if family == "siglip":      # its probe is layer 2, and the only one that rows "cls" act on
        shifted = {"layers": (2,) if steering.layers and steering.rows == "cls" else steering.layers,
                   "heads": steering.heads and tuple((layer + 1, head) for layer, head in steering.heads)}
        steering = Steering(**{**vars(steering), **shifted})
    plain = ours.encode_pixels(ours.preprocess(pictures(2, size=(32, 32))))
    check_by_hand(ours, [[(0, 1, 3, 4)], [(1, 0, 3, 3), (3, 3, 4, 4), (0, 2, 2, 4)]], steering, plain)


@pytest.mark.parametrize("family", ["chinese_clip", "altclip", "metaclip_2"])
def test_every_family_equals_attention_by_hand(family: str) -> None:
    ours = made(family)
    plain = ours.encode_pixels(ours.preprocess(pictures(1, size=(32, 32))))
    check_by_hand(ours, [[(0, 1, 3, 4)]], Steering(rows="all", unleash=1), plain)


@pytest.mark.parametrize(("shape", "steering"), [
    ("32", Steering(alpha=3.0, sigma=1.5, profile="gaussian")),
    ("32", Steering(alpha=3.0, rows="all", layers=(8, 9, 10, 11))),
    ("32", Steering(alpha=3.0, rows="diagonal", unleash=4)),
    ("32", Steering(hard=True, heads=tuple((layer, head) for layer in range(12) for head in (0, 5, 11)))),
    ("16", Steering(alpha=3.0, rows="all", unleash=4, layers=tuple(range(2, 12)))),
    ("16", Steering(hard=True)),
], ids=str)
def test_full_shapes_equal_attention_by_hand(shape: str, steering: Steering) -> None:
    ours, last = made(shape), 224 // int(shape)
    plain = ours.encode_pixels(ours.preprocess(pictures(1, size=(224, 224))))
    check_by_hand(ours, [[(1, 1, 5, 4), (last - 1, last - 1, last, last)]], steering, plain)


@pytest.mark.parametrize("family", ["clip", "siglip"])
@pytest.mark.parametrize("rows", ["cls", "all", "diagonal"])
def test_no_weight_changes_nothing_and_next_to_none_next_to_nothing(family: str, rows: str) -> None:
    tower, images, regions = scene(made(family), [[(0, 1, 3, 4)], [(1, 0, 3, 3)]])
    pixels = tower.encoder.preprocess(images)
    plain = tower.encoder.encode_pixels(pixels)
    none, little = Steering(alpha=0.0, rows=rows), Steering(alpha=1e-6, rows=rows)
    assert np.array_equal(tower.encode(pixels, tower.bias(images, regions, none), none), plain)
    near = tower.encode(pixels, tower.bias(images, regions, little), little)
    assert np.abs(near - plain).max() <= 1e-4


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_a_batch_of_masks_equals_one_by_one(family: str) -> None:
    boxes = [[(i % 4, j % 4, i % 4 + 1, j % 4 + 1)] for i in range(4) for j in range(5)]
    tower, images, regions = scene(made(family), boxes)
    images = [images[0]] * len(boxes)
    pixels = tower.encoder.preprocess(images)
    for steering in (Steering(), Steering(rows="all", unleash=1)):
        bias = tower.bias(images, regions, steering)
        whole = tower.encode(pixels, bias, steering)
        alone = np.concatenate([tower.encode(pixels[i:i + 1], bias[i:i + 1], steering) for i in range(len(boxes))])
        np.testing.assert_allclose(whole, alone, rtol=0, atol=1e-5)
        assert len(np.unique(whole.round(4), axis=0)) == 16     # as many as there are different boxes


@pytest.mark.parametrize(("family", "chosen"), [("clip", "eager"), ("clip", "sdpa"), ("siglip", "eager")])
def test_attention_is_what_transformers_tells_and_a_mask_moves_it(family: str, chosen: str) -> None:
    ours = made(family)
    model = copy.deepcopy(ours.model)
    model.set_attn_implementation(chosen)
    other = encoder(model, ours._tokenizer, ours.preprocessor.processor)
    teller = copy.deepcopy(model)
    teller.set_attn_implementation("eager")
    tower, images, regions = scene(other, [[(0, 1, 3, 4)]] * 18)      # more than one pass
    pixels = other.preprocess(images)
    with torch.no_grad():
        told = torch.stack(teller.vision_model(pixel_values=pixels, output_attentions=True).attentions, dim=1)
    found = tower.attention(pixels)
    assert found.layers.dtype == np.float32
    assert found.layers.shape == (18, 2, 4, tower.tokens, tower.tokens)
    np.testing.assert_allclose(found.layers, told.numpy(), rtol=0, atol=1e-6)

    steering = Steering(alpha=4.0, heads=((0, 1), (tower.depth - 1, 2)))
    moved = tower.attention(pixels, tower.bias(images, regions, steering), steering)
    inside = np.flatnonzero(by_hand.foveal([(0, 1, 3, 4)], 4, 1.0, 1.0)) + int(tower.cls)
    if family == "siglip":
        assert np.array_equal(moved.layers, found.layers), "rows cls act on the probe alone"
        assert moved.pooled is not None and found.pooled is not None
        gained = moved.pooled[:, :, inside].sum(-1) - found.pooled[:, :, inside].sum(-1)
        np.testing.assert_allclose(found.pooled.sum(-1), 1, atol=1e-5)
        assert (gained[:, 2] > 0.05).all()
        assert np.array_equal(gained[:, [0, 1, 3]], np.zeros((18, 3)))
    else:
        assert found.pooled is None
        gained = (moved.layers - found.layers)[:, 0, :, 0, inside].sum(0)
        assert (gained[:, 1] > 0.05).all()
        assert np.array_equal(gained[:, [0, 2, 3]], np.zeros((18, 3)))
        np.testing.assert_allclose(moved.layers.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("family", ["clip", "siglip"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_agrees(family: str, dtype: str) -> None:
    ours = made(family)
    half = encoder(copy.deepcopy(ours.model), ours._tokenizer, ours.preprocessor.processor, dtype=dtype)
    for steering in (Steering(unleash=1), Steering(hard=True), Steering(rows="all")):
        tower, images, regions = scene(half, [[(0, 1, 3, 4)], [(1, 0, 3, 3)]])
        pixels, bias = half.preprocess(images), tower.bias(images, regions, steering)
        a, b = tower.encode(pixels, bias, steering), ImageTower(ours).encode(pixels, bias, steering)
        assert (np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min() >= 0.998
        maps = tower.attention(pixels, bias, steering).layers
        assert maps.dtype == np.float32
        np.testing.assert_allclose(maps, ImageTower(ours).attention(pixels, bias, steering).layers, atol=0.02)


def test_threads_do_not_see_each_others_masks() -> None:
    tower, images, regions = scene(made("clip"), [[(0, 1, 3, 4)], [(1, 0, 3, 3)], [(2, 2, 4, 4)]])
    pixels = tower.encoder.preprocess(images[:1])
    asked = [Steering(), Steering(rows="all", hard=True), None]

    def ask(which: int) -> np.ndarray:
        steering = asked[which]
        if steering is None:
            return tower.encoder.encode_pixels(pixels)
        return tower.encode(pixels, tower.bias(images[:1], regions[which:which + 1], steering), steering)

    alone = [ask(which) for which in range(3)]
    assert all(np.abs(alone[a] - alone[b]).max() > 0.01 for a, b in ((0, 1), (0, 2), (1, 2)))
    together: dict[int, list[np.ndarray]] = {which: [] for which in range(3)}
    gate = threading.Barrier(3)

    def run(which: int) -> None:
        gate.wait()
        together[which] = [ask(which) for _ in range(60)]

    threads = [threading.Thread(target=run, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for which, found in together.items():
        assert len(found) == 60
        assert all(np.array_equal(one, alone[which]) for one in found)


def test_a_pass_that_fails_leaves_no_mask_behind() -> None:
    tower, images, regions = scene(made("clip"), [[(0, 1, 3, 4)]])
    pixels = tower.encoder.preprocess(images)
    plain = tower.encoder.encode_pixels(pixels)
    steering = Steering(rows="all")
    with pytest.raises(ShapeError, match="pixels of shape"):
        tower.encode(pixels[..., :-1], tower.bias(images, regions, steering), steering)
    assert np.array_equal(tower.encoder.encode_pixels(pixels), plain)


def test_a_steered_model_is_saved_copied_and_trained_as_any(tmp_path: Path) -> None:
    from core.learning.records.adapting import Adapted

    tower, images, _ = scene(made("clip"), [[(0, 1, 3, 4)]])
    ours, pixels = tower.encoder, tower.encoder.preprocess(images)
    plain = ours.encode_pixels(pixels)
    assert ours.model.config.vision_config._attn_implementation == NAME
    ours.save(ours.model, tmp_path / "saved")
    assert NAME not in (tmp_path / "saved/config.json").read_text()
    assert "vision_config" in json.loads((tmp_path / "saved/config.json").read_text())
    again = load_model(str(tmp_path / "saved"), device="cpu", dtype="float32")
    np.testing.assert_allclose(again.encode_pixels(pixels), plain, atol=1e-6)

    adapted = Adapted(copy.deepcopy(ours.model), "lora", seed=0)
    adapted.model.get_image_features(pixel_values=pixels).pooler_output.sum().backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in adapted.learning)
    ours.save(adapted.merged(), tmp_path / "tuned")
    assert NAME not in "".join(file.read_text() for file in (tmp_path / "tuned").glob("*.json"))
    assert np.array_equal(ours.encode_pixels(pixels), plain)


def test_what_heads_write_and_the_rest_are_the_embedding() -> None:
    tower, images, regions = scene(made("clip"), [[(0, 1, 3, 4)]] * 17)
    steering = Steering(rows="all")
    pixels, bias = tower.encoder.preprocess(images), tower.bias(images, regions, steering)
    found, ending = tower.written(pixels, bias, steering), tower.ending
    assert found.heads.shape == (17, 2, 4, 32)
    state = found.state.astype(np.float64)
    centred = state - state.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + ending.epsilon)
    embedding = (centred / spread * ending.scale + ending.offset) @ ending.projection.T
    np.testing.assert_allclose(embedding, tower.encode(pixels, bias, steering), atol=1e-5)
    with pytest.raises(ModelError, match="a class token"):
        ImageTower(made("siglip")).written(pixels)


def test_rollout_is_the_product_of_layers_by_hand() -> None:
    for family in ("clip", "siglip"):
        tower, images, _ = scene(made(family), [[(0, 1, 3, 4)], [(0, 1, 3, 4)]])
        attention = tower.attention(tower.encoder.preprocess(images))
        for way in ("mean", "max"):
            found = rollout(attention, heads=way)
            assert found.shape == (2, 4, 4)
            for picture in range(2):
                product = np.eye(tower.tokens)
                for layer in attention.layers[picture].astype(np.float64):
                    joined = layer.mean(0) if way == "mean" else layer.max(0)
                    joined = joined / joined.sum(1, keepdims=True)
                    product = (np.eye(tower.tokens) + joined) / 2 @ product
                if attention.pooled is None:
                    wanted = product[0, 1:]
                else:
                    probe = attention.pooled[picture].astype(np.float64)
                    probe = probe.mean(0) if way == "mean" else probe.max(0)
                    wanted = probe / probe.sum() @ product
                np.testing.assert_allclose(found[picture].reshape(-1), wanted, atol=1e-6)
    assert np.abs(rollout(attention, residual=0.9) - rollout(attention)).max() > 1e-4
    with pytest.raises(ChoiceError):
        rollout(attention, heads="median")


def test_refusals() -> None:
    tower, images, regions = scene(made("clip"), [[(0, 1, 3, 4)], [(0, 1, 3, 4)]])
    pixels, bias = tower.encoder.preprocess(images), tower.bias(images, regions, Steering())
    with pytest.raises(ShapeError, match="one for each picture"):
        tower.encode(pixels, bias[:1], Steering())
    with pytest.raises(ShapeError, match="heads from 0 to 3; got layer 2"):
        tower.encode(pixels, bias, Steering(layers=(2,)))
    with pytest.raises(ShapeError, match="head 4"):
        tower.attention(pixels, bias, Steering(heads=((1, 4),)))
    with pytest.raises(ModelError, match="no attention to steer"):
        ImageTower(load_model("photo"))


def test_attention_of_too_many_pictures_is_refused_before_it_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    tower, images, _ = scene(made("clip"), [[(0, 1, 3, 4)]] * 3)
    monkeypatch.setattr(towers, "MOST_BYTES", 2 * 4 * 2 * 4 * 17 * 17)
    with pytest.raises(ShapeError, match="at most 2 pictures at once"):
        tower.attention(tower.encoder.preprocess(images))


@pytest.mark.parametrize("family", ["clip", "siglip"])
@pytest.mark.parametrize("size", [(67, 40), (40, 67), (32, 32)])
def test_a_box_in_pixels_lies_on_the_patches_that_show_it(family: str, size: tuple[int, int]) -> None:
    """CLIP cuts the middle out, SigLIP squashes: a painted box brightens the patches that the bias names."""
    ours = made(family)
    tower = ImageTower(ours)
    box = (int(size[0] * 0.45), int(size[1] * 0.3), int(size[0] * 0.72), int(size[1] * 0.8))
    image = Image.new("RGB", size)
    image.paste((255, 255, 255), box)
    seen = ours.preprocess([image])[0].mean(0).numpy()
    patch = ours.image_size // tower.grid[0]
    light = seen.reshape(tower.grid[0], patch, tower.grid[1], patch).mean((1, 3))
    share = (light - seen.min()) / (seen.max() - seen.min())
    bias = tower.bias([image], [Region((Box(*box),))], Steering(hard=True))[0]
    inside = (bias[0, 1:] if tower.cls else bias).reshape(tower.grid) == 0
    assert 2 <= inside.sum() <= 9
    sure = np.abs(share - 0.5) > 0.1      # a resize blurs edges
    assert np.array_equal(inside[sure], share[sure] > 0.5)
