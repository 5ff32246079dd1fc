"""Chance of two sets: whose an item is, is dealt anew, and what belongs together stays together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, ShapeError, check_vectors

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]


Groups = tuple[np.ndarray, np.ndarray]


def two_sets(a: np.ndarray, b: np.ndarray, together: Groups | None, *,
             at_least: int = 1) -> tuple[np.ndarray, np.ndarray, Groups | None]:
    """Two sets as float32 rows in one piece, and their groups as arrays; raises ShapeError where they do not fit."""
    a, b = (np.ascontiguousarray(x, dtype=np.float32) for x in (a, b))
    for name, x in (("A", a), ("B", b)):
        check_vectors(x, what=f"vectors of {name}", at_least=at_least, unit=True)
    if a.shape[1] != b.shape[1]:
        raise ShapeError("two sets by one model", f"{a.shape[1]} and {b.shape[1]} dimensions",
                         "Embed both with the same model.")
    return a, b, checked_groups(together, len(a), len(b))


def checked_groups(together: Groups | None, n_a: int, n_b: int) -> Groups | None:
    """Groups of so many items of A and of B as arrays; raises ShapeError where they do not fit."""
    if together is None:
        return None
    of_a, of_b = (np.asarray(groups) for groups in together)
    if (len(of_a), len(of_b)) != (n_a, n_b):
        raise ShapeError(f"a group of each item, {n_a:,} of A and {n_b:,} of B", f"{len(of_a):,} and {len(of_b):,}")
    return of_a, of_b


def dealt(first: np.ndarray, together: np.ndarray | None, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Labels dealt anew: as many of the first set, each group's labels given to a group of its size.

    Parameters
    ----------
    first
        (N,) bool, which items are of the first set.
    together
        (N,) int, the same for items that belong together (captions of one image, an image that both sets have); None:
        each is its own. A group of a size of its own keeps its labels.
    draws
        How often.
    rng
        Of the draws.

    Returns
    -------
    (draws, N) bool.
    """
    if together is None:
        return rng.permuted(np.tile(first, (draws, 1)), axis=1)
    _, group, sizes = np.unique(together, return_inverse=True, return_counts=True)
    order = np.lexsort((group, sizes[group]))
    lengths = np.sort(sizes)
    out = np.empty((draws, len(first)), dtype=bool)
    start = 0
    for size, count in zip(*np.unique(lengths, return_counts=True)):
        rows = order[start:start + size * count]
        start += size * count
        patterns = first[rows].reshape(count, size)
        for row in out:
            row[rows] = rng.permuted(patterns[rng.permutation(count)], axis=1).ravel()
    return out


def one_of_each(groups: Groups, rng: np.random.Generator) -> list[np.ndarray] | None:
    """Rows of A and of B that hold one item of each group where groups cannot change places; None where they can.

    Groups change places with groups of their size. Where A has five captions an image and B one, none does, and nothing
    could ever be told apart: then one random item stands for its group. That is so where fewer than half of all items
    have a group of the other set of their size.
    """
    labels = np.repeat([True, False], [len(g) for g in groups])
    _, group, sizes = np.unique(np.concatenate(groups), return_inverse=True, return_counts=True)
    size = sizes[group]
    of_a, of_b = (np.bincount(size[side], minlength=len(labels) + 1) for side in (labels, ~labels))
    if not len(size) or ((of_a > 0) & (of_b > 0))[size].mean() >= 0.5:
        return None
    rows = []
    for own in groups:
        order = rng.permutation(len(own))
        rows.append(np.sort(order[np.unique(own[order], return_index=True)[1]]))
    return rows


def in_random_order(size: int, together: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Rows 0 to size - 1, those that belong together one after another: (size,) int64.

    The first n of them are a random sample of n that splits at most one group.
    """
    if together is None:
        return rng.permutation(size)
    _, group = np.unique(together, return_inverse=True)
    place = rng.permutation(int(group.max()) + 1 if size else 0)
    return np.argsort(place[group], kind="stable")


def halved(size: int, together: np.ndarray | None, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Random halves of one set, splitting at most one group: (draws, size) bool, half of each row True."""
    out = np.zeros((draws, size), dtype=bool)
    for row in out:
        row[in_random_order(size, together, rng)[:size // 2]] = True
    return out


def chance_of(value: float, by_chance: np.ndarray, side: str) -> float:
    """p of a value among those of dealt labels, the one seen counting as one draw.

    Parameters
    ----------
    value
        Seen; NaN gives NaN.
    by_chance
        (draws,) floats.
    side
        "high": as large; "both": as far from their mean.
    """
    if not np.isfinite(value):
        return float("nan")
    middle = 0.0 if side == "high" else float(by_chance.mean())
    seen, others = value - middle, by_chance - middle
    if side == "both":
        seen, others = abs(seen), np.abs(others)
    least = 1e-6 * max(float(np.abs(others).max()), abs(seen))
    return float(1 + (others >= seen - least).sum()) / (1 + len(by_chance))


@dataclass(frozen=True)
class Watch:
    """Part of a long work: says how far it is and raises Cancelled when it shall stop."""

    on_progress: Progress | None = None
    should_stop: Stop | None = None
    start: float = 0.0
    stop: float = 1.0

    def __call__(self, share: float, text: str) -> None:
        done = self.start + share * (self.stop - self.start)
        if self.should_stop is not None and self.should_stop():
            raise Cancelled(f"{100 * done:.0f} % of the comparison")
        if self.on_progress is not None:
            self.on_progress(done, text)

    def part(self, start: float, stop: float) -> Watch:
        """The watch of a part of this work."""
        width = self.stop - self.start
        return Watch(self.on_progress, self.should_stop, self.start + start * width, self.start + stop * width)


WATCH = Watch()
