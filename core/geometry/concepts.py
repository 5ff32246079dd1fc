"""A direction on the sphere as a sparse sum of concepts with weights that are not negative (SpLiCE).

The weights w >= 0 have the least ||z - C'w||^2 / 2 + penalty sum(w), z being a unit direction and the rows of C unit
concepts. scikit-learn's Lasso divides the squares by twice its number of samples, which are the dimensions d here: its
alpha is penalty / d. The l1_penalty of SpLiCE's code is twice the penalty.

Centring decides: concepts are taken from their own mean, images from theirs. Uncentred, all concepts point one way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import Cancelled, ShapeError, check_choice, check_vectors
from core.geometry.directions import unit
from core.geometry.rounding import rounding
from core.types import Number

PENALTY, LEAST_PENALTY, MOST_PENALTY = 0.15, 0.02, 0.6
SWEPT_FROM, SWEPT_TO, STEPS = 0.6, 0.05, 24
DRAWS, CHANCE_DRAWS, FEW_DRAWS = 100, 10, 3
MANY = 1 << 19     # numbers of all concepts, above which chance is swept in a few draws
KINDS = ("centred", "difference", "paired")
_BLOCK, _TOLERANCE, _MOST_SWEEPS = 10, 1e-6, 20_000
_SEEN_NUMBERS = 1 << 23

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Decomposed:
    """Directions as sums of concepts.

    Attributes
    ----------
    weights : (n, m) float64, >= 0, most of them exactly 0.
    cosines : (n,) float64 in [0, 1], of each direction and its sum; 0 where no concept has a weight.
    """

    weights: np.ndarray
    cosines: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """(n,) int64: concepts with a weight."""
        return (self.weights > 0).sum(axis=1)


@dataclass(frozen=True, eq=False)
class Sweep:
    """What more concepts add.

    Attributes
    ----------
    penalties : (s,) float64, falling.
    counts, cosines : (s,) concepts with a weight, and the cosine of their sum.
    chance_counts, chance_cosines : (s,) float64, the same of as many random concepts, means over 10 draws, or 3 of
        many concepts.
    """

    penalties: np.ndarray
    counts: np.ndarray
    cosines: np.ndarray
    chance_counts: np.ndarray
    chance_cosines: np.ndarray


@dataclass(frozen=True, eq=False)
class Said:
    """A direction in concepts.

    Attributes
    ----------
    weights : (m,) float64, >= 0.
    cosine : of the direction and its sum; the null is that of as many random concepts, n the items.
    random_direction : the same cosine of random directions in the true concepts, mean over draws.
    dealt : the same cosine where the items are dealt at random: others in their place, or those of both sides mixed, or
        moves turned about; mean over draws.
    apart : length of the difference of the two means; its null is that of items dealt at random.
    stays : (m,) float64 in [0, 1], share of draws of the items in which a concept has a weight; None of one item.
    alike : (m,) float64, cosine of the direction with each concept.
    sweep : over the penalty.
    penalty : that the weights were found at.
    draws : of the items.
    seed : of all draws.
    """

    weights: np.ndarray
    cosine: Number
    random_direction: float
    dealt: float
    apart: Number
    stays: np.ndarray | None
    alike: np.ndarray
    sweep: Sweep
    penalty: float
    draws: int
    seed: int

    @property
    def order(self) -> np.ndarray:
        """Concepts that have a weight, the largest first."""
        found = np.flatnonzero(self.weights)
        return found[np.argsort(-self.weights[found], kind="stable")]


def concept_axes(x: np.ndarray, groups: Sequence[str] | None = None) -> np.ndarray:
    """Concepts as unit vectors from their own mean.

    Parameters
    ----------
    x
        (m, d) floats, unit rows, m >= 2.
    groups
        (m,) kinds of concepts (colours, shapes): then each is taken from the mean of its kind, but for a kind of one,
        which is taken from the mean of all.

    Returns
    -------
    (m, d) float64, unit rows; a concept that is its mean has no direction, its row is 0, and it never has a weight.

    Raises
    ------
    ShapeError
        If there are fewer than two concepts, or all are equal.
    """
    x = np.asarray(x)
    check_vectors(x, what="concepts", at_least=2)
    least, centre = rounding(x), np.broadcast_to(x.mean(axis=0, dtype=np.float64), x.shape).copy()
    for group in set(groups or ()):
        own = np.array([g == group for g in groups or ()])
        if own.sum() > 1:
            centre[own] = x[own].mean(axis=0, dtype=np.float64)
    apart = x - centre
    lengths = np.linalg.norm(apart, axis=1, keepdims=True)
    if (lengths <= least).all():
        raise ShapeError("concepts that differ", f"{len(x)} equal ones", "Take other words.")
    return np.where(lengths > least, apart / np.maximum(lengths, least), 0.0)


def random_axes(m: int, d: int, seed: int) -> np.ndarray:
    """m random concepts in d dimensions, from their own mean: (m, d) float64, unit rows."""
    return concept_axes(unit(np.random.default_rng(seed).normal(size=(m, d))))


def decompose(directions: np.ndarray, concepts: np.ndarray, penalty: float = PENALTY) -> Decomposed:
    """Directions as sparse sums of concepts.

    Parameters
    ----------
    directions
        (n, d) floats, unit rows: centred, as the concepts are.
    concepts
        (m, d) floats, unit (or zero) rows, by `concept_axes`.
    penalty
        Of the sum of weights, > 0: a concept has a weight only where its cosine with what is left of the direction
        reaches it.

    References
    ----------
    Bhalla et al., NeurIPS 2024, arXiv:2402.10376; by scikit-learn's coordinate descent.
    """
    from sklearn.linear_model import Lasso

    z, c = _checked(directions, concepts)
    if penalty <= 0:
        raise ShapeError("a penalty above 0", f"{penalty:g}")
    solver = Lasso(alpha=penalty / c.shape[1], positive=True, fit_intercept=False, max_iter=_MOST_SWEEPS,
                   tol=_TOLERANCE)
    weights = solver.fit(c.T, z.T).coef_.reshape(len(z), len(c))
    return Decomposed(weights, _cosines(z, weights @ c))


def sweep(direction: np.ndarray, concepts: np.ndarray, penalties: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many concepts have a weight, and the cosine of their sum, at falling penalties: (s,) int64, (s,) float64."""
    from sklearn.linear_model import lasso_path

    z, c = _checked(np.asarray(direction)[None], concepts)
    found = lasso_path(c.T, z[0], alphas=np.asarray(penalties) / c.shape[1], positive=True, tol=_TOLERANCE,
                       max_iter=_MOST_SWEEPS)[1].T
    return (found > 0).sum(axis=1), _cosines(np.broadcast_to(z, (len(found), z.shape[1])), found @ c)


def direction_of(items: np.ndarray, against: np.ndarray, kind: str = "centred") -> np.ndarray:
    """The unit direction from the mean of some vectors to that of others: (d,) float64.

    Raises
    ------
    ShapeError
        If the two means are the same.
    """
    check_choice("kind", kind, KINDS)
    items, against = np.asarray(items), np.asarray(against)
    check_vectors(items, what="vectors to explain")
    check_vectors(against, what="vectors to compare with")
    apart = items.mean(axis=0, dtype=np.float64) - against.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(apart)
    if length <= rounding(items):
        raise ShapeError("vectors whose mean differs from that of the others", "two equal means",
                         "Choose fewer than all of the items.")
    return apart / length


def explain(items: np.ndarray, against: np.ndarray, concepts: np.ndarray, *,
            kind: Literal["centred", "difference", "paired"] = "centred", penalty: float = PENALTY,
            draws: int = DRAWS, seed: int = 0, on_progress: Progress | None = None,
            should_stop: Callable[[], bool] | None = None) -> Said:
    """What lies in the direction from some vectors to others, in concepts, beside chance.

    Parameters
    ----------
    items
        (n, d) floats: one image, or a group of them.
    against
        (k, d) floats: what they are compared with.
    concepts
        (m, d) floats by `concept_axes`, of the same model.
    kind
        What is drawn anew to see which concepts stay: the items, "centred" on the mean of ``against``; both, a
        "difference"; or rows of both together, "paired".
    penalty
        As in `decompose`.
    draws
        Bootstrap draws over the items, >= 0; of means over items it is right.
    seed
        Of the draws.

    Raises
    ------
    ShapeError
        If the shapes do not fit or the means are equal.
    Cancelled
        When asked to stop.
    """
    tell = on_progress or (lambda share, text: None)
    stop = should_stop or (lambda: False)
    rng = np.random.default_rng(seed)
    z = direction_of(items, against, kind)
    tell(0.0, "Finding the words")
    found = decompose(z[None], concepts, penalty)
    m, d = concepts.shape
    penalties = np.geomspace(SWEPT_FROM, SWEPT_TO, STEPS)
    swept = CHANCE_DRAWS if concepts.size <= MANY else FEW_DRAWS
    counts, cosines = sweep(z, concepts, penalties)
    by_chance, others = [], []
    for i in range(CHANCE_DRAWS):
        if stop():
            raise Cancelled("the words, before chance was known")
        tell(0.1 + 0.4 * i / CHANCE_DRAWS, "Random concepts in their place")
        other = random_axes(m, d, int(rng.integers(2**31)))
        by_chance.append(float(decompose(z[None], other, penalty).cosines[0]))
        if i < swept:
            others.append(sweep(z, other, penalties))
    at_random = decompose(unit(rng.normal(size=(2 * CHANCE_DRAWS, d))), concepts, penalty).cosines.mean()
    mixed = [_dealt(items, against, kind, rng) for _ in range(2 * CHANCE_DRAWS)]
    lengths = np.array([np.linalg.norm(one) for one in mixed])
    there = [one / length for one, length in zip(mixed, lengths) if length > rounding(np.asarray(items))]
    dealt = float(decompose(np.array(there), concepts, penalty).cosines.mean()) if there else 0.0
    apart = np.linalg.norm(items.mean(axis=0, dtype=np.float64) - against.mean(axis=0, dtype=np.float64))
    stays = _stays(items, against, concepts, kind, penalty, draws, rng, tell, stop)
    return Said(found.weights[0],
                Number(float(found.cosines[0]), None, None, float(np.mean(by_chance)), len(items), "cosine"),
                float(at_random), dealt, Number(float(apart), None, None, float(lengths.mean()), len(items)),
                stays, np.asarray(concepts) @ z,
                Sweep(penalties, counts, cosines, *np.mean(np.array(others, dtype=np.float64), axis=0)), penalty,
                draws if stays is not None else 0, seed)


def _dealt(items: np.ndarray, against: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """The difference of the two means where it is chance which item is on which side: (d,) float64."""
    n = len(items)
    if kind == "paired":
        return rng.choice([-1.0, 1.0], size=n) @ (items.astype(np.float64) - against) / n
    if kind == "centred":
        return (against[rng.permutation(len(against))[:n]].mean(axis=0, dtype=np.float64)
                - against.mean(axis=0, dtype=np.float64))
    both = np.concatenate([items, against])
    order = rng.permutation(len(both))
    return both[order[:n]].mean(axis=0, dtype=np.float64) - both[order[n:]].mean(axis=0, dtype=np.float64)


def _stays(items: np.ndarray, against: np.ndarray, concepts: np.ndarray, kind: str, penalty: float, draws: int,
           rng: np.random.Generator, tell: Progress, stop: Callable[[], bool]) -> np.ndarray | None:
    n, k = len(items), len(against)
    if n < 2 or not draws:
        return None
    kept = np.zeros(len(concepts))
    block = max(1, min(_BLOCK, _SEEN_NUMBERS // max(n, k)))
    for start in range(0, draws, block):
        if stop():
            raise Cancelled(f"{start} of {draws} draws")
        tell(0.5 + 0.5 * start / draws, "Which words stay when the items are drawn anew")
        size = min(block, draws - start)
        taken = rng.multinomial(n, np.full(n, 1 / n), size=size) / n
        left = rng.multinomial(k, np.full(k, 1 / k), size=size) / k if kind == "difference" else taken
        centre = left @ against if kind != "centred" else against.mean(axis=0, dtype=np.float64)[None]
        drawn = taken @ items - centre
        lengths = np.linalg.norm(drawn, axis=1, keepdims=True)
        drawn = drawn[lengths[:, 0] > rounding(items)] / lengths[lengths[:, 0] > rounding(items)]
        kept += (decompose(drawn, concepts, penalty).weights > 0).sum(axis=0) if len(drawn) else 0
    return kept / draws


def _checked(directions: np.ndarray, concepts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    z, c = (np.ascontiguousarray(x, dtype=np.float64) for x in (directions, concepts))
    check_vectors(z, what="directions", unit=True)
    check_vectors(c, what="concepts")
    if z.shape[1] != c.shape[1]:
        raise ShapeError(f"concepts of {z.shape[1]} dimensions", str(c.shape[1]),
                         "Take words by the model that made the vectors.")
    return z, c


def _cosines(z: np.ndarray, sums: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(sums, axis=1)
    return np.where(lengths > 0, (z * sums).sum(axis=1) / np.maximum(lengths, np.finfo(np.float64).tiny), 0.0)
