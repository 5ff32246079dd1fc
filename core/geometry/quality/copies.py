"""Exact and near copies in whole groups, and copies that stand in another split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.intervals import proportion
from core.geometry.quality.finding import Finding
from core.geometry.quality.neighbours import Neighbours, Progress, Stop, distinct, nearest_others
from core.geometry.quality.structureless import WORDS, nearest_by_chance
from core.types import Number

PROPOSED = 0.975
FLOOR = 0.9
UNIT = "cosine to the nearest other image"


@dataclass(frozen=True, eq=False)
class Copies(Finding):
    """Images that are the same as others, or nearly so; the score is the cosine to the most alike other one.

    Attributes
    ----------
    vectors : (n, d) float32, unit rows.
    pairs : (e, 2) int64, rows that are alike at least by the floor, the first below the second.
    cosines : (e,) float32, of the pairs; 1 for the same content.
    contents : (n,) int64, the same for images of the same content: row of the first of them.
    """

    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    pairs: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    cosines: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
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
        close = self.cosines >= threshold
        leader = _stars(self.vectors, self.contents[self.pairs[close]], self.cosines[close], threshold)[self.contents]
        order = np.lexsort((np.arange(len(leader)), leader != np.arange(len(leader)), leader))
        cuts = np.flatnonzero(np.diff(leader[order])) + 1
        groups = [group for group in np.split(order, cuts) if len(group) > 1]
        return tuple(sorted(groups, key=lambda group: (-len(group), group[0])))


def near_copies(x: np.ndarray, *, hashes: Sequence[str] | None = None, neighbours: Neighbours | None = None,
                floor: float = FLOOR, seed: int = 0, on_progress: Progress | None = None,
                should_stop: Stop | None = None) -> Copies:
    """Exact and near copies among images.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    hashes
        Content hash of each image, "" where it is not known; images of equal hash are exact copies. Where None, rows
        that are equal to the last bit are.
    neighbours
        Of these rows, where they are known already.
    floor
        Least cosine of a pair that is looked at: thresholds below it find nothing more.
    seed
        Of the search and of the data by chance.
    on_progress, should_stop
        As `nearest_others` takes them.

    Returns
    -------
    Scores are NaN where there is a single image.

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
    contents = _contents(x, hashes)
    twins = np.flatnonzero(contents != np.arange(n))
    pairs, cosines = _pairs_of(near, floor)
    pairs = np.concatenate([np.stack([contents[twins], twins], axis=1), pairs])
    pairs, first = np.unique(pairs, axis=0, return_index=True)
    cosines = np.concatenate([np.ones(len(twins), np.float32), cosines])[first]
    cosines[contents[pairs[:, 0]] == contents[pairs[:, 1]]] = 1
    scores, partners = (near.cosines[:, 0].copy(), near.rows[:, 0].copy()) if near.k else \
        (np.full(n, np.nan, np.float32), np.full(n, -1))
    scores[twins], partners[twins] = 1, contents[twins]
    with_twin, at = np.unique(contents[twins], return_index=True)
    scores[with_twin], partners[with_twin] = 1, twins[at]
    return Copies("copies", "image", scores, "high", PROPOSED, UNIT, nearest_by_chance(x, 1, seed=seed).ravel(), WORDS,
                  partners, vectors=x, pairs=pairs, cosines=cosines, contents=contents)


@dataclass(frozen=True, eq=False)
class Leaks(Finding):
    """Images with a copy in another split; the score is the cosine to it, NaN where none is alike by the floor.

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
    dealt = of.copy()
    dealt[known] = np.random.default_rng(seed).permutation(of[known])
    return Leaks("leaks", "image", scores, "high", copies.threshold, "cosine to the nearest image of another split",
                 _across(copies, dealt)[0][known], "the same images, dealt to splits of the same sizes at random",
                 partners, splits=tuple(splits))


def _across(copies: Copies, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine of each image to its most alike one of another split, NaN for none, and its row, -1 for none."""
    n, contents = len(of), copies.contents
    known = np.flatnonzero(of)
    first, other = np.full(n, -1), np.full(n, -1)
    first[contents[known[::-1]]] = known[::-1]
    rest = known[of[known] != of[first[contents[known]]]]
    other[contents[rest[::-1]]] = rest[::-1]
    a, b = contents[copies.pairs].T
    own = np.unique(contents)
    a, b = np.concatenate([a, b, own]), np.concatenate([b, a, own])
    cosines = np.concatenate([copies.cosines, copies.cosines, np.ones(len(own), np.float32)])
    order = np.argsort(-cosines, kind="stable")
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
    scores[image_first], partners[image_first] = cosines[edge[at]], to[at]
    return scores, partners


def _contents(x: np.ndarray, hashes: Sequence[str] | None) -> np.ndarray:
    """Row of the first image of the same content, of each: (n,) int64."""
    if hashes is None:
        first, of = distinct(x)
        return first[of]
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(h, i) if h else i for i, h in enumerate(hashes)], dtype=np.int64)


def _pairs_of(near: Neighbours, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows that are alike at least by the floor, the smaller row first, and their cosines."""
    row, at = np.nonzero(near.cosines >= floor)
    other = near.rows[row, at]
    return np.stack([np.minimum(row, other), np.maximum(row, other)], axis=1), near.cosines[row, at]


def _stars(x: np.ndarray, pairs: np.ndarray, cosines: np.ndarray, threshold: float) -> np.ndarray:
    """Row of the one that is kept for each: it is alike to all of its group by the threshold. (n,) int64.

    Those with the largest sum of cosines come first, and take along, through pairs, all that are like them and not
    taken yet.
    """
    from scipy.sparse import coo_array

    n = len(x)
    leader = np.arange(n)
    pairs, cosines = pairs[pairs[:, 0] != pairs[:, 1]], cosines[pairs[:, 0] != pairs[:, 1]]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    graph = coo_array((np.concatenate([cosines, cosines]), both.T), shape=(n, n)).tocsr()
    strength = np.asarray(graph.sum(axis=1)).ravel().round(5)
    taken = np.zeros(n, dtype=bool)
    for centre in np.argsort(-strength, kind="stable")[:np.count_nonzero(strength)]:
        if taken[centre]:
            continue
        taken[centre] = True
        ahead = np.array([centre])
        while len(ahead):
            near = np.unique(np.concatenate([graph.indices[graph.indptr[i]:graph.indptr[i + 1]] for i in ahead]))
            near = near[~taken[near]]
            ahead = near[x[near] @ x[centre] >= threshold - 1e-6]
            taken[ahead], leader[ahead] = True, centre
    return leader
