"""What lies in a picture, as boxes or pixels; polygons and run lengths to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

MOST_PIXELS = 25_000_000    # of a mask
MOST_CORNERS = 20_000       # of the polygons of a picture
MOST_CROSSED = 2_000_000    # rows that their edges cross, together: what filling them costs
_BITS, _MORE, _SIGN = 0x1F, 0x20, 0x10
_FIRST_LETTER = 48


@dataclass(frozen=True, eq=False)
class Outline:
    """A part of a picture.

    Attributes
    ----------
    boxes : left, top, right, bottom in pixels, each.
    mask : (height, width) bool of the picture; None where boxes say it.
    """

    boxes: tuple[tuple[float, float, float, float], ...] = ()
    mask: np.ndarray | None = None


def resized(mask: np.ndarray, width: int, height: int) -> np.ndarray:
    """A mask (h, w) bool at another size, the nearest pixel each; what is marked does not vanish altogether."""
    if mask.shape == (height, width):
        return mask
    out = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST), dtype=bool)
    if not out.any() and mask.any():
        rows, columns = np.nonzero(mask)
        out = out.copy()
        out[rows * height // mask.shape[0], columns * width // mask.shape[1]] = True
    return out


def filled(polygons: Sequence[Sequence[float]], width: int, height: int, scale: tuple[float, float] = (1.0, 1.0)
           ) -> np.ndarray:
    """(height, width) bool, what lies in any of some polygons x, y, x, y, ... after they are scaled.

    Raises
    ------
    ValueError
        If one has fewer than three corners, an odd count of numbers, or one that is none; if together they have more
        than `MOST_CORNERS` corners, or zigzag over the rows so often that filling them would take long.
    """
    picture = Image.new("1", (width, height))
    pen = ImageDraw.Draw(picture)
    scaled = [(corners_of(polygon) * scale).clip(-1, (width + 1, height + 1)) for polygon in polygons]
    if (n := sum(map(len, scaled))) > MOST_CORNERS:
        raise ValueError(f"its polygons have {n:,} corners; the limit is {MOST_CORNERS:,}")
    if sum(np.abs(np.diff(corners[:, 1])).sum() for corners in scaled) > MOST_CROSSED:
        raise ValueError("its polygons zigzag too often to be filled")
    for corners in scaled:
        pen.polygon([tuple(corner) for corner in corners.tolist()], fill=1)
    return np.asarray(picture, dtype=bool)


def corners_of(polygon: Sequence[float]) -> np.ndarray:
    """(n, 2) float64 of a polygon x, y, x, y, ...; ValueError as `filled`."""
    found = np.asarray(polygon, dtype=np.float64)
    if found.ndim != 1 or len(found) < 6 or len(found) % 2 or not np.isfinite(found).all():
        raise ValueError("a polygon is x, y, x, y, ... of three corners or more")
    return found.reshape(-1, 2)


def run_lengths(letters: str) -> list[int]:
    """The counts of COCO's packed run lengths: five bits a letter, low ones first, from the third on as a difference.

    Raises
    ------
    ValueError
        If the text ends within a number, or holds a letter that is none of them.

    References
    ----------
    Lin et al. 2014, COCO, arXiv:1405.0312; maskApi.c of its tools (rleFrString).
    """
    counts: list[int] = []
    value, shift = 0, 0
    for letter in letters:
        bits = ord(letter) - _FIRST_LETTER
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError("the packed run lengths hold a letter that stands for none")
        value |= (bits & _BITS) << shift
        shift += 5
        if bits & _MORE:
            continue
        if bits & _SIGN:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value, shift = 0, 0
    if shift:
        raise ValueError("the packed run lengths end within a number")
    return counts


def from_runs(counts: Sequence[int], height: int, width: int) -> np.ndarray:
    """(height, width) bool of run lengths down the columns, the first of what is outside.

    Raises
    ------
    ValueError
        If they do not add up to all pixels, or one is below 0.
    """
    runs = np.asarray(counts)
    pixels = height * width
    if runs.ndim != 1 or runs.dtype.kind not in "iu" or (runs < 0).any() or (runs > pixels).any() \
            or int(runs.sum()) != pixels:
        raise ValueError(f"the run lengths do not add up to {height} x {width} pixels")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T
