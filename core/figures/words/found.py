"""What a query finds on the sphere: everything that is open coloured by its score, the hits, and the query's path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.geometry.density import heat_over_sphere
from core.geometry.directions import angle
from core.scene import Colouring, Mark, SphereScene

MOST_MARKED = 5
_SHORTEST = np.radians(0.05)


def found(coords: np.ndarray, kinds: np.ndarray, labels: Sequence[str], values: np.ndarray, steps: np.ndarray,
          hits: Sequence[int], *, measure: str, names: Sequence[str], title: str, note: str = "", heat: bool = False,
          thumbnails: Mapping[int, bytes] | None = None) -> SphereScene:
    """A sphere on which a query has its hits, and the steps it was moved by.

    Parameters
    ----------
    coords, kinds, labels
        (n, 3) unit rows, (n,) index into POINT_KINDS and a label each: what is open.
    values
        (n,) score of each to the query as it is now; NaN for what is not searched.
    steps
        (s, 3) unit rows, s >= 1: places of the query as asked and after each round.
    hits
        Points that were found, the nearest first; the first five are marked by their rank.
    measure
        What the values are, with their unit.
    names
        Of the s steps.
    title, note
        The finding; the map and its fidelity.
    heat
        Lay over the sphere where the best fifth of what is searched lies.
    thumbnails
        Encoded small pictures by point.

    Returns
    -------
    SphereScene of n + s points, the steps last, with an arrow from step to step.
    """
    s = len(steps)
    apart = angle(steps[:-1], steps[1:]) if s > 1 else np.zeros(0)
    moving = np.flatnonzero(np.atleast_1d(apart) > _SHORTEST)
    arrows = np.stack([steps[moving], steps[moving + 1]], axis=1) if len(moving) else np.zeros((0, 2, 3))
    warm, laid = None, ""
    searched = np.isfinite(values)
    if heat and searched.any():
        low, high = np.percentile(values[searched], (80, 99.5))
        weights = np.where(searched, np.clip((values - low) / max(high - low, 1e-9), 0, 1), 0.0)
        warm, laid = heat_over_sphere(coords, weights), "heat: the best fifth of what is searched"
    marks = [Mark(steps[i], names[i], "prompt") for i in range(s)]
    marks += [Mark(coords[row], f"{rank + 1}", "plain") for rank, row in enumerate(hits[:MOST_MARKED])]
    return SphereScene(
        coords=np.concatenate([coords, steps]).astype(np.float32), title=title, note=note,
        kinds=np.concatenate([kinds, np.full(s, 2)]).astype(np.uint8), labels=(*labels, *names),
        colouring=Colouring(measure, values=np.concatenate([values, np.full(s, np.nan)])), marks=tuple(marks),
        arrows=arrows.astype(np.float32), heat=warm, heat_title=laid, thumbnails=thumbnails or {})
