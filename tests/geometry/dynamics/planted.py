"""Records whose motion is known: points of classes that gather at a place each, or that all turn together."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.geometry.directions import exp_map, fibonacci, log_map, unit
from core.learning.records.record import Probe, Record

CLASSES, EACH = 6, 20


def turned(x: np.ndarray, omega: np.ndarray) -> np.ndarray:
    """Rows turned about omega by as many radians as it is long."""
    length = np.linalg.norm(omega)
    k = omega / length
    return (x * np.cos(length) + np.cross(k, x) * np.sin(length)
            + np.outer(x @ k, k) * (1 - np.cos(length))).astype(np.float32)


def random_turn(seed: int = 0, d: int = 3) -> np.ndarray:
    """(d, d) orthogonal with determinant 1."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))
    q *= np.sign(np.diag(r))
    q[:, 0] *= np.sign(np.linalg.det(q))
    return q


@lru_cache(maxsize=4)
def gathering(steps: int = 6, *, seed: int = 0) -> Record:
    """Images that gather at the text of their class, ever more slowly; the texts stand still."""
    rng = np.random.default_rng(seed)
    centres, n = fibonacci(CLASSES), CLASSES * EACH
    label = np.repeat(np.arange(CLASSES), EACH)
    start = unit(rng.normal(size=(n, 3)))
    home = unit(centres[label] + 0.08 * rng.normal(size=(n, 3)))
    share = 1 - 0.5 ** np.arange(steps)
    images = np.stack([exp_map(start, t * log_map(start, home)) for t in share]).astype(np.float32)
    texts = np.repeat(centres[None], steps, axis=0).astype(np.float32)
    probe = Probe(tuple(f"image {i}" for i in range(n)), tuple(f"class {k}" for k in range(CLASSES)),
                  np.stack([np.arange(n), label], axis=1), tuple(f"class {k}" for k in label))
    nearest = np.stack([(x @ y.T).argmax(axis=1) == label for x, y in zip(images, texts)])
    apart = ((images - texts[:, label]) ** 2).sum(axis=2).mean(axis=1)
    return Record("gathering", probe, 10 * np.arange(steps), images, texts, {
        "loss": np.concatenate([[np.nan], 2 * 0.6 ** np.arange(1, steps)]), "r1": nearest.mean(axis=1),
        "alignment": apart, "uniformity": np.linspace(-2, -1.5, steps), "gap": np.linspace(0.5, 0.1, steps),
        "temperature": np.geomspace(0.07, 0.01, steps)}, {"seed": seed})
