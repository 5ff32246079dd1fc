"""The names of the 1,000 classes of ImageNet and the nouns above them, and which of them a text says.

The tree is WordNet's (Miller, "WordNet: a lexical database for English", 1995); see data/imagenet/README.md.
"""

from __future__ import annotations

import csv
import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[2] / "data" / "imagenet"
CLASSES = 1000
NEAREST = 3
LEAST_ALIKE = 0.6
LONGEST_WORD = 60
# Words that say nothing of what is to be seen.
_SILENT_WORDS = """a an the this that these those some any one two three several many of in on at by with and or to from
for near under over behind beside between its his her their my your is are be being it there no not photo photograph
photos picture pictures image images view close up closeup good bad low high quality"""
_SILENT = frozenset(_SILENT_WORDS.split())
_ENDINGS = (("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y"),
            ("ves", "f"), ("'s", ""), ("s", ""))


@dataclass(frozen=True)
class Noun:
    """One noun of the tree.

    Attributes
    ----------
    synset : WordNet 3.0's eight digits.
    names : what it is called, the usual name first.
    above : synsets of its hypernyms.
    leaves : classes that it is, or that lie below it, 0 to 999, in order.
    """

    synset: str
    names: tuple[str, ...]
    above: tuple[str, ...]
    leaves: tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """What of a text is known.

    Attributes
    ----------
    nouns : those it says, in order, each once; a name of several nouns says all of them.
    unknown : words that are no part of a known name and not silent ones, in order, each once.
    """

    nouns: tuple[Noun, ...]
    unknown: tuple[str, ...]

    @property
    def leaves(self) -> tuple[int, ...]:
        """All classes that the text says, 0 to 999, in order."""
        return tuple(sorted({leaf for noun in self.nouns for leaf in noun.leaves}))


@lru_cache(maxsize=1)
def nouns() -> dict[str, Noun]:
    """Every noun by synset: the classes first, in their order, then what is above them."""
    rows = _rows("nouns.tsv")
    above = {row["synset"]: tuple(filter(None, row["above"].split("|"))) for row in rows}
    leaves: dict[str, set[int]] = {synset: set() for synset in above}

    def climb(synset: str, leaf: int) -> None:
        if leaf not in leaves[synset]:
            leaves[synset].add(leaf)
            for higher in above[synset]:
                climb(higher, leaf)

    for row in rows:
        if row["class"]:
            climb(row["synset"], int(row["class"]))
    return {row["synset"]: Noun(row["synset"], tuple(row["names"].split("|")), above[row["synset"]],
                                tuple(sorted(leaves[row["synset"]]))) for row in rows}


@lru_cache(maxsize=1)
def class_names() -> tuple[str, ...]:
    """A name for each of the 1,000 classes, in their order, that `read` understands as this class alone.

    It is the usual name; else another; else the usual one and what it is a kind of, "crane (wading bird)"; where even
    that says two, its number in WordNet, "cloak (n03045698)".
    """
    return tuple(_own_name(noun) for noun in list(nouns().values())[:CLASSES])


def _own_name(noun: Noun) -> str:
    kinds = [name for above in noun.above for name in nouns()[above].names]
    names = (*noun.names, *(f"{noun.names[0]} ({kind})" for kind in kinds))
    return next((name for name in names if read(name).leaves == noun.leaves), f"{noun.names[0]} (n{noun.synset})")


def read(text: str) -> Reading:
    """The nouns that a text says: the longest names first, in the singular or plural, in either case, also whose."""
    words = _words(text)
    found: dict[str, Noun] = {}
    unknown: dict[str, None] = {}
    at = 0
    while at < len(words):
        said, length = _name_at(words, at)
        if said:
            at += length
            if words[at:at + 1] == ["("]:
                said, length = _qualified(said, words, at + 1)
                at += length
            found |= {noun.synset: noun for noun in said}
        else:
            if words[at] not in _SILENT and words[at] not in "()":
                unknown[words[at]] = None
            at += 1
    return Reading(tuple(found.values()), tuple(unknown))


def _name_at(words: Sequence[str], at: int) -> tuple[tuple[Noun, ...], int]:
    """The nouns of the longest name that begins at a word, and its length in words; none and 0 where none does."""
    names = _by_name()
    for length in range(min(_longest(), len(words) - at), 0, -1):
        if length == 1 and words[at] in _SILENT:
            break
        for form in _singulars(words[at:at + length]):
            if form in names:
                return names[form], length
    return (), 0


def _qualified(said: tuple[Noun, ...], words: Sequence[str], at: int) -> tuple[tuple[Noun, ...], int]:
    """Of nouns with one name, those of the kind, or with the number, in brackets behind it; and the words of that."""
    kinds, length = _name_at(words, at)
    of_kind = tuple(noun for noun in said if any(set(noun.leaves) <= set(kind.leaves) for kind in kinds))
    if not kinds:
        of_kind, length = tuple(noun for noun in said if words[at:at + 1] == [f"n{noun.synset}"]), 1
    if of_kind and words[at + length:at + length + 1] == [")"]:
        return of_kind, length + 2
    return said, 0


@lru_cache(maxsize=4096)
def nearest_names(word: str, n: int = NEAREST) -> tuple[str, ...]:
    """At most n known names that are spelt most like a word, the nearest first: by difflib's ratio, 0.6 or more."""
    plain = " ".join(_words(word))[:LONGEST_WORD]
    names, counts, matcher = list(_by_name()), _letter_counts(), difflib.SequenceMatcher(b=plain)
    own = _counted(plain)
    # No ratio is above the share of letters in common: where that is too small, the ratio is not worked out.
    at_most = 2 * np.minimum(counts, own).sum(axis=1) / np.maximum(counts.sum(axis=1) + own.sum(), 1)
    best: list[tuple[float, str]] = []
    for i in np.argsort(-at_most, kind="stable").tolist():
        if at_most[i] < (best[-1][0] if len(best) == n else LEAST_ALIKE):
            break
        matcher.set_seq1(names[i])
        best = sorted([*best, (matcher.ratio(), names[i])], key=lambda pair: (-pair[0], pair[1]))[:n]
    return tuple(name for ratio, name in best if ratio >= LEAST_ALIKE)


@lru_cache(maxsize=1)
def _letter_counts() -> np.ndarray:
    return np.stack([_counted(name) for name in _by_name()])


def _counted(text: str) -> np.ndarray:
    """(27,) how often each letter from a to z stands in a text, then how many other signs."""
    places = [ord(sign) - ord("a") if "a" <= sign <= "z" else 26 for sign in text]
    return np.bincount(np.array(places, dtype=np.int64), minlength=27)


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).lower().replace("-", " ").replace("’", "'")
    return re.findall(r"[^\W_](?:\.[^\W_]\b)+|[^\W_]+(?:'[^\W_]+)*|[()]", plain)


@lru_cache(maxsize=1)
def _by_name() -> dict[str, tuple[Noun, ...]]:
    found: dict[str, tuple[Noun, ...]] = {}
    for noun in nouns().values():
        for name in noun.names:
            key = " ".join(_words(name))
            found[key] = (*found.get(key, ()), noun)
    return found


@lru_cache(maxsize=1)
def _longest() -> int:
    return max(name.count(" ") + 1 for name in _by_name())


@lru_cache(maxsize=1)
def _irregular() -> dict[str, str]:
    return {row["plural"]: row["singular"] for row in _rows("plurals.tsv")}


def _singulars(words: Sequence[str]) -> list[str]:
    """A name as it stands, then with its last word in the singular."""
    *first, last = words
    forms = [last, *([_irregular()[last]] if last in _irregular() else []),
             *(last[:-len(old)] + new for old, new in _ENDINGS if last.endswith(old) and len(last) > len(old) + 1)]
    return [" ".join((*first, form)) for form in forms]
