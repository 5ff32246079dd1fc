"""A region at other places of its picture, which are what pointing at it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.attention.prompts import boxes_of
from core.attention.regions import Box, Region, Seen
from core.attention.towers import ImageTower

if TYPE_CHECKING:
    from PIL.Image import Image

PLACES = 20


def elsewhere(region: Region, picture: tuple[int, int], seen: Seen, *, n: int = PLACES,
              seed: int = 0) -> tuple[Region, ...]:
    """The same region at other places, drawn without repetition; they may overlap it.

    Parameters
    ----------
    region : boxes or a mask, moved as a whole by whole pixels.
    picture : (width, height) in pixels.
    seen : left, top, right, bottom of what the model sees of it; no place reaches out of it.
    n : how many at most.
    seed : of the draw.

    Returns
    -------
    Fewer than ``n`` where there are fewer places; none where the region fills what is seen.
    """
    boxes = boxes_of(region, *picture)
    across = _offsets(min(b.left for b in boxes), max(b.right for b in boxes), seen[0], seen[2])
    down = _offsets(min(b.top for b in boxes), max(b.bottom for b in boxes), seen[1], seen[3])
    possible = len(across) * len(down)
    chosen = np.random.default_rng(seed).choice(possible, size=min(n + 1, possible), replace=False)
    moves = [(across[i % len(across)], down[i // len(across)]) for i in chosen.tolist()]
    moves = [move for move in moves if move != (0, 0)][:n]
    if region.mask is None:
        return tuple(Region(tuple(Box(b.left + x, b.top + y, b.right + x, b.bottom + y) for b in boxes))
                     for x, y in moves)
    return tuple(Region(mask=np.roll(region.mask, (y, x), axis=(0, 1))) for x, y in moves)


def _offsets(low: float, high: float, start: float, end: float) -> range:
    """Whole steps by which [low, high] stays within [start, end]; 0 alone where it does not fit."""
    first, last = int(np.ceil(start - low)), int(np.floor(end - high))
    return range(first, last + 1) if first < last else range(1)


def places_of(tower: ImageTower, image: Image, region: Region, *, n: int = PLACES, seed: int = 0
              ) -> tuple[Region, ...]:
    """`elsewhere` within what the model sees of a picture."""
    return elsewhere(region, image.size, tower.seen(image.size), n=n, seed=seed)
