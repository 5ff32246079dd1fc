"""How many examples is a prompt worth? Classes from k labelled images each, drawn often, beside zero-shot."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import Cancelled, ShapeError, check_vectors
from core.geometry.curves import Curve
from core.geometry.directions import unit
from core.geometry.retrieval import chance_of_a_hit
from core.learning.probes import linear_probe
from core.types import Number

SHOTS, DRAWS, RESAMPLES = (1, 2, 4, 8, 16), 20, 1000
HELD_OUT = 0.5
MOST_ASKED = 1000
LEARNERS = {"mean": "nearest class mean", "probe": "logistic probe"}
Progress = Callable[[float, str], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Shots:
    """Accuracy on held-out items of what k examples of each class teach, beside that of the prompts.

    Attributes
    ----------
    classes : c names of the classes that take part.
    left_out : how many classes have too few items to take part.
    ks : (s,) int, examples of each class.
    hits : by learner, (s, draws, a) float32 in [0, 1]: whether each asked item is named right after each draw.
    zero_shot : (a,) float64 in [0, 1], whether the prompts name it right, among the same classes.
    asked : (a,) int64, rows of the items held out.
    seed : of what is held out, of the draws and of the resamples.
    """

    classes: tuple[str, ...]
    left_out: int
    ks: tuple[int, ...]
    hits: dict[str, np.ndarray]
    zero_shot: np.ndarray
    asked: np.ndarray
    seed: int = 0

    @property
    def chance(self) -> float:
        """1 over the number of classes."""
        return 1 / len(self.classes)

    @cached_property
    def _resampled(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Accuracy of each learner and k, (s, r), and of the prompts, (r,), over resampled draws and items at once."""
        rng, a = np.random.default_rng((self.seed, 1)), len(self.asked)
        items = rng.multinomial(a, np.full(a, 1 / a), RESAMPLES) / a
        curves = {}
        for name, hits in self.hits.items():
            d = hits.shape[1]
            draws = rng.multinomial(d, np.full(d, 1 / d), RESAMPLES) / d
            curves[name] = np.stack([np.einsum("rd,rd->r", draws, items @ at.T) for at in hits.astype(np.float64)])
        return curves, items @ self.zero_shot

    def curve(self, learner: str) -> Curve:
        """Accuracy over k with its 95 % band over draws and items."""
        low, high = np.quantile(self._resampled[0][learner], (0.025, 0.975), axis=1)
        values = self.hits[learner].mean(axis=(1, 2), dtype=np.float64)
        return Curve(f"accuracy of the {LEARNERS[learner]}", values, np.minimum(low, values),
                     np.maximum(high, values), np.array(self.chance), "share")

    @property
    def prompts(self) -> Number:
        """Accuracy of the prompts on the same items, its interval over items."""
        low, high = np.quantile(self._resampled[1], (0.025, 0.975))
        value = float(self.zero_shot.mean())
        return Number(value, min(float(low), value), max(float(high), value), self.chance, len(self.asked), "share")

    def worth(self, learner: str) -> Number:
        """How many examples of each class teach as much as the prompts do, between the k that were tried by the
        logarithm of k.

        0 where even one example is better; infinity where not even the most are as good. The interval resamples draws
        and items together, the prompts asked of the same items.
        """
        curves, line = self._resampled
        values = self.hits[learner].mean(axis=(1, 2), dtype=np.float64)
        worth = np.sort(_crossings(curves[learner], line, self.ks))
        middle = float(_crossings(values[:, None], np.array([self.zero_shot.mean()]), self.ks)[0])
        low, high = worth[int(0.025 * RESAMPLES)], worth[math.ceil(0.975 * RESAMPLES) - 1]
        return Number(middle, min(float(low), middle), max(float(high), middle), None, len(self.asked),
                      "examples a class")


def _crossings(curves: np.ndarray, line: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """(r,) where each curve, (s, r) over k, first reaches its line, (r,), straight between the logarithms of k."""
    out = np.full(len(line), np.inf)
    logs = np.log(np.asarray(ks, dtype=np.float64))
    for at in range(len(ks) - 1, -1, -1):
        reached = curves[at] >= line
        if at == 0:
            out[reached] = 0.0
            out[curves[0] == line] = ks[0]
            continue
        step = curves[at] - curves[at - 1]
        share = np.where(step > 0, (line - curves[at - 1]) / np.where(step > 0, step, 1), 1.0)
        here = reached & (curves[at - 1] < line)
        out[here] = np.exp(logs[at - 1] + np.clip(share, 0, 1) * (logs[at] - logs[at - 1]))[here]
    return out


def few_shots(x: np.ndarray, truth: np.ndarray, classes: Sequence[str], logits: np.ndarray, *,
              shots: Sequence[int] = SHOTS, draws: int = DRAWS, learners: Sequence[str] = tuple(LEARNERS),
              seed: int = 0, on_progress: Progress | None = None, should_stop: Stop | None = None) -> Shots:
    """Learn classes from k examples each, many times, and ask the items held out.

    Half of the items of each class, at most 1,000 in all, are held out once; the examples are drawn from the others.
    A class takes part that has as many of these as the largest k that is left, which is cut to what two classes or
    more can give.

    Parameters
    ----------
    x : (n, d) float32, unit rows.
    truth : (n,) int, class of each item; -1 where it has none.
    classes : k names.
    logits : (n, k) floats, scores of the prompts of the classes.
    shots : examples of each class, growing.
    draws : >= 2, for each k.
    learners : of `LEARNERS`; the probe is that of `core.learning.probes`.
    seed : of everything drawn.
    on_progress, should_stop : told the share done; asked between draws.

    Raises
    ------
    ShapeError
        If no two classes have two items each.
    Cancelled
        When ``should_stop`` says so.

    References
    ----------
    Radford et al., 2021, arXiv:2103.00020, section 3.1.5 (how many examples zero-shot is worth, by log-linear
    interpolation); Owen, Annals of Applied Statistics 1, 2007 (rows and columns resampled at once).
    """
    check_vectors(x, unit=True)
    truth = np.asarray(truth, dtype=np.int64)
    rng = np.random.default_rng((seed, 0))
    own = {k: rng.permutation(np.flatnonzero(truth == k)) for k in np.unique(truth[truth >= 0]).tolist()}
    pools = {k: rows[math.ceil(len(rows) * HELD_OUT):] for k, rows in own.items()}
    sizes = sorted((len(pool) for pool in pools.values()), reverse=True)
    if len(sizes) < 2 or sizes[1] < 1:
        raise ShapeError("two classes with two items or more: one to learn from, one to ask",
                         f"{sum(size > 0 for size in sizes)} of {len(own)} classes", "Bring more items of each class.")
    ks = tuple(k for k in shots if k <= _most_shots(sizes)) or (1,)
    part = [k for k, pool in pools.items() if len(pool) >= ks[-1]]
    asked = rng.permutation(np.concatenate([own[k][:len(own[k]) - len(pools[k])] for k in part]))[:MOST_ASKED]
    asked.sort()
    place = np.full(len(classes), -1, dtype=np.int64)
    place[part] = np.arange(len(part))
    names = [str(i) for i in range(len(part))]
    right = place[truth[asked]]
    zero = chance_of_a_hit(logits[np.ix_(asked, part)], np.arange(len(asked)), right, (1,))[:, 0]
    hits = {name: np.zeros((len(ks), draws, len(asked)), dtype=np.float32) for name in learners}
    done, whole = 0, draws * sum(ks)
    for draw in range(draws):
        nested = [rng.permutation(pools[k])[:ks[-1]] for k in part]
        for i, k in enumerate(ks):
            if should_stop is not None and should_stop():
                raise Cancelled(f"{draw} of {draws} draws")
            if on_progress is not None:
                on_progress(done / whole, f"Draw {draw + 1} of {draws}: {k} example{'s' * (k > 1)} of each of "
                                          f"{len(part):,} classes")
            rows = np.concatenate([drawn[:k] for drawn in nested])
            if "mean" in hits:
                means = unit(x[rows].reshape(len(part), k, -1).mean(axis=1, dtype=np.float64)).astype(np.float32)
                hits["mean"][i, draw] = chance_of_a_hit(x[asked] @ means.T, np.arange(len(asked)), right, (1,))[:, 0]
            if "probe" in hits:
                said = linear_probe(x[rows], [name for name in names for _ in range(k)], x[asked], most=len(rows))
                hits["probe"][i, draw] = np.array(said, dtype=np.int64) == right
            done += k
    return Shots(tuple(classes[k] for k in part), len(own) - len(part), ks, hits, zero, asked, seed)


def _most_shots(sizes: Sequence[int]) -> int:
    """The most examples that three of four classes, and two at least, can give; ``sizes`` fall."""
    return sizes[max(1, math.ceil(0.75 * len(sizes)) - 1)]
