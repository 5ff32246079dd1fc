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
    place_texts : as ``place``, where texts are placed in another way than images.
    """

    coords: np.ndarray
    place: Place
    parameters: Mapping[str, object]
    variance: Number | None = None
    place_texts: Place | None = None


def part(on_progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Progress of one part of some work, from ``start`` to ``stop`` of the whole."""
    if on_progress is None:
        return None
    return lambda fraction, text: on_progress(start + (stop - start) * fraction, text)


def onto_sphere(flat: np.ndarray, least: float) -> np.ndarray:
    """Divide (n, 3) rows by their lengths; a row shorter than ``least`` goes to the first axis. float32."""
    flat = np.asarray(flat, dtype=np.float64)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    lost = lengths[:, 0] < least
    out = flat / np.maximum(lengths, least)
    out[lost] = (1.0, 0.0, 0.0)
    return out.astype(np.float32)
