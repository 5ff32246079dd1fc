"""How long a store of many vectors takes to open, how fast it is filled, and what it costs in memory a vector.

``python tests/benchmarks/store.py [--items N] [--dim D]``

Each part runs in a process of its own. "Memory" is the growth of the process while it opens the store and holds all
vectors; 4 D + 4 bytes a vector are the vectors and norms themselves.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


def hashes(n: int) -> list[str]:
    return [f"{i:064x}" for i in range(n)]


def fill(folder: str, n: int, dim: int, link: Any) -> None:
    from core.encoding.store import Store

    store, keys = Store(folder), hashes(n)
    rng = np.random.default_rng(0)
    begun = time.perf_counter()
    for start in range(0, n, 256):
        rows = min(256, n - start)
        store.put("m", keys[start:start + rows], rng.normal(size=(rows, dim)).astype(np.float32))
    store.close()
    link.send(time.perf_counter() - begun)


def open_all(folder: str, n: int, dim: int, link: Any) -> None:
    """Seconds and processor seconds to have every vector, growth now and at its highest, in bytes a vector."""
    from core.encoding.store import Store
    from tests.encoding.test_store import resident

    keys = hashes(n)
    Store(folder).get("m", keys[:1])
    before = resident()
    begun, worked = time.perf_counter(), time.process_time()
    found, vectors, _ = Store(folder).get("m", keys)
    seconds = time.perf_counter() - begun, time.process_time() - worked
    assert found.all()
    assert vectors.shape == (n, dim)
    grown = resident() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    link.send((*seconds, grown / n, peak / n))


def apart(task: Any, *args: object) -> Any:
    """What a task sends, from a fresh process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=task, args=(*args, theirs))
    child.start()
    child.join()
    return ours.recv()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds = apart(fill, folder, args.items, args.dim)
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        print(f"{args.items:,} vectors of {args.dim} dimensions, batches of 256 as they are encoded")
        print(f"  written in {seconds:.1f} s; {size / args.items:,.0f} bytes a vector on disk")
        for _ in range(3):
            wall, worked, grown, peak = apart(open_all, folder, args.items, args.dim)
            print(f"  opened in {wall:.2f} s ({worked:.2f} s of processor time); memory grows by {grown:,.0f} bytes a "
                  f"vector, at most {peak:,.0f} meanwhile ({4 * args.dim + 4:,} are the vectors)")


if __name__ == "__main__":
    main()
