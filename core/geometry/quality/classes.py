"""Labels as classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LONGEST = 40


def classes_of(labels: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the classes in the order of the alphabet, and (n,) int64, the class of each label; -1 for ""."""
    names = tuple(sorted(set(labels) - {""}))
    place = {name: i for i, name in enumerate(names)}
    return names, np.array([place.get(label, -1) for label in labels], dtype=np.int64)


def called(name: str) -> str:
    """A label as it is said among other words: on one line, cut where it is long."""
    name = " ".join(name[:4 * LONGEST].split())
    return name if len(name) <= LONGEST else f"{name[:LONGEST - 1].rstrip()}…"
