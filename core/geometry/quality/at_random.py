"""What dropping the same number at random would have done: so much of a change comes from being fewer alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled
from core.geometry.differences import Difference, Verdict, holm
from core.geometry.jackknife import student
from core.geometry.quality.items import Items, Kept
from core.geometry.quality.measures import Measure, Sheet, equal_n, numbers_of, values_of
from core.geometry.rounding import rounding
from core.geometry.threads import one_thread
from core.types import Number

DRAWS, DRAWS_OF_PAIRS = 40, 20
LEAST_DRAWS = 5


@dataclass(frozen=True, eq=False)
class Beside:
    """A state of a dataset beside the whole, and beside what as many dropped at random would have left.

    Attributes
    ----------
    measures : how each is called, by key.
    before, after : numbers by key; a measure that is not defined is left out.
    random : by key, (draws,) float64, the measure after each random drop; NaN where it is not defined.
    differences : by key, after less the mean of the random drops: the interval is where such a difference would lie
        in 95 of 100 draws, p corrected by Holm over all measures; p is None where nothing can be told.
    dropped : images and texts that are gone.
    n : images and texts on which what needs all pairs was measured.
    """

    measures: Mapping[str, Measure]
    before: Mapping[str, Number]
    after: Mapping[str, Number]
    random: Mapping[str, np.ndarray]
    differences: Mapping[str, Difference]
    dropped: tuple[int, int]
    n: tuple[int, int]


def beside_random(of: Sheet, kept: Kept, *, draws: int = DRAWS, seed: int = 0,
                  on_progress: Callable[[float, str], None] | None = None,
                  should_stop: Callable[[], bool] | None = None) -> Beside:
    """All measures of the whole and of what is kept, and of as many kept at random.

    Parameters
    ----------
    of : all items, and what was found of them.
    kept : what is left of them.
    draws : random drops; what needs all pairs is worked out for the first half of them, 20 at most.
    seed : of the drops.
    on_progress, should_stop : told the share done and what is being done; asked between parts.

    Returns
    -------
    Beside. The counts of images and texts are no test, and have no difference.

    Raises
    ------
    Cancelled
        If ``should_stop`` says so.
    """
    def stop() -> None:
        if should_stop is not None and should_stop():
            raise Cancelled("part of the measures")

    tell = on_progress or (lambda share, text: None)
    whole = Kept.all_of(of.items)
    tell(0.0, "Dropping as many at random")
    states = [whole, kept, *drops_at_random(of.items, kept, draws, seed=seed)]
    tell(0.3, "Measuring")
    n = equal_n(states)
    with one_thread():
        found = values_of(of, states, n, pairs_of=2 + min(DRAWS_OF_PAIRS, max(draws // 2, 1)), should_stop=stop)
    before, after = (numbers_of(of, state, n, {key: v[i] for key, v in found.items()})
                     for i, state in enumerate((whole, kept)))
    random = {key: values[2:] for key, values in found.items()}
    dropped = int((~kept.images).sum()), int((~kept.texts).sum())
    told = {key: _difference(of, kept, key, after[key], random[key]) for key in after if key not in ("images", "texts")}
    return Beside(of.measures, before, after, random, holm(told), dropped, n)


def drops_at_random(items: Items, kept: Kept, draws: int, *, seed: int = 0) -> list[Kept]:
    """As many images and texts dropped as are not kept, each time others.

    Images go with their texts, and as many go of those with one text, of those with two, and so on, as are not kept:
    so as many texts go too. Where more texts are gone, texts are drawn of images that have more than one left, or of
    those that belong to none.
    """
    rng = np.random.default_rng(seed)
    owned = np.bincount(items.links[:, 0], minlength=items.n_images)
    gone = np.bincount(owned[~kept.images], minlength=1)
    strata = [(np.flatnonzero(owned == size), count) for size, count in enumerate(gone.tolist()) if count]
    texts_left, out = int(kept.texts.sum()), []
    for _ in range(draws):
        images = [rows[rng.permutation(len(rows))[:count]] for rows, count in strata]
        state = Kept.all_of(items).without(items, images=np.concatenate([np.zeros(0, np.int64), *images]))
        more = int(state.texts.sum()) - texts_left
        if more > 0:
            free = _free_texts(items, state, rng)
            state = state.without(items, texts=free[rng.permutation(len(free))[:more]])
        out.append(state)
    return out


def _free_texts(items: Items, state: Kept, rng: np.random.Generator) -> np.ndarray:
    """Texts of which all may go without an image losing its last one, one of each drawn to stay."""
    of, to = items.links.T
    pairs = np.flatnonzero(state.images[of] & state.texts[to])
    pairs = pairs[np.argsort(rng.random(len(pairs)))]
    _, first = np.unique(of[pairs], return_index=True)
    stays = np.zeros(items.n_texts, bool)
    stays[to[pairs[first]]] = True
    return np.flatnonzero(state.texts & ~stays)


def _difference(of: Sheet, kept: Kept, key: str, after: Number, random: np.ndarray) -> Difference:
    """After less the mean of random drops, with the spread of these."""
    drawn = random[np.isfinite(random)]
    k = len(drawn)
    if k < LEAST_DRAWS:
        return Difference(Number(math.nan, n=k, unit=after.unit), None, "too few random drops in which it is defined")
    value, spread = after.value - float(drawn.mean()), float(drawn.std(ddof=1))
    if spread <= rounding(np.zeros(0, np.float32)) * max(abs(after.value), 1e-3):
        return Difference(Number(value, null=0.0, n=after.n, unit=after.unit), None,
                          "random drops do not change it")
    error = spread * math.sqrt(1 + 1 / k)
    half = student(k - 1) * error
    number = Number(value, value - half, value + half, 0.0, after.n, after.unit)
    exact = _exact(of, kept, key)
    if exact is not None:
        return Difference(number, exact, "exact hypergeometric")
    from scipy.special import stdtr

    return Difference(number, 2 * float(stdtr(k - 1, -abs(value) / error)), f"Student's t over {k} random drops")


def _exact(of: Sheet, kept: Kept, key: str) -> float | None:
    """Two-sided chance of as many flagged items among those kept, where each item goes by itself; else None.

    References
    ----------
    Fisher's exact test of flagged against dropped.
    """
    if not key.startswith("share_") or key[6:] in of.groups:
        return None
    modality, flags = of.flagged[key[6:]]
    items = of.items
    owners = np.bincount(items.links[:, 1], minlength=items.n_texts)
    owned = np.bincount(items.links[:, 0], minlength=items.n_images)
    by_itself = all(len(c) == 0 or (c.max() <= 1 and (c == c[0]).all()) for c in (owned, owners))
    if not by_itself or not flags[:, 0].all():
        return None
    mask = kept.images if modality == "image" else kept.texts
    return _hypergeometric(int((flags[:, 1] & mask).sum()), len(mask), int(flags[:, 1].sum()), int(mask.sum()))


def _hypergeometric(seen: int, n: int, flagged: int, drawn: int) -> float:
    from scipy.special import gammaln

    counts = np.arange(max(0, drawn + flagged - n), min(flagged, drawn) + 1)

    def choose(of: int, take: np.ndarray) -> np.ndarray:
        return gammaln(of + 1) - gammaln(take + 1) - gammaln(of - take + 1)

    logs = choose(flagged, counts) + choose(n - flagged, drawn - counts)
    chances = np.exp(logs - logs.max())
    chances /= chances.sum()
    return float(min(1.0, chances[chances <= chances[counts == seen] * (1 + 1e-9)].sum()))


def in_words(difference: Difference, measure: Measure) -> str:
    """What can be said of a difference, in a few words."""
    wanted = {"high": Verdict.HIGHER, "low": Verdict.LOWER}.get(measure.wanted)
    if difference.verdict in (Verdict.HIGHER, Verdict.LOWER):
        side = difference.verdict.value
        return side if wanted is None else f"{side} ({'better' if difference.verdict is wanted else 'worse'})"
    return difference.verdict.value
