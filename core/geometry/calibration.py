"""Is a model right as often as it is sure? Reliability, expected calibration error, Brier score, and temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.classification import probabilities
from core.geometry.differences import Difference, means_differ
from core.geometry.intervals import proportion
from core.geometry.jackknife import student
from core.types import Number

BINS, TRIALS = 15, 1000
LEAST = 20          # items of which a temperature can be fitted on one half and scored on the other
_LOWEST, _HIGHEST = math.log(1e-3), math.log(1e3)


@dataclass(frozen=True, eq=False)
class Reliability:
    """How sure a model is of what it names first, and how often it is right.

    Attributes
    ----------
    temperature : by which the logits were divided.
    edges : (b + 1,) float64, of the bins of confidence, from 0 to 1.
    counts : (b,) int64.
    confidence : (b,) float64, mean of each bin; NaN of an empty one.
    accuracy : of each bin, with Wilson's interval; None of an empty one.
    ece : expected calibration error: mean over items of |accuracy - confidence| of their bin; its null is the same of
        a model that is right exactly as often as it is sure, with the same confidences and n.
    ece_by_chance : 2.5 and 97.5 % point of that null.
    p : how often the null is as large.
    brier : mean over items of the squared distance of the probabilities from the truth, 0 to 2, lower is better; its
        null is the same probability for every class.
    nll : mean of -log p of the true class, nats; its null is the same probability for every class.
    """

    temperature: float
    edges: np.ndarray
    counts: np.ndarray
    confidence: np.ndarray
    accuracy: tuple[Number | None, ...]
    ece: Number
    ece_by_chance: tuple[float, float]
    p: float
    brier: Number
    nll: Number


@dataclass(frozen=True, eq=False)
class Tempered:
    """A temperature that was fitted on one half of the items and scored on the other.

    Attributes
    ----------
    temperature : that makes the NLL of the first half smallest, as a factor on that of the logits given; 1 where
        none does.
    fitted_on, scored_on : (a,), (b,) int64, rows of the two halves.
    before, after : of the second half, without and with it.
    nll, brier : after less before, paired over the items of the second half.
    unbounded : whether no temperature is best: all of the first half is right, or no better than chance.
    """

    temperature: float
    fitted_on: np.ndarray
    scored_on: np.ndarray
    before: Reliability
    after: Reliability
    nll: Difference
    brier: Difference
    unbounded: bool


def reliability(logits: np.ndarray, truth: np.ndarray, temperature: float = 1.0, *, bins: int = BINS,
                seed: int = 0) -> Reliability:
    """How well the confidence of a softmax fits how often it is right.

    Parameters
    ----------
    logits : (n, k) floats, k >= 2, natural logarithms up to a constant of each item.
    truth : (n,) int, 0 to k - 1.
    temperature : > 0; the logits are divided by it.
    bins : of equal width.
    seed : of the null, 1,000 models that are calibrated.

    Raises
    ------
    ShapeError
        If there is no item, fewer than two classes, or the shapes do not fit.

    References
    ----------
    Guo et al., ICML 2017, arXiv:1706.04599 (ECE, 15 bins); Vaicenavicius et al., AISTATS 2019, arXiv:1902.06977 (that
    the ECE of a calibrated model is above 0); Brier, Monthly Weather Review 78, 1950.
    """
    truth = np.asarray(truth, dtype=np.int64)
    if logits.ndim != 2 or logits.shape[1] < 2 or truth.shape != (len(logits),) or not len(truth):
        raise ShapeError("items with scores of two classes or more, and the class of each",
                         f"scores of shape {logits.shape}, {truth.shape} classes")
    given = probabilities(logits, temperature)
    n, k = given.shape
    sure = given.max(axis=1)
    right = (given.argmax(axis=1) == truth).astype(np.float64)
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums, hits = np.bincount(place, sure, bins), np.bincount(place, right, bins)
    value = float(np.abs(hits - sums).sum() / n)
    null = _calibrated(sure, place, sums, bins, seed)
    low, high = (float(q) for q in np.quantile(null, (0.025, 0.975)))
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence = sums / counts
    brier, nll = _brier(given, truth), _nll(logits, truth, temperature)
    return Reliability(
        temperature, edges, counts, confidence,
        tuple(proportion(float(h), int(c)) if c else None for h, c in zip(hits, counts)),
        Number(value, null=float(null.mean()), n=n, unit="share"), (low, high),
        float((1 + (null >= value - 1e-12).sum()) / (1 + TRIALS)),
        _mean(brier, 1 - 1 / k, "squared distance", 2.0), _mean(nll, math.log(k), "nats", math.inf))


def best_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The factor on the temperature that makes the NLL smallest; within 1/1000 and 1000.

    The NLL is convex in the inverse temperature, so that there is one minimum (Guo et al. 2017).

    Parameters
    ----------
    logits : (n, k) floats, k >= 2.
    truth : (n,) int.
    """
    from scipy.optimize import minimize_scalar

    z = np.asarray(logits, dtype=np.float64)
    found = minimize_scalar(lambda t: float(_nll(z, truth, math.exp(t)).mean()), bounds=(_LOWEST, _HIGHEST),
                            method="bounded", options={"xatol": 1e-4})
    return math.exp(float(found.x))


def temperature_on_halves(logits: np.ndarray, truth: np.ndarray, *, bins: int = BINS, seed: int = 0) -> Tempered:
    """Fit the temperature on a random half and score it on the other.

    Parameters
    ----------
    logits, truth : as in `reliability`; 20 items or more.
    seed : of the halves.

    Raises
    ------
    ShapeError
        If there are fewer than 20 items.
    """
    n = len(logits)
    if n < LEAST:
        raise ShapeError(f"{LEAST} items with a class or more, half to fit a temperature on and half to score it",
                         str(n), "Bring more items with a class.")
    truth = np.asarray(truth, dtype=np.int64)
    order = np.random.default_rng(seed).permutation(n)
    fitted, scored = np.sort(order[:n // 2]), np.sort(order[n // 2:])
    unbounded = _no_best(logits[fitted], truth[fitted])
    t = 1.0 if unbounded else best_temperature(logits[fitted], truth[fitted])
    own, z = truth[scored], logits[scored]
    before, after = (reliability(z, own, at, bins=bins, seed=seed) for at in (1.0, t))
    return Tempered(t, fitted, scored, before, after,
                    means_differ(_nll(z, own, 1.0), _nll(z, own, t), unit="nats"),
                    means_differ(_brier(probabilities(z), own), _brier(probabilities(z, t), own),
                                 unit="squared distance"),
                    unbounded)


def _no_best(logits: np.ndarray, truth: np.ndarray) -> bool:
    """Whether the NLL falls for ever as the temperature does (all are right) or grows (the scores say nothing)."""
    own = logits[np.arange(len(logits)), truth].astype(np.float64)
    return bool((own >= logits.max(axis=1)).all() or (own - logits.mean(axis=1, dtype=np.float64)).mean() <= 0)


def _calibrated(sure: np.ndarray, place: np.ndarray, sums: np.ndarray, bins: int, seed: int) -> np.ndarray:
    """(trials,) ECE of models that are right exactly as often as they are sure."""
    rng, out = np.random.default_rng(seed), np.empty(TRIALS)
    step = max(1, (1 << 22) // len(sure))
    for start in range(0, TRIALS, step):
        stop = min(start + step, TRIALS)
        trial, item = np.nonzero(rng.random((stop - start, len(sure))) < sure)
        hits = np.bincount(trial * bins + place[item], minlength=(stop - start) * bins).reshape(-1, bins)
        out[start:stop] = np.abs(hits - sums).sum(axis=1) / len(sure)
    return out


def _nll(logits: np.ndarray, truth: np.ndarray, temperature: float) -> np.ndarray:
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    return np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(scaled)), truth]


def _brier(given: np.ndarray, truth: np.ndarray) -> np.ndarray:
    own = given[np.arange(len(given)), truth]
    return np.einsum("ij,ij->i", given, given) - 2 * own + 1


def _mean(values: np.ndarray, null: float, unit: str, most: float) -> Number:
    n, mean = len(values), float(values.mean())
    if n < 3:
        return Number(mean, null=null, n=n, unit=unit)
    half = student(n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return Number(mean, max(mean - half, 0.0), min(mean + half, most), null, n, unit)
