"""What the measures, the landscape and a new shift cost on many pairs: seconds, and ratios to the plain way.

    python tests/benchmarks/gap.py [--pairs 5000] [--dim 512] [--parts measures landscape ...]

Pairs are made up with a gap and cones like CLIP's. Seconds are of the one run shown and depend on how busy the machine
is; the ratios are between two ways timed one after the other.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from core.geometry.directions import unit  # noqa: E402
from core.geometry.gap import measures  # noqa: E402
from core.geometry.gap.closing import CLOSINGS  # noqa: E402
from core.geometry.gap.explain import explain_cosine  # noqa: E402
from core.geometry.gap.landscape import SHIFTS, landscape  # noqa: E402
from core.geometry.gap.profiles import conformity, cosine_histograms  # noqa: E402
from core.geometry.gap.scoring import score_closings  # noqa: E402
from core.geometry.pairs import Classes, Pairs  # noqa: E402
from core.geometry.retrieval import recalls  # noqa: E402
from core.geometry.shift import gap_vector, shifted  # noqa: E402
from core.types import Number  # noqa: E402


def made_up(n: int, d: int, seed: int = 0) -> Pairs:
    """Pairs with a gap of about 0.85 and a mean cosine of 0.5 inside a modality, in twenty classes."""
    rng = np.random.default_rng(seed)
    spectrum = np.arange(1, d + 1) ** -0.6
    truth = rng.integers(0, 20, n)
    centres = rng.normal(size=(20, d)) * spectrum
    shared = centres[truth] + rng.normal(size=(n, d)) * spectrum
    towards, typical = rng.normal(size=(2, d))
    offset = np.linalg.norm(shared, axis=1).mean()
    typical, towards = (offset * v / np.linalg.norm(v) for v in (typical, towards))
    x, y = (unit((shared + rng.normal(size=(n, d)) * spectrum * 0.6 + typical + side * 0.6 * towards)
                 .astype(np.float32)) for side in (1, -1))
    classes = unit((centres + typical - 0.6 * towards).astype(np.float32))
    return Pairs.row_by_row(x, y, Classes(tuple(map(str, range(20))), classes, truth))


def timed(name: str, way: Callable[[], object], note: str = "") -> float:
    """Seconds of one run, printed."""
    begin = time.perf_counter()
    way()
    seconds = time.perf_counter() - begin
    print(f"{name:44}{seconds:9.2f} s   {note}", flush=True)
    return seconds


def each_measure(pairs: Pairs) -> dict[str, Number]:
    """All measures, with the seconds of each step."""
    last: list[tuple[str, float]] = []

    def tell(_: float, text: str) -> None:
        now = time.perf_counter()
        if last:
            print(f"    {last[-1][0]:40}{now - last[-1][1]:9.2f} s", flush=True)
        last.append((text, now))

    return measures.gap_measures(pairs, on_progress=tell)


def new_shift(pairs: Pairs) -> None:
    """What the page works out anew when the shift moves."""
    cosine_histograms(shifted(pairs, 0.3))


def landscape_the_plain_way(pairs: Pairs, shifts: np.ndarray) -> None:
    """Move all vectors and multiply them anew at each shift."""
    for lam in shifts:
        there = shifted(pairs, float(lam))
        recalls(there.images, there.texts)
        recalls(there.texts, there.images)
        for t in (0.01, 0.02, 1.0):
            measures.loss_at(there, t)


def main() -> None:
    """Print the table."""
    parts = ("measures", "landscape", "plain", "shift", "profiles", "closing")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    arguments = parser.parse_args()
    pairs = made_up(arguments.pairs, arguments.dim)
    print(f"{arguments.pairs:,} pairs of {arguments.dim} dimensions, gap {np.linalg.norm(gap_vector(pairs)):.3f}")
    import scipy.sparse.csgraph  # noqa: F401  (imports do not count)

    if "measures" in arguments.parts:
        timed("measures", lambda: each_measure(pairs))
    one = 0.0
    if "landscape" in arguments.parts:
        one = timed("landscape", lambda: landscape(pairs), f"{len(SHIFTS)} shifts, 3 temperatures, R@1, R@5, accuracy")
    if "plain" in arguments.parts:
        some = SHIFTS[::12]
        plain = timed("  a product at each shift", lambda: landscape_the_plain_way(pairs, some), f"{len(some)} shifts")
        if one:
            print(f"  landscape costs {one / (plain / len(some) * len(SHIFTS)):.2f} of the plain way")
    if "shift" in arguments.parts:
        timed("a new shift", lambda: new_shift(pairs), "moved vectors and their histograms")
    if "profiles" in arguments.parts:
        timed("histograms", lambda: cosine_histograms(pairs))
        timed("conformity", lambda: conformity(pairs))
        timed("one cosine explained", lambda: explain_cosine(pairs.images[0], pairs.texts[0], pairs))
    if "closing" in arguments.parts:
        timed("closing table", lambda: score_closings(pairs), f"{len(CLOSINGS)} methods")


if __name__ == "__main__":
    main()
