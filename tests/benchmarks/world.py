"""Rendering speed of the built-in world, over reading a JPEG of the same size: python tests/benchmarks/world.py"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from PIL import Image

from core.sources.solids.render import render
from core.sources.solids.scene import sample_scenes


def main() -> None:
    import torch

    print(f"{torch.get_num_threads()} threads; seconds for 100,000 pictures are scaled from 1,024")
    for size in (64, 128, 224):
        scenes = sample_scenes(1024 * 64 * 64 // (size * size), 0)
        render(scenes[:64], size)
        start = time.perf_counter()
        images = render(scenes, size).images
        each = (time.perf_counter() - start) / len(scenes)
        buffer = io.BytesIO()
        Image.fromarray(images[0]).save(buffer, "JPEG")
        start = time.perf_counter()
        for _ in range(300):
            Image.open(io.BytesIO(buffer.getvalue())).convert("RGB").load()
        decode = (time.perf_counter() - start) / 300
        print(f"{size:4d} px: {1 / each:6.0f} pictures/s, {each * 1e5:6.0f} s for 100,000, "
              f"{each / decode:5.1f} times a JPEG decode")


if __name__ == "__main__":
    main()
