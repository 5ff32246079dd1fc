"""Parts of datasets: links and tables stay right, draws repeat."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.errors import ShapeError
from core.sources.sampling import sample, take
from core.types import Dataset


class Painted:
    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def content_hash(self, index: int) -> str:
        return hashlib.sha256(str(index).encode()).hexdigest()

    def decode(self, index: int) -> Image.Image:
        return Image.new("RGB", (4, 4), (index, 0, 0))


@pytest.fixture
def dataset() -> Dataset:
    links = np.array([[0, 0], [0, 1], [1, 2], [2, 3], [3, 3], [4, 4]])
    return Dataset("toy", tuple("abcde"), Painted(5), tuple("01234"), ("t0", "t1", "t2", "t3", "t4"), links,
                   pd.DataFrame({"label": list("vwxyz")}), pd.DataFrame({"length": range(5)}))


def test_take_keeps_every_pair_between_what_was_chosen(dataset):
    part = take(dataset, [3, 0])
    assert part.image_ids == ("d", "a")
    assert part.texts == ("t0", "t1", "t3")
    naive = {(dataset.image_ids[i], dataset.texts[j]) for i, j in dataset.links if i in (3, 0)}
    assert {(part.image_ids[i], part.texts[j]) for i, j in part.links} == naive
    assert list(part.image_table["label"]) == ["y", "v"]
    assert part.images.decode(0).getpixel((0, 0)) == (3, 0, 0)
    assert part.images.content_hash(1) == dataset.images.content_hash(0)


def test_take_of_texts_alone_has_no_images(dataset):
    part = take(dataset, (), [4, 1])
    assert part.images is None
    assert part.image_ids == ()
    assert part.texts == ("t4", "t1")
    assert len(part.links) == 0


@pytest.mark.parametrize("images", [[5], [-1], [1, 1]])
def test_take_refuses_indices_outside_or_repeated(dataset, images):
    with pytest.raises(ShapeError, match="distinct indices of images below 5"):
        take(dataset, images)


def test_sample_repeats_with_its_seed_and_says_what_it_is(dataset):
    a, b, c = sample(dataset, 3, 7), sample(dataset, 3, 7), sample(dataset, 3, 8)
    assert a.image_ids == b.image_ids
    assert len(a.image_ids) == 3
    assert a.name == "toy, a sample of 3"
    assert {a.image_ids, c.image_ids, sample(dataset, 3, 9).image_ids} != {a.image_ids}
    assert sample(dataset, 5, 0) is dataset


def test_sample_of_texts_alone():
    texts = Dataset("words", (), None, ("a", "b", "c"), ("x", "y", "z"), np.zeros((0, 2)), pd.DataFrame(index=range(0)),
                    pd.DataFrame(index=range(3)))
    assert len(sample(texts, 2, 0).texts) == 2
    assert sample(texts, 3, 0) is texts
