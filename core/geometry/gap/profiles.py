"""How cosines are spread, by kind of pair, and how typical points are of their modality."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError
from core.geometry.fidelity import spread_sample
from core.geometry.gap.parts import cluster_labels
from core.geometry.gap.reports import Conformity, CosineHistograms, Curve, Pairs
from core.geometry.jackknife import with_interval
from core.geometry.sphere import unit
from core.types import Number

MOST_FOR_COSINES = 1000
MOST_MATCHED = 100_000
ALPHAS = np.arange(-10, 21) / 20
GROUPS = 20
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
    """Histograms of `cosines_by_kind` over common bins.

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
    return CosineHistograms(edges, shares, {kind: float(c.mean(dtype=np.float64)) for kind, c in kinds.items()},
                            {kind: len(c) for kind, c in kinds.items()})


def mean_cosines(x: np.ndarray) -> np.ndarray:
    """Conformity: mean cosine of each row to the others: (n, d) unit rows, n >= 2 -> (n,) float64.

    On unit vectors this is n |m| / (n - 1) cos(m, v) - 1 / (n - 1) with the mean m: that it goes with the cosine to
    the mean is an identity and no finding.

    References
    ----------
    Levi and Gilboa, 2024, arXiv:2411.14517.
    """
    return (x @ x.sum(axis=0, dtype=np.float64) - np.einsum("ij,ij->i", x, x, dtype=np.float64)) / (len(x) - 1)


def conformity(pairs: Pairs, *, alphas: np.ndarray = ALPHAS, seed: int = 0) -> Conformity:
    """Conformity of images and of texts, and how far the two distributions are apart along v - alpha times the mean.

    Parameters
    ----------
    pairs
        At least 2 images and 2 texts; links only make clusters for the interval.
    alphas
        (a,) growing; those that leave a vector no direction are left out.
    seed
        Of halves and groups.

    Returns
    -------
    The distances are Wasserstein's, in cosine; each interval is a jackknife that leaves out a twentieth of the clusters
    (an image with its texts) at a time; the null is the mean distance of two random halves of one modality at alpha 0.

    Raises
    ------
    ShapeError
        If a modality has a single point.

    References
    ----------
    Levi and Gilboa, 2024, arXiv:2411.14517.
    """
    sets = (pairs.images, pairs.texts)
    for name, x in zip(("images", "texts"), sets):
        if len(x) < 2:
            raise ShapeError(f"at least 2 {name}", str(len(x)), "Conformity is a mean cosine to the others.")
    own = [mean_cosines(x) for x in sets]
    of_x, of_y, c = cluster_labels(pairs)
    rng = np.random.default_rng(seed)
    groups = rng.permutation(c) % GROUPS
    null = float(np.mean([_halves_apart(values, rng) for values in own for _ in range(HALVES)]))
    numbers, kept = [], []
    for alpha in np.asarray(alphas, dtype=np.float64):
        less = [x - (alpha * x.mean(axis=0, dtype=np.float64)).astype(x.dtype) for x in sets]
        if any(np.einsum("ij,ij->i", v, v).min() < 1e-10 for v in less):
            continue
        a, b = (mean_cosines(unit(v)) for v in less)
        kept.append(alpha)
        without = None
        if c >= 3 * GROUPS:
            without = np.array([wasserstein(a[groups[of_x] != g], b[groups[of_y] != g]) for g in range(GROUPS)])
        numbers.append(with_interval(wasserstein(a, b), without, null, min(map(len, sets)), low=0, high=2))
    title = "Distance of the conformity of images and of texts"
    return Conformity(own[0], own[1], np.array(kept), Curve.of(title, numbers or [Number(0.0)][:0]))


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein distance of two sets of numbers: the area between their distribution functions."""
    a, b = np.sort(a), np.sort(b)
    every = np.sort(np.concatenate([a, b]))
    below = [np.searchsorted(v, every[:-1], "right") / len(v) for v in (a, b)]
    return float(np.abs(below[0] - below[1]) @ np.diff(every))


def _halves_apart(values: np.ndarray, rng: np.random.Generator) -> float:
    mixed = rng.permutation(np.sort(values))
    return wasserstein(mixed[:len(mixed) // 2], mixed[len(mixed) // 2:])
