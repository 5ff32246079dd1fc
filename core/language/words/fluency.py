"""How fluent a text is: its mean log probability a word under a model of two words at a time."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from core.errors import ShapeError

_WORDS = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|,")
_START, _END = "<", ">"
_BACK_OFF = 0.1
WORLD_CAPTIONS, WORLD_SEED = 3_000, 62_000


def words_of(text: str) -> list[str]:
    """Its words in small letters, and its commas."""
    return _WORDS.findall(text.lower())


@dataclass(frozen=True, eq=False)
class Bigrams:
    """How often one word follows another, mixed with how often each occurs; words never seen count as one more.

    Attributes
    ----------
    follows, before, alone : counts of pairs, of the words before, and of each word.
    """

    follows: Counter[tuple[str, str]]
    before: Counter[str]
    alone: Counter[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Bigrams:
        """Counted in texts; ShapeError where they have no word."""
        said = [[_START, *words, _END] for text in texts if (words := words_of(text))]
        if not said:
            raise ShapeError("texts with words in them", f"{len(texts)} texts without one")
        follows = Counter(pair for words in said for pair in pairwise(words))
        return cls(follows, Counter(w for words in said for w in words[:-1]),
                   Counter(w for words in said for w in words[1:]))

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """(n,) float64: mean natural log probability a word, its end counted; below 0, higher is more fluent."""
        total, kinds = sum(self.alone.values()), len(self.alone) + 1
        out = np.empty(len(texts))
        for i, text in enumerate(texts):
            words = [_START, *words_of(text), _END]
            logs = []
            for a, b in pairwise(words):
                one = (self.alone[b] + 1) / (total + kinds)
                two = self.follows[a, b] / self.before[a] if self.before[a] else 0.0
                logs.append(math.log((1 - _BACK_OFF) * two + _BACK_OFF * one))
            out[i] = sum(logs) / len(logs)
        return out


@lru_cache(maxsize=1)
def of_the_world() -> Bigrams:
    """Counted in seeded captions of the built-in world."""
    from core.sources.solids.captions import caption
    from core.sources.solids.scene import sample_scenes

    rng = np.random.default_rng(WORLD_SEED)
    return Bigrams.of([caption(scene, rng).text for scene in sample_scenes(WORLD_CAPTIONS, WORLD_SEED)])
