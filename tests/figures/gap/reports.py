"""Small honest reports of a made-up gap, for the tests of its figures."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.geometry.gap.closing import CLOSINGS
from core.geometry.gap.explain import explain_cosine
from core.geometry.gap.landscape import landscape
from core.geometry.gap.measures import gap_dimensions, gap_measures
from core.geometry.gap.profiles import conformity, cosine_histograms
from core.geometry.gap.reports import (
    ClosingReport,
    Conformity,
    CosineHistograms,
    CosineParts,
    Landscape,
    SimilarityMatrix,
)
from core.geometry.gap.scoring import score_closings
from core.geometry.gap.seriation import similarity_matrix
from core.geometry.pairs import Classes, Pairs
from core.geometry.shift import shifted
from core.types import Number

N, D = 80, 16


@lru_cache(maxsize=8)
def pairs(seed: int = 0, n: int = N, linked: bool = True) -> Pairs:
    """Images and texts in two cones, row i of both a pair, with three classes."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 3
    special = rng.normal(size=(n, D)) + 2 * rng.normal(size=(3, D))[truth]
    x, y = special + 0.7 * rng.normal(size=(n, D)), special + 0.7 * rng.normal(size=(n, D))
    x[:, 0] += 4
    y[:, 1] += 4
    images, texts = ((v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32) for v in (x, y))
    means = np.stack([texts[truth == c].mean(axis=0) for c in range(3)])
    classes = Classes(("a", "b", "c"), means / np.linalg.norm(means, axis=1, keepdims=True), truth)
    links = np.repeat(np.arange(n)[:, None], 2, axis=1) if linked else np.zeros((0, 2), dtype=np.int64)
    return Pairs(images, texts, links, classes if linked else None)


@lru_cache(maxsize=8)
def histograms(lam: float = 0.0, seed: int = 0, linked: bool = True) -> CosineHistograms:
    return cosine_histograms(shifted(pairs(seed, linked=linked), lam), bins=40)


@lru_cache(maxsize=4)
def along(linked: bool = True) -> Landscape:
    return landscape(pairs(linked=linked), shifts=np.linspace(-0.5, 1, 13), batch=20)


@lru_cache(maxsize=1)
def typical() -> Conformity:
    return conformity(pairs())


@lru_cache(maxsize=1)
def shares() -> np.ndarray:
    return gap_dimensions(pairs())


@lru_cache(maxsize=1)
def parts() -> CosineParts:
    return explain_cosine(pairs().images[3], pairs().texts[3], pairs())


@lru_cache(maxsize=2)
def closings(linked: bool = True) -> ClosingReport:
    methods = [key for key in CLOSINGS if key != "learned"] if linked else None
    return score_closings(pairs(linked=linked), methods=methods, repeats=6)


@lru_cache(maxsize=4)
def matrix(linked: bool = True) -> SimilarityMatrix:
    return similarity_matrix(pairs(linked=linked))


@lru_cache(maxsize=1)
def models() -> dict[str, dict[str, Number]]:
    return {name: gap_measures(pairs(seed)) for seed, name in enumerate(("built-in", "<b>other</b>", "third"))}
