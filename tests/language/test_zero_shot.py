"""Class vectors, on prompts laid out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.encoding.models import load_model
from core.errors import ShapeError
from core.geometry.directions import unit
from core.language.zero_shot import class_vectors, zero_shot_accuracy
from core.types import EmbeddingSet


def circle(*degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)


def test_class_vectors_point_between_their_prompts() -> None:
    both = class_vectors([circle(10, 50), circle(180)])
    assert np.allclose(both, circle(30, 180), atol=1e-6)


def test_prompts_that_cancel_out_are_told() -> None:
    with pytest.raises(ShapeError, match="vectors with a direction; got 1 rows of length zero"):
        class_vectors([circle(0), circle(90, -90, 0, 180)[:2] * np.float32(0)])


def test_accuracy_is_the_share_of_images_whose_own_class_has_the_highest_logit(reference: Path) -> None:
    """By the photo model on photos of a cat, a bird, a dog and food, each in its own words."""
    shown = {"123_456.jpg": 0, "456_123.jpg": 0, "cat_720p.jpg": 0, "bird.bmp": 1, "owl.jpg": 1, "parrot.jpg": 1,
             "pets.jpg": 2, "hot_dog.jpg": 3, "524_316.jpg": -1}
    model = load_model("photo", device="cpu", dtype="float32")
    files = {file.name: file for file in (reference / "photos").rglob("*.*")}
    raw = model.encode_images([Image.open(files[name]).convert("RGB") for name in shown])
    images = EmbeddingSet(unit(raw), np.linalg.norm(raw, axis=1), tuple(shown), "image",
                          pd.DataFrame(index=range(len(shown))), model.spec)
    prompts = [f"a photo of a {name}" for name in ("cat", "bird", "dog", "food")]
    truth = np.array(list(shown.values()))
    number = zero_shot_accuracy(model, images, prompts, truth)
    assert (number.value, number.n, number.null) == (1.0, 8, 0.25)
    by_hand = model.logits(images.vectors, images.norms, prompts).argmax(1)
    assert number.value == (by_hand[truth >= 0] == truth[truth >= 0]).mean()
    wrong = zero_shot_accuracy(model, images, prompts, np.where(truth >= 0, (truth + 1) % 4, -1))
    assert wrong.value == 0.0
    with pytest.raises(ShapeError, match="two classes or more"):
        zero_shot_accuracy(model, images, prompts[:1], np.zeros(len(shown), dtype=int))
