"""Depth pictures of clouds and meshes, near bright and far dark, for recognition without training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, ShapeError, check_choice, check_vectors
from core.rendering.drawing import SIZES_PX, drawn_in_order
from core.rendering.samples import averaged
from core.rendering.surfaces import CloudSurface, surface_of
from core.sources.meshes.mesh import Cloud, Mesh

DEPTH_GROUNDS = {"black": 0.0, "white": 1.0}
_FAR = 0.25
_SAMPLES = 2
_CLOSED = 1.15


@dataclass(frozen=True, eq=False)
class DepthViews:
    """Depth pictures and what was drawn in them.

    Attributes
    ----------
    pictures : (v, size, size, 3) uint8, grey.
    drawn : (v, size, size) bool, pixels of which the object covers half or more; of one that covers no half, those
        that it touches.
    """

    pictures: np.ndarray
    drawn: np.ndarray


def depth_views(shape: Mesh | Cloud, directions: np.ndarray, *, size: int = 224, up: str = "y",
                background: str = "black", smooth: float = 1.0, on_progress: Callable[[float, str], None] | None = None,
                should_stop: Callable[[], bool] | None = None) -> DepthViews:
    """Depth pictures of an object, and its foreground in them.

    Points are drawn as discs that close the gaps between them; in each view the nearest place is white, the farthest
    at a quarter of the grey scale.

    Parameters
    ----------
    shape : the object, as it was brought.
    directions : (v, 3) unit rows: `core.rendering.cameras.camera_set` of "cube" (six) or "ten", or any others.
    size : side of the picture in px, 32 to 1024.
    up : which axis of the object points up, y or z.
    background : black or white.
    smooth : standard deviation of a Gaussian over the depth, in px of a picture of 224 px; 0 for none.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between views.

    Raises
    ------
    ShapeError, ChoiceError
        If the size or the directions are out of range, or a name is unknown.
    Cancelled
        If asked to stop.

    References
    ----------
    PointCLIP, arXiv:2112.02413 (six views); PointCLIP V2, arXiv:2211.11682 (ten, closed and smoothed).
    """
    check_vectors(np.asarray(directions, dtype=np.float64), what="directions", unit=True)
    check_choice("background", background, DEPTH_GROUNDS)
    if not SIZES_PX[0] <= size <= SIZES_PX[1]:
        raise ShapeError(f"an image size from {SIZES_PX[0]} to {SIZES_PX[1]} px", str(size))
    surface = surface_of(shape, up)
    if isinstance(surface, CloudSurface):
        surface = CloudSurface(surface.cloud, dot=_CLOSED)
    sigma, ground = smooth * size / 224, DEPTH_GROUNDS[background]

    def draw(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from scipy.ndimage import gaussian_filter

        seen = surface.seen(direction, size * _SAMPLES, own_colours=False)
        low, high = float(seen.depth.min()), float(seen.depth.max())
        grey = 1 - (1 - _FAR) * (seen.depth - low) / max(high - low, 1e-6)
        cover, total = averaged(seen.pixel, size, _SAMPLES, grey)
        drawn = cover >= min(0.5, float(cover.max()))
        if sigma > 0:
            cover, total = gaussian_filter(cover, sigma), gaussian_filter(total, sigma)
        picture = total + (1 - cover) * ground
        return np.repeat((picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)[..., None], 3, axis=2), drawn

    out = np.empty((len(directions), size, size, 3), np.uint8)
    masks = np.empty((len(directions), size, size), bool)
    for i, (picture, drawn) in enumerate(drawn_in_order(draw, directions)):
        out[i], masks[i] = picture, drawn
        if on_progress is not None:
            on_progress((i + 1) / len(out), f"{i + 1:,} of {len(out):,} depth pictures of {shape.name} drawn")
        if should_stop is not None and should_stop() and i + 1 < len(out):
            raise Cancelled(f"{i + 1:,} depth pictures")
    return DepthViews(out, masks)
