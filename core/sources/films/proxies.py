"""A film that the browser can play where it cannot play the file itself: WebM, at most 480 pixels high, made once."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.errors import Cancelled, SourceError, UnreadableItem
from core.settings import MB, settings
from core.sources.films.ffmpeg import Process, Stop, reading, reason
from core.sources.films.film import Film, clock
from core.sources.films.reading import FilmFrames, scaled
from core.types import fingerprint

VERSION, HEIGHT = 1, 480
MOST_BYTES, HOSTED_MOST_BYTES = 4096 * MB, 1024 * MB
_MOST_OF_ONE, _HOSTED_MOST_OF_ONE = 1024 * MB, 128 * MB
_FASTEST = 30.0
_VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-row-mt", "1", "-b:v", "0", "-crf", "38",
        "-g", "60", "-pix_fmt", "yuv420p")
_OPUS = ("-c:a", "libopus", "-b:a", "64k", "-ac", "2")
_WHITE = "format=rgba,split[a][b];[a]drawbox=c=white:t=fill:replace=1[w];[w][b]overlay=format=auto,"
Progress = Callable[[float, str], None]
_making: dict[str, threading.Lock] = {}
_lock = threading.Lock()


class Kept:
    """A proxy in use; on a public server its file goes when nobody has this any more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if settings().hosted:
            weakref.finalize(self, path.unlink, missing_ok=True)


_kept: weakref.WeakValueDictionary[str, Kept] = weakref.WeakValueDictionary()


def keep(path: Path) -> Kept:
    """The one that stands for a proxy, there or not yet, as long as anybody has it."""
    with _lock:
        kept = _kept.get(path.name)
        if kept is None:
            kept = _kept[path.name] = Kept(path)
        return kept


def plays(film: Film) -> bool:
    """Whether browsers of today play the film's own file: H.264 of 8 bits in mp4, VP8, VP9 or AV1 in WebM or mp4."""
    if film.path is None or not isinstance(film.frames, FilmFrames):
        return False
    header = film.frames.header
    if header.container == "mov":
        return header.codec in ("av1", "vp9") or (header.codec == "h264" and header.pixels in ("yuv420p", "yuvj420p"))
    return header.container == "matroska" and _is_webm(film.path) and header.codec in ("vp8", "vp9", "av1")


def _is_webm(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return b"webm" in file.read(128)
    except OSError:
        return False


def proxy_path(film: Film) -> Path:
    """Where the proxy of a film is, or will be."""
    frames = film.frames
    content = frames.content if isinstance(frames, FilmFrames) else film.fingerprint
    return settings().cache / "proxies" / f"{fingerprint('proxy', VERSION, content)[:40]}.webm"


def proxy(film: Film, *, on_progress: Progress | None = None, should_stop: Stop | None = None) -> Path:
    """A WebM (VP9, Opus) of the whole film with the film's own times; of pictures and made films the frames looked at.

    It is kept in the cache by the film's content; the oldest go when they are too many.

    Raises
    ------
    SourceError
        If none of the film can be written.
    Cancelled
        When asked to stop; nothing is left behind.
    """
    path = proxy_path(film)
    with _lock:
        making = _making.setdefault(path.name, threading.Lock())
    while not making.acquire(timeout=0.1):
        if should_stop is not None and should_stop():
            raise Cancelled(f"the wait for the proxy of {film.name}")
    try:
        if path.exists():
            os.utime(path)
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as folder:
            made = Path(folder) / "proxy.webm"
            if isinstance(film.frames, FilmFrames):
                _of_file(film, film.frames, made, on_progress, should_stop)
            else:
                _of_frames(film, made, on_progress, should_stop)
            os.replace(made, path)
        _drop_oldest(path)
        return path
    except OSError as error:
        raise SourceError("room for a proxy in the cache", error.strerror or "a disk that refuses it",
                          "Make room, or set ORRERY_CACHE.") from error
    finally:
        making.release()


def _of_file(film: Film, frames: FilmFrames, made: Path, on_progress: Progress | None,
             should_stop: Stop | None) -> None:
    header = frames.header
    width, height = (size + size % 2 for size in scaled(header.width, header.height, min(HEIGHT, header.height)
                                                        if header.width >= header.height else HEIGHT * header.width
                                                        // header.height or 1))
    graph = (f"setpts=PTS-({header.start:.9f})/TB,select='gte(t,-0.001)',{_WHITE if header.alpha else ''}"
             f"scale={width}:{height},setsar=1")
    decoder = ["-c:v", "libvpx" if header.codec == "vp8" else "libvpx-vp9"] \
        if header.alpha and header.codec in ("vp8", "vp9") else []
    for sound in ((True, False) if header.sound else (False,)):
        arguments = ["-nostdin", "-loglevel", "warning", *reading(film.path or made, before=["-copyts", *decoder]),
                     "-map", "0:V:0", *(("-map", "0:a:0", "-af", f"asetpts=PTS-({header.start:.9f})/TB,atrim=start=0",
                                         *_OPUS) if sound else ("-an",)), "-sn", "-dn", "-map_metadata", "-1",
                     "-map_chapters", "-1", "-vf", graph, "-fps_mode", "passthrough", *_VP9, "-fs", str(_most_of_one()),
                     "-progress", "pipe:1", "-f", "webm", str(made)]
        with Process(["-y", *arguments], should_stop=should_stop) as process:
            for line in process.lines():
                if on_progress is not None and (found := re.match(r"out_time_us=(\d+)", line)):
                    at = int(found[1]) / 1e6
                    on_progress(min(1.0, at / max(film.duration, 1e-9)),
                                f"{clock(at)} of {clock(film.duration)} made playable")
            code = process.finish()
            said = list(process.said)
        if code == 0 and made.exists() and made.stat().st_size:
            return
    raise SourceError(f"a film that can be made playable in {film.name}", reason(said),
                      "Its thumbnails and its path work without a player.")


def _of_frames(film: Film, made: Path, on_progress: Progress | None, should_stop: Stop | None) -> None:
    first = film.frames.decode(0)
    size = tuple(side + side % 2 for side in scaled(first.width, first.height, HEIGHT))
    rate = float(np.clip(film.fps or 12.0, 1.0, _FASTEST))
    arguments = ["-loglevel", "warning", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}",
                 "-r", f"{rate:.6g}", "-i", "pipe:0", "-an", *_VP9, "-fs", str(_most_of_one()), "-f", "webm", str(made)]
    with Process(["-y", *arguments], should_stop=should_stop, takes=True) as process:
        assert process.process.stdin is not None
        try:
            for picture in _at_rate(film, rate, size, on_progress):  # type: ignore[arg-type]
                process.process.stdin.write(picture)
            process.process.stdin.close()
        except OSError:
            process.check()
        code = process.finish()
        said = list(process.said)
    if code != 0 or not made.exists():
        raise SourceError(f"a film that can be made playable in {film.name}", reason(said))


def _at_rate(film: Film, rate: float, size: tuple[int, int], on_progress: Progress | None) -> Iterator[bytes]:
    """The frame that is shown at each tick, as bytes."""
    shown, held = -1, b""
    ticks = max(1, round(max(film.duration, float(film.times[-1]) + 1 / rate) * rate))
    for tick in range(ticks):
        wanted = max(0, int(np.searchsorted(film.times, tick / rate + 1e-6, side="right")) - 1)
        if wanted != shown:
            try:
                held = film.frames.decode(wanted).resize(size).tobytes()
            except UnreadableItem:
                held = held or bytes(3 * size[0] * size[1])
            shown = wanted
        yield held
        if on_progress is not None:
            on_progress((tick + 1) / ticks, f"{clock(tick / rate)} made playable")


def _most_of_one() -> int:
    return _HOSTED_MOST_OF_ONE if settings().hosted else _MOST_OF_ONE


def _drop_oldest(kept: Path) -> None:
    """Remove those used longest ago until what is left fits its bound."""
    found = []
    for path in kept.parent.glob("*.webm"):
        try:
            found.append((path.stat().st_mtime, path.stat().st_size, path))
        except OSError:
            continue
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= (HOSTED_MOST_BYTES if settings().hosted else MOST_BYTES):
            return
        if path != kept:
            path.unlink(missing_ok=True)
            total -= size
