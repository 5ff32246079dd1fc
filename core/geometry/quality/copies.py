"""Exact and near copies in whole groups, and copies that stand in another split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.intervals import proportion
from core.geometry.quality.finding import Finding
from core.geometry.quality.grouping import stars
from core.geometry.quality.likeness import likeness
from core.geometry.quality.neighbours import Neighbours, Progress, Stop, distinct, nearest_others
from core.geometry.quality.structureless import WORDS, nearest_by_chance
from core.types import Number

UNSEEN, SEEN, LOWEST = 0.093, 0.3, 0.55
"""How far from 1 thresholds and the floor lie, as shares of the distance to 1 of the nearest cosine by chance."""
WITHIN = {UNSEEN: (0.95, 0.985), SEEN: (0.85, 0.95), LOWEST: (0.75, 0.9)}
WEIGHT = 0.3
MOST_SEEN = 20_000
_DEALT = 300
_DEALS = 5
UNIT = "cosine to the nearest other image"
UNIT_SEEN = f"cosine to the most alike other image, less {WEIGHT} (1 - correlation of the small pictures)"

Looks = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Copies(Finding):
    """Images that are the same as others, or nearly so; the score is the likeness to the most alike other one.

    Attributes
    ----------
    vectors : (n, d) float32, unit rows.
    pairs : (e, 2) int64, rows that are alike at least by the floor, the first below the second.
    likeness : (e,) float32, of the pairs, at most their cosine; 1 for the same content.
    contents : (n,) int64, the same for images of the same content: row of the first of them.
    """

    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    pairs: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    likeness: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    contents: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def groups(self, threshold: float | None = None) -> list[np.ndarray]:
        """Groups of copies, the largest first: (size,) int64 rows, the first of which is the one that is kept.

        Every image of a group has at least that cosine to the one that is kept, which is the most alike to the others:
        of a chain in which each is like the next, only what is like one of them is a group. Images of the same content
        are always in one group.
        """
        at = self.threshold if threshold is None else threshold
        return [group.copy() for group in self._groups_at(float(at))]

    def flagged(self, threshold: float | None = None) -> np.ndarray:
        """Rows of all groups, most alike first."""
        groups = self.groups(threshold)
        rows = np.sort(np.concatenate(groups)) if groups else np.zeros(0, np.int64)
        return rows[np.argsort(-self.scores[rows], kind="stable")]

    def to_drop(self, threshold: float | None = None) -> np.ndarray:
        """Rows of all groups but the ones that are kept, most alike first."""
        flagged = self.flagged(threshold)
        return flagged[~np.isin(flagged, [group[0] for group in self.groups(threshold)])]

    def share(self, threshold: float | None = None) -> Number:
        """Share of the images that are in a group."""
        beyond = super().share(threshold)
        return proportion(len(self.flagged(threshold)), beyond.n or 0, null=beyond.null)

    @cached_property
    def _groups_at(self) -> Callable[[float], tuple[np.ndarray, ...]]:
        return lru_cache(maxsize=8)(self._grouped)

    def _grouped(self, threshold: float) -> tuple[np.ndarray, ...]:
        close = self.likeness >= threshold
        leader = stars(self.vectors, self.contents[self.pairs[close]], self.likeness[close], threshold)[self.contents]
        order = np.lexsort((np.arange(len(leader)), leader != np.arange(len(leader)), leader))
        cuts = np.flatnonzero(np.diff(leader[order])) + 1
        groups = [group for group in np.split(order, cuts) if len(group) > 1]
        return tuple(sorted(groups, key=lambda group: (-len(group), group[0])))


def near_copies(x: np.ndarray, *, hashes: Sequence[str] | None = None, neighbours: Neighbours | None = None,
                looks: Looks | None = None, floor: float | None = None, seed: int = 0,
                on_progress: Progress | None = None, should_stop: Stop | None = None) -> Copies:
    """Exact and near copies among images.

    The likeness of two images is their cosine; where their pictures can be seen, less 0.3 times what the correlation of
    the small pictures lacks to 1: different scenes can be as alike to a model as a copy is, but do not look the same.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    hashes
        Content hash of each image, "" where it is not known; images of equal hash are exact copies. Where None, rows
        that are equal to the last bit are.
    neighbours
        Of these rows, where they are known already.
    looks
        rows (m,) -> their small pictures, as `core.geometry.quality.likeness.likeness` takes them; it is asked only for
        images of pairs above the floor, at most 20,000: where there are more, for the most alike ones, and the floor
        is raised.
    floor
        Least cosine of a pair that is looked at: thresholds below it find nothing more. Where None, as the threshold.
    seed
        Of the search and of the data by chance.
    on_progress, should_stop
        As `nearest_others` takes them.

    Returns
    -------
    Scores are NaN where there is a single image, and the cosine to the nearest one where none is above the floor. How
    alike strangers are differs from model to model and grows with n: so the threshold lies by a share (.093, or .3
    where pictures are seen) of the way from 1 to the median nearest cosine by chance, within .95 to .985 (.85 to .95).

    Raises
    ------
    ShapeError
        If the rows are no unit vectors, or hashes or neighbours are of another number of rows.
    Cancelled
        If asked to stop.

    References
    ----------
    Abbas et al., SemDeDup, 2023, arXiv:2303.09540 (one is kept of what lies within an angle; there by clusters).
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    check_vectors(x, at_least=0, unit=True)
    n = len(x)
    if hashes is not None and len(hashes) != n:
        raise ShapeError(f"{n} content hashes, one an image", str(len(hashes)))
    near = nearest_others(x, seed=seed, on_progress=on_progress, should_stop=should_stop) if neighbours is None \
        else neighbours
    if len(near) != n:
        raise ShapeError(f"neighbours of {n} rows", str(len(near)))
    contents, by_chance = _contents(x, hashes), nearest_by_chance(x, 1, seed=seed).ravel()
    strangers = float(np.median(by_chance)) if len(by_chance) else 1.0
    floor = _below_one(LOWEST, strangers) if floor is None else floor
    pairs, cosines = _pairs_of(near, floor)
    if near.k and (contents[near.rows] == contents[:, None]).all(axis=1).any():
        own = np.unique(contents)
        more = _pairs_of(nearest_others(x[own], near.k, seed=seed, should_stop=should_stop), floor)
        pairs, cosines = np.concatenate([pairs, own[more[0]]]), np.concatenate([cosines, more[1]])
    apart = contents[pairs[:, 0]] != contents[pairs[:, 1]]
    pairs, cosines = pairs[apart], cosines[apart]
    alike = cosines
    if looks is not None:
        pairs, cosines, seen, unlike = _looked_at(pairs, cosines, contents, looks, seed)
        alike = _likeness(cosines, seen)
        others = np.random.default_rng(seed).choice(unlike, len(by_chance)) if len(unlike) else np.ones(len(by_chance))
        by_chance = np.where(by_chance >= floor, _likeness(by_chance, others), by_chance)
    twins = np.flatnonzero(contents != np.arange(n))
    pairs = np.concatenate([np.stack([contents[twins], twins], axis=1), pairs])
    alike = np.concatenate([np.ones(len(twins), np.float32), alike])
    scores, partners = _most_alike(near, pairs, alike, contents)
    threshold, unit = (UNSEEN, UNIT) if looks is None else (SEEN, UNIT_SEEN)
    return Copies("copies", "image", scores, "high", _below_one(threshold, strangers), unit, by_chance, WORDS,
                  partners, vectors=x, pairs=pairs, likeness=alike, contents=contents)


def _below_one(share: float, strangers: float) -> float:
    """A cosine so far from 1, as a share of how far strangers are, within what makes sense."""
    return round(float(np.clip(1 - share * (1 - strangers), *WITHIN[share])), 3)


def _looked_at(pairs: np.ndarray, cosines: np.ndarray, contents: np.ndarray, looks: Looks,
               seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The pairs that are looked at, from the largest cosine, their cosines, the correlation of their pictures, and that
    of pictures dealt to each other at random."""
    order = np.argsort(-cosines, kind="stable")
    pairs, cosines = pairs[order], cosines[order]
    first = np.sort(np.unique(contents[pairs], return_index=True)[1])
    if len(first) > MOST_SEEN:
        last = first[MOST_SEEN] // 2
        pairs, cosines = pairs[:last], cosines[:last]
    shown, of = np.unique(contents[pairs], return_inverse=True)
    if not len(shown):
        return pairs, cosines, np.zeros(0, np.float32), np.zeros(0, np.float32)
    pictures, of = looks(shown), of.reshape(-1, 2)
    dealt = np.random.default_rng(seed).integers(len(shown), size=(_DEALT, 2))
    unlike = likeness(pictures, dealt[dealt[:, 0] != dealt[:, 1]])
    return pairs, cosines, likeness(pictures, of), unlike[~np.isnan(unlike)]


def _likeness(cosines: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Cosine, less a part of what the correlation of the pictures lacks to 1, where they could be seen."""
    return (cosines - WEIGHT * (1 - np.where(np.isnan(seen), 1, seen))).astype(np.float32)


def _most_alike(near: Neighbours, pairs: np.ndarray, alike: np.ndarray,
                contents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Likeness of each image to the most alike other one, and its row; the nearest one where it is in no pair."""
    n = len(near)
    scores, partners = (near.cosines[:, 0].copy(), near.rows[:, 0].copy()) if near.k else \
        (np.full(n, np.nan, np.float32), np.full(n, -1))
    row, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    both = np.concatenate([alike, alike])
    order = np.lexsort((other, -both, row))
    rows, at = np.unique(row[order], return_index=True)
    scores[rows], partners[rows] = both[order][at], other[order][at]
    return scores, partners


@dataclass(frozen=True, eq=False)
class Leaks(Finding):
    """Images with a copy in another split; the score is the likeness to it, NaN where none is above the floor.

    Attributes
    ----------
    splits : (n,) the split of each image, "" where it has none.
    """

    splits: tuple[str, ...] = ()

    def to_drop(self, threshold: float | None = None) -> np.ndarray:
        """Rows that are flagged and lie in a larger split than their copy, as those one learns from do."""
        flagged = self.flagged(threshold)
        names, of, sizes = np.unique(np.asarray(self.splits, dtype=str), return_inverse=True, return_counts=True)
        size = sizes[of] + of / (len(names) + 1)
        return flagged[size[flagged] > size[self.partners[flagged]]] if len(flagged) else flagged

    def share(self, threshold: float | None = None) -> Number:
        """Share of the images in a split that have a copy in another one."""
        at = self.threshold if threshold is None else threshold
        null = float(self.beyond(self.by_chance, at).mean()) if len(self.by_chance) else None
        return proportion(float(self.beyond(self.scores, at).sum()), sum(map(bool, self.splits)), null=null)


def leaks(copies: Copies, splits: Sequence[str], *, seed: int = 0) -> Leaks:
    """Images with a copy in another split.

    Parameters
    ----------
    copies
        Of the images.
    splits
        (n,) the split of each image, "" where it has none.
    seed
        Of the chance: the same splits dealt to the images anew.
    """
    n = len(copies.scores)
    if len(splits) != n:
        raise ShapeError(f"{n} splits, one an image", str(len(splits)))
    of = np.unique(np.asarray(["", *splits], dtype=str), return_inverse=True)[1][1:]
    scores, partners = _across(copies, of)
    known = np.flatnonzero(of)
    rng, by_chance = np.random.default_rng(seed), []
    for _ in range(_DEALS):
        dealt = of.copy()
        dealt[known] = rng.permutation(of[known])
        by_chance.append(_across(copies, dealt)[0][known])
    return Leaks("leaks", "image", scores, "high", copies.threshold,
                 copies.unit.replace("other image", "image of another split"),
                 np.concatenate(by_chance), "the same images, dealt to splits of the same sizes at random", partners,
                 splits=tuple(splits))


def _across(copies: Copies, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Likeness of each image to the most alike one of another split, NaN for none, and its row, -1 for none."""
    n, contents = len(of), copies.contents
    known = np.flatnonzero(of)
    first, other = np.full(n, -1), np.full(n, -1)
    first[contents[known[::-1]]] = known[::-1]
    rest = known[of[known] != of[first[contents[known]]]]
    other[contents[rest[::-1]]] = rest[::-1]
    a, b = contents[copies.pairs].T
    own = np.unique(contents)
    a, b = np.concatenate([a, b, own]), np.concatenate([b, a, own])
    alike = np.concatenate([copies.likeness, copies.likeness, np.ones(len(own), np.float32)])
    order = np.argsort(-alike, kind="stable")
    order = order[np.argsort(a[order], kind="stable")]
    members = np.argsort(contents[known], kind="stable")
    starts = np.searchsorted(contents[known][members], a[order], "left")
    counts = np.searchsorted(contents[known][members], a[order], "right") - starts
    edge = np.repeat(order, counts)
    image = known[members[np.repeat(starts, counts) + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts,
                                                                                         counts)]]
    to = first[b[edge]]
    to = np.where((to >= 0) & (of[to] != of[image]), to, other[b[edge]])
    edge, image, to = edge[to >= 0], image[to >= 0], to[to >= 0]
    scores, partners = np.full(n, np.nan, np.float32), np.full(n, -1, np.int64)
    image_first, at = np.unique(image, return_index=True)
    scores[image_first], partners[image_first] = alike[edge[at]], to[at]
    return scores, partners


def _contents(x: np.ndarray, hashes: Sequence[str] | None) -> np.ndarray:
    """Row of the first image of the same content, of each: (n,) int64."""
    if hashes is None:
        first, of = distinct(x)
        return first[of]
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(h, i) if h else i for i, h in enumerate(hashes)], dtype=np.int64)


def _pairs_of(near: Neighbours, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows whose cosine is at least the floor, each once, the smaller row first, and their cosines."""
    row, at = np.nonzero(near.cosines >= floor)
    other = near.rows[row, at]
    pairs, first = np.unique(np.stack([np.minimum(row, other), np.maximum(row, other)], axis=1), axis=0,
                             return_index=True)
    return pairs, near.cosines[row, at][first]
