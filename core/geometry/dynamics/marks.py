"""Sources, sinks and rotation of a flow on S^2, marked where fields of shuffled displacements hardly ever have any."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, ShapeError
from core.geometry.directions import angles, fibonacci
from core.geometry.dynamics.field import FEWEST, KernelField, Smoothing, transported
from core.geometry.dynamics.flow import Flow
from core.geometry.threads import one_thread

PLACES, SHUFFLES, LEVEL = 600, 200, 0.95
KINDS: dict[str, str] = {
    "source": "source: points flow apart",
    "sink": "sink: points flow together",
    "anticlockwise": "rotation, anticlockwise",
    "clockwise": "rotation, clockwise",
}
"""What can be marked, seen from outside the sphere."""
_NEIGHBOURS = 1.7      # spacings of the places within which two of a kind are one mark
_FLAT = 1e-9           # a deviation below this share of the largest is rounding
_AT_ONCE = 50


@dataclass(frozen=True, eq=False)
class Found:
    """One mark.

    Attributes
    ----------
    kind : of `KINDS`.
    place : (3,) float64, unit: where it is strongest.
    value : divergence (share of area gained) or curl (radians) of the smoothed field there, over the move.
    limit : what 95 % of shuffled fields stay within there, in the same unit, all places and kinds taken together.
    p : share of shuffled fields that have anything as far from chance anywhere.
    near : points within the angle of diffusion.
    places : how many neighbouring places it takes up.
    """

    kind: str
    place: np.ndarray
    value: float
    limit: float
    p: float
    near: int
    places: int


@dataclass(frozen=True, eq=False)
class Marks:
    """What a flow has that shuffled displacements have not.

    Attributes
    ----------
    found : the marks, the farthest from chance first.
    places : (p, 3) float64: those of the even lattice with enough points near, which were looked at.
    divergence, curl : (p,) float64, of the smoothed field there.
    p : share of shuffled fields with anything as far from chance as the strongest place; 1 where nothing was looked at.
    n, shuffles, seed, degrees : points, shuffled fields, their seed, the diffusion.
    """

    found: tuple[Found, ...]
    places: np.ndarray
    divergence: np.ndarray
    curl: np.ndarray
    p: float
    n: int
    shuffles: int
    seed: int
    degrees: float

    def count(self, *kinds: str) -> int:
        """How many marks are of these kinds."""
        return sum(one.kind in kinds for one in self.found)


def shuffled(flow: Flow, group: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Displacements dealt out among the points of each group, each carried to its new point: (n, 3) float64."""
    group = np.zeros(len(flow), dtype=np.int64) if group is None else group
    origin = np.arange(len(flow))
    for one in np.unique(group):
        rows = np.flatnonzero(group == one)
        origin[rows] = rng.permutation(rows)
    return transported(flow.vectors[origin], flow.base[origin], flow.base)


def marks(flow: Flow, *, degrees: float, group: np.ndarray | None = None, shuffles: int = SHUFFLES,
          places: int = PLACES, seed: int = 0, on_progress: Callable[[float, str], None] | None = None,
          should_stop: Callable[[], bool] = lambda: False) -> Marks:
    """Where a smoothed flow diverges, converges or turns more than 95 % of shuffled fields do anywhere.

    Divergence and curl at each place are measured in deviations of all fields there, the true one and the shuffled
    ones; the largest of both over all places is what fields are compared by, so that a field of shuffled displacements
    marks anything at all in 5 % only. Neighbouring places of one kind are one mark.

    Parameters
    ----------
    flow
        Displacements on S^2.
    degrees
        The diffusion of `KernelField`.
    group
        (n,) ints: displacements are shuffled among the points of one group, a modality; among all where None.
    shuffles
        Fields of shuffled displacements, at least 19.
    places
        Of an even lattice over the whole sphere; those with fewer than `FEWEST` points near are not looked at.

    Raises
    ------
    Cancelled
        If it was stopped.

    References
    ----------
    Westfall and Young, Resampling-Based Multiple Testing, 1993 (the maximum over places).
    """
    if shuffles < 19:
        raise ShapeError("at least 19 shuffled fields, for 95 %", str(shuffles))
    field = KernelField(flow, degrees)
    lattice = fibonacci(places)
    smoothing = field.smoothing(lattice)
    smoothing = field.smoothing(lattice[smoothing.near >= FEWEST])
    looked = len(smoothing.places)
    if not looked:
        nothing = np.zeros(0)
        return Marks((), smoothing.places, nothing, nothing, 1.0, len(flow), shuffles, seed, degrees)
    rng = np.random.default_rng(seed)
    all_of = np.empty((shuffles + 1, 2, looked))
    with one_thread():
        _measure(all_of, flow, smoothing, group, rng, on_progress, should_stop)
    middle, scale = all_of.mean(axis=0), all_of.std(axis=0)
    away = (all_of - middle) / np.where(scale > _FLAT * max(float(np.abs(all_of).max()), 1e-300), scale, np.inf)
    largest = np.abs(away).max(axis=(1, 2))
    limit = float(np.sort(largest)[math.ceil(LEVEL * (shuffles + 1)) - 1])
    found = [one for measure, kinds in enumerate((("source", "sink"), ("anticlockwise", "clockwise")))
             for sign, kind in zip((1, -1), kinds)
             for one in _regions(kind, smoothing.places, smoothing.near, all_of[0, measure],
                                 sign * away[0, measure], middle[measure] + sign * limit * scale[measure], limit,
                                 largest, places)]
    found.sort(key=lambda one: (one.p, -abs(one.value)))
    return Marks(tuple(found), smoothing.places, all_of[0, 0], all_of[0, 1],
                 float((largest >= largest[0]).mean()), len(flow), shuffles, seed, degrees)


def _measure(out: np.ndarray, flow: Flow, smoothing: Smoothing, group: np.ndarray | None, rng: np.random.Generator,
             on_progress: Callable[[float, str], None] | None, should_stop: Callable[[], bool]) -> None:
    """Divergence and curl of the true field and of shuffled ones, into (shuffles + 1, 2, p)."""
    out[0], shuffles = smoothing.divergence_and_curl(flow.vectors), len(out) - 1
    for start in range(0, shuffles, _AT_ONCE):
        if should_stop():
            raise Cancelled(f"{start} of {shuffles} shuffled fields")
        some = np.stack([shuffled(flow, group, rng) for _ in range(min(_AT_ONCE, shuffles - start))])
        done = start + len(some)
        out[1 + start:1 + done] = np.stack(smoothing.divergence_and_curl(some), axis=1)
        if on_progress is not None:
            on_progress(done / shuffles, f"{done} of {shuffles} shuffled fields")


def _regions(kind: str, places: np.ndarray, near: np.ndarray, values: np.ndarray, away: np.ndarray,
             limits: np.ndarray, limit: float, largest: np.ndarray, lattice: int) -> list[Found]:
    """Groups of neighbouring places beyond chance, and the strongest place of each."""
    from scipy.sparse.csgraph import connected_components

    beyond = np.flatnonzero(away > limit)
    if not len(beyond):
        return []
    spacing = math.sqrt(4 * math.pi / lattice)
    _, region = connected_components(angles(places[beyond], places[beyond]) < _NEIGHBOURS * spacing, directed=False)
    out = []
    for one in range(region.max() + 1):
        rows = beyond[region == one]
        top = rows[np.argmax(away[rows])]
        out.append(Found(kind, places[top], float(values[top]), float(limits[top]),
                         float((largest >= away[top]).mean()), int(near[top]), len(rows)))
    return out
