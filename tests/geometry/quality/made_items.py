"""Images and captions about a few centres, and findings that flag given rows."""

from __future__ import annotations

import numpy as np

from core.geometry.directions import unit
from core.geometry.quality.finding import Finding
from core.geometry.quality.items import Items


def made_items(n: int, each: int = 1, *, classes: int = 4, seed: int = 0, d: int = 16) -> Items:
    """n images about as many centres as classes, each with so many captions that fit it."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % classes
    shared = rng.normal(size=(classes, d))[truth] + rng.normal(size=(n, d))
    images = unit(shared.astype(np.float32))
    texts = unit((np.repeat(shared, each, axis=0) + rng.normal(size=(n * each, d)) + 1).astype(np.float32))
    links = np.stack([np.repeat(np.arange(n), each), np.arange(n * each)], axis=1)
    return Items(images, texts, links, tuple(f"class {c}" for c in truth))


def flags(rows: object, n: int, of: str = "image") -> Finding:
    """A finding that flags some rows."""
    scores = np.zeros(n, np.float32)
    scores[np.asarray(rows, dtype=np.int64)] = 1
    return Finding("flags", of, scores, "high", 1.0, "score")  # type: ignore[arg-type]
