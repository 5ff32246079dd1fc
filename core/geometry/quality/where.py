"""Where A and B differ: whose neighbourhood each item lives in, and which items have nothing like them on the other
side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, holm
from core.geometry.directions import angle
from core.geometry.quality.finding import Finding
from core.geometry.quality.manifolds import BALL, LISTED
from core.geometry.quality.relabelled import (
    Groups,
    Progress,
    Stop,
    Watch,
    chance_of,
    dealt,
    in_random_order,
    one_of_each,
    two_sets,
)
from core.types import Modality, Number

NEIGHBOURS = 50
MOST, LEAST = 5000, 6
DRAWS = 100
RARE = 0.01
CHANCE = "labels of A and B dealt at random"
_ROWS = 512
_MOST_BY_CHANCE = 20_000


@dataclass(frozen=True, eq=False)
class Where:
    """Whose each place is.

    Attributes
    ----------
    n, k : items of each set among which neighbours are looked for, and how many neighbours.
    share_a, share_b : (n_a,) and (n_b,) float32, of each item of A and of B the share of A among its k nearest; 0.5
        where neither set dominates, whatever their sizes.
    by_chance : (s,) float32, the same share under dealt labels.
    low, high : what dealt labels go beyond anywhere in at most one of 20 draws: a place below is B's, one above is A's.
    told : share of the items of A and of B, both sets weighing the same, that lie in such places; the null is that
        under dealt labels.
    p : chance that dealt labels have as many items in such places ("places"), and as many items of A ("only_a") and of
        B ("only_b") beyond the threshold; corrected for the three (Holm).
    only_a, only_b : findings of items without their like in the other set: the angle to the nearest item there less the
        angle to the k-th nearest of their own, so that an item that is alone in its own set too is not one. Partners
        are rows of the other set. The threshold is what one in a hundred items goes beyond under dealt labels.
    """

    n: int
    k: int
    share_a: np.ndarray
    share_b: np.ndarray
    by_chance: np.ndarray
    low: float
    high: float
    told: Number
    p: dict[str, float | None]
    only_a: Finding
    only_b: Finding


def where_apart(a: np.ndarray, b: np.ndarray, *, k: int | None = None, n: int | None = None,
                together: Groups | None = None, of: Modality = "image", draws: int = DRAWS,
                seed: int = 0, on_progress: Progress | None = None, should_stop: Stop | None = None) -> Where:
    """Which set dominates around each item, and which items are of one set alone.

    Neighbours are looked for among n random items of each set, so that chance gives both the same; every item of both
    is asked.

    Parameters
    ----------
    a, b
        (n_a, d) and (n_b, d) floats, unit rows, of one model and modality.
    k
        Neighbours of an item; None: a tenth of n, 5 to 50.
    n
        Items of each set to look among; None: as many as the smaller has, at most 5,000.
    together
        Groups of the items of A and of B that belong together; labels are dealt to whole groups, and one of each is
        looked for where groups of A and B differ in size.
    of
        Modality, for the findings.
    draws, seed
        How often labels are dealt, and with the cut to n.
    on_progress, should_stop
        Called between blocks; a request to stop raises Cancelled.

    Raises
    ------
    ShapeError
        If a set has fewer than 6 items, or dimensions differ, or k or n do not fit.
    """
    a, b, together = two_sets(a, b, together, at_least=LEAST)
    rng = np.random.default_rng(seed)
    thinned = None if together is None else one_of_each(together, rng)
    candidates = [np.arange(len(x)) for x in (a, b)] if thinned is None else thinned
    fewest = min(map(len, candidates))
    n = min(fewest, MOST) if n is None else n
    k = min(max(n // 10, 5), NEIGHBOURS) if k is None else k
    if not LEAST <= n <= fewest or not 1 <= k < 2 * n:
        raise ShapeError(f"{LEAST} to {fewest} items of each set and fewer neighbours than both have",
                         f"{n} items, {k} neighbours")
    groups = (None, None) if together is None else tuple(g[c] for g, c in zip(together, candidates))
    rows = [np.sort(c[in_random_order(len(c), g, rng)[:n]]) for c, g in zip(candidates, groups)]
    z = np.concatenate([a[rows[0]], b[rows[1]]])
    group = None if together is None else np.concatenate([g[r] for g, r in zip(together, rows)])
    watch = Watch(on_progress, should_stop)
    around_a, around_b = (_around(x, rows[side], z, k, side, watch.part(0.4 * side, 0.4 * side + 0.4))
                          for side, x in enumerate((a, b)))
    near, cosines = np.concatenate([around_a.near, around_b.near]), np.concatenate([around_a.cosines, around_b.cosines])
    labels = dealt(np.arange(2 * n) < n, group, draws, rng)
    shares = np.empty((draws, 2 * n), dtype=np.float32)
    for at, first in enumerate(labels):
        watch(0.8 + 0.1 * at / draws, "Neighbours under dealt labels")
        shares[at] = first[near[:, :k]].mean(axis=1)
    low, high = float(np.quantile(shares.min(axis=1), 0.025)), float(np.quantile(shares.max(axis=1), 0.975))
    beyond = ((shares < low) | (shares > high)).mean(axis=1)
    told = float(np.mean([((p.share < low) | (p.share > high)).mean() for p in (around_a, around_b)]))
    scores = _scores_by_chance(near, cosines, labels, watch.part(0.9, 1))
    known = scores[np.isfinite(scores)]
    threshold = float(np.quantile(known, 1 - RARE)) if len(known) else 0.0
    sample = np.sort(rng.choice(known, min(_MOST_BY_CHANCE, len(known)), replace=False)).astype(np.float32)
    only_a, only_b = (
        Finding(f"only_{'ab'[side]}", of, p.score, "high", threshold,
                f"degrees farther from the nearest in {'BA'[side]} than from the {BALL}th nearest in {'AB'[side]}",
                sample, CHANCE, rows[1 - side][p.partner], of) for side, p in enumerate((around_a, around_b)))
    alone = scores >= threshold
    watch(1, "Neighbours under dealt labels")
    family = {"places": (told, beyond)} | {
        finding.key: (finding.share().value, (alone & side).sum(axis=1) / n)
        for finding, side in ((only_a, labels), (only_b, ~labels))}
    p_of = holm({key: Difference(Number(seen, n=n), chance_of(seen, drawn, "high"))
                 for key, (seen, drawn) in family.items()})
    return Where(n, k, around_a.share, around_b.share, rng.choice(shares.ravel(), min(_MOST_BY_CHANCE, shares.size)),
                 low, high, Number(told, null=float(beyond.mean()), n=2 * n, unit="share"),
                 {key: difference.p for key, difference in p_of.items()}, only_a, only_b)


@dataclass(frozen=True, eq=False)
class _Around:
    """Of each item its share, its score and its nearest on the other side; of those in the cut, what is near them."""

    share: np.ndarray
    score: np.ndarray
    partner: np.ndarray
    near: np.ndarray
    cosines: np.ndarray


def _around(x: np.ndarray, rows: np.ndarray, z: np.ndarray, k: int, side: int, watch: Watch) -> _Around:
    n, most = len(rows), min(max(k, LISTED), len(z) - 1)
    in_cut = np.full(len(x), -1)
    in_cut[rows] = side * n + np.arange(n)
    own, other = (slice(0, n), slice(n, None))[::1 - 2 * side]
    share, score, partner = np.empty(len(x), np.float32), np.empty(len(x), np.float32), np.empty(len(x), np.int64)
    near, cosines = np.empty((n, most), np.int64), np.empty((n, most), np.float32)
    for start in range(0, len(x), _ROWS):
        watch(start / len(x), f"Neighbours of {'AB'[side]}")
        part = slice(start, start + _ROWS)
        at, points = in_cut[part], x[part]
        likeness = points @ z.T
        inside = np.flatnonzero(at >= 0)
        likeness[inside, at[inside]] = -np.inf
        nearest, values = _most_alike(likeness, most)
        share[part] = (nearest[:, :k] < n).mean(axis=1)
        near[at[inside] - side * n], cosines[at[inside] - side * n] = nearest[inside], values[inside]
        partner[part] = likeness[:, other].argmax(axis=1)
        last = np.argpartition(likeness[:, own], n - BALL, axis=1)[:, n - BALL]
        score[part] = np.degrees(angle(points, z[other][partner[part]]) - angle(points, z[own][last]))
    return _Around(share, score, partner, near, cosines)


def _most_alike(cosines: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of the largest of each row, largest first."""
    m = cosines.shape[1]
    top = np.argpartition(cosines, m - most, axis=1)[:, m - most:]
    values = np.take_along_axis(cosines, top, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1), np.take_along_axis(values, order, axis=1)


def _scores_by_chance(near: np.ndarray, cosines: np.ndarray, labels: np.ndarray, watch: Watch) -> np.ndarray:
    """Scores of items without their like under dealt labels: (draws, 2 n); NaN where the list is too short to tell."""
    cos = np.clip(cosines.astype(np.float64), -1, 1)
    degrees = np.degrees(2 * np.arctan2(np.sqrt(1 - cos), np.sqrt(1 + cos))).astype(np.float32)
    out = np.full(labels.shape, np.nan, dtype=np.float32)
    for i, first in enumerate(labels):
        watch(i / len(labels), "Items of one set alone under dealt labels")
        own = first[near] == first[:, None]
        reached = np.cumsum(own, axis=1, dtype=np.int16)
        known = np.flatnonzero((reached[:, -1] >= BALL) & ~own.all(axis=1))
        other, last = (~own[known]).argmax(axis=1), (reached[known] >= BALL).argmax(axis=1)
        out[i, known] = degrees[known, other] - degrees[known, last]
    return out
