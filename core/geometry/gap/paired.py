"""How the gap and retrieval of two models differ on the same images and texts."""

from __future__ import annotations

import math

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, hits_differ, statistics_differ
from core.geometry.gap.parts import MOST_COSINES
from core.geometry.jackknife import CHUNK, cluster_sums, clusters
from core.geometry.pairs import Pairs
from core.geometry.retrieval import hits_of


def models_differ(before: Pairs, after: Pairs, *, seed: int = 0) -> dict[str, Difference]:
    """Gap and R@1 of ``after`` less those of ``before``, by the keys of `measures.MEASURES`.

    Parameters
    ----------
    before, after
        The same items in the same rows, with the same links, by two models or at two steps of a training; their
        dimensions may differ.
    seed
        Of the sample of clusters where there are more than 150 million cosines, and of sign flips.

    Returns
    -------
    "centroid_gap", by the jackknife over clusters (an image with its texts), and with links "r1_image_to_text" and
    "r1_text_to_image", query by query. Not corrected for each other.

    Raises
    ------
    ShapeError
        If the items or links differ.
    """
    sizes = [(len(p.images), len(p.texts)) for p in (before, after)]
    if sizes[0] != sizes[1] or not np.array_equal(before.links, after.links):
        raise ShapeError("the same items from both models, with the same links", f"{sizes[0]} and {sizes[1]}",
                         "Compare models on the same pairs.")
    (value, without), (other, without_other) = (_gap_without_each(p) for p in (before, after))
    found = {"centroid_gap": statistics_differ(value, other, without, without_other)}
    if len(before.links):
        rows = _some(before, seed)
        a, b = before.part(*rows), after.part(*rows)
        for key, way in (("r1_image_to_text", 1), ("r1_text_to_image", -1)):
            (answers, hits), (_, others) = (
                hits_of(p.images, p.texts, p.links) if way > 0 else hits_of(p.texts, p.images, p.links[:, ::-1])
                for p in (a, b))
            found[key] = hits_differ(hits[:, 0], others[:, 0], answers.together, seed=seed)
    return found


def _gap_without_each(pairs: Pairs) -> tuple[float, np.ndarray]:
    """The gap, and without each cluster: NaN where none of a modality is left."""
    of = clusters([len(pairs.images), len(pairs.texts)], pairs.links)
    c = int(max(labels.max() for labels in of)) + 1
    sums = [cluster_sums(x, labels, c) for x, labels in zip((pairs.images, pairs.texts), of)]
    without = np.empty(c)
    for start in range(0, c, CHUNK):
        part = slice(start, start + CHUNK)
        with np.errstate(all="ignore"):
            means = [(one.whole - one.rows(start, start + CHUNK)) / (one.counts.sum() - one.counts[part, None])
                     for one in sums]
        without[part] = np.linalg.norm(means[0] - means[1], axis=1)
    whole = [one.whole / one.counts.sum() for one in sums]
    return float(np.linalg.norm(whole[0] - whole[1])), without


def _some(pairs: Pairs, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of images and of texts whose cosines are few enough: all, or those of some clusters."""
    n, m = len(pairs.images), len(pairs.texts)
    if n * m <= MOST_COSINES:
        return np.arange(n), np.arange(m)
    of_images, of_texts = clusters([n, m], pairs.links)
    groups = np.unique(np.concatenate([of_images, of_texts]))
    share = math.sqrt(MOST_COSINES / (n * m))
    chosen = np.random.default_rng(seed).permutation(groups)[:max(1, int(share * len(groups)))]
    return np.flatnonzero(np.isin(of_images, chosen)), np.flatnonzero(np.isin(of_texts, chosen))
