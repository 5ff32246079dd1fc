"""The figure of a picture takes as much room as the picture, and says how much of its patches a region covers."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.attention.regions import Box, Region
from core.figures import theme
from core.figures.foveal.region import LOWEST, NARROW, SHEET, canvas, taken


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("size", "room"), [((128, 128), 1.0), ((640, 320), 0.5), ((60, 400), 1.0), ((400, 1), LOWEST)])
def test_a_wide_picture_leaves_no_room_empty(size, room, dark):
    image = Image.new("RGB", size)
    seen = (0.0, 0.0, *map(float, size))
    for figure in (canvas(image, dark=dark), taken(image, None, None, None, seen, (4, 4), dark=dark)):
        margin = figure.layout.margin
        left = figure.layout.height - margin.t - margin.b
        assert abs(left - room * SHEET) < 2 and figure.layout.yaxis.constraintoward == "top", (size, left)
        assert margin.l == margin.r < 10


def test_patches_covered_in_part_are_told():
    covered = np.zeros((4, 4))
    covered[1, 1:4] = 1.0, 0.5, 0.1
    figure = taken(Image.new("RGB", (40, 40)), Region((Box(10, 10, 31, 20),)), covered, covered >= 0.5,
                   (0.0, 0.0, 40.0, 40.0), (4, 4))
    assert figure.layout.title.text == "2 of 16 patches are covered, 1 in part"
    cut = taken(Image.new("RGB", (80, 40)), Region((Box(30, 10, 51, 20),)), covered, covered >= 0.5,
                (20.0, 0.0, 60.0, 40.0), (4, 4))
    lines = cut.layout.title.text.replace("\u00a0", " ").split("<br>")
    assert " ".join(lines).endswith("1 in part; 50 % is cut away") and max(map(len, lines)) <= NARROW


def test_labels_stand_off_what_they_name():
    assert theme.template().layout.yaxis.ticklabelstandoff == theme.LABELS_OFF > 4
