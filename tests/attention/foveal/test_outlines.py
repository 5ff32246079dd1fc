"""Boxes and outlines as text: read back as they were written, refused in words, simplified and filled."""

from __future__ import annotations

import numpy as np
import pytest

from core.attention.foveal.outlines import (
    MOST_CORNERS,
    filled,
    read_boxes,
    read_outlines,
    simplified,
    write_boxes,
    write_outlines,
)
from core.attention.regions import Box
from core.errors import ShapeError


def test_boxes_and_outlines_are_read_back_as_they_were_written():
    boxes = (Box(0, 1.5, 20, 30.1), Box(7, 8, 9, 10))
    assert read_boxes(write_boxes(boxes)) == boxes
    assert read_boxes("\n (1; 2; 3; 4) \n\n[5 6\t7 8]") == (Box(1, 2, 3, 4), Box(5, 6, 7, 8))
    outlines = (((0.0, 0.0), (10.5, 0.0), (5.0, 8.0)), ((1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0)))
    assert read_outlines(write_outlines(outlines)) == outlines
    assert read_boxes("") == () and read_outlines("\n") == ()


@pytest.mark.parametrize("line", ["1 2 3", "1 2 3 4 5", "a b c d", "1 2 3 inf", "nan 2 3 4"])
def test_a_line_that_is_no_box_is_named(line: str):
    with pytest.raises(ShapeError, match="in line 2 4 numbers"):
        read_boxes(f"1 2 3 4\n{line}")


def test_outlines_have_three_corners_to_a_bound():
    for bad in ("1,1 2,2", "1,1 2,2 3", " ".join(["1,1"] * (MOST_CORNERS + 1))):
        with pytest.raises(ShapeError, match="corners in outline 1"):
            read_outlines(bad)
    with pytest.raises(ShapeError, match="at most 20 outlines"):
        read_outlines("\n".join(["0,0 1,0 1,1"] * 21))


def test_a_circle_of_many_corners_keeps_its_area_when_it_is_simplified():
    turns = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = tuple(zip((50 + 40 * np.cos(turns)).tolist(), (50 + 40 * np.sin(turns)).tolist()))
    fewer = simplified(circle)
    assert len(fewer) == MOST_CORNERS and set(fewer) <= set(circle)
    whole, less = (filled([corners], (), 100, 100).sum() for corners in (circle, fewer))
    assert abs(whole - np.pi * 40**2) < 0.03 * whole and abs(less - whole) < 0.02 * whole
    assert simplified(circle[:3]) == circle[:3]


def test_outlines_and_boxes_are_filled_together_and_cut_at_the_edge():
    mask = filled([((0, 0), (9, 0), (9, 4), (0, 4))], (Box(15, -5, 40, 3),), 20, 10)
    assert mask.shape == (10, 20) and mask[:5, :10].all() and mask[:3, 15:].all()
    assert mask.sum() == 50 + 15
