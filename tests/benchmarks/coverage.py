"""How often every interval that a page or a command shows holds what it is about: coverage, by simulation.

    python tests/benchmarks/coverage.py [--only sphere mmd ...] [--n 50 200 1000] [--texts 1 5] [--sets 200] [--list]

Data sets are drawn from one made-up kind of pairs (ten topics, a falling spectrum, a gap), with one or five texts an
image. Every interval is asked for on each set. What it should hold is the mean of the statistic over data sets of that
n; for shares among a gallery, which is kept while queries are resampled, the share that new queries would have in this
very gallery. A row passes where the 95 % interval of the coverage (Wilson's) meets [.93, .99]. 1,000 sets are drawn
where a set costs under 0.1 s, else 200. Parts are asked for by name, n, texts and sets; `--list` names the parts, says
where each interval is shown, and which numbers are shown without one and why. The whole takes about 45 minutes on
one core of a busy machine; the last line says what was spent.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from core.geometry.association import associations, leanings, single  # noqa: E402
from core.geometry.comparison import linear_cka, neighbour_overlap  # noqa: E402
from core.geometry.directions import unit  # noqa: E402
from core.geometry.fairness import shares_differ  # noqa: E402
from core.geometry.gap.landscape import landscape  # noqa: E402
from core.geometry.gap.measures import gap_measures, loss_at  # noqa: E402
from core.geometry.gap.scoring import score_closings  # noqa: E402
from core.geometry.intervals import proportion  # noqa: E402
from core.geometry.pairs import Classes, Pairs  # noqa: E402
from core.geometry.quality.balance import balance  # noqa: E402
from core.geometry.quality.captions import clip_scores  # noqa: E402
from core.geometry.quality.coverage import coverage  # noqa: E402
from core.geometry.quality.diversity import diversity  # noqa: E402
from core.geometry.quality.items import Items  # noqa: E402
from core.geometry.retrieval import accuracy, recalls  # noqa: E402
from core.geometry.statistics import sphere_statistics  # noqa: E402
from core.language.quality.texts import vocabulary  # noqa: E402
from core.types import Number  # noqa: E402

MANY, FEW, CHEAP = 1000, 200, 0.1
LEAST, MOST = 0.93, 0.99
DIM, TOPICS = 64, 10
NEW, AT_ONCE = 20, 2000   # new queries for each pair there is, and how many are drawn at once
SHIFTS = np.array([-0.25, 0.0, 0.25, 0.5])
TEMPERATURES = (0.01, 0.02, 1.0)

Found = dict[str, Number]


class Kind:
    """What data sets are drawn from: topics with a falling spectrum; images and texts share most of what they show."""

    def __init__(self, apart: float = 0.2) -> None:
        rng = np.random.default_rng(0)
        self.spectrum = np.arange(1, DIM + 1) ** -0.5
        self.centres = rng.normal(size=(TOPICS, DIM)) * self.spectrum
        typical, towards = rng.normal(size=(2, DIM))
        self.typical, self.towards = (3 * a * v / np.linalg.norm(v) for a, v in ((1, typical), (apart, towards)))
        self.other = rng.normal(size=(DIM, DIM)) / np.sqrt(DIM)

    def draw(self, n: int, texts: int, rng: np.random.Generator) -> Pairs:
        """New pairs: n images with so many texts each, in ten classes."""
        topic = rng.integers(0, TOPICS, n)
        shown = self.centres[topic] + rng.normal(size=(n, DIM)) * self.spectrum
        of = np.repeat(np.arange(n), texts)
        images = self._seen(shown, 1, rng)
        said = self._seen(shown[of], -1, rng)
        classes = unit((self.centres + self.typical - self.towards).astype(np.float32))
        return Pairs(images, said, np.stack([of, np.arange(len(of))], axis=1),
                     Classes(tuple(map(str, range(TOPICS))), classes, topic))

    def _seen(self, shown: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
        noise = rng.normal(size=shown.shape) * self.spectrum
        return unit((shown + noise + self.typical + side * self.towards).astype(np.float32))

    def second_model(self, pairs: Pairs, rng: np.random.Generator) -> np.ndarray:
        """The images by another model: turned, and with errors of its own."""
        noise = rng.normal(size=pairs.images.shape) / np.sqrt(DIM) * 0.4
        return unit(((pairs.images + noise) @ self.other).astype(np.float32))


@dataclass(frozen=True)
class Part:
    """Intervals that are made together.

    Attributes
    ----------
    shown : where, for users.
    measure : pairs, a generator and the kind -> numbers with their intervals.
    meant : the same, numbers' targets on this very set; None where the target is the mean over sets.
    """

    shown: str
    measure: Callable[[Pairs, np.random.Generator, Kind], Mapping[str, Number]]
    meant: Callable[[Pairs, np.random.Generator, Kind], Mapping[str, float]] | None = None


def measures_of(*names: str) -> Callable[[Pairs, np.random.Generator, Kind], Found]:
    """Some of the measures, by the beginnings of their names."""
    def measure(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
        return {key: n for key, n in gap_measures(pairs).items() if key.startswith(names)}
    return measure


def retrieval(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    """R@1 and R@5 both ways."""
    ways = {"image to text": recalls(pairs.images, pairs.texts, pairs.links),
            "text to image": recalls(pairs.texts, pairs.images, pairs.links[:, ::-1])}
    return {f"R@{k} {way}": number for way, found in ways.items() for k, number in found.items()}


def among_this_gallery(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> dict[str, float]:
    """What new pairs would score in this very gallery, each in the place of one that is there."""
    n, texts = len(pairs.images), len(pairs.texts) // len(pairs.images)
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(-(-NEW * n // AT_ONCE)):
        new, gone = kind.draw(min(AT_ONCE, NEW * n), texts, rng), rng.integers(0, n, min(AT_ONCE, NEW * n))
        own = np.einsum("ikd,id->ik", new.texts.reshape(len(gone), texts, -1), new.images)
        to_texts, to_images = new.images @ pairs.texts.T, new.texts @ pairs.images.T
        to_texts[np.arange(len(gone))[:, None], gone[:, None] * texts + np.arange(texts)] = -2
        to_images[np.arange(len(new.texts)), np.repeat(gone, texts)] = -2
        for way, scores, best in (("image to text", to_texts, own.max(axis=1)),
                                  ("text to image", to_images, own.ravel())):
            above = (scores > best[:, None]).sum(axis=1)
            for k in (1, 5):
                found[f"R@{k} {way}"].append(float((above < k).mean()))
    return {key: float(np.mean(shares)) for key, shares in found.items()}


def zero_shot(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    assert pairs.classes is not None
    return {"accuracy": accuracy(pairs.images, pairs.classes.vectors, pairs.classes.truth)}


def losses(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    return {f"loss, temperature {t:g}": loss_at(pairs, t) for t in TEMPERATURES}


def along_the_shift(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    """Gap, loss and accuracy at some shifts; retrieval there is shares among a gallery, as at 0."""
    report = landscape(pairs, shifts=SHIFTS)
    curves = {"gap": report.gap, **{f"loss, temperature {t:g}": c for t, c in report.losses.items()}}
    if report.accuracy is not None:
        curves["accuracy"] = report.accuracy
    return {f"{name} at shift {lam:g}": c.at(i) for name, c in curves.items() for i, lam in enumerate(report.shifts)}


def agreement(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    other = kind.second_model(pairs, rng)
    return {"CKA": linear_cka(pairs.images, other), "neighbour overlap": neighbour_overlap(pairs.images, other)}


def closings(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    report = score_closings(pairs, methods=["untouched", "translation", "procrustes", "csls"])
    found: Found = {}
    for row in report.rows:
        found[f"{row.method}: gap"] = row.gap
        for where, numbers in (("held out", row.held_out), ("fitted", row.in_sample)):
            found[f"{row.method}: R@1 {where}"] = numbers["r1_image_to_text"]
        if row.accuracy is not None:
            found[f"{row.method}: accuracy"] = row.accuracy
        found |= {f"{row.method}: change, {key}": d.change for key, d in row.change.items()}
    return found | {f"{key}: R@1 by fit size {size}": c.at(i) for key, c in report.by_fit_size.items()
                    for i, size in enumerate(report.fit_sizes)}


def words(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    """Captions of 5 to 12 of 2,000 words, those of a topic in common; a tenth says what one before it says."""
    assert pairs.classes is not None
    m, topic = len(pairs.texts), pairs.classes.truth[pairs.links[:, 0]]
    often = 1 / np.arange(1, 2001) * np.random.default_rng(0).gamma(0.5, size=(TOPICS, 2000))
    up_to = np.cumsum(often / often.sum(axis=1, keepdims=True), axis=1)
    said = [" ".join(f"w{i}" for i in np.searchsorted(up_to[t], rng.random(rng.integers(5, 13)))) for t in topic]
    for i in np.flatnonzero(rng.random(m) < 0.1):
        said[i] = said[rng.integers(i + 1)]
    return vocabulary(said, n=4 * m, captions=m // 2, together=pairs.links[:, 0]).numbers


def classes(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    """Labels of the topics, the first ten times as frequent as the last."""
    assert pairs.classes is not None
    drawn = rng.random(len(pairs.images)) < np.geomspace(1, 0.1, TOPICS)[pairs.classes.truth]
    return balance([str(t) if kept else "" for t, kept in zip(pairs.classes.truth, drawn)]).numbers


def spread(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    """Diversity of the images, and what of the sphere they cover."""
    return diversity(pairs.images) | coverage(pairs.images, seed=int(rng.integers(2**31))).numbers


def association(pairs: Pairs, rng: np.random.Generator, kind: Kind) -> Found:
    """Two groups of topics, each about a quarter of the images, against eight texts; each alone; shares of both."""
    assert pairs.classes is not None
    words = np.concatenate([kind.draw(200, 1, np.random.default_rng(t)).texts[:4] for t in range(2)])
    first = np.arange(8) < 4
    x, y = (pairs.images[pairs.classes.truth % 4 == t] @ words.T for t in range(2))
    test, = associations(leanings(x, first)[:, None], leanings(y, first)[:, None])
    bad = [int((leanings(group, first) > 0.0).sum()) for group in (x, y)]
    return {"effect size": test.change, "single": single(x, first).change,
            "difference of shares": shares_differ(bad[0], len(x), bad[1], len(y))}


PARTS: dict[str, Part] = {
    "sphere": Part("numbers of the sphere; measures, before and over the training of the gap",
                   lambda pairs, rng, kind: sphere_statistics(pairs.images, pairs.texts, pairs.links)),
    "measures": Part("measures of the gap, models side by side; evaluate gap", measures_of(
        "l2i", "mmd", "separability", "dims_for_half", "two_dimensions", "kendall_tau", "hubness")),
    "retrieval": Part("R@1 and R@5 wherever shown: measures, shift, training, evaluate model", retrieval,
                      among_this_gallery),
    "accuracy": Part("zero-shot accuracy: shift, models on images alone, evaluate model", zero_shot),
    "loss": Part("loss: evaluate gap", losses),
    "shift": Part("the landscape along the shift", along_the_shift),
    "agreement": Part("agreement of models", agreement),
    "scores": Part("CLIPScore of a dataset", lambda pairs, rng, kind: clip_scores(
        Items(pairs.images, pairs.texts, pairs.links)).numbers),
    "classes": Part("balance of the classes of a dataset", classes),
    "words": Part("captions of a dataset by their words", words),
    "spread": Part("diversity and coverage of a dataset", spread),
    "closings": Part("ways of closing the gap; evaluate gap", closings),
    "association": Part("association tests and fairness curve of the page of words", association),
}
WITHOUT = {
    "fidelity of a map": "tells of this map of these points, which is known and not estimated",
    "Vendi score and effective rank of fewer than four clusters a dimension": "no interval was found that covers",
    "fullest tenth of the cells and reach of the holes": "hang on the largest counts and distances; none was tried",
    "dimensions for half of the gap": "a count that jumps; redrawn gaps held the mean over sets in 31 to 58 %",
    "hubs": "the skew hangs on the few largest counts; a jackknife held the mean over sets in 87 to 99.5 %",
    "neighbour overlap of two models": "a jackknife is 1.6 times too wide (99.7 %), one over items too narrow (87 %)",
    "distance of two conformities": "never below what chance gives; a jackknife held its mean over sets in 90 %",
    "distance of two selections": "has a p and what random divisions give",
    "parts and percentiles of one cosine": "of two given items",
}


def simulate(name: str, n: int, texts: int, kind: Kind, sets: int | None) -> tuple[list[str], float]:
    """Rows of the table, and seconds a set."""
    part = PARTS[name]
    values: dict[str, list[float]] = defaultdict(list)
    ends: dict[str, list[tuple[float, float]]] = defaultdict(list)
    meant: dict[str, list[float]] = defaultdict(list)
    asked, spent, done = sets or MANY, 0.0, 0
    while done < asked:
        rng = np.random.default_rng([n, texts, done])
        pairs = kind.draw(n, texts, rng)
        begin = time.perf_counter()
        found = part.measure(pairs, rng, kind)
        targets = part.meant(pairs, rng, kind) if part.meant else {}
        spent += time.perf_counter() - begin
        done += 1
        if sets is None and done == 5 and spent / done >= CHEAP:
            asked = FEW
        for key, number in found.items():
            values[key].append(number.value)
            if number.low is not None and number.high is not None:
                ends[key].append((number.low, number.high))
                if part.meant:
                    meant[key].append(targets[key])
    rows = []
    for key, of_sets in values.items():
        head = f"{name:11}{key:38}{n:6,}{texts:6}{len(of_sets):7,}{np.mean(of_sets):10.4f}"
        if not ends[key]:
            rows.append(f"{head}   no interval")
            continue
        low, high = np.array(ends[key]).T
        target = np.array(meant[key]) if part.meant else np.mean(of_sets)
        held = proportion(float(((low <= target) & (target <= high)).sum()), len(low))
        assert held.low is not None
        assert held.high is not None
        fine = held.low <= MOST and held.high >= LEAST
        rows.append(f"{head}{np.mean(high - low):10.4f}{held.value:8.3f} ({held.low:.3f} to {held.high:.3f})  "
                    f"{'pass' if fine else 'FAILS'}" + (f"  {len(low):,} intervals" if len(low) < len(of_sets) else ""))
    return rows, spent / done


def main() -> None:
    """Print the table, or what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--n", nargs="+", type=int, default=[50, 200, 1000])
    parser.add_argument("--texts", nargs="+", type=int, default=[1, 5], help="an image")
    parser.add_argument("--sets", type=int, help=f"default: {MANY:,} where a set costs under {CHEAP:g} s, else {FEW}")
    parser.add_argument("--apart", type=float, default=0.2, help="how far the modalities are (0.5: a gap as CLIP's)")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        for name, part in PARTS.items():
            print(f"{name:12}{part.shown}")
        for what, why in WITHOUT.items():
            print(f"no interval: {what}: {why}")
        return
    begin = time.perf_counter()
    print(f"{'part':11}{'statistic':38}{'n':>6}{'texts':>6}{'sets':>7}{'mean':>10}{'width':>10}{'coverage':>8}")
    for name in arguments.only:
        for n in arguments.n:
            for texts in arguments.texts:
                rows, seconds = simulate(name, n, texts, Kind(arguments.apart), arguments.sets)
                print("\n".join(rows), f"\n{'':11}{seconds:.3f} s a set", flush=True)
    print(f"{time.perf_counter() - begin:.0f} s in all")


if __name__ == "__main__":
    main()
