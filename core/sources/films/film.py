"""A film as pictures with times: what every page looks at, wherever the film came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.types import Dataset, Images, as_ids

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Line:
    """A subtitle: from when to when (seconds of the film) and what it says."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, eq=False)
class Film:
    """A film, of which some frames are looked at.

    Attributes
    ----------
    name : what a user calls it.
    frames : the frames looked at, in order; read when they are needed.
    times : (n,) float64, seconds from the beginning of the film, strictly increasing.
    fingerprint : no film of other content, or with other frames looked at, has it.
    path : the file a player can play, None where there is none (the built-in world, a sequence of images).
    duration : seconds of the whole film.
    fps : frames per second of the film itself, the mean where it varies; 0 where it is not known.
    has_sound : whether there is a sound track that can be read.
    labels : genres or kinds; empty where nothing is known.
    lines : subtitles.
    notices : what had to be guessed, in sentences for the user.
    """

    name: str
    frames: Images
    times: np.ndarray
    fingerprint: str
    path: Path | None = None
    duration: float = 0.0
    fps: float = 0.0
    has_sound: bool = False
    labels: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    notices: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        times = np.asarray(self.times, dtype=np.float64)
        if times.shape != (len(self.frames),) or not len(times) or (np.diff(times) <= 0).any():
            raise ShapeError("frames with a time each, at least one, the times rising",
                             f"{len(self.frames)} frames and times of shape {times.shape}")
        object.__setattr__(self, "times", times)

    def __len__(self) -> int:
        return len(self.times)


class FilmImages:
    """The frames of several films as images, one film after another."""

    def __init__(self, films: Sequence[Film]) -> None:
        self.films = tuple(films)
        self._starts = np.cumsum([0, *map(len, films)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def parts(self, index: int) -> tuple[int, int]:
        """Which film, and which of its frames."""
        film = int(np.searchsorted(self._starts, index, side="right")) - 1
        return film, index - int(self._starts[film])

    def content_hash(self, index: int) -> str:
        film, frame = self.parts(index)
        return self.films[film].frames.content_hash(frame)

    def decode(self, index: int) -> Image:
        """The picture of a frame; UnreadableItem where it cannot be read."""
        film, frame = self.parts(index)
        return self.films[film].frames.decode(frame)


def clock(seconds: float) -> str:
    """A time in a film as one reads it: 1:02.5, 1:00:02.0."""
    tenths = round(float(seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}:{minutes:02d}:" if hours else f"{minutes}:") + f"{rest // 10:02d}.{rest % 10}"


def films_dataset(films: Sequence[Film], *, name: str | None = None) -> Dataset:
    """Frames of films as a dataset without texts, one film after another.

    Parameters
    ----------
    films : at least one.
    name : what a user calls it; by default the films by name.

    Returns
    -------
    Images with columns film (its name, unique), time (seconds), frame (its number among those looked at, from 0) and,
    where a film is labelled, label (the first of its labels).
    """
    names = as_ids([film.name for film in films])
    columns = [pd.DataFrame({"film": title, "time": film.times, "frame": np.arange(len(film)),
                             "label": film.labels[0] if film.labels else ""}) for title, film in zip(names, films)]
    table = pd.concat(columns, ignore_index=True)
    if not any(film.labels for film in films):
        del table["label"]
    ids = as_ids([f"{title} {clock(time)}" for title, time in zip(table["film"], table["time"])])
    title = name or (", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else ""))
    return Dataset(name=title, image_ids=ids, images=FilmImages(films), text_ids=(), texts=(),
                   links=np.empty((0, 2)), image_table=table, text_table=pd.DataFrame(index=range(0)))
