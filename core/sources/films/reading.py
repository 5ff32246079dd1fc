"""Frames of a film's file as images: named without decoding, decoded by one pipe of ffmpeg in rising order.

A frame's hash comes from the file's content and the frame's time, so that a look-up decodes nothing and a run that is
taken up again begins to decode near the first frame that is missing. ffmpeg decodes, picks the frames by their times,
scales them and says the time of each, so that picture and number always agree. Frames are scaled as Pillow's bicubic
filter does, which moves the vector of a picture a little: by 2 to 5 degrees in the photo model, where the frames of a
film lie 44 degrees apart.
"""

from __future__ import annotations

import threading
import weakref
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.sources.films.film import clock
from core.sources.films.pipes import REACH, Pipes, Wanted, shown_at
from core.sources.films.probing import Header
from core.sources.images.hashes import stamp_of
from core.sources.reasons import refuse
from core.types import fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 1
_MOST_FILLED, _FILLED_SECONDS = 40, 10


class FilmFrames:
    """Some frames of a film's file; thread-safe, fastest when asked in rising order.

    Parameters
    ----------
    path : the file.
    header : what `core.sources.films.probing.probe` said of it.
    numbers : (n,) int64, which frames, strictly rising.
    size : pixels of the shorter side; smaller frames stay as they are.
    content : sha256 (hex) of the file.
    name : what a message calls it.
    keep : anything that must live as long as the frames, such as a temporary file.
    """

    def __init__(self, path: Path, header: Header, numbers: np.ndarray, *, size: int, content: str, name: str,
                 keep: object = None) -> None:
        self.path, self.header, self.content, self.name = path, header, content, name
        self.numbers = np.asarray(numbers, dtype=np.int64)
        self.width, self.height = scaled(header.width, header.height, size)
        self._wanted = Wanted(path, header, self.numbers, self.width, self.height)
        self._keep = keep
        self._lock = threading.Lock()
        self._filled: dict[int, bytes | None] = {}
        self._fillings = 0
        self._pipes = Pipes(self._wanted, _Unchanged(path, name))
        weakref.finalize(self, self._pipes.close)

    def __len__(self) -> int:
        return len(self.numbers)

    def content_hash(self, index: int) -> str:
        """sha256 (hex) of the file's hash, the frame's time and the size at which it is read; nothing is decoded."""
        at = Fraction(int(self._wanted.pts[index])) * self.header.base
        return fingerprint("frame of a film", VERSION, self.content, str(at), self.width, self.height)

    def decode(self, index: int) -> Image:
        """The frame, upright, with square pixels, RGB, transparency laid on white; raises UnreadableItem.

        Where the film has no picture of its own at a frame's time, it is the one that a player still shows.
        """
        data = None if index in self._filled else self._pipes.frame(index)
        if data is None:
            data = self._shown_before(index)
        if data is None:
            raise refuse(f"{self.name} at {clock(self._wanted.time(index))}", "no picture can be unpacked there",
                         "frame")
        return self._picture(data)

    def at_size(self, size: int) -> FilmFrames:
        """The same frames with another shorter side."""
        return self.of_numbers(self.numbers, size)

    def of_numbers(self, numbers: np.ndarray, size: int) -> FilmFrames:
        """Other frames of the same file, by their numbers in it, with a shorter side."""
        return FilmFrames(self.path, self.header, numbers, size=size, content=self.content, name=self.name,
                          keep=self._keep)

    def close(self) -> None:
        """End what decodes; the next `decode` begins anew."""
        self._pipes.close()

    def _picture(self, data: bytes) -> Image:
        from PIL import Image

        if not self.header.alpha:
            return Image.frombytes("RGB", (self.width, self.height), data)
        seen = Image.frombytes("RGBA", (self.width, self.height), data)
        white = Image.new("RGB", seen.size, "white")
        white.paste(seen, mask=seen.getchannel("A"))
        return white

    def _shown_before(self, index: int) -> bytes | None:
        """The picture that a player shows at the time of a packet that has none; found for the next ones with it."""
        with self._lock:
            if index not in self._filled and self._fillings < _MOST_FILLED:
                self._fillings += 1
                near = np.searchsorted(self._wanted.pts, self._wanted.pts[index] + _FILLED_SECONDS / self.header.base)
                after = min(int(near), index + REACH)
                self._filled = dict.fromkeys(range(index, after)) | shown_at(self._wanted, index, after)
            return self._filled.get(index)


class _Unchanged:
    """Raises UnreadableItem, when called, where a file is another than it was."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._stamp = self._now()

    def __call__(self) -> None:
        if self._now() != self._stamp:
            raise refuse(self._name, "the file has changed since it was opened; open it again", "film")

    def _now(self) -> bytes:
        try:
            return stamp_of(str(self._path))
        except OSError:
            return b""


def scaled(width: int, height: int, size: int) -> tuple[int, int]:
    """Width and height with a shorter side of ``size`` pixels; never larger than they are."""
    short = min(width, height)
    if short <= size:
        return width, height
    return max(1, round(width * size / short)), max(1, round(height * size / short))
