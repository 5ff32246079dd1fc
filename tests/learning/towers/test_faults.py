"""Faults of the training pairs: the stated share exactly, seeded, and what they leave alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import OrreryError
from core.learning.towers.faults import FAULTS, with_faults
from core.learning.towers.pairs import Lesson, SmallPairs
from core.learning.towers.setup import DIALS, Setup
from tests.learning.towers.made import blocks, lesson_of

SOLIDS, TINTS = ("cube", "cone", "sphere"), ("red", "green", "blue")
CONCEPTS = tuple(f"a {tint} {solid}" for solid in SOLIDS for tint in TINTS)


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    labels = tuple(text[2:] for text in CONCEPTS)
    return lesson_of(CONCEPTS * 20, CONCEPTS, labels=(labels * 20, labels), world=True)


def changed(before: SmallPairs, after: SmallPairs) -> int:
    return sum(a != b for a, b in zip(before.texts, after.texts, strict=True))


def test_every_fault_has_a_dial_and_every_dial_of_data_a_fault() -> None:
    assert set(FAULTS) == {name for name, dial in DIALS.items() if dial.data}


def test_without_faults_it_is_the_same_lesson(lesson: Lesson) -> None:
    assert with_faults(lesson, Setup(seed=3)) is lesson


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_fault_is_seeded_and_spares_the_probe(lesson: Lesson, name: str) -> None:
    dose = DIALS[name].doses[-1]
    once, again, other = (with_faults(lesson, Setup(seed=seed).but(**{name: dose})) for seed in (0, 0, 1))
    assert once.fingerprint == again.fingerprint
    assert once.probe is lesson.probe
    assert once.train.fingerprint != lesson.train.fingerprint
    if name != "blur":
        assert once.fingerprint != other.fingerprint


@pytest.mark.parametrize("name", ["caption_noise", "mismatched", "vague"])
@pytest.mark.parametrize("share", [0.2, 0.37, 0.6])
def test_exactly_that_share_of_captions_is_changed_and_no_picture(lesson: Lesson, name: str, share: float) -> None:
    train = with_faults(lesson, Setup().but(**{name: share})).train
    assert changed(lesson.train, train) == round(share * 180)
    assert train.labels == lesson.train.labels
    np.testing.assert_array_equal(train.images, lesson.train.images)


def test_caption_noise_says_any_other_concept_and_mismatched_deals_the_same_captions(lesson: Lesson) -> None:
    noisy = with_faults(lesson, Setup(caption_noise=0.9)).train
    told = {(a, b) for a, b in zip(lesson.train.texts, noisy.texts) if a != b}
    assert len(told) > 60, "of 72 pairs of concepts"
    dealt = with_faults(lesson, Setup(mismatched=1)).train
    assert changed(lesson.train, dealt) == 180
    assert Counter(dealt.texts) == Counter(lesson.train.texts)


def test_vague_captions_leave_out_solid_colour_or_both_by_turns(lesson: Lesson) -> None:
    vague = with_faults(lesson, Setup(vague=0.6)).train
    said = Counter("both" if text == "a thing" else "solid" if text.endswith("thing") else "colour"
                   for before, text in zip(lesson.train.texts, vague.texts) if before != text)
    assert said == {"both": 36, "solid": 36, "colour": 36}
    for before, after in zip(lesson.train.texts, vague.texts):
        assert set(after.split()) <= {*before.split(), "thing"}


def test_missing_classes_and_imbalance_count_pairs(lesson: Lesson) -> None:
    for share, left in ((1 / 9, 8), (1 / 3, 6), (0.5, 5), (0.75, 2)):
        assert len(set(with_faults(lesson, Setup(missing=share)).train.labels)) == left
    counts = sorted(Counter(with_faults(lesson, Setup(imbalance=0.4)).train.labels).values(), reverse=True)
    assert counts == [max(1, round(20 * np.exp(-0.4 * k))) for k in range(9)]
    of = {label: seed for seed in range(4) for label, count in Counter(with_faults(
        lesson, Setup(seed=seed, imbalance=1.5)).train.labels).items() if count == 20}
    assert len(of) > 1, "another seed makes other classes rare"


def test_unique_pairs_repeat_to_the_same_number(lesson: Lesson) -> None:
    train = with_faults(lesson, Setup(unique=0.1)).train
    assert len(train) == len(set(train.ids)) == 180
    counts = Counter(image.tobytes() for image in train.images)
    assert len(counts) == 18
    assert set(counts.values()) == {10}


def test_blur_takes_contrast_and_keeps_the_mean(lesson: Lesson) -> None:
    spread = [float(lesson.train.images.std(axis=(1, 2)).mean())]
    for radius in (0.03, 0.06, 0.12):
        images = with_faults(lesson, Setup(blur=radius)).train.images
        spread.append(float(images.std(axis=(1, 2)).mean()))
        assert abs(float(images.mean()) - float(lesson.train.images.mean())) < 0.2
    assert sorted(spread, reverse=True) == spread


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(CONCEPTS), min_size=1, max_size=12), st.sampled_from(list(FAULTS)), st.integers(0, 99),
       st.floats(0, 1))
def test_odd_lessons_get_their_fault_or_a_friendly_word(texts: list[str], name: str, seed: int, of: float) -> None:
    small = Lesson("odd", blocks(texts), blocks(texts[:1], prefix="p"), True)
    dose = DIALS[name].low + of * (DIALS[name].high - DIALS[name].low)
    setup = Setup(seed=seed).but(**{name: dose})
    if name == "caption_noise" and dose > 0 and len(set(texts)) == 1:
        with pytest.raises(OrreryError, match="several captions"):
            with_faults(small, setup)
        return
    train = with_faults(small, setup).train
    assert len(train) >= 1
    if name == "caption_noise":
        assert changed(small.train, train) == round(dose * len(texts))


def test_vague_captions_need_captions_of_the_world() -> None:
    with pytest.raises(OrreryError, match=r"Expected 2 captions such as “a red cube” to make vague; got 1\..*to 0"):
        with_faults(lesson_of(["a dog", "a red cube", "a cat", "a cow"], ["a dog"]), Setup(vague=0.5))


def test_classes_that_share_a_caption_pass_as_other_concepts() -> None:
    pairs = lesson_of(["a"] * 6, ["a"], labels=(["x"] * 3 + ["y"] * 3, ["x"]))
    assert with_faults(pairs, Setup(caption_noise=0.5)).train.texts == ("a",) * 6
