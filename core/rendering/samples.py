"""From several samples a pixel to pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=8)
def _pixel_of(size: int, samples: int) -> np.ndarray:
    """(size * size * samples * samples,) int64: the pixel of each sample, both row by row."""
    line = np.arange(size * samples) // samples
    return (line[:, None] * size + line[None, :]).reshape(-1)


def averaged(sample: np.ndarray, size: int, samples: int, *values: np.ndarray) -> tuple[np.ndarray, ...]:
    """How much of each pixel is covered, and the sums over its samples of what is known of them.

    Parameters
    ----------
    sample : (h,) places of the covered samples in a picture of size * samples a side.
    size : side of the picture in px.
    samples : a pixel, across and down.
    values : (h,) each.

    Returns
    -------
    (size, size) float64 each, over the number of samples of a pixel: the coverage in [0, 1], then each of the values,
    which samples that are not covered count as 0.
    """
    pixel = _pixel_of(size, samples)[sample]
    return tuple(np.bincount(pixel, weights=weights, minlength=size * size).reshape(size, size) / samples**2
                 for weights in (None, *values))
