"""How far a map of S^(d-1) onto S^2 can be trusted: one number for each way in which it can lie.

The numbers tell of this map of these points: they are known, not estimated, and have no interval. Another data set has
another map; intervals that leave points out of a map that stays would say less than the spread over data sets.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.rounding import rounding
from core.geometry.samples import spread_sample
from core.types import Number

POINTS_OF_PAIRS = 1000
QUERIES = 1000
UNIVERSE = 10_000


def measure(x: np.ndarray, coords: np.ndarray, texts: np.ndarray | None = None, *, k: int = 10,
            seed: int = 0) -> dict[str, Number]:
    """Fidelity of a map.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    coords
        (n, 3) floats, unit rows: where the map puts them.
    texts
        (n,) bool, which of the points are texts; None where all are of one modality.
    k
        Neighbours that count as near; fewer where there are few points.
    seed
        Picks the sample; up to 1,000 points are looked at, their neighbours sought among up to 10,000.

    Returns
    -------
    By name; what each is by chance `core.geometry.maps.chance` knows:
    ``spearman`` rank correlation of cosines before and after, over pairs of points, in [-1, 1];
    ``trustworthiness`` are neighbours on the map neighbours in truth, in [0, 1];
    ``continuity`` are true neighbours still neighbours on the map, in [0, 1];
    ``knn_overlap`` share of the k nearest that are the same, in [0, 1].
    With ``texts`` also each inside the images, inside the texts and across (``spearman_images``, ``spearman_texts``,
    ``spearman_across``, and so on): over all pairs at once the gap between the modalities makes up most of it.
    A number that is not defined (fewer than 4 points, all points equal) is left out.

    References
    ----------
    Venna and Kaski, Neural Networks 19, 2006 (trustworthiness, continuity).
    """
    x, coords = _checked(x, coords)
    numbers = _inside(x, coords, "points", k, seed)
    if texts is None:
        return numbers
    sides = {"images": ~texts, "texts": texts}
    for name, side in sides.items():
        numbers |= {f"{key}_{name}": number for key, number in _inside(x[side], coords[side], name, k, seed).items()}
    if all(f"knn_overlap_{name}" in numbers for name in sides):
        numbers |= {f"{key}_across": number for key, number in _across(x, coords, texts, k, seed).items()}
    return numbers


def _inside(x: np.ndarray, coords: np.ndarray, what: str, k: int, seed: int) -> dict[str, Number]:
    """Fidelity among points of one kind."""
    if len(x) < 4 or not (_vary(x) and _vary(coords)):
        return {}
    universe = spread_sample(x, UNIVERSE, seed=seed)
    x, coords = x[universe], coords[universe]
    found = _spearman(x, coords, seed, what)
    numbers = {} if found is None else {"spearman": found}
    n = len(x)
    k = min(k, (n - 1) // 2)
    near = neighbourhoods(x, coords, spread_sample(x, QUERIES, seed=seed + 1), k)
    return numbers | _means(near, f"of the {k} nearest among {n:,} {what}")


def _across(x: np.ndarray, coords: np.ndarray, texts: np.ndarray, k: int, seed: int) -> dict[str, Number]:
    """Fidelity of images to texts: cosines of such pairs, the texts nearest to images and the images to texts."""
    sides = [np.flatnonzero(side) for side in (~texts, texts)]
    some = [side[spread_sample(x[side], POINTS_OF_PAIRS // 2, seed=seed)] for side in sides]
    both = np.concatenate(some)
    found = _spearman(x[both], coords[both], seed, f"points, {len(some[0]):,} of them images", texts[both])
    numbers = {} if found is None else {"spearman": found}
    galleries = [side[spread_sample(x[side], UNIVERSE, seed=seed)] for side in sides]
    k = min(k, *((len(gallery) - 1) // 2 for gallery in galleries))
    parts = []
    for side, gallery in zip(sides, galleries[::-1]):
        queries = side[spread_sample(x[side], QUERIES // 2, seed=seed + 1)]
        parts.append(_near(x[queries], coords[queries], x[gallery], coords[gallery], np.full(len(queries), -1), k))
    near = tuple(np.concatenate(part) for part in zip(*parts))
    return numbers | _means(near, f"of the {k} nearest of the other modality")


def _vary(x: np.ndarray) -> bool:
    """Whether the rows are not all one point but for rounding."""
    return bool(np.abs(x - x[0]).max() > rounding(x))


def _means(near: Sequence[np.ndarray], unit: str) -> dict[str, Number]:
    return {name: Number(float(values.mean()), n=len(values), unit=unit)
            for name, values in zip(("trustworthiness", "continuity", "knn_overlap"), near)}


def local_distortion(x: np.ndarray, coords: np.ndarray, *, k: int = 10, seed: int = 0,
                     gallery: int = 5000) -> np.ndarray:
    """How badly the map treats each point's own neighbours: 1 - (trustworthiness + continuity) / 2 of that point.

    Parameters
    ----------
    x, coords
        (n, d) and (n, 3) floats, unit rows.
    k, seed
        As in `measure`.
    gallery
        Neighbours are sought among at most so many points.

    Returns
    -------
    (n,) float32, 0 where every neighbour is kept, about 0.5 where neighbours are random.
    """
    x, coords = _checked(x, coords)
    if len(x) < 4:
        return np.zeros(len(x), dtype=np.float32)
    chosen = np.sort(spread_sample(x, gallery, seed=seed))
    k = min(k, (len(chosen) - 1) // 2)
    out = np.empty(len(x), dtype=np.float32)
    place = np.full(len(x), -1)
    place[chosen] = np.arange(len(chosen))
    for start in range(0, len(x), 512):
        rows = np.arange(start, min(start + 512, len(x)))
        trust, continuity, _ = _near(x[rows], coords[rows], x[chosen], coords[chosen], place[rows], k)
        out[rows] = 1 - (trust + continuity) / 2
    return out


def neighbourhoods(x: np.ndarray, coords: np.ndarray, queries: np.ndarray,
                   k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trustworthiness, continuity and k-NN overlap of single points (their means are the usual figures).

    Parameters
    ----------
    x, coords
        (n, d) and (n, 3) floats, unit rows.
    queries
        (q,) int, the points looked at.
    k
        Neighbours, 1 <= k <= (n - 1) / 2.

    Returns
    -------
    Three (q,) float64 arrays.
    """
    blocks = np.array_split(queries, -(-len(queries) // 512))
    parts = [_near(x[rows], coords[rows], x, coords, rows, k) for rows in blocks]
    trust, continuity, overlap = (np.concatenate(part) for part in zip(*parts))
    return trust, continuity, overlap


def spearman(x: np.ndarray, coords: np.ndarray, *, seed: int = 0) -> Number | None:
    """Rank correlation of the cosines of all pairs of up to 1,000 points; None where one side does not vary."""
    return _spearman(*_checked(x, coords), seed, "points")


def _spearman(x: np.ndarray, coords: np.ndarray, seed: int, what: str,
              texts: np.ndarray | None = None) -> Number | None:
    """With ``texts``, (n,) bool, over the pairs of an image and a text alone."""
    sample = spread_sample(x, POINTS_OF_PAIRS, seed=seed)
    pairs = np.triu(np.ones((len(sample), len(sample)), dtype=bool), 1)
    if texts is not None:
        pairs &= texts[sample][:, None] != texts[sample]
    sides = []
    for vectors in (x[sample].astype(np.float64), coords[sample].astype(np.float64)):
        ranks = _ranks(np.round((vectors @ vectors.T)[pairs], 12))
        sides.append(ranks / max(len(ranks), 1) - (1 + 1 / max(len(ranks), 1)) / 2)
    a, b = sides
    spread = float(a @ a) * float(b @ b)
    if len(a) < 2 or spread <= 1e-16 * len(a) ** 2:
        return None
    return Number(float(a @ b) / spread**0.5, n=len(sample), unit=f"over the pairs of {len(sample):,} {what}")


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing their mean rank."""
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.append(starts, len(values)))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return ranks


def _near(x: np.ndarray, coords: np.ndarray, gallery_x: np.ndarray, gallery_coords: np.ndarray,
          own: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = len(gallery_x)
    rows = np.flatnonzero(own >= 0)
    similarity, closeness = x @ gallery_x.T, coords @ gallery_coords.T
    for matrix in (similarity, closeness):
        matrix[rows, own[rows]] = -np.inf
    others = n - (own >= 0)
    true_near = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    map_near = np.argpartition(-closeness, k - 1, axis=1)[:, :k]
    worst = k * (2 * others - 3 * k + 1) / 2
    trust = 1 - _beyond(similarity, map_near, k) / worst
    continuity = 1 - _beyond(closeness, true_near, k) / worst
    overlap = (true_near[:, :, None] == map_near[:, None, :]).any(axis=2).mean(axis=1)
    return trust, continuity, overlap


def _beyond(similarity: np.ndarray, near: np.ndarray, k: int) -> np.ndarray:
    """Sum over ``near`` of how far beyond rank k each lies by ``similarity``."""
    total = np.zeros(len(similarity))
    for column in near.T:
        mine = np.take_along_axis(similarity, column[:, None], axis=1)
        total += np.maximum((similarity > mine).sum(axis=1) + 1 - k, 0)
    return total


def _checked(x: np.ndarray, coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, coords = np.asarray(x), np.asarray(coords)
    check_vectors(x, unit=True)
    check_vectors(coords, what="map coordinates", unit=True)
    if len(x) != len(coords):
        raise ShapeError(f"{len(x)} map coordinates, one for each vector", str(len(coords)))
    return x, coords
