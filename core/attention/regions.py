"""A region of a picture, and how much of each patch of an image tower it covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.errors import ShapeError

MOST_BOXES = 400

Seen = tuple[float, float, float, float]
"""Left, top, right, bottom of what a model's preprocessing leaves of a picture, in pixels of the picture."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of an upright picture: left, top, right, bottom; the last two just outside."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """In square pixels."""
        return max(self.right - self.left, 0.0) * max(self.bottom - self.top, 0.0)

    def within(self, width: int, height: int) -> Box:
        """The part of the box that lies in a picture of this size.

        Raises
        ------
        ShapeError
            If a side is not a number, the box has no area, or none of it lies in the picture.
        """
        sides = self.left, self.top, self.right, self.bottom
        said = "left {:.5g}, top {:.5g}, right {:.5g}, bottom {:.5g}".format(*sides)
        if not np.isfinite(sides).all():
            raise ShapeError("a box whose sides are numbers", said)
        if self.right <= self.left or self.bottom <= self.top:
            raise ShapeError("a box with an area: its right side right of its left, its bottom below its top", said,
                             "A box is left, top, right, bottom in pixels; COCO files say left, top, width, height.")
        cut = Box(max(self.left, 0.0), max(self.top, 0.0), min(self.right, float(width)),
                  min(self.bottom, float(height)))
        if cut.right <= cut.left or cut.bottom <= cut.top:
            raise ShapeError(f"a box that lies in the picture of {width} x {height} pixels", said)
        return cut


@dataclass(frozen=True, eq=False)
class Region:
    """What is looked at: boxes, or pixels.

    Attributes
    ----------
    boxes : each is one centre of sight; may reach over the edge of the picture.
    mask : (height, width) bool, pixels of the picture; None where boxes say it.
    """

    boxes: tuple[Box, ...] = ()
    mask: np.ndarray | None = None

    def __post_init__(self) -> None:
        if (self.mask is None) == (not self.boxes):
            raise ShapeError("boxes or a mask", "both" if self.boxes else "neither")
        if len(self.boxes) > MOST_BOXES:
            raise ShapeError(f"at most {MOST_BOXES} boxes in one region", f"{len(self.boxes):,}")
        if self.mask is not None and (self.mask.ndim != 2 or self.mask.dtype != bool or not self.mask.any()):
            raise ShapeError("a mask (height, width) of True and False with a True in it",
                             f"{self.mask.dtype} {self.mask.shape}, {int(self.mask.sum())} set")


def intersection_over_union(a: Box, b: Box) -> float:
    """Shared area over joint area, in [0, 1]."""
    shared = Box(max(a.left, b.left), max(a.top, b.top), min(a.right, b.right), min(a.bottom, b.bottom)).area
    joint = a.area + b.area - shared
    return shared / joint if joint else 0.0


def shares(region: Region, picture: tuple[int, int], seen: Seen, grid: tuple[int, int]) -> np.ndarray:
    """How much of each patch a region covers, each box by itself.

    Parameters
    ----------
    region
        Of a picture.
    picture
        (width, height) in pixels.
    seen
        What the model sees of it.
    grid
        (rows, columns) of patches.

    Returns
    -------
    (k, rows, columns) float64 in [0, 1], one layer a box or one for a mask. What the preprocessing cuts away covers
    nothing.

    Raises
    ------
    ShapeError
        If a box is out of the picture or has no area, a mask is of another size, or the preprocessing cuts all of a
        box or mask away.
    """
    width, height = picture
    if region.mask is not None:
        if region.mask.shape != (height, width):
            raise ShapeError(f"a mask of the picture's size, {height} rows of {width}", f"one of {region.mask.shape}")
        grey = Image.fromarray(region.mask.astype(np.float32))
        layers = [np.asarray(grey.resize((grid[1], grid[0]), Image.Resampling.BOX, box=seen), dtype=np.float64)]
    else:
        layers = [_of_box(box.within(width, height), seen, grid) for box in region.boxes]
    for layer in layers:
        if layer.max() <= 0:
            raise ShapeError("a region that the model sees", "one that its preprocessing cuts away",
                             "The model sees the middle of the picture: {:.0f}, {:.0f} to {:.0f}, {:.0f}."
                             .format(*seen))
    return np.clip(np.stack(layers), 0.0, 1.0)


def _of_box(box: Box, seen: Seen, grid: tuple[int, int]) -> np.ndarray:
    def along(low: float, high: float, start: float, end: float, n: int) -> np.ndarray:
        edges = np.linspace(start, end, n + 1)
        over = np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1])
        return np.clip(over, 0.0, None) / np.diff(edges)

    return np.outer(along(box.top, box.bottom, seen[1], seen[3], grid[0]),
                    along(box.left, box.right, seen[0], seen[2], grid[1]))
