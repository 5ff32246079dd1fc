"""The path of a sentence on the sphere as it grows word by word, beside its words in shuffled order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import means_differ
from core.geometry.directions import angle
from core.language.words.reading import Progress, Stop, read
from core.language.world_evaluation import Encoder
from core.types import Number

SHUFFLES = 50
MOST_SENTENCES = 8
MOST_STEPS = 60
_BAND = (2.5, 97.5)


@dataclass(frozen=True, eq=False)
class SentencePath:
    """A sentence of k words.

    Attributes
    ----------
    text : the whole sentence.
    words : k, in order; letters where the script writes no spaces.
    points : (k, d) float32, unit rows: the vector of the first word, of the first two, and so on.
    to_whole, to_image : (k,) float64, degrees from each point to the whole sentence and to the image; None without one.
    steps : (k - 1,) float64, degrees from each point to the next.
    shuffled_to_whole, shuffled_to_image : (3, k) float64, mean, 2.5 % and 97.5 % of the same angles of paths through
        the same words in shuffled order: what a bag of these words would give.
    order : mean angle, in degrees, between the sentence and its words shuffled, with a 95 % interval; its null is the
        mean angle between different sentences, None where there is one alone.
    """

    text: str
    words: tuple[str, ...]
    points: np.ndarray
    to_whole: np.ndarray
    to_image: np.ndarray | None
    steps: np.ndarray
    shuffled_to_whole: np.ndarray
    shuffled_to_image: np.ndarray | None
    order: Number

    @property
    def longest_step(self) -> int:
        """The word whose coming moves the vector most, from 1; 0 where there is one word alone."""
        return int(self.steps.argmax()) + 1 if len(self.steps) else 0


def words_of(text: str) -> tuple[tuple[str, ...], str]:
    """The words of a text, and what joins them: a space, or nothing where letters of a script without spaces are."""
    words = text.split()
    if len(words) == 1 and not text.isascii() and any(ord(c) >= 0x0E00 for c in text):
        return tuple(words[0]), ""
    return tuple(words), " "


def sentence_paths(model: Encoder, sentences: Sequence[str], image: np.ndarray | None = None, *,
                   shuffles: int = SHUFFLES, seed: int = 0, on_progress: Progress | None = None,
                   should_stop: Stop | None = None) -> tuple[SentencePath, ...]:
    """Paths of sentences, word by word.

    Parameters
    ----------
    model : anything that encodes texts.
    sentences : 1 to 8, each of 1 to 60 words.
    image : (d,) float32, unit: what the paths are compared with.
    shuffles : orders of the same words that are drawn, >= 2.
    seed : of the orders.

    Raises
    ------
    ShapeError
        If there is no sentence, or there are too many, or one has no or too many words.
    """
    if not 1 <= len(sentences) <= MOST_SENTENCES:
        raise ShapeError(f"1 to {MOST_SENTENCES} sentences", str(len(sentences)), "Write one a line.")
    split = [words_of(text) for text in sentences]
    for words, _ in split:
        if not 1 <= len(words) <= MOST_STEPS:
            raise ShapeError(f"sentences of 1 to {MOST_STEPS} words", f"one of {len(words)}")
    rng = np.random.default_rng(seed)
    orders = [[np.arange(len(words)), *(rng.permutation(len(words)) for _ in range(shuffles))] for words, _ in split]
    texts = [join.join(words[i] for i in order[:k + 1]) for (words, join), drawn in zip(split, orders)
             for order in drawn for k in range(len(words))]
    vectors, found, at = read(model, texts, on_progress, should_stop), [], 0
    for words, _ in split:
        size = (shuffles + 1) * len(words)
        found.append(vectors[at:at + size].reshape(shuffles + 1, len(words), -1))
        at += size
    ends = np.stack([paths[0, -1] for paths in found])
    apart = [float(np.degrees(angle(a, b))) for i, a in enumerate(ends) for b in ends[:i]]
    null = float(np.mean(apart)) if apart else None
    return tuple(_path(text, words, paths, image, null) for text, (words, _), paths in zip(sentences, split, found))


def _path(text: str, words: tuple[str, ...], paths: np.ndarray, image: np.ndarray | None,
          null: float | None) -> SentencePath:
    whole = paths[0, -1]
    to_whole = np.degrees(angle(paths, whole))
    to_image = None if image is None else np.degrees(angle(paths, image))
    moved = means_differ(np.zeros(len(paths) - 1), to_whole[1:, -1]).change
    order = Number(moved.value, None if moved.low is None else max(moved.low, 0.0), moved.high, null, len(paths) - 1,
                   "°")
    return SentencePath(text, words, paths[0], to_whole[0], None if to_image is None else to_image[0],
                        np.degrees(angle(paths[0, :-1], paths[0, 1:])), _spread(to_whole[1:]),
                        None if to_image is None else _spread(to_image[1:]), order)


def _spread(angles: np.ndarray) -> np.ndarray:
    return np.stack([angles.mean(axis=0), *np.percentile(angles, _BAND, axis=0)])
