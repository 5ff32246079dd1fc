"""Zero-shot classes: a vector for each, from the prompts that name it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.geometry.directions import unit


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
