"""Pipes of ffmpeg that give the wanted frames of a film's file in rising order, each with its time."""

from __future__ import annotations

import contextlib
import queue
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from core.sources.films.ffmpeg import Process, reading
from core.sources.films.probing import Header

IDLE_SECONDS = 30.0
MOST_PIPES = 2
REACH = 64
_MOST_FAILURES = 40
_KEPT_BYTES = 48 * 1024**2
_TOLD_SECONDS = 60.0
_INDEXED, _WITHOUT_INDEX_SECONDS = ("mov", "matroska"), 12.0
_SCALING = "flags=bicubic+accurate_rnd+full_chroma_int:param0=0:param1=0.5"
_SAID = re.compile(r"\] n: *(\d+) pts: *(-?\d+) ")


@dataclass(frozen=True, eq=False)
class Wanted:
    """Which frames of a file are wanted, and how large.

    Attributes
    ----------
    path, header : the file and what it is.
    numbers : (n,) int64, frames, strictly rising.
    width, height : pixels at which they are read.
    """

    path: Path
    header: Header
    numbers: np.ndarray
    width: int
    height: int

    @cached_property
    def pts(self) -> np.ndarray:
        """(n,) int64, times of the frames in the file's units."""
        return self.header.pts[self.numbers]

    @property
    def frame_bytes(self) -> int:
        return self.width * self.height * (4 if self.header.alpha else 3)

    def time(self, index: int) -> float:
        """Seconds of a frame from the beginning of the film."""
        return float(self.header.times[self.numbers[index]])


class TimedPipe:
    """ffmpeg at work on a film: frames for which an expression holds, scaled, one after another with their times.

    Parameters
    ----------
    wanted : what is read, and how large.
    chosen : an expression of ffmpeg's select filter.
    since : seconds from the beginning of the film before which nothing is wanted.
    """

    def __init__(self, wanted: Wanted, chosen: str, since: float) -> None:
        header, before = wanted.header, ["-copyts"]
        if header.container not in _INDEXED:
            since -= _WITHOUT_INDEX_SECONDS
        if since > 0 and header.seekable:
            before += ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", f"{since + header.start:.6f}"]
        if header.alpha and header.codec in ("vp8", "vp9"):
            before += ["-c:v", "libvpx" if header.codec == "vp8" else "libvpx-vp9"]
        graph = (f"select='{chosen}',scale={wanted.width}:{wanted.height}:{_SCALING},"
                 f"format={'rgba' if header.alpha else 'rgb24'},showinfo=checksum=0")
        self._told: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        self._bytes, self._count = wanted.frame_bytes, 0
        self._process = Process(["-nostdin", *reading(wanted.path, before=before), "-map", "0:V:0", "-/filter:v",
                                 "pipe:0", "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"],
                                told=graph.encode(), on_line=self._heard)

    def _heard(self, line: str) -> None:
        if "Parsed_showinfo" in line and (said := _SAID.search(line)):
            self._told.put((int(said[1]), int(said[2])))

    def next(self) -> tuple[int, bytes] | None:
        """Time (in the file's units) and bytes of the next frame; None at the end."""
        data, number, at = self._process.read(self._bytes), -1, 0
        if len(data) == self._bytes:
            with contextlib.suppress(queue.Empty):
                number, at = self._told.get(timeout=_TOLD_SECONDS)
        # A picture whose time was lost among complaints is passed over.
        while self._count < number and len(data) == self._bytes:
            data, self._count = self._process.read(self._bytes), self._count + 1
        if number < self._count or len(data) < self._bytes:
            self.close()
            return None
        self._count += 1
        return at, data

    def close(self) -> None:
        self._process.close()


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


def shown_at(wanted: Wanted, first: int, after: int) -> dict[int, bytes]:
    """What a player shows at the times of wanted frames first to after: their own picture, or the last one before."""
    found: dict[int, bytes] = {}
    for back in (0.0, 30.0):
        pipe, held, at = TimedPipe(wanted, f"lte(pts,{wanted.pts[after - 1]})", wanted.time(first) - back), b"", first
        try:
            while (given := pipe.next()) is not None:
                while at < after and wanted.pts[at] < given[0]:
                    if held:
                        found[at] = held
                    at += 1
                held = given[1]
        finally:
            pipe.close()
        found.update({i: held for i in range(at, after) if held})
        if first in found:
            break
    return found


class _Pipe:
    """One ffmpeg that gives the wanted frames from the ``first`` on, and the last ones that it gave."""

    def __init__(self, wanted: Wanted, first: int, since: float) -> None:
        self.position, self.from_beginning = first, since <= 0 or not wanted.header.seekable
        self._pts = wanted.pts
        self._ready: OrderedDict[int, bytes] = OrderedDict()
        self._most = max(2, min(REACH, _KEPT_BYTES // wanted.frame_bytes))
        self._source = TimedPipe(wanted, one_of(wanted.pts[first:], wanted.numbers[first:]), since)
        self.used = time.monotonic()
        self.ended = False

    def has(self, index: int) -> bool:
        """Whether the frame was read already, or comes soon."""
        return index in self._ready or (not self.ended and 0 <= index - self.position <= REACH)

    def frame(self, index: int) -> bytes | None:
        """The bytes of a frame that `has` holds for; None where the film has no picture at its time."""
        self.used = time.monotonic()
        while index not in self._ready and self.position <= index and not self.ended:
            self._advance()
        if index in self._ready:
            self._ready.move_to_end(index)
        return self._ready.get(index)

    def _advance(self) -> None:
        given = self._source.next()
        if given is None:
            self.ended = True
            return
        found = int(np.searchsorted(self._pts, given[0]))
        if found < len(self._pts) and self._pts[found] == given[0] and found >= self.position:
            self._ready[found] = given[1]
            self.position = found + 1
            while len(self._ready) > self._most:
                self._ready.popitem(last=False)
            if self.position == len(self._pts):
                self.close()

    def close(self) -> None:
        """End the process; what was read stays."""
        self.ended = True
        self._source.close()


class Pipes:
    """The pipes of one film, at most two, closed when they have had nothing to do for a while; thread-safe.

    Parameters
    ----------
    wanted : the frames.
    check : called before a pipe is opened; what it raises is raised.
    """

    def __init__(self, wanted: Wanted, check: Callable[[], None]) -> None:
        self._wanted, self._check = wanted, check
        self._lock = threading.RLock()     # garbage may be collected, and a film closed, while it is held
        self._open: list[_Pipe] = []
        self._timer: threading.Timer | None = None
        self._failures = 0

    def frame(self, index: int) -> bytes | None:
        """The bytes of a wanted frame; None where the film has no picture at its time, or many had none."""
        with self._lock:
            near = [pipe for pipe in self._open if pipe.has(index)]
            if not near and self._failures >= _MOST_FAILURES:
                return None
            pipe = min(near, key=lambda p: abs(index - p.position)) if near else self._begin(index)
            data = pipe.frame(index)
            if data is None and not pipe.from_beginning and pipe.position <= index:
                # Where a format cannot go to a time, it is read from the beginning.
                self._end(pipe)
                pipe = self._begin(index, since=0.0)
                data = pipe.frame(index)
            self._failures = self._failures + 1 if data is None else 0
            self._watch_idle()
            return data

    def close(self) -> None:
        """End them all; the next `frame` begins anew."""
        with self._lock:
            self._failures = 0
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            for pipe in list(self._open):
                self._end(pipe)

    def _begin(self, index: int, since: float | None = None) -> _Pipe:
        self._check()
        while len(self._open) >= MOST_PIPES:
            self._end(min(self._open, key=lambda p: p.used))
        pipe = _Pipe(self._wanted, index, max(0.0, self._wanted.time(index)) if since is None else since)
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
