"""What steering and reading attention cost on the shape of ViT-B/16 with random weights, as ratios within one run.

    python tests/benchmarks/foveal.py [--boxes 20] [--repeats 5] [--threads 1]

Seconds are the least of several warm runs and depend on how busy the machine is: compare the rows of one table. The
attention of 197 tokens, 12 layers and 12 heads, with its rollout and the figure of all heads, is to show within a
second; what one thread computed for it (CPU) does not depend on others, but threads that wait for each other count too.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from core.attention.foveal.looking import attend  # noqa: E402
from core.attention.foveal.referring import score_boxes  # noqa: E402
from core.attention.masks import FOVEAL  # noqa: E402
from core.attention.regions import Box, Region  # noqa: E402
from core.attention.towers import ImageTower  # noqa: E402
from core.figures.foveal.attention import mosaic  # noqa: E402
from tests.encoding.made_models import clip_processor, clip_tokenizer, encoder, full_shapes  # noqa: E402


def made_tower() -> ImageTower:
    from transformers import AutoModel

    torch.manual_seed(0)
    return ImageTower(encoder(AutoModel.from_config(full_shapes()["ViT-B/16"]), clip_tokenizer(), clip_processor(224)))


def least(way: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Least seconds, and least seconds of CPU, of warm runs."""
    way()
    found = []
    for _ in range(repeats):
        began, computed = time.perf_counter(), time.process_time()
        way()
        found.append((time.perf_counter() - began, time.process_time() - computed))
    return min(seconds for seconds, _ in found), min(computed for _, computed in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    tower, rng = made_tower(), np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8))
    corners = rng.uniform((100, 40), (400, 300), (asked.boxes, 2))
    boxes = [Box(x, y, x + 120, y + 100) for x, y in corners]
    regions = [Region((box,)) for box in boxes]
    one, many = tower.encoder.preprocess([image]), tower.encoder.preprocess([image] * len(boxes))
    bias = tower.bias([image] * len(boxes), regions, FOVEAL)

    def shown() -> str:
        before = attend(tower, image)
        after = attend(tower, image, regions[0])
        change = (after.rows - before.rows) * float(np.prod(tower.grid))
        return json.dumps(mosaic(change, "What the mask changes", change=True).to_plotly_json(), default=list)

    def one_by_one() -> None:
        for i in range(len(boxes)):
            tower.encode(one, bias[i:i + 1], FOVEAL)

    n = len(boxes)
    rows: list[tuple[str, Callable[[], object]]] = [
        ("plain pass, 1 picture", lambda: tower.encoder.encode_pixels(one)),
        ("steered pass, 1 picture", lambda: tower.encode(one, bias[:1], FOVEAL)),
        ("attention of all heads, 1 picture", lambda: tower.attention(one)),
        ("attention before and after, rollout, figure", shown),
        (f"plain pass, {n} pictures", lambda: tower.encoder.encode_pixels(many)),
        (f"{n} boxes steered, one batch", lambda: tower.encode(many, bias, FOVEAL)),
        (f"{n} boxes steered, one by one", one_by_one),
        (f"{n} boxes scored for a sentence", lambda: score_boxes(tower, image, boxes, ["a cat"], "foveal"))]
    print(f"{tower.tokens} tokens, {tower.layers} layers, {tower.heads} heads; {torch.get_num_threads()} threads")
    beside = 1.0
    for name, way in rows:
        seconds, computed = least(way, asked.repeats)
        if name.startswith("plain"):
            beside = seconds
        print(f"{name:46} {seconds:8.3f} s  {computed:8.3f} s of CPU  {seconds / beside:6.2f} x the plain pass",
              flush=True)


if __name__ == "__main__":
    main()
