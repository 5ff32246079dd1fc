"""What closing the gap does to retrieval and zero-shot accuracy, on pairs that the closing was not fitted on."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from core.errors import Cancelled, ShapeError, check_choice
from core.geometry.curves import Curve
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.gap.closing import CLOSINGS, UNTOUCHED, FittedClosing, available, fit_closing
from core.geometry.gap.reports import ClosingReport, ClosingRow
from core.geometry.gap.splits import Splitter
from core.geometry.intervals import proportion
from core.geometry.pairs import Pairs
from core.geometry.retrieval import Answers, hits_of
from core.geometry.shift import gap_vector
from core.geometry.swaps import gap_by_chance
from core.types import Number

DIRECTIONS = ("r1_image_to_text", "r1_text_to_image")
ACCURACY = "accuracy"
MOST_SCORES_IN_ALL = 10_000_000
LEAST_REPEATS = 5
REPEATS_OF_CURVE = 5
FIT_SIZES = 5
SMALLEST_FIT = 16

Values = dict[str, list[Number]]


def score_closings(pairs: Pairs, *, methods: Sequence[str] | None = None, repeats: int = 20, seed: int = 0,
                   on_progress: Callable[[float, str], None] | None = None,
                   should_stop: Callable[[], bool] | None = None) -> ClosingReport:
    """Every way of closing, fitted on one random half of the pairs and scored on the other, again and again.

    All methods see the same splits. A group (an image with all its texts; images that share a text) lies wholly on one
    side. In-sample scores are those of pairs fitted on, in galleries as large as the held-out ones, so that the two
    can be compared. R@1 counts a query with several right answers once, and equal scores at their expected value.

    Parameters
    ----------
    pairs
        At least 4 groups. Without links only the gap and the zero-shot accuracy of methods that need no pairs are
        found.
    methods
        Keys of `closing.CLOSINGS`; None for all that the pairs allow. "untouched" is always the first row.
    repeats
        Splits, >= 1. Where many pairs are scored in each, there are fewer: at most ten million scores of an image and
        a text over all splits, but at least 5 splits. A split has at most a million such scores (1,000 images with a
        text each), and at most 5,000 groups are fitted on; the report says how many.
    seed
        Of the splits and of what methods hold back inside a fit.

    Returns
    -------
    Means over splits. The 95 % interval is about the score that a method fitted on ``n_fit`` pairs has, on average,
    in a new gallery of ``n_scored`` pairs of the same kind: it allows for other pairs fitted on and for other queries
    and galleries. Splits overlap, so that their scores are alike: with rho = n_scored / groups the variance of the mean
    is (1 / J + rho / (1 - rho)) S^2 with S^2 the variance over the J splits, which for halves is the corrected
    resampled variance of Nadeau and Bengio, and Student's quantile has J - 1 degrees of freedom. For shares it reaches
    at least as far as Wilson's interval for the different groups scored over all splits, so that a score of 1 in every
    split still has one. The variance errs on the safe side where scores hang on how a fit, a query and a gallery happen
    to meet: on made-up pairs of known truth (``tests/benchmarks/gap_closing.py --coverage 150``) 98 to 100 % of the
    intervals of R@1 held it, 1.4 to 1.7 times as wide as they need be.

    ``change`` is the difference to the untouched vectors and ``remembered`` that of in-sample to held-out scores, each
    item (a group of queries) with itself over all splits: `differences.hits_differ`, with p corrected for all methods
    and both ways together (accuracy apart). On the same made-up pairs 92 to 96 % of 400 intervals of ``change`` held
    the change that new pairs have on average.

    ``by_fit_size``: for the methods that move vectors by what they learn from pairs, held-out R@1 image to text on the
    first 5 splits, fitted on fewer pairs.

    Raises
    ------
    ShapeError
        With fewer than 4 groups, or for a method that needs pairs where none are known.
    ChoiceError
        If there is no such method.
    Cancelled
        If ``should_stop`` says so.

    References
    ----------
    Nadeau and Bengio, Inference for the generalization error, Machine Learning 52, 2003.
    """
    if repeats < 1:
        raise ShapeError("at least 1 split", str(repeats))
    splitter = Splitter(pairs, seed)
    allowed = available(pairs) if methods is None else methods
    keys = [UNTOUCHED, *(key for key in dict.fromkeys(allowed) if key != UNTOUCHED)]
    for key in keys:
        check_choice("a way of closing the gap", key, CLOSINGS)
    repeats = min(repeats, max(LEAST_REPEATS, MOST_SCORES_IN_ALL // splitter.scores))
    curved = [key for key in keys if CLOSINGS[key].moves and CLOSINGS[key].fits == "pairs"]
    sizes = _fit_sizes(splitter.n_fit) if curved else np.zeros(0, dtype=np.int64)
    few = min(repeats, REPEATS_OF_CURVE)
    steps, done = repeats * len(keys) + few * max(len(sizes) - 1, 0) * len(curved), 0

    def tell(text: str) -> None:
        nonlocal done
        if should_stop is not None and should_stop():
            raise Cancelled(f"{done} of {steps} fits")
        if on_progress is not None:
            on_progress(done / steps, text)
        done += 1

    found: dict[str, Values] = {key: defaultdict(list) for key in keys}
    tallies = {key: Tally(splitter.of_images, splitter.of_texts) for key in keys}
    smaller: dict[tuple[str, int], list[Number]] = defaultdict(list)
    for repeat in range(repeats):
        split = splitter.split(repeat)
        for key in keys:
            tell(f"{CLOSINGS[key].title}, split {repeat + 1} of {repeats}")
            fitted = fit_closing(key, split.fit, seed=seed + repeat)
            for part, scored in (("held_out", split.scored), ("in_sample", split.again)):
                hits = _hits(fitted, scored, part == "held_out")
                tallies[key].add(part, hits, split.rows[part])
                for name, (answers, of) in hits.items():
                    found[key][f"{part} {name}"].append(answers.share(of, 1))
            moved = fitted.apply(split.scored)
            null, _ = gap_by_chance(moved.images, moved.texts, moved.links)
            found[key]["gap"].append(Number(float(np.linalg.norm(gap_vector(moved))), null=null,
                                            n=len(moved.images)))
        for size in sizes[:-1] if repeat < few else ():
            fewer = splitter.split(repeat, int(size)).fit
            for key in curved:
                tell(f"{CLOSINGS[key].title}, fitted on {size:,} pairs")
                fitted = fit_closing(key, fewer, seed=seed + repeat)
                answers, of = _hits(fitted, split.scored, False)[DIRECTIONS[0]]
                smaller[key, int(size)].append(answers.share(of, 1))
    rho = splitter.n_scored / splitter.groups
    asked = min(splitter.groups, repeats * splitter.n_scored)
    change = _corrected({key: tallies[key].over(tallies[UNTOUCHED]) for key in keys[1:]})
    remembered = _corrected({key: tallies[key].remembered() for key in keys if CLOSINGS[key].fits == "pairs"})
    rows = tuple(_row(key, found[key], rho, asked, change.get(key, {}), remembered.get(key, {})) for key in keys)
    curves = {key: Curve.of(CLOSINGS[key].title, [
        *(over_splits(smaller[key, int(size)], rho, min(asked, few * splitter.n_scored)) for size in sizes[:-1]),
        over_splits(found[key]["held_out " + DIRECTIONS[0]], rho, asked)]) for key in curved}
    if on_progress is not None:
        on_progress(1.0, f"{len(keys)} ways of closing on {repeats} splits")
    return ClosingReport(rows, repeats, splitter.n_fit, splitter.n_scored, sizes, curves)


def over_splits(numbers: Sequence[Number], rho: float, groups: int | None = None) -> Number:
    """The mean of one number a split, with its 95 % interval.

    Parameters
    ----------
    numbers
        One a split, of overlapping random splits; value, null, n and unit are looked at.
    rho
        Share of all groups that is scored in a split, in [0, 1): how alike splits are.
    groups
        Where the numbers are shares: how many different groups were scored over all splits.

    Returns
    -------
    Mean of values and nulls, ``n`` of one split. No interval for a single split, unless ``groups`` is given.
    """
    values = np.array([number.value for number in numbers])
    mean, count = float(values.mean()), len(values)
    low, high = math.inf, -math.inf
    if count > 1:
        from scipy.special import stdtrit

        half = float(stdtrit(count - 1, 0.975)) * math.sqrt((1 / count + rho / (1 - rho)) * values.var(ddof=1))
        low, high = mean - half, mean + half
    if groups is not None:
        wilson = proportion(min(mean, 1.0) * groups, groups)
        low, high = min(low, wilson.low or 0.0), max(high, wilson.high or 1.0)
        low, high = max(low, 0.0), min(high, 1.0)
    nulls = [number.null for number in numbers if number.null is not None]
    known = low <= high
    return Number(mean, low if known else None, high if known else None, float(np.mean(nulls)) if nulls else None,
                  round(float(np.mean([number.n or 0 for number in numbers]))),
                  numbers[0].unit if groups is None else "share")


def _fit_sizes(n_fit: int) -> np.ndarray:
    return np.unique(np.geomspace(min(SMALLEST_FIT, n_fit), n_fit, FIT_SIZES).round().astype(np.int64))


Hits = dict[str, tuple[Answers, np.ndarray]]


def _hits(fitted: FittedClosing, pairs: Pairs, with_accuracy: bool) -> Hits:
    """By name, who was asked and which of them found their own first; R@1 both ways from one matrix of scores."""
    found: Hits = {}
    if len(pairs.links):
        scores = fitted.scores(pairs.images, pairs.texts)
        for name, of, links in ((DIRECTIONS[0], scores, pairs.links), (DIRECTIONS[1], scores.T, pairs.links[:, ::-1])):
            answers, hits = hits_of(pairs.images, pairs.texts, links, scores=of)
            found[name] = answers, hits[:, 0]
    classes = pairs.classes
    if with_accuracy and classes is not None and len(known := np.flatnonzero(classes.truth >= 0)):
        scores = fitted.scores(pairs.images[known], classes.vectors)
        right = np.stack([np.arange(len(known)), classes.truth[known]], axis=1)
        _, hits = hits_of(pairs.images, pairs.texts, right, scores=scores)
        asked = Answers(known, np.arange(len(known)), classes.truth[known], np.arange(len(known)), len(classes.names))
        found[ACCURACY] = asked, hits[:, 0]
    return found


class Tally:
    """How often each image and text found its own over all splits, so that methods are compared item by item."""

    def __init__(self, of_images: np.ndarray, of_texts: np.ndarray) -> None:
        self._groups = of_images, of_texts
        self._sums: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}

    def add(self, part: str, hits: Hits, rows: tuple[np.ndarray, np.ndarray]) -> None:
        """Of one split: hits by name, and which images and texts were looked at."""
        for name, (answers, of) in hits.items():
            side = self._side(name)
            count, total = self._sums.setdefault((part, name), (np.zeros(len(self._groups[side])),
                                                                np.zeros(len(self._groups[side]))))
            asked = rows[side][answers.asked]
            count[asked] += 1
            total[asked] += of

    def over(self, other: Tally) -> dict[str, Difference]:
        """What held-out hits have over those of another method on the same items."""
        return {name: self._differ(name, other._sums[part, name], numbers)
                for (part, name), numbers in self._sums.items() if part == "held_out"}

    def remembered(self) -> dict[str, Difference]:
        """What in-sample hits have over held-out ones of the same items."""
        return {name: self._differ(name, self._sums["held_out", name], numbers)
                for (part, name), numbers in self._sums.items() if part == "in_sample"}

    def _differ(self, name: str, before: tuple[np.ndarray, np.ndarray],
                after: tuple[np.ndarray, np.ndarray]) -> Difference:
        known = (before[0] > 0) & (after[0] > 0)
        means = [total[known] / count[known] for count, total in (before, after)]
        asked = np.minimum(before[0], after[0])[known]
        return hits_differ(means[0], means[1], self._groups[self._side(name)][known], asked=asked)

    @staticmethod
    def _side(name: str) -> int:
        return int(name == DIRECTIONS[1])


def _corrected(found: Mapping[str, Mapping[str, Difference]]) -> dict[str, dict[str, Difference]]:
    """Differences by method and name, corrected for all methods: both ways of retrieval together, accuracy apart."""
    out: dict[str, dict[str, Difference]] = {key: {} for key in found}
    for names in (DIRECTIONS, (ACCURACY,)):
        family = {(key, name): by_name[name] for key, by_name in found.items() for name in names if name in by_name}
        for (key, name), difference in holm(family).items():
            out[key][name] = difference
    return out


def _row(key: str, found: Values, rho: float, asked: int, change: Mapping[str, Difference],
         remembered: Mapping[str, Difference]) -> ClosingRow:
    def part(name: str) -> dict[str, Number]:
        return {way: over_splits(found[name + way], rho, asked) for way in DIRECTIONS if name + way in found}

    gap = over_splits(found["gap"], rho)
    if gap.low is not None:
        gap = Number(gap.value, max(gap.low, 0.0), gap.high, gap.null, gap.n, gap.unit)
    accuracy = over_splits(found["held_out " + ACCURACY], rho, asked) if "held_out " + ACCURACY in found else None
    return ClosingRow(key, gap, part("held_out "), part("in_sample "), accuracy, change, remembered)
