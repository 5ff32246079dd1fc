"""What the table of closings costs, method by method, and whether its intervals cover what they say they do.

    python tests/benchmarks/gap_closing.py [--pairs 5000] [--dim 512]
    python tests/benchmarks/gap_closing.py --coverage 200

Seconds depend on how busy the machine is; compare them with those of singular value decompositions in the same run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from gap import made_up  # noqa: E402

from core.geometry.gap.closing import fit_closing  # noqa: E402
from core.geometry.gap.scoring import score_closings  # noqa: E402
from core.geometry.pairs import Pairs  # noqa: E402

METHODS = ("untouched", "centring", "procrustes", "ridge", "csls")
WAY = "r1_image_to_text"


def table(pairs: Pairs) -> None:
    """Seconds of each method over all splits, of its curve, and of the whole, beside those of 10 SVDs."""
    begin = time.perf_counter()
    for _ in range(10):
        np.linalg.svd(pairs.texts.T @ pairs.images)
    svd = time.perf_counter() - begin
    spent: dict[str, float] = defaultdict(float)
    last: list[tuple[str, float]] = []

    def tell(_: float, text: str) -> None:
        now = time.perf_counter()
        if last:
            spent[last[-1][0]] += now - last[-1][1]
        last.append((text.split(",")[0] + (" (fewer pairs)" if "fitted on" in text else ""), now))

    report = score_closings(pairs, on_progress=tell)
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"{name:44}{seconds:8.2f} s{seconds / svd:8.2f} of 10 SVDs", flush=True)
    whole = last[-1][1] - last[0][1]
    print(f"{'whole table':44}{whole:8.2f} s{whole / svd:8.2f} of 10 SVDs; {report.repeats} splits, "
          f"{report.n_fit:,} pairs fitted on, {report.n_scored:,} scored on")


def population(rng: np.random.Generator, n: int, d: int, axes: np.ndarray) -> Pairs:
    """New pairs of one kind."""
    shown = rng.normal(size=(n, d)) @ axes
    x, y = (shown + 0.9 * rng.normal(size=(n, d)) + push for push in (np.eye(d)[0], -np.eye(d)[0]))
    return Pairs.row_by_row(*((v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32) for v in (x, y)))


def coverage(times: int, n: int = 120, d: int = 24) -> None:
    """How often the interval holds the score of fits on new pairs in new galleries, and how wide it is."""
    rng = np.random.default_rng(0)
    axes = np.diag(np.linspace(1.5, 0.5, d))
    truth: dict[str, list[float]] = defaultdict(list)
    for _ in range(1500):
        pairs = population(rng, n, d, axes)
        fit, scored = (pairs.part(rows, rows) for rows in (np.arange(n // 2), np.arange(n // 2, n)))
        for key in METHODS:
            scores = fit_closing(key, fit).scores(scored.images, scored.texts)
            truth[key].append(float((scores.argmax(axis=1) == np.arange(len(scores))).mean()))
    meant = {key: float(np.mean(values)) for key, values in truth.items()}
    held: dict[str, list[bool]] = defaultdict(list)
    changed: dict[str, list[bool]] = defaultdict(list)
    widths: dict[str, list[float]] = defaultdict(list)
    for seed in range(times):
        report = score_closings(population(rng, n, d, axes), methods=METHODS, repeats=20, seed=seed)
        for row in report.rows:
            found = row.held_out[WAY]
            assert found.low is not None
            assert found.high is not None
            held[row.method].append(found.low <= meant[row.method] <= found.high)
            if WAY in row.change:
                change = row.change[WAY].change
                assert change.low is not None
                assert change.high is not None
                changed[row.method].append(change.low <= meant[row.method] - meant["untouched"] <= change.high)
            widths[row.method].append(found.high - found.low)
    print(f"{'method':16}{'R@1':>8}{'width':>8}{'covered':>9}{'change covered':>16}   ({times} sets of {n} pairs)")
    for key in METHODS:
        change_held = f"{np.mean(changed[key]):16.1%}" if changed[key] else ""
        print(f"{key:16}{meant[key]:8.3f}{np.mean(widths[key]):8.3f}{np.mean(held[key]):9.1%}{change_held}", flush=True)


def main() -> None:
    """Print one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--coverage", type=int, metavar="TIMES", help="only how often intervals hold the truth")
    arguments = parser.parse_args()
    if arguments.coverage:
        coverage(arguments.coverage)
    else:
        table(made_up(arguments.pairs, arguments.dim))


if __name__ == "__main__":
    main()
