"""How cosines are spread, by kind of pair, and how typical points are of their modality."""

from __future__ import annotations

import math

import numpy as np

from core.errors import ShapeError
from core.geometry import alike
from core.geometry.curves import Curve
from core.geometry.gap.parts import at_most
from core.geometry.gap.reports import Conformity, CosineHistograms
from core.geometry.pairs import Pairs
from core.geometry.rounding import rounding
from core.geometry.samples import spread_sample
from core.types import Number

MOST_FOR_COSINES = 1000
MOST_MATCHED = 100_000
MOST_FOR_DISTANCES = 5000
ALPHAS = np.arange(-10, 21) / 20
HALVES = 20


def cosines_by_kind(pairs: Pairs, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Cosines of images and texts that belong together ("matched"), that do not ("unmatched"), of two "images" and of
    two "texts".

    All pairs of points among up to 1,000 of each modality, from the most to the least typical, and up to 100,000
    links. (c,) float32 a kind; a kind of which there are none is left out.
    """
    x, y, links = pairs.images, pairs.texts, pairs.links
    rows_x, rows_y = (np.sort(spread_sample(z, MOST_FOR_COSINES, seed=seed)) for z in (x, y))
    if len(links) > MOST_MATCHED:
        links = links[np.sort(np.random.default_rng(seed).choice(len(links), MOST_MATCHED, replace=False))]
    across = x[rows_x] @ y[rows_y].T
    place_x, place_y = np.full(len(x), -1), np.full(len(y), -1)
    place_x[rows_x], place_y[rows_y] = np.arange(len(rows_x)), np.arange(len(rows_y))
    inside = np.stack([place_x[pairs.links[:, 0]], place_y[pairs.links[:, 1]]], axis=1)
    inside = inside[(inside >= 0).all(axis=1)]
    unmatched = np.ones(across.shape, dtype=bool)
    unmatched[inside[:, 0], inside[:, 1]] = False
    found = {"matched": np.concatenate([np.einsum("ij,ij->i", x[part[:, 0]], y[part[:, 1]])
                                        for part in np.array_split(links, max(1, -(-len(links) // 4096)))]),
             "unmatched": across[unmatched]}
    for kind, z in (("images", x[rows_x]), ("texts", y[rows_y])):
        found[kind] = (z @ z.T)[np.triu(np.ones((len(z), len(z)), dtype=bool), 1)]
    return {kind: np.clip(cosines, -1, 1) for kind, cosines in found.items() if len(cosines)}


def cosine_histograms(pairs: Pairs, *, seed: int = 0, bins: int = 80) -> CosineHistograms:
    """Histograms of `cosines_by_kind` over common bins, with the mean cosines of all points.

    Parameters
    ----------
    pairs
        Images and texts; kinds of which there are none are left out.
    seed
        Of the sample.
    bins
        Equal bins from the least to the largest cosine, widened to twentieths; >= 1.

    Raises
    ------
    ShapeError
        If ``bins`` < 1.
    """
    if bins < 1:
        raise ShapeError("at least 1 bin", str(bins))
    kinds = cosines_by_kind(pairs, seed=seed)
    low = min((float(c.min()) for c in kinds.values()), default=0.0)
    high = max((float(c.max()) for c in kinds.values()), default=1.0)
    low, high = np.floor(low * 20 + 1e-4) / 20, np.ceil(high * 20 - 1e-4) / 20
    edges = np.linspace(low, max(high, low + 0.05), bins + 1)
    shares = {}
    for kind, cosines in kinds.items():
        place = ((cosines - np.float32(edges[0])) * np.float32(bins / (edges[-1] - edges[0]))).astype(np.int64)
        shares[kind] = np.bincount(np.clip(place, 0, bins - 1), minlength=bins) / len(cosines)
    return CosineHistograms(edges, shares, alike.by_kind(pairs.images, pairs.texts, pairs.links),
                            {kind: len(c) for kind, c in kinds.items()})


def mean_cosines(x: np.ndarray) -> np.ndarray:
    """Conformity: mean cosine of each row to the others: (n, d) unit rows, n >= 2 -> (n,) float64.

    On unit vectors this is n |m| / (n - 1) cos(m, v) - 1 / (n - 1) with the mean m: that it goes with the cosine to
    the mean is an identity and no finding.

    References
    ----------
    Levi and Gilboa, 2024, arXiv:2411.14517.
    """
    return _mean_cosines(x, np.zeros(1))[0]


def conformity(pairs: Pairs, *, alphas: np.ndarray = ALPHAS, seed: int = 0) -> Conformity:
    """Conformity of images and of texts, and how far the two distributions are apart along v - alpha times the mean.

    Parameters
    ----------
    pairs
        At least 2 images and 2 texts.
    alphas
        (a,) growing; those that leave a vector no direction, or all equally typical, are left out.
    seed
        Of halves.

    Returns
    -------
    Conformity of all points. The distances are Wasserstein's, of up to 5,000 points of each modality, in standard
    deviations of conformity (the root of the mean variance of the two, at the same alpha): taking the mean away draws
    all conformities together, and a distance in cosine would fall by that alone. The null is the mean distance of two
    random halves of one modality at alpha 0. No interval: distances near their least are never below it, and a
    jackknife did not cover them.

    Raises
    ------
    ShapeError
        If a modality has a single point, or no point is more typical than another.

    References
    ----------
    Levi and Gilboa, 2024, arXiv:2411.14517.
    """
    sets = (pairs.images, pairs.texts)
    for name, x in zip(("images", "texts"), sets):
        if len(x) < 2:
            raise ShapeError(f"at least 2 {name}", str(len(x)), "Conformity is a mean cosine to the others.")
    own, least = [mean_cosines(x) for x in sets], rounding(pairs.images, pairs.images.shape[1])
    means = alike.by_kind(pairs.images, pairs.texts, pairs.links).numbers
    pairs = at_most(pairs, MOST_FOR_DISTANCES, seed=seed)
    sets = (pairs.images, pairs.texts)
    rng = np.random.default_rng(seed)
    halves = [_halves_apart(v, rng) / v.std() for v in own if len(v) > 3 and v.std() > least for _ in range(HALVES)]
    alphas = np.asarray(alphas, dtype=np.float64)
    shortest = np.min([_lengths(x, alphas).min(axis=1) for x in sets], axis=0) ** 2
    alphas, shortest = alphas[shortest > least], shortest[shortest > least]
    n, null = min(map(len, sets)), float(np.mean(halves)) if halves else None
    numbers, kept = [], []
    for i, (alpha, a, b) in enumerate(zip(alphas, *(_mean_cosines(x, alphas) for x in sets))):
        if max(a.std(), b.std()) <= least / shortest[i]:
            continue
        numbers.append(Number(_apart(a, b), null=null, n=n, unit="standard deviations"))
        kept.append(alpha)
    if not kept:
        raise ShapeError("points of which some are more typical than others", "points that are all alike",
                         "Conformity needs at least 3 points of a modality that differ.")
    title = "Distance of the conformity of images and of texts"
    return Conformity(own[0], own[1], means["images"], means["texts"], np.array(kept), Curve.of(title, numbers))


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein distance of two sets of numbers: the area between their distribution functions."""
    every = np.concatenate([a, b])
    order = np.argsort(every)
    steps = np.repeat([1 / len(a), -1 / len(b)], [len(a), len(b)])[order]
    return float(np.abs(np.cumsum(steps)[:-1]) @ np.diff(every[order]))


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    return wasserstein(a, b) / math.sqrt((a.var() + b.var()) / 2)


def _lengths(x: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Length of each row less alpha times the mean: (a, n) float64."""
    mean = x.mean(axis=0, dtype=np.float64)
    along = (x @ mean.astype(x.dtype)).astype(np.float64)
    squares = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    return np.sqrt(np.maximum(squares - 2 * alphas[:, None] * along + alphas[:, None] ** 2 * float(mean @ mean), 0))


def _mean_cosines(x: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Mean cosine of unit(v - alpha m) to the others, at each alpha: (a, n) float64, no vector moved."""
    mean = x.mean(axis=0, dtype=np.float64)
    scale = 1 / _lengths(x, alphas)
    sums = scale.astype(x.dtype) @ x - (alphas * scale.sum(axis=1))[:, None] * mean
    with_sum = scale * ((x @ sums.T.astype(x.dtype)).T - (alphas * (sums @ mean))[:, None])
    return (with_sum - 1) / (len(x) - 1)


def _halves_apart(values: np.ndarray, rng: np.random.Generator) -> float:
    mixed = rng.permutation(np.sort(values))
    return wasserstein(mixed[:len(mixed) // 2], mixed[len(mixed) // 2:])
