"""The dual encoder against transformers' own features, one by one; its texts, numbers, devices and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from core.encoding.clip import DualEncoder
from core.errors import ChoiceError, ModelError, ShapeError
from tests.encoding.made_models import (
    SENTENCES,
    clip_config,
    clip_processor,
    clip_tokenizer,
    encoder,
    families,
    full_shapes,
    pictures,
    scattered,
    siglip_processor,
    siglip_tokenizer,
    small_clip,
)


def naive_images(model: Any, pixels: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return torch.stack([model.get_image_features(pixel_values=p[None]).pooler_output[0] for p in pixels]).numpy()


def naive_texts(model: Any, tokenizer: Any, texts: list[str], length: int, full: bool) -> np.ndarray:
    rows = []
    with torch.no_grad():
        for text in texts:
            ids = tokenizer(text, truncation=True, max_length=length, return_tensors="pt",
                            **({"padding": "max_length"} if full else {}))["input_ids"]
            rows.append(model.get_text_features(input_ids=ids).pooler_output[0])
    return torch.stack(rows).numpy()


@pytest.fixture(scope="module", params=["ViT-B/32", "ViT-B/16", "SigLIP"])
def shaped(request: pytest.FixtureRequest) -> tuple[Any, DualEncoder]:
    from transformers import AutoModel

    torch.manual_seed(0)
    model = AutoModel.from_config(full_shapes()[request.param]).eval()
    if request.param == "SigLIP":
        return model, encoder(model, siglip_tokenizer(), siglip_processor(224))
    return model, encoder(model, clip_tokenizer(), clip_processor(224))


def test_features_of_full_shapes_equal_a_naive_loop(shaped: tuple[Any, DualEncoder]) -> None:
    model, ours = shaped
    pixels = ours.preprocess(pictures(2, size=(301, 230)))
    theirs = naive_images(model, pixels)
    assert np.abs(theirs[0] - theirs[1]).max() > 1e-3
    np.testing.assert_allclose(ours.encode_pixels(pixels), theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())
    texts = naive_texts(model, ours._tokenizer, SENTENCES, ours.context_length, ours._family == "siglip")
    np.testing.assert_allclose(ours.encode_texts(SENTENCES), texts, rtol=0, atol=1e-5 * np.abs(texts).max())
    assert ours.encode_texts(SENTENCES).dtype == np.float32


def test_bfloat16_agrees_with_float32(shaped: tuple[Any, DualEncoder]) -> None:
    import copy

    model, ours = shaped
    half = encoder(copy.deepcopy(model), ours._tokenizer, ours.preprocessor.processor, dtype="bfloat16")
    pixels = ours.preprocess(pictures(2, size=(301, 230)))
    for a, b in ((ours.encode_pixels(pixels), half.encode_pixels(pixels)),
                 (ours.encode_texts(SENTENCES), half.encode_texts(SENTENCES))):
        assert b.dtype == np.float32
        assert (np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min() >= 0.999
    assert half.spec.fingerprint != ours.spec.fingerprint


@pytest.mark.parametrize("family", ["clip", "siglip", "chinese_clip", "altclip", "metaclip_2"])
def test_every_family_equals_a_naive_loop(family: str) -> None:
    from transformers import AutoModel

    config, tokenizer, processor = families()[family]
    torch.manual_seed(1)
    model = scattered(AutoModel.from_config(config))
    ours = encoder(model, tokenizer, processor)
    pixels = ours.preprocess(pictures(3))
    np.testing.assert_allclose(ours.encode_pixels(pixels), naive_images(model, pixels), rtol=1e-5, atol=1e-5)
    texts = naive_texts(model, tokenizer, SENTENCES, ours.context_length, ours._family == "siglip")
    np.testing.assert_allclose(ours.encode_texts(SENTENCES), texts, rtol=1e-5, atol=1e-5)
    assert ours.spec.dim == texts.shape[1] == ours.encode_pixels(pixels).shape[1]


def test_a_vector_does_not_depend_on_its_batch() -> None:
    ours = small_clip()
    pixels = ours.preprocess(pictures(9))
    whole = ours.encode_pixels(pixels)
    parts = np.concatenate([ours.encode_pixels(pixels[a:b]) for a, b in ((0, 1), (1, 4), (4, 9))])
    np.testing.assert_allclose(whole, parts, rtol=0, atol=1e-5)
    texts = ["x", "a red cube on the beach", "?", "the the the the the the the the the"]
    alone = np.concatenate([ours.encode_texts([text]) for text in texts])
    np.testing.assert_allclose(ours.encode_texts(texts), alone, rtol=0, atol=1e-5)


def test_scale_and_bias_come_from_the_checkpoint() -> None:
    from transformers import AutoModel, CLIPModel

    model = CLIPModel(clip_config())
    with torch.no_grad():
        model.logit_scale.fill_(np.log(37.0))
    ours = encoder(model, clip_tokenizer(20), clip_processor())
    assert ours.logit_scale == pytest.approx(37.0, rel=1e-6)
    assert ours.logit_bias == 0.0
    config, tokenizer, processor = families()["siglip"]
    other = AutoModel.from_config(config)
    with torch.no_grad():
        other.logit_bias.fill_(-12.5)
        other.logit_scale.fill_(np.log(110.0))
    ours = encoder(other, tokenizer, processor)
    assert ours.logit_bias == pytest.approx(-12.5)
    assert ours.logit_scale == pytest.approx(110.0, rel=1e-5)


def test_long_texts_are_cut_and_said_to_be() -> None:
    ours = small_clip()
    assert ours.context_length == 20
    fits, over = " ".join(["the"] * 18), " ".join(["the"] * 19)
    assert ours.token_counts([fits, over]).tolist() == [20, 21]
    assert ours.truncated([fits, over, "x"]).tolist() == [False, True, False]
    np.testing.assert_allclose(ours.encode_texts([over]), ours.encode_texts([over + " cube cube"]), atol=1e-6)
    np.testing.assert_allclose(ours.encode_texts([fits]), ours.encode_texts([over]), atol=1e-6)
    assert np.abs(ours.encode_texts([fits]) - ours.encode_texts(["the the"])).max() > 1e-3
    assert ours.truncated([]).shape == (0,)


def test_context_length_of_a_tower_whose_positions_start_after_the_pad() -> None:
    from transformers import AutoModel

    config, tokenizer, processor = families()["altclip"]
    tokenizer.model_max_length = 10**30
    ours = encoder(AutoModel.from_config(config), tokenizer, processor)
    assert ours.context_length == 22
    assert ours.encode_texts(["the " * 100]).shape == (1, 24)


def test_nothing_in_nothing_out() -> None:
    ours = small_clip()
    assert ours.encode_texts([]).shape == ours.encode_images([]).shape == (0, 24)


def test_words_that_a_small_model_never_saw() -> None:
    ours = small_clip(words=["a", "red", "Cube", "photo", "of"])
    assert ours.unknown_words("A photo of a RED cube, and a dog; the dog's ball") == ["and", "dog", "the", "dog's",
                                                                                      "ball"]
    assert ours.unknown_words("") == []
    assert small_clip().unknown_words("anything goes") == []


def test_tokenizer_is_shared_by_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    ours = small_clip()
    texts = [f"{'the ' * (i % 30)} cube" for i in range(200)]
    expected = [ours.encode_texts([text])[0] for text in texts]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda text: (ours.encode_texts([text])[0], ours.truncated([text])), texts))
    for text, row, (vector, cut) in zip(texts, expected, got, strict=True):
        np.testing.assert_allclose(vector, row, atol=1e-5)
        assert cut[0] == (text.count("the") + 3 > 20)


def test_refusals() -> None:
    from transformers import BertConfig, BertModel

    ours = small_clip()
    with pytest.raises(ShapeError, match=r"Expected pixels of shape \(n, 3, 32, 32\); got shape \(1, 3, 16, 16\)"):
        ours.encode_pixels(torch.zeros(1, 3, 16, 16))
    with pytest.raises(ChoiceError, match="Expected dtype to be one of float32, bfloat16, float16; got 'int8'"):
        small_clip(dtype="int8")
    bert = BertModel(BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8))
    with pytest.raises(ModelError, match=r"one of the families clip, siglip, .*; got test of family 'bert'"):
        encoder(bert, clip_tokenizer(), clip_processor())
    absent = "mps" if torch.cuda.is_available() else "cuda"
    with pytest.raises(ModelError, match=rf"a device that this machine has.*'{absent}'.*ORRERY_DEVICE=cpu"):
        small_clip(device=absent)
    with pytest.raises(ModelError, match="an image processor with the PIL backend; got object with backend None"):
        encoder(ours.model, clip_tokenizer(20), object())
