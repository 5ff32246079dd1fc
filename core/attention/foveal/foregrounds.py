"""The foreground of each picture: of the built-in world's scenes, of a file, or one region for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from core.attention.foveal.classifying import RegionOf, region_of
from core.attention.regions import Box, Region
from core.errors import check_choice
from core.sources.foveal.masks import RegionFile
from core.sources.foveal.outlines import resized
from core.sources.reasons import refuse
from core.sources.solids.scene import Scene
from core.sources.solids.seen import solids_seen

KINDS = ("box", "pixels", "all boxes")
CHUNK = 64


def of_world(scenes: Sequence[Scene], ids: Sequence[str], kind: str, *, rows: Sequence[int] | None = None,
             size: int = 128) -> RegionOf:
    """Where the solids of scenes are seen, found a chunk at a time.

    Parameters
    ----------
    scenes, ids : n scenes and the names of their pictures; the first solid of a scene is the one its attributes name.
    kind : of KINDS: the first solid's box or its pixels, or a box about each solid.
    rows : those that will be asked, in that order; None for all.
    size : of the pictures, px.

    Raises
    ------
    ChoiceError
        If the kind is unknown.
    """
    check_choice("kind", kind, KINDS)
    order = list(range(len(scenes))) if rows is None else [int(row) for row in rows]
    place = {row: i for i, row in enumerate(order)}
    held: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def region(row: int, picture: Image.Image) -> Region:
        if row not in held:
            some = order[place[row] // CHUNK * CHUNK:][:CHUNK]
            which, boxes = solids_seen([scenes[i] for i in some], size)
            held.clear()
            held.update(zip(some, zip(which, boxes)))
        which, boxes = held[row]
        if kind == "pixels":
            if not (which == 1).any():
                raise refuse(ids[row], "the solid that its attributes name is hidden by others", "region")
            return Region(mask=resized(which == 1, *picture.size))
        seen = boxes[:1] if kind == "box" else boxes
        seen = seen[np.isfinite(seen).all(axis=1)] * np.array([*picture.size, *picture.size]) / size
        if not len(seen):
            raise refuse(ids[row], "the solid that its attributes name is hidden by others", "region")
        return Region(tuple(Box(*box) for box in seen.tolist()))

    return region


def of_file(found: RegionFile, ids: Sequence[str]) -> RegionOf:
    """What a file marks in each image, by the image's name."""
    return lambda row, picture: region_of(found.outline(ids[row], *picture.size))


def of_all(region: Region, size: tuple[int, int]) -> RegionOf:
    """The region of one picture of (width, height) pixels in every picture, at its place in the whole."""
    def scaled(row: int, picture: Image.Image) -> Region:
        if region.mask is not None:
            return Region(mask=resized(region.mask, *picture.size))
        across, down = picture.width / size[0], picture.height / size[1]
        return Region(tuple(Box(b.left * across, b.top * down, b.right * across, b.bottom * down)
                            for b in region.boxes))

    return scaled
