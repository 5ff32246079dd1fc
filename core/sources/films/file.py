"""A film that was opened once and can be looked at again and again, with other frames chosen, at no cost."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import Cancelled
from core.settings import settings
from core.sources.films.ffmpeg import Stop, not_a_film
from core.sources.films.film import Film, Line
from core.sources.films.probing import Header, probe
from core.sources.films.reading import FilmFrames
from core.sources.films.sampling import Sampling, choose
from core.sources.films.scenes import scene_starts, scene_starts_of_images
from core.sources.gate import refused
from core.sources.images.hashes import hash_memory, stamp_of
from core.sources.images.readers import ChosenImages
from core.sources.reasons import why_not
from core.types import Images, fingerprint

Progress = Callable[[float, str], None]
_BLOCK = 4 * 1024**2


@dataclass(frozen=True, eq=False)
class FilmFile:
    """A film as it was brought: a file that ffmpeg reads, or pictures with times.

    Attributes
    ----------
    name : what a user calls it.
    times : (n,) float64, seconds of all frames.
    content : hash of what it holds.
    duration, fps, has_sound, labels, lines, notices : as in `Film`.
    path, header : the file and what it is; None where the film is pictures.
    pictures : all frames as images, None where the film is a file.
    keep : what must live as long as the film, such as its temporary file.
    """

    name: str
    times: np.ndarray
    content: str
    duration: float
    fps: float
    has_sound: bool = False
    labels: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    notices: tuple[str, ...] = ()
    path: Path | None = None
    header: Header | None = None
    pictures: Images | None = None
    keep: object = None


class Held:
    """Uploaded bytes in a private temporary file, which goes when this does."""

    def __init__(self, data: bytes, name: str) -> None:
        handle, path = tempfile.mkstemp(prefix="orrery-film-", suffix=Path(name).suffix.lower()[:8])
        self.path = Path(path)
        weakref.finalize(self, _remove, path)
        with os.fdopen(handle, "wb") as file:
            file.write(data)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def open_file(source: Path | bytes, name: str, *, title: str | None = None,
              should_stop: Stop | None = None) -> FilmFile:
    """A film from a file on this machine, or from the bytes of one.

    Parameters
    ----------
    source
        Where it lies, or what it holds.
    name
        What the file is called.
    title
        What the film is called; the name without its ending by default.
    should_stop
        Asked while it is read.

    Raises
    ------
    SourceError
        As `core.sources.films.probing.probe` does, or if it is larger than an upload may be.
    Cancelled
        When asked to stop.
    """
    if isinstance(source, bytes):
        limit = settings().budget.upload_mb
        if len(source) > limit * 1024**2:
            raise refused("of a film", name, len(source) / 1024**2, limit, "MB", "Bring a part of it.")
        if not source:
            raise not_a_film(name, "an empty file", "It may not have been saved to its end; bring it again.")
        held: Held | None = Held(source, name)
        assert held is not None
        path, content = held.path, hashlib.sha256(source).hexdigest()
        header = probe(path, name, should_stop=should_stop)
    else:
        held, path = None, source
        header = probe(path, name, should_stop=should_stop)
        content = _hash_of(path, name, should_stop)
    return FilmFile(title or Path(name).stem or name, header.times, content, header.duration, header.fps,
                    bool(header.sound), notices=header.notices, path=path, header=header, keep=held)


def look_at(file: FilmFile, sampling: Sampling, *, on_progress: Progress | None = None,
            should_stop: Stop | None = None) -> Film:
    """A film of which the chosen frames are looked at; nothing is decoded, but to find scenes.

    Raises
    ------
    SourceError
        If no frame lies between start and end.
    Cancelled
        When asked to stop while scenes are sought.
    """
    scenes = None
    if sampling.how == "scenes":
        scenes = _scenes(file, sampling.cut, on_progress, should_stop)
    numbers, said = choose(sampling, file.times, file.name, scenes)
    frames: Images
    if file.header is not None and file.path is not None:
        frames = FilmFrames(file.path, file.header, numbers, size=sampling.size, content=file.content,
                            name=file.name, keep=file.keep)
    else:
        assert file.pictures is not None
        frames = ChosenImages([(file.pictures, int(i)) for i in numbers])
    return Film(file.name, frames, file.times[numbers],
                fingerprint("film", file.content, numbers, sampling.size), path=file.path, duration=file.duration,
                fps=file.fps, has_sound=file.has_sound, labels=file.labels, lines=file.lines,
                notices=(*file.notices, *said))


def _scenes(file: FilmFile, cut: float, on_progress: Progress | None, should_stop: Stop | None) -> np.ndarray:
    if file.header is not None and file.path is not None:
        return scene_starts(file.path, file.header, cut=cut, on_progress=on_progress, should_stop=should_stop)
    assert file.pictures is not None
    return scene_starts_of_images(file.pictures, cut=cut, on_progress=on_progress, should_stop=should_stop)


def _hash_of(path: Path, name: str, should_stop: Stop | None) -> str:
    """sha256 (hex) of a file, remembered between sessions."""
    whole = os.path.abspath(path)
    try:
        stamp = stamp_of(whole)
        known = hash_memory().recall([whole]).get(whole)
        if known is not None and known[0] == stamp:
            return known[1].hex()
        digest = hashlib.sha256()
        with open(whole, "rb") as file:
            while block := file.read(_BLOCK):
                if should_stop is not None and should_stop():
                    raise Cancelled(f"a part of {name}")
                digest.update(block)
    except OSError as error:
        raise not_a_film(name, why_not(error), "Check the path.") from error
    hash_memory().remember(whole, stamp, digest.digest())
    return digest.hexdigest()
