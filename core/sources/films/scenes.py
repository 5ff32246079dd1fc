"""Where scenes begin by the pictures alone: one pass at low resolution, by the rule of ffmpeg's scdet filter.

The score of a frame is the smaller of its mean absolute difference from the frame before it and of the change of that
difference, in percent of the range of brightness.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.errors import Cancelled, UnreadableItem
from core.sources.films.ffmpeg import Process, Stop, reading
from core.sources.films.film import clock
from core.sources.films.probing import Header
from core.sources.images.readers import decode_small
from core.types import Images

_LOW = 96
Progress = Callable[[float, str], None]


def scene_starts(path: Path, header: Header, *, cut: float = 10.0, on_progress: Progress | None = None,
                 should_stop: Stop | None = None) -> np.ndarray:
    """Frames at which a scene of a film's file begins.

    Parameters
    ----------
    path, header
        The file, and what `core.sources.films.probing.probe` said of it.
    cut
        Score from which a scene ends, in percent.

    Returns
    -------
    (s,) int64, rising, the first 0.

    Raises
    ------
    Cancelled
        When asked to stop.
    """
    found: list[int] = []
    seen = 0

    def heard(line: str) -> None:
        nonlocal seen
        if not line.startswith("[Parsed_showinfo") or "] n:" not in line:
            return
        at = int(line.split("pts:", 1)[1].split(None, 1)[0])
        if "showinfo_1" in line.split(" ", 1)[0]:
            seen += 1
            if on_progress is not None and seen % 200 == 1:
                time = float(at * header.base) - header.start
                on_progress(min(1.0, time / max(header.duration, 1e-9)), f"Scenes sought up to {clock(max(0, time))}")
        else:
            found.append(at)

    graph = f"scale={_LOW}:{_LOW}:flags=area,showinfo=checksum=0,scdet=threshold={cut:g}:sc_pass=1,showinfo=checksum=0"
    arguments = ["-nostdin", *reading(path, before=["-copyts"]), "-map", "0:V:0", "-vf", graph,
                 "-fps_mode", "passthrough", "-f", "null", "-"]
    with Process(arguments, should_stop=should_stop, on_line=heard) as process:
        process.finish()
    numbers = np.searchsorted(header.pts, np.asarray(found, dtype=np.int64))
    return np.unique(np.concatenate([[0], numbers[numbers < len(header.pts)]])).astype(np.int64)


def scene_starts_of_images(images: Images, *, cut: float = 10.0, on_progress: Progress | None = None,
                           should_stop: Stop | None = None) -> np.ndarray:
    """The same of pictures; one that cannot be read counts as like the one before it."""
    starts, before, difference = [0], None, 0.0
    for i in range(len(images)):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i:,} of {len(images):,} frames")
        try:
            now = np.asarray(decode_small(images, i, _LOW).convert("L").resize((_LOW, _LOW)), dtype=np.float32)
        except UnreadableItem:
            continue
        if before is not None:
            new = float(np.abs(now - before).mean()) * 100 / 256
            if min(new, abs(new - difference)) >= cut:
                starts.append(i)
            difference = new
        before = now
        if on_progress is not None and i % 50 == 0:
            on_progress(i / len(images), f"{i:,} of {len(images):,} frames compared")
    return np.asarray(starts, dtype=np.int64)
