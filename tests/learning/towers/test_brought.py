"""Pairs that were brought as a lesson: pictures of 16 px, each caption a pair, what cannot be read is listed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import ShapeError, UnreadableItem
from core.learning.holding_out import hold_out
from core.learning.towers.brought import asked_pairs, bring, lesson_of
from core.sources.memory import Memory


class Colours:
    """Pictures of one colour each, the last of which cannot be read."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def content_hash(self, index: int) -> str:
        return f"colour {index} of {self.n}"

    def decode(self, index: int) -> Image.Image:
        if index == self.n - 1:
            raise UnreadableItem("a picture", "a file of zeros")
        return Image.new("RGB", (40, 30), (index, 2 * index, 200))


@pytest.fixture
def brought(tmp_path: Path):
    n = 12
    links = np.array([(i, 2 * i + k) for i in range(n - 2) for k in range(2)] + [(n - 1, 2 * n - 1)])
    captions = [f"caption {i}" for i in range(2 * n)]
    return bring("mine", Colours(n), np.arange(n), [f"i{i}" for i in range(n)], captions, links,
                 ["ab"[i % 2] for i in range(n)], memory=Memory(tmp_path / "small.sqlite", 100))


def test_each_caption_is_a_pair_and_what_is_asked_stays_out(brought):
    assert [(item.name, item.reason) for item in brought.refused] == [("i11", "a file of zeros")]
    assert brought.whole.sum() == 10 and not brought.whole[10:].any()
    ground = hold_out([brought.ids], [brought.whole])
    probe = asked_pairs([brought], ground)
    lesson = lesson_of(brought, ground.free[0], probe)
    assert len(lesson.probe) == 2 and len(lesson.train) == 16
    assert not {item.split(" ")[0] for item in lesson.train.ids} & set(probe.ids)
    for pairs in (lesson.train, lesson.probe):
        for picture, text, label, item in zip(pairs.images, pairs.texts, pairs.labels, pairs.ids):
            row = int(item.split(" ")[0][1:])
            assert (picture == (row, 2 * row, 200)).all() and label == "ab"[row % 2]
            assert text in (f"caption {2 * row}", f"caption {2 * row + 1}")
    assert probe.texts == tuple(f"caption {2 * row}" for row in ground.asked[0])


def test_what_is_kept_is_what_is_trained_on_and_nothing_left_is_said(brought):
    ground = hold_out([brought.ids], [brought.whole])
    probe = asked_pairs([brought], ground)
    texts = np.ones(24, bool)
    texts[::2] = False
    part = lesson_of(brought, ground.free[0], probe, texts=texts, labels=["c"] * 12, name="kept")
    assert len(part.train) == 8 and set(part.train.labels) == {"c"} and set(part.probe.labels) <= {"a", "b"}
    assert part.probe.fingerprint == probe.fingerprint
    assert len(lesson_of(brought, ground.free[0], probe, most=5).train) == 5
    with pytest.raises(ShapeError, match="none in kept"):
        lesson_of(brought, ground.free[0], probe, images=np.zeros(12, bool), name="kept")
    with pytest.raises(ShapeError, match="Choose probes"):
        bring("vectors", None, np.zeros(0, int), (), (), np.zeros((0, 2), int))


def test_two_sets_with_the_same_names_are_asked_together(brought):
    other = [f"other {item}" for item in brought.ids]
    ground = hold_out([brought.ids, other], [brought.whole, brought.whole], most=6)
    probe = asked_pairs([brought, brought], ground)
    assert len(probe) == 4 and len(set(probe.ids)) == 4
