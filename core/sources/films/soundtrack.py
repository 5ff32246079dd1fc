"""The sound of a film, to be laid under pictures that are made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.sources.films.ffmpeg import Process, Stop, reading


def soundtrack(source: Path, *, start: float = 0.0, seconds: float | None = None, should_stop: Stop | None = None
               ) -> Callable[[Path], Path | None]:
    """What `core.sources.mp4.write_mp4` takes: writes the sound, from so many seconds on, as AAC into a folder.

    Parameters
    ----------
    source
        The film.
    start, seconds
        Where the sound begins and how long it lasts, s; to its end by default.

    Returns
    -------
    A function of a folder that gives the file in it, or None where the film has no sound that can be read.
    """

    def written(folder: Path) -> Path | None:
        out = folder / "sound.m4a"
        before = ["-ss", f"{start:.6f}"] if start > 0 else []
        length = ["-t", f"{seconds:.6f}"] if seconds is not None else []
        arguments = ["-nostdin", "-loglevel", "error", *reading(source, before=before), "-map", "0:a:0", "-vn",
                     *length, "-map_metadata", "-1", "-c:a", "aac", "-b:a", "128k", "-ac", "2", str(out)]
        with Process(["-y", *arguments], should_stop=should_stop) as process:
            code = process.finish()
        return out if code == 0 and out.exists() and out.stat().st_size else None

    return written
