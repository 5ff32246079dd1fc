"""Closings that move vectors: by the means of the modalities, dimension by dimension, or by a linear map.

A fit gives two moves, of images and of texts. A move takes rows and a strength from 0 to 1 and gives rows that still
have to be put back on the sphere.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.geometry.gap.measures import gap_dimensions
from core.geometry.jackknife import clusters
from core.geometry.pairs import Pairs
from core.geometry.procrustes import orthogonal
from core.geometry.shift import gap_vector

Move = Callable[[np.ndarray, float], np.ndarray]
Moves = tuple[Move, Move]

GAP_DROPPED = 0.9
MOST_LINKS = 20_000
HELD_BACK = 0.2
PENALTIES = 10.0 ** np.arange(-3.5, 1.25, 0.5)


def linked_rows(pairs: Pairs, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image and text of each pair, (p, d) each, and (p,) which group they are of; at most 20,000 pairs."""
    links = pairs.links
    if len(links) > MOST_LINKS:
        links = links[np.sort(np.random.default_rng(seed).choice(len(links), MOST_LINKS, replace=False))]
    group, _ = clusters([len(pairs.images), len(pairs.texts)], pairs.links)
    return pairs.images[links[:, 0]], pairs.texts[links[:, 1]], np.unique(group[links[:, 0]], return_inverse=True)[1]


def hold_back(group: np.ndarray, seed: int) -> np.ndarray:
    """(p,) bool: the pairs of a fifth of the groups, at least one; what is chosen by them is not fitted on them."""
    count = int(group.max()) + 1
    back = np.random.default_rng(seed).permutation(count)[:max(1, round(HELD_BACK * count))]
    return np.isin(group, back)


def translation(pairs: Pairs, seed: int) -> Moves:
    """Each modality half of the gap vector towards the other."""
    half = (gap_vector(pairs) / 2).astype(np.float32)
    return (lambda x, s: x - s * half), (lambda y, s: y + s * half)


def centring(pairs: Pairs, seed: int) -> Moves:
    """Each modality less its own mean."""
    def less(mean: np.ndarray) -> Move:
        return lambda x, s: x - s * mean

    return less(_mean(pairs.images)), less(_mean(pairs.texts))


def standardising(pairs: Pairs, seed: int) -> Moves:
    """Each modality less its own mean, each dimension over its own standard deviation (to the power of strength).

    A dimension that hardly varies (below a thousandth of the root mean square) is divided by the root mean square.
    """
    def scored(x: np.ndarray) -> Move:
        mean, spread = _mean(x), x.std(axis=0, dtype=np.float64)
        typical = float(np.sqrt((spread**2).mean())) or 1.0
        spread = np.where(spread > 1e-3 * typical, spread, typical).astype(np.float32)
        return lambda rows, s: (rows - s * mean) / spread**np.float32(s)

    return scored(pairs.images), scored(pairs.texts)


def drop_dimensions(pairs: Pairs, seed: int) -> Moves:
    """Coordinates that carry the gap, largest first, until 90 % (times strength) of the squared gap is gone."""
    shares = gap_dimensions(pairs)
    order = np.argsort(-shares, kind="stable")
    before = np.zeros(len(shares))
    before[order] = np.concatenate([[0.0], np.cumsum(shares[order])[:-1]])

    def damped(x: np.ndarray, s: float) -> np.ndarray:
        gone = np.clip(GAP_DROPPED * s - before, 0, shares)
        kept = np.sqrt(1 - np.divide(gone, shares, out=np.zeros_like(gone), where=shares > 0))
        return x * kept.astype(np.float32)

    return damped, damped


def procrustes(pairs: Pairs, seed: int) -> Moves:
    """Texts turned by the orthogonal matrix that brings them nearest to their images."""
    images, texts, _ = linked_rows(pairs, seed)
    turn = orthogonal(texts.T @ images)
    return _stay, _along(turn - np.eye(len(turn)))


def ridge(pairs: Pairs, seed: int) -> Moves:
    """Texts mapped to their images by least squares, with a penalty on the distance of the map to the identity.

    The penalty is the one with the least squared error on a fifth of the groups held back inside the fit; the map is
    then fitted on all of them.
    """
    images, texts, group = linked_rows(pairs, seed)
    penalty = float(PENALTIES[-1])
    if group.max() > 0:
        back = hold_back(group, seed)
        values, vectors, rest = _least_squares(images[~back], texts[~back])
        turned, wanted = texts[back] @ vectors, images[back] - texts[back]
        count = np.count_nonzero(~back)
        errors = [((turned / (values + p * count) @ rest - wanted) ** 2).sum() for p in PENALTIES]
        penalty = float(PENALTIES[int(np.argmin(errors))])
    values, vectors, rest = _least_squares(images, texts)
    return _stay, _along(vectors / (values + penalty * len(texts)) @ rest)


def _least_squares(images: np.ndarray, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues (d,) and eigenvectors (d, d) of Y'Y, and V'Y'(X - Y): V (values + p)^-1 of that is the map less I."""
    values, vectors = np.linalg.eigh((texts.T @ texts).astype(np.float64))
    values, vectors = np.maximum(values, 0).astype(np.float32), vectors.astype(np.float32)
    return values, vectors, vectors.T @ (texts.T @ (images - texts))


def _stay(x: np.ndarray, s: float) -> np.ndarray:
    return x


def _along(change: np.ndarray) -> Move:
    """From where a row is towards where identity + change takes it."""
    change = change.astype(np.float32)
    return lambda x, s: x + s * (x @ change)


def _mean(x: np.ndarray) -> np.ndarray:
    return x.mean(axis=0, dtype=np.float64).astype(np.float32)
