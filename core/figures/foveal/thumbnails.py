"""Small pictures of what each way of pointing shows the model; of a mask on attention, its bias over the picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from core.figures import theme

SIDE = 160
OPACITY = 0.7


def under_bias(image: Image.Image, weights: np.ndarray, seen: tuple[float, float, float, float], *, hard: bool,
               dark: bool = False) -> Image.Image:
    """A picture with the bias of each patch laid over it.

    Parameters
    ----------
    image
        Upright, RGB.
    weights
        (rows, columns) in logits, as `core.attention.masks.foveal_weights` gives them.
    seen
        Left, top, right, bottom of what the model sees of it, in its pixels: the ends of the patches.
    hard
        Whether patches with a weight below 0 are shut out: they are covered; else a patch is the warmer, the higher
        its bias, and clear where that is lowest.
    dark
        Colours for a dark background.

    Returns
    -------
    RGB, at most `SIDE` pixels a side.
    """
    small = smaller(image)
    across, down = small.width / image.width, small.height / image.height
    left, top, right, bottom = (round(v * s) for v, s in zip(seen, (across, down, across, down)))
    if hard:
        colours = np.zeros((*weights.shape, 3), dtype=np.uint8) + np.array(theme.rgb(theme.palette(dark).background),
                                                                           dtype=np.uint8)
        cover = np.where(weights < 0, 0.85, 0.0)
    else:
        low, span = float(weights.min()), float(np.ptp(weights))
        share = (weights - low) / span if span > 0 else np.zeros(weights.shape)
        steps = theme.warmth(dark)
        colours = steps[np.round(share * (len(steps) - 1)).astype(int)]
        cover = np.where(share > 0, OPACITY * (0.35 + 0.65 * share), 0.0)
    size = max(right - left, 1), max(bottom - top, 1)
    heat = Image.fromarray(colours).resize(size, Image.Resampling.NEAREST)
    alpha = Image.fromarray(np.round(255 * cover).astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
    small.paste(heat, (left, top), alpha)
    return small


def smaller(image: Image.Image) -> Image.Image:
    """A copy of at most `SIDE` pixels a side; small ones are not blurred but magnified by a whole number."""
    out = image.copy()
    out.thumbnail((SIDE, SIDE))
    times = SIDE // max(out.size)
    return out.resize((out.width * times, out.height * times), Image.Resampling.NEAREST) if times > 1 else out
