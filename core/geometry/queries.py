"""Queries of several signed parts: where they point, and what a cosine to them is to be compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_choice
from core.geometry.directions import unit
from core.types import MODALITIES, Modality

DRAWS, LEAST_LENGTH = 5_000, 1e-4


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a query.

    Attributes
    ----------
    vector : (d,) floats, unit.
    weight : how much of it is added; what is subtracted has a negative weight.
    modality : "image" or "text".
    """

    vector: np.ndarray
    weight: float
    modality: Modality

    def __post_init__(self) -> None:
        check_choice("modality", self.modality, MODALITIES)


def composed(parts: Sequence[Part]) -> np.ndarray:
    """The direction of the sum of the parts: (d,) float32, unit.

    Raises
    ------
    ShapeError
        Without a part, or where the parts cancel out.
    """
    if not parts:
        raise ShapeError("a query of one part or more", "none")
    whole = sum(part.weight * np.asarray(part.vector, dtype=np.float64) for part in parts)
    size = sum(abs(part.weight) for part in parts)
    if np.linalg.norm(whole) <= LEAST_LENGTH * max(size, LEAST_LENGTH):
        raise ShapeError("parts that add up to a direction", "parts that cancel out",
                         "Change a weight, or take a part away.")
    return np.asarray(unit(np.asarray(whole)[None])[0], dtype=np.float32)


def leaning(parts: Sequence[Part]) -> Modality:
    """The modality that has more of the weight; images where both have as much."""
    of = {kind: sum(abs(p.weight) for p in parts if p.modality == kind) for kind in MODALITIES}
    return "text" if of["text"] > of["image"] else "image"


def centred(vectors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Unit rows less the mean of their modality, unit again: (n, d) float32; a row that is the mean stays as it is."""
    moved = np.asarray(vectors, dtype=np.float64) - mean
    lost = np.linalg.norm(moved, axis=1) < LEAST_LENGTH
    moved[lost] = np.asarray(vectors)[lost]
    return np.asarray(unit(moved), dtype=np.float32)


def unmatched_cosines(parts: Sequence[Part], sets: Mapping[Modality, np.ndarray], of: Modality,
                      links: np.ndarray | None = None, *, seed: int = 0, size: int = DRAWS) -> np.ndarray:
    """Cosines of queries of the same signs and weights, of items drawn at random, to items that they do not hold.

    For a query of one text this is the cosine of a text to an image that it does not belong to.

    Parameters
    ----------
    parts
        Of the query; their vectors are not looked at.
    sets
        (n, d) float32 unit rows of each modality at hand.
    of
        The modality that is found.
    links
        (p, 2) rows (image, text) that belong together: an item that belongs to a part is drawn no more than the part.
    seed, size
        Of the draws.

    Returns
    -------
    (s,) float32, growing; empty where a modality that is needed is not at hand.
    """
    if not parts or any(not len(sets.get(kind, ())) for kind in {of, *(part.modality for part in parts)}):
        return np.zeros(0, dtype=np.float32)
    rng, gallery = np.random.default_rng(seed), sets[of]
    found = rng.integers(len(gallery), size=size)
    keep, whole = np.ones(size, dtype=bool), np.zeros((size, gallery.shape[1]))
    m = len(sets["text"]) if "text" in sets else 0
    linked = None if links is None or not m else np.unique(links[:, 0].astype(np.int64) * m + links[:, 1])
    for part in parts:
        rows = rng.integers(len(sets[part.modality]), size=size)
        whole += part.weight * sets[part.modality][rows]
        if part.modality == of:
            keep &= rows != found
        elif linked is not None:
            images, texts = (rows, found) if of == "text" else (found, rows)
            keep &= ~np.isin(images.astype(np.int64) * m + texts, linked)
    lengths = np.linalg.norm(whole, axis=1)
    keep &= lengths > LEAST_LENGTH
    cosines = np.einsum("ij,ij->i", whole[keep] / lengths[keep, None], gallery[found[keep]])
    return np.sort(cosines.astype(np.float32))
