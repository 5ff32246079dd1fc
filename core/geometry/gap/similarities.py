"""Closings that move nothing and compare otherwise: distances, a kernel, and two repairs of hubness.

A fit gives a function from images (n, d) and texts (m, d), unit rows, to scores (n, m); higher is more alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.geometry.density import WIDEST, heat_kernel
from core.geometry.directions import angles
from core.geometry.gap.moves import hold_back, linked_rows
from core.geometry.hub_repairs import nearness, smooth_max
from core.geometry.pairs import Pairs
from core.geometry.rounding import rounding

Compare = Callable[[np.ndarray, np.ndarray], np.ndarray]

BANK = 1000
CAUTIOUS = 20.0
INVERSE_TEMPERATURES = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)


def cosines(images: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """(n, m) float64 cosines of unit rows, so exact that equal texts stay equal in whatever grows with the cosine."""
    return np.asarray(images, dtype=np.float64) @ np.asarray(texts, dtype=np.float64).T


def geodesic(pairs: Pairs, seed: int) -> Compare:
    """Minus the angle, radians: falls where the cosine falls."""
    return lambda images, texts: -angles(images, texts)


def euclid(pairs: Pairs, seed: int) -> Compare:
    """Minus the straight distance, sqrt(2 - 2 cosine) on the unit sphere."""
    return lambda images, texts: -np.sqrt(np.maximum(2 - 2 * cosines(images, texts), 0))


def diffusion(pairs: Pairs, seed: int) -> Compare:
    """Logarithm of the sphere's own heat kernel: how much heat from one point is at the other after a while."""
    kernel = heat_kernel(pairs.images.shape[1], WIDEST)
    return lambda images, texts: kernel.log(cosines(images, texts))


def mahalanobis(pairs: Pairs, seed: int) -> Compare:
    """How usual the difference x - y is among pairs: 1 - (x - y - D) A (x - y - D) / 2.

    D is the mean difference of the pairs fitted on, and A the inverse of the covariance of their differences (shrunk,
    Ledoit and Wolf 2004), scaled to trace d; A = I and D = 0 is the cosine.
    """
    images, texts, _ = linked_rows(pairs, seed)
    apart = (images - texts).astype(np.float64)
    centre, d = apart.mean(axis=0), apart.shape[1]
    root = np.eye(d)
    if len(apart) > 1 and np.ptp(apart, axis=0).max() > rounding(images):
        values, vectors = np.linalg.eigh(shrunk_covariance(apart - centre))
        precise = 1 / np.maximum(values, 1e-6 * values.max())
        root = vectors * np.sqrt(precise * d / precise.sum())
    centre, root = centre.astype(np.float32), root.astype(np.float32)

    def compare(images: np.ndarray, texts: np.ndarray) -> np.ndarray:
        a, b = (images - centre) @ root, texts @ root
        return np.asarray(1 + a @ b.T - ((a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)) / 2)

    return compare


def shrunk_covariance(x: np.ndarray) -> np.ndarray:
    """Covariance of centred rows (n, d), drawn to a multiple of the identity as Ledoit and Wolf 2004 say: (d, d)."""
    n, d = x.shape
    covariance = x.T @ x / n
    target = np.trace(covariance) / d * np.eye(d)
    apart = ((covariance - target) ** 2).sum()
    error = (((x * x).sum(axis=1) ** 2).mean() - (covariance**2).sum()) / n
    share = min(error / apart, 1.0) if apart > 0 else 1.0
    return np.asarray(share * target + (1 - share) * covariance)


def csls(pairs: Pairs, seed: int) -> Compare:
    """Twice the cosine, less how near each of the two lies to its 10 nearest of the other modality in the fit part."""
    bank_images, bank_texts = _banks(pairs.images, pairs.texts, seed)

    def compare(images: np.ndarray, texts: np.ndarray) -> np.ndarray:
        near = nearness(images @ bank_texts.T)[:, None] + nearness(texts @ bank_images.T)
        return np.asarray(2 * images @ texts.T - near)

    return compare


def inverted_softmax(pairs: Pairs, seed: int) -> Compare:
    """Cosine less the smooth maximum of each one's cosines to the other modality of the fit part.

    For a query, exp(b score) is its share among the queries of the fit part that ask for the same answer; what depends
    on the query alone changes no ranking, so that one score serves both directions. The inverse temperature b is the
    one with the least contrastive loss on a fifth of the groups held back inside the fit: pairs whose own query is
    among the others would make it too sharp.
    """
    images, texts, group = linked_rows(pairs, seed)
    chosen = CAUTIOUS
    if group.max() > 0:
        back = hold_back(group, seed)
        of_images, of_texts = _banks(images[~back], texts[~back], seed)
        rows = np.flatnonzero(back)[np.unique(group[back], return_index=True)[1]][:BANK]
        x, y = images[rows], texts[rows]
        chosen = min(INVERSE_TEMPERATURES, key=lambda b: _loss(b * _less_popular(x, y, of_images, of_texts, b)))
    bank_images, bank_texts = _banks(pairs.images, pairs.texts, seed)
    return lambda images, texts: _less_popular(images, texts, bank_images, bank_texts, chosen)


def _less_popular(x: np.ndarray, y: np.ndarray, bank_images: np.ndarray, bank_texts: np.ndarray,
                  b: float) -> np.ndarray:
    """(n, m) cosines less how many of the banks ask for each row of ``x`` and of ``y``."""
    return np.asarray(x @ y.T - smooth_max(x @ bank_texts.T, b)[:, None] - smooth_max(y @ bank_images.T, b))


def _loss(logits: np.ndarray) -> float:
    """Contrastive, of pairs on the diagonal."""
    return float((smooth_max(logits, 1.0) + smooth_max(logits.T, 1.0) - 2 * np.diag(logits)).mean())


def _banks(images: np.ndarray, texts: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """At most 1,000 images and 1,000 texts of the fit part, to which others are compared."""
    rng = np.random.default_rng(seed)
    return images[rng.permutation(len(images))[:BANK]], texts[rng.permutation(len(texts))[:BANK]]
