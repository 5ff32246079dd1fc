"""How colourful a picture is."""

from __future__ import annotations

import numpy as np


def colourfulness(pixels: np.ndarray) -> float:
    """M = sigma + 0.3 mu of rg = R - G and yb = (R + G) / 2 - B: 0 grey, 33 moderately, 109 extremely colourful.

    Parameters
    ----------
    pixels : (height, width, 3) float32, values 0-255.

    References
    ----------
    Hasler and Suesstrunk, Measuring colourfulness in natural images, SPIE 2003.
    """
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))
