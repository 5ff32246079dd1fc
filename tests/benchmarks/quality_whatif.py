"""What switching an action costs, replay and all measures before, after and at random; and what these say by chance.

    python tests/benchmarks/quality_whatif.py [--items 10000 100000] [--dim 512] [--chance 150]

Vectors are made up with a gap and cones like CLIP's, in twenty classes, one in twenty with a copy. Findings are made
once before (their seconds are printed, too); scores that need pictures or a fit are random. ``--chance`` drops at
random so many times and prints in what share of them a measure differs from dropping at random at 5 %, before and
after Holm.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from core.geometry.differences import LEVEL, holm  # noqa: E402
from core.geometry.directions import unit  # noqa: E402
from core.geometry.quality import at_random  # noqa: E402
from core.geometry.quality.finding import Finding  # noqa: E402
from core.geometry.quality.items import Items, Kept  # noqa: E402
from core.geometry.quality.measures import sheet  # noqa: E402
from core.geometry.quality.mislabels import Mislabels  # noqa: E402
from core.language.quality import evidence  # noqa: E402
from core.language.quality.actions import Action, replay, what_is_left  # noqa: E402
from core.language.quality.looked import Looked  # noqa: E402
from tests.benchmarks.gap import made_up  # noqa: E402

FOUND = ("copies", "outliers", "captions", "repeated", "short", "long")
SWITCHED = (
    Action("drop", {"finding": "copies"}), Action("drop", {"finding": "outliers"}), Action("lowest"),
    Action("drop", {"finding": "labels"}), Action("relabel"), Action("drop", {"finding": "blur"}), Action("rebalance"),
    Action("cap_class", {"most": 50}), Action("near", {"around": "image", "centre": "0", "angle": 60.0}),
    Action("random"),
)


def looked_at(n: int, d: int) -> Looked:
    """Pairs in twenty classes, of which one in twenty has a copy."""
    rng = np.random.default_rng(0)
    pairs = made_up(n, d)
    images = pairs.images.copy()
    copied = rng.permutation(n)[:n // 10].reshape(2, -1)
    images[copied[0]] = images[copied[1]] + rng.normal(size=(copied.shape[1], d)).astype(np.float32) * 1e-3
    assert pairs.classes is not None
    labels = tuple(f"class {c}" for c in pairs.classes.truth.tolist())
    items = Items(unit(images), pairs.texts, pairs.links, labels)
    ids = tuple(map(str, range(n)))
    return Looked("made up", items, ids, ids, tuple(f"a caption of number {i}" for i in range(n)))


def timed(name: str, way: Callable[[], object]) -> float:
    begin, cpu = time.perf_counter(), time.process_time()
    way()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    print(f"  {name:60}{seconds:8.2f} s{cpu:8.2f} CPU s", flush=True)
    return seconds


def switch(n: int, d: int) -> None:
    """Seconds of each switch, in turn with all before it."""
    print(f"{n:,} pairs of {d} dimensions")
    looked, rng = looked_at(n, d), np.random.default_rng(1)
    for key in FOUND:
        timed(f"finding: {evidence.KINDS[key].title.lower()}", lambda key=key: evidence.find(looked, key))
    for key in ("blur", "dark", "bright", "low_information", "grey", "odd_size", "odd_aspect"):
        looked.memory["finding", key, 0] = Finding(key, "image", rng.normal(size=n).astype(np.float32), "high", 2.0, "")
    names = tuple(f"class {c}" for c in range(20))
    looked.memory["finding", "labels", 0] = Mislabels(
        "labels", "image", rng.random(n).astype(np.float32), "low", 0.05, "", names=names,
        suggested=tuple(names[c] for c in rng.integers(0, 20, n)))
    findings = {key: evidence.find(looked, key) for key in FOUND}
    findings |= {str(place[1]): found for place, found in looked.memory.items()
                 if isinstance(place, tuple) and place[0] == "finding" and isinstance(found, Finding)}
    titles = {key: evidence.KINDS[key].title for key in findings}
    of = sheet(looked.items, findings, titles=titles, near=looked.neighbours().rows)

    def redraw(actions: tuple[Action, ...]) -> None:
        steps = replay(actions, looked, finding_of=findings.__getitem__)
        at_random.beside_random(of, what_is_left(steps, looked))

    seconds = [timed(f"switching on: {action.words}", lambda i=i: redraw(SWITCHED[:i + 1]))
               for i, action in enumerate(SWITCHED)]
    off = (*SWITCHED[:2], replace(SWITCHED[2], on=False), *SWITCHED[3:5])
    seconds.append(timed("switching one in the middle off", lambda: redraw(off)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  slowest {max(seconds):.2f} s, median {np.median(seconds):.2f} s; most memory so far {peak:.2f} GB")


def chance(times: int, n: int = 600) -> None:
    """How often a random drop is told from dropping at random."""
    pairs, rng = made_up(n, 32), np.random.default_rng(1)
    assert pairs.classes is not None
    counts = 1 + np.arange(n) % 3
    links = np.stack([np.repeat(np.arange(n), counts), np.arange(counts.sum())], axis=1)
    texts = unit(pairs.texts[links[:, 0]] + rng.normal(size=(len(links), 32)).astype(np.float32) * 0.05)
    items = Items(pairs.images, texts, links, tuple(map(str, pairs.classes.truth)))
    scores = {"rare": ("image", np.arange(n) % 200 == 0), "common": ("image", rng.normal(size=n)),
              "captions": ("text", rng.normal(size=len(links)))}
    findings = {key: Finding(key, of, values.astype(np.float32), "high", 1.0, "")  # type: ignore[arg-type]
                for key, (of, values) in scores.items()}
    near = np.argsort(-(pairs.images @ pairs.images.T - 2 * np.eye(n)), axis=1)[:, :5]
    of = sheet(items, findings, near=near)
    uncorrected, at_random.holm = holm, lambda family: family   # type: ignore[assignment]
    told: dict[str, list[bool]] = {}
    for seed in range(times):
        state = Kept.all_of(items).without(items, images=rng.permutation(n)[:60])
        found = at_random.beside_random(of, state, seed=seed).differences
        corrected = uncorrected(found)
        told.setdefault("any, after Holm", []).append(any(d.p is not None and d.p <= LEVEL for d in corrected.values()))
        for key, difference in found.items():
            told.setdefault(key, []).append(difference.p is not None and difference.p <= LEVEL)
    print(f"share of {times} random drops of 60 of {n} images that are told from dropping at random at 5 %")
    for key, hits in told.items():
        print(f"  {key:32}{np.mean(hits):8.3f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--chance", type=int, default=0)
    arguments = parser.parse_args()
    import scipy.linalg
    import scipy.special  # noqa: F401  (imports do not count)

    for n in arguments.items:
        switch(n, arguments.dim)
    if arguments.chance:
        chance(arguments.chance)


if __name__ == "__main__":
    main()
