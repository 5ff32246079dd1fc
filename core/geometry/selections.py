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
    distance : length of the difference of their means, with the one that random divisions have; n counts each point
        once.
    p_value : share of random divisions of the same points that lie at least as far apart.
    direction : (d,) float64, unit, from the second selection towards the first.
    examples : indices of the points of the first and of the second selection that lie farthest along and against the
        direction.
    words : (word, cosine to the direction, p) of those that go with the first, then with the second selection; p is
        the share of random divisions in which any word goes as far.
    """

    distance: Number
    p_value: float
    direction: np.ndarray
    examples: tuple[np.ndarray, np.ndarray]
    words: tuple[tuple[tuple[str, float, float], ...], tuple[tuple[str, float, float], ...]]


def tell_selections_apart(x: np.ndarray, a: np.ndarray, b: np.ndarray, *, together: np.ndarray | None = None,
                          words: Sequence[str] = (), word_vectors: np.ndarray | None = None, most: int = 8,
                          seed: int = 0) -> Difference:
    """What tells one selection from another.

    A random division deals the points of both out anew: as many to the first alone, to the second alone and to both as
    there are. So p is right for selections that share points, and for one inside the other. What belongs together (the
    captions of one image) is dealt as one: it changes places with others of which as many points were selected. p is
    not right for selections that were chosen by place.

    Parameters
    ----------
    x
        (n, d) floats, unit rows. Points of one modality: between images and texts the direction is the modality gap
        and little else.
    a, b
        Indices of the points of each selection, at least two each; one that is named twice counts once.
    together
        (n,) int, the same for points that belong together; None: each is its own.
    words, word_vectors
        Candidate words and their (w, d) unit vectors; they are compared about their own mean.
    most
        Examples and words of each side.
    seed
        Of the 200 random divisions.

    Raises
    ------
    ShapeError
        If a selection has fewer than two points, or one that is not there, or the two have the same mean.
    """
    x = np.asarray(x)
    least = rounding(x)
    check_vectors(x, what="points", unit=True)
    a, b = (np.unique(np.asarray(side, dtype=np.int64)) for side in (a, b))
    for side in (a, b):
        if len(side) < 2:
            raise ShapeError("at least 2 points of a selection", str(len(side)))
        if side[0] < 0 or side[-1] >= len(x):
            raise ShapeError(f"points from 0 to {len(x) - 1}", f"{side[0]} to {side[-1]}")
    rows = np.union1d(a, b)
    weights = np.isin(rows, a) / len(a) - np.isin(rows, b) / len(b)
    points = x[rows].astype(np.float64)
    gap = weights @ points
    length = float(np.linalg.norm(gap))
    if length < least:
        raise ShapeError("selections with different means", "the same mean", "Choose other points.")
    direction = gap / length
    rng = np.random.default_rng(seed)
    gaps = _dealt(weights, rows if together is None else np.asarray(together)[rows], rng) @ points
    lengths = np.linalg.norm(gaps, axis=1)
    distance = Number(length, null=float(lengths.mean()), n=len(rows), unit="difference of means")
    vectors = np.zeros((0, x.shape[1])) if word_vectors is None else np.asarray(word_vectors)
    if len(vectors) != len(words):
        raise ShapeError(f"{len(words)} word vectors, one for each word", str(len(vectors)))
    examples = (a[np.argsort(-x[a] @ direction, kind="stable")[:most]],
                b[np.argsort(x[b] @ direction, kind="stable")[:most]])
    return Difference(distance, _share(lengths, length - least), direction, examples,
                      _words(words, vectors, direction, gaps / lengths[:, None].clip(least), most))


def _dealt(weights: np.ndarray, together: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The weights of points dealt anew, those of a group to a group of its size: (permutations, points)."""
    _, group, sizes = np.unique(together, return_inverse=True, return_counts=True)
    in_order = weights[np.lexsort((group, sizes[group]))]
    dealt = np.empty((PERMUTATIONS, len(weights)))
    for row in dealt:
        place = rng.random(len(sizes))[group]
        row[np.lexsort((rng.random(len(weights)), place, sizes[group]))] = in_order
    return dealt


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
