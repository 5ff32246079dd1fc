"""Films of the built-in world, rendered as they are looked at."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from core.sources.films.file import FilmFile, look_at
from core.sources.films.film import Film
from core.sources.films.sampling import Sampling
from core.sources.solids.films import Film as SolidsFilm
from core.sources.solids.films import frames
from core.sources.solids.render import RENDERER_VERSION
from core.types import fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

_KEPT_PIXELS = 192 * 128 * 128
VERSION = 1


class MadeFrames:
    """The frames of a film of the built-in world; thread-safe, fastest in rising order, the last ones kept."""

    def __init__(self, film: SolidsFilm, size: int) -> None:
        self.film, self.size = film, size
        self._content = fingerprint("film of the world", VERSION, RENDERER_VERSION, size, dataclasses.asdict(film))
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()
        self._room = max(16, _KEPT_PIXELS // (size * size))
        self._source: Iterator[np.ndarray] = iter(())
        self._next = len(film)

    def __len__(self) -> int:
        return len(self.film)

    def content_hash(self, index: int) -> str:
        """Hash of the film's scenes, the size and the frame's number."""
        return fingerprint("frame of the world", self._content, index)

    def decode(self, index: int) -> Image:
        """The frame, rendered with those before it that are not yet there."""
        from PIL import Image

        with self._lock:
            if index not in self._kept:
                if index < self._next:
                    self._source, self._next = frames(self.film, self.size), 0
                while self._next <= index:
                    self._kept[self._next] = next(self._source)
                    self._kept.move_to_end(self._next)
                    self._next += 1
                    while len(self._kept) > self._room:
                        self._kept.popitem(last=False)
            return Image.fromarray(self._kept[index])


def world_file(film: SolidsFilm, size: int = 128, *, name: str | None = None) -> FilmFile:
    """A film of the built-in world as one that was opened, so that other frames of it can be looked at."""
    pictures = MadeFrames(film, size)
    return FilmFile(name or film.kind, np.asarray(film.times, dtype=np.float64), pictures._content,
                    len(film) / film.fps, film.fps, labels=(film.kind,), pictures=pictures)


def world_film(film: SolidsFilm, size: int = 128, *, name: str | None = None) -> Film:
    """A film of the built-in world of which all frames are looked at.

    Parameters
    ----------
    film : as `core.sources.solids.films.make_film` makes it.
    size : pixels a side.
    name : what a user calls it; its kind by default.

    Returns
    -------
    A film whose only label is its kind.
    """
    return look_at(world_file(film, size, name=name), Sampling("all"))
