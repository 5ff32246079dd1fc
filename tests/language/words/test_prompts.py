"""Classes and templates as they are written, read by each kind of model, and vectors of classes made elsewhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.encoding import nouns
from core.encoding.encoder import Encoder
from core.encoding.models import load_model
from core.errors import Cancelled, ShapeError, SourceError
from core.geometry.classification import Classification
from core.geometry.directions import unit
from core.language.words.brought import brought_classes
from core.language.words.deciding import decide
from core.language.words.prompts import Classes, encode_classes, most_images, read_classes, read_templates, truth_of
from core.language.words.templates import template_effects
from core.language.world_evaluation import BARE
from core.settings import settings
from core.sources.solids.world import open_world
from core.sources.vectors.opening import open_vectors
from core.types import EmbeddingSet

TEMPLATES = ("{}", "a photo of {}", "a cartoon of {}", "{} in the snow")


def seen(model: Encoder, images: list[Image.Image], ids: list[str]) -> EmbeddingSet:
    raw = model.encode_images(images)
    table = pd.DataFrame(index=range(len(raw)))
    return EmbeddingSet(unit(raw), np.linalg.norm(raw, axis=1), tuple(ids), "image", table, model.spec)


@pytest.fixture(scope="module")
def model() -> Encoder:
    return load_model("builtin")


@pytest.fixture(scope="module")
def world(model: Encoder) -> tuple[EmbeddingSet, list[str]]:
    found = open_world(120)
    return (seen(model, [found.images.decode(i) for i in range(120)], list(found.image_ids)),
            found.image_table["colour"].tolist())


def colours() -> Classes:
    return read_classes(f"{name} = {said}" for name, said in BARE["colour"].items())


def test_what_is_written_is_read_and_what_is_written_twice_counts_once():
    found = read_classes(["red = a red thing", "", "  blue  ", "red = other", " = ", "猫 = 一只猫", "a = b = c",
                          "x=y ="])
    assert found == Classes(("red", "blue", "猫", "a", "x=y"), ("a red thing", "blue", "一只猫", "b = c", "x=y"),
                            ("red",), 0)
    assert len(read_classes(map(str, range(5002)))) == 5000 and read_classes(map(str, range(5002))).more == 2
    assert read_templates(["a photo of {}", "", "a drawing of", "a photo of {}"]) == ("a photo of {}",
                                                                                      "a drawing of {}")
    assert read_templates(["", "  "]) == read_templates([]) == ("{}",)
    assert truth_of(["red", "none", "a  b"], ("a b", "red")).tolist() == [1, -1, 0]


def test_an_ensemble_is_the_mean_of_unit_vectors_and_its_scores_those_of_the_model(model, world):
    images, labels = world
    texts = encode_classes(model, colours(), TEMPLATES)
    naive = []
    for called in BARE["colour"].values():
        raw = model.encode_texts([t.replace("{}", called) for t in TEMPLATES])
        mean = np.stack([v / np.linalg.norm(v) for v in raw]).mean(axis=0)
        naive.append(mean / np.linalg.norm(mean))
    expected = model.logit_scale * images.vectors @ np.stack(naive).T
    np.testing.assert_allclose(texts.logits(model, images), expected, atol=1e-4)
    prompts = list(BARE["colour"].values())
    np.testing.assert_allclose(texts.logits(model, images, [0]), model.logits(images.vectors, images.norms, prompts),
                               atol=1e-4)
    named = Classification(texts.classes, texts.logits(model, images, [0]), truth_of(labels, texts.classes))
    assert named.accuracy().value > 0.7 and named.accuracy().n == 120


def test_what_each_template_adds_is_the_ensemble_with_it_less_without_it(model, world):
    images, labels = world
    texts = encode_classes(model, colours(), TEMPLATES)
    truth = truth_of(labels, texts.classes)
    truth[:20] = -1
    found = template_effects(model, texts, images, truth)

    def right(which: list[int]) -> np.ndarray:
        return (texts.logits(model, images, which).argmax(axis=1) == truth)[20:]

    assert found.ensemble.value == pytest.approx(right([0, 1, 2, 3]).mean()) and found.ensemble.n == 100
    assert [n.value for n in found.alone] == pytest.approx([right([t]).mean() for t in range(4)])
    for t in range(4):
        others = [other for other in range(4) if other != t]
        assert found.without[t].value == pytest.approx(right(others).mean())
        assert found.adds[t].change.value == pytest.approx(right([0, 1, 2, 3]).mean() - right(others).mean())
        assert found.against[t].change.value == pytest.approx(right([t]).mean() - right([0, 1, 2, 3]).mean())
    with pytest.raises(ShapeError, match="two templates"):
        template_effects(model, encode_classes(model, colours(), ["{}"]), images, truth)
    with pytest.raises(Cancelled):
        template_effects(model, texts, images, truth, should_stop=lambda: True)


def test_the_word_that_names_the_class_decides(model, world):
    images, labels = world
    texts = encode_classes(model, colours(), TEMPLATES[:2])
    logits = texts.logits(model, images)
    row = int(np.flatnonzero(logits.argmax(axis=1) == truth_of(labels, texts.classes))[0])
    first, second = np.argsort(-logits[row])[:2].tolist()
    found = decide(model, texts, images, row, first, second)
    best = int((found.effects - found.usual).argmax())
    assert found.words[best] == texts.classes[first] == labels[row]
    assert found.percentiles[best] > 50 and found.scale == model.logit_scale
    alone = [texts.logits(model, images, [t])[row] for t in range(2)]
    assert found.by_template == pytest.approx([own[first] - own[second] for own in alone], abs=1e-4)
    with pytest.raises(ShapeError):
        decide(model, texts, images, 999, 0, 1)


def test_thousands_of_classes_other_scripts_and_texts_beyond_the_model_are_encoded(model):
    told = []
    many = encode_classes(model, read_classes(f"class {i}" for i in range(5000)), ("{}",),
                          on_progress=lambda share, text: told.append(share))
    assert many.ensemble.shape == (5000, model.spec.dim) and told == sorted(told)
    odd = encode_classes(model, read_classes(["猫", "кошка", "قطة", "🐈", "red " * 500]), TEMPLATES)
    assert np.isfinite(odd.ensemble).all() and odd.cut == len(TEMPLATES)
    assert {"猫", "кошка"} <= set(odd.unknown) and not encode_classes(model, colours(), TEMPLATES).unknown
    one = encode_classes(model, read_classes(["red"]), ("{}",))
    assert one.ensemble.shape[0] == 1
    with pytest.raises(ShapeError, match="50,000 prompts"):
        encode_classes(model, read_classes(map(str, range(5000))), [f"{i} {{}}" for i in range(11)])
    with pytest.raises(ShapeError, match="a class and a template"):
        encode_classes(model, read_classes([]), ("{}",))
    with pytest.raises(Cancelled):
        encode_classes(model, colours(), ("{}",), should_stop=lambda: True)


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def test_a_server_that_many_share_takes_fewer_prompts_and_images_at_once(model, hosted: None):
    with pytest.raises(ShapeError, match="10,000 prompts"):
        encode_classes(model, read_classes(map(str, range(1001))), [f"{i} {{}}" for i in range(10)])
    assert most_images(1_000) == 2_000 and most_images(0) == 2_000_000


def test_the_photo_model_names_photos_by_all_of_its_classes_with_its_own_scores(reference: Path):
    photo = load_model("photo")
    shown = {"cat_720p.jpg": "cat", "456_123.jpg": "cat", "owl.jpg": "bird", "bird.bmp": "bird", "parrot.jpg": "bird",
             "pets.jpg": "dog", "dragonfly.bmp": "insect", "hot_dog.jpg": "hotdog"}
    files = {file.name: file for file in (reference / "photos").rglob("*.*") if file.name in shown}
    images = seen(photo, [Image.open(files[name]).convert("RGB") for name in shown], list(shown))
    texts = encode_classes(photo, read_classes(nouns.class_names()), ("{}",))
    assert len(texts.classes) == 1000 and texts.vectors is None and not texts.refused
    logits = texts.logits(photo, images)
    np.testing.assert_array_equal(logits, photo.logits(images.vectors, images.norms, list(nouns.class_names())))
    for name, row in zip(shown, logits):
        below = {leaf for noun in nouns.read(shown[name]).nouns for leaf in noun.leaves}
        assert int(row.argmax()) in below, (name, texts.classes[int(row.argmax())])
    few = encode_classes(photo, read_classes(["cat", "dog", "bird", "xyzzy"]), ("{}", "a photo of a {}"))
    assert few.classes == ("cat", "dog", "bird") and [r.name for r in few.refused] == ["xyzzy"]
    np.testing.assert_allclose(few.logits(photo, images),
                               photo.logits(images.vectors, images.norms, ["cat", "dog", "bird"]), atol=1e-5)
    decided = decide(photo, few, images, 0, 0, 1)
    assert np.isnan(decided.scale) and len(decided.by_template) == 2
    with pytest.raises(ShapeError, match="a class that the model knows"):
        encode_classes(photo, read_classes(["xyzzy"]), ("{}",))


def test_photos_of_clip_are_named_by_class_vectors_with_no_model(reference: Path):
    features = reference / "features"
    gold = open_vectors(features / "clipretrieval7_gold_clip_vitb32.npz").images
    for file, expected in (("coco80", {"123_456": ["cat"], "456_123": ["cat"], "208_495": ["surfboard", "bench"],
                                       "389_535": ["motorcycle"]}),
                           ("lvis1203", {"123_456": ["cat", "noseband_(for_animals)"], "456_123": ["kitten"],
                                         "389_535": ["street_sign"]})):
        raw = np.load(features / f"{file}_text_clip_vitb32.npz")
        names, vectors = brought_classes(open_vectors(features / f"{file}_text_clip_vitb32.npz"), 512)
        assert names == tuple(raw["names"].tolist())
        naive = gold.vectors @ (raw["text"] / np.linalg.norm(raw["text"], axis=1, keepdims=True)).T
        found = Classification(names, 100 * gold.vectors @ vectors.T, np.full(7, -1))
        np.testing.assert_allclose(found.logits, 100 * naive, atol=1e-3)
        first = {Path(name).stem: names[k] for name, k in zip(gold.ids, found.guesses)}
        assert all(first[name] in any_of for name, any_of in expected.items()), first


def test_class_vectors_of_one_name_are_an_ensemble_and_those_of_another_space_are_refused():
    rng = np.random.default_rng(0)
    out = io.BytesIO()
    x = rng.normal(size=(3, 8)).astype(np.float32)
    np.savez(out, text=x, names=np.array(["cat", "dog", "cat"]))
    found = open_vectors(out.getvalue(), "classes.npz")
    names, vectors = brought_classes(found, 8)
    assert names == ("cat", "dog")
    both = unit(unit(x)[[0, 2]].mean(axis=0, keepdims=True))
    np.testing.assert_allclose(vectors, np.concatenate([both, unit(x)[1:2]]), atol=1e-6)
    with pytest.raises(ShapeError, match="class vectors of 9 dimensions"):
        brought_classes(found, 9)
    many = io.BytesIO()
    np.savez(many, text=rng.normal(size=(5001, 3)).astype(np.float32))
    with pytest.raises(SourceError, match="5,000 classes"):
        brought_classes(open_vectors(many.getvalue(), "m.npz"), 3)
