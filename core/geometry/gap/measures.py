"""All measures of a modality gap, each with its interval and with what chance would give."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from core.errors import Cancelled, ShapeError
from core.geometry.gap.orders import kendall_tau
from core.geometry.gap.parts import at_most, cluster_labels, for_retrieval, one_text_each
from core.geometry.gap.two_samples import mmd, separability
from core.geometry.hubs import hubness
from core.geometry.jackknife import CHUNK, cluster_sums, student, with_interval
from core.geometry.pairs import Pairs
from core.geometry.retrieval import KEPT, recalls
from core.geometry.rounding import rounding
from core.geometry.shift import gap_vector
from core.geometry.statistics import sphere_statistics
from core.types import Number

MOST = 5000
DRAWS = 200
BATCH = 50   # pairs in a batch of the loss, as Liang 2022
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Measure:
    """How a measure is called, what it says, its unit (empty: a pure number) and what its null is."""

    title: str
    explanation: str
    unit: str = ""
    null: str = "random directions"


_SWAPPED = "image and text swapped within pairs"
_SHUFFLED_LABELS = "labels image and text shuffled"
_SHUFFLED_PAIRS = "pairs shuffled"

MEASURES: dict[str, Measure] = {
    "centroid_gap": Measure("Gap", "Distance of the mean image and the mean text vector (Liang 2022).",
                            null=_SWAPPED),
    "angle_of_means": Measure("Angle of means", "Angle between the mean image and the mean text vector.", "degrees",
                              _SWAPPED),
    "l2i": Measure("Distance in pairs", "Mean distance of an image to its own text (L2I; Schrodi 2024).",
                   null=_SHUFFLED_PAIRS),
    "alignment": Measure("Alignment", "Mean squared distance of an image to its own text (Wang & Isola 2020).",
                         null=_SHUFFLED_PAIRS),
    "cosine_paired": Measure("Cosine, pairs", "Mean cosine of an image and its own text.", null=_SHUFFLED_PAIRS),
    "cosine_unpaired": Measure("Cosine, not pairs", "Mean cosine of an image and a text of another image."),
    "rmg": Measure("Relative gap", "Distance in pairs over that plus the distance in modalities (RMG, Schrodi 2024)."),
    "mmd": Measure("MMD", "Squared maximum mean discrepancy, unbiased, Gaussian kernel at the median distance "
                   "(Gretton 2012): sees more than the means.", null=_SWAPPED),
    "separability": Measure("Separability", "Held-out points that a linear boundary puts on the right side.", "share",
                            _SHUFFLED_LABELS),
    "dims_for_half": Measure("Dimensions for half", "Coordinates that hold half of the squared gap.", "dimensions"),
    "two_dimensions": Measure("Two dimensions", "Share of the squared gap in its two largest coordinates.", "share"),
    "uniformity_image": Measure("Uniformity, images", "Log mean of exp(-2 d^2) over pairs of images."),
    "uniformity_text": Measure("Uniformity, texts", "Log mean of exp(-2 d^2) over pairs of texts."),
    "kendall_tau": Measure("Neighbour orders", "Kendall's tau of the neighbours' order around an image and around its "
                           "text: 1 where both modalities agree on who is near.", null=_SHUFFLED_PAIRS),
    "hubness_image_to_text": Measure("Hubs among texts", "Skew of how often a text is among the 10 nearest of an "
                                     "image.", null="neighbours drawn at random"),
    "hubness_text_to_image": Measure("Hubs among images", "Skew of how often an image is among the 10 nearest of a "
                                     "text.", null="neighbours drawn at random"),
    "r1_image_to_text": Measure("R@1, image to text", "Images whose nearest text is their own.", KEPT, _SHUFFLED_PAIRS),
    "r1_text_to_image": Measure("R@1, text to image", "Texts whose nearest image is their own.", KEPT, _SHUFFLED_PAIRS),
    "r5_image_to_text": Measure("R@5, image to text", "Images with an own text among the 5 nearest.", KEPT,
                                _SHUFFLED_PAIRS),
    "r5_text_to_image": Measure("R@5, text to image", "Texts with an own image among the 5 nearest.", KEPT,
                                _SHUFFLED_PAIRS),
}


def gap_measures(pairs: Pairs, *, seed: int = 0, on_progress: Progress | None = None,
                 should_stop: Callable[[], bool] | None = None) -> dict[str, Number]:
    """All measures that the pairs at hand allow, by the keys of `MEASURES` and in their order.

    Parameters
    ----------
    pairs
        Images and texts; without links, what needs pairs is left out.
    seed
        Of samples and folds.
    on_progress, should_stop
        Told the share done and what is being done; asked between measures.

    Returns
    -------
    Numbers with 95 % intervals (a jackknife over images with their texts, or Wilson's over queries in a gallery that
    stays; never copies of rows) and nulls as `MEASURES` says; counts of dimensions and skews of hubs have none, as none
    was found that covers (``tests/benchmarks/coverage.py``). Hubs, MMD and separability look at up to 5,000 images and
    texts, retrieval at 150 million cosines, uniformity at 3,000 points, neighbour orders at 500 pairs; each ``n`` says
    so. What is not defined (a single point, equal points) is left out. ``dims_for_half`` and ``two_dimensions`` depend
    on the axes, all others stay under a rotation.

    Raises
    ------
    Cancelled
        If ``should_stop`` says so.

    References
    ----------
    Liang et al., 2022, arXiv:2203.02053; Schrodi et al., 2024, arXiv:2404.07983; Wang and Isola, 2020,
    arXiv:2005.10242.
    """
    sample = at_most(pairs, MOST, seed=seed)
    steps: list[tuple[str, Callable[[], dict[str, Number | None]]]] = [
        ("Means and uniformity", lambda: _means(pairs)),
        ("Maximum mean discrepancy", lambda: {"mmd": mmd(sample)}),
        ("Separability", lambda: {"separability": separability(sample, seed=seed)}),
        ("Dimensions of the gap", lambda: _dimensions(pairs, seed)),
        ("Neighbour orders", lambda: {"kendall_tau": kendall_tau(pairs, seed=seed)}),
        ("Hubs", lambda: _hubs(sample)),
        ("Retrieval", lambda: _retrieval(for_retrieval(pairs, seed=seed))),
    ]
    found: dict[str, Number | None] = {}
    for done, (text, step) in enumerate(steps):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{done} of {len(steps)} steps of the measures")
        if on_progress is not None:
            on_progress(done / len(steps), text)
        found |= step()
    if on_progress is not None:
        on_progress(1.0, "Measured")
    return {key: replace(number, unit=MEASURES[key].unit) for key in MEASURES
            if (number := found.get(key)) is not None and math.isfinite(number.value)}


def gap_dimensions(pairs: Pairs) -> np.ndarray:
    """Share of the squared gap in each coordinate: (d,) float64 that sum to 1; zeros where there is no gap.

    Depends on the axes: CLIP's own have a few that carry most of it (Schrodi 2024, arXiv:2404.07983).
    """
    squares = gap_vector(pairs) ** 2
    total = squares.sum()
    return squares / total if total > rounding(pairs.images) ** 2 else np.zeros_like(squares)


def loss_at(pairs: Pairs, temperature: float, *, batch: int = BATCH) -> Number:
    """Contrastive loss over consecutive batches of pairs.

    Parameters
    ----------
    pairs
        Each image with its first text; images without one are left out. A text that several images share counts as
        wrong for all but its own pair, as it does in training.
    temperature
        > 0.
    batch
        Pairs in a batch, >= 2; all where there are fewer. The last batch is filled up with pairs before it, which
        only stand against the others there, so that each pair counts once and against equally many.

    Returns
    -------
    Natural logarithm, >= 0; the 95 % interval is over batches, the null is ln(batch), where nothing is told apart. It
    depends on the order of the rows: who is in a batch with whom.

    Raises
    ------
    ShapeError
        If the temperature is not above 0, the batch is below 2 or there are fewer than 2 pairs.

    References
    ----------
    Radford et al., 2021, arXiv:2103.00020; Liang et al., 2022, arXiv:2203.02053 (batches of 50 along the shift).
    """
    links = one_text_each(pairs)
    rows, counted = batches(len(links), batch)
    x, y = pairs.images[links[:, 0]][rows], pairs.texts[links[:, 1]][rows]
    return loss_of(np.matmul(x, y.transpose(0, 2, 1), dtype=np.float64), counted, temperature)


def batches(n: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of consecutive batches ((b, batch) int64), and which of them count ((b, batch) bool)."""
    if n < 2:
        raise ShapeError("at least 2 pairs", str(n), "The loss needs pairs that belong together.")
    if batch < 2:
        raise ShapeError("batches of at least 2 pairs", str(batch))
    batch = min(batch, n)
    starts = np.minimum(np.arange(0, n, batch), n - batch)
    rows = starts[:, None] + np.arange(batch)
    return rows, rows >= np.arange(0, n, batch)[:, None]


def loss_of(cosines: np.ndarray, counted: np.ndarray, temperature: float) -> Number:
    """The loss of batches of cosines ((b, k, k), pairs on the diagonal); those ``counted`` ((b, k) bool) count."""
    means, weights = losses_of(cosines, counted, temperature)
    value = float(np.average(means, weights=weights))
    b, null = len(means), math.log(cosines.shape[1])
    if b < 3:
        return Number(value, null=null, n=int(weights.sum()))
    spread = np.average((means - value) ** 2, weights=weights) / (b - 1)
    half = student(b - 1) * math.sqrt(float(spread))
    return Number(value, max(value - half, 0.0), value + half, null, int(weights.sum()))


def losses_of(cosines: np.ndarray, counted: np.ndarray, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """The loss of each batch ((b,) float64) as `loss_of` takes them, and how many pairs of it count."""
    if not temperature > 0:
        raise ShapeError("a temperature above 0", f"{temperature:g}")
    logits = cosines / temperature
    own = np.einsum("bii->bi", logits)
    each = (_log_sum_exp(logits, 1) + _log_sum_exp(logits, 2)) / 2 - own
    weights = counted.sum(axis=1)
    return (each * counted).sum(axis=1) / weights, weights


def _log_sum_exp(logits: np.ndarray, axis: int) -> np.ndarray:
    most = logits.max(axis=axis, keepdims=True)
    return np.log(np.exp(logits - most).sum(axis=axis)) + most.squeeze(axis)


def _means(pairs: Pairs) -> dict[str, Number | None]:
    numbers = sphere_statistics(pairs.images, pairs.texts, pairs.links)
    found: dict[str, Number | None] = {key: number for key, number in numbers.items() if key in MEASURES}
    found["centroid_gap"] = numbers["gap"]
    if len(pairs.links):
        unpaired = numbers["cosine_unpaired"].value
        if math.isfinite(unpaired):
            found["cosine_paired"] = replace(numbers["cosine_paired"], null=unpaired)
            found["alignment"] = replace(numbers["alignment"], null=2 - 2 * unpaired)
        found["l2i"] = _distance_in_pairs(pairs)
    return found


def _distance_in_pairs(pairs: Pairs) -> Number:
    x, y, links = pairs.images, pairs.texts, pairs.links
    distance = np.concatenate([np.linalg.norm(x[part[:, 0]] - y[part[:, 1]], axis=1)
                               for part in np.array_split(links, -(-len(links) // 4096))]).astype(np.float64)
    of_images, _, c = cluster_labels(pairs)
    cluster = of_images[links[:, 0]]
    counts, sums = np.bincount(cluster, minlength=c), np.bincount(cluster, distance, c)
    has = counts > 0
    left = len(links) - counts[has]
    without = (distance.sum() - sums[has]) / left if left.min() > 0 else None
    sample = at_most(pairs, 1000)
    every = np.sqrt(np.maximum(2 - 2 * (sample.images @ sample.texts.T), 0))
    every[sample.links[:, 0], sample.links[:, 1]] = np.nan
    known = np.isfinite(every)
    null = float(every[known].mean(dtype=np.float64)) if known.any() else None
    return replace(with_interval(float(distance.mean()), without, 0.0, len(links), low=0, high=2), null=null)


def _dimensions(pairs: Pairs, seed: int) -> dict[str, Number | None]:
    """Of the two largest, a jackknife; the count jumps, and has no interval."""
    gap = gap_vector(pairs)
    if gap @ gap < rounding(pairs.images) ** 2 or len(gap) < 2:
        return {}
    rng = np.random.default_rng(seed)
    n = min(len(pairs.images), len(pairs.texts))
    half, two = _carried(gap)
    chance_half, chance_two = (float(np.mean(part)) for part in zip(*map(_carried, rng.normal(size=(DRAWS, len(gap))))))
    of_x, of_y, c = cluster_labels(pairs)
    sums = [cluster_sums(x, of, c) for x, of in ((pairs.images, of_x), (pairs.texts, of_y))]
    without = np.empty(c)
    for start in range(0, c, CHUNK):
        rows = slice(start, start + CHUNK)
        with np.errstate(all="ignore"):
            left = [(one.whole - one.rows(start, start + CHUNK)) / (one.counts.sum() - one.counts[rows, None])
                    for one in sums]
        squares = (left[0] - left[1]) ** 2
        without[rows] = np.partition(squares, -2, axis=1)[:, -2:].sum(axis=1) / np.maximum(squares.sum(axis=1), 1e-12)
    return {"dims_for_half": Number(half, null=chance_half, n=n),
            "two_dimensions": with_interval(two, without, chance_two, n, low=0, high=1)}


def _carried(gap: np.ndarray) -> tuple[float, float]:
    shares = np.sort(gap**2)[::-1] / float(gap @ gap)
    return float(np.searchsorted(np.cumsum(shares), 0.5) + 1), float(shares[:2].sum())


def _hubs(sample: Pairs) -> dict[str, Number | None]:
    return {"hubness_image_to_text": hubness(sample.images, sample.texts),
            "hubness_text_to_image": hubness(sample.texts, sample.images)}


def _retrieval(sample: Pairs) -> dict[str, Number | None]:
    if not len(sample.links):
        return {}
    ways = {"image_to_text": recalls(sample.images, sample.texts, sample.links),
            "text_to_image": recalls(sample.texts, sample.images, sample.links[:, ::-1])}
    return {f"r{k}_{way}": number for way, numbers in ways.items() for k, number in numbers.items()}
