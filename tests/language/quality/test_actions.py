"""Actions: each does what it says to what is left, and whatever is stacked, what stays belongs together."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ChoiceError, OrreryError, ShapeError
from core.geometry.quality.items import Kept
from core.language.quality.actions import Action, Step, replay, what_is_left
from core.language.quality.kept import DROPPED, KEPT, as_bytes, dropped_table, kept_table
from core.language.quality.looked import Looked
from tests.language.quality.made_looked import actions, alike, anything, made_looked, scored, suspects

LABELS = ("a", "a", "a", "a", "a", "b", "b", "b", "c", "")


def left(looked: Looked, *actions: Action) -> list[int]:
    """Rows of the images that stay."""
    return np.flatnonzero(what_is_left(replay(actions, looked), looked).images).tolist()


def act(kind: str, **said: object) -> Action:
    return Action(kind, said)  # type: ignore[arg-type]


def test_of_copies_one_of_those_left_stays() -> None:
    looked = made_looked(6, copies=alike(6, (2, 0, 4), (1, 5)), outliers=scored("outliers", [0, 0, 2, 0, 0, 0]))
    copies, outliers = act("drop", finding="copies"), act("drop", finding="outliers")
    assert left(looked, copies) == [1, 2, 3]
    assert left(looked, outliers, copies) == [0, 1, 3], "the one that would have stayed is gone: the next stays"
    assert left(looked, copies, outliers) == [1, 3]
    assert left(looked, Action("drop", {"finding": "outliers"}, on=False), copies) == [1, 2, 3]


def test_thresholds_are_those_said_or_proposed() -> None:
    looked = made_looked(4, blur=scored("blur", [0.5, 1.0, 2.0, float("nan")]))
    looked.memory["finding", "copies", 0] = alike(4)
    by_hand = {"outliers": looked.memory["finding", "blur", 0]}
    steps = replay([act("drop", finding="outliers"), act("drop", finding="outliers", threshold=0.5)], looked,
                   finding_of=by_hand.__getitem__)  # type: ignore[arg-type]
    assert [step.images.tolist() for step in steps] == [[1, 2], [0]]
    assert [step.texts.tolist() for step in steps] == [[1, 2], [0]], "captions go with their image"


def test_repeated_captions_take_their_images_along_but_for_one() -> None:
    looked = made_looked(3, 2, repeated=alike(6, (0, 2, 3, 5), key="repeated", of="text"))
    kept = what_is_left(replay([act("drop", finding="repeated")], looked), looked)
    assert np.flatnonzero(kept.texts).tolist() == [0, 1, 4]
    assert np.flatnonzero(kept.images).tolist() == [0, 2], "image 1 lost both of its captions"


def test_suspects_are_relabelled_and_then_counted_as_what_they_are_called() -> None:
    looked = made_looked(10, labels=LABELS)
    looked.memory["finding", "labels", 0] = suspects({0: "c", 1: "b", 2: ""}, 10)
    steps = replay([act("relabel"), act("rebalance")], looked)
    assert steps[0].relabelled.tolist() == [0, 1]
    assert steps[0].kept.labels[:3] == ("c", "b", "a")
    stay = [label for label, there in zip(steps[1].kept.labels, steps[1].kept.images) if there]
    assert sorted(stay) == ["", "a", "a", "b", "b", "c", "c"], "the smallest class, c, has two now"
    table = kept_table(looked, steps[:1])
    assert table[["label", "label_before"]][:3].to_numpy().tolist() == [["c", "a"], ["b", "a"], ["a", ""]]


def test_classes_are_cut() -> None:
    looked = made_looked(10, labels=LABELS)

    def sizes(*actions: Action) -> dict[str, int]:
        stay = [LABELS[row] for row in left(looked, *actions)]
        return {label: stay.count(label) for label in "abc"} | {"": stay.count("")}

    assert sizes(act("rebalance")) == {"a": 1, "b": 1, "c": 1, "": 1}
    assert sizes(act("rebalance", ratio=2.0)) == {"a": 2, "b": 2, "c": 1, "": 1}
    assert sizes(act("rebalance", smallest=2)) == {"a": 3, "b": 3, "c": 1, "": 1}
    assert sizes(act("cap_class", label="a", most=2)) == {"a": 2, "b": 3, "c": 1, "": 1}
    assert sizes(act("cap_class", most=0)) == {"a": 0, "b": 0, "c": 0, "": 1}
    assert sizes(act("rebalance", smallest=9)) == {"a": 5, "b": 3, "c": 1, "": 1}


def test_the_lowest_are_those_of_what_is_left() -> None:
    looked = made_looked(10)
    order = np.argsort(looked.items.cosines)
    assert left(looked, act("lowest", percent=20.0)) == sorted(order[2:].tolist())
    assert left(looked, act("lowest", percent=50.0), act("lowest", percent=40.0)) == sorted(order[7:].tolist())
    several = made_looked(4, 3)
    means = several.items.cosines.reshape(4, 3).mean(axis=1)
    assert left(several, act("lowest", percent=25.0, by="image")) == sorted(np.argsort(means)[1:].tolist())
    kept = what_is_left(replay([act("lowest", percent=25.0)], several), several)
    assert kept.texts.sum() == 9
    assert not kept.texts[np.argsort(several.items.cosines)[:3]].any()


def test_the_cap_and_the_prompts_are_those_of_the_sphere() -> None:
    looked = made_looked(20)
    x = looked.items.images
    assert x is not None
    to_north, to_east = np.arccos(x[:, 0].astype(float)), x[:, 1]
    inside = np.flatnonzero(np.degrees(to_north) <= 70).tolist()
    assert 0 < len(inside) < 20
    assert left(looked, act("near", centre="north", angle=70.0)) == inside
    assert left(looked, act("near", centre="north", angle=70.0, way="drop")) == sorted({*range(20)} - {*inside})
    assert left(looked, act("near", around="image", centre="i3", angle=0.0)) == [3]
    assert left(looked, act("prompt", prompt="east", cosine=0.3)) == np.flatnonzero(to_east >= 0.3).tolist()
    assert left(looked, act("prompt_share", prompt="east", percent=25.0)) == sorted(np.argsort(-to_east)[:5].tolist())
    nearer = np.flatnonzero(x[:, 0] - x[:, 1] >= 0.1).tolist()
    assert left(looked, act("prompt_against", prompt="north", against="east", margin=0.1)) == nearer
    y = looked.items.texts
    assert y is not None
    assert left(looked, act("prompt", prompt="east", cosine=0.3, of="text")) == np.flatnonzero(y[:, 1] >= 0.3).tolist()


def test_a_random_share_does_not_depend_on_what_else_is_done() -> None:
    looked = made_looked(40, labels=("a", "b") * 20)
    half = left(looked, act("random", percent=50.0))
    assert len(half) == 20
    assert set(left(looked, act("random", percent=25.0))) < set(half)
    assert left(looked, act("random", percent=0.0)) == []
    other = [np.flatnonzero(what_is_left(replay([act("random")], looked, seed=s), looked).images) for s in (0, 1)]
    assert other[0].tolist() != other[1].tolist()


def test_texts_alone_and_nothing_at_all() -> None:
    texts = made_looked(0)
    assert left(texts, act("random"), act("rebalance"), act("drop", finding="copies")) == []
    steps = replay([act("rebalance"), act("lowest"), act("drop", finding="copies"), act("near", centre="north")], texts)
    assert [step.lacks for step in steps] == ["There are no labels.", "No caption belongs to an image.",
                                              "There are fewer than two images.", "There are no images."]
    assert kept_table(texts, steps).empty
    assert list(kept_table(texts, steps).columns) == list(KEPT)
    assert list(dropped_table(texts, steps).columns) == list(DROPPED)


def test_an_action_that_drops_everything_leaves_an_empty_list() -> None:
    looked = made_looked(5, 2, labels=("a",) * 5)
    steps = replay([act("near", centre="north", angle=0.0), act("lowest"), act("rebalance"), act("random")], looked)
    assert not steps[-1].kept.images.any()
    assert not steps[-1].kept.texts.any()
    assert kept_table(looked, steps).empty
    assert len(dropped_table(looked, steps)) == 15
    for ending in (".csv", ".parquet", ".jsonl"):
        assert isinstance(as_bytes(kept_table(looked, steps), ending), bytes)


def test_odd_captions_come_back_from_every_form() -> None:
    odd = ("a\rb", "a\nb", 'say "x", y', "=1+1", "\x00", "NaN", " null ", "\u2028", "\U0001f600")
    looked = replace(made_looked(10), captions=(*odd, "\ud800 half a letter"))
    table = kept_table(looked, [])
    assert table["caption"].tolist() == [*odd, "\\ud800 half a letter"]
    readers = {".csv": partial(pd.read_csv, keep_default_na=False, dtype=str), ".parquet": pd.read_parquet,
               ".jsonl": partial(pd.read_json, lines=True, dtype=False)}
    for ending, read in readers.items():
        assert read(BytesIO(as_bytes(table, ending)))["caption"].tolist() == table["caption"].tolist()


@pytest.mark.parametrize(("kind", "said", "told"), [
    ("random", {"percent": 101}, "share as a number from 0 to 100; got 101"),
    ("random", {"percent": float("nan")}, "share as a number from 0 to 100; got nan"),
    ("random", {"percent": True}, "share as a number from 0 to 100; got True"),
    ("random", {"percent": "50"}, "share as a number from 0 to 100; got '50'"),
    ("random", {"share": 1}, "what “random” is told to be one of percent; got 'share'"),
    ("cap_class", {"most": 1.5}, "at most as a whole number from 0 to 1e\\+09; got 1.5"),
    ("cap_class", {"most": 10**400}, "got a number of more than 15 digits"),
    ("prompt", {}, "prompt; got nothing"),
    ("prompt", {"prompt": "x" * 3000}, "prompt of at most 2,000 letters; got 3,000"),
    ("drop", {"finding": "ghosts"}, "finding to be one of copies, leaks, .*; got 'ghosts'"),
    ("drop", {"threshold": [1]}, "threshold as a number .*; got a list"),
    ("near", {"centre": "x", "around": 3}, "around as text; got 3"),
    ("explode", {}, "an action to be one of drop, relabel"),
])
def test_what_cannot_be_said(kind: str, said: dict[str, object], told: str) -> None:
    with pytest.raises(OrreryError, match=told) as caught:
        act(kind, **said)
    assert isinstance(caught.value, ShapeError | ChoiceError)


def test_what_an_action_lacks_is_said_and_leaves_all_as_it_is() -> None:
    looked = made_looked(3)
    steps = replay([act("near", around="image", centre="nobody"), act("drop", finding="leaks"), act("cap_class")],
                   looked)
    assert [step.lacks for step in steps] == ["No image is called 'nobody'.",
                                              "There are no splits, such as train and test.", "There are no labels."]
    assert steps[-1].kept.images.all()
    for action in (act("prompt", prompt="west"), act("prompt_against", prompt="north", against="west"),
                   act("near", centre="west")):
        assert action.lacks(looked).startswith("Expected a model of the registry"), "the prompt cannot be encoded"
        assert action.lacks(replace(looked, prompts_by="")) == "No model is at hand that encodes prompts."


@given(st.integers(2, 16), st.integers(1, 3), st.integers(0, 4), st.lists(actions(), max_size=5))
@settings(max_examples=150, deadline=None)
def test_whatever_is_stacked(n: int, each: int, shared: int, stack: list[Action]) -> None:
    looked = anything(n, each, shared)
    steps = replay(stack, looked)
    before = Kept.all_of(looked.items)
    of, to = looked.items.links.T
    for step in steps:
        now = step.kept
        assert not (now.images & ~before.images).any(), "nothing comes back"
        assert not (now.texts & ~before.texts).any()
        assert np.bincount(of[now.texts[to]], minlength=n)[now.images].all(), "an image has a caption"
        assert np.bincount(to[now.images[of]], minlength=n * each)[now.texts].all(), "a caption has an image"
        if not step.action.on:
            assert same(now, before)
        elif step.action.kind == "drop" and step.action.said["finding"] == "copies":
            for group in looked.memory["finding", "copies", 0].groups():  # type: ignore[attr-defined]
                assert now.images[group].sum() == min(before.images[group].sum(), 1)
        before = now
    without = replay([action for action in stack if action.on], looked)
    assert same(what_is_left(steps, looked), what_is_left(without, looked)), "switched off is as if it were not there"
    check_lists(looked, steps)


def check_lists(looked: Looked, steps: list[Step]) -> None:
    """What is kept and what is dropped are all there is, each once."""
    kept, dropped = kept_table(looked, steps), dropped_table(looked, steps)
    for column, modality, ids in (("image", "image", looked.image_ids), ("id_of_caption", "text", looked.text_ids)):
        gone = dropped["id"][dropped["modality"] == modality].tolist()
        assert sorted({*kept[column]} - {""}) + sorted(gone) == sorted({*kept[column]} - {""}) + sorted(
            set(ids) - set(kept[column]))
    pairs = {(looked.image_ids[i], looked.text_ids[t]) for i, t in looked.items.links}
    assert {*zip(kept["image"], kept["id_of_caption"])} <= pairs


def same(a: Kept, b: Kept) -> bool:
    return bool((a.images == b.images).all() and (a.texts == b.texts).all() and a.labels == b.labels)
