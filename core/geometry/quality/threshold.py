"""Where a threshold is proposed."""

from __future__ import annotations

from typing import Literal

import numpy as np

USUAL = 0.99
_LEAST, _BEYOND = 20, 0.1


def mirrored(scores: np.ndarray, worse: Literal["high", "low"], *, usual: float = USUAL) -> float:
    """The score that is as far on the bad side of the commonest score as the good side reaches.

    What is right is taken to be spread alike on both sides of the commonest score, and what is wrong to lie on one: so
    the good side, which nothing wrong disturbs, tells how far the bad side should reach.

    Parameters
    ----------
    scores : (n,) floats; NaN is left out.
    worse : which end is bad.
    usual : share of the good side that counts as its reach.

    Returns
    -------
    The threshold; beyond all scores where there are fewer than 20; 0 where there are none.
    """
    known = np.asarray(scores, dtype=np.float64)
    known = known[np.isfinite(known)] * (1 if worse == "low" else -1)
    sign = 1 if worse == "low" else -1
    if len(known) < _LEAST:
        return sign * float(known.min() - max(_BEYOND * np.ptp(known), _BEYOND**2)) if len(known) else 0.0
    middle = commonest(known)
    reach = float(np.quantile(known[known >= middle] - middle, usual))
    return sign * (middle - reach)


def commonest(values: np.ndarray) -> float:
    """Mode of a smoothed histogram: (n,) floats -> the middle of its highest bin."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return low
    counts, edges = np.histogram(values, 256, (low, high))
    quarter = np.subtract(*np.quantile(values, [0.75, 0.25])) / 1.349 or values.std()
    width = max(0.9 * min(quarter, values.std()) * len(values) ** -0.2 / (edges[1] - edges[0]), 1.0)
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(counts.astype(np.float64), width, mode="constant")
    top = int(smooth.argmax())
    return float((edges[top] + edges[top + 1]) / 2)
