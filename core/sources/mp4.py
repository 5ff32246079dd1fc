"""Pictures as an mp4 that plays everywhere, by moviepy's writer."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import Cancelled, SourceError

if TYPE_CHECKING:
    from PIL.Image import Image

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]
Sound = Callable[[Path], Path | None]
_FPS = (0.1, 120.0)
_LARGEST = 4096


def write_mp4(frames: Iterable[np.ndarray | Image], size: tuple[int, int], fps: float, path: Path, *,
              count: int | None = None, on_progress: Progress | None = None, should_stop: Stop | None = None,
              sound: Sound | None = None) -> Path:
    """Write pictures as H.264 (yuv420p) in mp4.

    Parameters
    ----------
    frames
        (height, width, 3) uint8 each, or pictures; taken one at a time. Of another size they are scaled.
    size
        Width and height in pixels; odd sides are made even by repeating the last row or column.
    fps
        Frames a second, 0.1 to 120.
    path
        Where to write; what was there is replaced only when all is written.
    count
        How many frames there will be, for the progress.
    sound
        Gives the file of a sound that is laid under them, made in a folder that it is told; None where there is none.

    Raises
    ------
    SourceError
        If there are no frames, the size is none, or it cannot be written.
    Cancelled
        When asked to stop; nothing is left behind.
    """
    width, height = size
    if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
        raise SourceError(f"frames of 1 to {_LARGEST:,} pixels a side", f"{width} x {height}")
    if not _FPS[0] <= fps <= _FPS[1]:
        raise SourceError(f"{_FPS[0]:g} to {_FPS[1]:g} frames a second", f"{fps:g}")
    try:
        with tempfile.TemporaryDirectory(prefix=".orrery-mp4-", dir=path.parent) as folder:
            made = Path(folder) / "film.mp4"
            _write(frames, size, fps, made, count, on_progress, should_stop,
                   None if sound is None else sound(Path(folder)))
            os.replace(made, path)
    except OSError as error:
        raise SourceError("an mp4 that can be written", error.strerror or "a writer that ended before its time",
                          "Make room on the disk, or write to another folder.") from error
    return path


def _write(frames: Iterable[np.ndarray | Image], size: tuple[int, int], fps: float, made: Path, count: int | None,
           on_progress: Progress | None, should_stop: Stop | None, sound: Path | None) -> None:
    from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter

    even = (size[0] + size[0] % 2, size[1] + size[1] % 2)
    writer = FFMPEG_VideoWriter(str(made), even, fps, codec="libx264", preset="veryfast",
                                audiofile=None if sound is None else str(sound), threads=os.cpu_count() or 1,
                                ffmpeg_params=["-crf", "20", "-movflags", "+faststart"])
    written = 0
    try:
        for frame in frames:
            if should_stop is not None and should_stop():
                raise Cancelled(f"{written:,} frames")
            writer.write_frame(_even(_sized(frame, size)))
            written += 1
            if on_progress is not None and count:
                on_progress(min(1.0, written / count), f"{written:,} of {count:,} frames written")
    except BaseException:
        writer.proc.kill()
        with contextlib.suppress(OSError):
            writer.close()
        raise
    writer.close()
    if not written:
        raise SourceError("at least one frame to write", "none")
    if not made.exists() or not made.stat().st_size:
        raise SourceError("an mp4 that can be written", "a writer that ended before its time", "Write it again.")


def _sized(frame: np.ndarray | Image, size: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    if isinstance(frame, np.ndarray) and frame.shape == (size[1], size[0], 3) and frame.dtype == np.uint8:
        return frame
    picture = Image.fromarray(frame) if isinstance(frame, np.ndarray) else frame
    return np.asarray(picture.convert("RGB").resize(size))


def _even(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(frame)
