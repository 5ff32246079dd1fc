"""What a file of a film is: size as shown, time of every frame, codec, sound. Only its first picture is decoded.

Times come from the packets, so that they are right where the rate varies and where the header says no duration; a
format whose packets have no times (AVI with pictures out of order, MPEG-1 and 2) is decoded once to find them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from core.errors import SourceError
from core.settings import settings
from core.sources.films.ffmpeg import Process, Stop, not_a_film, reading, reason
from core.sources.gate import refused
from core.sources.reasons import why_not

_NO_TIME = -2**62
_STREAM = re.compile(r"^  Stream #0:(\d+)\S*: (Video|Audio): (\w+)(.*)$")
_SHOWN = re.compile(r"n: *\d+ pts: *(-?\d+) .*?fmt:(\w+) .*?sar:(\d+)/(\d+) s:(\d+)x(\d+)")
_REFUSED_SIZE = re.compile(r"[Pp]icture size (\d{1,9})x(\d{1,9}) ")
_ALPHA = re.compile(r"^(yuva|rgba|bgra|argb|abgr|gbrap|pal8|ya8|ya16)")
_WIDE_RANGE = re.compile(r"smpte2084|arib-std-b67")
_TALLEST = 65_536


@dataclass(frozen=True, eq=False)
class Header:
    """What a film's file says, checked against its packets and its first picture.

    Attributes
    ----------
    container : name of ffmpeg's demuxer, its first word (mov, matroska, avi, gif, ...).
    codec : of the pictures, as ffmpeg calls it (h264, vp9, ...).
    pixels : format of the pictures (yuv420p, yuv420p10le, ...).
    width, height : pixels as shown: turned as the file says, and wide enough for square pixels.
    pts : (n,) int64, presentation times of all frames, rising, in units of ``base`` seconds.
    base : seconds of a unit.
    start : seconds that the container calls its beginning; times of frames are counted from there.
    fps : frames a second, the mean.
    duration : seconds from the beginning to the end of the last frame.
    sound : codec of the sound, "" where there is none.
    alpha : whether pictures are partly transparent.
    seekable : whether the packets have times, so that reading can begin anywhere.
    notices : what is not as usual.
    """

    container: str
    codec: str
    pixels: str
    width: int
    height: int
    pts: np.ndarray
    base: Fraction
    start: float
    fps: float
    duration: float
    sound: str
    alpha: bool
    seekable: bool
    notices: tuple[str, ...] = ()

    @property
    def times(self) -> np.ndarray:
        """(n,) float64, seconds of each frame from the beginning."""
        return self.pts * float(self.base) - self.start


def probe(path: Path, name: str, *, should_stop: Stop | None = None) -> Header:
    """What a film's file is.

    Parameters
    ----------
    path
        The file.
    name
        What a message calls it; the path is never shown.
    should_stop
        Asked while it is read.

    Raises
    ------
    SourceError
        If it is empty, no film, without pictures, too large for the budget, or none of its pictures can be decoded.
    Cancelled
        When asked to stop.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise not_a_film(name, why_not(error), "Check the path.") from error
    if not size:
        raise not_a_film(name, "an empty file", "It may not have been saved to its end; bring it again.")
    listed = _Listed(name)
    arguments = ["-nostdin", *reading(path), "-map", "0:V:0", "-c", "copy", "-copyts", "-f", "framecrc", "pipe:1",
                 "-map", "0:V:0", "-frames:v", "1", "-vf", "showinfo=checksum=0", "-f", "null", "-"]
    with Process(arguments, should_stop=should_stop, on_line=listed.heard) as process:
        for line in process.lines():
            listed.packet(line)
        process.finish()
        said = list(process.said)
    listed.check_pixels()
    if not listed.video:
        raise not_a_film(name, reason(said))
    if listed.shown is None:
        raise not_a_film(name, reason(said))
    check_all_pixels(name, listed.count, int(listed.shown[5]), int(listed.shown[6]))
    pts, seekable = listed.times(), True
    if not len(pts):
        pts, seekable = _decoded_times(path, name, should_stop), False
    return _header(listed, pts, seekable)


def check_all_pixels(name: str, n_frames: int, width: int, height: int) -> None:
    """Hold the pixels of all frames against the budget, before any but the first is unpacked; SourceError if over."""
    pixels, most = n_frames * width * height / 1e9, settings().budget.film_gigapixels
    if pixels > most:
        raise refused("of all frames together", name, pixels, most, "gigapixels",
                      "Bring a part of it, or save it smaller.")


class _Listed:
    """What ffmpeg says of a file, line by line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.container = self.video = self.video_said = self.sound = ""
        self.start = self.said_duration = 0.0
        self.base = Fraction(1, 1000)
        self.alpha_mode = False
        self.shown: re.Match[str] | None = None
        self._pts: list[int] = []
        self._last = 0
        self._size = (0, 0)
        self._in_input = self._in_video = False

    def heard(self, line: str) -> None:
        """One line of standard error; called in another thread."""
        if line.startswith("Input #0, ") and not self.container:
            self.container, self._in_input = re.split(r"[, ]", line[len("Input #0, "):])[0], True
        elif line.startswith(("Stream mapping", "Output #")):
            self._in_input = False
        elif found := _REFUSED_SIZE.search(line):
            self._size = max(self._size, (int(found[1]), int(found[2])))
        elif self.shown is None and line.startswith("[Parsed_showinfo"):
            self.shown = _SHOWN.search(line)
        elif self._in_input and (found := re.match(r"  Duration: (\S+), start: (-?[\d.]+)", line)):
            hours = re.match(r"(\d+):(\d\d):([\d.]+)", found[1])
            self.start = float(found[2])
            if hours:
                self.said_duration = 3600 * int(hours[1]) + 60 * int(hours[2]) + float(hours[3])
        elif self._in_input and (stream := _STREAM.match(line)):
            self._stream(stream)
        elif self._in_input and self._in_video and re.match(r"    +alpha_mode +: 1$", line):
            self.alpha_mode = True

    def _stream(self, stream: re.Match[str]) -> None:
        is_video = stream[2] == "Video" and "(attached pic)" not in stream[4] and not self.video
        self._in_video = is_video
        if is_video:
            self.video, self.video_said = stream[3], stream[4]
        elif stream[2] == "Audio" and not self.sound:
            self.sound = stream[3]

    def packet(self, line: str) -> None:
        """One line of framecrc: a heading, or a packet as "stream, dts, pts, duration, size, ..."."""
        if line.startswith("#"):
            if found := re.match(r"#tb 0: (\d+)/(\d+)", line):
                self.base = Fraction(int(found[1]), max(1, int(found[2])))
            elif found := re.match(r"#dimensions 0: (\d+)x(\d+)", line):
                self._size = max(self._size, (int(found[1]), int(found[2])))
            return
        fields = line.split(",", 4)
        if len(fields) < 4:
            return
        try:
            at = int(fields[2])
            self._pts.append(at)
            if at >= max(self._pts[-2:]):
                self._last = max(0, int(fields[3]))
        except ValueError:
            return
        if len(self._pts) > settings().budget.film_frames:
            raise SourceError(f"at most {settings().budget.film_frames:,} frames in {self.name}",
                              f"more than {settings().budget.film_frames:,}", "Bring a part of it.")

    def check_pixels(self) -> None:
        """Hold what the header says of the size against the budget, before a picture is unpacked whole."""
        width, height = self._size
        most = settings().budget.megapixels
        if width * height > most * 1_000_000 or max(width, height) > _TALLEST:
            raise refused("a frame", self.name, width * height / 1e6, most, "megapixels",
                          "Save it smaller; 720 pixels high is more than a model sees.")

    @property
    def count(self) -> int:
        """How many packets there are."""
        return len(self._pts)

    def times(self) -> np.ndarray:
        """Distinct rising times of the packets that are shown; none where a packet has no time."""
        pts = np.asarray(self._pts, dtype=np.int64)
        if not len(pts) or pts.min() <= _NO_TIME:
            return np.empty(0, np.int64)
        pts = np.unique(pts)
        from_start = pts[pts >= np.floor(self.start / float(self.base))]
        return from_start if len(from_start) else pts

    @property
    def last(self) -> float:
        """Seconds that the last frame is shown, 0 where nothing says it."""
        return self._last * float(self.base)


def _decoded_times(path: Path, name: str, should_stop: Stop | None) -> np.ndarray:
    """Times of all frames of a film whose packets have none."""
    found: list[int] = []

    def heard(line: str) -> None:
        if line.startswith("[Parsed_showinfo") and (shown := re.search(r"n: *\d+ pts: *(-?\d+) ", line)):
            found.append(int(shown[1]))

    arguments = ["-nostdin", "-copyts", *reading(path), "-map", "0:V:0", "-vf", "scale=16:16:flags=neighbor,"
                 "showinfo=checksum=0", "-fps_mode", "passthrough", "-f", "null", "-"]
    with Process(arguments, should_stop=should_stop, on_line=heard) as process:
        process.finish()
        said = list(process.said)
    if not found:
        raise not_a_film(name, reason(said))
    return np.unique(np.asarray(found, dtype=np.int64))


def _header(listed: _Listed, pts: np.ndarray, seekable: bool) -> Header:
    assert listed.shown is not None
    _, pixels, across, down, width, height = listed.shown.groups()
    aspect = int(across) / int(down) if int(across) and int(down) else 1.0
    wide, high = int(width), int(height)
    if aspect > 1:
        wide = max(1, round(wide * aspect))
    elif aspect < 1:
        high = max(1, round(high / aspect))
    budget, name = settings().budget, listed.name
    if wide * high > budget.megapixels * 1_000_000 or max(wide, high) > _TALLEST:
        raise refused("a frame", name, wide * high / 1e6, budget.megapixels, "megapixels", "Save it smaller.")
    check_all_pixels(name, len(pts), int(width), int(height))
    base, notices = listed.base, []
    start = listed.start if seekable or listed.container != "avi" else float(pts[0] * base)
    times = pts * float(base) - start
    steps = np.diff(times)
    last = listed.last or (float(np.median(steps)) if len(steps) else 0.0)
    duration = float(times[-1]) + last
    if not listed.said_duration and listed.container in ("mov", "matroska"):
        notices.append(f"{name} does not say how long it is; its frames do: {duration:.1f} s.")
    if _WIDE_RANGE.search(listed.video_said):
        notices.append(f"{name} has a wide range of brightness (HDR), which models of pictures do not know; its frames "
                       f"look flat here.")
    said = re.search(r", ([\d.]+)(k?) fps", listed.video_said)
    fps = (len(steps) / float(times[-1] - times[0])) if len(steps) else \
        (float(said[1]) * (1000 if said[2] else 1) if said else 0.0)
    return Header(listed.container, listed.video, pixels, wide, high, pts, base, start, fps, duration,
                  listed.sound, listed.alpha_mode or bool(_ALPHA.match(pixels)), seekable, tuple(notices))
