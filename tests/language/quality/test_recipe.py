"""A recipe comes back from its file as it was, and what is none is refused in words, whatever it holds."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SourceError
from core.language.quality.actions import Action, replay
from core.language.quality.kept import kept_table
from core.language.quality.recipe import (
    Data,
    Recipe,
    action_of,
    actions_as_text,
    actions_of_text,
    read_recipe,
)
from tests.language.quality.made_looked import actions, anything, made_looked

TEXTS = st.text(max_size=30)
DATA = st.builds(Data, name=TEXTS, fingerprint=TEXTS, images=st.integers(0, 2**31), scenes=st.integers(0, 100_000),
                 faults=st.dictionaries(TEXTS, st.floats(0, 1), max_size=2), sampled=st.integers(0, 10**6),
                 image_ids=st.none() | st.lists(TEXTS, max_size=4).map(tuple))
ODD = Recipe("\x85", (action_of({"do": "prompt", "prompt": "no: [yes] &a *b !c 'd' \"e\" 2026-01-01 \x00\x85\u2028"},
                                ""), action_of({"do": "cap_class", "label": "on"}, "")), 7, "~", "1e5",
             Data("yes", "012345", image_ids=("1", "0x1F", "", "- a", "\U0001f600")))


@given(TEXTS, st.lists(actions(), max_size=4), st.integers(0, 2**32 - 1), DATA)
@settings(max_examples=150, deadline=None)
def test_a_recipe_comes_back(name: str, stack: list[Action], seed: int, data: Data) -> None:
    recipe = Recipe(name, tuple(stack), seed, "org/name", name, data)
    comes_back(recipe)
    looked = anything(9, 2, 2)
    again = replay(read_recipe(recipe.written()).actions, looked)
    assert kept_table(looked, again).equals(kept_table(looked, replay(stack, looked)))


def test_words_that_yaml_would_read_otherwise_come_back() -> None:
    comes_back(ODD)


def comes_back(recipe: Recipe) -> None:
    assert read_recipe(recipe.written()) == recipe
    assert read_recipe(recipe.written().encode()) == recipe
    assert actions_of_text(actions_as_text(recipe.actions)) == recipe.actions


def test_json_is_read_too_and_what_is_not_said_has_its_default() -> None:
    recipe = read_recipe(json.dumps({"actions": [{"do": "random"}, {"do": "lowest", "percent": 5, "active": False}]}))
    assert recipe.actions == (Action("random", {"percent": 50.0}), Action("lowest", {"percent": 5.0}, on=False))
    assert (recipe.seed, recipe.data, recipe.model) == (0, Data(), "")
    assert read_recipe(b"\xef\xbb\xbfactions: []").actions == ()


BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi")) + "actions: []"


@pytest.mark.parametrize(("content", "told"), [
    (BOMB, "without anchors"),
    ("actions: !!python/object/apply:os.system [ls]", "without tags"),
    ("actions: " + "[" * 100_000, "levels deep|YAML or JSON"),
    ('{"a":' * 5000 + "1" + "}" * 5000, "levels deep|RecursionError"),
    ('{"a":' * 20 + "1" + "}" * 20, "levels deep"),
    ('{"actions": [], "seed": 1, "seed": 2}', "each name once in a mapping; got 'seed' twice"),
    ('{"actions": [{"do": "random", "percent": NaN}]}', "finite numbers"),
    ("actions: []\nactions: []", "each name once in a mapping; got 'actions' twice"),
    ("actions: [{do: random, percent: .nan}]", "finite numbers"),
    ("actions: [{do: random, percent: 1e999}]", "finite numbers|got '1e999'"),
    ("actions: [{do: random, percent: 2026-01-01}]", "got date"),
    ("actions: [{do: random, on: false}]", "names of a recipe as text; got True"),
    ("actions: [{do: explode}]", "action 1: an action to be one of drop, .*; got 'explode'"),
    ("actions: [{do: random}, {do: random, percent: 200}]", "action 2: share as a number from 0 to 100; got 200"),
    ("actions: [{percent: 2}]", "action 1 as a mapping with “do”"),
    ("actions: [random]", "action 1 as a mapping with “do”; got str"),
    ("actions: [{do: random, active: 3}]", "active as true or false; got 3"),
    ("actions: {do: random}", "actions as a list"),
    ("actions: []\nseed: -1", "a seed from 0"),
    ("actions: []\nseed: 1" + "0" * 300, "at most 18 digits"),
    ("actions: []\nseed: 1" + "0" * 17, "a seed from 0"),
    ('{"actions": [], "seed": 1' + "0" * 4_200 + "}", "at most 18 digits"),
    ("actions: []\nseed: " + "1:" * 3_000_000 + "1", "at most 18 digits"),
    ("actions: [" + "[]," * 1_000_000 + "]", "at most 250,000 values"),
    ("actions: []\nseed: true", "seed as a whole number; got bool"),
    ("actions: []\nrecipe: 2", "a recipe of version 1; got 2"),
    ("actions: []\ncommand: rm", "got 'command'"),
    ("name: x", "a recipe with actions; got name"),
    ("actions: []\ndata: {scenes: 100000000}", "scenes from 0 to 100000"),
    ("actions: []\ndata: {image_ids: [1]}", "image_ids as a list of texts; got int"),
    ("actions: []\ndata: {faults: {blur: yes}}", "faults as shares by name; got bool"),
    ("actions: []\nname: " + "x" * 500, "name of at most 400 letters; got 500"),
    ("", "a recipe as a mapping .*; got NoneType"),
    ("just words", "a recipe as a mapping .*; got str"),
    ("a: [b", "YAML or JSON; got .* line"),
    (b"\xff\xfe\x00", "in UTF-8"),
    ("x: '" + "y" * 17_000_000 + "'", "at most 16 MB; got 17.0 MB"),
    ("actions:\n" + "- do: random\n" * 101, "at most 100 actions; got 101"),
])
def test_what_is_no_recipe(content: str | bytes, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        read_recipe(content)


NAMES = st.sampled_from(["do", "actions", "data", "seed", "percent", "active", "name", "model"]) | TEXTS


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | TEXTS, lambda part: st.lists(
    part, max_size=3) | st.dictionaries(NAMES, part, max_size=4), max_leaves=12))
@settings(max_examples=200, deadline=None)
def test_any_values_are_read_or_refused_in_words(value: object) -> None:
    with suppress(SourceError):
        recipe = read_recipe(json.dumps({"actions": value} if isinstance(value, list) else value))
        assert read_recipe(recipe.written()) == recipe


def test_other_data_are_told() -> None:
    looked = made_looked(5, 2)
    recipe = Recipe.of("mine", [Action("random")], looked)
    assert recipe.differs(looked) == []
    assert recipe.differs(made_looked(5, 2)) == [], "the same data, opened anew"
    assert "(5 images and 10 texts then, 4 images and 8 texts now)" in recipe.differs(made_looked(4, 2))[0]
    assert "contents or ids are others" in recipe.differs(made_looked(5, 2, seed=1))[0]
    assert "contents or ids are others" in recipe.differs(replace(looked, captions=("other",) * 10))[0]
    assert read_recipe(recipe.written()).differs(looked) == []
    assert read_recipe("actions: []").differs(looked) == []
