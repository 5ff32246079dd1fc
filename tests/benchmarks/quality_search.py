"""Copies among very many vectors: seconds, memory and recall of the search beside all cosines, and on hostile data.

    python tests/benchmarks/quality_search.py [--items 100000] [--dim 512] [--looked 3000] [--hostile]

The vectors are made up: clumps with a falling spectrum, 5 % of them near copies (2 to 20 degrees) and 1 % exact ones.
Recall is that of all pairs above the threshold of some rows, half of them copies, whose cosines are all taken; the
naive way is taken for these rows and scaled to all. Seconds depend on how busy the machine is, so read the ratio.
``--hostile`` adds data on which cells or groups could fail: one clump of near copies, all identical, two dimensions,
no structure at all.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from core.geometry.directions import unit  # noqa: E402
from core.geometry.quality.copies import Copies, near_copies  # noqa: E402
from core.geometry.quality.neighbours import nearest_others  # noqa: E402

CLUMPS, BLOCK = 400, 500


def clumped(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Unit rows in clumps, with near copies (2 to 20 degrees) of 5 % and exact copies of 1 % of them."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, d + 1, dtype=np.float32) ** -0.5
    centres = rng.standard_normal((CLUMPS, d), dtype=np.float32) * spectrum
    x = 0.9 * centres[rng.integers(0, CLUMPS, n)] + 0.7 * rng.standard_normal((n, d), dtype=np.float32) * spectrum
    x = unit(x + np.float32(0.05))
    near, exact = n // 20, n // 100
    away = unit(rng.standard_normal((near, d), dtype=np.float32) * spectrum)
    angles = np.radians(rng.uniform(2, 20, near)).astype(np.float32)[:, None]
    x[-near:] = unit(np.cos(angles) * x[rng.integers(0, n - near - exact, near)] + np.sin(angles) * away)
    x[-near - exact:-near] = x[rng.integers(0, n - near - exact, exact)]
    return x


def timed(x: np.ndarray) -> tuple[Copies, dict[str, float]]:
    """Copies with their groups at the threshold, the seconds of each step, and the recall that the search tells."""
    begin = time.perf_counter()
    near = nearest_others(x)
    found_near = time.perf_counter()
    found = near_copies(x, neighbours=near)
    made = time.perf_counter()
    groups = found.groups()
    return found, {"search": found_near - begin, "copies": made - found_near, "groups": time.perf_counter() - made,
                   "in all": time.perf_counter() - begin, "recall told": near.recall.value, "of groups": len(groups)}


def beside_all_cosines(x: np.ndarray, found: Copies, looked: int) -> tuple[float, int, float]:
    """Share of the pairs above the threshold that were found, how many there are, seconds of the naive way for all."""
    rng, planted, content = np.random.default_rng(1), len(x) * 6 // 100, found.contents
    rows = np.unique(np.concatenate([len(x) - planted + rng.permutation(planted)[:looked // 2],
                                     rng.permutation(len(x))[:looked - looked // 2]]))
    close = content[found.pairs[found.likeness >= found.threshold]]
    known = {(a, b) for pair in close.tolist() for a, b in (pair, pair[::-1])}
    begin, truth = time.perf_counter(), []
    for start in range(0, len(rows), BLOCK):
        part = rows[start:start + BLOCK]
        row, other = np.nonzero(x[part] @ x.T >= found.threshold + 1e-5)
        truth.append(np.stack([part[row], other], axis=1))
    naive = (time.perf_counter() - begin) * len(x) / len(rows)
    pairs = [(a, b) for row, other in np.concatenate(truth).tolist() if row != other
             for a, b in [(content[row], content[other])]]
    return sum(a == b or (a, b) in known for a, b in pairs) / max(len(pairs), 1), len(pairs), naive


def hostile(n: int, d: int) -> dict[str, np.ndarray]:
    """Data on which cells or groups could fail."""
    rng = np.random.default_rng(2)
    one = unit(rng.standard_normal((1, d), dtype=np.float32))
    blob = unit(one + 0.1 * unit(rng.standard_normal((n, d), dtype=np.float32)))
    return {"one clump of near copies": blob, "all identical": np.repeat(one, n, axis=0),
            "two dimensions": unit(rng.standard_normal((n, 2), dtype=np.float32)),
            "no structure": unit(rng.standard_normal((n, d), dtype=np.float32))}


def main() -> None:
    """Print what each costs and finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--looked", type=int, default=3000, help="rows whose cosines are all taken")
    parser.add_argument("--hostile", action="store_true")
    arguments = parser.parse_args()
    x = clumped(arguments.items, arguments.dim)
    processor = time.process_time()
    found, seconds = timed(x)
    processor = time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    recall, pairs, naive = beside_all_cosines(x, found, arguments.looked)
    print(f"{arguments.items:,} vectors of {arguments.dim} dimensions: " + ", ".join(
        f"{name} {value:.2f}" for name, value in seconds.items()))
    print(f"{processor:.1f} s of processor; {seconds['in all'] / naive:.3f} of the naive way ({naive:.0f} s); recall "
          f"{recall:.4f} of {pairs:,} pairs; most memory {memory:.2f} GB", flush=True)
    for name, data in hostile(arguments.items, arguments.dim).items() if arguments.hostile else ():
        found, seconds = timed(data)
        print(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in seconds.items()) +
              f", largest {max(map(len, found.groups()), default=0):,}", flush=True)


if __name__ == "__main__":
    main()
