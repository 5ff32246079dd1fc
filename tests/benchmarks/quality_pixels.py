"""What measuring pictures costs beside decoding them, as a ratio, for files of several kinds and sizes.

``python tests/benchmarks/quality_pixels.py [--photos N]``

Photographs are drawn (noise of several scales), so that nothing need lie beside the project. "Decode" is the same
reader at the same bounded size by the same number of threads; "recalled" is a second run, from the memory on disk.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.geometry.quality.pixels import NUMBERS, SIDE, Measures, findings_of
from core.sources.images.readers import UploadImages
from core.sources.memory import Memory
from core.sources.quality import pixels
from core.sources.quality.pixels import measure_pixels

KINDS: list[tuple[str, str, tuple[int, int], int]] = [
    ("JPEG 300 x 200", "JPEG", (300, 200), 1), ("JPEG 640 x 480", "JPEG", (640, 480), 1),
    ("JPEG 4000 x 3000", "JPEG", (4000, 3000), 8), ("PNG 640 x 480", "PNG", (640, 480), 1),
    ("PNG 4000 x 3000", "PNG", (4000, 3000), 16)]


def photo(size: tuple[int, int], seed: int, kind: str) -> bytes:
    rng, out = np.random.default_rng(seed), np.zeros((size[1], size[0], 3))
    for scale in (4, 16, 64):
        small = rng.normal(0, 1, (3, max(2, size[1] // scale), max(2, size[0] // scale)))
        out += np.stack([np.asarray(Image.fromarray(s.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
                         for s in small], axis=2)
    buffer = io.BytesIO()
    Image.fromarray((128 + 40 * out).clip(0, 255).astype(np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def compared(images: UploadImages, threads: int, folder: Path) -> tuple[float, float, float]:
    """Seconds to decode, to measure, and to recall; the better of two runs."""
    pixels.THREADS = threads
    n = len(images)
    with ThreadPoolExecutor(threads) as pool:
        def decode(some: int) -> None:
            list(pool.map(lambda i: images.decode(i, max_side=SIDE), range(some)))

        decode(min(n, 8))
        decoded = min(seconds(lambda: decode(n)) for _ in range(2))
    memories = [Memory(folder / f"{threads} {take}.sqlite", 10**7) for take in range(2)]
    takes = [seconds(lambda m=m: measure_pixels(images, images.names, memory=m)) for m in (*memories, memories[0])]
    return decoded, min(takes[:2]), takes[2]


def main() -> None:
    """Print one line a kind: milliseconds a picture, and ratios to decoding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=400, help="of the smallest kinds; fewer of large ones")
    n_most = parser.parse_args().photos
    print(f"{'':20}{'n':>6}{'threads':>9}{'decode ms':>11}{'measure ms':>12}{'ratio':>7}{'recalled ms':>13}")
    for name, kind, size, fewer in KINDS:
        n = max(8, n_most // fewer)
        some = [photo(size, seed, kind) for seed in range(min(n, 16))]
        images = UploadImages([(f"{i}.{kind}", some[i % len(some)] + b" " * i) for i in range(n)])
        for threads in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                decoded, measured, recalled = compared(images, threads, Path(folder))
            print(f"{name:20}{n:6,}{threads:9}{1e3 * decoded / n:11.2f}{1e3 * measured / n:12.2f}"
                  f"{measured / decoded:7.2f}{1e3 * recalled / n:13.3f}", flush=True)
    n = 100_000
    rng = np.random.default_rng(0)
    columns = {name: rng.lognormal(3, .3, n).astype(np.float32) for name in NUMBERS}
    measures = Measures(tuple(map(str, range(n))), **columns)
    print(f"findings of {n:,} pictures: {seconds(lambda: findings_of(measures)):.2f} s")


if __name__ == "__main__":
    main()
