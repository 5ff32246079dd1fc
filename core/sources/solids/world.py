"""The built-in world as a dataset: scenes rendered when they are looked at, a caption each, attributes as columns."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import pandas as pd
from PIL import Image

from core.errors import ShapeError
from core.sources.solids.captions import attributes, full_caption
from core.sources.solids.render import RENDERER_VERSION, render
from core.sources.solids.scene import Scene, sample_scenes
from core.types import Dataset, fingerprint

CHUNK = 32
CHUNKS_AT_ONCE = min(8, os.cpu_count() or 1)
CACHE_PIXELS = 64_000_000


class SceneImages:
    """Images of scenes, rendered a chunk at a time; the chunks used last stay in memory."""

    def __init__(self, scenes: Sequence[Scene], size: int) -> None:
        self.scenes, self.size = tuple(scenes), size
        self._chunks: OrderedDict[int, np.ndarray] = OrderedDict()
        self._room = max(2 * CHUNKS_AT_ONCE, CACHE_PIXELS // (CHUNK * size * size))
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.scenes)

    def content_hash(self, index: int) -> str:
        return fingerprint("render", RENDERER_VERSION, self.size, self.scenes[index].fingerprint)

    def decode(self, index: int, *, alone: bool = False) -> Image.Image:
        """The picture of a scene; the scenes after it are rendered with it, unless it is wanted ``alone``."""
        chunk = index // CHUNK
        with self._lock:
            if chunk not in self._chunks:
                if alone:
                    return Image.fromarray(render([self.scenes[index]], self.size).images[0])
                pictures = render(self.scenes[chunk * CHUNK:(chunk + CHUNKS_AT_ONCE) * CHUNK], self.size).images
                for k in range(0, len(pictures), CHUNK):
                    self._chunks[chunk + k // CHUNK] = pictures[k:k + CHUNK]
            self._chunks.move_to_end(chunk)
            while len(self._chunks) > self._room:
                self._chunks.popitem(last=False)
            return Image.fromarray(self._chunks[chunk][index % CHUNK])


def scenes_dataset(scenes: Sequence[Scene], captions: Sequence[str], *, name: str, size: int = 128,
                   table: pd.DataFrame | None = None) -> Dataset:
    """Scenes and a caption for each as a dataset; ``table`` adds columns to the scenes' attributes."""
    rows = pd.DataFrame([{"label": s.solids[0].shape, **attributes(s), "held_out": s.held_out} for s in scenes])
    if table is not None:
        rows = pd.concat([rows, table.reset_index(drop=True)], axis=1)
    digits = len(str(max(len(scenes) - 1, 1)))
    links = np.repeat(np.arange(len(scenes)), 2).reshape(-1, 2)
    return Dataset(name=name, image_ids=tuple(f"scene {i:0{digits}d}" for i in range(len(scenes))),
                   images=SceneImages(scenes, size),
                   text_ids=tuple(f"caption {i:0{digits}d}" for i in range(len(scenes))),
                   texts=tuple(captions), links=links, image_table=rows, text_table=rows.copy())


def open_world(n: int = 600, seed: int = 0, size: int = 128, *, count: int | None = None,
               held_out: bool | None = None) -> Dataset:
    """A seeded sample of the built-in world; a larger sample begins with the smaller one.

    Parameters
    ----------
    n : scenes, each with one caption that names every attribute.
    seed : which sample.
    size : px, 64 to 512.
    count : solids in a scene, or None for one to three.
    held_out : True for combinations the built-in model never saw, False for those it may have seen, None for all.

    Raises
    ------
    ShapeError
        If ``n < 1`` or the size is out of range.
    """
    if n < 1:
        raise ShapeError("at least one scene", str(n))
    scenes = sample_scenes(n, seed, count=count, held_out=held_out)
    return scenes_dataset(scenes, [full_caption(s) for s in scenes], name=f"Built-in world, {n:,} scenes, seed {seed}",
                          size=size)
