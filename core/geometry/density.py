"""Density on the sphere by its own heat kernel, in any dimension, with one knob: how far the heat has spread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.samples import spread_sample

NARROWEST, WIDEST = 8.0, 89.0
GALLERY = 5000
_NODES, _GRID = 40, 8001
_SUMMED = 700.0       # logarithms down to minus this come from the series, those below from the saddle point
_CHUNK = 2048
_NO_SINE = 1e-9


@dataclass(frozen=True)
class HeatKernel:
    """The heat kernel of S^(d-1) at one time, as a function of the cosine.

    Attributes
    ----------
    d : dimension of the vectors.
    degrees : angle whose cosine is the mean cosine of heat to where it started, exp(-(d - 1) t).
    log_peak : logarithm of K(1) over the uniform density.
    """

    d: int
    degrees: float
    log_peak: float
    _squares: np.ndarray
    _logs: np.ndarray

    def log(self, cosine: np.ndarray) -> np.ndarray:
        """Log of K(cosine) / K(1), down to the antipode."""
        cosine = np.clip(np.asarray(cosine, dtype=np.float64), -1, 1)
        squares = (2 * np.arctan2(np.sqrt(1 - cosine), np.sqrt(1 + cosine))) ** 2
        return np.interp(squares, self._squares, self._logs)

    def slope(self, cosine: np.ndarray) -> np.ndarray:
        """Derivative of `log` by the cosine."""
        cosine = np.clip(np.asarray(cosine, dtype=np.float64), -1, 1)
        angle = 2 * np.arctan2(np.sqrt(1 - cosine), np.sqrt(1 + cosine))
        by_square = np.interp(angle**2, self._squares, np.gradient(self._logs, self._squares))
        return -2 * by_square / np.maximum(np.sinc(angle / np.pi), _NO_SINE)


@lru_cache(maxsize=16)
def heat_kernel(d: int, degrees: float) -> HeatKernel:
    """The heat kernel of S^(d-1) after the time in which the mean cosine to the start falls to cos(degrees).

    Its series sum_l exp(-l (l + d - 2) t) (2 l + d - 2) / (d - 2) C_l(cosine) is divided by its value at 1, so that
    the area of the sphere, 1e-377 for d = 512, never appears. Away from 1 its terms cancel to hundreds of digits:
    they are summed in decimals of that many, at 40 Chebyshev nodes in the squared angle, of which the logarithm is
    very nearly a straight line. Where the kernel is less than e^-700 of its peak the saddle point of its contour
    integral takes over, which agrees with the series to 0.02 in the logarithm.

    Parameters
    ----------
    d
        Dimension of the vectors, at least 3.
    degrees
        Smoothing, from 8 to 89 degrees.

    References
    ----------
    Zhao and Song, 2017, arXiv:1702.01373.
    """
    if d < 3:
        raise ShapeError("vectors of at least three dimensions for a heat kernel", f"{d} dimensions")
    if not NARROWEST <= degrees <= WIDEST:
        raise ShapeError(f"a smoothing from {NARROWEST:g} to {WIDEST:g} degrees", f"{degrees:g} degrees")
    t = -math.log(math.cos(math.radians(degrees))) / (d - 1)
    farthest = min(math.pi**2, 4 * t * _SUMMED)
    nodes = farthest * (1 - np.cos(np.pi * np.arange(_NODES) / (_NODES - 1))) / 2
    with localcontext() as context:
        context.prec = 30 + int(farthest / (4 * t) / math.log(10) * 1.1)
        weights = _weights(d, t, context.prec)
        whole = sum(weights, Decimal(0))
        logs = [_log_of_series(weights, d, Decimal(math.cos(math.sqrt(s))), whole) for s in nodes]
        log_peak = float(whole.ln())
    grid = np.linspace(0, farthest, _GRID)
    along = _through(nodes, np.array(logs), grid)
    if farthest < math.pi**2:
        beyond = np.linspace(farthest, math.pi**2, _GRID)
        tail = _saddle_point(d, t, np.cos(np.sqrt(beyond)))
        grid, along = np.append(grid, beyond[1:]), np.append(along, along[-1] + (tail - tail[0])[1:])
    return HeatKernel(d, degrees, log_peak, grid, along)


def _saddle_point(d: int, t: float, cosine: np.ndarray) -> np.ndarray:
    """Log of the kernel, but for a constant, by the saddle point of its contour integral, at (g,) cosines.

    The kernel of S^(k+2) is the derivative by the cosine of that of S^k, and that of S^1 is a Gaussian of the angle:
    the (d - 2) / 2-th derivative is Cauchy's integral of exp(-arccos(z)^2 / 4 t) (z - cosine)^(-d / 2).
    """
    def slope(z: np.ndarray) -> np.ndarray:
        away = np.abs(1 - z * z)
        with np.errstate(invalid="ignore", divide="ignore"):
            turned = np.where(z < 1, np.arccos(np.minimum(z, 1)), np.arccosh(np.maximum(z, 1))) / np.sqrt(away)
        return np.where(away < 1e-12, 1.0, turned) / (2 * t) - d / 2 / (z - cosine)

    low, high = cosine.copy(), np.full_like(cosine, 1e3)
    for _ in range(100):
        z = (low + high) / 2
        rising = slope(z) > 0
        low, high = np.where(rising, low, z), np.where(rising, z, high)
    z = (low + high) / 2
    step = 1e-5 * (z - cosine)
    bend = (slope(z + step) - slope(z - step)) / (2 * step)
    square = np.where(z < 1, np.arccos(np.minimum(z, 1)) ** 2, -np.arccosh(np.maximum(z, 1)) ** 2)
    return -square / (4 * t) - d / 2 * np.log(z - cosine) - np.log(bend) / 2


def _through(nodes: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The polynomial through values at Chebyshev nodes of the second kind, by its barycentric form."""
    weights = (-1.0) ** np.arange(len(nodes))
    weights[[0, -1]] /= 2
    apart = at[:, None] - nodes
    rows, columns = np.nonzero(apart == 0)
    apart[rows, columns] = 1
    terms = weights / apart
    out = (terms @ values) / terms.sum(axis=1)
    out[rows] = values[columns]
    return out


def _weights(d: int, t: float, digits: int) -> list[Decimal]:
    """Value at 1 of each term of the series, until nothing more is added."""
    q = (-Decimal(t)).exp()
    weight, steep, out = Decimal(1), q ** (d - 1), [Decimal(1)]
    order, largest = 0, Decimal(1)
    while weight > largest.scaleb(-digits):
        weight *= steep * (2 * order + d) * (order + d - 2) / ((2 * order + d - 2) * (order + 1))
        steep *= q * q
        largest = max(largest, weight)
        out.append(weight)
        order += 1
    return out


def _log_of_series(weights: list[Decimal], d: int, cosine: Decimal, whole: Decimal) -> float:
    before, now = Decimal(1), cosine
    total = weights[0] + weights[1] * now
    for order in range(1, len(weights) - 1):
        before, now = now, ((2 * order + d - 2) * cosine * now - order * before) / (order + d - 2)
        total += weights[order + 1] * now
    return float((total / whole).ln()) if total > 0 else -_SUMMED


def natural_smoothing(x: np.ndarray, *, k: int = 10) -> float:
    """Median angle to the k-th nearest of up to 2,000 points, in degrees, within what `heat_kernel` takes."""
    x = np.asarray(x)
    check_vectors(x, unit=True)
    x = x[spread_sample(x, 2000)]
    k = min(k, len(x) - 1)
    if k < 1:
        return 45.0
    cosines = np.partition(x @ x.T, len(x) - 1 - k, axis=1)[:, len(x) - 1 - k]
    return float(np.clip(np.degrees(np.arccos(np.clip(np.median(cosines), -1, 1))), NARROWEST, WIDEST))


def log_density(x: np.ndarray, *, degrees: float | None = None, seed: int = 0) -> np.ndarray:
    """Log10 of the density at each point, made by the other points, over the density of the uniform sphere.

    Parameters
    ----------
    x
        (n, d) floats, unit rows, d >= 3.
    degrees
        Smoothing; `natural_smoothing` where None.
    seed
        Of the gallery of at most 5,000 points that make the density.

    Returns
    -------
    (n,) float64; NaN for a single point.
    """
    x = np.asarray(x)
    check_vectors(x, unit=True)
    kernel = heat_kernel(x.shape[1], round(natural_smoothing(x) if degrees is None else degrees, 1))
    chosen = np.sort(spread_sample(x, GALLERY, seed=seed))
    own = np.full(len(x), -1)
    own[chosen] = np.arange(len(chosen))
    out = np.full(len(x), np.nan)
    for start in range(0, len(x), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(x)))
        logs = kernel.log(x[rows] @ x[chosen].T)
        inside = own[rows] >= 0
        logs[np.flatnonzero(inside), own[rows[inside]]] = -np.inf
        others = len(chosen) - inside
        with np.errstate(divide="ignore", invalid="ignore"):
            top = logs.max(axis=1, initial=-np.inf)
            out[rows] = top + np.log(np.exp(logs - top[:, None]).sum(axis=1) / others)
    return (out + kernel.log_peak) / math.log(10)


def heat_over_sphere(coords: np.ndarray, weights: np.ndarray, *, degrees: float = 9.0,
                     shape: tuple[int, int] = (64, 128)) -> np.ndarray:
    """Weights of points spread over S^2 by its heat kernel, for a scene's heat.

    Parameters
    ----------
    coords
        (n, 3) floats, unit rows, map coordinates.
    weights
        (n,) floats, 0 or more.
    degrees
        How far the heat of a point has spread.
    shape
        Rows (latitude -90..90 degrees) and columns (longitude -180..180).

    Returns
    -------
    shape, float32 in [0, 1], 1 at the hottest place; zeros where no weight is given.
    """
    coords, weights = np.asarray(coords, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    check_vectors(coords, what="map coordinates", at_least=0, unit=True)
    if weights.shape != (len(coords),) or (weights < 0).any():
        raise ShapeError(f"{len(coords)} weights, none below 0", f"shape {weights.shape}")
    latitude = np.radians(np.linspace(-90, 90, shape[0]))[:, None]
    longitude = np.radians(np.linspace(-180, 180, shape[1]))[None]
    grid = np.stack(np.broadcast_arrays(np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
                                        np.sin(latitude)), axis=-1).reshape(-1, 3)
    kernel, heat = heat_kernel(3, degrees), np.zeros(len(grid))
    warm = np.flatnonzero(weights > 0)
    for part in np.array_split(warm, -(-len(warm) // 512)) if len(warm) else []:
        heat += np.exp(kernel.log(grid @ coords[part].T)) @ weights[part]
    return (heat / max(heat.max(), 1e-300)).reshape(shape).astype(np.float32)
