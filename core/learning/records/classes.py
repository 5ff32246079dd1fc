"""Zero-shot by class from a probe alone: a class stands for the mean of its captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ZERO_SHOT = "zero_shot/"
LEAST_OF_CLASS = 5
"""Images that a class has at least where it can be called the worst."""


def classes_asked(labels: Sequence[str]) -> tuple[str, ...]:
    """The classes of a probe, in the order of the alphabet."""
    return tuple(sorted(set(labels) - {""}))


def zero_shot_hits(images: np.ndarray, texts: np.ndarray, links: np.ndarray,
                   labels: Sequence[str]) -> dict[str, np.ndarray]:
    """By class, whether each of its images lies nearest to the mean of the captions of its own class.

    Parameters
    ----------
    images, texts : (n, d) and (m, d) floats, unit rows.
    links : (p, 2) rows (image, text); of an image with several texts the first counts.
    labels : n classes, "" where there is none.

    Returns
    -------
    (c,) float64 in [0, 1] each; equally near classes are equally likely. The own caption of an image is left out of the
    mean of its class, and an image that is alone in its class is not asked. Nothing where there are fewer than two
    classes.

    References
    ----------
    Radford et al., 2021, arXiv:2103.00020, section 3.1.4: a class is the mean of the vectors of its prompts.
    """
    text_of = {int(image): int(text) for image, text in links[::-1]}
    rows = np.array([row for row, label in enumerate(labels) if label and row in text_of], dtype=np.int64)
    names = sorted({labels[row] for row in rows.tolist()})
    if len(names) < 2:
        return {}
    place = {name: k for k, name in enumerate(names)}
    of = np.array([place[labels[row]] for row in rows.tolist()])
    x, said = images[rows].astype(np.float64), texts[[text_of[row] for row in rows.tolist()]].astype(np.float64)
    sums = np.zeros((len(names), said.shape[1]))
    np.add.at(sums, of, said)
    at, own = np.arange(len(rows)), sums[of] - said
    lengths, others = np.linalg.norm(own, axis=1), np.linalg.norm(sums, axis=1)
    cosines = x @ (sums / np.maximum(others, 1e-12)[:, None]).T
    cosines[at, of] = np.einsum("ij,ij->i", x, own) / np.maximum(lengths, 1e-12)
    asked = lengths > 1e-6
    level = cosines >= cosines.max(axis=1, keepdims=True) - 1e-6
    right = level[at, of] / level.sum(axis=1)
    return {name: right[asked & (of == k)] for name, k in place.items() if (asked & (of == k)).any()}


def zero_shot_shares(images: np.ndarray, texts: np.ndarray, links: np.ndarray,
                     labels: Sequence[str]) -> dict[str, float]:
    """Shares of right answers as `zero_shot_hits` has them.

    Returns
    -------
    Of all images as "zero_shot/0", of class k of `classes_asked` as "zero_shot/k", k from 1: without a name, so that
    what is kept of a training says nothing of whose it is.
    """
    hits = zero_shot_hits(images, texts, links, labels)
    if not hits:
        return {}
    return {f"{ZERO_SHOT}0": float(np.concatenate(list(hits.values())).mean())} | {
        f"{ZERO_SHOT}{k}": float(hits[name].mean()) for k, name in enumerate(classes_asked(labels), 1) if name in hits}
