"""Zero-shot classes: a vector for each, from the prompts that name it, and how often the right one wins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.intervals import proportion
from core.geometry.retrieval import chance_of_a_hit
from core.types import EmbeddingSet, Number


def class_vectors(texts_of_classes: Sequence[np.ndarray]) -> np.ndarray:
    """One unit vector a class: the direction of the mean of its unit prompt vectors.

    Parameters
    ----------
    texts_of_classes : k arrays (templates, d), unit rows.

    Returns
    -------
    (k, d) float32, unit rows.

    References
    ----------
    Radford et al., 2021, arXiv:2103.00020, section 3.1.4.
    """
    return unit(np.stack([t.mean(axis=0) for t in texts_of_classes]))


def zero_shot_accuracy(model: Encoder, images: EmbeddingSet, prompts: Sequence[str], truth: np.ndarray) -> Number:
    """Share of images whose own class has the highest logit of the model.

    Parameters
    ----------
    model : that made the vectors of the images.
    images : n images.
    prompts : k texts, one a class, k >= 2; the model knows something of each of them (`Encoder.unread`).
    truth : (n,) int, class of each image; -1 where it has none, and the image is left out.

    Returns
    -------
    Number with Wilson's interval and chance, 1 / k, as null.

    Raises
    ------
    ShapeError
        If there are fewer than two classes, or no image has one.
    """
    known = np.flatnonzero(np.asarray(truth) >= 0)
    if len(prompts) < 2 or not len(known):
        raise ShapeError("two classes or more, and images that have one",
                         f"{len(prompts)} classes, {len(known)} images")
    logits = model.logits(images.vectors[known], images.norms[known], prompts)
    hits = chance_of_a_hit(logits, np.arange(len(known)), np.asarray(truth)[known], (1,))
    return proportion(float(hits.sum()), len(known), null=1 / len(prompts))
