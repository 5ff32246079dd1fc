"""How much a text tells of which image is meant: pointwise mutual information among reference images."""

from __future__ import annotations

import math

import numpy as np

from core.errors import ShapeError


def pointwise_information(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """log p(image | text) + log N, where p is the softmax over an image and its N - 1 references.

    It is at most log N, and stays near that for every text that no reference fits as well: there it tells texts apart
    no more.

    Parameters
    ----------
    own : (k, m) floats, logits of k images for m texts: the model's temperature is in them.
    others : (r, m) floats, logits of the r >= 1 reference images; N = r + 1.

    Returns
    -------
    (k, m) float64, nats, at most log N; 0 where the text fits the image as well as the references on average.

    Raises
    ------
    ShapeError
        If there is no reference, or the number of texts differs.
    """
    own, others = np.asarray(own, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if own.ndim != 2 or others.ndim != 2 or own.shape[1] != others.shape[1] or not len(others):
        raise ShapeError("logits (k, m) of images and (r, m) of one reference or more",
                         f"shapes {own.shape} and {others.shape}")
    highest = others.max(axis=0)
    rest = highest + np.log(np.exp(others - highest).sum(axis=0))
    found: np.ndarray = own - np.logaddexp(own, rest) + math.log(len(others) + 1)
    return found
