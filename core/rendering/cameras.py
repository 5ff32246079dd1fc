"""Where one looks from: sets of view directions, and the pinhole camera that stands there.

The object fills the unit ball about the origin, y is up, and the camera looks at the origin. Azimuth 0 looks from +z,
azimuth 90 degrees from +x; elevation 90 degrees looks from above. It is the camera of the built-in world.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from core.errors import ShapeError, check_choice, check_vectors

FIELD_OF_VIEW = 0.70
"""Full angle of the picture, in radians; the same across and down."""
FILL = 0.94
"""Share of the picture's side that the unit ball takes."""
SPREAD = math.tan(FIELD_OF_VIEW / 2)
DISTANCE = 1 / math.sin(math.atan(FILL * SPREAD))
"""Of the camera from the origin."""
COUNTS = (8, 512)
RING_ELEVATION = 20.0
_GOLDEN = math.pi * (3 - math.sqrt(5))


def _fibonacci(n: int, seed: int) -> np.ndarray:
    """Spherical Fibonacci lattice, from above to below (Gonzalez, Mathematical Geosciences, 2010)."""
    height = 1 - (2 * np.arange(n) + 1) / n
    turn = _GOLDEN * np.arange(n)
    across = np.sqrt(1 - height**2)
    return np.stack([across * np.sin(turn), height, across * np.cos(turn)], axis=1)


def _ring(n: int, seed: int) -> np.ndarray:
    turns = 2 * np.pi * np.arange(n) / n
    return _from_angles(turns, np.full(n, math.radians(RING_ELEVATION)))


def _cube(n: int, seed: int) -> np.ndarray:
    return np.array([[0, 0, 1], [1, 0, 0], [0, 0, -1], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], dtype=np.float64)


def _ten(n: int, seed: int) -> np.ndarray:
    level = _from_angles(np.arange(8) * math.pi / 4, np.zeros(8))
    return np.concatenate([level, [[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]])


def _random(n: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(n, 3))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


CAMERA_SETS: dict[str, Callable[[int, int], np.ndarray]] = {
    "fibonacci": _fibonacci, "ring": _ring, "cube": _cube, "ten": _ten, "random": _random,
}
FIXED_COUNTS = {"cube": 6, "ten": 10}
"""Sets of a fixed number of views: the six faces of a cube, and eight from the side with one above and one below."""


def camera_set(kind: str, n: int = 64, seed: int = 0) -> np.ndarray:
    """Directions from the object to the cameras.

    Parameters
    ----------
    kind : a key of CAMERA_SETS.
    n : views, 8 to 512; of no matter to the sets in FIXED_COUNTS.
    seed : of the random directions, which are uniform on the sphere; a longer list begins with the shorter one.

    Returns
    -------
    (v, 3) float64, unit rows.

    Raises
    ------
    ChoiceError, ShapeError
        If there is no such set, or the number is out of range.

    References
    ----------
    The sets of six and ten views are those of PointCLIP (arXiv:2112.02413) and PointCLIP V2 (arXiv:2211.11682).
    """
    check_choice("camera set", kind, CAMERA_SETS)
    if kind not in FIXED_COUNTS and not COUNTS[0] <= n <= COUNTS[1]:
        raise ShapeError(f"{COUNTS[0]} to {COUNTS[1]} views", str(n))
    return CAMERA_SETS[kind](n, seed)


def _from_angles(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    return np.stack([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], 1)


def angles(directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Azimuth in [-180, 180] and elevation in [-90, 90] of (v, 3) unit directions, in degrees."""
    x, y, z = directions.T
    level = np.hypot(x, z) > 1e-9
    azimuth = np.where(level, np.degrees(np.arctan2(x, z)), 0.0)
    return azimuth, np.degrees(np.arcsin(np.clip(y, -1, 1)))


def frame(direction: np.ndarray) -> np.ndarray:
    """(3, 3) rows right, up and back of the camera that stands in a unit direction."""
    check_vectors(np.atleast_2d(np.asarray(direction, dtype=np.float64)), what="directions", unit=True)
    azimuth, _ = angles(np.asarray(direction, dtype=np.float64)[None])
    turn = math.radians(float(azimuth[0]))
    back = np.asarray(direction, dtype=np.float64)
    right = np.array([math.cos(turn), 0.0, -math.sin(turn)])
    return np.stack([right, np.cross(back, right), back])


def project(points: np.ndarray, direction: np.ndarray, size: int, distance: float = DISTANCE
            ) -> tuple[np.ndarray, np.ndarray]:
    """Where points fall in the picture.

    Parameters
    ----------
    points : (n, 3), in front of the camera.
    direction : (3,) unit, where the camera stands.
    size : side of the picture in px.
    distance : of the camera from the origin, > 1.

    Returns
    -------
    places : (n, 2) float64, px from the left and from the top; the middle of the first pixel is (0.5, 0.5).
    depth : (n,) float64, distance along the camera's axis.
    """
    across, up, back = (points @ frame(direction).T).T
    depth = distance - back
    scale = size / 2 / SPREAD / depth
    return np.stack([size / 2 + across * scale, size / 2 - up * scale], axis=1), depth


@lru_cache(maxsize=8)
def ray_grid(size: int, distance: float = DISTANCE) -> tuple[np.ndarray, np.ndarray]:
    """The pixels whose rays can meet the unit ball, and those rays in the camera's own frame.

    Returns
    -------
    pixel : (r,) int64, places in the picture, row by row.
    ray : (3, r) float32, unit columns: right, up and back.
    """
    line = (np.arange(size) + 0.5) * 2 / size - 1
    fill = math.tan(math.asin(1 / distance)) / SPREAD
    across, down = np.meshgrid(line, line)
    pixel = np.flatnonzero((across**2 + down**2 <= (fill + 3 / size) ** 2).reshape(-1))
    ray = np.stack([across.reshape(-1)[pixel] * SPREAD, -down.reshape(-1)[pixel] * SPREAD, -np.ones(len(pixel))], 1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    return pixel, np.ascontiguousarray(ray.T.astype(np.float32))


def rays(direction: np.ndarray, size: int, distance: float = DISTANCE) -> tuple[np.ndarray, np.ndarray]:
    """The pixels (r,) whose rays can meet the unit ball, and those rays (r, 3) float32, unit, in the object's frame."""
    pixel, own = ray_grid(size, distance)
    axes = frame(direction).astype(np.float32)
    out = np.empty((len(pixel), 3), np.float32)
    for k in range(3):
        out[:, k] = own[0] * axes[0, k] + own[1] * axes[1, k] + own[2] * axes[2, k]
    return pixel, out
