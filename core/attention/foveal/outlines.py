"""Boxes and outlines as a person writes or draws them: lines of numbers, and polygons that become masks."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from core.attention.prompts import mask_of
from core.attention.regions import MOST_BOXES, Box, Region
from core.errors import ShapeError
from core.sources.foveal.outlines import filled as rasterised

MOST_CORNERS = 48
MOST_OUTLINES = 20
_BETWEEN = re.compile(r"[\s,;]+")

Outline = tuple[tuple[float, float], ...]
"""Corners of a polygon, x and y in pixels of an upright picture; the last is joined to the first."""


def read_boxes(text: str) -> tuple[Box, ...]:
    """Boxes as text: left, top, right, bottom in pixels, one a line; empty lines are left out.

    Raises
    ------
    ShapeError
        If a line is not four finite numbers, or there are more than `MOST_BOXES`.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > MOST_BOXES:
        raise ShapeError(f"at most {MOST_BOXES} boxes, one a line", f"{len(lines):,} lines")
    return tuple(Box(*_numbers(line, f"line {number}", 4)) for number, line in lines)


def write_boxes(boxes: Sequence[Box]) -> str:
    """What `read_boxes` reads, to a tenth of a pixel."""
    return "\n".join(", ".join(f"{round(side, 1):g}" for side in (box.left, box.top, box.right, box.bottom))
                     for box in boxes)


def read_outlines(text: str) -> tuple[Outline, ...]:
    """Polygons as text: x and y of each corner in pixels, all of one polygon on a line.

    Raises
    ------
    ShapeError
        If a line is not at least three pairs of finite numbers and at most `MOST_CORNERS`, or there are more than
        `MOST_OUTLINES` lines.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > MOST_OUTLINES:
        raise ShapeError(f"at most {MOST_OUTLINES} outlines, one a line", f"{len(lines):,} lines")
    found = []
    for number, line in lines:
        sides = _numbers(line, f"outline {number}", None)
        if len(sides) % 2 or not 6 <= len(sides) <= 2 * MOST_CORNERS:
            raise ShapeError(f"x and y of 3 to {MOST_CORNERS} corners in outline {number}", f"{len(sides)} numbers")
        found.append(tuple(zip(sides[::2], sides[1::2])))
    return tuple(found)


def write_outlines(outlines: Sequence[Outline]) -> str:
    """What `read_outlines` reads, to a tenth of a pixel."""
    return "\n".join(" ".join(f"{round(x, 1):g},{round(y, 1):g}" for x, y in corners) for corners in outlines)


def simplified(corners: Outline, most: int = MOST_CORNERS) -> Outline:
    """A polygon of at most so many corners: those whose triangle with their neighbours is smallest are dropped first.

    References
    ----------
    Visvalingam and Whyatt 1993, Line generalisation by repeated elimination of points.
    """
    kept = list(dict.fromkeys(corners))
    while len(kept) > max(most, 3):
        place = np.array(kept)
        before, after = np.roll(place, 1, axis=0) - place, np.roll(place, -1, axis=0) - place
        kept.pop(int(np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]).argmin()))
    return tuple(kept)


def filled(outlines: Sequence[Outline], boxes: Sequence[Box], width: int, height: int) -> np.ndarray:
    """(height, width) bool: the pixels of a picture that lie in any of the polygons or boxes."""
    flat = [np.ravel(corners).tolist() for corners in outlines]
    return rasterised(flat, width, height) | (mask_of(Region(tuple(boxes)), width, height) if boxes else False)


def _numbers(line: str, where: str, n: int | None) -> tuple[float, ...]:
    parts = [part for part in _BETWEEN.split(line.strip("()[]{} \t,;")) if part]
    try:
        found = tuple(float(part) for part in parts)
    except ValueError:
        found = ()
    if not found or (n is not None and len(found) != n) or not np.isfinite(found).all():
        wanted = f"{n} numbers: left, top, right, bottom" if n else "numbers: x and y of each corner"
        raise ShapeError(f"in {where} {wanted}", repr(line[:60]), "In pixels, with a point as decimal mark.")
    return found
