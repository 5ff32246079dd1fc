"""What every way of mapping gives back, and the last step they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.types import Number

Place = Callable[[np.ndarray], np.ndarray]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Placed:
    """What a way of mapping found.

    Attributes
    ----------
    coords : (n, 3) float32, unit rows.
    place : (m, d) unit vectors -> (m, 3) float32, unit rows, on the same map.
    parameters : what it used.
    variance : share of the squared length that the three directions hold, for linear maps.
    """

    coords: np.ndarray
    place: Place
    parameters: Mapping[str, object]
    variance: Number | None = None


def onto_sphere(flat: np.ndarray, least: float) -> np.ndarray:
    """Divide (n, 3) rows by their lengths; a row shorter than ``least`` goes to the first axis. float32."""
    flat = np.asarray(flat, dtype=np.float64)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    lost = lengths[:, 0] < least
    out = flat / np.maximum(lengths, least)
    out[lost] = (1.0, 0.0, 0.0)
    return out.astype(np.float32)
