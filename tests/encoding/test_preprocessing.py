"""The quick preprocessing against the checkpoint's own processor and against recorded tensors of CLIP ViT-B/32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.encoding.clip import DualEncoder
from core.encoding.preprocessing import Preprocessor
from core.errors import ModelError
from tests.encoding.made_models import clip_config, clip_processor, clip_tokenizer, pictures, siglip_processor

STD = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)[:, None, None]


def theirs(processor: Any, image: Image.Image) -> np.ndarray:
    return processor([image], return_tensors="np")["pixel_values"][0]


def even_margins(size: tuple[int, int], edge: int) -> bool:
    """Whether the crop leaves an even number of pixels, so that its centre is one and the same in every library."""
    short, long = sorted(size)
    return (int(edge * long / short) - edge) % 2 == 0


def photo(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """A smooth picture with edges, since noise hides a shift."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.NEAREST)


def test_tensors_of_seven_photos_to_one_grey_level(reference: Path) -> None:
    gold = np.load(reference / "features" / "clipretrieval7_gold_clip_vitb32.npz")
    ours = Preprocessor(clip_processor(224))
    for name, expected in zip(gold["files"], gold["preprocessed"], strict=True):
        with Image.open(reference / "photos" / "clip_retrieval" / Path(str(name)).name) as image:
            got = ours([image.convert("RGB")])[0].numpy()
        assert np.abs(got - expected).max() <= (1.0001 / 255 / STD).min(), name


def test_embeddings_of_seven_photos_have_the_same_direction(reference: Path) -> None:
    """The same random ViT-B/32 on recorded and on our tensors, and on the processor's own where its crop agrees."""
    from transformers import CLIPModel

    gold = np.load(reference / "features" / "clipretrieval7_gold_clip_vitb32.npz")
    torch.manual_seed(0)
    model = CLIPModel(clip_config(vision={"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 3,
                                          "num_attention_heads": 12, "image_size": 224, "patch_size": 32}))
    ours = DualEncoder(model, clip_tokenizer(20), clip_processor(224), id="t", revision="0", device="cpu",
                       dtype="float32")
    files = [reference / "photos" / "clip_retrieval" / Path(str(name)).name for name in gold["files"]]
    images = [Image.open(file).convert("RGB") for file in files]
    got = ours.encode_images(images)
    for i, image in enumerate(images):
        expected = ours.encode_pixels(torch.from_numpy(gold["preprocessed"][i:i + 1]))[0]
        assert cosine(got[i], expected) >= 0.9999
        if even_margins(image.size, 224):
            pixels = clip_processor(224)([image], return_tensors="pt")["pixel_values"]
            assert cosine(got[i], ours.encode_pixels(pixels)[0]) >= 0.9999
    assert cosine(got[0], got[1]) < 0.9999


@pytest.mark.parametrize("size", [(224, 224), (300, 200), (200, 300), (1, 1), (3, 2), (640, 480), (123, 457), (31, 32)])
@pytest.mark.parametrize("make", [clip_processor, siglip_processor])
def test_quick_path_is_the_processor_to_the_bit(make: Any, size: tuple[int, int]) -> None:
    processor = make(64)
    ours, image = Preprocessor(processor), photo(size)
    assert ours._table is not None
    got = ours.one(image)
    assert got.shape == (3, 64, 64)
    assert got.dtype == np.float32
    if make is siglip_processor or even_margins(size, 64):
        np.testing.assert_array_equal(got, theirs(processor, image))


def test_an_odd_margin_is_cut_where_clip_was_trained_to_cut() -> None:
    """3 pixels too many: one to the left and two to the right in transformers, two and one in torchvision."""
    image = photo((67, 64))
    processor = clip_processor(64)
    got = Preprocessor(processor).one(image)
    whole = theirs(type(processor)(**{**processor.to_dict(), "do_center_crop": False}), image)
    np.testing.assert_array_equal(got, whole[:, :, 2:66])
    np.testing.assert_array_equal(theirs(processor, image), whole[:, :, 1:65])


@pytest.mark.parametrize("size", [(67, 64), (64, 67), (69, 64), (321, 421), (512, 343), (99, 1000)])
def test_other_checkpoints_are_cut_by_their_own_processor(size: tuple[int, int]) -> None:
    processor = type(clip_processor())(**{**clip_processor(64).to_dict(), "image_mean": [0.5] * 3})
    np.testing.assert_array_equal(Preprocessor(processor).one(photo(size)), theirs(processor, photo(size)))


@pytest.mark.parametrize("size", [(6000, 30), (30, 6000), (20000, 3)])
def test_very_long_images_to_one_grey_level(size: tuple[int, int]) -> None:
    processor = clip_processor(16)
    image = photo(size)
    got, expected = Preprocessor(processor).one(image), theirs(processor, image)
    assert np.abs(got - expected).max() <= (1.0001 / 255 / STD).min()


def test_the_longest_images_need_no_memory_for_what_is_cut_away() -> None:
    got = Preprocessor(clip_processor(224)).one(photo((60000, 1)))
    assert got.shape == (3, 224, 224)
    assert np.isfinite(got).all()


def test_other_modes_and_batches() -> None:
    ours = Preprocessor(clip_processor(16))
    grey = photo((20, 20)).convert("L")
    np.testing.assert_array_equal(ours.one(grey), ours.one(grey.convert("RGB")))
    assert ours(pictures(3)).shape == (3, 3, 16, 16)
    assert ours([]).shape == (0, 3, 16, 16)


def test_an_unusual_processor_is_used_as_it_is() -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    padded = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 24, "width": 24})
    ours = Preprocessor(padded)
    assert ours._table is None
    np.testing.assert_array_equal(ours.one(photo((30, 20))), theirs(padded, photo((30, 20))))


def test_version_names_all_that_pixels_depend_on() -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    same = CLIPImageProcessorPil(**clip_processor(32).to_dict())
    assert Preprocessor(clip_processor(32)).version == Preprocessor(same).version
    others = [clip_processor(33), siglip_processor(32),
              CLIPImageProcessorPil(**{**clip_processor(32).to_dict(), "image_mean": [0.5, 0.5, 0.5]})]
    assert len({Preprocessor(p).version for p in [*others, same]}) == 4


def test_a_processor_without_one_size_is_refused() -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    with pytest.raises(ModelError, match=r"gives tensors of one size; got size .*NaFlex"):
        Preprocessor(CLIPImageProcessorPil(size={"shortest_edge": 32}, do_center_crop=False))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
