"""Association of two groups of items with two groups of words: effect size, permutation p, what drives it.

Everything is asked of scores: (n, w) floats, how well each of n items fits each of w words, cosines where the model
has them. ``first`` (w,) bool says which words are of the first group, A; the rest are B.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference
from core.geometry.jackknife import student
from core.geometry.rounding import rounding
from core.types import Number

UNIT = "standard deviations"
DRAWS = 9_999
MOST_LISTED = 20_000   # divisions that are gone through one by one
MOST_DRAWN = 1000      # of the smaller group; with more, the sum of a random part is normal
LEAST_FOR_INTERVAL = 5
LEAST_SINGLE = 8
_STEP = 4096


def leanings(scores: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(n,) float64: mean score of each item for A less that for B, s(w, A, B).

    Raises
    ------
    ShapeError
        If one of the groups of words is empty, or the scores are not finite.

    References
    ----------
    Caliskan et al., Science 356, 2017, doi:10.1126/science.aal4230.
    """
    return _checked(scores, first) @ _contrast(first)


def effect_size(x: np.ndarray, y: np.ndarray) -> float:
    """Mean leaning of X less that of Y, over the standard deviation of all (n - 1); NaN where that is zero.

    Parameters
    ----------
    x, y : (n,) and (m,) floats, leanings, one item or more each.
    """
    both = np.concatenate([x, y]).astype(np.float64)
    spread = float(both.std(ddof=1)) if len(both) > 1 else 0.0
    flat = spread <= rounding(both) * float(np.abs(both).max(initial=0.0))
    return math.nan if flat else (float(np.mean(x)) - float(np.mean(y))) / spread


def associations(x: np.ndarray, y: np.ndarray, *, two_sided: bool = False, seed: int = 0,
                 should_stop: Callable[[], None] = lambda: None) -> list[Difference]:
    """Whether X leans more to A than Y does, for each of several pairs of groups of words.

    Parameters
    ----------
    x, y
        (n, t) and (m, t) floats, leanings of the items of two groups in each of t tests.
    two_sided
        Also count divisions that lean as far the other way; the paper's test is one-sided.
    seed
        Of the divisions drawn; all tests are asked of the same ones.
    should_stop
        Called now and then; may raise.

    Returns
    -------
    One Difference a test: the effect size, p, and how p was found. p is the share of divisions of all items into groups
    of these sizes, the one at hand among them, in which X leans as much more to A; of all divisions up to 20,000, of
    9,999 random ones beyond, of the normal law where both groups have above 1,000 items. None where all items lean
    alike. The interval is that of the jackknife within groups after Fisher's transformation, from 5 items a group.

    References
    ----------
    Caliskan et al., Science 356, 2017; Steed and Caliskan, 2021, arXiv:2010.15052.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not len(x) or not len(y):
        raise ShapeError("leanings of two groups, (n, t) and (m, t)", f"shapes {x.shape} and {y.shape}")
    both = np.concatenate([x, y])
    both = both - both.mean(axis=0)
    p, test = _chance(both, len(x), two_sided, seed, should_stop)
    found = []
    for t in range(x.shape[1]):
        effect = effect_size(x[:, t], y[:, t])
        number = _with_interval(effect, x[:, t], y[:, t])
        found.append(Difference(number, float(p[t]) if math.isfinite(effect) else None, test))
    return found


def parts_of_words(x: np.ndarray, y: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(w,) float64: what each word adds to the effect size of X and Y, whose scores these are; their sum is it."""
    x, y = _checked(x, first), _checked(y, first)
    spread = float((np.concatenate([x, y]) @ _contrast(first)).std(ddof=1))
    return (x.mean(axis=0) - y.mean(axis=0)) * _contrast(first) / spread


def without_each_word(x: np.ndarray, y: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(w,) float64: the effect size of X and Y without each word; NaN where its group has no other."""
    first = np.asarray(first, dtype=bool)
    found = np.full(len(first), math.nan)
    for word in range(len(first)):
        rest = np.arange(len(first)) != word
        if first[rest].any() and not first[rest].all():
            found[word] = effect_size(leanings(x[:, rest], first[rest]), leanings(y[:, rest], first[rest]))
    return found


def parts_of_items(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each item of X and of Y adds to their effect size, from its leaning; the sum of all is it.

    An item adds as much as it leans, beyond the mean of all items, to the side that its group leans to.
    """
    both = np.concatenate([x, y]).astype(np.float64)
    middle, spread = float(both.mean()), float(both.std(ddof=1))
    return (np.asarray(x) - middle) / (len(x) * spread), -(np.asarray(y) - middle) / (len(y) * spread)


def single(scores: np.ndarray, first: np.ndarray, *, two_sided: bool = False, seed: int = 0) -> Difference:
    """Whether one group of items leans to A rather than to B: the single-category test.

    Parameters
    ----------
    scores, first : (n, w) floats and (w,) bool.
    two_sided : count divisions of the words that lean as far the other way.
    seed : of the divisions drawn.

    Returns
    -------
    Difference: the mean over items of each one's effect size (mean score for A less that for B, over the standard
    deviation of its scores for all words), with Student's interval over items, from 8 of them; p by dividing the words
    anew into groups of these sizes, as in `associations`. n is the number of items.

    References
    ----------
    Caliskan et al., Science 356, 2017 (the word-embedding factual association test); Toney and Caliskan, 2021,
    arXiv:2006.03950 (the single-category test).
    """
    first = np.asarray(first, dtype=bool)
    standard = _standard(_checked(scores, first))
    each = standard @ _contrast(first)
    known = each[np.isfinite(each)]
    n = len(known)
    if not n:
        return Difference(Number(math.nan, null=0.0, n=len(each), unit=UNIT), None)
    value = float(known.mean())
    words = standard[np.isfinite(each)].mean(axis=0)
    ordered = np.concatenate([words[first], words[~first]])[:, None]
    p, test = _chance(ordered - ordered.mean(), int(first.sum()), two_sided, seed, lambda: None)
    half = student(n - 1) * float(known.std(ddof=1)) / math.sqrt(n) if n >= LEAST_SINGLE else None
    number = Number(value, null=0.0, n=n, unit=UNIT) if half is None else \
        Number(value, value - half, value + half, 0.0, n, UNIT)
    return Difference(number, float(p[0]), test)


def least_p(n: int, m: int) -> float:
    """The smallest p that groups of n and m can have, where all divisions are gone through or drawn."""
    return 1 / min(math.comb(n + m, n), 1 + DRAWS)


def _checked(scores: np.ndarray, first: np.ndarray) -> np.ndarray:
    scores, first = np.asarray(scores, dtype=np.float64), np.asarray(first, dtype=bool)
    if scores.ndim != 2 or not len(scores) or first.shape != scores.shape[1:]:
        raise ShapeError("scores of one item or more, (n, w), and (w,) which words are of A",
                         f"shapes {scores.shape} and {first.shape}")
    if not first.any() or first.all():
        raise ShapeError("one word or more in each of two groups", f"{int(first.sum())} and {int((~first).sum())}",
                         "Write words that the model knows into both lists.")
    if not np.isfinite(scores).all():
        raise ShapeError("finite scores", "NaN or infinity", "Leave out the words or items that have none.")
    return scores


def _contrast(first: np.ndarray) -> np.ndarray:
    first = np.asarray(first, dtype=bool)
    return np.where(first, 1 / max(int(first.sum()), 1), -1 / max(int((~first).sum()), 1))


def _standard(scores: np.ndarray) -> np.ndarray:
    """Scores of each item from their mean, in their standard deviations; NaN where it fits all words alike."""
    off = scores - scores.mean(axis=1, keepdims=True)
    spread = off.std(axis=1, ddof=1, keepdims=True)
    flat = spread <= rounding(scores) * np.abs(scores).max(axis=1, keepdims=True)
    return np.where(flat, math.nan, off / np.where(flat, 1.0, spread))


def _chance(values: np.ndarray, n: int, two_sided: bool, seed: int, should_stop: Callable[[], None]
            ) -> tuple[np.ndarray, str]:
    """(t,) p of the sum of the first n of (n + m, t) centred values among divisions, and how it was found."""
    total = len(values)
    m = total - n
    seen = values[:n].sum(axis=0)
    least = rounding(values, total) * np.abs(values).sum(axis=0)

    def as_much(sums: np.ndarray) -> np.ndarray:
        return (np.abs(sums) >= np.abs(seen) - least if two_sided else sums >= seen - least).sum(axis=0)

    if math.comb(total, n) <= MOST_LISTED:
        listed = np.array(list(combinations(range(total), n)))
        return as_much(values[listed].sum(axis=1)) / len(listed), f"all {len(listed):,} divisions"
    if min(n, m) > MOST_DRAWN:
        from scipy.special import ndtr

        error = np.sqrt(n * m / (total * (total - 1)) * (values ** 2).sum(axis=0))
        z = seen / np.where(error > 0, error, math.inf)
        return (2 * ndtr(-np.abs(z)) if two_sided else ndtr(-z)), "the normal law of random divisions"
    rng, size, sign = np.random.default_rng(seed), min(n, m), 1 if n <= m else -1
    count = np.zeros(values.shape[1], dtype=np.int64)
    for start in range(0, DRAWS, _STEP):
        should_stop()
        drawn = [values[rng.choice(total, size, replace=False, shuffle=False)].sum(axis=0)
                 for _ in range(min(_STEP, DRAWS - start))]
        count += as_much(sign * np.array(drawn))
    return (1 + count) / (1 + DRAWS), f"{DRAWS:,} random divisions"


def _with_interval(effect: float, x: np.ndarray, y: np.ndarray) -> Number:
    """An effect size with the interval of the jackknife within groups, after Fisher's transformation.

    d is r sqrt(N (N - 1) / (n m)), r the correlation of leaning and group; the jackknife of d itself covers 79 to 92 %
    at 8 items a group, that of atanh r 86 to 95 %, and 90 to 95.5 % from 20 (simulated: normal, skewed, heavy-tailed
    and unequal spreads, effects of 0 to 1.7).
    """
    n, m = len(x), len(y)
    plain = Number(effect, null=0.0, n=n + m, unit=UNIT)
    if min(n, m) < LEAST_FOR_INTERVAL or not math.isfinite(effect):
        return plain
    whole, squares = float(x.sum() + y.sum()), float(x @ x + y @ y)
    groups = []
    for own, other, sign in ((x, y, 1), (y, x, -1)):
        size, rest = len(own) - 1, len(own) - 1 + len(other)
        spread = squares - own ** 2 - (whole - own) ** 2 / rest
        apart = sign * ((own.sum() - own) / size - other.mean())
        with np.errstate(divide="ignore", invalid="ignore"):
            r = apart * math.sqrt(size * len(other) / rest) / np.sqrt(np.maximum(spread, 0.0))
            groups.append(np.arctanh(r))
    if not all(np.isfinite(group).all() for group in groups):
        return plain
    parts = [(len(g) - 1) / len(g) * float(((g - g.mean()) ** 2).sum()) for g in groups]
    error = sum(parts)
    if error == 0:
        return plain
    freedom = error ** 2 / sum(part ** 2 / (len(g) - 1) for part, g in zip(parts, groups))
    scale = math.sqrt((n + m) * (n + m - 1) / (n * m))
    middle, half = math.atanh(effect / scale), student(freedom) * math.sqrt(error)  # type: ignore[arg-type]
    return Number(effect, scale * math.tanh(middle - half), scale * math.tanh(middle + half), 0.0, n + m, UNIT)
