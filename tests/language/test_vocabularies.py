"""Lists of words: the English one against its source, what a model knows of each, and lists that are brought."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from core.encoding.registry import PHOTO
from core.encoding.store import Store
from core.errors import ShapeError, SourceError
from core.language.vocabularies import (
    ENGLISH,
    LONGEST,
    MOST,
    Concepts,
    Vocabulary,
    concepts_of,
    fitting,
    read_vocabulary,
    vocabulary,
)
from tests.language import wordnet_words


def test_the_english_words_are_those_of_wordnet():
    if not (wordnet_words.FOLDER / "cntlist.rev").is_file():
        pytest.skip("WordNet is not on this machine (Debian's package wordnet-base)")
    rows = "".join(f"{word}\t{kind}\t{count}\n" for word, kind, count in wordnet_words.words())
    assert ENGLISH.read_text("utf-8") == wordnet_words.HEADER + rows


def test_the_readme_tells_the_list_as_it_is():
    said, words = ENGLISH.with_name("README.md").read_text("utf-8"), vocabulary("english").words
    assert hashlib.sha256(ENGLISH.read_bytes()).hexdigest() in said
    assert f"{len(words):,} common English words" in said
    assert len(set(words)) == len(words) < MOST
    assert {"dog", "zebra", "beach", "red", "wooden", "running", "dancing"} <= set(words)


@pytest.mark.parametrize(("verb", "form"), [("make", "making"), ("tie", "tying"), ("see", "seeing"),
                                            ("dig", "digging"), ("open", "opening"), ("sit down", "siting down")])
def test_gerunds_by_rule(verb, form):
    assert wordnet_words.gerund(verb, {}) == form.replace("siting", "sitting")


def test_the_builtin_model_knows_its_own_words_and_few_english_ones(tmp_path):
    store, world = Store(tmp_path), vocabulary("world")
    assert fitting("builtin") == "world" and fitting(PHOTO) == "classes"
    found = concepts_of("builtin", world, store)
    assert found.words == world.words and found.axes.shape == (37, 64) and not found.unknown
    colours = np.array(found.groups) == "colour"
    centre = found.vectors[colours].mean(axis=0)
    apart = found.vectors[colours] - centre
    np.testing.assert_allclose(found.axes[colours], apart / np.linalg.norm(apart, axis=1, keepdims=True), atol=1e-5)
    kept = store.count()
    assert concepts_of("builtin", world, store).key == found.key and store.count() == kept

    some = Vocabulary("some", ("red", "zebra", "cube", "blue"), (("red",), ("zebra",), ("cube",), ("blue",)))
    assert concepts_of("builtin", some, store).words == ("red", "cube", "blue")
    assert concepts_of("builtin", some, store).unknown == ("zebra",)
    with pytest.raises(ShapeError, match="0 of 2"):
        concepts_of("builtin", Vocabulary("x", ("zebra", "yacht"), (("zebra",), ("yacht",))), store)


def test_of_words_with_one_vector_the_first_is_kept():
    found = Concepts.of(("a", "b", "c"), np.eye(3, dtype=np.float32)[[0, 0, 1]], ("x", "y", "y"))
    assert found.words == ("a", "c") and found.same == ("b",) and found.groups == ("x", "y")


@pytest.mark.parametrize(("name", "text"), [
    ("w.txt", "red\n\n  blue  \nred\n赤い\n"), ("w.csv", "id,word\n1,red\n2,blue\n3,red\n4,赤い\n"),
    ("w.tsv", "Words\tn\nred\t1\nblue\t2\nred\t3\n赤い\t1\n")])
def test_lists_that_are_brought(name, text):
    found = read_vocabulary(text.encode(), name)
    assert found.words == ("red", "blue", "赤い") and found.repeated == 1


def test_lists_that_cannot_be_used_say_why():
    found = read_vocabulary(f"red\nblue\n{'x' * (LONGEST + 1)}\n".encode(), "w.txt")
    assert found.words == ("red", "blue") and found.too_long == 1
    for data, name in ((b"", "w.txt"), (b"red\n", "w.txt"), (b"\x89PNG\r\n\x1a\n\0\0", "w.csv"),
                       ("\n".join(map(str, range(MOST + 1))).encode(), "w.txt"), (b"red\nblue", "w.exe")):
        with pytest.raises(SourceError):
            read_vocabulary(data, name)
