"""Names of regions: what tells the items of one from all others, in words of captions, labels or the model's words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.geometry.rounding import rounding
from core.language.difference import tell_apart

WORDS_IN_A_NAME = 3
LEAST_Z = 3.0
_LEAST_RATIO = 1.25
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")


def words_of(captions: Sequence[str]) -> tuple[frozenset[str], ...]:
    """The different words of each caption, in small letters."""
    return tuple(frozenset(_WORD.findall(caption.lower())) for caption in captions)


def names_by_features(regions: np.ndarray, features: Sequence[Collection[str]], *, most: int = WORDS_IN_A_NAME,
                      count: int | None = None) -> tuple[str, ...]:
    """A name of each region from the words or label values that are more frequent in it than outside.

    Parameters
    ----------
    regions
        (n,) int, region of each item, from 0; -1 for none.
    features
        Words of captions, or values of labels, of each item.
    most
        Words in a name at most.
    count
        Regions; None: as many as are named.

    Returns
    -------
    Names, the most telling word first; "" where no word is told apart (z of 3 or more).
    """
    regions = np.asarray(regions)
    if len(features) != len(regions):
        raise ShapeError(f"features of {len(regions)} items", str(len(features)))
    count = int(regions.max(initial=-1)) + 1 if count is None else count
    rows = np.arange(len(regions))
    names = []
    for region in range(count):
        inside = regions == region
        told = tell_apart(features, rows[inside].tolist(), rows[~inside].tolist())
        told = told[(told.z >= LEAST_Z) & (told.share_a >= _LEAST_RATIO * told.share_b)]
        names.append(", ".join(told.feature.head(most)))
    return tuple(names)


def names_by_words(centres: np.ndarray, words: Sequence[str], word_vectors: np.ndarray, *,
                   most: int = WORDS_IN_A_NAME) -> tuple[str, ...]:
    """A name of each region from the model's own vectors of words.

    Regions and words are each taken about their own mean, so that neither what all regions share nor the gap between
    images and texts decides.

    Parameters
    ----------
    centres
        (r, d) floats, mean directions of regions, two or more.
    words, word_vectors
        Candidates and their (w, d) unit vectors, two or more.
    most
        Words in a name.

    Returns
    -------
    Names, the nearest word first; "" where there are fewer than two regions or words.
    """
    if len(words) != len(word_vectors):
        raise ShapeError(f"{len(words)} word vectors, one for each word", str(len(word_vectors)))
    if len(centres) < 2 or len(words) < 2:
        return ("",) * len(centres)
    of_regions, of_words = (_about_mean(np.asarray(x)) for x in (centres, word_vectors))
    best = np.argsort(-(of_regions @ of_words.T), axis=1, kind="stable")[:, :most]
    return tuple(", ".join(words[i] for i in row) for row in best)


def told_inside(of_a: np.ndarray, of_b: np.ndarray, features_a: Sequence[Collection[str]],
                features_b: Sequence[Collection[str]], region: int, *, most: int = 8) -> pd.DataFrame:
    """What tells the items of A from those of B within one region: the table of `tell_apart`, largest z first."""
    a, b = (np.flatnonzero(np.asarray(of) == region).tolist() for of in (of_a, of_b))
    items = [features_a[i] for i in a] + [features_b[i] for i in b]
    return tell_apart(items, range(len(a)), range(len(a), len(items))).head(most)


def unlike(names: Sequence[str], fallback: Sequence[str]) -> tuple[str, ...]:
    """Names of which no two are equal: the fallback where there is none, and beside it where two regions share one."""
    times = Counter(names)
    return tuple(name if name and times[name] == 1 else f"{name} ({other})" if name else other
                 for name, other in zip(names, fallback))


def _about_mean(x: np.ndarray) -> np.ndarray:
    about = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    return about / np.linalg.norm(about, axis=1, keepdims=True).clip(rounding(x))
