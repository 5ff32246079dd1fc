"""Very small pictures, grey ones or in colour; each picture is read once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from PIL import Image

from core.errors import Cancelled, UnreadableItem
from core.settings import settings
from core.sources.images.readers import ChosenImages, FileBytes
from core.sources.memory import Memory
from core.types import Images

THREADS = 2
VERSION = "1"
_ROOMY = 4
_MOST = 500_000
_PART = 64


@cache
def small_memory() -> Memory:
    """The one memory of small pictures of this process, in the cache folder: by content alone, it holds no name."""
    return Memory(settings().cache / "small.sqlite", _MOST)


def small_pictures(images: Images, indices: Sequence[int], side: int, *, colour: bool = False,
                   memory: Memory | None = None,
                   on_progress: Callable[[float, str], None] | None = None,
                   should_stop: Callable[[], bool] | None = None) -> np.ndarray:
    """Pictures averaged to a few pixels.

    Parameters
    ----------
    images
        Reader of the pictures.
    indices
        Which of them; -1 for one of which there is no picture.
    side
        Of the small pictures, pixels.
    colour
        RGB instead of grey.
    memory
        Where they are kept; by default in the cache folder.
    on_progress, should_stop
        Called as ``on_progress(fraction, text)``; asked after every few dozen pictures.

    Returns
    -------
    (m, side, side), in colour (m, side, side, 3), float32 in [0, 255]: the whole of a picture whatever its aspect; NaN
    where it cannot be read.

    Raises
    ------
    Cancelled
        When ``should_stop`` says so; what was read is kept.
    """
    shape, mode = ((side, side, 3), "RGB") if colour else ((side, side), "L")
    size = math.prod(shape)
    found = np.full((len(indices), *shape), np.nan, np.float32)
    memory = small_memory() if memory is None else memory
    keys = {place: f"{VERSION} {mode} {side} {hashed}" for place, index in enumerate(indices)
            if index >= 0 and (hashed := _hash(images, int(index)))}
    known = memory.recall(list(dict.fromkeys(keys.values())))
    todo = [place for place in keys if len(known.get(keys[place], b"")) != size]
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            for start in range(0, len(todo), _PART):
                if should_stop is not None and should_stop():
                    raise Cancelled(f"{start:,} of {len(todo):,} pictures were read")
                part = todo[start:start + _PART]
                small = pool.map(lambda place: _made(images, int(indices[place]), side, mode), part)
                for place, made in zip(part, small, strict=True):
                    if made is not None:
                        known[keys[place]] = made
                        memory.remember(keys[place], made)
                if on_progress is not None:
                    on_progress((start + len(part)) / len(todo),
                                f"{start + len(part):,} of {len(todo):,} pictures looked at")
    finally:
        memory.flush()
    for place, key in keys.items():
        if len(known.get(key, b"")) == size:
            found[place] = np.frombuffer(known[key], np.uint8).reshape(shape)
    return found


def _hash(images: Images, index: int) -> str:
    try:
        return images.content_hash(index)
    except (UnreadableItem, OSError):
        return ""


def _made(images: Images, index: int, side: int, mode: str) -> bytes | None:
    try:
        fast = isinstance(images, FileBytes | ChosenImages)
        picture = images.decode(index, max_side=_ROOMY * side) if fast else images.decode(index)  # type: ignore[call-arg]
    except (UnreadableItem, OSError):
        return None
    return picture.convert(mode).resize((side, side), Image.Resampling.BOX).tobytes()
