"""What trainings of the small towers cost, how soon they stop, and how often the interval over seeds covers.

``python tests/benchmarks/dynamics.py [--workers 2] [--dial caption_noise] [--cover 40]``

A training of 600 steps in this process; the full curve of one dial, 5 seeds at each of its values, from an empty cache;
the wait between a stop and the end of a call. With ``--cover``, so many seeds of the first and of the last value of the
dial stand for all seeds: of 2,000 draws of 5 of them (without replacement, as seeds are), the share whose Student's
interval holds the mean of all, and the same of the paired difference.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ["ORRERY_CACHE"] = tempfile.mkdtemp(prefix="orrery-benchmark-")

from core.errors import Cancelled
from core.learning.towers.concepts import concept_lesson
from core.learning.towers.doses import SEEDS, dose_response, finals, mean_over_seeds
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import DIALS, Setup
from core.learning.towers.training import train

DRAWS = 2000
MEASURES = ("r1", "uniformity", "gap")


def timed(what: str, began: float, cpu: float) -> None:
    """One line: wall seconds, and processor seconds of this process."""
    print(f"{what:<52} {time.perf_counter() - began:8.2f} s wall {time.process_time() - cpu:8.2f} s here", flush=True)


def stopped(lesson: Lesson, workers: int) -> float:
    """Seconds from a stop to the end of the call that it stops."""
    stop, asked = threading.Event(), [0.0]

    def ask() -> None:
        asked[0] = time.perf_counter()
        stop.set()

    threading.Timer(6.0, ask).start()
    try:
        finals([(lesson, Setup(steps=20_000, seed=seed)) for seed in range(4)], workers=workers,
               should_stop=stop.is_set)
    except Cancelled:
        return time.perf_counter() - asked[0]
    raise AssertionError("it was not stopped")


def covered(values: np.ndarray, rng: np.random.Generator) -> float:
    """Share of draws of 5 whose interval holds the mean of all; corrected for drawing from few."""
    n, held = len(values), 0
    shrink = np.sqrt(1 - SEEDS / n)     # a mean of 5 out of n varies less than a mean of 5 out of very many
    for _ in range(DRAWS):
        drawn = values[rng.permutation(n)[:SEEDS]]
        one = mean_over_seeds(drawn)
        half = (one.high or 0.0) - one.value
        held += abs(one.value - values.mean()) / shrink <= half
    return held / DRAWS


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dial", default="caption_noise", choices=list(DIALS))
    parser.add_argument("--cover", type=int, default=0, help="seeds that stand for all (default: none, not measured)")
    args = parser.parse_args()
    began, cpu = time.perf_counter(), time.process_time()
    lesson = concept_lesson()
    timed("the lesson, rendered", began, cpu)
    began, cpu = time.perf_counter(), time.process_time()
    record = train(lesson, Setup())
    timed(f"one training, {len(record)} snapshots, R@1 {record.measures['r1'][-1]:.3f}", began, cpu)
    began, cpu = time.perf_counter(), time.process_time()
    found = dose_response(lesson, args.dial, Setup(), workers=args.workers)
    timed(f"{args.dial}, {len(found.table)} trainings, {args.workers} at once", began, cpu)
    print(f"{'':<52} {found.table['seconds'].sum():8.2f} s of processor in the workers")
    print(f"{'from a stop to its end':<52} {stopped(lesson, args.workers):8.2f} s")
    if args.cover:
        ends = [found.levels[0], found.levels[-1]]
        many = dose_response(lesson, args.dial, Setup(), seeds=args.cover, levels=ends, workers=args.workers)
        rng = np.random.default_rng(0)
        for measure in MEASURES:
            first, last = many.values[measure]
            shares = [covered(values, rng) for values in (first, last, last - first)]
            print(f"{measure:<12} covers {shares[0]:.3f} at {ends[0]}, {shares[1]:.3f} at {ends[1]}, {shares[2]:.3f} "
                  "of the difference")


if __name__ == "__main__":
    main()
