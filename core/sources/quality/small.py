"""Very small grey pictures, by which two images are seen to show the same; each picture is read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from PIL import Image

from core.errors import Cancelled, UnreadableItem
from core.geometry.quality.likeness import SIDE
from core.settings import settings
from core.sources.images.readers import ChosenImages, FileBytes
from core.sources.memory import Memory
from core.types import Images

THREADS = 2
VERSION = "1"
_ROOMY = 4 * SIDE
_MOST = 500_000
_PART = 64


@cache
def small_memory() -> Memory:
    """The one memory of small pictures of this process, in the cache folder: by content alone, it holds no name."""
    return Memory(settings().cache / "small.sqlite", _MOST)


def small_pictures(images: Images, indices: Sequence[int], *, memory: Memory | None = None,
                   on_progress: Callable[[float, str], None] | None = None,
                   should_stop: Callable[[], bool] | None = None) -> np.ndarray:
    """Pictures as `core.geometry.quality.likeness.likeness` compares them.

    Parameters
    ----------
    images
        Reader of the pictures.
    indices
        Which of them; -1 for one of which there is no picture.
    memory
        Where they are kept; by default in the cache folder.
    on_progress, should_stop
        Called as ``on_progress(fraction, text)``; asked after every few dozen pictures.

    Returns
    -------
    (m, 24, 24) float32 in [0, 255], grey, the whole of a picture whatever its aspect; NaN where it cannot be read.

    Raises
    ------
    Cancelled
        When ``should_stop`` says so; what was read is kept.
    """
    found = np.full((len(indices), SIDE, SIDE), np.nan, np.float32)
    memory = small_memory() if memory is None else memory
    keys = {place: f"{VERSION} {hashed}" for place, index in enumerate(indices)
            if index >= 0 and (hashed := _hash(images, int(index)))}
    known = memory.recall(list(dict.fromkeys(keys.values())))
    todo = [place for place in keys if len(known.get(keys[place], b"")) != SIDE * SIDE]
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            for start in range(0, len(todo), _PART):
                if should_stop is not None and should_stop():
                    raise Cancelled(f"{start:,} of {len(todo):,} pictures were compared")
                part = todo[start:start + _PART]
                for place, made in zip(part, pool.map(lambda p: _made(images, int(indices[p])), part), strict=True):
                    if made is not None:
                        known[keys[place]] = made
                        memory.remember(keys[place], made)
                if on_progress is not None:
                    on_progress((start + len(part)) / len(todo),
                                f"{start + len(part):,} of {len(todo):,} pictures looked at")
    finally:
        memory.flush()
    for place, key in keys.items():
        if len(known.get(key, b"")) == SIDE * SIDE:
            found[place] = np.frombuffer(known[key], np.uint8).reshape(SIDE, SIDE)
    return found


def _hash(images: Images, index: int) -> str:
    try:
        return images.content_hash(index)
    except (UnreadableItem, OSError):
        return ""


def _made(images: Images, index: int) -> bytes | None:
    try:
        fast = isinstance(images, FileBytes | ChosenImages)
        picture = images.decode(index, max_side=_ROOMY) if fast else images.decode(index)  # type: ignore[call-arg]
    except (UnreadableItem, OSError):
        return None
    return picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()
