"""Lists of words that groups of images are tested against, what a model knows of them, and all tests at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import ShapeError
from core.geometry.association import associations, leanings, single
from core.geometry.differences import Difference, holm
from core.types import Number, Refusal

Pair = tuple[str, str, str]   # X, Y, key of the lists
MOST_TESTS = 400


@dataclass(frozen=True)
class Lists:
    """Two groups of words.

    Attributes
    ----------
    a_name, b_name : what each group is called.
    a, b : the words.
    source : where they come from.
    """

    a_name: str
    a: tuple[str, ...]
    b_name: str
    b: tuple[str, ...]
    source: str

    @property
    def title(self) -> str:
        """Both names."""
        return f"{self.a_name} against {self.b_name}"


_WORLD = "words of the built-in world"
_CALISKAN = "Caliskan et al., Science 2017, doi:10.1126/science.aal4230, WEAT "
OF_THE_WORLD: dict[str, Lists] = {
    "places": Lists("warm places", ("a thing in the desert", "a thing on the sand", "a thing in a meadow",
                                    "a thing on the grass"),
                    "cold places", ("a thing in the snow", "a thing on a snowfield", "a thing on the sea",
                                    "a thing on the water"), _WORLD),
    "colours": Lists("warm colours", ("a red thing", "an orange thing", "a yellow thing", "a brown thing"),
                     "cold colours", ("a blue thing", "a turquoise thing", "a green thing", "a purple thing",
                                      "a violet thing"), _WORLD),
    "solids": Lists("round solids", ("a sphere", "a ball", "a cylinder", "a drum", "a torus", "a ring"),
                    "pointed solids", ("a cone", "a pyramid", "an octahedron", "a diamond", "a star"), _WORLD),
}
PUBLISHED: dict[str, Lists] = {
    "pleasant": Lists("pleasant", ("joy", "love", "peace", "wonderful", "pleasure", "friend", "laughter", "happy"),
                      "unpleasant", ("agony", "terrible", "horrible", "nasty", "evil", "war", "awful", "failure"),
                      _CALISKAN + "5"),
    "career": Lists("career", ("executive", "management", "professional", "corporation", "salary", "office", "business",
                               "career"),
                    "family", ("home", "parents", "children", "family", "cousins", "marriage", "wedding", "relatives"),
                    _CALISKAN + "6"),
    "math": Lists("mathematics", ("math", "algebra", "geometry", "calculus", "equations", "computation", "numbers",
                                  "addition"),
                  "arts", ("poetry", "art", "dance", "literature", "novel", "symphony", "drama", "sculpture"),
                  _CALISKAN + "7"),
}


OF_CLASSES: dict[str, Lists] = {
    "living": Lists("animals", ("lion", "tiger", "zebra", "elephant"),
                    "vehicles", ("sports car", "school bus", "mountain bike", "airliner"), "names of ImageNet classes"),
}
CRIME = ("thief", "criminal", "suspicious person")   # Radford et al., 2021, arXiv:2103.00020, section 7.1


@dataclass(frozen=True)
class Known:
    """The words of two lists that can be used.

    Attributes
    ----------
    words : as they were written.
    texts : as the model reads them.
    first : whether each is of the first group.
    left_out : the rest, with the reason.
    """

    words: tuple[str, ...]
    texts: tuple[str, ...]
    first: tuple[bool, ...]
    left_out: tuple[Refusal, ...] = ()

    @property
    def sizes(self) -> tuple[int, int]:
        """Words of the first group, and of the second."""
        return sum(self.first), len(self.first) - sum(self.first)


def known_of(lists: Lists, template: str, unknown: Callable[[Sequence[str]], Mapping[int, str]]) -> Known:
    """The words that are known, each once; what stands in both groups is left out of both.

    Parameters
    ----------
    lists : two groups of words.
    template : what is asked of the model, {} for the word.
    unknown : which of several texts cannot be used: index -> reason.
    """
    twice = {w.casefold() for w in lists.a} & {w.casefold() for w in lists.b}
    words, first, left_out = [], [], []
    for group, of_a in ((lists.a, True), (lists.b, False)):
        for word in dict.fromkeys(group):
            if word.casefold() in twice:
                left_out.append(Refusal(word, "it stands in both lists"))
            else:
                words.append(word)
                first.append(of_a)
    texts = [template.replace("{}", word) for word in words]
    bad = unknown(texts)
    left_out += [Refusal(words[i], reason) for i, reason in sorted(bad.items())]
    kept = [i for i in range(len(words)) if i not in bad]
    return Known(tuple(words[i] for i in kept), tuple(texts[i] for i in kept), tuple(first[i] for i in kept),
                 tuple(left_out))


def unknown_to(encoder: Encoder) -> Callable[[Sequence[str]], dict[int, str]]:
    """Which texts a model knows nothing of, or has a word of that it never saw: for `known_of`."""

    def told(texts: Sequence[str]) -> dict[int, str]:
        found = dict(encoder.unread(texts))
        for i, text in enumerate(texts):
            strange = encoder.unknown_words(text)
            if strange and i not in found:
                found[i] = f"the model never saw {', '.join(strange)[:120]}"
        return found

    return told


def rows_of(captions: Sequence[str], texts: Sequence[str]) -> list[int]:
    """The first of the captions that says each text, the case of letters aside."""
    place: dict[str, int] = {}
    for row, caption in enumerate(captions):
        place.setdefault(caption.strip().casefold(), row)
    return [place[text.strip().casefold()] for text in texts]


def missing_from(captions: Sequence[str]) -> Callable[[Sequence[str]], dict[int, str]]:
    """Which texts are none of those at hand, the case of letters aside: for `known_of`."""
    here = {caption.strip().casefold() for caption in captions}
    return lambda texts: {i: "no text of that wording is open" for i, text in enumerate(texts)
                          if text.strip().casefold() not in here}


@dataclass(frozen=True, eq=False)
class Associated:
    """Every pair of groups in every pair of lists.

    Attributes
    ----------
    titles : of the lists, by key.
    tests : effect size of X against Y, p corrected by Holm over all of them.
    alone : p of each before that.
    sizes : items of X and of Y that a test is of.
    shared : items that stand in both groups, and are left out.
    singles : the single-category effect of each group, by (group, key of the lists); p by Holm over all of them.
    everyone : the same of all items together, by key of the lists.
    two_sided, seed : of p.
    """

    titles: Mapping[str, Lists]
    tests: Mapping[Pair, Difference]
    alone: Mapping[Pair, float | None]
    sizes: Mapping[Pair, tuple[int, int]]
    shared: Mapping[Pair, int]
    singles: Mapping[tuple[str, str], Difference]
    everyone: Mapping[str, Number]
    two_sided: bool
    seed: int


def apart(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two groups without those that both have."""
    return np.setdiff1d(x, y), np.setdiff1d(y, x)


def associate(scores: Mapping[str, np.ndarray], known: Mapping[str, Known], titles: Mapping[str, Lists],
              groups: Mapping[str, np.ndarray], *, two_sided: bool = False, seed: int = 0,
              on_progress: Callable[[float, str], None] = lambda share, text: None) -> Associated:
    """Test every pair of groups, in their order, against every pair of lists.

    Parameters
    ----------
    scores : (n, w) floats by key of the lists: how well each item fits each known word.
    known, titles : the words of those lists, by the same keys.
    groups : rows of the items of two groups or more, by name.
    two_sided, seed : see `core.geometry.association.associations`.
    on_progress : told the share done, in [0, 1], and what is done; may raise to stop.

    Raises
    ------
    ShapeError
        If there are fewer than two groups, no lists, too many tests, or two groups hold the same items.
    """
    pairs = list(combinations(groups, 2))
    if not pairs or not scores or len(pairs) * len(scores) > MOST_TESTS:
        raise ShapeError(f"two groups or more and a pair of lists or more, {MOST_TESTS} tests at most",
                         f"{len(groups)} groups and {len(scores)} pairs of lists", "Choose others.")
    first = {key: np.array(known[key].first, dtype=bool) for key in scores}
    lean = np.stack([leanings(scores[key], first[key]) for key in scores], axis=1)
    tests, sizes, shared = {}, {}, {}
    for i, (x, y) in enumerate(pairs):
        say = i / (len(pairs) + 1)
        rows = apart(groups[x], groups[y])
        if not all(map(len, rows)):
            raise ShapeError("two groups with items of their own", f"{x!r} and {y!r} with none beside what they share",
                             "Choose groups that hold different items.")
        found = associations(lean[rows[0]], lean[rows[1]], two_sided=two_sided, seed=seed,
                             should_stop=lambda say=say, x=x, y=y: on_progress(  # type: ignore[misc]
                                 say, f"{x[:40]} and {y[:40]}"))
        for key, difference in zip(scores, found):
            tests[x, y, key] = difference
            sizes[x, y, key] = len(rows[0]), len(rows[1])
            shared[x, y, key] = len(groups[x]) - len(rows[0])
    on_progress(len(pairs) / (len(pairs) + 1), "Each group alone")
    ones = {(name, key): single(scores[key][rows], first[key], two_sided=two_sided, seed=seed)
            for name, rows in groups.items() for key in scores}
    everyone = np.unique(np.concatenate(list(groups.values())))
    return Associated(titles, holm(tests), {pair: found.p for pair, found in tests.items()}, sizes, shared, holm(ones),
                      {key: single(scores[key][everyone], first[key]).change for key in scores}, two_sided, seed)
