"""A small picture of every frame that is looked at, in one pass at low resolution."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import Cancelled, UnreadableItem
from core.sources.films.ffmpeg import Stop
from core.sources.films.film import Film
from core.sources.films.reading import FilmFrames
from core.sources.images.readers import decode_small
from core.types import Images

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


def strip(film: Film, height: int = HEIGHT, *, on_progress: Progress | None = None,
          should_stop: Stop | None = None) -> Strip:
    """Thumbnails of all frames looked at.

    Parameters
    ----------
    film : of any source.
    height : pixels; the width follows from the first frame, at most four times the height.

    Raises
    ------
    Cancelled
        When asked to stop.
    """
    from PIL import Image

    small, size = small_frames(film, height), (0, 0)
    out: list[bytes] = []
    unread = waiting = 0
    for i in range(len(film)):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i:,} of {len(film):,} thumbnails")
        try:
            picture = decode_small(small, i, _WIDEST * height)
        except UnreadableItem:
            unread += 1
            if out:
                out.append(out[-1])
            else:
                waiting += 1
            continue
        size = size if size[1] else (min(_WIDEST * height, max(1, round(picture.width * height / picture.height))),
                                     height)
        held = io.BytesIO()
        picture.resize(size, Image.Resampling.BILINEAR).save(held, "JPEG", quality=QUALITY)
        out += [held.getvalue()] * (1 + waiting)
        waiting = 0
        if on_progress is not None:
            on_progress((i + 1) / len(film), f"{i + 1:,} of {len(film):,} thumbnails")
    if waiting:
        size, held = (height, height), io.BytesIO()
        Image.new("RGB", size, (128, 128, 128)).save(held, "JPEG")
        out += [held.getvalue()] * waiting
    return Strip(tuple(out), *size, unread=unread)


def small_frames(film: Film, height: int) -> Images:
    """The frames of a film about so many pixels high, scaled by ffmpeg where it reads them."""
    frames = film.frames
    if not isinstance(frames, FilmFrames):
        return frames
    width, high = frames.header.width, frames.header.height
    return frames.at_size(max(1, min(height, round(height * width / high))))
