"""What the fidelity of a map is by chance: that of the same map, fitted to points without structure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from core.geometry.directions import kappa_from_length
from core.geometry.maps.fidelity import measure
from core.geometry.maps.linear import fit_axes
from core.geometry.maps.placing import Placed, Progress, part
from core.geometry.samples import spread_sample

MOST_POINTS = 2000
_MOST_DRAWS, _POINTS_DRAWN = 5, 300
_MOST_KEPT = 1000

Fit = Callable[[np.ndarray, np.ndarray | None, Progress | None], Placed]

_kept: dict[tuple[object, ...], dict[str, float]] = {}
_keeping = threading.Lock()


def of_structureless_points(method: str, fit: Fit, x: np.ndarray, texts: np.ndarray | None = None, *, seed: int = 0,
                            on_progress: Progress | None = None) -> Mapping[str, float]:
    """Fidelity of a map fitted to random directions, as many and of as many dimensions as the points at hand.

    Where there are two modalities each keeps its mean and the length of it, and only the rest is drawn at random: what
    the gap alone makes of the cosines is chance too. As nothing but the lengths of both means and the angle between
    them matters, what was found is kept by these, n, d, the method and the seed.

    Parameters
    ----------
    method, fit
        Key of the map, and what fits it to (n, d) points and (n,) bool, which of them are texts, or None; its third
        argument hears of progress.
    x, texts
        (n, d) unit rows, and which of them are texts; None where all are of one modality.
    on_progress
        Called with the share that is done.

    Returns
    -------
    By the names of `fidelity.measure`, and ``variance``: means of up to five draws. Above 2,000 points those of 2,000,
    an upper bound. Empty where there are fewer than 4 points or 2 dimensions.
    """
    n, d = x.shape
    if n < 4 or d < 2:
        return {}
    sides = [x] if texts is None else [x[~texts], x[texts]]
    sizes = [len(side) for side in sides]
    if n > MOST_POINTS:
        sizes = [max(round(size * MOST_POINTS / n), min(size, 4)) for size in sizes]
    means = np.zeros((1, d)) if texts is None else _two_means(*map(_mean, sides))
    key = method, d, *sizes, *means[:, :2].ravel().tolist(), seed
    with _keeping:
        if key in _kept:
            return _kept[key]
    rng, draws = np.random.default_rng(seed), _draws(sum(sizes))
    are_texts = None if texts is None else np.repeat([False, True], sizes)
    found = []
    for draw in range(draws):
        if on_progress is not None:
            on_progress(draw / draws, "The same map of points without structure")
        points = np.concatenate([structureless(mean, size, rng) for mean, size in zip(means, sizes)])
        placed = fit(points, are_texts, part(on_progress, draw / draws, (draw + 1) / draws))
        found.append(_values(points, placed, are_texts, seed))
    averaged = _averaged(found)
    with _keeping:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = averaged
    return averaged


def of_axes(x: np.ndarray, texts: np.ndarray | None = None, sizes: Sequence[int] | None = None, *,
            seed: int = 0) -> Mapping[str, float]:
    """Fidelity of a map by three axes that have nothing to do with the points, on the same points.

    Parameters
    ----------
    x, texts
        (n, d) unit rows, and which of them are texts; None where all are of one modality.
    sizes
        How many points carry each of three labels: the axes are mean directions of the points with their labels
        shuffled. None: three random directions.

    Returns
    -------
    By the names of `fidelity.measure`: means of up to five draws, on at most 2,000 of the points.
    """
    rng, d = np.random.default_rng(seed), x.shape[1]
    looked_at = np.sort(spread_sample(x, MOST_POINTS, seed=seed))
    points, are_texts = x[looked_at], None if texts is None else texts[looked_at]
    found = []
    for _ in range(_MOST_DRAWS):
        if sizes is None:
            axes = rng.standard_normal((3, d))
        else:
            parts = np.split(rng.permutation(len(x))[:sum(sizes)], np.cumsum(sizes)[:-1])
            axes = np.stack([x[part].mean(axis=0, dtype=np.float64) for part in parts])
        axes /= np.linalg.norm(axes, axis=1, keepdims=True)
        found.append(_values(points, fit_axes(points, axes=axes), are_texts, seed))
    return _averaged(found)


def of_moved_points(fit: Callable[[np.ndarray, np.ndarray], Placed], before: np.ndarray, after: np.ndarray,
                    texts: np.ndarray, *, most: int = MOST_POINTS, seed: int = 0) -> Mapping[str, float]:
    """Fidelity of the place that moved points get on the map of what they were before, both without structure.

    Parameters
    ----------
    fit
        Fits the map to (n, d) points and (n,) bool, which of them are texts.
    before, after
        (n, d) unit rows. The structureless points have the means of each modality, before and after, of these.
    texts
        (n,) bool, both modalities present.
    most
        At most so many of the moved points are looked at.

    Returns
    -------
    By the names of `fidelity.measure`; above 2,000 points those of 2,000, an upper bound. Empty where there are fewer
    than 4 points or 2 dimensions.
    """
    if len(before) < 4 or before.shape[1] < 2:
        return {}
    share = min(1.0, MOST_POINTS / len(before))
    sizes = [max(round(size * share), min(size, 4)) for size in (int((~texts).sum()), int(texts.sum()))]
    are_texts = np.repeat([False, True], sizes)
    clouds = []
    for points in (before, after):
        rng = np.random.default_rng(seed)
        means = [_mean(points[side]) for side in (~texts, texts)]
        clouds.append(np.concatenate([structureless(mean, size, rng) for mean, size in zip(means, sizes)]))
    some = np.random.default_rng(seed).permutation(len(are_texts))[:most]
    coords = fit(clouds[0], are_texts).place(clouds[1][some])
    return {name: number.value for name, number in
            measure(clouds[1][some], coords, are_texts[some], seed=seed).items()}


def structureless(mean: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors that have a mean and no other structure: von Mises and Fisher's distribution.

    Parameters
    ----------
    mean
        (d,) floats of length below 1, d >= 2; zero for directions wholly at random.
    n, rng
        How many, and what draws them. Calls alike but for the mean draw the same sides of it.

    Returns
    -------
    (n, d) float32, unit rows.

    References
    ----------
    Wood, Communications in Statistics 23, 1994.
    """
    d, length = len(mean), min(float(np.linalg.norm(mean)), 1 - 1e-6)
    sides = rng.standard_normal((n, d))
    if length == 0:
        return _unit(sides).astype(np.float32)
    direction = mean / np.linalg.norm(mean)
    sides = _unit(sides - (sides @ direction)[:, None] * direction)
    kappa = kappa_from_length(length, d, 0.0)
    b = (d - 1) / (2 * kappa + np.hypot(2 * kappa, d - 1))
    peak = (1 - b) / (1 + b)
    along = np.empty(0)
    while len(along) < n:
        z = rng.beta((d - 1) / 2, (d - 1) / 2, size=2 * n + 8)
        w = (1 - (1 + b) * z) / (1 - (1 - b) * z)
        kept = kappa * (w - peak) + (d - 1) * np.log((1 - peak * w) / (1 - peak**2)) >= np.log(rng.uniform(size=len(w)))
        along = np.concatenate([along, w[kept]])
    along = along[:n, None]
    return _unit(along * direction + np.sqrt(np.maximum(1 - along**2, 0)) * sides).astype(np.float32)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _mean(x: np.ndarray) -> np.ndarray:
    """Mean of unit rows, shortened by what chance adds to its length: as many rows drawn about it have theirs."""
    mean = x.mean(axis=0, dtype=np.float64)
    square = float(mean @ mean)
    if len(x) < 2 or square <= 0:
        return mean
    return mean * np.sqrt(max(len(x) * square - 1, 0) / (len(x) - 1) / square)


def _draws(n: int) -> int:
    """The fewer the points the more one draw differs from the next."""
    return int(np.clip(_POINTS_DRAWN // n, 1, _MOST_DRAWS))


def _two_means(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The same two means, turned into the plane of the first two axes and rounded: (2, d)."""
    lengths = np.linalg.norm(first), np.linalg.norm(second)
    cosine = float(np.clip(first @ second / (lengths[0] * lengths[1]), -1, 1)) if min(lengths) > 0 else 0.0
    means = np.zeros((2, len(first)))
    means[0, 0] = lengths[0]
    means[1, :2] = lengths[1] * cosine, lengths[1] * np.sqrt(1 - cosine**2)
    return np.round(means, 4)


def _values(points: np.ndarray, placed: Placed, texts: np.ndarray | None, seed: int) -> dict[str, float]:
    found = {name: number.value for name, number in measure(points, placed.coords, texts, seed=seed).items()}
    return found if placed.variance is None else found | {"variance": placed.variance.value}


def _averaged(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = set.intersection(*(set(one) for one in found))
    return {name: float(np.mean([one[name] for one in found])) for name in names}
