"""A against B put to the test: how often two halves of one set are told apart, whether intervals hold what they should,
what sampling costs, and how long it takes.

    python tests/benchmarks/quality_halves.py [--only halves intervals sampling time] [--draws 200] [--sets 400]

halves: sets of one distribution (ten topics, a falling spectrum), the images of coco500 where the reference data lie
beside the project, and captions, five an image, are halved at random; at 5 % at most 16 of 200 may be told apart, by
any statistic after Holm and by each alone. intervals: of CMMD, KID and MMD, for three distances between A and B, and
of shares of parts and of their differences; each should hold the mean over sets of that n; a row passes where Wilson's
interval of its coverage meets [.93, .99]. The classifier's share is listed to show why it has none. sampling: each
statistic of 5,000 items of each set (what `compare` takes of more) against all 20,000. time: 10,000 against 10,000 in
512 dimensions, in under 60 CPU seconds. The whole takes about 20 minutes on two busy cores.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from core.geometry.directions import unit  # noqa: E402
from core.geometry.intervals import proportion  # noqa: E402
from core.geometry.kernels import median_distance  # noqa: E402
from core.geometry.quality.against import STATISTICS, compare  # noqa: E402
from core.geometry.quality.composition import composition  # noqa: E402
from core.geometry.quality.distances import kernel_distances  # noqa: E402
from core.geometry.quality.manifolds import overlaps  # noqa: E402
from core.geometry.quality.regions import regions  # noqa: E402
from core.geometry.quality.told_apart import accuracies  # noqa: E402
from core.geometry.quality.where import where_apart  # noqa: E402

MOST_TOLD_APART = 16 / 200
TOPICS = 10


class Kind:
    """What sets are drawn from."""

    def __init__(self, d: int = 64) -> None:
        rng = np.random.default_rng(0)
        self.spectrum = np.arange(1, d + 1) ** -0.5
        self.centres = rng.normal(size=(TOPICS, d)) * self.spectrum
        self.typical = rng.normal(size=d)
        self.typical *= 3 / np.linalg.norm(self.typical)
        self.towards = rng.normal(size=d)
        self.towards /= np.linalg.norm(self.towards)

    def draw(self, n: int, rng: np.random.Generator, apart: float = 0.0) -> np.ndarray:
        shown = self.centres[rng.integers(0, TOPICS, n)] + rng.normal(size=(n, len(self.spectrum))) * self.spectrum
        return unit((shown + self.typical + apart * self.towards).astype(np.float32))


def halves(draws: int) -> bool:
    kind, passed = Kind(), True
    sets = {"made up, 2 x 200": lambda rng: (kind.draw(400, rng), None)}
    file = ROOT.parent / "shared" / "reference" / "features" / "coco500_clip_vitb16_pairs.npz"
    if file.is_file():
        images = unit(np.load(file)["image"])
        sets["images of coco500, 2 x 250"] = lambda rng: (images[rng.permutation(500)], None)
    sets["five captions an image, 2 x 200"] = lambda rng: _captions(kind, rng)
    for name, draw in sets.items():
        told, alone, where = 0, dict.fromkeys(STATISTICS, 0), dict.fromkeys(("where", "regions", "parts"), 0)
        for seed in range(draws):
            z, group = draw(np.random.default_rng(seed))
            n = len(z) // 2
            together = None if group is None else (group[:n], group[n:])
            found = compare(z[:n], z[n:], n=n, halves=0, together=together, seed=seed)
            told += any(s.told_apart for s in found.statistics.values())
            for key, statistic in found.statistics.items():
                alone[key] += statistic.p_alone <= 0.05
            places = where_apart(z[:n], z[n:], together=together, seed=seed)
            found_in = regions(z[:n], z[n:], together=together, seed=seed).composition
            where["where"] += min(places.p.values()) <= 0.05
            where["regions"] += any(part.change.p <= 0.05 for part in found_in.parts)
            where["parts"] += found_in.p <= 0.05
        for what, count in {"any, Holm": told, **alone, **where}.items():
            good = count <= MOST_TOLD_APART * draws
            passed &= good
            print(f"{name:32} {what:10} told apart {count} of {draws} {'' if good else 'TOO MANY'}", flush=True)
    return passed


def _captions(kind: Kind, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    of = np.repeat(np.arange(80), 5)
    said = kind.draw(80, rng)[of] + 0.3 / 8 * rng.normal(size=(400, 64))
    return unit(said.astype(np.float32)), of


def intervals(sets: int) -> bool:
    kind, passed = Kind(), True
    for n in (50, 200, 1000):
        for apart in (0.0, 0.3, 1.0):
            rng, seen = np.random.default_rng(n), {}
            for _ in range(sets if n < 1000 else sets // 2):
                z = np.concatenate([kind.draw(n, rng), kind.draw(n, rng, apart)])
                found = kernel_distances(z, (np.arange(2 * n) < n)[None], median_distance(z))
                for key, values in found.values.items():
                    seen.setdefault(key, []).append((values[0], found.half_widths[key]))
                side = accuracies(z, (np.arange(2 * n) < n)[None])[0]
                share = proportion(side * 2 * n, 2 * n)
                seen.setdefault("accuracy", []).append((side, (share.high - share.low) / 2))
            for key, pairs in seen.items():
                value, half = np.array(pairs).T
                holds = np.abs(value - value.mean()) <= half
                cover = proportion(int(holds.sum()), len(holds))
                good = cover.high >= 0.93 and cover.low <= 0.99
                passed &= good or key == "accuracy"
                print(f"n {n:5} apart {apart:.1f} {key:9} mean {value.mean():.3g} holds {cover.value:.3f} "
                      f"({cover.low:.3f} to {cover.high:.3f}){'' if good else ' FAILS'}", flush=True)
    return passed & _shares(sets)


def _shares(sets: int) -> bool:
    """Shares of parts: rare, middling and common, the same in both or not."""
    passed = True
    for n_a, n_b in ((50, 50), (200, 1000)):
        of_a, of_b = np.array([0.03, 0.12, 0.25, 0.6]), np.array([0.08, 0.12, 0.4, 0.4])
        rng, names = np.random.default_rng(n_a), np.array(list("wxyz"))
        held = {what: np.zeros(4) for what in ("share of A", "share of B", "difference")}
        for _ in range(sets):
            found = composition(names[rng.choice(4, n_a, p=of_a)].tolist(), names[rng.choice(4, n_b, p=of_b)].tolist(),
                                draws=19)
            for part in found.parts:
                i = int(np.flatnonzero(names == part.name)[0])
                for what, number, truth in (("share of A", part.of_a, of_a[i]), ("share of B", part.of_b, of_b[i]),
                                            ("difference", part.change.change, of_a[i] - of_b[i])):
                    held[what][i] += number.low <= truth <= number.high
        for what, counts in held.items():
            cover = [proportion(int(count), sets) for count in counts]
            good = all(c.high >= 0.93 and c.low <= 0.99 for c in cover)
            passed &= good
            print(f"n {n_a}, {n_b} {what:10} holds {', '.join(f'{c.value:.3f}' for c in cover)}"
                  f"{'' if good else ' FAILS'}", flush=True)
    return passed


def sampling() -> bool:
    """Error of a cut of 5,000 of each of two sets of 20,000."""
    kind, rng = Kind(), np.random.default_rng(0)
    a, b = kind.draw(20_000, rng), kind.draw(20_000, rng, 0.5)
    z, first = np.concatenate([a, b]), (np.arange(40_000) < 20_000)[None]
    width = median_distance(z)
    whole = {**kernel_distances(z, first, width).values, **overlaps(z, first), "accuracy": accuracies(z, first)}
    cuts: dict[str, list[float]] = {}
    for _ in range(10):
        rows = np.concatenate([rng.permutation(20_000)[:5000], 20_000 + rng.permutation(20_000)[:5000]])
        part, side = z[rows], (np.arange(10_000) < 5000)[None]
        found = {**kernel_distances(part, side, width).values, **overlaps(part, side),
                 "accuracy": accuracies(part, side)}
        for key, values in found.items():
            cuts.setdefault(key, []).append(float(values[0]))
    for key, values in cuts.items():
        error = np.array(values) - whole[key][0]
        print(f"{key:10} all 20,000: {whole[key][0]:.4g}; of 5,000: {np.mean(values):.4g}; error root mean square "
              f"{np.sqrt((error**2).mean()):.2g}", flush=True)
    return True


def timing() -> bool:
    kind, rng = Kind(512), np.random.default_rng(0)
    a, b = kind.draw(10_000, rng), kind.draw(10_000, rng, 0.5)
    spent = {}
    for name, work in {"compare": lambda: compare(a, b), "where": lambda: where_apart(a, b),
                       "regions": lambda: regions(a, b),
                       "composition": lambda: composition(["x", "y"] * 5000, ["x"] * 10_000)}.items():
        start, cpu = time.perf_counter(), time.process_time()
        work()
        spent[name] = time.process_time() - cpu
        print(f"{name:12} {spent[name]:6.1f} CPU s, {time.perf_counter() - start:6.1f} s", flush=True)
    return sum(spent.values()) < 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"halves": None, "intervals": None, "sampling": None, "time": None}
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--sets", type=int, default=400)
    asked = parser.parse_args()
    works = {"halves": lambda: halves(asked.draws), "intervals": lambda: intervals(asked.sets), "sampling": sampling,
             "time": timing}
    passed = [works[name]() for name in asked.only]
    print("passed" if all(passed) else "FAILED")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
