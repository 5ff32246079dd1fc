"""Angles, arcs, means and grids on the unit sphere, in any dimension unless a function says S^2."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.rounding import rounding


def unit(x: np.ndarray) -> np.ndarray:
    """Divide each row by its length.

    Parameters
    ----------
    x
        (n, d) floats, finite.

    Returns
    -------
    (n, d), dtype of ``x``, unit rows.

    Raises
    ------
    ShapeError
        If a row has no length.
    """
    x = np.asarray(x)
    check_vectors(x, at_least=0)
    norms = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))[:, None]
    zero = np.flatnonzero(norms[:, 0] < np.finfo(x.dtype).tiny)
    if len(zero):
        raise ShapeError("vectors with a direction", f"{len(zero)} rows of length zero, the first at row {zero[0]}",
                         "Remove these rows.")
    return x / norms.astype(x.dtype)


def angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between unit vectors, exact at both ends: 2 atan2(|a - b|, |a + b|).

    Parameters
    ----------
    a, b
        (..., d) floats, unit along the last axis, broadcast against each other.

    Returns
    -------
    (...) float64, radians in [0, pi].
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return 2 * np.arctan2(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """All angles between the unit rows of two arrays, to 3e-8 rad.

    Parameters
    ----------
    a, b
        (n, d) and (m, d) floats, unit rows.

    Returns
    -------
    (n, m) float64, radians in [0, pi].
    """
    cos = np.clip(np.asarray(a, dtype=np.float64) @ np.asarray(b, dtype=np.float64).T, -1, 1)
    return 2 * np.arctan2(np.sqrt(1 - cos), np.sqrt(1 + cos))


def log_map(base: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Tangent vectors at ``base`` that point along the geodesics to ``x``, as long as the angle.

    Parameters
    ----------
    base, x
        (..., d) floats, unit along the last axis, broadcast against each other.

    Returns
    -------
    (..., d) float64, orthogonal to ``base``; zero where ``x`` is ``base`` or its antipode.
    """
    least = _least_across(base, x)
    base, x = np.asarray(base, dtype=np.float64), np.asarray(x, dtype=np.float64)
    across = x - base * (base * x).sum(-1, keepdims=True)
    length = np.linalg.norm(across, axis=-1, keepdims=True)
    return np.where(length > least, across / np.maximum(length, least) * angle(base, x)[..., None], 0.0)


def _least_across(a: np.ndarray, b: np.ndarray) -> float:
    """Sine of an angle that is 0 or pi but for rounding of either vector."""
    return max(rounding(np.asarray(x)) for x in (a, b))


def exp_map(base: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Walk from ``base`` along the tangent vector ``v`` for as many radians as it is long.

    Parameters
    ----------
    base
        (..., d) floats, unit along the last axis.
    v
        (..., d) floats, orthogonal to ``base``.

    Returns
    -------
    (..., d) float64, unit along the last axis.
    """
    base, v = np.asarray(base, dtype=np.float64), np.asarray(v, dtype=np.float64)
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    there = base * np.cos(length) + v * np.sinc(length / np.pi)
    return there / np.linalg.norm(there, axis=-1, keepdims=True)


def perpendicular(a: np.ndarray) -> np.ndarray:
    """One unit vector orthogonal to each unit row of ``a``: (n, d) -> (n, d) float64, d >= 2."""
    a = np.atleast_2d(np.asarray(a, dtype=np.float64))
    axis = np.eye(a.shape[1])[np.abs(a).argmin(axis=1)]
    across = axis - a * (a * axis).sum(1, keepdims=True)
    return across / np.linalg.norm(across, axis=1, keepdims=True)


def arcs(starts: np.ndarray, ends: np.ndarray, *, steps: int = 24) -> np.ndarray:
    """Great-circle arcs, sampled at equal angles.

    Parameters
    ----------
    starts, ends
        (n, d) floats, unit rows; between antipodes one of the many half circles is drawn.
    steps
        Points on each arc, both ends included, at least 2.

    Returns
    -------
    (n, steps, d) float64, unit along the last axis.
    """
    tangent = log_map(starts, ends)
    opposite = angle(starts, ends) > np.pi - 2 * _least_across(starts, ends)
    starts = np.asarray(starts, dtype=np.float64)
    if opposite.any():
        tangent[opposite] = np.pi * perpendicular(starts[opposite])
    t = np.linspace(0, 1, steps)[None, :, None]
    return exp_map(starts[:, None, :], t * tangent[:, None, :])


def mean_direction(x: np.ndarray) -> np.ndarray:
    """Unit vector along the mean of unit rows: (n, d) -> (d,) float64.

    Raises
    ------
    ShapeError
        If the rows cancel out, so that no direction is their mean.
    """
    x = np.asarray(x)
    check_vectors(x)
    mean = x.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(mean)
    if length < rounding(x):
        raise ShapeError("vectors with a mean direction", "vectors that cancel out")
    return mean / length


def frechet_mean(x: np.ndarray, *, steps: int = 100, tolerance: float = 1e-10) -> np.ndarray:
    """The point with the least sum of squared angles to the unit rows of ``x``.

    Parameters
    ----------
    x
        (n, d) floats, unit rows within a half sphere (elsewhere the mean need not be unique).
    steps
        At most so many.
    tolerance
        Radians of the last step.

    Returns
    -------
    (d,) float64, unit.
    """
    mean = mean_direction(x)
    for _ in range(steps):
        step = log_map(mean, x).mean(axis=0)
        mean = exp_map(mean, step)
        if np.linalg.norm(step) < tolerance:
            break
    return mean


def kappa(x: np.ndarray) -> float:
    """Concentration of a von Mises-Fisher distribution, R (d - R^2) / (1 - R^2); 0 is uniform, inf a single point.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.

    References
    ----------
    Mardia and Jupp, Directional Statistics, 2000; Banerjee et al., JMLR 2005.
    """
    x = np.asarray(x)
    check_vectors(x)
    return kappa_from_length(float(np.linalg.norm(x.mean(axis=0, dtype=np.float64))), x.shape[1], rounding(x))


def kappa_from_length(length: float, d: int, least: float) -> float:
    """Von Mises-Fisher concentration from the length of the mean of unit vectors in ``d`` dimensions.

    A mean less than ``least`` short of 1 is that of a single point.
    """
    return float("inf") if length > 1 - least else length * (d - length**2) / (1 - length**2)


def circle(centre: np.ndarray, radius: float, *, steps: int = 96) -> np.ndarray:
    """Edge of a cap on S^2, closed.

    Parameters
    ----------
    centre
        (3,) floats, unit.
    radius
        Angle from centre to edge, radians.
    steps
        Points on the circle, of which the last is the first again.

    Returns
    -------
    (steps, 3) float64, unit rows.
    """
    centre = np.asarray(centre, dtype=np.float64)
    e1 = perpendicular(centre)[0]
    e2 = np.cross(centre, e1)
    t = np.linspace(0, 2 * np.pi, steps)[:, None]
    return np.cos(radius) * centre + np.sin(radius) * (np.cos(t) * e1 + np.sin(t) * e2)


def inside_cap(x: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    """Which unit rows lie within ``radius`` (radians) of ``centre``: (n, d), (d,) -> (n,) bool."""
    return angle(x, centre) <= radius


def fibonacci(n: int) -> np.ndarray:
    """n points spread evenly over S^2: (n, 3) float64, unit rows.

    References
    ----------
    Gonzalez, Measurement of areas on a sphere using Fibonacci lattices, 2010, arXiv:0912.4540.
    """
    i = np.arange(n) + 0.5
    z = 1 - 2 * i / n
    longitude = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z**2)
    return np.stack([r * np.cos(longitude), r * np.sin(longitude), z], axis=1)


def graticule(*, step: float = 30.0, samples: int = 73) -> np.ndarray:
    """Meridians and parallels of S^2 about the z axis.

    Parameters
    ----------
    step
        Degrees between neighbouring lines.
    samples
        Points on each line.

    Returns
    -------
    (lines, samples, 3) float64, unit: half circles from pole to pole, then circles of latitude.
    """
    latitude = np.radians(np.linspace(-90, 90, samples))
    longitude = np.radians(np.linspace(-180, 180, samples))
    meridians = [_point(latitude, np.full(samples, np.radians(g))) for g in np.arange(-180, 180, step)]
    parallels = [_point(np.full(samples, np.radians(g)), longitude) for g in np.arange(-90 + step, 90, step)]
    return np.stack(meridians + parallels)


def _point(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    c = np.cos(latitude)
    return np.stack([c * np.cos(longitude), c * np.sin(longitude), np.sin(latitude)], axis=1)


def equal_area(x: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Lambert's equal-area picture of S^2 as a disc of radius 2, seen from ``centre``.

    Parameters
    ----------
    x
        (n, 3) floats, unit rows.
    centre
        (3,) floats, unit: what lies in the middle; its antipode becomes the rim.

    Returns
    -------
    (n, 2) float64, with |result| = 2 sin(angle to centre / 2).
    """
    least = rounding(np.asarray(centre))
    centre = np.asarray(centre, dtype=np.float64)
    up = np.array([0.0, 0.0, 1.0]) - centre * centre[2]
    length = np.linalg.norm(up)
    up = perpendicular(centre)[0] if length < least else up / length
    right = np.cross(up, centre)
    x = np.asarray(x, dtype=np.float64)
    plane = np.stack([x @ right, x @ up], axis=1)
    across = np.linalg.norm(plane, axis=1, keepdims=True)
    direction = np.where(across > least, plane / np.maximum(across, least), [1.0, 0.0])
    return direction * np.linalg.norm(x - centre, axis=1, keepdims=True)
