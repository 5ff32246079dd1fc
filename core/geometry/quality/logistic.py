"""Logistic regression of many vectors: probabilities of classes, each image by a fit that did not see it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np

from core.errors import Cancelled
from core.geometry.quality.equal_rows import equal_rows
from core.geometry.threads import one_thread

Progress = Callable[[float, str], None]

SCALE = 8.0   # vectors of length 1 hold too little for C = 1
C = 1.0
STEPS = 200
_TOLERANCE = 1e-4
_ROWS = 16_384
_TELLING, _LONG = 0.02, 90.0   # share after which the time left is told, and seconds that are worth telling
_SMALL = 1 << 31   # products in one step, below which threads wait for memory or for each other


def folds_of(of: np.ndarray, same: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Part, from 0, that each image is in: the different images of a class are dealt to the parts in turn.

    Parameters
    ----------
    of : (n,) int class, -1 for none.
    same : (n,) int, the same for copies, which go to one part where they are of one class.
    folds, seed : how many parts; of the order of the images.

    Returns
    -------
    (n,) int64, -1 without a class. A class of two different images or more is never in one part alone.
    """
    parts = np.full(len(of), -1, dtype=np.int64)
    rows = np.flatnonzero(of >= 0)
    if not len(rows):
        return parts
    groups, group = np.unique(np.stack([of[rows], same[rows]], axis=1), axis=0, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(groups))
    order = order[np.argsort(groups[order, 0], kind="stable")]
    dealt = np.empty(len(groups), dtype=np.int64)
    dealt[order] = np.arange(len(groups)) % folds
    parts[rows] = dealt[group.ravel()]
    return parts


def left_out_probabilities(x: np.ndarray, of: np.ndarray, k: int, *, folds: int, seed: int,
                           on_progress: Progress | None = None,
                           should_stop: Callable[[], bool] | None = None) -> np.ndarray:
    """Probabilities of k classes of each image by a fit on the other folds; without a class, by the mean of all fits.

    Parameters
    ----------
    x : (n, d) floats, unit rows.
    of : (n,) int class, -1 for none; k >= 2 classes of two different images or more.
    folds, seed : parts that are left out in turn.
    on_progress, should_stop : told the share that is done; asked whether to stop.

    Returns
    -------
    (n, k) float32, rows sum to 1.
    """
    parts, begun = folds_of(of, equal_rows(x), folds, seed), time.monotonic()
    used = [f for f in range(folds) if (parts == f).any()]
    out = np.zeros((len(x), k), dtype=np.float32)
    for done, f in enumerate(used):
        def step(taken: int, done: int = done) -> None:
            share = (done + taken / STEPS) / len(used)
            if should_stop is not None and should_stop():
                raise Cancelled(f"{done} of {len(used)} folds")
            if on_progress is not None:
                left = (time.monotonic() - begun) * (1 / share - 1) if share > _TELLING else 0.0
                on_progress(share, f"Judging labels, fold {done + 1} of {len(used)}"
                            + (f", at most {left / 60:.0f} min left" if left > _LONG else ""))

        weights = fit(x, of, (parts != f) & (parts >= 0), k, step)
        own = np.flatnonzero(parts == f)
        out[own] = probabilities(x, own, weights)
        other = np.flatnonzero(parts < 0)
        out[other] += probabilities(x, other, weights) / len(used)
    return out


def fit(x: np.ndarray, of: np.ndarray, use: np.ndarray, k: int, on_step: Callable[[int], None]) -> np.ndarray:
    """Weights (d + 1, k) of the least C times the log loss plus half their squares, the last row being free.

    As scikit-learn's LogisticRegression(C=1) on the vectors times 8, in single precision and so that it can be stopped.
    """
    from scipy.optimize import minimize

    rows, d, taken = np.flatnonzero(use), x.shape[1], 0

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(d + 1, k).astype(np.float32)
        total, slope = 0.0, np.zeros((d + 1, k))
        for start in range(0, len(rows), _ROWS):
            part = rows[start:start + _ROWS]
            block, truth = x[part].astype(np.float32, copy=False), of[part]
            p, log_sums = _softmax(block, weights)
            own = (np.arange(len(part)), truth)
            total += float((log_sums - p[own]).sum(dtype=np.float64))
            p -= log_sums[:, None]
            np.exp(p, out=p)
            p[own] -= 1
            slope[:d] += SCALE * (block.T @ p)
            slope[d] += p.sum(axis=0)
        w = flat.reshape(d + 1, k)[:d]
        slope = C * slope
        slope[:d] += w
        return C * total + 0.5 * float((w * w).sum()), slope.ravel()

    def after(_: np.ndarray) -> None:
        nonlocal taken
        taken += 1
        on_step(taken)

    on_step(0)
    with one_thread() if len(rows) * d * k < _SMALL else nullcontext():
        found = minimize(loss, np.zeros((d + 1) * k), jac=True, method="L-BFGS-B", callback=after,
                         options={"maxiter": STEPS, "gtol": _TOLERANCE * len(rows), "ftol": 1e-7})
    return np.asarray(found.x.reshape(d + 1, k), dtype=np.float32)


def probabilities(x: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(r, k) float32 of some rows."""
    out = np.empty((len(rows), weights.shape[1]), dtype=np.float32)
    for start in range(0, len(rows), _ROWS):
        logits, log_sums = _softmax(x[rows[start:start + _ROWS]].astype(np.float32, copy=False), weights)
        out[start:start + _ROWS] = np.exp(logits - log_sums[:, None])
    return out


def _softmax(block: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and the logarithm of the sum of their exponentials."""
    logits = SCALE * (block @ weights[:-1]) + weights[-1]
    top = logits.max(axis=1)
    return logits, np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
