"""Seconds and memory of what is found in captions and labels of very many images.

``python tests/benchmarks/quality_captions.py [--n 100000] [--dim 512] [--classes 10] [--labels]``

Mislabels, the only one that takes more than seconds, are measured with ``--labels``: ten fits, whose time grows with
images, dimensions and classes alike.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.geometry.quality.balance import balance, in_small_classes
from core.geometry.quality.captions import clip_scores, mismatched
from core.geometry.quality.items import Items
from core.geometry.quality.mislabels import mislabelled
from core.language.quality.texts import findings_of, vocabulary


def made(n: int, d: int, classes: int) -> tuple[Items, list[str]]:
    """Images of classes, captions near to them in vectors and made of 2,000 words; a tenth of the labels are wrong."""
    rng = np.random.default_rng(0)
    centres, of = rng.standard_normal((classes, d), dtype=np.float32), rng.integers(classes, size=n)
    x = rng.standard_normal((n, d), dtype=np.float32) + 0.4 * centres[of]
    y = x + rng.standard_normal((n, d), dtype=np.float32)
    for z in (x, y):
        z /= np.linalg.norm(z, axis=1, keepdims=True)
    wrong = rng.random(n) < 0.1
    labels = [f"class {k}" for k in np.where(wrong, rng.integers(classes, size=n), of)]
    up_to = np.cumsum(1 / np.arange(1, 2001))
    said = np.searchsorted(up_to / up_to[-1], rng.random((n, 12)))
    captions = [" ".join(f"w{i}" for i in row) for row in said.tolist()]
    return Items(x, y, np.repeat(np.arange(n), 2).reshape(-1, 2), tuple(labels)), captions


def main() -> None:
    """Print a line for each: wall and processor seconds, and the largest memory of the process so far."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--n", 100_000), ("--dim", 512), ("--classes", 10)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--labels", action="store_true", help="mislabels too")
    args = parser.parse_args()
    items, captions = made(args.n, args.dim, args.classes)
    parts: dict[str, Callable[[], object]] = {
        "CLIPScore": lambda: clip_scores(items), "mismatched captions": lambda: mismatched(items),
        "repeated, short and long": lambda: findings_of(captions), "vocabulary": lambda: vocabulary(captions),
        "balance": lambda: balance(items.labels), "small classes": lambda: in_small_classes(items.labels)}
    if args.labels:
        assert items.images is not None
        images = items.images
        parts["mislabels"] = lambda: mislabelled(images, items.labels)
    for name, part in parts.items():
        begun, spent = time.perf_counter(), time.process_time()
        part()
        print(f"{name:26}{time.perf_counter() - begun:8.2f} s{time.process_time() - spent:10.2f} processor s"
              f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:8.2f} GB", flush=True)


if __name__ == "__main__":
    main()
