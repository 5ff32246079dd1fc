"""Films made here, whose frames carry their number as stripes of black and white."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from core.sources.films.ffmpeg import binary

BITS, SIDE = 10, 160


def numbered(n: int, width: int = SIDE, height: int = 96) -> np.ndarray:
    """(n, height, width, 3) uint8: bit k of a frame's number is its k-th stripe from the left."""
    frames = np.zeros((n, height, width, 3), np.uint8)
    for i in range(n):
        for k in range(BITS):
            frames[i, :, k * width // BITS:(k + 1) * width // BITS] = 235 if i >> k & 1 else 20
    return frames


def number_of(picture: object) -> int:
    """What a frame's stripes say."""
    row = np.asarray(picture, dtype=np.float32).mean(axis=(0, 2))
    width = len(row)
    middle = [row[(2 * k + 1) * width // (2 * BITS)] for k in range(BITS)]
    return sum(1 << k for k, value in enumerate(middle) if value > 128)


def ffmpeg(*arguments: str, told: bytes | None = None) -> None:
    done = subprocess.run([binary(), "-v", "error", "-y", *arguments], input=told, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def film(path: Path, n: int, *options: str, fps: float = 25, size: tuple[int, int] = (SIDE, 96)) -> Path:
    """A film of numbered frames, packed as the options of ffmpeg say."""
    ffmpeg("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "pipe:0",
           *options, str(path), told=numbered(n, *size).tobytes())
    return path
