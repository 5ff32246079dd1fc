"""Frames of a film's file as images: named without decoding, decoded by one pipe of ffmpeg in rising order.

A frame's hash comes from the file's content and the frame's time, so that a look-up decodes nothing and a run that is
taken up again begins to decode near the first frame that is missing. ffmpeg decodes, picks the frames by their times,
scales them and says the time of each, so that picture and number always agree. Frames are scaled as Pillow's bicubic
filter does, which moves the vector of a picture a little: by 2 to 5 degrees in the photo model, where the frames of a
film lie 44 degrees apart.
"""

from __future__ import annotations

import contextlib
import queue
import re
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.sources.films.ffmpeg import Process, Stop, reading
from core.sources.films.film import clock
from core.sources.films.probing import Header
from core.sources.images.hashes import stamp_of
from core.sources.reasons import refuse
from core.types import fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 1
IDLE_SECONDS = 30.0
MOST_PIPES = 2
_REACH = 64
_KEPT_BYTES = 48 * 1024**2
_TOLD_SECONDS = 60.0
_INDEXED, _WITHOUT_INDEX_SECONDS = ("mov", "matroska"), 12.0
_SAID = re.compile(r"\] n: *(\d+) pts: *(-?\d+) ")
_SCALING = "flags=bicubic+accurate_rnd+full_chroma_int:param0=0:param1=0.5"


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
        self.pts = header.pts[self.numbers]
        self.width, self.height = scaled(header.width, header.height, size)
        self._keep = keep
        self._pipes = _Pipes()
        self._misses = 0
        self._stamp = _stamp(path)
        self._lock = threading.Lock()
        weakref.finalize(self, self._pipes.close)

    def __len__(self) -> int:
        return len(self.numbers)

    def content_hash(self, index: int) -> str:
        """sha256 (hex) of the file's hash, the frame's time and the size at which it is read; nothing is decoded."""
        at = Fraction(int(self.pts[index])) * self.header.base
        return fingerprint("frame of a film", VERSION, self.content, str(at), self.width, self.height)

    def decode(self, index: int) -> Image:
        """The frame, upright, with square pixels, RGB, transparency laid on white; raises UnreadableItem."""
        data = self._pipes.frame(self, index)
        if data is None:
            data = self._shown_before(index)
        if data is None:
            raise refuse(f"{self.name} at {clock(self._time(index))}", "no picture can be unpacked there", "frame")
        return self._picture(data)

    def check_unchanged(self) -> None:
        """Raise UnreadableItem where the file is another than when it was opened."""
        if _stamp(self.path) != self._stamp:
            raise refuse(self.name, "the file has changed since it was opened; open it again", "film")

    def at_size(self, size: int) -> FilmFrames:
        """The same frames with another shorter side."""
        return FilmFrames(self.path, self.header, self.numbers, size=size, content=self.content, name=self.name,
                          keep=self._keep)

    def close(self) -> None:
        """End what decodes; the next `decode` begins anew."""
        self._pipes.close()

    @property
    def frame_bytes(self) -> int:
        return self.width * self.height * (4 if self.header.alpha else 3)

    def _time(self, index: int) -> float:
        return float(self.header.times[self.numbers[index]])

    def _picture(self, data: bytes) -> Image:
        from PIL import Image

        if not self.header.alpha:
            return Image.frombytes("RGB", (self.width, self.height), data)
        seen = Image.frombytes("RGBA", (self.width, self.height), data)
        white = Image.new("RGB", seen.size, "white")
        white.paste(seen, mask=seen.getchannel("A"))
        return white

    def _shown_before(self, index: int) -> bytes | None:
        """The picture that a player shows at the time of a packet that has none of its own."""
        with self._lock:
            self._misses += 1
            if self._misses > _REACH * 4:
                return None
        last = None
        for back in (0.0, 30.0):
            with open_pipe(self, f"lte(pts,{self.pts[index]})", max(0.0, self._time(index) - back)) as process:
                while len(data := process.read(self.frame_bytes)) == self.frame_bytes:
                    last = data
            if last is not None:
                return last
        return None


def _stamp(path: Path) -> bytes:
    try:
        return stamp_of(str(path))
    except OSError:
        return b""


def scaled(width: int, height: int, size: int) -> tuple[int, int]:
    """Width and height with a shorter side of ``size`` pixels; never larger than they are."""
    short = min(width, height)
    if short <= size:
        return width, height
    return max(1, round(width * size / short)), max(1, round(height * size / short))


def open_pipe(frames: FilmFrames, chosen: str, since: float, *, on_line: Callable[[str], None] | None = None,
              should_stop: Stop | None = None) -> Process:
    """ffmpeg at work on a film: the frames for which the expression ``chosen`` holds, scaled, as raw bytes.

    Parameters
    ----------
    frames
        What is read, and how large.
    chosen
        An expression of ffmpeg's select filter.
    since
        Seconds from the beginning of the film before which nothing is wanted.
    on_line, should_stop
        As `Process` takes them.
    """
    header, before = frames.header, ["-copyts"]
    if header.container not in _INDEXED:
        since -= _WITHOUT_INDEX_SECONDS
    if since > 0 and header.seekable:
        before += ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", f"{since + header.start:.6f}"]
    if header.alpha and header.codec in ("vp8", "vp9"):
        before += ["-c:v", "libvpx" if header.codec == "vp8" else "libvpx-vp9"]
    graph = (f"select='{chosen}',scale={frames.width}:{frames.height}:{_SCALING},"
             f"format={'rgba' if header.alpha else 'rgb24'},showinfo=checksum=0")
    arguments = ["-nostdin", *reading(frames.path, before=before), "-map", "0:V:0", "-/filter:v", "pipe:0",
                 "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]
    return Process(arguments, told=graph.encode(), on_line=on_line, should_stop=should_stop)


def one_of(pts: np.ndarray, numbers: np.ndarray) -> str:
    """An expression that holds at the times of the frames given, by time and number.

    A tree of comparisons over runs of neighbouring frames, as deep as log2 of their number.
    """
    ends = np.flatnonzero(np.diff(numbers) > 1)
    return _tree(pts[np.concatenate([[0], ends + 1])].tolist(), pts[np.concatenate([ends, [len(pts) - 1]])].tolist())


def _tree(firsts: list[int], lasts: list[int]) -> str:
    if len(firsts) == 1:
        return f"eq(pts,{firsts[0]})" if firsts == lasts else f"between(pts,{firsts[0]},{lasts[0]})"
    middle = len(firsts) // 2
    return f"if(lt(pts,{firsts[middle]}),{_tree(firsts[:middle], lasts[:middle])}," \
           f"{_tree(firsts[middle:], lasts[middle:])})"


class _Pipe:
    """One ffmpeg that gives the wanted frames from the ``first`` on, in order."""

    def __init__(self, frames: FilmFrames, first: int, since: float) -> None:
        self.position, self.from_beginning = first, since <= 0 or not frames.header.seekable
        self._told: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        self._pts = frames.pts
        self._bytes = frames.frame_bytes
        self._ready: OrderedDict[int, bytes] = OrderedDict()
        self._most = max(2, min(_REACH, _KEPT_BYTES // self._bytes))
        self._process = open_pipe(frames, one_of(frames.pts[first:], frames.numbers[first:]), since,
                                  on_line=self._heard)
        self._count = 0
        self.used = time.monotonic()
        self.ended = False

    def _heard(self, line: str) -> None:
        if "Parsed_showinfo" in line and (said := _SAID.search(line)):
            self._told.put((int(said[1]), int(said[2])))

    def has(self, index: int) -> bool:
        """Whether the frame was read already, or comes soon."""
        return index in self._ready or (not self.ended and 0 <= index - self.position <= _REACH)

    def frame(self, index: int) -> bytes | None:
        """The bytes of a frame that `has` holds for; None where the film has no picture at its time."""
        self.used = time.monotonic()
        while index not in self._ready and self.position <= index and not self.ended:
            self._advance()
        if index in self._ready:
            self._ready.move_to_end(index)
        return self._ready.get(index)

    def _advance(self) -> None:
        data, number, at = self._process.read(self._bytes), -1, 0
        if len(data) == self._bytes:
            with contextlib.suppress(queue.Empty):
                number, at = self._told.get(timeout=_TOLD_SECONDS)
        # A picture whose time was lost among complaints is passed over.
        while self._count < number and len(data) == self._bytes:
            data, self._count = self._process.read(self._bytes), self._count + 1
        if number < self._count or len(data) < self._bytes:
            self.close()
            return
        self._count += 1
        found = int(np.searchsorted(self._pts, at))
        if found < len(self._pts) and self._pts[found] == at and found >= self.position:
            self._ready[found] = data
            self.position = found + 1
            while len(self._ready) > self._most:
                self._ready.popitem(last=False)
            if self.position == len(self._pts):
                self.close()

    def close(self) -> None:
        """End the process; what was read stays."""
        self.ended = True
        self._process.close()


class _Pipes:
    """The pipes of one film, at most two, closed when they have had nothing to do for a while."""

    def __init__(self) -> None:
        self._lock = threading.RLock()     # garbage may be collected, and a film closed, while it is held
        self._open: list[_Pipe] = []
        self._timer: threading.Timer | None = None

    def frame(self, frames: FilmFrames, index: int) -> bytes | None:
        with self._lock:
            near = [pipe for pipe in self._open if pipe.has(index)]
            pipe = min(near, key=lambda p: abs(index - p.position)) if near else self._begin(frames, index)
            data = pipe.frame(index)
            if data is None and not pipe.from_beginning and pipe.position <= index:
                # Where a format cannot go to a time, it is read from the beginning.
                self._end(pipe)
                pipe = self._begin(frames, index, since=0.0)
                data = pipe.frame(index)
            self._watch_idle()
            return data

    def close(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            for pipe in list(self._open):
                self._end(pipe)

    def _begin(self, frames: FilmFrames, index: int, since: float | None = None) -> _Pipe:
        frames.check_unchanged()
        while len(self._open) >= MOST_PIPES:
            self._end(min(self._open, key=lambda p: p.used))
        pipe = _Pipe(frames, index, max(0.0, frames._time(index)) if since is None else since)
        self._open.append(pipe)
        return pipe

    def _end(self, pipe: _Pipe) -> None:
        if pipe in self._open:
            self._open.remove(pipe)
        pipe.close()

    def _watch_idle(self) -> None:
        if self._timer is None and self._open:
            self._timer = threading.Timer(IDLE_SECONDS, self._end_idle)
            self._timer.daemon = True
            self._timer.start()

    def _end_idle(self) -> None:
        with self._lock:
            self._timer = None
            for pipe in [p for p in self._open if time.monotonic() - p.used >= IDLE_SECONDS]:
                self._end(pipe)
            self._watch_idle()


