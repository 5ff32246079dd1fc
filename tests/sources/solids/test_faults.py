"""Planted faults: they touch what their columns say and nothing else, one upon another, and the same for one seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.sources.images.readers import decode_small
from core.sources.solids.copies import GROUPS
from core.sources.solids.faults import FAULTS, plant, plant_all
from core.sources.solids.touched import column, has_fault
from core.sources.solids.world import open_world
from core.sources.solids.wrong_attributes import said_in, with_one_wrong
from core.types import Dataset

IN_PLACE = ("other world", "blur", "noise", "dark", "bright", "flat", "grey", "tiny", "strip")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return open_world(60, seed=1, size=64)


def pixels(of: Dataset, row: int) -> np.ndarray:
    assert of.images is not None
    return np.asarray(of.images.decode(row), dtype=np.float64)


def test_faults_touch_what_they_say(data: Dataset) -> None:
    wrong = plant(data, "wrong captions", 0.3, seed=5)
    moved = [i for i in range(60) if wrong.texts[i] != data.texts[i]]
    assert sorted(np.flatnonzero(wrong.text_table["fault"] == "wrong caption")) == moved
    assert len(moved) == 18
    twice = plant(data, "duplicates", 0.25)
    assert len(twice.image_ids) == 75 == len(set(twice.image_ids))
    hashes = [twice.images.content_hash(i) for i in range(75)]  # type: ignore[union-attr]
    assert len(set(hashes)) == 60
    assert twice.texts[70] == data.texts[int(twice.images.order[70])]  # type: ignore[union-attr]
    for fault in IN_PLACE:
        worse = plant(data, fault, 0.5)
        touched = np.flatnonzero(worse.image_table["fault"] == fault)
        assert len(touched) == 30
        for i in range(60):
            same = np.array_equal(np.asarray(worse.images.decode(i)), np.asarray(data.images.decode(i)))  # type: ignore[union-attr]
            assert same == (i not in touched)
            assert (worse.images.content_hash(i) == data.images.content_hash(i)) == same  # type: ignore[union-attr]
    missing = plant(data, "missing classes", 0.3)
    assert missing.image_table["label"].nunique() == data.image_table["label"].nunique() - 3
    skewed = plant(data, "imbalance", 0.5)
    assert skewed.image_table["label"].value_counts().max() > 3 * skewed.image_table["label"].value_counts().min()
    assert skewed.fingerprint == plant(data, "imbalance", 0.5).fingerprint


def test_faults_refuse_what_makes_no_sense() -> None:
    data = open_world(4, size=64)
    with pytest.raises(ChoiceError, match="fault to be one of imbalance, missing"):
        plant(data, "rust", 0.1)
    with pytest.raises(ShapeError, match=r"a share in \[0, 1\]; got 1.5"):
        plant(data, "blur", 1.5)
    with pytest.raises(ShapeError, match="a rate of at least 0"):
        plant(data, "imbalance", -1)
    texts_alone = replace(data, image_ids=(), images=None, links=np.empty((0, 2)),
                          image_table=data.image_table.iloc[:0])
    with pytest.raises(ShapeError, match="texts alone"):
        plant(texts_alone, "blur", 0.1)
    with pytest.raises(ShapeError, match="a column label"):
        plant(replace(data, image_table=data.image_table.drop(columns="label")), "imbalance", 0.1)


def test_worse_pictures_are_worse_in_their_own_way(data: Dataset) -> None:
    worse = {fault: plant(data, fault, 1.0) for fault in IN_PLACE}
    row, before = 7, pixels(data, 7)
    assert np.diff(pixels(worse["blur"], row), 2, axis=0).var() < 0.1 * np.diff(before, 2, axis=0).var()
    assert pixels(worse["dark"], row).mean() < 0.2 * before.mean()
    assert 255 - pixels(worse["bright"], row).mean() < 0.2 * (255 - before.mean())
    assert pixels(worse["flat"], row).std() < 0.3 * before.std()
    assert np.ptp(pixels(worse["grey"], row), axis=-1).max() == 0
    assert pixels(worse["tiny"], row).shape == (13, 13, 3) and pixels(worse["strip"], row).shape[0] < 16
    assert np.abs(pixels(worse["other world"], row) - before).mean() > 30
    shown = decode_small(worse["dark"].images, row, 32)  # type: ignore[arg-type]
    assert np.asarray(shown).mean() < 0.2 * before.mean(), "a gallery shows what was planted"


def test_copies_are_named_with_their_original_and_stand_in_groups_of_2_3_and_10(data: Dataset) -> None:
    for fault, near in (("near duplicates", True), ("harsh duplicates", False)):
        more = plant(data, fault, 0.4, seed=3)
        images = more.images
        assert images is not None and len(images) == 84 and more.image_ids[:60] == data.image_ids
        assert more.texts[:60] == data.texts and (more.links[:60] == data.links).all()
        copies = np.flatnonzero(has_fault(more.image_table, fault))
        assert copies.tolist() == list(range(60, 84))
        groups = Counter(more.image_table["copy_of"].iloc[60:])
        assert sorted(groups.values()) == sorted(2 * [size - 1 for size in GROUPS])
        for row in copies.tolist():
            original = more.image_ids.index(more.image_table["copy_of"][row])
            assert original == images.order[row] < 60  # type: ignore[attr-defined]
            exact = more.image_table["copied_by"][row] == "exact"
            assert (images.content_hash(row) == images.content_hash(original)) == exact
            if pixels(more, row).shape == pixels(more, original).shape:
                off = np.abs(pixels(more, row) - pixels(more, original)).mean()
                assert off == 0 if exact else 0 < off < (30 if near else 120)
            text = int(more.links[more.links[:, 0] == row, 1][0])
            assert more.texts[text] == data.texts[original] and more.text_table["copied_by"][text] == "exact"
        assert ("exact" in set(more.image_table["copied_by"])) == near
    again = plant(plant(data, "duplicates", 1.0), "duplicates", 1.0)
    assert set(again.image_table["copy_of"]) - {""} == set(data.image_ids), "a copy of a copy is of the first"


def test_one_wrong_attribute_never_says_what_the_caption_said(data: Dataset) -> None:
    wrong = plant(data, "wrong attributes", 0.5, seed=2)
    rows = np.flatnonzero(has_fault(wrong.text_table, "wrong attributes"))
    assert len(rows) == 30 and sum(a != b for a, b in zip(wrong.texts, data.texts)) == 30
    for row in rows.tolist():
        before, after = (Counter((kind, value) for kind, value, _ in said_in(d.texts[row])) for d in (data, wrong))
        (lost, gained) = before - after, after - before
        assert lost.total() == gained.total() == 1, "one value among all those said is another"
        assert next(iter(lost))[0] == next(iter(gained))[0] == wrong.text_table["wrong_attribute"][row]
        assert wrong.text_table["caption_before"][row] == data.texts[row]
        assert " a o" not in f" {wrong.texts[row]}" and " an r" not in wrong.texts[row]
    assert set(wrong.text_table["wrong_attribute"]) - {""} == {"solid", "colour", "texture", "style", "setting", "size"}


@pytest.mark.parametrize(("text", "attributes"), [
    ("a photo of a red cone", {"style", "colour", "solid"}),
    ("a torus with stripes", {"solid", "texture"}),
    ("an orange thing dipped in white", {"colour", "texture"}),
    ("a man on a horse", set()),
])
def test_only_what_is_said_can_be_wrong(text: str, attributes: set[str]) -> None:
    rng, seen = np.random.default_rng(0), set()
    for _ in range(60):
        found = with_one_wrong(text, rng)
        if found is None:
            break
        seen.add(found[1])
        assert found[0] != text and {kind for kind, _, _ in said_in(found[0])} == attributes
    assert seen == attributes


def test_wrong_labels_are_other_labels_of_the_set_and_the_true_ones_are_kept(data: Dataset) -> None:
    wrong = plant(data, "wrong labels", 0.2, seed=4)
    touched = has_fault(wrong.image_table, "wrong labels")
    was, now = data.image_table["label"].to_numpy(), wrong.image_table["label"].to_numpy()
    assert touched.sum() == 12 and (touched == (was != now)).all()
    assert set(now) <= set(was) and (column(wrong.image_table, "true_label")[touched] == was[touched]).all()
    assert (wrong.text_table["label"].to_numpy()[wrong.links[:, 1]] == now[wrong.links[:, 0]]).all()


def test_leaks_are_copies_in_another_split(data: Dataset) -> None:
    leaky = plant(data, "leaks", 0.25, seed=5)
    table = leaky.image_table
    assert table["split"].iloc[:60].value_counts().to_dict() == {"train": 48, "test": 12}
    split_of = dict(zip(leaky.image_ids, table["split"]))
    copies = table[has_fault(table, "leaks")]
    assert len(copies) == 15 and all(split_of[row.copy_of] != row.split for row in copies.itertuples())
    assert set(copies["copied_by"]) == {"exact", "jpeg", "crop", "rescale", "noise"}


def test_faults_are_planted_one_upon_another(data: Dataset) -> None:
    strengths = {"duplicates": 0.5, "wrong attributes": 0.3, "blur": 0.2, "wrong labels": 0.1}
    both = plant_all(data, strengths, seed=6)
    assert both.fingerprint == plant_all(data, dict(reversed(strengths.items())), seed=6).fingerprint
    assert both.fingerprint != plant_all(data, strengths, seed=7).fingerprint
    rows = np.flatnonzero(has_fault(both.image_table, "duplicates"))
    assert len(rows) == 30
    for row in rows.tolist():
        first = both.image_ids.index(both.image_table["copy_of"][row])
        assert has_fault(both.image_table, "blur")[row] == has_fault(both.image_table, "blur")[first]
        assert both.image_table["label"][row] == both.image_table["label"][first]
    again = plant(plant(data, "wrong attributes", 0.5), "wrong attributes", 1.0, seed=1)
    assert all(a != b for a, b in zip(again.texts, data.texts)), "a second time nothing becomes right again"
    noisy = plant(plant(data, "duplicates", 1.0), "noise", 1.0)
    for row in (0, 30):
        twin = noisy.image_ids.index(f"{noisy.image_ids[row]}#2")
        same = noisy.images.content_hash(row) == noisy.images.content_hash(twin)  # type: ignore[union-attr]
        assert same and (pixels(noisy, row) == pixels(noisy, twin)).all(), "one content has one hash"


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_no_strength_changes_nothing_and_one_image_is_enough(fault: str, data: Dataset) -> None:
    assert plant(data, fault, 0.0).fingerprint == data.fingerprint
    one = open_world(1, size=64)
    if fault in ("wrong labels", "leaks"):
        with pytest.raises(ShapeError, match="two"):
            plant(one, fault, 1.0)
    elif fault != "missing classes":
        assert len(plant(one, fault, 1.0).image_ids) >= 1
