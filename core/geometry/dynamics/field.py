"""Fields of tangent vectors on S^2: displacements smoothed by the heat kernel, their divergence and their curl."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from core.errors import ShapeError
from core.geometry.density import NARROWEST, heat_kernel
from core.geometry.directions import exp_map, perpendicular
from core.geometry.dynamics.flow import Flow

WIDEST = 45.0
"""Degrees: wider kernels bring vectors from the other side of the sphere, where no one way leads from."""
FEWEST = 3
"""Points that must lie within the angle of diffusion of a place, where the kernel is above 1/e of its peak, for
anything to be said of it: elsewhere its mass is low, or is that of the tails of a crowd that lies far away."""
STEP = 1e-4
_CHUNK, _NODES = 512, 50_000
_ACROSS = 1e-12

Field = Callable[[np.ndarray], np.ndarray]


def transported(vectors: np.ndarray, base: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Tangent vectors carried along great circles, parallel to themselves: v - (v.q) (p + q) / (1 + p.q).

    Parameters
    ----------
    vectors
        (..., d) floats, orthogonal to ``base``.
    base, to
        (..., d) floats, unit, from where to where; between antipodes no one way leads.

    Returns
    -------
    (..., d) float64, orthogonal to ``to``, as long as before.
    """
    v, p, q = (np.asarray(a, dtype=np.float64) for a in (vectors, base, to))
    across = np.maximum(1 + (p * q).sum(-1, keepdims=True), _ACROSS)
    return v - (v * q).sum(-1, keepdims=True) / across * (p + q)


def divergence_and_curl(field: Field, places: np.ndarray, *, step: float = STEP) -> tuple[np.ndarray, np.ndarray]:
    """Divergence and curl of any tangent field on S^2, by central differences along geodesics.

    At each place the field is looked at a short way along two orthogonal great circles, and read in the frame that is
    carried along with it: with e1, e2 and the normal p right-handed, div = d1 F.e1 + d2 F.e2, curl = d1 F.e2 - d2 F.e1.
    Differences on geodesics and not spherical harmonics, because they are local: where there are no points the field
    need not be known. Their error is of the order of step^2; the field omega x p has curl 2 omega.p and no divergence.

    Parameters
    ----------
    field
        From (p, 3) unit rows to (p, 3) tangent vectors there, radians.
    places
        (p, 3) floats, unit rows.
    step
        Radians.

    Returns
    -------
    Two (p,) float64: share of area gained, and twice the angle turned (radians, anticlockwise seen from outside), for
    a field of displacements.
    """
    p = np.asarray(places, dtype=np.float64)
    e1 = perpendicular(p)
    e2 = np.cross(p, e1)
    spread, turn = np.zeros(len(p)), np.zeros(len(p))
    for along, aside, sign in ((e1, e2, 1.0), (e2, e1, -1.0)):
        ends = []
        for h in (step, -step):
            there = exp_map(p, h * along)
            f = field(there)
            ends.append(((f * transported(along, p, there)).sum(1), (f * aside).sum(1)))
        spread += (ends[0][0] - ends[1][0]) / (2 * step)
        turn += sign * (ends[0][1] - ends[1][1]) / (2 * step)
    return spread, turn


@dataclass(frozen=True, eq=False)
class Smoothing:
    """The heat kernel between places and points: all that a smoothed field needs but its vectors.

    Attributes
    ----------
    places : (p, 3) float64, unit rows: where the field is evaluated.
    base : (n, 3) float64, unit rows: where displacements are known.
    weights, slopes : (p, n) float64: the kernel over its peak, and its derivative by the cosine.
    near : (p,) int64: points within the angle of diffusion.
    """

    places: np.ndarray
    base: np.ndarray
    weights: np.ndarray
    slopes: np.ndarray
    near: np.ndarray

    @classmethod
    def of(cls, degrees: float, places: np.ndarray, base: np.ndarray) -> Smoothing:
        """The kernel after a diffusion of so many degrees, between (p, 3) places and (n, 3) points."""
        along = (np.clip(places @ base.T, -1, 1) + 1) * (_NODES / 2)
        before = np.minimum(along.astype(np.int32), _NODES - 1)
        share = along - before
        weights, slopes = (table[before] * (1 - share) + table[before + 1] * share for table in _tables(degrees))
        near = (along >= (np.cos(np.radians(degrees)) + 1) * (_NODES / 2)).sum(axis=1)
        return cls(places, base, weights, slopes, near)

    @cached_property
    def mass(self) -> np.ndarray:
        """(p,) float64: how many points' worth of kernel a place holds; a point counts 1 where it lies."""
        return self.weights.sum(axis=1)

    @cached_property
    def _over_one_more(self) -> np.ndarray:
        """(p, n): weights over 1 + the cosine."""
        return self.weights / np.maximum(1 + self.places @ self.base.T, _ACROSS)

    @cached_property
    def _safe_mass(self) -> np.ndarray:
        return np.maximum(self.mass, np.finfo(np.float64).tiny ** 0.5)

    def field(self, vectors: np.ndarray) -> np.ndarray:
        """Mean of the transported vectors: (n, 3) -> (p, 3) float64."""
        v, p = np.asarray(vectors, dtype=np.float64), self.places
        outer = np.einsum("ji,jk->jik", self.base, v).reshape(-1, 9)
        towards = (self._over_one_more @ outer).reshape(-1, 3, 3)
        along = np.einsum("pk,pik->pi", p, towards)
        own = (p * (self._over_one_more @ v)).sum(-1, keepdims=True) * p
        return (self.weights @ v - along - own) / self._safe_mass[:, None]

    @cached_property
    def operators(self) -> tuple[np.ndarray, np.ndarray]:
        """What vectors are multiplied with for divergence and curl of the smoothed field: two (p, 3 n) float64.

        With T v the transported vector, q the point and c = p.q: div T v = - v.p / (1 + c), curl T v = p.(q x v) /
        (1 + c), and the kernel's gradient K' q_t has K' q_t.T v = - K' v.p and p.(K' q_t x T v) = K' p.(q x v). Of the
        mean's denominator, m = sum K' q_t, the quotient rule takes away m.F and p.(m x F).
        """
        p, q, over = self.places, self.base, self._over_one_more
        gain = self.slopes + over
        m = (self.slopes @ q - (self.slopes * (p @ q.T)).sum(1, keepdims=True) * p) / self._safe_mass[:, None]
        aside = np.cross(p, m)
        spread = (over * (m @ q.T) - gain)[..., None] * p[:, None] - self.weights[..., None] * m[:, None]
        turn = (gain[..., None] * np.cross(p[:, None], q[None]) - self.weights[..., None] * aside[:, None]
                + (over * (aside @ q.T))[..., None] * p[:, None])
        return tuple((a / self._safe_mass[:, None, None]).reshape(len(p), -1)  # type: ignore[return-value]
                     for a in (spread, turn))

    def divergence_and_curl(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the smoothed field, in closed form: (n, 3) -> two (p,); of k fields at once (k, n, 3) -> two (k, p)."""
        flat = np.asarray(vectors, dtype=np.float64).reshape(-1, 3 * len(self.base))
        spread, turn = (flat @ operator.T for operator in self.operators)
        return (spread, turn) if np.ndim(vectors) == 3 else (spread[0], turn[0])


@lru_cache(maxsize=8)
def _tables(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """The kernel over its peak, and its derivative by the cosine, at even cosines from -1 to 1."""
    kernel, cosines = heat_kernel(3, degrees), np.linspace(-1, 1, _NODES + 1)
    weights = np.exp(kernel.log(cosines))
    return weights, weights * kernel.slope(cosines)


@dataclass(frozen=True, eq=False)
class KernelField:
    """Displacements on S^2, carried to a place and averaged there by the heat kernel.

    Attributes
    ----------
    flow : where points were and went, d = 3.
    degrees : the one knob: diffusion time, as the angle to which the mean cosine of heat to its start has fallen.

    Raises
    ------
    ShapeError
        If the points are not on S^2, there is none, or the kernel is narrower than 8 or wider than 45 degrees.
    """

    flow: Flow
    degrees: float

    def __post_init__(self) -> None:
        if not len(self.flow) or self.flow.base.shape[1] != 3:
            raise ShapeError("displacements of at least one point on the sphere in 3 dimensions",
                             f"{len(self.flow)} in {self.flow.base.shape[1]}")
        if not NARROWEST <= self.degrees <= WIDEST:
            raise ShapeError(f"a diffusion from {NARROWEST:g} to {WIDEST:g} degrees", f"{self.degrees:g} degrees")

    def smoothing(self, places: np.ndarray) -> Smoothing:
        """The kernel between the points and (p, 3) places."""
        return Smoothing.of(self.degrees, np.asarray(places, dtype=np.float64), self.flow.base)

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """(p, 3) unit rows -> (p, 3) float64, tangent there, radians over the move."""
        return np.concatenate([part.field(self.flow.vectors) for part in self._parts(places)])

    def mass(self, places: np.ndarray) -> np.ndarray:
        """How many points' worth of kernel places hold: (p, 3) -> (p,) float64."""
        return np.concatenate([part.mass for part in self._parts(places)])

    def known(self, places: np.ndarray) -> np.ndarray:
        """Places of which something may be said: (p, 3) -> (p,) bool, at least `FEWEST` points near."""
        return np.concatenate([part.near for part in self._parts(places)]) >= FEWEST

    def divergence_and_curl(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """In closed form: (p, 3) -> two (p,) float64."""
        found = [part.divergence_and_curl(self.flow.vectors) for part in self._parts(places)]
        return np.concatenate([spread for spread, _ in found]), np.concatenate([turn for _, turn in found])

    def _parts(self, places: np.ndarray) -> list[Smoothing]:
        places = np.asarray(places, dtype=np.float64).reshape(-1, 3)
        return [self.smoothing(places[i:i + _CHUNK]) for i in range(0, max(len(places), 1), _CHUNK)]
