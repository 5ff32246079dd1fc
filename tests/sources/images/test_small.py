"""Small pictures: what they show, what cannot be read, each read once; and what they do for copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.encoding.models import load_model
from core.encoding.pipeline import embed
from core.encoding.store import Store
from core.errors import Cancelled, UnreadableItem
from core.geometry.quality.copies import near_copies
from core.geometry.quality.likeness import SIDE
from core.sources.images.small import small_pictures
from core.sources.memory import Memory
from core.sources.solids.faults import plant
from core.sources.solids.world import open_world


class Pictures:
    """Grey ramps, the second of which cannot be read; counts how often each is."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 3

    def content_hash(self, index: int) -> str:
        return f"ramp {index}"

    def decode(self, index: int) -> Image.Image:
        self.read.append(index)
        if index == 1:
            raise UnreadableItem("a picture", "nothing")
        return Image.linear_gradient("L").resize((300, 100 + index)).convert("RGB")


def test_each_picture_is_read_once_and_what_cannot_be_read_is_missing(tmp_path: Path):
    images, memory = Pictures(), Memory(tmp_path / "small.sqlite", 100)
    found = small_pictures(images, [2, 1, 0, -1], SIDE, memory=memory)
    assert found.shape == (4, SIDE, SIDE) and np.isnan(found[[1, 3]]).all()
    np.testing.assert_allclose(found[0].mean(axis=1), 255 * (np.arange(SIDE) + 0.5) / SIDE, atol=2)
    again = small_pictures(images, [2, 1, 0, -1], SIDE, memory=Memory(tmp_path / "small.sqlite", 100))
    np.testing.assert_array_equal(again, found)
    assert sorted(images.read) == [0, 1, 1, 2]
    coloured = small_pictures(images, [0, 1], 16, colour=True, memory=memory)
    assert coloured.shape == (2, 16, 16, 3) and np.isnan(coloured[1]).all()
    np.testing.assert_array_equal(coloured[0, :, :, 0], coloured[0, :, :, 2])
    with pytest.raises(Cancelled):
        small_pictures(images, [1], SIDE, memory=memory, should_stop=lambda: True)


def f1(groups: list[np.ndarray], of: np.ndarray) -> float:
    """Of pairs in one group."""
    said = np.arange(len(of))
    for group in groups:
        said[group] = group[0]

    def pairs(labels: np.ndarray) -> int:
        sizes = np.unique(labels, return_counts=True, axis=0)[1]
        return int((sizes * (sizes - 1) // 2).sum())

    return 2 * pairs(np.stack([said, of], axis=1)) / (pairs(said) + pairs(of))


def test_copies_in_the_built_in_world_are_found_whole(tmp_path: Path):
    data = plant(open_world(200, seed=77), "near duplicates", 0.4, seed=77)
    assert data.images is not None
    images = data.images
    x = embed(data, load_model("builtin"), Store(tmp_path)).images
    assert x is not None
    row = {item: i for i, item in enumerate(data.image_ids)}
    of = np.array([row[original] if original else i for i, original in enumerate(data.image_table["copy_of"])])
    hashes = [images.content_hash(i) for i in range(len(images))]
    memory = Memory(tmp_path / "small.sqlite", 10_000)

    def looks(rows: np.ndarray) -> np.ndarray:
        return small_pictures(images, rows.tolist(), SIDE, memory=memory)

    seen = near_copies(x.vectors, hashes=hashes, looks=looks)
    unseen = near_copies(x.vectors, hashes=hashes)
    assert f1(seen.groups(), of) >= 0.98
    assert f1(seen.groups(), of) >= f1(unseen.groups(), of) >= 0.94
    assert {2, 3, 10} <= {len(group) for group in seen.groups()}
