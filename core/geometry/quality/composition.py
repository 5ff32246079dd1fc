"""Of what two sets are composed: the share of each label, cluster or class in A and in B."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, holm
from core.geometry.intervals import proportion
from core.geometry.quality.relabelled import Groups, chance_of, checked_groups, dealt, one_of_each
from core.types import Number

DRAWS = 1999
ONE_OF_EACH = "Items that belong together come in groups of other sizes in A than in B: one of each group is counted."


@dataclass(frozen=True)
class Part:
    """One label, cluster or class.

    Attributes
    ----------
    name : of it.
    counts : items of A and of B in it.
    of_a, of_b : its share of each set, with Wilson's interval where items are independent.
    change : share of A less share of B, with Newcombe's interval where items are independent, and p corrected for all
        parts (Holm).
    """

    name: str
    counts: tuple[int, int]
    of_a: Number
    of_b: Number
    change: Difference


@dataclass(frozen=True)
class Composition:
    """A and B by their parts.

    Attributes
    ----------
    parts : the largest difference first.
    distance : half the sum of all differences (total variation): the share of A that would have to change its part for
        both to be composed alike; the null is its mean under dealt labels.
    p : chance of so large a distance under dealt labels.
    left_out : items of A and of B without a name, which count nowhere.
    note : what else a reader must know, or "".
    """

    parts: tuple[Part, ...]
    distance: Number
    p: float
    left_out: tuple[int, int]
    note: str = ""


def composition(a: Sequence[str], b: Sequence[str], *, together: Groups | None = None,
                draws: int = DRAWS, seed: int = 0) -> Composition:
    """Compare two sets by the name of each item's label, cluster or zero-shot class.

    Parameters
    ----------
    a, b
        A name of each item of A and of B; items with "" are left out.
    together
        Groups of the items of A and of B that belong together; p is then by dealing labels to whole groups, and there
        are no intervals; where groups of A and B differ in size, one of each is counted. None: items are independent,
        and p is Fisher's exact one.
    draws, seed
        How often labels are dealt.

    Raises
    ------
    ShapeError
        If a set has no item with a name, or groups do not fit.

    References
    ----------
    Wilson, JASA 1927; Newcombe, Statistics in Medicine 17, 1998 (method 10); Fisher, 1935.
    """
    together = checked_groups(together, len(a), len(b))
    kept = [np.array([name != "" for name in side], dtype=bool) for side in (a, b)]
    sizes = int(kept[0].sum()), int(kept[1].sum())
    left_out = len(a) - sizes[0], len(b) - sizes[1]
    if not min(sizes):
        raise ShapeError("items with a name in A and in B", f"{sizes[0]:,} and {sizes[1]:,}",
                         "Choose a column that both sets have.")
    if together is not None:
        named = [np.flatnonzero(k) for k in kept]
        groups = together[0][named[0]], together[1][named[1]]
        thinned = one_of_each(groups, np.random.default_rng(seed))
        if thinned is not None:
            fewer = [[side[i] for i in rows[t].tolist()] for side, rows, t in zip((a, b), named, thinned)]
            return replace(composition(*fewer, draws=draws, seed=seed), left_out=left_out, note=ONE_OF_EACH)
    counts_a, counts_b = (Counter(name for name in side if name) for side in (a, b))
    names = sorted({*counts_a, *counts_b})
    counts = np.array([[counts[name] for name in names] for counts in (counts_a, counts_b)])
    drawn = _dealt_counts(a, b, kept, names, counts, together, draws, seed)
    shares = counts / np.array(sizes)[:, None]
    by_chance = drawn / sizes[0] - (counts.sum(axis=0) - drawn) / sizes[1]
    family = {}
    for i, name in enumerate(names):
        low, high = _newcombe(counts[:, i], sizes) if together is None else (None, None)
        change = Number(float(shares[0, i] - shares[1, i]), low, high, 0.0, min(sizes), "share")
        p = _fisher(counts[:, i], sizes) if together is None else chance_of(change.value, by_chance[:, i], "both")
        family[name] = Difference(change, p, "Fisher's exact test" if together is None else "dealt labels")
    family = holm(family)
    parts = [Part(name, (in_a, in_b), _share(in_a, sizes[0], together is None),
                  _share(in_b, sizes[1], together is None), family[name])
             for name, (in_a, in_b) in zip(names, counts.T.tolist())]
    parts.sort(key=lambda part: (-abs(part.change.change.value), part.name))
    apart, apart_by_chance = np.abs(shares[0] - shares[1]).sum() / 2, np.abs(by_chance).sum(axis=1) / 2
    distance = Number(float(apart), null=float(apart_by_chance.mean()), n=min(sizes), unit="share")
    return Composition(tuple(parts), distance, chance_of(float(apart), apart_by_chance, "high"), left_out)


def nearest_class(x: np.ndarray, classes: np.ndarray, names: Sequence[str]) -> tuple[str, ...]:
    """The zero-shot class of each item, the nearest of c class vectors: (n, d) and (c, d) unit rows -> n names."""
    if len(classes) != len(names) or not len(names):
        raise ShapeError("a name of each class, and one class or more", f"{len(classes)} vectors, {len(names)} names")
    return tuple(names[i] for i in (np.asarray(x) @ np.asarray(classes, dtype=x.dtype).T).argmax(axis=1).tolist())


def _share(count: int, n: int, independent: bool) -> Number:
    return proportion(count, n) if independent else Number(count / n, n=n, unit="share")


def _fisher(counts: np.ndarray, sizes: tuple[int, int]) -> float:
    from scipy.stats import fisher_exact

    return float(fisher_exact([[counts[0], sizes[0] - counts[0]], [counts[1], sizes[1] - counts[1]]]).pvalue)


def _newcombe(counts: np.ndarray, sizes: tuple[int, int]) -> tuple[float, float]:
    a, b = (proportion(int(count), n) for count, n in zip(counts, sizes))
    below = math.hypot(a.value - _known(a.low), _known(b.high) - b.value)
    above = math.hypot(_known(a.high) - a.value, b.value - _known(b.low))
    return a.value - b.value - below, a.value - b.value + above


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _dealt_counts(a: Sequence[str], b: Sequence[str], kept: Sequence[np.ndarray], names: Sequence[str],
                  counts: np.ndarray, together: Groups | None, draws: int,
                  seed: int) -> np.ndarray:
    """(draws, parts) items of A in each part under dealt labels."""
    rng = np.random.default_rng(seed)
    if together is None:
        return rng.multivariate_hypergeometric(counts.sum(axis=0), int(counts[0].sum()), size=draws, method="marginals")
    code = {name: i for i, name in enumerate(names)}
    codes = np.array([code[name] for side in (a, b) for name in side if name])
    group = np.concatenate([g[k] for g, k in zip(together, kept)])
    out = np.empty((draws, len(names)), dtype=np.int64)
    first = np.arange(len(codes)) < kept[0].sum()
    for start in range(0, draws, 100):
        for i, labels in enumerate(dealt(first, group, min(100, draws - start), rng)):
            out[start + i] = np.bincount(codes[labels], minlength=len(names))
    return out
