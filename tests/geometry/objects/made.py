"""Made-up objects whose truth is known: an own subspace each, styles that shift them, views that vary inside it."""

from __future__ import annotations

import numpy as np

from core.geometry.directions import unit
from core.geometry.objects.views import ObjectViews

D = 40


def objects(n: int = 6, styles: int = 3, views: int = 8, *, rank: int = 3, spread: float = 0.5, noise: float = 0.05,
            seed: int = 0) -> ObjectViews:
    """Views of n objects: own direction, own variation of a rank, a shift for each style, noise."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(n, D)) / D**0.5
    ways = rng.normal(size=(n, rank, D)) / D**0.5
    shifts = rng.normal(size=(styles, D)) / D**0.5
    at = rng.normal(size=(n, views, rank)) * spread
    x = (own[:, None, None] + np.einsum("ovr,ord->ovd", at, ways)[:, None] + shifts[None, :, None]
         + noise * rng.normal(size=(n, styles, views, D)) / D**0.5)
    index = [part.ravel() for part in np.indices((n, styles, views))]
    return ObjectViews(unit(x.reshape(-1, D)), index[0], index[2], index[1], tuple(f"object {i}" for i in range(n)),
                       tuple(f"style {i}" for i in range(styles)))


def rotation(seed: int = 5, d: int = D) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def turned(views: ObjectViews, by: np.ndarray) -> ObjectViews:
    return ObjectViews(views.vectors @ by, views.objects, views.views, views.styles, views.names, views.style_names)
