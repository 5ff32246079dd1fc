"""How each action is carried out on what is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from zlib import crc32

import numpy as np

from core.geometry.quality.copies import Copies, Leaks, leaks
from core.geometry.quality.finding import Finding, Grouped, Suggesting
from core.geometry.quality.items import Kept
from core.language.quality.looked import Looked

Said = Mapping[str, str | float | int | bool | None]


@dataclass(frozen=True, eq=False)
class Left:
    """What an action sees: what is looked at, what of it is left, the seed, and findings by key."""

    looked: Looked
    kept: Kept
    seed: int
    finding_of: Callable[[str], Finding]

    def without(self, *, images: np.ndarray | None = None, texts: np.ndarray | None = None) -> Kept:
        """What is left without these rows."""
        return self.kept.without(self.looked.items, images=images, texts=texts)

    def chance(self, what: str) -> np.ndarray:
        """(n,) float64 in [0, 1), a number of each image, by which it goes or stays in actions of a kind."""
        return np.random.default_rng([self.seed, crc32(what.encode())]).random(self.looked.items.n_images)

    def of(self, modality: object) -> tuple[np.ndarray, np.ndarray]:
        """(k,) int64 rows of a modality that are left, and their (k, d) vectors."""
        items = self.looked.items
        x, mask = (items.images, self.kept.images) if modality == "image" else (items.texts, self.kept.texts)
        rows = np.flatnonzero(mask)
        return rows, np.zeros((0, 1), np.float32) if x is None else x[rows]

    def only(self, rows: np.ndarray, chosen: np.ndarray, said: Said) -> Kept:
        """Keeps, or drops, those of the rows that are chosen ((k,) bool)."""
        gone = rows[~chosen] if said["way"] == "keep" else rows[chosen]
        return self.without(images=gone) if said["of"] == "image" else self.without(texts=gone)


def drop(left: Left, said: Said) -> Kept:
    """Without what a finding flags; of a group, without all of those left but the first."""
    finding, threshold = left.finding_of(str(said["finding"])), _threshold(said)
    mask = left.kept.images if finding.of == "image" else left.kept.texts
    if isinstance(finding, Leaks):
        return left.without(images=_leaking(left, finding.threshold if threshold is None else threshold))
    if isinstance(finding, Grouped):
        groups = (rows[mask[rows]] for rows in finding.groups(threshold))
        gone = np.concatenate([np.zeros(0, dtype=np.int64), *(rows[1:] for rows in groups)])
    else:
        gone = finding.to_drop(threshold)
        gone = gone[mask[gone]]
    return left.without(images=gone) if finding.of == "image" else left.without(texts=gone)


def relabel(left: Left, said: Said) -> Kept:
    """With the suggested label for each suspect that is left."""
    finding = left.finding_of(str(said["finding"]))
    assert isinstance(finding, Suggesting)
    labels = list(left.kept.labels)
    for row in finding.flagged(_threshold(said)).tolist():
        if left.kept.images[row] and finding.suggested[row]:
            labels[row] = str(finding.suggested[row])
    return replace(left.kept, labels=tuple(labels))


def lowest(left: Left, said: Said) -> Kept:
    """Without the share of captions, or images, of the lowest cosine; a caption of several images counts its best."""
    items = left.looked.items
    of, to = items.links.T
    pairs = np.flatnonzero(left.kept.images[of] & left.kept.texts[to])
    if said["by"] == "image":
        counts = np.bincount(of[pairs], minlength=items.n_images)
        scores = np.bincount(of[pairs], items.cosines[pairs], items.n_images) / np.maximum(counts, 1)
        rows = np.flatnonzero(counts)
    else:
        scores = np.full(items.n_texts, -np.inf)
        np.maximum.at(scores, to[pairs], items.cosines[pairs])
        rows = np.flatnonzero(np.isfinite(scores))
    gone = rows[np.argsort(scores[rows], kind="stable")[:_share_of(len(rows), said)]]
    return left.without(images=gone) if said["by"] == "image" else left.without(texts=gone)


def rebalance(left: Left, said: Said) -> Kept:
    """Without so many of the large classes that none has more than ``ratio`` times the smallest that counts."""
    counts = _classes(left)
    large = [len(rows) for rows in counts.values() if len(rows) >= int(said["smallest"] or 1)]
    if not large:
        return left.kept
    most = math.floor(min(large) * float(said["ratio"] or 1.0))
    return left.without(images=_beyond(left, [rows for rows in counts.values() if len(rows) in set(large)], most,
                                       "rebalance"))


def cap_class(left: Left, said: Said) -> Kept:
    """Without so many of a class, or of each, that it has at most ``most``."""
    chosen = [rows for label, rows in _classes(left).items() if said["label"] in ("", label)]
    return left.without(images=_beyond(left, chosen, int(said["most"] or 0), "cap_class"))


def random_share(left: Left, said: Said) -> Kept:
    """Only a share of the images, each as likely; of texts alone, of these."""
    images = np.flatnonzero(left.kept.images)
    if left.looked.items.n_images:
        order = images[np.argsort(left.chance("random")[images], kind="stable")]
        return left.without(images=order[_share_of(len(images), said):])
    texts = np.flatnonzero(left.kept.texts)
    chance = np.random.default_rng([left.seed, crc32(b"random texts")]).random(left.looked.items.n_texts)
    return left.without(texts=texts[np.argsort(chance[texts], kind="stable")][_share_of(len(texts), said):])


def near(left: Left, said: Said) -> Kept:
    """Only, or without, what lies within an angle of a prompt or an item."""
    rows, x = left.of(said["of"])
    return left.only(rows, _degrees(x, _centre(left, said)) <= float(said["angle"] or 0.0), said)


def prompt_at(left: Left, said: Said) -> Kept:
    """Only, or without, what has at least a cosine to a prompt."""
    rows, x = left.of(said["of"])
    cosines = _cosines(x, left.looked.vector_of(str(said["prompt"])))
    return left.only(rows, cosines >= float(said["cosine"] or 0.0), said)


def prompt_share(left: Left, said: Said) -> Kept:
    """Only, or without, the share with the highest cosine to a prompt."""
    rows, x = left.of(said["of"])
    order = np.argsort(-_cosines(x, left.looked.vector_of(str(said["prompt"]))), kind="stable")
    chosen = np.zeros(len(rows), bool)
    chosen[order[:_share_of(len(rows), said)]] = True
    return left.only(rows, chosen, said)


def prompt_against(left: Left, said: Said) -> Kept:
    """Only, or without, what lies nearer to one prompt than to another by a margin."""
    rows, x = left.of(said["of"])
    towards, away = (_cosines(x, left.looked.vector_of(str(said[name]))) for name in ("prompt", "against"))
    return left.only(rows, towards - away >= float(said["margin"] or 0.0), said)


def _leaking(left: Left, threshold: float) -> np.ndarray:
    """Rows that leak into a smaller split among what is left."""
    copies = left.finding_of("copies")
    assert isinstance(copies, Copies)
    splits = [split if there else "" for split, there in zip(left.looked.items.splits, left.kept.images.tolist())]
    return leaks(copies, splits, seed=left.seed).to_drop(threshold)


def _threshold(said: Said) -> float | None:
    value = said["threshold"]
    return None if value is None else float(value)


def _share_of(n: int, said: Said) -> int:
    return round(n * float(said["percent"] or 0.0) / 100)


def _classes(left: Left) -> dict[str, np.ndarray]:
    """Rows of images that are left, by their label; those without one are of no class."""
    if not left.kept.labels:
        return {}
    rows = np.flatnonzero(left.kept.images)
    labels = np.array(left.kept.labels, dtype=object)[rows]
    names, codes = np.unique(labels.astype(str), return_inverse=True)
    order = np.argsort(codes, kind="stable")
    parts = np.split(rows[order], np.cumsum(np.bincount(codes, minlength=len(names)))[:-1])
    return {str(name): part for name, part in zip(names, parts) if name}


def _beyond(left: Left, classes: list[np.ndarray], most: int, what: str) -> np.ndarray:
    """Rows of each class beyond so many, drawn at random."""
    chance = left.chance(what)
    gone = [rows[np.argsort(chance[rows], kind="stable")][most:] for rows in classes]
    return np.concatenate([np.zeros(0, dtype=np.int64), *gone])


def _centre(left: Left, said: Said) -> np.ndarray:
    around, named = said["around"], str(said["centre"])
    if around == "prompt":
        return left.looked.vector_of(named)
    of: Literal["image", "text"] = "image" if around == "image" else "text"
    row, x = left.looked.row_of(named, of), (left.looked.items.images if of == "image" else left.looked.items.texts)
    assert row is not None
    assert x is not None
    return x[row]


def _cosines(x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(k,) float32, each row's sum on its own: the same whatever other rows there are."""
    return np.einsum("ij,j->i", x, v.astype(x.dtype)) if len(x) else np.zeros(0, np.float32)


def _degrees(x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(k,) angles of rows to a unit vector, exact near 0 and 180 degrees too."""
    if not len(x):
        return np.zeros(0)
    apart, together = (np.sqrt(np.einsum("ij,ij->i", part, part, dtype=np.float64)) for part in (x - v, x + v))
    return np.degrees(2 * np.arctan2(apart, together))
