"""Two selections of points: how far they are apart, along which direction, and which points and words show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.rounding import rounding
from core.types import Number

PERMUTATIONS = 200


@dataclass(frozen=True)
class Difference:
    """Why two selections differ.

    Attributes
    ----------
    distance : length of the difference of their means, with the one that random halves of both have, and p.
    p_value : share of random divisions of the same points that lie at least as far apart.
    direction : (d,) float64, unit, from the second selection towards the first.
    examples : rows of the first and of the second selection that lie farthest along and against the direction.
    words : (word, cosine to the direction, p) of those that go with the first, then with the second selection; p is
        the share of random divisions in which any word goes as far.
    """

    distance: Number
    p_value: float
    direction: np.ndarray
    examples: tuple[np.ndarray, np.ndarray]
    words: tuple[tuple[tuple[str, float, float], ...], tuple[tuple[str, float, float], ...]]


def tell_selections_apart(a: np.ndarray, b: np.ndarray, *, words: Sequence[str] = (),
                          word_vectors: np.ndarray | None = None, most: int = 8, seed: int = 0) -> Difference:
    """What tells one selection from another.

    Parameters
    ----------
    a, b
        (n, d) and (m, d) floats, unit rows, at least two each. Selections of one modality: between images and texts
        the direction is the modality gap and little else.
    words, word_vectors
        Candidate words and their (w, d) unit vectors; they are compared about their own mean.
    most
        Examples and words of each side.
    seed
        Of the 200 random divisions.

    Raises
    ------
    ShapeError
        If a selection has fewer than two points, or the two have the same mean.
    """
    least = max(rounding(np.asarray(side)) for side in (a, b))
    a, b = (np.asarray(side, dtype=np.float64) for side in (a, b))
    for side in (a, b):
        check_vectors(side, what="points of a selection", at_least=2, unit=True)
    if a.shape[1] != b.shape[1]:
        raise ShapeError("two selections of one model", f"{a.shape[1]} and {b.shape[1]} dimensions")
    gap = a.mean(axis=0) - b.mean(axis=0)
    length = float(np.linalg.norm(gap))
    if length < least:
        raise ShapeError("selections with different means", "the same mean", "Choose other points.")
    direction = gap / length
    gaps = _random_gaps(np.concatenate([a, b]), len(a), seed)
    lengths = np.linalg.norm(gaps, axis=1)
    distance = Number(length, null=float(lengths.mean()), n=len(a) + len(b), unit="difference of means")
    vectors = np.zeros((0, a.shape[1])) if word_vectors is None else np.asarray(word_vectors)
    if len(vectors) != len(words):
        raise ShapeError(f"{len(words)} word vectors, one for each word", str(len(vectors)))
    along_a, along_b = a @ direction, b @ direction
    examples = np.argsort(-along_a, kind="stable")[:most], np.argsort(along_b, kind="stable")[:most]
    return Difference(distance, _share(lengths, length), direction, examples,
                      _words(words, vectors, direction, gaps / lengths[:, None].clip(least), most))


def _random_gaps(x: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Differences of means of random divisions of the rows into n and the rest: (PERMUTATIONS, d)."""
    rng = np.random.default_rng(seed)
    weights = np.full((PERMUTATIONS, len(x)), -1 / (len(x) - n))
    for row in weights:
        row[rng.permutation(len(x))[:n]] = 1 / n
    return weights @ x


def _share(by_chance: np.ndarray, value: float) -> float:
    return float((1 + (by_chance >= value).sum()) / (1 + len(by_chance)))


def _words(words: Sequence[str], vectors: np.ndarray, direction: np.ndarray, by_chance: np.ndarray,
           most: int) -> tuple[tuple[tuple[str, float, float], ...], tuple[tuple[str, float, float], ...]]:
    if len(vectors) < 2:
        return (), ()
    centred = vectors - vectors.mean(axis=0, dtype=np.float64)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True).clip(rounding(vectors))
    cosines = centred @ direction
    farthest = np.abs(centred @ by_chance.T).max(axis=0)
    order = np.argsort(-cosines, kind="stable")
    sides = [order[:most], order[::-1][:most]]
    first, second = ([(words[i], float(cosines[i]), _share(farthest, abs(cosines[i]))) for i in side
                      if (cosines[i] > 0) == (side is sides[0])] for side in sides)
    return tuple(first), tuple(second)
