"""Which images and texts are looked at: samples that keep pairs together, one text an image, clusters to leave out."""

from __future__ import annotations

import numpy as np

from core.geometry.jackknife import clusters
from core.geometry.pairs import Pairs
from core.geometry.samples import spread_sample

MOST_COSINES = 150_000_000


def at_most(pairs: Pairs, most: int, *, seed: int = 0) -> Pairs:
    """Up to ``most`` images and ``most`` texts, from the most to the least typical; an image keeps all its texts.

    The same pairs where there are no more. The sample does not depend on the order of the rows or on a rotation.
    """
    n, m, links = len(pairs.images), len(pairs.texts), pairs.links
    if n <= most and m <= most:
        return pairs
    linked = np.zeros(m, dtype=bool)
    linked[links[:, 1]] = True
    images = spread_sample(pairs.images, min(n, most), seed=seed)
    texts = _texts_of(images, links)
    if len(texts) > most:
        images = spread_sample(pairs.images, max(1, int(len(images) * most / len(texts))), seed=seed)
        texts = _texts_of(images, links)
        texts = texts[np.sort(spread_sample(pairs.texts[texts], most, seed=seed))]
    loose = np.flatnonzero(~linked)
    if len(loose):
        room = most - len(texts)
        if linked.any():
            room = min(room, round(len(loose) * len(texts) / int(linked.sum())))
        if room:
            texts = np.concatenate([texts, loose[spread_sample(pairs.texts[loose], room, seed=seed)]])
    return pairs.part(np.sort(images), np.sort(texts))


def for_retrieval(pairs: Pairs, *, seed: int = 0) -> Pairs:
    """As many images and texts, by `at_most`, as have no more than 150 million cosines with each other.

    That is all of 12,000 pairs, or of 5,000 images with five texts each.
    """
    n, m = len(pairs.images), len(pairs.texts)
    if n * m <= MOST_COSINES:
        return pairs
    return at_most(pairs, int(max(n, m) * (MOST_COSINES / (n * m)) ** 0.5), seed=seed)


def one_text_each(pairs: Pairs) -> np.ndarray:
    """The first text of each image that has one: (p, 2) int64, rows (image, text), images growing."""
    _, first = np.unique(pairs.links[:, 0], return_index=True)
    return pairs.links[first]


def cluster_labels(pairs: Pairs) -> tuple[np.ndarray, np.ndarray, int]:
    """Cluster of each image and of each text (an image with all its texts), and how many clusters there are.

    Clusters are numbered from the most to the least typical, so that what is drawn by number does not depend on the
    order of the rows.
    """
    n = len(pairs.images)
    labels = np.concatenate(clusters([n, len(pairs.texts)], pairs.links))
    _, labels = np.unique(labels, return_inverse=True)
    c = int(labels.max()) + 1
    typical = np.concatenate([x @ x.mean(axis=0) for x in (pairs.images, pairs.texts)])
    order = np.argsort(np.bincount(labels, typical, c) / np.bincount(labels, minlength=c), kind="stable")
    rank = np.empty(c, dtype=np.int64)
    rank[order] = np.arange(c)
    labels = rank[labels]
    return labels[:n], labels[n:], c


def _texts_of(images: np.ndarray, links: np.ndarray) -> np.ndarray:
    return np.unique(links[np.isin(links[:, 0], images), 1])
