"""A small picture of every frame that is looked at, in one pass at low resolution."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import Cancelled, UnreadableItem
from core.sources.films.ffmpeg import Stop
from core.sources.films.film import Film
from core.sources.films.reading import FilmFrames
from core.sources.images.readers import decode_small
from core.types import Images

if TYPE_CHECKING:
    from PIL.Image import Image

HEIGHT, QUALITY = 72, 80
_WIDEST = 4
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Strip:
    """Thumbnails of a film's frames.

    Attributes
    ----------
    pictures : JPEG bytes of each frame, all of one size; of a frame that cannot be read those of the one before it.
    width, height : pixels of each.
    unread : how many frames could not be read.
    """

    pictures: tuple[bytes, ...]
    width: int
    height: int
    unread: int = 0


class StripMaker:
    """Thumbnails made of pictures as they come, one a frame."""

    def __init__(self, height: int) -> None:
        self.height, self._width = height, 0
        self._made: list[bytes] = []
        self._unread = self._waiting = 0

    def add(self, picture: Image | None) -> None:
        """The next frame's picture; None where it cannot be read."""
        from PIL import Image as Pictures

        if picture is None:
            self._unread += 1
            if self._made:
                self._made.append(self._made[-1])
            else:
                self._waiting += 1
            return
        self._width = self._width or min(_WIDEST * self.height,
                                         max(1, round(picture.width * self.height / picture.height)))
        small = picture.resize((self._width, self.height), Pictures.Resampling.BILINEAR)
        self._made += [_jpeg(small)] * (1 + self._waiting)
        self._waiting = 0

    def made(self) -> Strip:
        """All of them."""
        from PIL import Image as Pictures

        width = self._width or self.height
        if self._waiting:
            grey = _jpeg(Pictures.new("RGB", (width, self.height), (128, 128, 128)))
            self._made, self._waiting = [grey] * self._waiting, 0
        return Strip(tuple(self._made), width, self.height, self._unread)


def strip(film: Film, height: int = HEIGHT, *, on_progress: Progress | None = None,
          should_stop: Stop | None = None) -> Strip:
    """Thumbnails of all frames looked at; with `core.sources.films.signals.strip_and_signals` they cost nothing more.

    Parameters
    ----------
    film : of any source.
    height : pixels; the width follows from the first frame, at most four times the height.

    Raises
    ------
    Cancelled
        When asked to stop.
    """
    maker = StripMaker(height)
    for i, picture in enumerate(small_pictures(film, height, should_stop)):
        maker.add(picture)
        if on_progress is not None:
            on_progress((i + 1) / len(film), f"{i + 1:,} of {len(film):,} thumbnails")
    return maker.made()


def small_pictures(film: Film, height: int, should_stop: Stop | None = None) -> Iterator[Image | None]:
    """All frames in order, about so many pixels high; None for one that cannot be read. Raises Cancelled."""
    frames = small_frames(film, height)
    for i in range(len(film)):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i:,} of {len(film):,} frames")
        try:
            yield decode_small(frames, i, _WIDEST * height)
        except UnreadableItem:
            yield None


def _jpeg(picture: Image) -> bytes:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=QUALITY)
    return held.getvalue()


def small_frames(film: Film, height: int) -> Images:
    """The frames of a film about so many pixels high, scaled by ffmpeg where it reads them."""
    frames = film.frames
    if not isinstance(frames, FilmFrames):
        return frames
    width, high = frames.header.width, frames.header.height
    return frames.at_size(max(1, min(height, round(height * width / high))))
