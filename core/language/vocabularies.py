"""Lists of words that vectors are told in, each as texts that a model reads, and their vectors by a model."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from core.encoding.embedding import embed_with
from core.encoding.models import load_model
from core.encoding.registry import PHOTO
from core.encoding.store import Store
from core.errors import ShapeError, SourceError, check_choice
from core.geometry.concepts import concept_axes
from core.language.zero_shot import class_vectors
from core.sources.solids.captions import prompt
from core.sources.solids.vocabulary import ATTRIBUTES
from core.sources.tables.reading import read_table
from core.types import Dataset, fingerprint

ENGLISH = Path(__file__).parents[2] / "data" / "words" / "english.tsv"
MOST, LONGEST, FEWEST = 10_000, 200, 2
TITLES = {"world": "Words of the built-in world", "classes": "Classes of the photo model and nouns above them",
          "english": "Common English words", "own": "A list of your own"}
_NAMED = ("word", "concept", "name", "label", "class", "text", "term", "caption")


@dataclass(frozen=True)
class Vocabulary:
    """Words, and what stands for each.

    Attributes
    ----------
    name : of the list.
    words : m different ones.
    texts : one or more a word; its vector is the direction of their mean.
    groups : kind of each word where kinds are taken from means of their own, else empty.
    repeated, too_long : how many of a list that was brought are left out, for being there twice or above 200 letters.
    """

    name: str
    words: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    groups: tuple[str, ...] = ()
    repeated: int = 0
    too_long: int = 0

    @property
    def fingerprint(self) -> str:
        return fingerprint("vocabulary", self.words, self.texts, self.groups)


@dataclass(frozen=True, eq=False)
class Concepts:
    """The words of a list that a model knows, as concepts.

    Attributes
    ----------
    words : m of them.
    groups : the kind of each, or empty.
    vectors : (m, d) float32, unit rows, as the model has them.
    axes : (m, d) float64, unit rows, from their own mean.
    unknown : words that are left out since the model does not know them.
    same : words that are left out since their vector is that of a word before them.
    """

    words: tuple[str, ...]
    groups: tuple[str, ...]
    vectors: np.ndarray
    axes: np.ndarray
    unknown: tuple[str, ...] = ()
    same: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: Sequence[str], vectors: np.ndarray, groups: Sequence[str] = (), unknown: Sequence[str] = ()
           ) -> Concepts:
        """Words with their (m, d) unit vectors, centred; of equal vectors the first word is kept."""
        first: dict[bytes, int] = {}
        for i, vector in enumerate(vectors):
            first.setdefault(vector.tobytes(), i)
        kept = list(first.values())
        kinds, left = tuple(groups[i] for i in kept) if groups else (), set(kept)
        return cls(tuple(words[i] for i in kept), kinds, vectors[kept], concept_axes(vectors[kept], kinds or None),
                   tuple(unknown), tuple(word for i, word in enumerate(words) if i not in left))

    @property
    def key(self) -> str:
        """Fingerprint of the words and their vectors."""
        return fingerprint("concepts", self.words, self.groups, self.vectors)


def fitting(model_id: str) -> str:
    """The key of `TITLES` that fits a model: what it was trained to know."""
    if model_id == PHOTO:
        return "classes"
    return "world" if load_model(model_id).known_words else "english"


def vocabulary(key: str) -> Vocabulary:
    """A list that is here, by its key in `TITLES`."""
    check_choice("list of words", key, [name for name in TITLES if name != "own"])
    return {"world": _world, "classes": _classes, "english": _english}[key]()


@lru_cache(maxsize=1)
def _world() -> Vocabulary:
    """Each value of each attribute, in the prompts that name one other attribute beside it."""
    rows = [(attribute, value) for attribute in ATTRIBUTES for value in ATTRIBUTES[attribute]]
    texts = tuple(tuple(prompt(**{attribute: value, other: beside}) for other in ATTRIBUTES if other != attribute
                        for beside in ATTRIBUTES[other]) for attribute, value in rows)
    return Vocabulary(TITLES["world"], tuple(value for _, value in rows), texts, tuple(name for name, _ in rows))


@lru_cache(maxsize=1)
def _classes() -> Vocabulary:
    from core.encoding.nouns import CLASSES, class_names, nouns

    above = [noun.names[0] for noun in list(nouns().values())[CLASSES:]]
    words = tuple(dict.fromkeys([*class_names(), *above]))
    return Vocabulary(TITLES["classes"], words, tuple((word,) for word in words))


@lru_cache(maxsize=1)
def _english() -> Vocabulary:
    with ENGLISH.open(encoding="utf-8", newline="") as file:
        words = tuple(row["word"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return Vocabulary(TITLES["english"], words, tuple((word,) for word in words))


def read_vocabulary(data: bytes, name: str) -> Vocabulary:
    """A list that was brought: a word a line, or the column of a table that is called like one, else its first.

    Raises
    ------
    SourceError
        If it is no table or text, has fewer than two different words, or more than 10,000.
    """
    frame = read_table(data, name).frame
    column = next((c for c in frame.columns if str(c).strip().lower().rstrip("s") in _NAMED), frame.columns[0])
    said = [" ".join(str(cell).split()) for cell in frame[column].dropna()]
    whole = [word for word in said if word]
    words = tuple(dict.fromkeys(word for word in whole if len(word) <= LONGEST))
    too_long = sum(len(word) > LONGEST for word in whole)
    if not FEWEST <= len(words) <= MOST:
        raise SourceError(f"{FEWEST} to {MOST:,} different words in {name}", f"{len(words):,}",
                          "One word or short phrase a line, or a column called word.")
    return Vocabulary(name, words, tuple((word,) for word in words), (), len(whole) - too_long - len(words), too_long)


def concepts_of(model_id: str, words: Vocabulary, store: Store | None = None, *,
                on_progress: Callable[[float, str], None] | None = None,
                should_stop: Callable[[], bool] | None = None) -> Concepts:
    """The words that a model knows, with their vectors, each text encoded once and kept in the store.

    Parameters
    ----------
    model_id
        As `load_model` takes it.
    words
        The list.
    store, on_progress, should_stop
        As `embed_with` takes them.

    Raises
    ------
    ShapeError
        If the model knows fewer than two of the words.
    ModelError, Cancelled
        As `embed_with`.
    """
    model = load_model(model_id)
    blind = frozenset(model.unread([texts[0] for texts in words.texts]))
    known = [i for i, texts in enumerate(words.texts) if i not in blind and not model.unknown_words(texts[0])]
    left_out = sorted(set(range(len(words.words))) - set(known))
    if len(known) < FEWEST:
        raise ShapeError("at least two words that the model knows", f"{len(known)} of {len(words.words):,}",
                         "Take the list that fits the model, or another model.")
    texts = tuple(dict.fromkeys(text for i in known for text in words.texts[i]))
    ids, nothing = tuple(map(str, range(len(texts)))), pd.DataFrame(index=range(0))
    found = embed_with(model_id, Dataset(words.name, (), None, ids, texts, np.zeros((0, 2), dtype=np.int64), nothing,
                                         pd.DataFrame(index=range(len(texts)))), store,
                       on_progress=on_progress, should_stop=should_stop)
    assert found.texts is not None
    row = dict(zip(found.captions, range(len(found.captions))))
    vectors = class_vectors([found.texts.vectors[[row[text] for text in words.texts[i]]] for i in known])
    return Concepts.of([words.words[i] for i in known], vectors,
                       [words.groups[i] for i in known] if words.groups else (),
                       [words.words[i] for i in left_out])
