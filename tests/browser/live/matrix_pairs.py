"""Pairs in eight groups, for the page with one matrix and for its tests."""

import numpy as np

from core.geometry.gap.reports import SimilarityMatrix
from core.geometry.gap.seriation import similarity_matrix
from core.geometry.pairs import Pairs


def report(n: int = 100) -> SimilarityMatrix:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 24)) + rng.normal(size=(8, 24))[np.arange(n) % 8] * 2
    y = x + rng.normal(size=x.shape)
    x[:, 0] += 6
    y[:, 1] += 6
    images, texts = ((v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32) for v in (x, y))
    return similarity_matrix(Pairs.row_by_row(images, texts))
