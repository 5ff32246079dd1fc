"""The concepts of the built-in world: rendered once, kept, the same again, and whole after a broken file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, ChoiceError, OrreryError
from core.learning.towers import concepts
from core.learning.towers.concepts import CONCEPT_COLOURS, CONCEPT_SOLIDS, averaged, concept_lesson
from core.settings import settings


def kept_files() -> set[Path]:
    return set((settings().cache / "concepts").glob("*"))


def test_a_lesson_is_rendered_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before, told = kept_files(), []
    lesson = concept_lesson(train=26, probe=12, seed=5, on_progress=lambda share, text: told.append(share))
    assert told[-1] == 1
    made = kept_files() - before
    assert len(made) == 1
    assert lesson.world
    assert len(CONCEPT_SOLIDS) * len(CONCEPT_COLOURS) == 12
    assert set(Counter(lesson.train.labels).values()) == {2, 3}
    assert set(Counter(lesson.probe.texts).values()) == {1}
    assert all(text == f"a {label}" for text, label in zip(lesson.train.texts, lesson.train.labels))
    pictures = [image.tobytes() for image in (*lesson.train.images, *lesson.probe.images)]
    assert len(set(pictures)) == 38

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("rendered again")

    with monkeypatch.context() as patched:
        patched.setattr(concepts, "render", fail)
        assert concept_lesson(train=26, probe=12, seed=5).fingerprint == lesson.fingerprint
    path = made.pop()
    for broken in (b"", b"no archive", path.read_bytes()[:2000]):
        path.write_bytes(broken)
        assert concept_lesson(train=26, probe=12, seed=5).fingerprint == lesson.fingerprint
    assert kept_files() - before == {path}, "nothing else is left"


def test_pictures_are_told_apart_by_colour() -> None:
    lesson = concept_lesson(train=24, probe=12, solids=("sphere", "cone"), colours=("red", "blue"))
    assert set(lesson.train.labels) == {"red sphere", "blue sphere", "red cone", "blue cone"}
    middle = lesson.train.images[:, 4:12, 4:12].astype(float).mean(axis=(1, 2))
    redder = middle[:, 0] - middle[:, 2]
    red = np.array(["red" in text for text in lesson.train.texts])
    assert redder[red].mean() > redder[~red].mean() + 40


def test_squares_are_averaged() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    small = averaged(images)
    for n, y, x, c in ((0, 0, 0, 0), (2, 15, 3, 1), (1, 7, 15, 2)):
        mean = images[n, 4 * y:4 * y + 4, 4 * x:4 * x + 4, c].astype(float).mean()
        assert abs(small[n, y, x, c] - mean) <= 0.5


def test_what_cannot_be_made_is_said_and_a_stop_leaves_nothing() -> None:
    before = kept_files()
    with pytest.raises(ChoiceError, match="solid to be one of sphere, cube"):
        concept_lesson(solids=("dodecahedron",))
    with pytest.raises(OrreryError, match="at least one scene"):
        concept_lesson(train=0)
    with pytest.raises(Cancelled):
        concept_lesson(train=20, probe=10, seed=77, should_stop=lambda: True)
    assert kept_files() == before
